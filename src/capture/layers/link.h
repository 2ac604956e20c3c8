// Link layers: Ethernet II and IEEE 802.3 with LLC and SNAP, 802.1Q tags, Linux cooked captures, BSD loopback, raw IP, PPP.
#pragma once

#include <limits>

#include "capture/layers/tunnel.h"

namespace glasspost::capture::layers {

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::uint16_t kSmallestType = 0x0600;  // IEEE 802.3 §3.2.6: below, the field is a length

// IEEE 802.2 logical link control, and SNAP.
template <class V>
[[gnu::noinline]] DecodeResult Llc(Walk<V>& walk, Slice s) {
  constexpr std::size_t kLength = 3, kSnap = 8;
  constexpr std::uint8_t kSnapSap = 0xaa, kIpSap = 0x06;
  const bool snap = s.captured >= 2 && s.data[0] == kSnapSap && s.data[1] == kSnapSap;
  const Header<V> h(walk, s, Field::kLlc, snap ? kSnap : kLength);
  h.Number(Field::kLlcDsap, 0, 1);
  h.Number(Field::kLlcSsap, 1, 1);
  h.Number(Field::kLlcControl, 2, 1);
  if (snap) h.Number(Field::kLlcOui, 3, 3), h.Number(Field::kLlcType, 6, 2);
  if (s.captured < (snap ? kSnap : kLength)) return DecodeResult::kTruncated;
  const std::uint32_t oui = snap ? Load32(s.data + 2) & 0xffffff : 0;
  if (snap && (oui == 0 || oui == 0xf8)) return NestedEtherType(walk, Load16(s.data + 6), s.From(kSnap));
  if (s.data[0] == kIpSap && s.data[1] == kIpSap) return NestedIpv4(walk, s.From(kLength));
  Rest(walk, Field::kData, s.From(snap ? kSnap : kLength));
  return DecodeResult::kOther;
}

constexpr bool IsVlan(std::uint16_t type) { return type == kTypeVlan || type == kTypeServiceVlan || type == kTypeOldQinQ; }

// Takes all tags off: `type` and `s` become what stands behind them. False if they are cut or too many.
template <class V>
[[gnu::noinline]] bool TakeTags(Walk<V>& walk, std::uint16_t& type, Slice& s, DecodeResult& result) {
  constexpr std::size_t kLength = 4;
  for (int tags = 0; IsVlan(type); ++tags) {
    result = DecodeResult::kOther;
    if (tags == LayerLimits::kVlanTags) return false;
    const Header<V> h(walk, s, Field::kVlan, kLength);
    h.Bits(Field::kVlanPriority, 0, 1, 5, 7);
    h.Bits(Field::kVlanDei, 0, 1, 4, 1);
    h.Bits(Field::kVlanId, 0, 2, 0, 0xfff);
    h.Number(Field::kVlanType, 2, 2);
    result = DecodeResult::kTruncated;
    if (s.captured < kLength) return false;
    type = Load16(s.data + 2);
    s = s.From(kLength);
  }
  return true;
}

template <class V>
[[gnu::noinline]] DecodeResult NestedEtherType(Walk<V>& walk, std::uint16_t type, Slice s) {
  if (!Enter(walk)) return DecodeResult::kOther;
  DecodeResult result{};
  if (!TakeTags(walk, type, s, result)) return result;
  switch (type) {
    case kTypeIpv4:
      return NestedIpv4(walk, s);
    case kTypeIpv6:
      return NestedIpv6(walk, s);
    case kTypeMpls:
    case kTypeMplsMulticast:
      return Mpls(walk, s);
    case kTypePppoe:
      return Pppoe(walk, s);
    case kTypeEthernet:
      return NestedEthernet(walk, s);
    case kTypePpp:
      return NestedPpp(walk, s);
    default:
      Rest(walk, Field::kData, s);
      return DecodeResult::kOther;
  }
}

template <class V>
[[gnu::noinline]] DecodeResult Ieee8023(Walk<V>& walk, std::uint16_t length, Slice s) {
  Trailer(walk, s, length);
  return Llc(walk, s.Claimed(length));
}

template <class V>
[[gnu::always_inline]] inline DecodeResult Ethernet(Walk<V>& walk, Slice s) {
  const Header<V> h(walk, s, Field::kEth, kEthernetHeader);
  h.Raw(Field::kEthDestination, 0, 6);
  h.Raw(Field::kEthSource, 6, 6);
  if constexpr (V::kWanted) {
    const bool is_length = s.captured >= kEthernetHeader && Load16(s.data + 12) < kSmallestType;
    h.Number(is_length ? Field::kEthLength : Field::kEthType, 12, 2);
    walk.ethernet = s.data;
  }
  if (s.captured < kEthernetHeader) [[unlikely]]
    return DecodeResult::kTruncated;
  std::uint16_t type = Load16(s.data + 12);
  Slice rest = s.From(kEthernetHeader);
  if (IsVlan(type)) [[unlikely]] {
    std::uint16_t inner = type;  // only these have an address: `type` and `rest` stay in registers
    Slice untagged = rest;
    DecodeResult result{};
    if (!TakeTags(walk, inner, untagged, result)) return result;
    type = inner;
    rest = untagged;
  }
  if (type == kTypeIpv4) [[likely]]
    return Ipv4(walk, rest);
  if (type == kTypeIpv6) return Ipv6(walk, rest);
  if (type < kSmallestType) return Ieee8023(walk, type, rest);
  return NestedEtherType(walk, type, rest);
}

template <class V>
[[gnu::noinline]] DecodeResult NestedEthernet(Walk<V>& walk, Slice s) {
  return Enter(walk) ? Ethernet(walk, s) : DecodeResult::kOther;
}

// Linux cooked captures (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and …_SLL2.html).
template <class V>
DecodeResult LinuxCooked(Walk<V>& walk, Slice s, bool version_2) {
  constexpr std::uint16_t kNetlink = 824, kNovell = 1, kLlcFrame = 4;
  const std::size_t length = version_2 ? 20 : 16;
  const std::size_t type_at = version_2 ? 0 : 14, hardware_at = version_2 ? 8 : 2;
  const Header<V> h(walk, s, Field::kSll, length);
  if (version_2) {
    h.Number(Field::kSllType, 0, 2);
    h.Number(Field::kSllReserved, 2, 2);
    h.Number(Field::kSllInterface, 4, 4);
    h.Number(Field::kSllHardwareType, 8, 2);
    h.Number(Field::kSllPacketType, 10, 1);
    h.Number(Field::kSllAddressLength, 11, 1);
    h.Raw(Field::kSllSource, 12, 8);
  } else {
    h.Number(Field::kSllPacketType, 0, 2);
    h.Number(Field::kSllHardwareType, 2, 2);
    h.Number(Field::kSllAddressLength, 4, 2);
    h.Raw(Field::kSllSource, 6, 8);
    h.Number(Field::kSllType, 14, 2);
  }
  if (s.captured < length) return DecodeResult::kTruncated;
  const std::uint16_t type = Load16(s.data + type_at);
  const Slice rest = s.From(length);
  if (type == kLlcFrame) return Llc(walk, rest);
  if (type == kNovell || Load16(s.data + hardware_at) == kNetlink) {
    Rest(walk, Field::kData, rest);
    return DecodeResult::kOther;
  }
  return NestedEtherType(walk, type, rest);
}

// BSD loopback: an address family in the byte order of the capturing host (LINKTYPE_NULL) or of the network (LINKTYPE_LOOP).
// Both orders are read: which host it was, the capture does not always say.
template <class V>
DecodeResult Loopback(Walk<V>& walk, Slice s) {
  constexpr std::size_t kLength = 4;
  std::uint32_t family = s.captured >= kLength ? LoadLittle<std::uint32_t>(s.data) : 0;
  if (family > 0xffff) family = SwapOctets(family);
  const Header<V> h(walk, s, Field::kNull, kLength);
  if (s.captured < kLength) return DecodeResult::kTruncated;
  h.Derived(Field::kNullFamily, 0, kLength, family);
  switch (family) {
    case 2:  // AF_INET everywhere
      return NestedIpv4(walk, s.From(kLength));
    case 10:  // AF_INET6 of Linux
    case 24:  // ... of NetBSD and OpenBSD
    case 28:  // ... of FreeBSD
    case 30:  // ... of Darwin
      return NestedIpv6(walk, s.From(kLength));
    default:
      Rest(walk, Field::kData, s.From(kLength));
      return DecodeResult::kOther;
  }
}

// LINKTYPE_PPP_HDLC: PPP in HDLC-like framing (RFC 1662), or Cisco HDLC, which begins with another address.
template <class V>
DecodeResult PppHdlc(Walk<V>& walk, Slice s) {
  constexpr std::uint8_t kUnicast = 0x0f, kMulticast = 0x8f;
  constexpr std::size_t kLength = 4;
  if (s.captured == 0) return DecodeResult::kTruncated;
  if (s.data[0] != kUnicast && s.data[0] != kMulticast) return NestedPpp(walk, s);
  const Header<V> h(walk, s, Field::kChdlc, kLength);
  h.Number(Field::kChdlcAddress, 0, 1);
  h.Number(Field::kChdlcControl, 1, 1);
  h.Number(Field::kChdlcProtocol, 2, 2);
  if (s.captured < kLength) return DecodeResult::kTruncated;
  return NestedEtherType(walk, Load16(s.data + 2), s.From(kLength));
}

// Every link type but Ethernet, which the fast path knows itself.
template <class V>
[[gnu::noinline]] DecodeResult OtherLink(Walk<V>& walk, Slice s) {
  switch (walk.frame.link) {
    case LinkType::kEthernet:
      return NestedEthernet(walk, s);
    case LinkType::kNull:
    case LinkType::kLoop:
      return Loopback(walk, s);
    case LinkType::kPpp:
      return NestedPpp(walk, s);
    case LinkType::kPppHdlc:
      return PppHdlc(walk, s);
    case LinkType::kPppEther:
      return Pppoe(walk, s);
    case LinkType::kRaw:
    case LinkType::kRawOld12:
    case LinkType::kRawOld14:
    case LinkType::kIpv4:
    case LinkType::kIpv6:
      return NestedIp(walk, s);
    case LinkType::kLinuxSll:
      return LinuxCooked(walk, s, false);
    case LinkType::kLinuxSll2:
      return LinuxCooked(walk, s, true);
  }
  Rest(walk, Field::kData, s);
  return DecodeResult::kUnknownLink;
}

// The whole frame.
inline Slice FrameSlice(const RawFrame& frame) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  const auto captured = static_cast<std::uint32_t>(std::min(frame.octets.size(), kMost));
  return {frame.octets.data(), captured, std::max(captured, frame.wire_length)};
}

}  // namespace glasspost::capture::layers
