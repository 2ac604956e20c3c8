// Reads capture files one after another as batches of raw frames: pcap and pcapng, plain, gzip or zstd, or hex dumps, from a file
// or standard input. What a file is, its first octets say, not its name. A frame's octets live as long as its batch.
//
// Why read() and not mmap: the copy leaves the octets in the cache where they are looked at next, the page tables of a window
// cost as much as the copy, and a file that is cut while it is read is an error and not a signal (docs/performance.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "capture/hex_dump.h"
#include "capture/raw_frame.h"
#include "capture/reader.h"

namespace glasspost::capture {

// Owns the octets of its frames: batches may live side by side on several threads, and are given back to Next to be filled anew.
struct FrameBatch {
  std::vector<RawFrame> frames;
  std::vector<std::uint8_t> buffer;              // what `frames` point into; larger than what was read
  std::vector<std::vector<std::uint8_t>> extra;  // for decoders: reassembled datagrams
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
    // Octets read at once. Small enough that headers and payload are still in the second-level cache when they are looked at; a
    // frame that is larger makes its batch's buffer grow for that time.
    std::size_t batch_octets = std::size_t{1} << 20;
    ReaderLimits limits;
    // The files are hex dumps (capture/hex_dump.h), of this link type; nothing: guessed for each packet.
    bool hex_dump = false;
    std::optional<LinkType> hex_link;
    HexDumpLimits hex_limits;
  };
  // "-" is standard input. Opens nothing yet.
  explicit FrameSource(std::vector<std::string> files);
  FrameSource(std::vector<std::string> files, const Options& options);
  ~FrameSource();

  // Fills `batch` (its memory is used again) with the next frames, at least one. False: no more. A file that cannot be opened, or
  // is no capture, is an error; the next call goes on with the file after it. A file that is cut or corrupt gives a fault, after
  // all frames before it, and the reading goes on with the next file.
  Expected<bool> Next(FrameBatch& batch);

  const std::vector<CaptureFault>& faults() const;
  std::uint64_t octets_read() const;   // of the files as they are stored; for a progress bar
  std::uint64_t octets_total() const;  // 0 where it is not known (standard input)
  std::uint64_t frames() const;
  // TLS key logs (NSS format) that stood in the pcapng files, so far as they were read. A pcapng file tells a session's keys
  // before its packets.
  const std::string& tls_secrets() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace glasspost::capture
