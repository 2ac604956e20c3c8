// Which rank a frame has among those that were marked: what numbers conversations by their first packets. About a seventh of an
// octet for each frame of the capture, whatever is marked.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace glasspost::analysis {

class FrameRanks {
 public:
  void Mark(std::uint64_t frame) {
    const std::uint64_t word = frame / 64;
    if (word >= words_.size()) words_.resize(static_cast<std::size_t>(word + 1));
    words_[word] |= std::uint64_t{1} << frame % 64;
    end_ = std::max(end_, frame + 1);
  }

  // No frame before this one will be marked any more. Calls
  // f(rank, frame) for each marked frame before it that was not settled yet, in order; ranks count from 1.
  template <class F>
  void Settle(std::uint64_t before, F&& f) {
    before = std::min(before, end_);  // what comes later may be marked yet
    while (settled_ < before) {
      const std::uint64_t word = settled_ / 64;
      // Ranks before each block; those that were passed over had no mark.
      while (before_.size() <= settled_ / kBlock) before_.push_back(ranks_);
      const std::uint64_t end = std::min(before, (word + 1) * 64);
      std::uint64_t bits = words_[word] >> settled_ % 64;
      if (end - settled_ < 64) bits &= (std::uint64_t{1} << (end - settled_)) - 1;
      for (; bits != 0; bits &= bits - 1) f(++ranks_, settled_ + static_cast<std::uint64_t>(std::countr_zero(bits)));
      settled_ = end;
    }
  }

  bool settled(std::uint64_t frame) const { return frame < settled_; }
  // Of a marked and settled frame.
  std::uint64_t RankOf(std::uint64_t frame) const {
    std::uint64_t rank = before_[frame / kBlock];
    for (std::uint64_t word = frame / kBlock * (kBlock / 64); word < frame / 64; ++word)
      rank += static_cast<std::uint64_t>(std::popcount(words_[word]));
    return rank + static_cast<std::uint64_t>(std::popcount(words_[frame / 64] << (63 - frame % 64)));
  }

 private:
  static constexpr std::uint64_t kBlock = 512;  // frames whose bits are counted to find a rank

  std::vector<std::uint64_t> words_;   // a bit a frame
  std::vector<std::uint64_t> before_;  // marked frames before each block
  std::uint64_t end_ = 0;              // behind the last marked frame
  std::uint64_t settled_ = 0;
  std::uint64_t ranks_ = 0;
};

}  // namespace glasspost::analysis
