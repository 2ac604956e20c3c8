#include "capture/craft/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "capture/checksum.h"
#include "capture/craft/message.h"
#include "capture/craft/value.h"
#include "capture/describe.h"
#include "capture/synthetic_ip.h"
#include "support/frame_builder.h"
#include "wire/dns/message.h"

namespace glasspost::capture {
namespace {

using namespace test;

CraftedFrame Taken(const FrameOctets& octets, LinkType link = LinkType::kEthernet) {
  RawFrame raw = AsFrame(octets);
  raw.link = link;
  return *CraftedFrame::Take(raw);
}

RawFrame Raw(const CraftedFrame& f) {
  return {.number = 1,
          .time = 0,
          .link = f.link(),
          .wire_length = static_cast<std::uint32_t>(f.octets().size()),
          .octets = AsBytes(f.octets())};
}

// The values of a field in the finished frame, as the decoder tells them.
std::vector<std::string> Values(const CraftedFrame& f, Field field) {
  FieldList list;
  DescribeFrame(Raw(f), list);
  std::vector<std::string> values;
  for (const auto& e : list.entries) {
    if (e.field != field || e.missing) continue;
    if (const auto* n = std::get_if<std::uint64_t>(&e.value)) values.push_back(std::to_string(*n));
    if (const auto* b = std::get_if<Bytes>(&e.value)) values.emplace_back(AsOctets(*b));
  }
  return values;
}

std::string Refused(CraftedFrame frame, const std::string& name, const std::string& value, std::size_t occurrence = 1) {
  const auto done = frame.Set({{name, occurrence, value}});
  return done ? "" : done.error().Text();
}

void ExpectGoodChecksums(const CraftedFrame& f) {
  for (const Field field : {Field::kIpChecksumStatus, Field::kTcpChecksumStatus, Field::kUdpChecksumStatus})
    for (const std::string& status : Values(f, field)) EXPECT_EQ(status, "1") << Info(field).abbreviation;
}

Endpoint At(std::uint8_t last, std::uint16_t port, bool v6 = false) {
  const std::uint8_t v4[4] = {192, 0, 2, last};
  const std::uint8_t six[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
  return {v6 ? Address::V6(six) : Address::V4(v4), port};
}

CraftedFrame Datagram(Octets payload, bool v6 = false) {
  const std::string frame = SyntheticUdp(At(1, 5000, v6), At(2, 53, v6), Direction::kToServer, 1, payload);
  CraftedFrame f = Taken(FrameOctets(frame.begin(), frame.end()));
  f.Speak({Protocol::kDns, Direction::kToServer, false});
  return f;
}

std::string Answer();

FrameOctets Segment4(const std::string& payload, FrameOctets options = {}) {
  Segment s;
  s.payload = Text(payload);
  s.options = std::move(options);
  return Ethernet(0x0800, Ipv4(kTcp, Tcp(s)));
}

// Every number of every header: to its largest, to 0, to 1. It lies there, and where no type or length on the way is changed by
// it
// (`plain`: none but Ethernet's) the decoder finds it.
void SetEveryNumber(const FrameOctets& octets, bool plain = true) {
  const CraftedFrame original = Taken(octets);
  std::size_t set = 0;
  std::map<Field, std::size_t> seen;
  for (const Place& place : original.Places()) {
    const std::size_t occurrence = ++seen[place.field];
    if (place.kind != PlaceKind::kNumber) continue;
    for (const std::uint64_t value : {LargestNumber(place), std::uint64_t{0}, place.number.unit}) {
      CraftedFrame f = original;
      const std::string name(Info(place.field).abbreviation);
      ASSERT_TRUE(f.Set({{name, occurrence, std::to_string(value)}})) << name;
      const auto finished = f.Finish();
      ASSERT_TRUE(finished) << name << ' ' << finished.error().Text();
      EXPECT_EQ(LoadNumber(f.octets().substr(place.range.offset), place), value) << name;
      ++set;
      // Below 0x600 a type is a length; an option of another kind or length is another option.
      if (!plain || place.field == Field::kEthType || place.field == Field::kTcpOptionKind ||
          place.field == Field::kTcpOptionLength)
        continue;
      const auto values = Values(f, place.field);
      ASSERT_GE(values.size(), occurrence) << name;
      EXPECT_EQ(values[occurrence - 1], std::to_string(value)) << name;
    }
    EXPECT_NE(
        Refused(original, std::string(Info(place.field).abbreviation), std::to_string(LargestNumber(place)) + "0", occurrence),
        "");
  }
  EXPECT_GT(set, plain ? 60u : 30u);
}

FrameOctets Icmp4() { return Ethernet(0x0800, Ipv4(1, {8, 0, 0, 0, 0, 7, 0, 9, 'p', 'i', 'n', 'g', '!'})); }
FrameOctets Icmp6() { return Ethernet(0x86dd, Ipv6(58, {128, 0, 0, 0, 0, 7, 0, 9, 'p', 'i', 'n', 'g', '!'})); }
FrameOctets Gre() { return Ethernet(0x0800, Ipv4(47, Join({{0x80, 0, 8, 0, 0, 0, 0, 0}, Ipv4(kTcp, Tcp())}))); }
FrameOctets Pppoe() {
  const FrameOctets ip = Ipv4(kTcp, Tcp());
  return Ethernet(0x8864, Join({{0x11, 0, 0, 1}, Number16(static_cast<std::uint32_t>(ip.size() + 2)), {0, 0x21}, ip}));
}

TEST(CraftedFrame, EveryNumberOfTcpOverIpv4) { SetEveryNumber(Segment4("NOOP\r\n", {2, 4, 5, 0xb4, 1, 3, 3, 7})); }
TEST(CraftedFrame, EveryNumberOfTcpOverIpv6) { SetEveryNumber(Ethernet(0x86dd, Ipv6(kTcp, Tcp({}, true)))); }

TEST(CraftedFrame, EveryNumberOfOtherLayers) {
  SetEveryNumber(Ethernet(0x8100, VlanTag(5, 0x0800, Ipv4(kTcp, Tcp()))), false);
  SetEveryNumber(Ethernet(0x8847, Join({{0, 1, 1, 64}, Ipv4(kTcp, Tcp())})), false);
  SetEveryNumber(Ethernet(0x86dd, Ipv6(44, Join({{kTcp, 0, 0, 0, 0, 0, 0, 1}, Tcp({}, true)}))), false);
  SetEveryNumber(Ethernet(0x86dd, Ipv6(43, Join({{kTcp, 0, 0, 0, 0, 0, 0, 0}, Tcp({}, true)}))), false);
  SetEveryNumber(Ethernet(0x0800, Ipv4(kUdp, Udp(5000, 5001, Text("x")))), false);
  for (const FrameOctets& octets : {Icmp4(), Icmp6(), Gre(), Pppoe()}) SetEveryNumber(octets, false);
}

TEST(CraftedFrame, ChecksumsOfIcmpAndGre) {
  CraftedFrame ping = Taken(Icmp4());
  ASSERT_TRUE(ping.Set({{"icmp.seq", 1, "77"}, {"data.data", 1, "other octets"}}));
  ASSERT_TRUE(ping.Finish());
  EXPECT_EQ(Fold(AddWords(0, AsBytes(ping.octets().substr(34)))), 0xffff);
  EXPECT_EQ(Values(ping, Field::kIpLength), std::vector<std::string>{std::to_string(20 + 8 + 12)});
  CraftedFrame ping6 = Taken(Icmp6());
  ASSERT_TRUE(ping6.Set({{"data.data", 1, "other octets"}}));
  ASSERT_TRUE(ping6.Finish());
  const Bytes all = AsBytes(ping6.octets());
  EXPECT_EQ(CheckTransport(all.subspan(22, 16), all.subspan(38, 16), 58, all.subspan(54), 2).status, ChecksumStatus::kGood);
  CraftedFrame tunnel = Taken(Gre());
  ASSERT_TRUE(tunnel.Set({{"tcp.payload", 1, "longer than it was"}}));
  ASSERT_TRUE(tunnel.Finish());
  EXPECT_EQ(Fold(AddWords(0, AsBytes(tunnel.octets().substr(34)))), 0xffff);
  ExpectGoodChecksums(tunnel);
  CraftedFrame ppp = Taken(Pppoe());
  ASSERT_TRUE(ppp.Set({{"tcp.payload", 1, "longer than it was"}}));
  ASSERT_TRUE(ppp.Finish());
  EXPECT_EQ(Values(ppp, Field::kPppoeLength), std::vector<std::string>{std::to_string(ppp.octets().size() - 20)});
}

TEST(CraftedFrame, WhatNobodyCanComputeStays) {
  // The first fragment of a datagram; UDP over IPv4 that says it has no checksum.
  CraftedFrame fragment = Taken(Segment4("NOOP\r\n"));
  ASSERT_TRUE(fragment.Set({{"ip.flags.mf", 1, "1"}}));
  ASSERT_TRUE(fragment.Finish());
  CraftedFrame again = Taken(FrameOctets(fragment.octets().begin(), fragment.octets().end()));
  ASSERT_TRUE(again.Set({{"tcp.seq", 1, "1"}}));
  ASSERT_TRUE(again.Finish());
  EXPECT_EQ(Values(again, Field::kTcpChecksum), Values(fragment, Field::kTcpChecksum));
  CraftedFrame none = Datagram(Answer());
  ASSERT_TRUE(none.Set({{"udp.checksum", 1, "0"}}));
  none = Taken(FrameOctets(none.octets().begin(), none.octets().end()));
  ASSERT_TRUE(none.Set({{"ip.ttl", 1, "1"}}));
  ASSERT_TRUE(none.Finish());
  EXPECT_EQ(Values(none, Field::kUdpChecksum), std::vector<std::string>{"0"});
}

TEST(CraftedFrame, NothingSetChangesNothing) {
  for (const FrameOctets& octets : {Segment4("NOOP\r\n"), Segment4(""), Ethernet(0x86dd, Ipv6(kTcp, Tcp({}, true)))}) {
    CraftedFrame f = Taken(octets);
    ASSERT_TRUE(f.Finish());
    EXPECT_EQ(AsBytes(f.octets()).size(), octets.size());
    EXPECT_TRUE(std::ranges::equal(AsBytes(f.octets()), octets));
  }
}

TEST(CraftedFrame, BitsLeaveTheirNeighboursAlone) {
  CraftedFrame f = Taken(Segment4("x"));
  ASSERT_TRUE(f.Set({{"tcp.flags.syn", 1, "1"}, {"ip.flags.df", 1, "0"}, {"ip.frag_offset", 1, "0"}, {"tcp.hdr_len", 1, "20"}}));
  ASSERT_TRUE(f.Finish());
  EXPECT_EQ(Values(f, Field::kTcpFlags), std::vector<std::string>{std::to_string(0x18 | 0x02)});
  ExpectGoodChecksums(f);
}

TEST(CraftedFrame, AddressesAndMacs) {
  CraftedFrame f = Taken(Segment4("x"));
  ASSERT_TRUE(f.Set({{"ip.src", 1, "10.1.2.3"}, {"eth.dst", 1, "02:0A:00:00:00:ff"}, {"ip.dst", 1, "hex:0a010204"}}));
  ASSERT_TRUE(f.Finish());
  EXPECT_EQ(f.octets().substr(0, 6), Octets("\x02\x0a\0\0\0\xff", 6));
  EXPECT_EQ(Values(f, Field::kIpDestination), std::vector<std::string>{std::string("\x0a\x01\x02\x04", 4)});
  ExpectGoodChecksums(f);
  EXPECT_NE(Refused(f, "ip.src", "10.1.2"), "");
  EXPECT_NE(Refused(f, "eth.src", "02:00:00:00:00"), "");
  EXPECT_NE(Refused(f, "ip.src", "hex:0a01020304"), "");
}

TEST(CraftedFrame, ALongerPayloadMovesTheTrailer) {
  FrameOctets octets = Segment4("");
  octets.resize(60, 0xee);  // Ethernet's padding
  CraftedFrame f = Taken(octets);
  ASSERT_TRUE(f.SetPayload("RSET\r\n"));
  ASSERT_TRUE(f.Finish());
  EXPECT_EQ(f.payload(), "RSET\r\n");
  EXPECT_EQ(Values(f, Field::kIpLength), std::vector<std::string>{"46"});
  EXPECT_EQ(Values(f, Field::kTcpPayload), std::vector<std::string>{"RSET\r\n"});
  EXPECT_EQ(f.octets().size(), 66u);
  EXPECT_EQ(f.octets().back(), '\xee');
  ExpectGoodChecksums(f);
}

TEST(CraftedFrame, OptionsComeAndGo) {
  CraftedFrame f = Taken(Segment4("NOOP\r\n"));
  ASSERT_TRUE(f.Set({{"tcp.options", 1, "hex:020405b4"}, {"ip.options", 1, "hex:01010101"}}));
  ASSERT_TRUE(f.Finish());
  EXPECT_EQ(Values(f, Field::kTcpHeaderLength), std::vector<std::string>{"24"});
  EXPECT_EQ(Values(f, Field::kIpHeaderLength), std::vector<std::string>{"24"});
  EXPECT_EQ(Values(f, Field::kTcpOptionMssValue), std::vector<std::string>{"1460"});
  EXPECT_EQ(Values(f, Field::kTcpPayload), std::vector<std::string>{"NOOP\r\n"});
  ExpectGoodChecksums(f);
  ASSERT_TRUE(f.Set({{"tcp.options", 1, "hex:"}}));
  EXPECT_NE(Refused(f, "tcp.options", "hex:010101"), "");
  EXPECT_EQ(Refused(f, "tcp.options", "hex:" + std::string(80, '0')), "");
  EXPECT_NE(Refused(f, "tcp.options", "hex:" + std::string(88, '0')), "");
}

TEST(CraftedFrame, WhatIsSetOrKeptIsNotComputed) {
  CraftedFrame f = Taken(Segment4("NOOP\r\n"));
  ASSERT_TRUE(f.Keep("tcp.checksum"));
  ASSERT_TRUE(f.Set({{"ip.len", 1, "1000"}, {"tcp.payload", 1, "QUIT\\r\\n\\x00"}}));
  const std::string before = Values(f, Field::kTcpChecksum).front();
  ASSERT_TRUE(f.Finish());
  EXPECT_EQ(Values(f, Field::kIpLength), std::vector<std::string>{"1000"});
  EXPECT_EQ(Values(f, Field::kTcpChecksum).front(), before);
  EXPECT_EQ(f.payload(), Octets("QUIT\r\n\0", 7));
  CraftedFrame all = Taken(Segment4("NOOP\r\n"));
  ASSERT_TRUE(all.Keep(""));
  ASSERT_TRUE(all.Set({{"tcp.payload", 1, "longer than it was"}}));
  ASSERT_TRUE(all.Finish());
  EXPECT_EQ(Values(all, Field::kIpLength), std::vector<std::string>{"46"});
  EXPECT_FALSE(all.Keep("ip.ttl"));
}

TEST(CraftedFrame, BoundsAtTheLimitAndOnePast) {
  CraftedFrame f = Taken(Segment4(""));
  const std::size_t most = 65'535 - 40;  // ip.len
  ASSERT_TRUE(f.SetPayload(std::string(most, 'x')));
  EXPECT_TRUE(f.Finish());
  ExpectGoodChecksums(f);
  ASSERT_TRUE(f.SetPayload(std::string(most + 1, 'x')));
  EXPECT_FALSE(f.Finish());
  const std::size_t room = CraftLimits::kFrame - f.octets().size() + f.payload().size();
  EXPECT_TRUE(f.SetPayload(std::string(room, 'x')));
  EXPECT_FALSE(f.SetPayload(std::string(room + 1, 'x')));
  EXPECT_TRUE(CraftedFrame::Take(AsFrame(FrameOctets(CraftLimits::kFrame))));
  EXPECT_FALSE(CraftedFrame::Take(AsFrame(FrameOctets(CraftLimits::kFrame + 1))));
  Place text;
  text.kind = PlaceKind::kText;
  text.elastic = true;
  EXPECT_TRUE(OctetsOf(text, std::string(CraftLimits::kValue, 'x')));
  EXPECT_FALSE(OctetsOf(text, std::string(CraftLimits::kValue + 1, 'x')));
}

TEST(CraftedFrame, Pop3AndSmtpAndImap) {
  struct Case {
    Protocol protocol;
    Direction direction;
    const char *payload, *field, *value, *made;
  };
  const Case cases[] = {
      {Protocol::kPop3, Direction::kToServer, "USER ada\r\n", "pop.request.parameter", "charles", "USER charles\r\n"},
      {Protocol::kPop3, Direction::kToServer, "USER ada\r\n", "pop.request.command", "PASS", "PASS ada\r\n"},
      {Protocol::kPop3, Direction::kToClient, "+OK hi\r\n", "pop.response.indicator", "-ERR", "-ERR hi\r\n"},
      {Protocol::kPop3, Direction::kToClient, "+OK\r\nSubject: a\r\n\r\nb\r\n.\r\n", "imf.subject", "long",
       "+OK\r\nSubject: long\r\n\r\nb\r\n.\r\n"},
      {Protocol::kSmtp, Direction::kToServer, "MAIL FROM:<a@b.test> SIZE=5\r\n", "smtp.path.domain", "c.test",
       "MAIL FROM:<a@c.test> SIZE=5\r\n"},
      {Protocol::kSmtp, Direction::kToServer, "MAIL FROM:<a@b.test> SIZE=5\r\n", "smtp.esmtp.value", "50",
       "MAIL FROM:<a@b.test> SIZE=50\r\n"},
      {Protocol::kSmtp, Direction::kToServer, "From: a@b.test\r\n\r\nhi\r\n", "imf.from", "c@d", "From: c@d\r\n\r\nhi\r\n"},
      {Protocol::kSmtp, Direction::kToClient, "250 2.0.0 ok\r\n", "smtp.response.code", "550", "550 2.0.0 ok\r\n"},
      {Protocol::kImap, Direction::kToServer, "a1 LOGIN b c\r\n", "imap.request", "d e", "a1 LOGIN d e\r\n"},
      {Protocol::kPop3, Direction::kToServer, "USER ada", "pop.request", "a\\r\\nb\\x00", "a\r\nb"},
  };
  for (const Case& c : cases) {
    CraftedFrame f = Taken(Segment4(c.payload));
    f.Speak({c.protocol, c.direction, true});
    const auto set = f.Set({{c.field, 1, c.value}});
    ASSERT_TRUE(set) << set.error().Text();
    ASSERT_TRUE(f.Finish());
    EXPECT_EQ(std::string(f.payload().data(), std::min(f.payload().size(), std::string(c.made).size())), c.made);
    ExpectGoodChecksums(f);
  }
}

std::string Answer() {
  dns::Message m;
  m.id = 7;
  m.flags = dns::kFlagQr;
  m.AddQuestion("example.test", dns::kTypeMx);
  std::string data;
  dns::ParseData(dns::kTypeMx, "10 mail.example.test.", data);
  m.AddRecord(dns::Section::kAnswer, "example.test", dns::kTypeMx, dns::kClassIn, 60, data);
  data.clear();
  dns::ParseData(dns::kTypeTxt, "\"hello\"", data);
  m.AddRecord(dns::Section::kAdditional, "example.test", dns::kTypeTxt, dns::kClassIn, 60, data);
  m.AddEdns(1232, true,
            Octets("\0\x0a\0\x08"
                   "cookie..",
                   12));
  std::string octets;
  dns::Encode(m, octets);
  return octets;
}

std::string Told(Octets message) {
  dns::Message m;
  dns::Decode(message, m);
  EXPECT_FALSE(m.malformed());
  std::string text;
  for (const dns::Question& q : m.questions) dns::AppendQuestionText(text, m, q), text += '\n';
  for (const dns::Record& r : m.records) dns::AppendRecordText(text, m, r), text += '\n';
  return text;
}

TEST(CraftedFrame, DnsNamesAndTextsOfOtherLengths) {
  for (const bool v6 : {false, true}) {
    CraftedFrame f = Datagram(Answer(), v6);
    ASSERT_TRUE(f.Set({{"dns.qry.name", 1, "another.example.test"},
                       {"dns.mx.mail_exchange", 1, "mx.another.example.test"},
                       {"dns.mx.preference", 1, "20"},
                       {"dns.txt", 1, "a longer text"},
                       {"dns.resp.ttl", 2, "3600"},
                       {"dns.flags.rcode", 1, "NXDOMAIN"},
                       {"dns.opt.cookie.client", 1, "12345678"},
                       {"dns.qry.type", 1, "TXT"}}));
    ASSERT_TRUE(f.Finish());
    const std::string told = Told(f.payload());
    EXPECT_NE(told.find("another.example.test. IN TXT"), std::string::npos) << told;
    EXPECT_NE(told.find("example.test. 60 IN MX 20 mx.another.example.test."), std::string::npos) << told;
    EXPECT_NE(told.find("3600 IN TXT \"a longer text\""), std::string::npos) << told;
    EXPECT_EQ(Values(f, Field::kUdpLength), std::vector<std::string>{std::to_string(f.payload().size() + 8)});
    ExpectGoodChecksums(f);
  }
}

TEST(CraftedFrame, DnsLabelsAndTheirLimits) {
  CraftedFrame f = Datagram(Answer());
  EXPECT_EQ(Refused(f, "dns.name.label", std::string(63, 'a')), "");
  EXPECT_NE(Refused(f, "dns.name.label", std::string(64, 'a')), "");
  EXPECT_EQ(Refused(f, "dns.txt", std::string(255, 'a')), "");
  EXPECT_NE(Refused(f, "dns.txt", std::string(256, 'a')), "");
  EXPECT_NE(Refused(f, "dns.qry.name", "a..b"), "");
  // The second record's owner is a pointer to the question; its exchange begins with a label of its own.
  ASSERT_TRUE(f.Set({{"dns.name.label", 3, "smtp"}}));
  EXPECT_NE(Told(f.payload()).find("MX 10 smtp.example.test."), std::string::npos) << Told(f.payload());
}

TEST(CraftedFrame, DnsOverTcpHasItsLength) {
  const std::string message = Answer();
  std::string payload{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())};
  payload += message;
  payload += payload;
  CraftedFrame f = Taken(Segment4(payload));
  f.Speak({Protocol::kDns, Direction::kToClient, true});
  ASSERT_TRUE(f.Set({{"dns.qry.name", 2, "second.test"}}));
  const std::size_t first = Load16(AsBytes(f.payload()).data());
  EXPECT_EQ(first, message.size());
  const std::size_t second = Load16(AsBytes(f.payload()).data() + 2 + first);
  EXPECT_EQ(f.payload().size(), 4 + first + second);
  EXPECT_NE(Told(f.payload().substr(4 + first)).find("second.test. IN MX"), std::string::npos);
  EXPECT_NE(Told(f.payload().substr(2, first)).find("example.test. IN MX"), std::string::npos);
}

TEST(CraftedFrame, ABrokenMessageKeepsItsLengths) {
  std::string broken = Answer();
  broken.resize(broken.size() - 3);
  CraftedFrame f = Datagram(broken);
  EXPECT_NE(Refused(f, "dns.qry.name", "a.test").find("broken"), std::string::npos);
  EXPECT_EQ(Refused(f, "dns.id", "9"), "");
}

TEST(CraftedFrame, TunnelsHaveLengthsWithinLengths) {
  const FrameOctets inner = Segment4("NOOP\r\n");
  const FrameOctets vxlan = Join({{0x08, 0, 0, 0, 0, 0, 7, 0}, inner});
  const std::string outer = SyntheticUdp(At(1, 5000), At(2, 4789), Direction::kToServer, 1, AsOctets(vxlan));
  CraftedFrame f = Taken(FrameOctets(outer.begin(), outer.end()));
  ASSERT_TRUE(f.Set({{"tcp.payload", 1, "a good deal longer than it was"}, {"ip.ttl", 2, "3"}, {"vxlan.vni", 1, "9"}}));
  ASSERT_TRUE(f.Finish());
  EXPECT_EQ(Values(f, Field::kTcpPayload), std::vector<std::string>{"a good deal longer than it was"});
  EXPECT_EQ(Values(f, Field::kIpTtl), (std::vector<std::string>{"64", "3"}));
  EXPECT_EQ(Values(f, Field::kUdpLength), std::vector<std::string>{std::to_string(f.octets().size() - 34)});
  ExpectGoodChecksums(f);
}

TEST(CraftedFrame, SaysWhatIsWrong) {
  const CraftedFrame f = Taken(Segment4("NOOP\r\n"));
  EXPECT_NE(Refused(f, "tcp.flag.syn", "1").find("tcp.flags.syn"), std::string::npos);
  EXPECT_NE(Refused(f, "udp.length", "1").find("Transmission Control Protocol"), std::string::npos);
  EXPECT_NE(Refused(f, "ip.ttl", "256").find("from 0 to 255"), std::string::npos);
  EXPECT_NE(Refused(f, "ip.ttl", "x").find("is no number"), std::string::npos);
  EXPECT_NE(Refused(f, "ip.ttl", "1", 2).find("only 1"), std::string::npos);
  EXPECT_NE(Refused(f, "tcp", "1").find("is a whole"), std::string::npos);
  EXPECT_NE(Refused(f, "frame.len", "1").find("calculated"), std::string::npos);
  EXPECT_FALSE(ParseAssignment("ip.ttl"));
  EXPECT_FALSE(ParseAssignment("=1"));
  EXPECT_FALSE(ParseAssignment("ip.ttl#0=1"));
  EXPECT_EQ(ParseAssignment("dns.txt#2=a=b")->value, "a=b");
  EXPECT_EQ(ParseAssignment("dns.txt#2=a=b")->occurrence, 2u);
}

}  // namespace
}  // namespace glasspost::capture
