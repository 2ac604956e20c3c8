// Reads capture files one after another as batches of raw frames: pcap and pcapng, plain, gzip or zstd, from a file or standard
// input. Memory is a fixed number of buffers; a frame's octets live as long as its batch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

struct FrameBatch {
  std::vector<RawFrame> frames;
  std::vector<std::uint8_t> buffer;              // what `frames` point into
  std::vector<std::vector<std::uint8_t>> extra;  // frames larger than a buffer, reassembled datagrams
};

// A fault in a capture file that does not stop the reading of the files after it.
struct CaptureFault {
  std::string file;
  std::uint64_t offset = 0;  // octets from the beginning of the file (of the decompressed octets, if compressed)
  Error error;
};

class FrameSource {
 public:
  struct Options {
    // Octets read at once. Small enough that headers and payload are still in the second-level cache when they are looked at.
    std::size_t batch_octets = std::size_t{1} << 20;
  };
  // "-" is standard input. Opens nothing yet.
  explicit FrameSource(std::vector<std::string> files);
  FrameSource(std::vector<std::string> files, const Options& options);
  ~FrameSource();

  // Fills `batch` (its memory is used again) with the next frames. False: no more. A file that cannot be opened is an error
  // (where it stands in the list); a file that is cut or corrupt gives a fault and the reading goes on with the next file.
  Expected<bool> Next(FrameBatch& batch);

  const std::vector<CaptureFault>& faults() const;
  std::uint64_t octets_read() const;   // of the files as they are stored; for a progress bar
  std::uint64_t octets_total() const;  // 0 where it is not known (standard input)
  std::uint64_t frames() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace glasspost::capture
