// Writes the classic pcap format, in the machine's octet order and with nanoseconds, into a string: file header, then packets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/octets.h"
#include "base/origin.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

inline void AppendPcapHeader(std::string& out, LinkType link) {
  constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
  constexpr std::uint16_t kMajor = 2;
  constexpr std::uint16_t kMinor = 4;
  constexpr std::uint32_t kSnapLength = 262144;
  const auto append = [&](const auto& v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); };
  append(kNanoseconds);
  append(kMajor);
  append(kMinor);
  append(std::uint64_t{0});  // time zone and accuracy: nobody uses them
  append(kSnapLength);
  append(static_cast<std::uint32_t>(link));
}

// `time` must be of 1970 to 2106, all that the format can say; another is written as 1970.
inline void AppendPcapFrame(std::string& out, Timestamp time, Bytes octets, std::uint32_t wire_length) {
  constexpr Timestamp kSecond = 1'000'000'000;
  constexpr Timestamp kEnd = (Timestamp{1} << 32) * kSecond;
  if (time < 0 || time >= kEnd) time = 0;
  const auto append = [&](std::uint32_t v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); };
  append(static_cast<std::uint32_t>(time / kSecond));
  append(static_cast<std::uint32_t>(time % kSecond));
  append(static_cast<std::uint32_t>(octets.size()));
  append(std::max(wire_length, static_cast<std::uint32_t>(octets.size())));
  out.append(AsOctets(octets));
}

}  // namespace glasspost::capture
