// TCP options (RFC 9293 §3.1, RFC 7323, RFC 2018), as the handshake is told with them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/octets.h"

namespace glasspost::capture {

enum class TcpOptionKind : std::uint8_t {
  kEndOfOptions = 0,
  kNoOperation = 1,
  kMaximumSegmentSize = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
};

struct TcpOptions {
  struct Timestamps {
    std::uint32_t value = 0;
    std::uint32_t echo_reply = 0;
    bool operator==(const Timestamps&) const = default;
  };
  struct SackBlock {
    std::uint32_t left = 0, right = 0;
    bool operator==(const SackBlock&) const = default;
  };
  std::optional<std::uint16_t> maximum_segment_size;
  std::optional<std::uint8_t> window_scale;  // shift count as sent; RFC 7323 §2.3: more than 14 counts as 14
  std::optional<Timestamps> timestamps;
  bool sack_permitted = false;
  std::array<SackBlock, 4> sack{};  // 40 octets of options hold no more
  std::uint8_t sack_blocks = 0;
  bool malformed = false;  // an option's length is wrong, or the list is cut: what stands before it is told
};
// An option of a wrong length is left out. Of options given twice the first counts.
TcpOptions ParseTcpOptions(Bytes options);

// Calls f(kind, offset, length) for each option, no-operations and the end included; false where the list breaks off in the
// middle of an option or a length is below 2.
template <class F>
bool ForEachTcpOption(Bytes options, F&& f) {
  for (std::size_t i = 0; i < options.size();) {
    const auto kind = static_cast<TcpOptionKind>(options[i]);
    if (kind == TcpOptionKind::kEndOfOptions) {
      f(kind, i, std::size_t{1});
      return true;
    }
    if (kind == TcpOptionKind::kNoOperation) {
      f(kind, i++, std::size_t{1});
      continue;
    }
    if (options.size() - i < 2) return false;
    const std::size_t length = options[i + 1];
    if (length < 2 || length > options.size() - i) return false;
    f(kind, i, length);
    i += length;
  }
  return true;
}

}  // namespace glasspost::capture
