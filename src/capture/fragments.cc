#include "capture/fragments.h"

#include <algorithm>
#include <cstring>

namespace glasspost::capture {
namespace {

// RFC 791 §3.1, RFC 8200 §4.5: no payload is longer, whatever offset and length say.
constexpr std::uint32_t kLongestDatagram = 65535;

}  // namespace

template <class Fresh, class Old>
void Coverage::Fill(std::uint32_t begin, std::uint32_t end, Fresh&& fresh, Old&& old) {
  if (begin >= end) return;
  const auto first = std::lower_bound(stretches_.begin(), stretches_.end(), begin,
                                      [](const Stretch& s, std::uint32_t at) { return s.end < at; });
  Stretch joined{begin, end};
  std::uint32_t at = begin;
  auto it = first;
  for (; it != stretches_.end() && it->begin <= end; ++it) {
    if (at < it->begin) fresh(at, it->begin);
    const std::uint32_t from = std::max(at, it->begin), to = std::min(end, it->end);
    if (from < to) old(from, to);
    at = std::max(at, to);
    joined = {std::min(joined.begin, it->begin), std::max(joined.end, it->end)};
  }
  if (at < end) fresh(at, end);
  if (first == it) {
    stretches_.insert(first, joined);
  } else {
    *first = joined;
    stretches_.erase(first + 1, it);
  }
}

std::size_t FragmentTable::Hash::operator()(const FragmentKey& key) const {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t h = key.identification + (std::uint64_t{key.protocol} << 32);
  for (const Address* a : {&key.source, &key.destination}) {
    h = (h ^ LoadNative<std::uint64_t>(a->octets.data())) * kOdd;
    h = (h ^ (h >> 29) ^ LoadNative<std::uint64_t>(a->octets.data() + 8)) * kOdd;
  }
  return h ^ (h >> 32);
}

void FragmentTable::Remove(Entries::iterator entry) {
  octets_ -= entry->datagram.octets.size();
  index_.erase(entry->key);
  entries_.erase(entry);
}

void FragmentTable::GiveUp(Entries::iterator entry) {
  ++given_up_;
  Remove(entry);
}

FragmentTable::Entry& FragmentTable::Find(const FragmentKey& key, Timestamp now) {
  while (!entries_.empty() && now - entries_.front().since > limits_.age) GiveUp(entries_.begin());
  if (const auto found = index_.find(key); found != index_.end()) return *found->second;
  if (entries_.size() >= limits_.datagrams) GiveUp(entries_.begin());
  entries_.push_back(Entry{.key = key, .since = now, .claimed = {}, .held = {}, .datagram = {}});
  index_.emplace(key, std::prev(entries_.end()));
  return entries_.back();
}

// Makes `entry` as long as `end`; the oldest others go first, at last the entry itself (then false, and it is gone).
bool FragmentTable::MakeRoom(Entry& entry, std::uint32_t end) {
  auto& octets = entry.datagram.octets;
  if (end <= octets.size()) return true;
  const std::size_t more = end - octets.size();
  while (octets_ + more > limits_.octets) {
    auto oldest = entries_.begin();
    if (&*oldest == &entry && entries_.size() > 1) ++oldest;
    const bool itself = &*oldest == &entry;
    GiveUp(oldest);
    if (itself) return false;
  }
  octets.resize(end);
  octets_ += more;
  return true;
}

bool FragmentTable::Add(const FragmentKey& key, Fragment f, Datagram& whole) {
  // RFC 791 §3.2: all but the last are multiples of 8 octets; a tail that breaks this cannot fit anywhere.
  if (f.more) f.length &= ~7u;
  if (f.length == 0 || f.offset > kLongestDatagram || f.length > kLongestDatagram - f.offset) return false;
  Entry& e = Find(key, f.time);
  Datagram& d = e.datagram;
  if (d.fragments < 255) ++d.fragments;
  std::uint32_t end = f.offset + f.length;
  if (e.end_known && end > e.end) {  // beyond what the last fragment said: the first word stands
    d.overlap = d.conflict = true;
    if (f.offset >= e.end) return false;
    end = e.end;
  } else if (!f.more && end < e.end) {  // "the last", with others beyond it
    d.overlap = d.conflict = true;
  } else {
    e.end_known |= !f.more;
    e.end = std::max(e.end, end);
  }
  if (!MakeRoom(e, end)) return false;
  const auto nothing = [](std::uint32_t, std::uint32_t) {};
  e.claimed.Fill(f.offset, end, nothing, [&](std::uint32_t, std::uint32_t) { d.overlap = true; });
  e.held.Fill(
      f.offset, std::min(end, f.offset + f.captured),
      [&](std::uint32_t from, std::uint32_t to) { std::memcpy(d.octets.data() + from, f.data + (from - f.offset), to - from); },
      [&](std::uint32_t from, std::uint32_t to) {
        d.conflict |= std::memcmp(d.octets.data() + from, f.data + (from - f.offset), to - from) != 0;
      });
  if (f.offset == 0 && !e.first_seen) e.first_seen = true, d.next = f.next;
  if (!e.end_known || e.claimed.stretches() != std::vector{Coverage::Stretch{0, e.end}}) {
    if (e.claimed.stretches().size() > limits_.stretches || e.held.stretches().size() > limits_.stretches)
      GiveUp(index_.find(key)->second);
    return false;
  }
  const auto& held = e.held.stretches();
  d.length = e.end;
  d.captured = !held.empty() && held.front().begin == 0 ? held.front().end : 0;
  octets_ -= d.octets.size();
  whole = std::move(d);
  whole.octets.resize(whole.captured);
  d.octets.clear();
  Remove(index_.find(key)->second);
  return true;
}

}  // namespace glasspost::capture
