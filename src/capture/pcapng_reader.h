// Reads pcapng (draft-ietf-opsawg-pcapng): both octet orders, any number of sections and interfaces. Packets come from Enhanced,
// Simple and the old Packet Blocks; TLS secrets of Decryption Secrets Blocks are kept; all other blocks are skipped as they pass.
// Section lengths are not used: many writers do not know them, and the blocks tell the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/octets.h"
#include "capture/raw_frame.h"
#include "capture/reader.h"
#include "capture/time_unit.h"

namespace glasspost::capture {

class PcapngReader {
 public:
  explicit PcapngReader(const ReaderLimits& limits = {}) : limits_(limits) {}

  // Whether a file that begins with these octets is a pcapng file; four are enough.
  static bool Recognizes(Bytes beginning);

  // As PcapReader's.
  ReaderProgress Parse(Bytes octets, std::uint64_t& number, std::vector<RawFrame>& frames);
  std::optional<ReaderFault> End(Bytes rest) const;

  // The TLS key logs (NSS format) of the blocks read so far, one after the other, each ended by a line end.
  const std::string& tls_secrets() const { return tls_secrets_; }
  // Some did not fit into ReaderLimits::secret_octets.
  bool tls_secrets_cut() const { return tls_secrets_cut_; }

 private:
  struct Interface {
    LinkType link{};
    std::uint32_t snap_length = 0;  // 0: none
    TimeUnit time;
  };
  struct Block {
    std::uint32_t type = 0;
    std::uint32_t length = 0;  // all of it, with both lengths and padding
  };
  using Fault = std::optional<ReaderFault>;

  // Nothing if `octets` do not hold the whole block header yet.
  std::optional<Block> ParseBlockHeader(Bytes octets, Fault& fault);
  Fault ParseBlock(const Block& block, Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames);
  Fault ParseSection(Bytes body);
  Fault ParseInterface(Bytes body);
  Fault ParseEnhanced(Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames);
  Fault ParseOldPacket(Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames);
  Fault ParseSimple(Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames);
  Fault AddFrame(std::uint32_t interface, std::uint64_t units, std::uint32_t wire, Bytes octets, std::uint32_t captured,
                 std::uint64_t& number, std::vector<RawFrame>& frames) const;
  Fault ParseSecrets(Bytes body);
  Fault Damaged(std::string what) const;

  std::uint16_t U16(const std::uint8_t* p) const {
    const auto v = LoadNative<std::uint16_t>(p);
    return swapped_ ? SwapOctets(v) : v;
  }
  std::uint32_t U32(const std::uint8_t* p) const {
    const auto v = LoadNative<std::uint32_t>(p);
    return swapped_ ? SwapOctets(v) : v;
  }

  ReaderLimits limits_;
  std::vector<Interface> interfaces_;  // of the section
  std::string tls_secrets_;
  std::uint64_t offset_ = 0;        // octets consumed
  std::uint64_t block_offset_ = 0;  // where the block that is being read begins
  std::uint64_t skip_ = 0;          // octets left of the body of a block that is skipped
  Block skipped_;                   // its length must stand behind it once more; length 0: no block is being skipped
  bool in_section_ = false;
  bool swapped_ = false;
  bool tls_secrets_cut_ = false;
};

}  // namespace glasspost::capture
