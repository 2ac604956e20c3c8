// IPv4 (RFC 791) and IPv6 (RFC 8200) with extension headers and fragments.
#pragma once

#include "capture/layers/transport.h"

namespace glasspost::capture::layers {

inline constexpr std::size_t kIpv4Header = 20;
inline constexpr std::size_t kIpv6Header = 40;
inline constexpr std::uint16_t kMoreFragments = 0x2000, kFragmentOffset = 0x1fff;

// Protocol numbers (https://www.iana.org/assignments/protocol-numbers).
inline constexpr std::uint8_t kHopByHop = 0, kIcmpProtocol = 1, kIpInIp = 4, kIpv6InIp = 41, kRouting = 43, kFragmentHeader = 44,
                              kGreProtocol = 47, kAuthentication = 51, kIcmpv6Protocol = 58, kNoNextHeader = 59,
                              kDestinationOptions = 60, kMobility = 135, kMplsInIp = 137, kHostIdentity = 139, kShim6 = 140;

// A loose or strict source route (RFC 791 §3.1) puts another destination into the pseudo-header.
inline bool HasSourceRoute(Bytes options) {
  constexpr std::uint8_t kLoose = 131, kStrict = 137;
  for (std::size_t i = 0; i < options.size() && options[i] != 0;) {
    if (options[i] == kLoose || options[i] == kStrict) return true;
    if (options[i] == 1) {
      ++i;
      continue;
    }
    if (options.size() - i < 2 || options[i + 1] < 2) return false;
    i += options[i + 1];
  }
  return false;
}

template <class V>
void DescribeIpv4(Walk<V>& walk, Slice s) {
  const std::size_t length = s.captured > 0 ? std::max<std::size_t>(kIpv4Header, (s.data[0] & 0xf) * 4u) : kIpv4Header;
  const Header<V> h(walk, s, Field::kIp, length);
  h.Bits(Field::kIpVersion, 0, 1, 4, 0xf);
  h.Bits(Field::kIpHeaderLength, 0, 1, 0, 0xf, 4);
  h.Number(Field::kIpDsField, 1, 1);
  h.Bits(Field::kIpDscp, 1, 1, 2, 0x3f);
  h.Bits(Field::kIpEcn, 1, 1, 0, 3);
  h.Number(Field::kIpLength, 2, 2);
  h.Number(Field::kIpId, 4, 2);
  h.Bits(Field::kIpFlags, 6, 1, 5, 7);
  h.Bits(Field::kIpReservedFlag, 6, 1, 7, 1);
  h.Bits(Field::kIpDontFragment, 6, 1, 6, 1);
  h.Bits(Field::kIpMoreFragments, 6, 1, 5, 1);
  h.Bits(Field::kIpFragmentOffset, 6, 2, 0, kFragmentOffset, 8);
  h.Number(Field::kIpTtl, 8, 1);
  h.Number(Field::kIpProtocol, 9, 1);
  h.Number(Field::kIpChecksum, 10, 2);
  if (s.captured >= 12) {
    const ChecksumResult r = s.captured >= length ? CheckIpv4Header(Bytes(s.data, length)) : ChecksumResult{};
    h.Derived(Field::kIpChecksumStatus, 10, 2, static_cast<std::uint64_t>(r.status));
    if (r.known) h.Derived(Field::kIpChecksumCalculated, 10, 2, r.calculated);
  }
  h.Raw(Field::kIpSource, 12, 4);
  h.Raw(Field::kIpDestination, 16, 4);
  h.Raw(Field::kIpOptions, kIpv4Header, length - kIpv4Header);
  // As far as it is known already here: a header that is cut ends the descent.
  if (s.captured >= 4 && Load16(s.data + 2) >= length) Trailer(walk, s, Load16(s.data + 2));
}

// Adds a fragment to the table; the datagram that it completes goes on to its transport.
template <class V, class Next>
DecodeResult AddFragment(Walk<V>& walk, const FragmentKey& key, Fragment fragment, Next&& next) {
  fragment.time = walk.frame.time;
  Datagram whole;
  if (!walk.table->Add(key, fragment, whole)) return DecodeResult::kFragment;
  walk.fragments = std::max(walk.fragments, whole.fragments);
  walk.overlap = std::max<std::uint8_t>(walk.overlap, whole.conflict ? 2 : whole.overlap ? 1 : 0);
  const auto& octets = walk.memory->emplace_back(std::move(whole.octets));
  return next(whole.next, Slice{octets.data(), whole.captured, whole.length});
}

template <class V>
[[gnu::noinline]] DecodeResult Ipv4Fragment(Walk<V>& walk, Network ip, const std::uint8_t* header, Slice payload) {
  const std::uint16_t word = Load16(header + 6);
  const std::uint8_t protocol = header[9];
  if constexpr (V::kWanted) {
    ip.checkable = false;
    if ((word & kFragmentOffset) == 0) {
      NestedTransport(walk, ip, protocol, payload);
    } else {
      Rest(walk, Field::kIpFragment, payload);
    }
    return DecodeResult::kFragment;
  } else {
    const FragmentKey key{Address::V4(ip.source), Address::V4(ip.destination()), Load16(header + 4), protocol};
    const Fragment fragment{.data = payload.data,
                            .offset = (word & kFragmentOffset) * 8u,
                            .length = static_cast<std::uint32_t>(payload.length),
                            .captured = static_cast<std::uint32_t>(payload.captured),
                            .more = (word & kMoreFragments) != 0};
    return AddFragment(walk, key, fragment, [&](std::uint8_t, Slice s) { return NestedTransport(walk, ip, protocol, s); });
  }
}

template <class V>
[[gnu::always_inline]] inline DecodeResult Ipv4(Walk<V>& walk, Slice s) {
  if constexpr (V::kWanted) DescribeIpv4(walk, s);
  if (s.captured < kIpv4Header) [[unlikely]]
    return DecodeResult::kTruncated;
  const std::uint8_t* const h = s.data;
  const std::size_t length = (h[0] & 0xfu) * 4;
  std::size_t total = Load16(h + 2);
  // Captured before the network card cut it into segments, a packet may be longer than its field can say: it says 0.
  if (total == 0) [[unlikely]]
    total = s.length;
  if (h[0] >> 4 != 4 || length < kIpv4Header || total < length || s.captured < length) [[unlikely]]
    return DecodeResult::kTruncated;
  const Slice payload = s.Claimed(total).From(length);
  Network ip{h + 12, false};
  if constexpr (V::kWanted) ip.checkable = !HasSourceRoute(Bytes(h, length).subspan(kIpv4Header));
  if (Load16(h + 6) & (kMoreFragments | kFragmentOffset)) [[unlikely]]
    return Ipv4Fragment(walk, ip, h, payload);
  return Transport(walk, ip, h[9], payload);
}

template <class V>
[[gnu::always_inline]] inline DecodeResult Ipv6(Walk<V>& walk, Slice s) {
  const Header<V> header(walk, s, Field::kIpv6, kIpv6Header);
  header.Bits(Field::kIpv6Version, 0, 1, 4, 0xf);
  header.Bits(Field::kIpv6TrafficClass, 0, 2, 4, 0xff);
  header.Bits(Field::kIpv6Flow, 1, 3, 0, 0xfffff);
  header.Number(Field::kIpv6PayloadLength, 4, 2);
  header.Number(Field::kIpv6NextHeader, 6, 1);
  header.Number(Field::kIpv6HopLimit, 7, 1);
  header.Raw(Field::kIpv6Source, 8, 16);
  header.Raw(Field::kIpv6Destination, 24, 16);
  if constexpr (V::kWanted)
    if (s.captured >= 6 && Load16(s.data + 4) != 0) Trailer(walk, s, kIpv6Header + Load16(s.data + 4));
  if (s.captured < kIpv6Header || s.data[0] >> 4 != 6) [[unlikely]]
    return DecodeResult::kTruncated;
  const std::uint8_t* const h = s.data;
  const std::size_t said = Load16(h + 4);
  // 0: a jumbogram (RFC 2675 §3), or captured before the network card cut it into segments.
  const Slice payload = said == 0 ? s.From(kIpv6Header) : s.Claimed(kIpv6Header + said).From(kIpv6Header);
  const Network ip{h + 8, true};
  if (h[6] == kTcp || h[6] == kUdp) [[likely]]
    return Transport(walk, ip, h[6], payload);
  return Extensions(walk, ip, h[6], payload);
}

struct ExtensionFields {
  Field header, next, length;
};
inline ExtensionFields FieldsOfExtension(std::uint8_t kind) {
  switch (kind) {
    case kHopByHop:
      return {Field::kIpv6HopByHop, Field::kIpv6HopByHopNext, Field::kIpv6HopByHopLength};
    case kRouting:
      return {Field::kIpv6Routing, Field::kIpv6RoutingNext, Field::kIpv6RoutingLength};
    case kDestinationOptions:
      return {Field::kIpv6Destinations, Field::kIpv6DestinationsNext, Field::kIpv6DestinationsLength};
    default:
      return {Field::kIpv6OtherHeader, Field::kIpv6OtherHeaderNext, Field::kIpv6OtherHeaderLength};
  }
}

template <class V>
void DescribeExtension(Walk<V>& walk, std::uint8_t kind, Slice s, std::size_t length) {
  if (kind == kAuthentication) {
    const Header<V> h(walk, s, Field::kAh, length);
    h.Number(Field::kAhNext, 0, 1);
    h.Bits(Field::kAhLength, 1, 1, 0, 0xff);
    h.Number(Field::kAhReserved, 2, 2);
    h.Number(Field::kAhSpi, 4, 4);
    h.Number(Field::kAhSequence, 8, 4);
    if (length > 12) h.Raw(Field::kAhIcv, 12, length - 12);
    return;
  }
  const ExtensionFields fields = FieldsOfExtension(kind);
  const Header<V> h(walk, s, fields.header, length);
  h.Number(fields.next, 0, 1);
  if (s.captured > 1) h.Derived(fields.length, 1, 1, length);
  if (kind != kRouting) return;
  h.Number(Field::kIpv6RoutingType, 2, 1);
  h.Number(Field::kIpv6RoutingLeft, 3, 1);
}

// RFC 8200 §4.5. `s` begins with the fragment header.
template <class V>
[[gnu::noinline]] DecodeResult Ipv6Fragment(Walk<V>& walk, Network ip, Slice s) {
  constexpr std::size_t kLength = 8;
  const Header<V> h(walk, s, Field::kIpv6FragmentHeader, kLength);
  h.Number(Field::kIpv6FragmentNext, 0, 1);
  h.Number(Field::kIpv6FragmentReserved, 1, 1);
  h.Bits(Field::kIpv6FragmentOffset, 2, 2, 3, 0x1fff, 8);
  h.Bits(Field::kIpv6FragmentReservedBits, 3, 1, 1, 3);
  h.Bits(Field::kIpv6FragmentMore, 3, 1, 0, 1);
  h.Number(Field::kIpv6FragmentId, 4, 4);
  if (s.captured < kLength) return DecodeResult::kTruncated;
  const std::uint16_t word = Load16(s.data + 2);
  const std::uint32_t offset = word & 0xfff8u;
  const bool more = (word & 1) != 0;
  const std::uint8_t next = s.data[0];
  const Slice payload = s.From(kLength);
  if (offset == 0 && !more) return Extensions(walk, ip, next, payload);  // "atomic" (RFC 6946): alone and whole
  if constexpr (V::kWanted) {
    ip.checkable = false;
    if (offset == 0) {
      Extensions(walk, ip, next, payload);
    } else {
      Rest(walk, Field::kIpv6Fragment, payload);
    }
    return DecodeResult::kFragment;
  } else {
    const FragmentKey key{Address::V6(ip.source), Address::V6(ip.destination()), Load32(s.data + 4), 0};
    const Fragment fragment{.data = payload.data,
                            .offset = offset,
                            .length = static_cast<std::uint32_t>(payload.length),
                            .captured = static_cast<std::uint32_t>(payload.captured),
                            .more = more,
                            .next = next};
    return AddFragment(walk, key, fragment, [&](std::uint8_t first, Slice whole) { return Extensions(walk, ip, first, whole); });
  }
}

template <class V>
[[gnu::noinline]] DecodeResult Extensions(Walk<V>& walk, Network ip, std::uint8_t next, Slice s) {
  if (!Enter(walk)) return DecodeResult::kOther;
  for (int i = 0; i < LayerLimits::kExtensionHeaders; ++i) {
    std::size_t unit = 8, more = 1;
    switch (next) {
      case kHopByHop:
      case kRouting:
      case kDestinationOptions:
      case kMobility:
      case kHostIdentity:
      case kShim6:
        break;
      case kAuthentication:  // RFC 4302 §2.2: in words of 4 octets, less 2
        unit = 4, more = 2;
        break;
      case kFragmentHeader:
        return Ipv6Fragment(walk, ip, s);
      default:
        return NestedTransport(walk, ip, next, s);
    }
    const std::size_t length = s.captured > 1 ? (s.data[1] + more) * unit : 8;
    if constexpr (V::kWanted) DescribeExtension(walk, next, s, length);
    if (s.captured < 8 || s.captured < length) return DecodeResult::kTruncated;
    if (next == kRouting && s.data[3] != 0) ip.checkable = false;
    next = s.data[0];
    s = s.From(length);
  }
  return DecodeResult::kOther;
}

template <class V>
[[gnu::noinline]] DecodeResult NestedIpv4(Walk<V>& walk, Slice s) {
  return Enter(walk) ? Ipv4(walk, s) : DecodeResult::kOther;
}

template <class V>
[[gnu::noinline]] DecodeResult NestedIpv6(Walk<V>& walk, Slice s) {
  return Enter(walk) ? Ipv6(walk, s) : DecodeResult::kOther;
}

template <class V>
[[gnu::noinline]] DecodeResult NestedIp(Walk<V>& walk, Slice s) {
  if (s.captured == 0) return DecodeResult::kTruncated;
  switch (s.data[0] >> 4) {
    case 4:
      return NestedIpv4(walk, s);
    case 6:
      return NestedIpv6(walk, s);
    default:
      Rest(walk, Field::kData, s);
      return DecodeResult::kOther;
  }
}

}  // namespace glasspost::capture::layers
