// TCP (RFC 9293) and UDP (RFC 768) headers.
#pragma once

#include "capture/checksum.h"
#include "capture/layers/walk.h"
#include "capture/tcp_options.h"

namespace glasspost::capture::layers {

inline constexpr std::size_t kTcpHeader = 20;
inline constexpr std::size_t kUdpHeader = 8;
inline constexpr std::uint16_t kTeredoPort = 3544, kVxlanPort = 4789, kVxlanGpePort = 4790, kGenevePort = 6081;
constexpr bool IsTunnelPort(std::uint16_t port) {
  return port == kVxlanPort || port == kVxlanGpePort || port == kGenevePort || port == kTeredoPort;
}

template <class V>
void DescribeChecksum(const Header<V>& header, Network ip, std::uint8_t protocol, Slice s, std::size_t at, Field status,
                      Field calculated) {
  ChecksumResult r;
  if (s.captured < at + 2) return;
  if (ip.checkable && s.captured == s.length) {
    const std::size_t n = ip.v6 ? 16 : 4;
    r = CheckTransport(Bytes(ip.source, n), Bytes(ip.destination(), n), protocol, Bytes(s.data, s.captured), at);
  }
  header.Derived(status, at, 2, static_cast<std::uint64_t>(r.status));
  if (r.known) header.Derived(calculated, at, 2, r.calculated);
}

template <class V>
void DescribeTcpOption(const Header<V>& h, TcpOptionKind kind, std::size_t at, std::size_t length) {
  const auto node = [&](Field field) {
    h.Node(field, at, length);
    h.Number(Field::kTcpOptionKind, at, 1);
    h.Number(Field::kTcpOptionLength, at + 1, 1);
  };
  if (kind == TcpOptionKind::kEndOfOptions || kind == TcpOptionKind::kNoOperation) {
    h.Node(kind == TcpOptionKind::kNoOperation ? Field::kTcpOptionNop : Field::kTcpOptionEol, at, 1);
    h.Number(Field::kTcpOptionKind, at, 1);
  } else if (kind == TcpOptionKind::kMaximumSegmentSize && length == 4) {
    node(Field::kTcpOptionMss);
    h.Number(Field::kTcpOptionMssValue, at + 2, 2);
  } else if (kind == TcpOptionKind::kWindowScale && length == 3) {
    node(Field::kTcpOptionWindowScale);
    h.Number(Field::kTcpOptionWindowShift, at + 2, 1);
  } else if (kind == TcpOptionKind::kSackPermitted && length == 2) {
    node(Field::kTcpOptionSackPermitted);
  } else if (kind == TcpOptionKind::kSack && length >= 10 && length % 8 == 2) {
    node(Field::kTcpOptionSack);
    for (std::size_t i = 2; i < length; i += 8) {
      h.Number(Field::kTcpOptionSackLeft, at + i, 4);
      h.Number(Field::kTcpOptionSackRight, at + i + 4, 4);
    }
  } else if (kind == TcpOptionKind::kTimestamps && length == 10) {
    node(Field::kTcpOptionTimestamp);
    h.Number(Field::kTcpOptionTimestampValue, at + 2, 4);
    h.Number(Field::kTcpOptionTimestampEcho, at + 6, 4);
  } else {
    node(Field::kTcpOptionUnknown);
    h.Raw(Field::kTcpOptionPayload, at + 2, length - 2);
  }
}

template <class V>
void DescribeTcp(Walk<V>& walk, Network ip, Slice s) {
  const std::size_t length = s.captured > 12 ? std::max<std::size_t>(kTcpHeader, s.data[12] >> 4 << 2) : kTcpHeader;
  const Header<V> h(walk, s, Field::kTcp, length);
  h.Number(Field::kTcpSourcePort, 0, 2);
  h.Number(Field::kTcpDestinationPort, 2, 2);
  h.Number(Field::kTcpSequence, 4, 4);
  h.Number(Field::kTcpAcknowledgement, 8, 4);
  h.Bits(Field::kTcpHeaderLength, 12, 1, 4, 0xf, 4);
  h.Bits(Field::kTcpFlags, 12, 2, 0, 0xfff);
  h.Bits(Field::kTcpFlagReserved, 12, 1, 1, 7);
  h.Bits(Field::kTcpFlagAe, 12, 1, 0, 1);
  static constexpr Field kFlags[] = {Field::kTcpFlagCwr,  Field::kTcpFlagEce,   Field::kTcpFlagUrg, Field::kTcpFlagAck,
                                     Field::kTcpFlagPush, Field::kTcpFlagReset, Field::kTcpFlagSyn, Field::kTcpFlagFin};
  for (int i = 0; i < 8; ++i) h.Bits(kFlags[i], 13, 1, 7 - i, 1);
  h.Number(Field::kTcpWindow, 14, 2);
  h.Number(Field::kTcpChecksum, 16, 2);
  DescribeChecksum(h, ip, kTcp, s, 16, Field::kTcpChecksumStatus, Field::kTcpChecksumCalculated);
  h.Number(Field::kTcpUrgentPointer, 18, 2);
  if (length == kTcpHeader || s.captured < kTcpHeader) return;
  h.Node(Field::kTcpOptions, kTcpHeader, length - kTcpHeader);
  ForEachTcpOption(Bytes(s.data, std::min<std::size_t>(s.captured, length)).subspan(kTcpHeader),
                   [&](TcpOptionKind kind, std::size_t at, std::size_t n) { DescribeTcpOption(h, kind, kTcpHeader + at, n); });
}

[[gnu::always_inline]] inline void FillPacket(Packet& p, const RawFrame& frame, Network ip, std::uint8_t transport, Slice s) {
  p.frame = frame.number;
  p.time = frame.time;
  p.source = ip.v6 ? Address::V6(ip.source) : Address::V4(ip.source);
  p.destination = ip.v6 ? Address::V6(ip.destination()) : Address::V4(ip.destination());
  p.source_port = Load16(s.data);
  p.destination_port = Load16(s.data + 2);
  p.transport = transport;
  p.ip_payload_length = static_cast<std::uint32_t>(s.length);
}

template <class V>
void FillFragments(Walk<V>& walk) {
  walk.packet.fragments = walk.fragments;
  walk.packet.fragment_overlap = walk.overlap;
}

// What TCP's header itself says of its length.
inline std::uint32_t TcpHeaderLength(const std::uint8_t* header) { return static_cast<std::uint32_t>(header[12] >> 4) * 4; }

// `length`: of the header, with its options.
[[gnu::always_inline]] inline void FillTcp(Packet& p, Slice s, std::uint32_t length) {
  const std::uint8_t* const h = s.data;
  const std::uint32_t here = std::min(length, s.captured);  // options may be cut; there is no payload then
  p.sequence = Load32(h + 4);
  p.acknowledgement = Load32(h + 8);
  p.flags = h[13];
  p.window = Load16(h + 14);
  p.options = h + kTcpHeader;
  p.options_length = static_cast<std::uint8_t>(here - kTcpHeader);
  p.payload = h + here;
  p.payload_length = s.length - length;
  p.captured_length = s.captured - here;
}

template <class V>
[[gnu::always_inline]] inline DecodeResult Tcp(Walk<V>& walk, Network ip, Slice s) {
  if constexpr (V::kWanted) DescribeTcp(walk, ip, s);
  if (s.captured < kTcpHeader) [[unlikely]]
    return DecodeResult::kTruncated;
  const std::uint32_t length = TcpHeaderLength(s.data);
  if (length < kTcpHeader || length > s.length) [[unlikely]]
    return DecodeResult::kTruncated;
  FillPacket(walk.packet, walk.frame, ip, kTcp, s);
  FillFragments(walk);
  FillTcp(walk.packet, s, length);
  if constexpr (V::kWanted)
    if (length <= s.captured) Rest(walk, Field::kTcpPayload, s.From(length));
  return DecodeResult::kPacket;
}

template <class V>
[[gnu::always_inline]] inline DecodeResult Udp(Walk<V>& walk, Network ip, Slice s) {
  const Header<V> header(walk, s, Field::kUdp, kUdpHeader);
  header.Number(Field::kUdpSourcePort, 0, 2);
  header.Number(Field::kUdpDestinationPort, 2, 2);
  header.Number(Field::kUdpLength, 4, 2);
  header.Number(Field::kUdpChecksum, 6, 2);
  if (s.captured < kUdpHeader) [[unlikely]]
    return DecodeResult::kTruncated;
  // The length says how much of the IP payload is the datagram; 0 (a jumbogram, RFC 2675 §4) and lies mean all of it.
  const std::size_t said = Load16(s.data + 4);
  const Slice datagram = said >= kUdpHeader && said <= s.length ? s.Claimed(said) : s;
  if constexpr (V::kWanted) {
    DescribeChecksum(header, ip, kUdp, datagram, 6, Field::kUdpChecksumStatus, Field::kUdpChecksumCalculated);
    Trailer(walk, s, datagram.length);
  }
  const Slice payload = datagram.From(kUdpHeader);
  const std::uint16_t from = Load16(s.data), to = Load16(s.data + 2);
  if (IsTunnelPort(to) || IsTunnelPort(from)) [[unlikely]] {  // some answer from the port, not to it
    DecodeResult inner{};
    if (UdpTunnel(walk, IsTunnelPort(to) ? to : from, payload, inner)) return inner;
  }
  FillPacket(walk.packet, walk.frame, ip, kUdp, s);
  FillFragments(walk);
  Packet& p = walk.packet;
  p.sequence = p.acknowledgement = 0;
  p.flags = 0;
  p.window = 0;
  p.options = nullptr;
  p.options_length = 0;
  p.payload = payload.data;
  p.payload_length = static_cast<std::uint32_t>(payload.length);
  p.captured_length = static_cast<std::uint32_t>(payload.captured);
  Rest(walk, Field::kUdpPayload, payload);
  return DecodeResult::kPacket;
}

template <class V>
[[gnu::always_inline]] inline DecodeResult Transport(Walk<V>& walk, Network ip, std::uint8_t protocol, Slice s) {
  if (protocol == kTcp) [[likely]]
    return Tcp(walk, ip, s);
  if (protocol == kUdp) return Udp(walk, ip, s);
  return Encapsulated(walk, ip, protocol, s);
}

template <class V>
[[gnu::noinline]] DecodeResult NestedTransport(Walk<V>& walk, Network ip, std::uint8_t protocol, Slice s) {
  return Transport(walk, ip, protocol, s);
}

}  // namespace glasspost::capture::layers
