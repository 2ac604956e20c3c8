// Told conversations that cannot be written yet, in the order in which they will be: by last packet, ties by first. Any number of
// them: what is in memory is bounded; beyond that, all of it goes to the temporary file as one sorted run, and runs are merged as
// they are read. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/text_store.h"

namespace glasspost::analysis {

struct WaitingLimits {
  // Texts in memory. Stops what is told behind one long conversation from being held whole.
  std::size_t octets = std::size_t{12} << 20;
  // Conversations in memory: a small one costs more than its text.
  std::size_t conversations = 32'768;
  // Of a run, held in memory while it is read.
  std::size_t read_octets = std::size_t{32} << 10;
};

struct WaitingText {
  std::uint64_t last_frame = 0;
  std::uint64_t first_frame = 0;
  std::string note;
  TextStore text;
};

class WaitingTexts {
 public:
  explicit WaitingTexts(const WaitingLimits& limits = {});
  ~WaitingTexts();

  void Add(WaitingText&& w);
  bool empty() const { return heap_.empty() && runs_.empty(); }
  // The next one's; not if it is empty.
  std::uint64_t next_last_frame() const { return Next().last_frame; }
  std::uint64_t next_first_frame() const { return Next().first_frame; }
  WaitingText Take();

  std::size_t runs() const { return runs_.size(); }
  // False: the temporary file could not be written or read; texts are missing.
  bool ok() const { return ok_; }

 private:
  class Run;
  struct Key {
    std::uint64_t last_frame;
    std::uint64_t first_frame;
    auto operator<=>(const Key&) const = default;
  };
  static bool Later(const WaitingText& a, const WaitingText& b);
  bool FromHeap() const;
  Key Next() const;
  void SpillAll();

  const WaitingLimits limits_;
  std::vector<WaitingText> heap_;           // the next one first
  std::size_t held_ = 0;                    // octets of its texts and notes in memory
  std::vector<std::unique_ptr<Run>> runs_;  // a heap, too: that with the next one first
  bool ok_ = true;
};

}  // namespace glasspost::analysis
