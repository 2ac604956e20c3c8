// What the readers of capture files have in common. A reader does no I/O: it is given octets, takes whole records from their
// front as frames that are views into them, and says how many octets it took; the caller keeps the rest and gives it again with
// more behind it. How the octets are cut into calls makes no difference to the frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace glasspost::capture {

struct ReaderLimits {
  // Stops a forged length from holding memory. Capture programs write at most 262144 octets a packet; the rest is for captures
  // of other buses that lie in the same file.
  std::uint32_t packet_octets = std::uint32_t{16} << 20;
  // A pcapng block that is looked into: a packet and its options. Other blocks are skipped as they pass, whatever their length.
  std::uint32_t block_octets = (std::uint32_t{16} << 20) + (std::uint32_t{1} << 20);
  // Stops a pcapng section of interface descriptions only from growing a table for ever.
  std::size_t interfaces = 65536;
  // TLS key log text kept out of a pcapng file; what comes after it is dropped, and that is told.
  std::size_t secret_octets = std::size_t{16} << 20;
};

// Why a file cannot be read further. `offset`: of the record at fault, octets from the beginning of the file.
struct ReaderFault {
  std::uint64_t offset = 0;
  std::string what;
  std::string remedy;
  bool operator==(const ReaderFault&) const = default;
};

struct ReaderProgress {
  std::size_t consumed = 0;          // octets taken from the front; without a fault, more octets are wanted behind the rest
  std::optional<ReaderFault> fault;  // nothing more can be read; what came before it is in the frames
};

}  // namespace glasspost::capture
