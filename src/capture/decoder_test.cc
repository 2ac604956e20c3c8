#include "capture/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "capture/describe.h"
#include "support/frame_builder.h"

namespace glasspost::capture {
namespace {

using namespace test;

constexpr int kMaxDepth = layers::LayerLimits::kDepth;

struct Decoded {
  DecodeResult result{};
  Packet packet;
  std::vector<std::vector<std::uint8_t>> memory;
};

Decoded Decode(const RawFrame& frame) {
  Decoder decoder;
  Decoded d;
  d.result = decoder.Decode(frame, d.packet, d.memory);
  return d;
}

// A way to carry one IP packet, and the name of it.
struct Carriage {
  const char* name;
  LinkType link;
  FrameOctets octets;
  bool v6 = false;
};

FrameOctets Gre(std::uint16_t flags, std::uint16_t type, const FrameOctets& optional, const FrameOctets& payload) {
  return Join({Number16(flags), Number16(type), optional, payload});
}

FrameOctets Sll2(std::uint16_t type, const FrameOctets& payload) {
  return Join({Number16(type), Number16(0), Number32(3), Number16(1), {0, 6}, {2, 0, 0, 0, 0, 1, 0, 0}, payload});
}

const FrameOctets& Inner4() {
  static const FrameOctets kPacket = Ipv4(6, Tcp());
  return kPacket;
}
const FrameOctets& Inner6() {
  static const FrameOctets kPacket = Ipv6(6, Tcp({}, true));
  return kPacket;
}
FrameOctets InEthernet() { return Ethernet(0x0800, Inner4()); }

std::vector<Carriage> Links() {
  const FrameOctets &p4 = Inner4(), &p6 = Inner6();
  const auto size = [](const FrameOctets& p, std::size_t more) { return static_cast<std::uint16_t>(p.size() + more); };
  const FrameOctets sll = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0};
  return {
      {"Ethernet II, IPv4", LinkType::kEthernet, InEthernet()},
      {"Ethernet II, IPv6", LinkType::kEthernet, Ethernet(0x86dd, p6), true},
      {"802.3, SNAP", LinkType::kEthernet, Ethernet(size(p4, 8), Join({{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, p4}))},
      {"802.3, LLC with IP's own point", LinkType::kEthernet, Ethernet(size(p4, 3), Join({{6, 6, 3}, p4}))},
      {"802.1Q", LinkType::kEthernet, Ethernet(0x8100, VlanTag(100, 0x0800, p4))},
      {"802.1Q, SNAP", LinkType::kEthernet,
       Ethernet(0x8100, VlanTag(100, size(p4, 8), Join({{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, p4})))},
      {"QinQ", LinkType::kEthernet, Ethernet(0x88a8, VlanTag(10, 0x8100, VlanTag(100, 0x86dd, p6))), true},
      {"old QinQ", LinkType::kEthernet, Ethernet(0x9100, VlanTag(10, 0x9100, VlanTag(100, 0x0800, p4)))},
      {"Linux cooked", LinkType::kLinuxSll, Join({sll, Number16(0x0800), p4})},
      {"Linux cooked, tagged", LinkType::kLinuxSll, Join({sll, Number16(0x8100), VlanTag(5, 0x86dd, p6)}), true},
      {"Linux cooked, LLC", LinkType::kLinuxSll, Join({sll, Number16(4), {0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, p4})},
      {"Linux cooked 2", LinkType::kLinuxSll2, Sll2(0x0800, p4)},
      {"Linux cooked 2, IPv6", LinkType::kLinuxSll2, Sll2(0x86dd, p6), true},
      {"NULL, little endian", LinkType::kNull, Join({{2, 0, 0, 0}, p4})},
      {"NULL, big endian", LinkType::kNull, Join({{0, 0, 0, 2}, p4})},
      {"NULL, NetBSD", LinkType::kNull, Join({{24, 0, 0, 0}, p6}), true},
      {"NULL, FreeBSD", LinkType::kNull, Join({{0, 0, 0, 28}, p6}), true},
      {"NULL, Darwin", LinkType::kNull, Join({{30, 0, 0, 0}, p6}), true},
      {"NULL, Linux", LinkType::kNull, Join({{10, 0, 0, 0}, p6}), true},
      {"LOOP", LinkType::kLoop, Join({{0, 0, 0, 2}, p4})},
      {"raw", LinkType::kRaw, p4},
      {"raw, IPv6", LinkType::kRaw, p6, true},
      {"raw 12", LinkType::kRawOld12, p4},
      {"raw 14", LinkType::kRawOld14, p6, true},
      {"IPv4", LinkType::kIpv4, p4},
      {"IPv6", LinkType::kIpv6, p6, true},
      {"PPP", LinkType::kPpp, Join({{0xff, 3, 0, 0x21}, p4})},
      {"PPP without address and control", LinkType::kPpp, Join({{0, 0x57}, p6}), true},
      {"PPP, compressed protocol", LinkType::kPpp, Join({{0x21}, p4})},
      {"PPP, MPLS", LinkType::kPpp, Join({{0xff, 3, 0x02, 0x81}, {0, 0, 0x11, 64}, p4})},
      {"PPP in HDLC", LinkType::kPppHdlc, Join({{0xff, 3, 0, 0x21}, p4})},
      {"Cisco HDLC", LinkType::kPppHdlc, Join({{0x0f, 0, 0x86, 0xdd}, p6}), true},
      {"PPPoE link", LinkType::kPppEther, Join({{0x11, 0, 0, 7}, Number16(size(p4, 2)), {0, 0x21}, p4})},
  };
}

std::vector<Carriage> Tunnels() {
  const FrameOctets &p4 = Inner4(), &p6 = Inner6(), e = InEthernet();
  const auto ethernet4 = [](std::uint8_t protocol, const FrameOctets& p) { return Ethernet(0x0800, Ipv4(protocol, p)); };
  const FrameOctets mpls = {0, 1, 0x10, 64, 0, 2, 0x11, 64};
  const FrameOctets pppoe = Join({{0x11, 0, 0, 7}, Number16(static_cast<std::uint16_t>(p4.size() + 2)), {0, 0x21}, p4});
  const FrameOctets vxlan = Join({{8, 0, 0, 0, 0, 0, 42, 0}, e});
  const FrameOctets geneve = Join({{0, 0, 0x65, 0x58, 0, 0, 42, 0}, e});
  const FrameOctets geneve_options = Join({{2, 0, 0x86, 0xdd, 0, 0, 42, 0}, {1, 2, 3, 1, 9, 9, 9, 9}, p6});
  constexpr auto kEth = LinkType::kEthernet;
  return {
      {"PPPoE", kEth, Ethernet(0x8864, pppoe)},
      {"MPLS", kEth, Ethernet(0x8847, Join({mpls, p4}))},
      {"MPLS, IPv6", kEth, Ethernet(0x8847, Join({mpls, p6})), true},
      {"MPLS, pseudo-wire", kEth, Ethernet(0x8848, Join({mpls, e}))},
      {"MPLS, pseudo-wire with control word", kEth, Ethernet(0x8847, Join({mpls, {0, 0, 0, 9}, e}))},
      {"MPLS in IP", kEth, ethernet4(137, Join({mpls, p4}))},
      {"GRE", kEth, ethernet4(47, Gre(0, 0x0800, {}, p4))},
      {"GRE, key", kEth, ethernet4(47, Gre(0x2000, 0x86dd, {1, 2, 3, 4}, p6)), true},
      {"GRE, checksum, key, sequence", kEth, ethernet4(47, Gre(0xb000, 0x0800, {0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 5}, p4))},
      {"GRE, Ethernet", kEth, ethernet4(47, Gre(0, 0x6558, {}, e))},
      {"GRE, MPLS", kEth, ethernet4(47, Gre(0, 0x8847, {}, Join({mpls, p4})))},
      {"GRE 1 (PPTP)", kEth, ethernet4(47, Gre(0x3081, 0x880b, {0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, Join({{0, 0x21}, p4})))},
      {"ERSPAN I", kEth, ethernet4(47, Gre(0, 0x88be, {}, e))},
      {"ERSPAN II", kEth, ethernet4(47, Gre(0x1000, 0x88be, {0, 0, 0, 1}, Join({{0x10, 1, 0, 1, 0, 0, 0, 0}, e})))},
      {"ERSPAN III", kEth, ethernet4(47, Gre(0x1000, 0x22eb, {0, 0, 0, 1}, Join({{0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, e})))},
      {"ERSPAN III, longer header", kEth,
       ethernet4(
           47, Gre(0x1000, 0x22eb, {0, 0, 0, 1}, Join({{0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, Number32(0), Number32(0), e})))},
      {"IP in IP", kEth, ethernet4(4, p4)},
      {"6in4", kEth, ethernet4(41, p6), true},
      {"4in6", kEth, Ethernet(0x86dd, Ipv6(4, p4))},
      {"6in6", kEth, Ethernet(0x86dd, Ipv6(41, p6)), true},
      {"VXLAN", kEth, ethernet4(17, Udp(50000, 4789, vxlan))},
      {"VXLAN, group policy", kEth, ethernet4(17, Udp(50000, 4789, Join({{0x88, 0, 0, 5, 0, 0, 42, 0}, e})))},
      {"VXLAN over IPv6", kEth, Ethernet(0x86dd, Ipv6(17, Udp(50000, 4789, vxlan, true)))},
      {"VXLAN-GPE", kEth, ethernet4(17, Udp(50000, 4790, Join({{0x0c, 0, 0, 1, 0, 0, 42, 0}, p4})))},
      {"VXLAN-GPE, Ethernet, from the port", kEth, ethernet4(17, Udp(4790, 50000, Join({{8, 0, 0, 3, 0, 0, 42, 0}, e})))},
      {"GENEVE, from the port", kEth, ethernet4(17, Udp(6081, 50000, geneve))},
      {"GENEVE", kEth, ethernet4(17, Udp(50000, 6081, geneve))},
      {"GENEVE, options", kEth, ethernet4(17, Udp(50000, 6081, geneve_options)), true},
      {"Teredo", kEth, ethernet4(17, Udp(50000, 3544, p6)), true},
      {"Teredo, authentication and origin", kEth,
       ethernet4(17, Udp(3544, 50000, Join({{0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0}, {0, 0, 1, 2, 3, 4, 5, 6}, p6}))), true},
  };
}

std::vector<Carriage> IpHeaders() {
  const FrameOctets t4 = Tcp(), t6 = Tcp({}, true);
  const auto raw6 = [](std::uint8_t next, const FrameOctets& p) { return Ipv6(next, p); };
  const FrameOctets ah = {0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
  FrameOctets ah6 = ah;
  ah6[0] = 6;
  return {
      {"IPv4 options", LinkType::kRaw, Ipv4(6, t4, {.options = {148, 4, 0, 0}})},
      {"AH over IPv4", LinkType::kRaw, Ipv4(51, Join({ah6, t4}))},
      {"hop by hop", LinkType::kRaw, raw6(0, Join({{6, 0, 1, 4, 0, 0, 0, 0}, t6})), true},
      {"hop by hop, destination, routing", LinkType::kRaw,
       raw6(0, Join({{60, 0, 1, 4, 0, 0, 0, 0}, {43, 0, 1, 4, 0, 0, 0, 0}, {6, 2, 4, 0, 0, 0, 0, 0}, kServerV6, t6})), true},
      {"AH", LinkType::kRaw, raw6(51, Join({ah6, t6})), true},
      {"mobility, host identity, shim6", LinkType::kRaw,
       raw6(135, Join({{139, 0, 0, 0, 0, 0, 0, 0}, {140, 0, 0, 0, 0, 0, 0, 0}, {6, 0, 0, 0, 0, 0, 0, 0}, t6})), true},
      {"atomic fragment", LinkType::kRaw, raw6(44, Join({{6, 0, 0, 0, 0, 0, 0, 9}, t6})), true},
  };
}

std::vector<Carriage> AllCarriages() {
  std::vector<Carriage> all = Links();
  for (const auto& more : {Tunnels(), IpHeaders()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

void ExpectInnerPacket(const Packet& p, bool v6) {
  EXPECT_EQ(p.source.Text(), v6 ? "2001:db8::1" : "192.0.2.1");
  EXPECT_EQ(p.destination.Text(), v6 ? "2001:db8::25" : "198.51.100.25");
  EXPECT_EQ(p.source_port, 40000);
  EXPECT_EQ(p.destination_port, 25);
  EXPECT_EQ(p.transport, kTcp);
  EXPECT_EQ(p.flags, kPsh | kAck);
  EXPECT_EQ(p.window, 65535);
  EXPECT_EQ(p.sequence, 1000u);
  EXPECT_EQ(p.acknowledgement, 2000u);
  EXPECT_EQ(p.ip_payload_length, 26u);
  EXPECT_EQ(p.payload_length, 6u);
  EXPECT_EQ(p.Payload(), "NOOP\r\n");
  EXPECT_EQ(p.options_length, 0);
  EXPECT_EQ(p.fragments, 1);
}

TEST(Decoder, FindsThePacketOnEveryLinkAndInEveryTunnel) {
  for (const Carriage& c : AllCarriages()) {
    SCOPED_TRACE(c.name);
    RawFrame frame = AsFrame(c.octets, c.link, 7, 99);
    const Decoded d = Decode(frame);
    ASSERT_EQ(d.result, DecodeResult::kPacket);
    EXPECT_EQ(d.packet.frame, 7u);
    EXPECT_EQ(d.packet.time, 99);
    ExpectInnerPacket(d.packet, c.v6);
  }
}

// The describing pass goes the same way, reports all within the frame, and finds all checksums right.
TEST(Decoder, DescribesWhatItDecodes) {
  for (const Carriage& c : AllCarriages()) {
    SCOPED_TRACE(c.name);
    FieldList list;
    const FrameDescription d = DescribeFrame(AsFrame(c.octets, c.link), list);
    ASSERT_EQ(d.result, DecodeResult::kPacket);
    ExpectInnerPacket(d.packet, c.v6);
    EXPECT_EQ(d.expected, c.octets.size());
    std::vector<bool> told(c.octets.size());
    for (const auto& e : list.entries) {
      EXPECT_FALSE(e.missing) << Info(e.field).abbreviation;
      ASSERT_LE(e.range.offset + e.range.length, c.octets.size());
      if (e.field == Field::kTcpChecksumStatus || e.field == Field::kIpChecksumStatus) {
        EXPECT_EQ(std::get<std::uint64_t>(e.value), 1u) << Info(e.field).abbreviation;
      }
      if (e.field == Field::kFrameNumber || e.field == Field::kFrameLength || e.field == Field::kFrameCaptured) continue;
      for (std::size_t i = 0; i < e.range.length; ++i) told[e.range.offset + i] = true;
    }
    EXPECT_EQ(std::find(told.begin(), told.end(), false), told.end()) << "an octet is not described";
  }
}

// Cut at every octet, in memory of exactly that size: nothing beyond is read, and only what is there is told.
TEST(Decoder, LivesWithEveryCut) {
  for (const Carriage& c : AllCarriages()) {
    SCOPED_TRACE(c.name);
    for (std::size_t n = 0; n < c.octets.size(); ++n) {
      const auto cut = std::make_unique<std::uint8_t[]>(n);
      std::copy_n(c.octets.begin(), n, cut.get());
      RawFrame frame = AsFrame(c.octets, c.link);
      frame.octets = Bytes(cut.get(), n);
      const Decoded d = Decode(frame);
      if (n + 6 >= c.octets.size()) {
        ASSERT_EQ(d.result, DecodeResult::kPacket) << n;
        EXPECT_EQ(d.packet.payload_length, 6u);
        EXPECT_EQ(d.packet.captured_length, 6 - (c.octets.size() - n));
      } else {
        // A cut pseudo-wire or UDP tunnel is not always known as such.
        ASSERT_TRUE(d.result == DecodeResult::kTruncated || d.result == DecodeResult::kOther || d.packet.transport == kUdp) << n;
      }
      FieldList list;
      const FrameDescription told = DescribeFrame(frame, list);
      EXPECT_EQ(told.result, d.result) << n;
      EXPECT_EQ(told.captured, n);
      EXPECT_EQ(told.expected, c.octets.size());
      for (const auto& e : list.entries) {
        if (e.missing) {
          EXPECT_GT(e.range.offset + e.range.length, n);
        } else {
          EXPECT_LE(e.range.offset + e.range.length, n);
        }
      }
    }
  }
}

void ExpectSame(const Packet& a, const Packet& b) {
  const auto numbers = [](const Packet& p) {
    return std::tuple(p.frame, p.time, p.source_port, p.destination_port, p.transport, p.flags, p.window, p.sequence,
                      p.acknowledgement, p.ip_payload_length, p.payload_length, p.captured_length, p.options_length,
                      p.fragment_overlap, p.fragments);
  };
  EXPECT_EQ(numbers(a), numbers(b));
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.destination, b.destination);
  EXPECT_EQ(a.Payload(), b.Payload());
  EXPECT_EQ(AsOctets({a.options, a.options_length}), AsOctets({b.options, b.options_length}));
}

// Plain TCP on Ethernet is read at one go, the same behind a tag layer by layer: every value of every octet of the headers, in
// frames that are whole, padded, or cut.
TEST(Decoder, AtOneGoIsAsLayerByLayer) {
  const FrameOctets packet = Ipv4(6, Tcp({.options = {1, 1, 1, 1}}));
  const std::size_t headers = 20 + 24;
  for (const int more : {0, 6, -3}) {
    FrameOctets octets = packet;
    octets.resize(static_cast<std::size_t>(static_cast<int>(packet.size()) + more));
    for (std::size_t at = 0; at < headers; ++at) {
      const std::uint8_t before = octets[at];
      for (int value = 0; value < 256; ++value) {
        octets[at] = static_cast<std::uint8_t>(value);
        const FrameOctets plain = Ethernet(0x0800, octets);
        const FrameOctets tagged = Ethernet(0x8100, VlanTag(100, 0x0800, octets));
        RawFrame frame = AsFrame(plain), other_frame = AsFrame(tagged);
        if (more < 0) frame.wire_length += 3, other_frame.wire_length += 3;
        const Decoded one = Decode(frame), other = Decode(other_frame);
        ASSERT_EQ(one.result, other.result) << at << ": " << value;
        if (one.result == DecodeResult::kPacket) ExpectSame(one.packet, other.packet);
      }
      octets[at] = before;
    }
  }
}

TEST(Decoder, UnknownLinkIsSaid) {
  const FrameOctets octets = InEthernet();
  EXPECT_EQ(Decode(AsFrame(octets, static_cast<LinkType>(147))).result, DecodeResult::kUnknownLink);
}

TEST(Decoder, WhatNoMailTravelsInIsOther) {
  const FrameOctets arp = Ethernet(0x0806, FrameOctets(28)), icmp = Ethernet(0x0800, Ipv4(1, FrameOctets(8))),
                    discovery = Ethernet(0x8863, FrameOctets(20)), icmp6 = Ethernet(0x86dd, Ipv6(58, FrameOctets(8))),
                    none = Ethernet(0x86dd, Ipv6(59, {})), stp = Ethernet(38, Join({{0x42, 0x42, 3}, FrameOctets(35)})),
                    keepalive = Ethernet(0x0800, Ipv4(47, Number32(0)));
  for (const auto* f : {&arp, &icmp, &discovery, &icmp6, &none, &stp, &keepalive})
    EXPECT_EQ(Decode(AsFrame(*f)).result, DecodeResult::kOther);
}

TEST(Decoder, PaddingIsNoPayload) {
  const FrameOctets padded = Join({Ethernet(0x0800, Ipv4(6, Tcp({.payload = {}}))), FrameOctets(6)});
  const Decoded d = Decode(AsFrame(padded));
  ASSERT_EQ(d.result, DecodeResult::kPacket);
  EXPECT_EQ(d.packet.payload_length, 0u);
  EXPECT_EQ(d.packet.captured_length, 0u);
  FieldList list;
  DescribeFrame(AsFrame(padded), list);
  const auto found =
      std::find_if(list.entries.begin(), list.entries.end(), [](auto& e) { return e.field == Field::kEthPadding; });
  ASSERT_NE(found, list.entries.end());
  EXPECT_EQ(found->range, (OctetRange{54, 6}));
}

// Captured before the network card cut it: the length fields say 0.
TEST(Decoder, LengthZeroMeansWhatWasCaptured) {
  const FrameOctets v4 = Ethernet(0x0800, Ipv4(6, Tcp(), {.total = 0})), v6 = Ethernet(0x86dd, Ipv6(6, Tcp({}, true), 0));
  for (const auto* f : {&v4, &v6}) {
    const Decoded d = Decode(AsFrame(*f));
    ASSERT_EQ(d.result, DecodeResult::kPacket);
    EXPECT_EQ(d.packet.Payload(), "NOOP\r\n");
    EXPECT_EQ(d.packet.payload_length, 6u);
  }
}

// Tools cut frames and then count the cut frame as the whole: the IP header knows better.
TEST(Decoder, TheIpHeadersLengthIsBelievedOverTheFrames) {
  const FrameOctets whole = Ethernet(0x0800, Ipv4(6, Tcp()));
  const FrameOctets frame(whole.begin(), whole.end() - 4);
  const Decoded d = Decode(AsFrame(frame));
  ASSERT_EQ(d.result, DecodeResult::kPacket);
  EXPECT_EQ(d.packet.payload_length, 6u);
  EXPECT_EQ(d.packet.Payload(), "NO");
}

TEST(Decoder, LyingLengthsAreTruncated) {
  FrameOctets data_offset_4 = Ipv4(6, Tcp());
  data_offset_4[32] = 0x40;
  FrameOctets data_offset_beyond = Ipv4(6, Tcp());
  data_offset_beyond[32] = 0xf0;
  FrameOctets header_4 = Ipv4(6, Tcp());
  header_4[0] = 0x44;
  FrameOctets total_19 = Ipv4(6, Tcp(), {.total = 19});
  for (const auto& f : {data_offset_4, data_offset_beyond, header_4, total_19}) {
    const FrameOctets frame = Ethernet(0x0800, f);
    EXPECT_EQ(Decode(AsFrame(frame)).result, DecodeResult::kTruncated);
    FieldList list;
    EXPECT_EQ(DescribeFrame(AsFrame(frame), list).result, DecodeResult::kTruncated);
  }
}

TEST(Decoder, UdpLengthRulesWithinTheIpLength) {
  FrameOctets datagram = Udp(5353, 53, Text("query+tail"));
  Store16(datagram, 4, 8 + 5);
  const FrameOctets frame = Ethernet(0x0800, Ipv4(17, datagram));
  const Decoded d = Decode(AsFrame(frame));
  ASSERT_EQ(d.result, DecodeResult::kPacket);
  EXPECT_EQ(d.packet.transport, kUdp);
  EXPECT_EQ(d.packet.Payload(), "query");
  EXPECT_EQ(d.packet.ip_payload_length, 18u);
  for (const std::uint16_t lie : {0, 7, 9000}) {
    Store16(datagram, 4, lie);
    const FrameOctets other = Ethernet(0x0800, Ipv4(17, datagram));
    EXPECT_EQ(Decode(AsFrame(other)).packet.Payload(), "query+tail") << lie;
  }
}

// A port alone makes no tunnel.
TEST(Decoder, DatagramsOnTunnelPortsStayWhatTheyAre) {
  for (const std::uint16_t port : {4789, 4790, 6081, 3544}) {
    const FrameOctets frame = Ethernet(0x0800, Ipv4(17, Udp(53, port, Text("\x08\x01\x81\x80 an answer of DNS"))));
    const Decoded d = Decode(AsFrame(frame));
    ASSERT_EQ(d.result, DecodeResult::kPacket) << port;
    EXPECT_EQ(d.packet.destination_port, port);
    EXPECT_EQ(d.packet.captured_length, 21u);
  }
}

TEST(Decoder, WrongChecksumsAreNoReasonToDrop) {
  FrameOctets frame = Ethernet(0x0800, Ipv4(6, Tcp()));
  frame[24] ^= 0xff, frame[50] ^= 0xff;
  EXPECT_EQ(Decode(AsFrame(frame)).result, DecodeResult::kPacket);
}

TEST(Decoder, DepthIsBounded) {
  const auto nested = [](int tunnels) {
    FrameOctets p = Ipv4(6, Tcp());
    for (int i = 0; i < tunnels; ++i) p = Ipv4(4, p);
    return Ethernet(0x0800, p);
  };
  const int most = kMaxDepth / 2;  // IP in IP counts twice: as tunnel, and as the packet in it
  const FrameOctets limit = nested(most), beyond = nested(most + 1);
  EXPECT_EQ(Decode(AsFrame(limit)).result, DecodeResult::kPacket);
  EXPECT_EQ(Decode(AsFrame(beyond)).result, DecodeResult::kOther);
}

TEST(Decoder, TagsLabelsAndExtensionHeadersAreBounded) {
  using Limits = layers::LayerLimits;
  const auto tagged = [](int n) {
    FrameOctets p = VlanTag(1, 0x0800, Inner4());
    for (int i = 1; i < n; ++i) p = VlanTag(1, 0x8100, p);
    return Ethernet(0x8100, p);
  };
  const auto labelled = [](int n) {
    FrameOctets p = Join({{0, 0, 1, 64}, Inner4()});
    for (int i = 1; i < n; ++i) p = Join({{0, 0, 0, 64}, p});
    return Ethernet(0x8847, p);
  };
  const auto extended = [](int n) {
    FrameOctets p = Tcp({}, true);
    for (int i = 0; i < n; ++i) p = Join({{static_cast<std::uint8_t>(i == 0 ? 6 : 60), 0, 1, 4, 0, 0, 0, 0}, p});
    return Ethernet(0x86dd, Ipv6(60, p));
  };
  const std::pair<FrameOctets, FrameOctets> kCases[] = {
      {tagged(Limits::kVlanTags), tagged(Limits::kVlanTags + 1)},
      {labelled(Limits::kMplsLabels), labelled(Limits::kMplsLabels + 1)},
      {extended(Limits::kExtensionHeaders - 1), extended(Limits::kExtensionHeaders)},
  };
  for (const auto& [limit, beyond] : kCases) {
    EXPECT_EQ(Decode(AsFrame(limit)).result, DecodeResult::kPacket);
    EXPECT_EQ(Decode(AsFrame(beyond)).result, DecodeResult::kOther);
  }
}

TEST(Decoder, OptionsArePassedOn) {
  const FrameOctets frame = Ethernet(0x0800, Ipv4(6, Tcp({.options = {2, 4, 5, 0xb4}, .payload = {}})));
  const Decoded d = Decode(AsFrame(frame));
  ASSERT_EQ(d.packet.options_length, 4);
  EXPECT_EQ(ParseTcpOptions(Bytes(d.packet.options, 4)).maximum_segment_size, 1460);
}

}  // namespace
}  // namespace glasspost::capture
