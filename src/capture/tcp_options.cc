#include "capture/tcp_options.h"

namespace glasspost::capture {
namespace {

// True if the option is one of those known and of its right length.
bool TakeOption(TcpOptions& o, TcpOptionKind kind, const std::uint8_t* p, std::size_t length) {
  switch (kind) {
    case TcpOptionKind::kMaximumSegmentSize:
      if (length != 4) return false;
      if (!o.maximum_segment_size) o.maximum_segment_size = Load16(p + 2);
      return true;
    case TcpOptionKind::kWindowScale:
      if (length != 3) return false;
      if (!o.window_scale) o.window_scale = p[2];
      return true;
    case TcpOptionKind::kSackPermitted:
      if (length != 2) return false;
      o.sack_permitted = true;
      return true;
    case TcpOptionKind::kSack:
      if (length < 10 || (length - 2) % 8 != 0) return false;
      if (o.sack_blocks > 0) return true;
      for (std::size_t at = 2; at < length && o.sack_blocks < o.sack.size(); at += 8)
        o.sack[o.sack_blocks++] = {Load32(p + at), Load32(p + at + 4)};
      return true;
    case TcpOptionKind::kTimestamps:
      if (length != 10) return false;
      if (!o.timestamps) o.timestamps = {Load32(p + 2), Load32(p + 6)};
      return true;
    default:
      return true;  // padding, or none of those that the handshake is told with
  }
}

}  // namespace

TcpOptions ParseTcpOptions(Bytes options) {
  TcpOptions o;
  const bool whole = ForEachTcpOption(options, [&](TcpOptionKind kind, std::size_t at, std::size_t length) {
    if (!TakeOption(o, kind, options.data() + at, length)) o.malformed = true;
  });
  if (!whole) o.malformed = true;
  return o;
}

}  // namespace glasspost::capture
