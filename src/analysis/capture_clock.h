// How far the capture has come in time, whatever single frames claim: what is over because of silence is decided by it, so a
// frame with a time that is nonsense must neither end everything nor keep anything alive. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/origin.h"

namespace glasspost::analysis {

class CaptureClock {
 public:
  // Takes the next frame's time and gives when it was seen: its own time, but never before now().
  Timestamp Read(Timestamp time) {
    // Nearly always: a little later than the one before.
    const auto step = static_cast<std::uint64_t>(time) - now_;
    if (step < kForward && time <= kMost && steady_) {
      before_ = now_ = static_cast<std::uint64_t>(time);
      return time;
    }
    return ReadOther(time);
  }
  // The latest time that was reached; never goes back.
  Timestamp now() const { return static_cast<Timestamp>(now_); }

 private:
  [[gnu::noinline]] Timestamp ReadOther(Timestamp time) {
    const auto own = static_cast<std::uint64_t>(std::clamp<Timestamp>(time, 0, kMost));
    if (!begun_) begun_ = true, now_ = before_ = own;
    const std::uint64_t later = std::max(own, before_);
    // Two frames in a row from long ago: another capture follows. Its time goes on behind what was seen.
    if (later + shift_ + kBack < now_) shift_ = now_ + kBack - later;
    const std::uint64_t shifted = Shifted(own);
    now_ = std::max(now_, shifted <= now_ + kForward ? shifted : std::min(shifted, Shifted(before_)));
    before_ = own;
    steady_ = shift_ == 0;
    return static_cast<Timestamp>(std::max(shifted, now_));
  }

  // Farther than captured packets are ever out of order, and longer than any silence that is waited for.
  static constexpr std::uint64_t kBack = std::uint64_t{3600} * 1'000'000'000;
  // A longer silence is believed when two frames in a row say so.
  static constexpr std::uint64_t kForward = std::uint64_t{24} * 3600 * 1'000'000'000;
  static constexpr Timestamp kMost = Timestamp{1} << 62;  // the year 2116; what is beyond counts as that

  std::uint64_t Shifted(std::uint64_t time) const { return std::min<std::uint64_t>(time + shift_, kMost); }

  bool begun_ = false;
  std::uint64_t now_ = 0;
  std::uint64_t before_ = 0;  // the time of the frame before, as it was
  std::uint64_t shift_ = 0;
  bool steady_ = false;  // begun, and nothing is shifted
};

}  // namespace glasspost::analysis
