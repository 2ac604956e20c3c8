// Frames built by hand for tests, benchmarks and fuzz seeds, layer by layer from the inside: each function puts its header before
// the octets that it is given. Checksums are right.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "capture/checksum.h"
#include "capture/raw_frame.h"

namespace glasspost::test {

using FrameOctets = std::vector<std::uint8_t>;

inline FrameOctets Join(std::initializer_list<FrameOctets> parts) {
  FrameOctets all;
  for (const auto& p : parts) all.insert(all.end(), p.begin(), p.end());
  return all;
}
inline FrameOctets Text(std::string_view text) { return {text.begin(), text.end()}; }
inline FrameOctets Number16(std::uint32_t v) { return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)}; }
inline FrameOctets Number32(std::uint32_t v) { return Join({Number16(v >> 16), Number16(v & 0xffff)}); }
inline void Store16(FrameOctets& frame, std::size_t at, std::uint16_t v) {
  frame[at] = static_cast<std::uint8_t>(v >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(v);
}

// The two hosts of every frame built here.
inline const FrameOctets kClientV4 = {192, 0, 2, 1}, kServerV4 = {198, 51, 100, 25};
inline const FrameOctets kClientV6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
inline const FrameOctets kServerV6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25};

struct Segment {
  std::uint16_t source_port = 40000, destination_port = 25;
  std::uint32_t sequence = 1000, acknowledgement = 2000;
  std::uint8_t flags = 0x18;
  std::uint16_t window = 65535;
  FrameOctets options{};  // a multiple of 4 octets
  FrameOctets payload = Text("NOOP\r\n");
};

inline FrameOctets SetTransportChecksum(FrameOctets segment, std::uint8_t protocol, std::size_t at, bool v6) {
  const FrameOctets &from = v6 ? kClientV6 : kClientV4, &to = v6 ? kServerV6 : kServerV4;
  Store16(segment, at, capture::CheckTransport(from, to, protocol, segment, at).calculated);
  return segment;
}

inline FrameOctets Tcp(const Segment& s = {}, bool v6 = false) {
  const auto words = static_cast<std::uint8_t>((20 + s.options.size()) / 4);
  return SetTransportChecksum(Join({Number16(s.source_port),
                                    Number16(s.destination_port),
                                    Number32(s.sequence),
                                    Number32(s.acknowledgement),
                                    {static_cast<std::uint8_t>(words << 4), s.flags},
                                    Number16(s.window),
                                    Number16(0),
                                    Number16(0),
                                    s.options,
                                    s.payload}),
                              6, 16, v6);
}

inline FrameOctets Udp(std::uint16_t from, std::uint16_t to, const FrameOctets& payload, bool v6 = false) {
  return SetTransportChecksum(
      Join({Number16(from), Number16(to), Number16(static_cast<std::uint32_t>(8 + payload.size())), Number16(0), payload}), 17, 6,
      v6);
}

struct Ipv4Options {
  std::uint16_t id = 0x1234;
  std::uint16_t fragment = 0;  // flags and offset in units of 8 octets
  FrameOctets options{};       // a multiple of 4 octets
  int total = -1;              // total length, if not the true one
};

inline FrameOctets Ipv4(std::uint8_t protocol, const FrameOctets& payload, const Ipv4Options& o = {}) {
  const std::size_t header = 20 + o.options.size();
  const auto total = o.total >= 0 ? static_cast<std::uint32_t>(o.total) : static_cast<std::uint32_t>(header + payload.size());
  FrameOctets h = Join({{static_cast<std::uint8_t>(0x40 | header / 4), 0},
                        Number16(total),
                        Number16(o.id),
                        Number16(o.fragment),
                        {64, protocol},
                        Number16(0),
                        kClientV4,
                        kServerV4,
                        o.options});
  Store16(h, 10, capture::CheckIpv4Header(h).calculated);
  return Join({h, payload});
}

inline FrameOctets Ipv6(std::uint8_t next, const FrameOctets& payload, int length = -1) {
  const auto said = length >= 0 ? static_cast<std::uint32_t>(length) : static_cast<std::uint32_t>(payload.size());
  return Join({{0x60, 0, 0, 0}, Number16(said), {next, 64}, kClientV6, kServerV6, payload});
}

inline FrameOctets Ethernet(std::uint16_t type, const FrameOctets& payload) {
  return Join({{0x02, 0, 0, 0, 0, 0x25}, {0x02, 0, 0, 0, 0, 0x01}, Number16(type), payload});
}

// What follows the type 0x8100: the tag, the type behind it, the rest.
inline FrameOctets VlanTag(std::uint16_t id, std::uint16_t type, const FrameOctets& payload) {
  return Join({Number16(id), Number16(type), payload});
}

// A frame as a capture has it; `octets` must outlive it.
inline capture::RawFrame AsFrame(const FrameOctets& octets, capture::LinkType link = capture::LinkType::kEthernet,
                                 std::uint64_t number = 1, Timestamp time = 0) {
  return {
      .number = number, .time = time, .link = link, .wire_length = static_cast<std::uint32_t>(octets.size()), .octets = octets};
}

}  // namespace glasspost::test
