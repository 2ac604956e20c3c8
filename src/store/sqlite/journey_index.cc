#include "store/sqlite/journey_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/ascii.h"

namespace glasspost::store {
namespace {

static_assert(std::endian::native == std::endian::little, "entries are stored as they lie in memory");

constexpr std::uint64_t kPlaceMask = 0xffff;

std::string KeyOf(MessageId message) { return std::to_string(message); }

}  // namespace

// FNV-1a with a final mix (Stafford's 13th). It is on the disk: never changed. Collisions cost a comparison, no more.
std::uint64_t JourneyIndex::Hash(Key key, Octets text) {
  std::uint64_t h = 0xcbf29ce484222325ull ^ static_cast<std::uint8_t>(key);
  for (const char c : text) h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ull;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
  return h ^ (h >> 31);
}

void JourneyIndex::Load(Database& db) {
  run_ = TailBegin(db);
  next_ = run_;
  Query query(db, "SELECT id, message, sender, recipient, message_id, digest FROM journey_event WHERE id >= ? ORDER BY id", run_);
  while (query.Next()) {
    JourneyEvent event;
    event.sender = query.Text(2);
    event.recipient = query.Text(3);
    event.message_id = query.Text(4);
    event.digest = query.Text(5);
    Gather(event, query.Int(1), query.Int(0));
    next_ = query.Int(0) + 1;
  }
  Begin();
}

void JourneyIndex::Begin() {
  begin_run_ = run_;
  begin_next_ = next_;
  begin_entries_ = entries_.size();
  written_.clear();
}

void JourneyIndex::RollBack() {
  if (run_ != begin_run_) entries_ = std::move(written_);
  entries_.resize(begin_entries_);
  run_ = begin_run_;
  next_ = begin_next_;
  written_.clear();
}

void JourneyIndex::Gather(const JourneyEvent& event, MessageId message, std::int64_t id) {
  const auto add = [&](Key key, Octets text) {
    if (!text.empty()) entries_.push_back((Hash(key, text) & ~kPlaceMask) | static_cast<std::uint64_t>(id - run_));
  };
  if (message != 0) add(Key::kMessage, KeyOf(message));
  add(Key::kMessageId, Octets(event.message_id).substr(0, JourneyLimits::kKeyOctets));
  add(Key::kDigest, event.digest);
  add(Key::kAddress, AddressKey(event.sender));
  if (event.recipient != event.sender) add(Key::kAddress, AddressKey(event.recipient));
}

void JourneyIndex::Append(Database& db, const JourneyEvent& event, MessageId message) {
  if (next_ - run_ == kRunEvents) WriteRun(db);
  const std::int64_t id = next_++;
  const auto cut = [](const std::string& text) { return std::string_view(text).substr(0, JourneyLimits::kKeyOctets); };
  db.Run(
      "INSERT INTO journey_event(id, time, message, kind, conversation, sender, recipient, message_id, digest, detail)"
      " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, event.time, message, event.kind, event.conversation, cut(event.sender), cut(event.recipient), cut(event.message_id),
      Blob{event.digest}, Blob{event.detail});
  Gather(event, message, id);
}

void JourneyIndex::WriteRun(Database& db) {
  if (run_ == begin_run_) written_ = entries_;  // a rollback gives them back in their old order
  std::sort(entries_.begin(), entries_.end());
  entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
  for (std::size_t at = 0; at < entries_.size(); at += kRowEntries) {
    const std::size_t count = std::min(kRowEntries, entries_.size() - at);
    const Octets row(reinterpret_cast<const char*>(entries_.data() + at), count * sizeof(std::uint64_t));
    db.Run("INSERT INTO journey_index(run, first, entries) VALUES(?, ?, ?)", run_,
           std::bit_cast<std::int64_t>(entries_[at] ^ (1ull << 63)), Blob{row});  // so that signed order is unsigned order
  }
  if (entries_.empty()) db.Run("INSERT INTO journey_index(run, first, entries) VALUES(?, 0, X'')", run_);
  entries_.clear();
  run_ = next_;
}

std::int64_t JourneyIndex::TailBegin(Database& db) {
  {
    Query query(db, "SELECT max(run) FROM journey_index");
    if (query.Next() && !query.IsNull(0)) return query.Int(0) + kRunEvents;
  }
  Query query(db, "SELECT min(id) FROM journey_event");  // all runs may have been forgotten
  return query.Next() && !query.IsNull(0) ? query.Int(0) : 1;
}

std::vector<std::int64_t> JourneyIndex::Candidates(Database& db, std::uint64_t hash, std::size_t limit) {
  std::vector<std::int64_t> runs;
  {
    Query query(db,
                "WITH RECURSIVE r(run) AS (SELECT max(run) FROM journey_index UNION ALL"
                " SELECT (SELECT max(run) FROM journey_index WHERE run < r.run) FROM r WHERE r.run IS NOT NULL)"
                " SELECT run FROM r WHERE run IS NOT NULL");
    while (query.Next()) runs.push_back(query.Int(0));
  }
  const std::uint64_t low = hash & ~kPlaceMask, high = hash | kPlaceMask;
  const auto as_signed = [](std::uint64_t v) { return std::bit_cast<std::int64_t>(v ^ (1ull << 63)); };
  std::vector<std::int64_t> found;
  for (const std::int64_t run : runs) {
    std::vector<std::int64_t> places;
    Query query(db,
                "SELECT entries FROM journey_index WHERE run = ?1 AND first <= ?3 AND first >="
                " coalesce((SELECT max(first) FROM journey_index WHERE run = ?1 AND first <= ?2), ?2)",
                run, as_signed(low), as_signed(high));
    while (query.Next()) {
      const Octets row = query.At(0);
      std::vector<std::uint64_t> entries(row.size() / sizeof(std::uint64_t));
      if (!entries.empty()) std::memcpy(entries.data(), row.data(), entries.size() * sizeof(std::uint64_t));
      for (auto at = std::lower_bound(entries.begin(), entries.end(), low); at != entries.end() && *at <= high; ++at) {
        places.push_back(run + static_cast<std::int64_t>(*at & kPlaceMask));
      }
    }
    found.insert(found.end(), places.rbegin(), places.rend());
    if (found.size() >= limit) break;
  }
  if (found.size() > limit) found.resize(limit);
  return found;
}

bool JourneyIndex::ForgetRun(Database& db, Timestamp before) {
  std::int64_t run = 0;
  {
    Query query(db, "SELECT min(run) FROM journey_index");
    if (!query.Next() || query.IsNull(0)) return false;
    run = query.Int(0);
  }
  const std::int64_t last = run + kRunEvents - 1;
  {
    Query query(db, "SELECT time FROM journey_event WHERE id = ?", last);
    if (query.Next() && query.Int(0) >= before) return false;
  }
  db.Run("DELETE FROM journey_event WHERE id BETWEEN ? AND ?", run, last);
  db.Run("DELETE FROM journey_index WHERE run = ?", run);
  return true;
}

std::string AddressKey(std::string_view address) {
  std::string key(address.substr(0, JourneyLimits::kKeyOctets));
  for (char& c : key) c = ToLower(c);
  return key;
}

}  // namespace glasspost::store
