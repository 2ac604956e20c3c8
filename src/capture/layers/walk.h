// The descent from a frame to its TCP segment or UDP datagram: what every layer function is given. Each layer is one function
// template over the field visitor; the fast path (NoFields) and DescribeFrame run the same functions. A function reads only
// octets that are in the capture, and hands the rest to the next layer.
//
// A visitor with kWanted = true may also have Missing(Field, OctetRange): a field of a header that is wholly or partly behind
// the last octet that its layer has, by the capture or by the lengths that the headers before it gave.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/field.h"
#include "capture/decoder.h"
#include "capture/fragments.h"
#include "capture/packet.h"
#include "capture/raw_frame.h"

namespace glasspost::capture::layers {

struct LayerLimits {
  // Tunnels within tunnels. Stops a frame of headers only from costing more than its octets are worth, and bounds the stack.
  static constexpr int kDepth = 16;
  // VLAN tags on one frame. Stops a frame of tags only.
  static constexpr int kVlanTags = 8;
  // Labels on one MPLS stack. The same.
  static constexpr int kMplsLabels = 16;
  // IPv6 extension headers of one packet (RFC 8200 §4.1 has 7). The same.
  static constexpr int kExtensionHeaders = 16;
};

// The data of one layer: the octets that are here, and how many there would be if the capture held all of it. Small enough to go
// from function to function in two registers.
struct Slice {
  const std::uint8_t* data = nullptr;
  std::uint32_t captured = 0;
  std::uint32_t length = 0;  // at least `captured`

  // Without its first n octets; they are captured.
  Slice From(std::size_t n) const {
    const auto less = static_cast<std::uint32_t>(n);
    return {data + n, captured - less, length - less};
  }
  // Only what a header calls its own (below 2^17 in every protocol). A length beyond that of the layer below is believed: frames
  // are cut by tools that then count the cut frame as the whole.
  Slice Claimed(std::size_t n) const {
    const auto own = static_cast<std::uint32_t>(n);
    return {data, std::min(captured, own), own};
  }
};

// The network layer, as the transport layer needs it. Points into the frame.
struct Network {
  const std::uint8_t* source = nullptr;  // the destination follows it, in both versions
  bool v6 = false;
  // A checksum over the pseudo-header can be verified: no routing header stands before it, and the datagram is whole.
  bool checkable = true;

  const std::uint8_t* destination() const { return source + (v6 ? 16 : 4); }
};

struct Describing {
  std::size_t expected = 0;                // octets that the frame has by its own headers
  const std::uint8_t* ethernet = nullptr;  // where the innermost Ethernet frame begins, if the layer now read stands on one
};
struct NotDescribing {};

template <class V>
struct Walk : std::conditional_t<V::kWanted, Describing, NotDescribing> {
  Walk(V& v, const RawFrame& f, Packet& p, FragmentTable* t, std::vector<std::vector<std::uint8_t>>* m)
      : visitor(v), frame(f), packet(p), table(t), memory(m) {}

  V& visitor;
  const RawFrame& frame;
  Packet& packet;
  FragmentTable* table;  // none when describing: a frame is described as it is
  std::vector<std::vector<std::uint8_t>>* memory;
  int depth = 0;
  std::uint8_t fragments = 1;
  std::uint8_t overlap = 0;

  std::size_t OffsetOf(const std::uint8_t* p) const { return static_cast<std::size_t>(p - frame.octets.data()); }
};

// Reports the fields of one header, as far as the octets go.
template <class V>
class Header {
 public:
  // `name` is reported as the whole header of `length` octets.
  Header(Walk<V>& walk, Slice slice, Field name, std::size_t length) : walk_(walk), slice_(slice) {
    if constexpr (V::kWanted)
      walk.visitor(name, OctetRange{walk.OffsetOf(slice.data), std::min<std::size_t>(length, slice.captured)}, FieldValue{});
  }
  // A big-endian number of n octets (at most 8), or some of its bits.
  void Number(Field field, std::size_t at, std::size_t n) const { Bits(field, at, n, 0, ~std::uint64_t{0}); }
  void Bits(Field field, std::size_t at, std::size_t n, int shift, std::uint64_t mask, std::uint64_t unit = 1) const {
    if constexpr (V::kWanted) {
      if (!Here(field, at, n)) return;
      std::uint64_t v = 0;
      for (std::size_t i = 0; i < n; ++i) v = v << 8 | slice_.data[at + i];
      ReportNumber(walk_.visitor, field, Range(at, n), (v >> shift & mask) * unit, {shift, mask, unit});
    }
  }
  void Raw(Field field, std::size_t at, std::size_t n) const {
    if constexpr (V::kWanted) {
      if (n > 0 && Here(field, at, n)) walk_.visitor(field, Range(at, n), FieldValue{Bytes(slice_.data + at, n)});
    }
  }
  // A value that is not in the octets but follows from those of [at, at + n).
  void Derived(Field field, std::size_t at, std::size_t n, std::uint64_t value) const {
    if constexpr (V::kWanted) {
      if (at + n <= slice_.captured) walk_.visitor(field, Range(at, n), FieldValue{value});
    }
  }
  // Names a stretch (an option, a list of them) without a value.
  void Node(Field field, std::size_t at, std::size_t n) const {
    if constexpr (V::kWanted) {
      if (n > 0 && Here(field, at, n)) walk_.visitor(field, Range(at, n), FieldValue{});
    }
  }

 private:
  OctetRange Range(std::size_t at, std::size_t n) const { return {walk_.OffsetOf(slice_.data) + at, n}; }
  bool Here(Field field, std::size_t at, std::size_t n) const {
    if (at + n <= slice_.captured) return true;
    if constexpr (requires { walk_.visitor.Missing(field, OctetRange{}); }) walk_.visitor.Missing(field, Range(at, n));
    return false;
  }

  Walk<V>& walk_;
  Slice slice_;
};

// Reports what no layer function reads: payload, or data of a protocol that is not followed.
template <class V>
void Rest(Walk<V>& walk, Field field, Slice s) {
  if constexpr (V::kWanted) {
    const std::size_t at = walk.OffsetOf(s.data);
    if (s.captured > 0) walk.visitor(field, OctetRange{at, s.captured}, FieldValue{Bytes(s.data, s.captured)});
    if constexpr (requires { walk.visitor.Missing(field, OctetRange{}); })
      if (s.length > s.captured) walk.visitor.Missing(field, OctetRange{at + s.captured, s.length - s.captured});
  }
}

// Reports the octets of `s` that lie behind the `length` which the header in it calls its own: Ethernet's padding up to its
// shortest frame (IEEE 802.3 §3.2.8: 60 octets without the check sequence), and a trailer.
template <class V>
void Trailer(Walk<V>& walk, Slice s, std::size_t length) {
  if constexpr (V::kWanted) {
    constexpr std::size_t kShortestFrame = 60;
    walk.expected = std::max(walk.expected, walk.OffsetOf(s.data) + length);
    const std::uint8_t* const frame = std::exchange(walk.ethernet, nullptr);  // what lies within has no share in it
    if (s.captured <= length) return;
    const std::uint8_t* at = s.data + length;
    const std::uint8_t* const end = s.data + s.captured;
    if (frame != nullptr && static_cast<std::size_t>(at - frame) < kShortestFrame) {
      const std::size_t n =
          std::min<std::size_t>(static_cast<std::size_t>(end - at), kShortestFrame - static_cast<std::size_t>(at - frame));
      walk.visitor(Field::kEthPadding, OctetRange{walk.OffsetOf(at), n}, FieldValue{Bytes(at, n)});
      at += n;
    }
    if (at == end) return;
    const auto n = static_cast<std::size_t>(end - at);
    walk.visitor(frame != nullptr ? Field::kEthTrailer : Field::kFrameTrailer, OctetRange{walk.OffsetOf(at), n},
                 FieldValue{Bytes(at, n)});
  }
}

// One tunnel deeper; false beyond the limit.
template <class V>
bool Enter(Walk<V>& walk) {
  return ++walk.depth <= LayerLimits::kDepth;
}

// The layers by name, out of line: where one stands within another in a place that the fast path does not go.
template <class V>
DecodeResult NestedEthernet(Walk<V>& walk, Slice s);
template <class V>
DecodeResult NestedEtherType(Walk<V>& walk, std::uint16_t type, Slice s);
template <class V>
DecodeResult NestedPpp(Walk<V>& walk, Slice s);
template <class V>
DecodeResult NestedIpv4(Walk<V>& walk, Slice s);
template <class V>
DecodeResult NestedIpv6(Walk<V>& walk, Slice s);
// By the version in the first octet: 4 or 6.
template <class V>
DecodeResult NestedIp(Walk<V>& walk, Slice s);
template <class V>
DecodeResult NestedTransport(Walk<V>& walk, Network ip, std::uint8_t protocol, Slice s);
// Protocols on IP that are neither TCP nor UDP: tunnels, the authentication header, others.
template <class V>
DecodeResult Encapsulated(Walk<V>& walk, Network ip, std::uint8_t protocol, Slice s);
// IPv6 extension headers (and IPv4's authentication header), then the transport.
template <class V>
DecodeResult Extensions(Walk<V>& walk, Network ip, std::uint8_t next, Slice s);
// Tunnels over UDP, known by port and by their header; true: `result` is theirs.
template <class V>
bool UdpTunnel(Walk<V>& walk, std::uint16_t port, Slice payload, DecodeResult& result);

}  // namespace glasspost::capture::layers
