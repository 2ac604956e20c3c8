// Puts told conversations into their order (last packet, ties by number), gives them their numbers (by first packet) and writes
// them. What must wait for an older conversation that is still open goes to a temporary file beyond a bound. One thread.
#pragma once

#include <cstdint>
#include <functional>

#include "analysis/flow_table.h"
#include "analysis/frame_ranks.h"
#include "analysis/teller.h"
#include "analysis/waiting_texts.h"

namespace glasspost::analysis {

class Collector {
 public:
  explicit Collector(Report& report, const WaitingLimits& limits = {}) : report_(report), waiting_(limits) {}
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void Decided(std::uint64_t first_frame) { first_frames_.Mark(first_frame); }
  void Add(Told&& told);
  // No conversation with an earlier last frame will be added, none with an earlier first frame decided. Writes what it can.
  void Advance(std::uint64_t oldest_last_frame, std::uint64_t oldest_undecided);

  std::uint64_t written() const { return written_; }
  // Set before the first Add: called for each conversation with its number and first frame.
  std::function<void(std::uint64_t number, std::uint64_t first_frame)> on_number;
  // False: the temporary file could not be written or read; texts are missing.
  bool ok() const { return ok_ && waiting_.ok(); }

 private:
  Report& report_;
  FrameRanks first_frames_;
  WaitingTexts waiting_;
  std::uint64_t written_ = 0;
  bool ok_ = true;
};

}  // namespace glasspost::analysis
