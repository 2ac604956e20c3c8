// The numbers of the frames that carried something, in the order in which their octets were taken.
// The first as it is, since mostly it is the only one; the others as zigzag deltas of 7 bits an octet: a message of a million
// packets costs about one megabyte, and that is the bound.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace glasspost {

class FrameList {
 public:
  // Stops a line or a message of endless tiny packets from filling the memory: beyond it only the last frame is kept.
  static constexpr std::size_t kMost = std::size_t{1} << 20;

  // A frame that repeats the last one added is not added again; 0 (no frame) never is.
  void Add(std::uint64_t frame) {
    if (frame == last_ || frame == 0) return;
    if (count_ == 0) {
      first_ = frame;
    } else if (count_ < kMost) {
      const auto delta = static_cast<std::int64_t>(frame - last_);
      auto z = (static_cast<std::uint64_t>(delta) << 1) ^ static_cast<std::uint64_t>(delta >> 63);
      for (; z >= 0x80; z >>= 7) deltas_.push_back(static_cast<char>(z | 0x80));
      deltas_.push_back(static_cast<char>(z));
    }
    last_ = frame;
    ++count_;
  }

  bool empty() const { return count_ == 0; }
  // Of all that were added, also those that are not kept.
  std::size_t size() const { return count_; }
  std::size_t memory() const { return deltas_.size(); }
  std::uint64_t first() const { return first_; }
  std::uint64_t last() const { return last_; }

  // Keeps the memory for the next use.
  void Clear() {
    if (count_ > 1) deltas_.clear();
    count_ = 0;
    first_ = last_ = 0;
  }

  template <class F>
  void ForEach(F&& f) const {
    if (count_ == 0) return;
    std::uint64_t frame = first_;
    f(frame);
    for (std::size_t i = 0; i < deltas_.size();) {
      std::uint64_t z = 0;
      for (int shift = 0;; shift += 7) {
        const auto c = static_cast<std::uint8_t>(deltas_[i++]);
        z |= static_cast<std::uint64_t>(c & 0x7f) << shift;
        if (c < 0x80) break;
      }
      frame += (z >> 1) ^ (~(z & 1) + 1);
      f(frame);
    }
    if (count_ > kMost) f(last_);
  }

  friend void swap(FrameList& a, FrameList& b) noexcept {
    a.deltas_.swap(b.deltas_);
    std::swap(a.count_, b.count_);
    std::swap(a.first_, b.first_);
    std::swap(a.last_, b.last_);
  }

 private:
  std::string deltas_;
  std::size_t count_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace glasspost
