// Reads the classic pcap format (draft-ietf-opsawg-pcap): both octet orders, microseconds and nanoseconds, and the form with the
// longer record header that old Linux distributions wrote ("modified", magic a1b2cd34).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/octets.h"
#include "capture/raw_frame.h"
#include "capture/reader.h"

namespace glasspost::capture {

class PcapReader {
 public:
  explicit PcapReader(const ReaderLimits& limits = {}) : limits_(limits) {}

  // Whether a file that begins with these octets is a pcap file; four are enough.
  static bool Recognizes(Bytes beginning);

  // Appends the whole records at the front of `octets` to `frames`, which point into `octets`; counts `number` on for each.
  ReaderProgress Parse(Bytes octets, std::uint64_t& number, std::vector<RawFrame>& frames);
  // The octets are at their end, and `rest` was not taken: a fault if that cuts a record or the file header.
  std::optional<ReaderFault> End(Bytes rest) const;

 private:
  enum class LengthOrder : std::uint8_t { kCapturedFirst, kWireFirst, kMaybeWireFirst };

  std::optional<ReaderFault> ParseHeader(Bytes header);
  template <bool kSwapped>
  ReaderProgress ParseRecords(Bytes octets, std::uint64_t& number, std::vector<RawFrame>& frames);
  std::uint32_t CapturedLength(std::uint32_t first, std::uint32_t second) const;

  ReaderLimits limits_;
  std::uint64_t offset_ = 0;  // octets consumed; 0: the file header was not read yet
  std::uint64_t records_ = 0;
  std::uint32_t record_header_ = 16;
  std::uint32_t fraction_ = 1000;  // nanoseconds in the unit of the record's second field
  LinkType link_{};
  LengthOrder length_order_ = LengthOrder::kCapturedFirst;
  bool swapped_ = false;
};

}  // namespace glasspost::capture
