// What carries another frame or packet: PPP (RFC 1661), PPPoE (RFC 2516), MPLS (RFC 3032, RFC 4448), GRE (RFC 2784, RFC 2890,
// RFC 2637), ERSPAN, IP in IP (RFC 2003, RFC 4213), VXLAN (RFC 7348) and its GPE, GENEVE (RFC 8926), Teredo (RFC 4380). And ICMP.
#pragma once

#include <iterator>

#include "capture/layers/ip.h"

namespace glasspost::capture::layers {

inline constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86dd, kTypeVlan = 0x8100, kTypeServiceVlan = 0x88a8,
                               kTypeOldQinQ = 0x9100, kTypeMpls = 0x8847, kTypeMplsMulticast = 0x8848, kTypePppoe = 0x8864,
                               kTypeEthernet = 0x6558, kTypePpp = 0x880b, kTypeErspan = 0x88be, kTypeErspan3 = 0x22eb;

template <class V>
[[gnu::noinline]] DecodeResult NestedPpp(Walk<V>& walk, Slice s) {
  constexpr std::uint8_t kAllStations = 0xff, kUnnumbered = 0x03;
  if (!Enter(walk)) return DecodeResult::kOther;
  // RFC 1662 §3.1: address and control, unless compressed away; RFC 1661 §6.5: a protocol of one octet is odd.
  const std::size_t at = s.captured >= 2 && s.data[0] == kAllStations && s.data[1] == kUnnumbered ? 2 : 0;
  const std::size_t size = s.captured > at && (s.data[at] & 1) != 0 ? 1 : 2;
  const Header<V> h(walk, s, Field::kPpp, at + size);
  if (at > 0) h.Number(Field::kPppAddress, 0, 1), h.Number(Field::kPppControl, 1, 1);
  h.Number(Field::kPppProtocol, at, size);
  if (s.captured < at + size) return DecodeResult::kTruncated;
  const std::uint16_t protocol = size == 1 ? s.data[at] : Load16(s.data + at);
  const Slice rest = s.From(at + size);
  switch (protocol) {
    case 0x0021:
      return NestedIpv4(walk, rest);
    case 0x0057:
      return NestedIpv6(walk, rest);
    case 0x0281:
      return NestedEtherType(walk, kTypeMpls, rest);
    case 0x0283:
      return NestedEtherType(walk, kTypeMplsMulticast, rest);
    default:
      Rest(walk, Field::kData, rest);
      return DecodeResult::kOther;
  }
}

template <class V>
[[gnu::noinline]] DecodeResult Pppoe(Walk<V>& walk, Slice s) {
  constexpr std::size_t kLength = 6;
  const Header<V> h(walk, s, Field::kPppoe, kLength);
  h.Bits(Field::kPppoeVersion, 0, 1, 4, 0xf);
  h.Bits(Field::kPppoeType, 0, 1, 0, 0xf);
  h.Number(Field::kPppoeCode, 1, 1);
  h.Number(Field::kPppoeSession, 2, 2);
  h.Number(Field::kPppoeLength, 4, 2);
  if (s.captured < kLength) return DecodeResult::kTruncated;
  const std::size_t length = kLength + Load16(s.data + 4);
  Trailer(walk, s, length);
  const Slice rest = s.Claimed(length).From(kLength);
  if (s.data[1] == 0) return NestedPpp(walk, rest);
  Rest(walk, Field::kData, rest);  // discovery
  return DecodeResult::kOther;
}

// True if `s` can begin with an IP header: MPLS has no field that says what it carries.
inline bool LooksLikeIp(Slice s) {
  if (s.captured < kIpv4Header) return s.captured > 0 && s.data[0] == 0x45;
  if (s.data[0] >> 4 == 4) return (s.data[0] & 0xf) >= 5 && Load16(s.data + 2) <= s.length;
  return s.data[0] >> 4 == 6 && Load16(s.data + 4) + kIpv6Header <= s.length;
}

inline bool LooksLikeEthernet(Slice s) {
  constexpr std::size_t kTypeAt = 12;
  if (s.captured < kTypeAt + 2) return false;
  switch (Load16(s.data + kTypeAt)) {
    case kTypeIpv4:
    case kTypeIpv6:
    case kTypeVlan:
    case kTypeServiceVlan:
    case kTypeMpls:
    case kTypePppoe:
      return true;
    default:
      return false;
  }
}

template <class V>
[[gnu::noinline]] DecodeResult Mpls(Walk<V>& walk, Slice s) {
  constexpr std::size_t kLength = 4, kControlWord = 4;
  for (int labels = 0;; ++labels) {
    if (labels == LayerLimits::kMplsLabels) return DecodeResult::kOther;
    const Header<V> h(walk, s, Field::kMpls, kLength);
    h.Bits(Field::kMplsLabel, 0, 3, 4, 0xfffff);
    h.Bits(Field::kMplsExp, 2, 1, 1, 7);
    h.Bits(Field::kMplsBottom, 2, 1, 0, 1);
    h.Number(Field::kMplsTtl, 3, 1);
    if (s.captured < kLength) return DecodeResult::kTruncated;
    const bool bottom = (s.data[2] & 1) != 0;
    s = s.From(kLength);
    if (bottom) break;
  }
  if (LooksLikeIp(s)) return NestedIp(walk, s);
  // A pseudo-wire (RFC 4448 §4.6): a control word begins with a zero nibble.
  if (s.captured > kControlWord && s.data[0] >> 4 == 0 && LooksLikeEthernet(s.From(kControlWord))) {
    const Header<V> h(walk, s, Field::kPwControlWord, kControlWord);
    return NestedEthernet(walk, s.From(kControlWord));
  }
  if (LooksLikeEthernet(s)) return NestedEthernet(walk, s);
  Rest(walk, Field::kData, s);
  return s.captured < s.length && s.captured < kIpv4Header ? DecodeResult::kTruncated : DecodeResult::kOther;
}

// ERSPAN (draft-foschiano-erspan): type I has no header, II has 8 octets, III 12 and perhaps 8 more.
template <class V>
DecodeResult Erspan(Walk<V>& walk, std::uint16_t type, bool sequenced, Slice s) {
  if (type == kTypeErspan && !sequenced) return NestedEthernet(walk, s);
  std::size_t length = type == kTypeErspan ? 8 : 12;
  if (type == kTypeErspan3 && s.captured >= length && (s.data[11] & 1) != 0) length += 8;
  const Header<V> h(walk, s, Field::kErspan, length);
  h.Bits(Field::kErspanVersion, 0, 1, 4, 0xf);
  h.Bits(Field::kErspanVlan, 0, 2, 0, 0xfff);
  h.Bits(Field::kErspanSession, 2, 2, 0, 0x3ff);
  if (s.captured < length) return DecodeResult::kTruncated;
  return NestedEthernet(walk, s.From(length));
}

template <class V>
[[gnu::noinline]] DecodeResult Gre(Walk<V>& walk, Slice s) {
  constexpr std::uint16_t kChecksum = 0x8000, kRoutingPresent = 0x4000, kKey = 0x2000, kSequence = 0x1000, kAck = 0x0080;
  const std::uint16_t flags = s.captured >= 2 ? Load16(s.data) : 0;
  const bool with_ack = (flags & 7) == 1 && (flags & kAck) != 0;  // version 1: PPTP (RFC 2637 §4.1)
  const bool with_checksum = (flags & (kChecksum | kRoutingPresent)) != 0;
  const std::size_t key_at = with_checksum ? 8 : 4;
  const std::size_t sequence_at = key_at + (flags & kKey ? 4 : 0);
  const std::size_t ack_at = sequence_at + (flags & kSequence ? 4 : 0);
  const std::size_t length = ack_at + (with_ack ? 4 : 0);
  const Header<V> h(walk, s, Field::kGre, length);
  h.Number(Field::kGreFlags, 0, 2);
  h.Number(Field::kGreProtocol, 2, 2);
  if (with_checksum) h.Number(Field::kGreChecksum, 4, 2), h.Number(Field::kGreOffset, 6, 2);
  if (flags & kKey) h.Number(Field::kGreKey, key_at, 4);
  if (flags & kSequence) h.Number(Field::kGreSequence, sequence_at, 4);
  if (with_ack) h.Number(Field::kGreAcknowledgement, ack_at, 4);
  if (s.captured < length || s.captured < 4) return DecodeResult::kTruncated;
  const std::uint16_t type = Load16(s.data + 2);
  const Slice rest = s.From(length);
  if ((flags & kRoutingPresent) != 0 || (flags & 7) > 1) {  // source routes in GRE (RFC 1701) are not followed
    Rest(walk, Field::kData, rest);
    return DecodeResult::kOther;
  }
  if (type == kTypeErspan || type == kTypeErspan3) return Erspan(walk, type, (flags & kSequence) != 0, rest);
  return NestedEtherType(walk, type, rest);
}

// What routers and hosts say about packets; an error quotes the packet that it is about, as data.
template <class V>
[[gnu::noinline]] DecodeResult Icmp(Walk<V>& walk, bool v6, Slice s) {
  constexpr std::size_t kLength = 8;
  constexpr std::uint8_t kEchoReply = 0, kEcho = 8, kEcho6 = 128, kEchoReply6 = 129;
  const Header<V> h(walk, s, v6 ? Field::kIcmpv6 : Field::kIcmp, kLength);
  h.Number(v6 ? Field::kIcmpv6Type : Field::kIcmpType, 0, 1);
  h.Number(v6 ? Field::kIcmpv6Code : Field::kIcmpCode, 1, 1);
  h.Number(v6 ? Field::kIcmpv6Checksum : Field::kIcmpChecksum, 2, 2);
  const std::uint8_t type = s.captured > 0 ? s.data[0] : kEcho;
  if (v6 ? type == kEcho6 || type == kEchoReply6 : type == kEcho || type == kEchoReply) {
    h.Number(v6 ? Field::kIcmpv6Identifier : Field::kIcmpIdentifier, 4, 2);
    h.Number(v6 ? Field::kIcmpv6Sequence : Field::kIcmpSequence, 6, 2);
  } else {
    h.Raw(v6 ? Field::kIcmpv6Reserved : Field::kIcmpUnused, 4, 4);
  }
  if (s.captured >= kLength) Rest(walk, Field::kData, s.From(kLength));
  return DecodeResult::kOther;
}

template <class V>
[[gnu::noinline]] DecodeResult Encapsulated(Walk<V>& walk, Network ip, std::uint8_t protocol, Slice s) {
  if (!Enter(walk)) return DecodeResult::kOther;
  switch (protocol) {
    case kIpInIp:
      return NestedIpv4(walk, s);
    case kIpv6InIp:
      return NestedIpv6(walk, s);
    case kGreProtocol:
      return Gre(walk, s);
    case kMplsInIp:
      return Mpls(walk, s);
    case kAuthentication:
      return Extensions(walk, ip, protocol, s);
    case kIcmpProtocol:
    case kIcmpv6Protocol:
      if constexpr (V::kWanted)
        if ((protocol == kIcmpv6Protocol) == ip.v6) return Icmp(walk, ip.v6, s);
      [[fallthrough]];
    default:
      Rest(walk, Field::kData, s);
      return DecodeResult::kOther;
  }
}

template <class V>
bool Vxlan(Walk<V>& walk, Slice s, DecodeResult& result) {
  constexpr std::size_t kLength = 8;
  constexpr std::uint8_t kVni = 0x08, kGroupPolicy = 0x80;
  if (s.captured < kLength || (s.data[0] & ~kGroupPolicy) != kVni || s.data[7] != 0) return false;
  const Header<V> h(walk, s, Field::kVxlan, kLength);
  h.Number(Field::kVxlanFlags, 0, 2);
  h.Number(Field::kVxlanVni, 4, 3);
  result = NestedEthernet(walk, s.From(kLength));
  return true;
}

// VXLAN with the generic protocol extension (draft-ietf-nvo3-vxlan-gpe): the protocol stands before the network identifier.
template <class V>
bool VxlanGpe(Walk<V>& walk, Slice s, DecodeResult& result) {
  constexpr std::size_t kLength = 8;
  constexpr std::uint8_t kVni = 0x08;
  static constexpr std::uint16_t kTypes[] = {0, kTypeIpv4, kTypeIpv6, kTypeEthernet, 0, kTypeMpls};
  if (s.captured < kLength || (s.data[0] & kVni) == 0 || s.data[1] != 0 || s.data[2] != 0 || s.data[7] != 0) return false;
  if (s.data[3] >= std::size(kTypes) || kTypes[s.data[3]] == 0) return false;
  const Header<V> h(walk, s, Field::kVxlan, kLength);
  h.Number(Field::kVxlanFlags, 0, 1);
  h.Number(Field::kVxlanNextProtocol, 3, 1);
  h.Number(Field::kVxlanVni, 4, 3);
  result = NestedEtherType(walk, kTypes[s.data[3]], s.From(kLength));
  return true;
}

template <class V>
bool Geneve(Walk<V>& walk, Slice s, DecodeResult& result) {
  constexpr std::size_t kLength = 8;
  if (s.captured < kLength || s.data[0] >> 6 != 0 || s.data[7] != 0) return false;
  const std::uint16_t type = Load16(s.data + 2);
  if (type != kTypeEthernet && type != kTypeIpv4 && type != kTypeIpv6 && type != kTypeMpls) return false;
  const std::size_t options = (s.data[0] & 0x3fu) * 4;
  const Header<V> h(walk, s, Field::kGeneve, kLength + options);
  h.Bits(Field::kGeneveVersion, 0, 1, 6, 3);
  h.Number(Field::kGeneveFlags, 1, 1);
  h.Number(Field::kGeneveProtocol, 2, 2);
  h.Number(Field::kGeneveVni, 4, 3);
  h.Raw(Field::kGeneveOptions, kLength, options);
  result = s.captured < kLength + options ? DecodeResult::kTruncated : NestedEtherType(walk, type, s.From(kLength + options));
  return true;
}

template <class V>
bool Teredo(Walk<V>& walk, Slice s, DecodeResult& result) {
  constexpr std::size_t kOrigin = 8, kAuthenticationFixed = 13;
  Slice rest = s;
  std::size_t authentication = 0, origin = 0;
  if (rest.captured >= 4 && rest.data[0] == 0 && rest.data[1] == 1) {  // RFC 4380 §5.1.1
    authentication = kAuthenticationFixed + rest.data[2] + rest.data[3];
    if (rest.captured < authentication) return false;
    rest = rest.From(authentication);
  }
  if (rest.captured >= kOrigin && rest.data[0] == 0 && rest.data[1] == 0) {
    origin = kOrigin;
    rest = rest.From(origin);
  }
  if (rest.captured < kIpv6Header || rest.data[0] >> 4 != 6 || Load16(rest.data + 4) + kIpv6Header != rest.length) return false;
  const Header<V> h(walk, s, Field::kTeredo, authentication + origin);
  h.Node(Field::kTeredoAuthentication, 0, authentication);
  h.Node(Field::kTeredoOrigin, authentication, origin);
  result = NestedIpv6(walk, rest);
  return true;
}

template <class V>
[[gnu::noinline]] bool UdpTunnel(Walk<V>& walk, std::uint16_t port, Slice payload, DecodeResult& result) {
  if (!Enter(walk)) return false;
  switch (port) {
    case kVxlanPort:
      return Vxlan(walk, payload, result);
    case kVxlanGpePort:
      return VxlanGpe(walk, payload, result);
    case kGenevePort:
      return Geneve(walk, payload, result);
    default:
      return Teredo(walk, payload, result);
  }
}

}  // namespace glasspost::capture::layers
