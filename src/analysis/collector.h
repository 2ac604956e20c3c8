// Puts told conversations into their order (last packet, ties by number), gives them their numbers (by first packet) and writes
// them. What must wait for an older conversation that is still open goes to a temporary file beyond a bound. One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "analysis/flow_table.h"
#include "analysis/teller.h"

namespace glasspost::analysis {

class Collector {
 public:
  // Text that may wait in memory.
  static constexpr std::size_t kHeldText = std::size_t{12} << 20;

  explicit Collector(Report& report) : report_(report) {}
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void Decided(std::uint64_t first_frame) { unnumbered_.push(first_frame); }
  void Add(Told&& told);
  // No conversation with an earlier last frame will be added, none with an earlier first frame decided. Writes what it can.
  void Advance(std::uint64_t oldest_last_frame, std::uint64_t oldest_undecided);

  std::uint64_t written() const { return written_; }
  // The first frames of the conversations with these numbers, as far as there are such (all of them are written by then).
  std::uint64_t numbered() const { return numbered_; }
  // Set before the first Add: called for each conversation with its number and first frame.
  std::function<void(std::uint64_t number, std::uint64_t first_frame)> on_number;
  // False: the temporary file could not be written; texts are missing.
  bool ok() const { return ok_; }

 private:
  struct Waiting {
    std::uint64_t last_frame = 0;
    std::uint64_t first_frame = 0;
    TextStore text;
    std::function<void(std::uint64_t)> when_numbered;
    std::uint64_t spilled_at = 0;
    std::size_t spilled_length = 0;
    bool spilled = false;
  };
  struct Later {
    bool operator()(const std::unique_ptr<Waiting>& a, const std::unique_ptr<Waiting>& b) const {
      return a->last_frame != b->last_frame ? a->last_frame > b->last_frame : a->first_frame > b->first_frame;
    }
  };

  void Spill(Waiting& w);
  void Unspill(Waiting& w);
  void Write(Waiting& w);

  Report& report_;
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> unnumbered_;
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_;  // first frame → number, of those not yet written
  std::priority_queue<std::unique_ptr<Waiting>, std::vector<std::unique_ptr<Waiting>>, Later> waiting_;
  std::uint64_t numbered_ = 0;
  std::uint64_t written_ = 0;
  std::size_t held_ = 0;
  std::string buffer_;  // spilled, not yet in the file
  std::FILE* file_ = nullptr;
  std::uint64_t file_end_ = 0;
  bool ok_ = true;
};

}  // namespace glasspost::analysis
