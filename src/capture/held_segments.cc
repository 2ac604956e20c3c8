#include "capture/held_segments.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace glasspost::capture {

std::size_t HeldSegments::FirstEndingAfter(std::int64_t offset) const {
  if (empty() || pieces_.back().end() <= offset) return pieces_.size();
  const auto it = std::partition_point(pieces_.begin() + static_cast<std::ptrdiff_t>(head_), pieces_.end(),
                                       [&](const HeldPiece& p) { return p.end() <= offset; });
  return static_cast<std::size_t>(it - pieces_.begin());
}

// Takes [from, to) out of pieces whose octets are missing: real ones have come.
void HeldSegments::CarveMissing(std::int64_t from, std::int64_t to) {
  for (std::size_t i = FirstEndingAfter(from); i < pieces_.size() && pieces_[i].offset < to;) {
    HeldPiece& p = pieces_[i];
    if (p.octets) {
      ++i;
      continue;
    }
    const std::int64_t begin = p.offset;
    const std::int64_t end = p.end();
    const auto at = pieces_.begin() + static_cast<std::ptrdiff_t>(i);
    if (begin < from && to < end) {
      HeldPiece right{to, static_cast<std::uint32_t>(end - to), nullptr, p.source};
      p.length = static_cast<std::uint32_t>(from - begin);
      pieces_.insert(at + 1, std::move(right));
      return;
    }
    if (begin < from) {
      p.length = static_cast<std::uint32_t>(from - begin);
      ++i;
    } else if (to < end) {
      p.offset = to;
      p.length = static_cast<std::uint32_t>(end - to);
      ++i;
    } else {
      pieces_.erase(at);
    }
  }
}

// The piece becomes two, the second beginning at `at`.
void HeldSegments::Split(std::size_t i, std::int64_t at) {
  HeldPiece& p = pieces_[i];
  HeldPiece right{at, static_cast<std::uint32_t>(p.end() - at), nullptr, p.source};
  p.length = static_cast<std::uint32_t>(at - p.offset);
  if (p.octets) {
    right.octets = std::make_unique_for_overwrite<char[]>(right.length);
    std::memcpy(right.octets.get(), p.octets.get() + p.length, right.length);
  }
  pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(right));
}

HeldSegments::Overlap HeldSegments::Insert(std::int64_t offset, std::uint32_t length, const char* octets,
                                           const HeldSource& source) {
  Overlap overlap;
  const std::int64_t end = offset + length;
  if (octets != nullptr) CarveMissing(offset, end);
  std::size_t i = FirstEndingAfter(offset);
  for (std::int64_t at = offset; at < end;) {
    const std::int64_t stop = i < pieces_.size() ? std::min(end, pieces_[i].offset) : end;
    if (at < stop) {
      HeldPiece fresh{at, static_cast<std::uint32_t>(stop - at), nullptr, source};
      if (octets != nullptr) {
        fresh.octets = std::make_unique_for_overwrite<char[]>(fresh.length);
        std::memcpy(fresh.octets.get(), octets + (at - offset), fresh.length);
        octets_ += fresh.length;
      }
      pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(i++), std::move(fresh));
      at = stop;
      continue;
    }
    const std::int64_t both = std::min(end, pieces_[i].end());
    if (source.acknowledges < pieces_[i].source.acknowledges) {
      if (pieces_[i].offset < at) Split(i++, at);
      if (both < pieces_[i].end()) Split(i, both);
      pieces_[i].source.acknowledges = source.acknowledges;
    }
    const HeldPiece& old = pieces_[i++];
    if (octets != nullptr && old.octets) {
      const auto n = static_cast<std::size_t>(both - at);
      overlap.octets += n;
      if (std::memcmp(old.octets.get() + (at - old.offset), octets + (at - offset), n) != 0) overlap.conflict = true;
    }
    at = both;
  }
  return overlap;
}

HeldPiece HeldSegments::PopFront() {
  HeldPiece p = std::move(pieces_[head_++]);
  if (p.octets) octets_ -= p.length;
  if (empty()) {
    pieces_.clear();
    head_ = 0;
  } else if (head_ >= 64 && head_ * 2 >= pieces_.size()) {  // moves each piece at most once for each that was taken
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  return p;
}

void HeldSegments::Clear() {
  pieces_.clear();
  head_ = 0;
  octets_ = 0;
}

void HeldSegments::ShiftOffsets(std::int64_t by) {
  for (std::size_t i = head_; i < pieces_.size(); ++i) pieces_[i].offset += by;
}

void HeldSegments::ShiftAcknowledgements(std::int64_t by) {
  for (std::size_t i = head_; i < pieces_.size(); ++i) {
    std::int64_t& ack = pieces_[i].source.acknowledges;
    if (ack != HeldSource::kNoAcknowledgement) ack += by;
  }
}

}  // namespace glasspost::capture
