// From capture files to told conversations: one thread reads and decodes, others observe. Flows are spread over a fixed number of
// shards by their 5-tuple, shards over threads; the output does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/flow_table.h"
#include "analysis/teller.h"
#include "base/error.h"
#include "capture/frame_source.h"

namespace glasspost::analysis {

inline constexpr int kShards = 16;

struct PipelineOptions {
  int threads = 0;           // that observe, beside the one that reads; 0: as many as the machine has cores
  bool inline_only = false;  // everything on the calling thread
  FlowLimits limits;
  const std::unordered_set<std::uint64_t>* only = nullptr;  // see FlowTable
  std::function<void(std::uint64_t number, std::uint64_t first_frame)> on_number;
  std::function<void(const capture::FrameSource&)> on_progress;  // after each batch, on the calling thread
};

struct PipelineResult {
  std::uint64_t frames = 0;
  std::uint64_t conversations = 0;
  std::uint64_t undecoded = 0;     // frames that are no TCP or UDP
  std::uint64_t truncated = 0;     // frames too short for their own headers
  std::uint64_t unknown_link = 0;  // frames of a link type that is not read
  bool spill_failed = false;
  std::vector<Error> unread;  // files that cannot be opened or are no captures; the others were read
};

// Reads `source` to its end. Faults inside files are in source.faults().
PipelineResult Run(capture::FrameSource& source, Report& report, const PipelineOptions& options);

}  // namespace glasspost::analysis
