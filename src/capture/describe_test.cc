#include "capture/describe.h"

#include <gtest/gtest.h>

#include <sstream>

#include "capture/checksum.h"
#include "capture/tcp_options.h"
#include "support/frame_builder.h"

namespace glasspost::capture {
namespace {

using namespace test;

// The two frames of the classic report: a SYN to port 110 and its answer, as they are printed there.
constexpr char kSynFrame[] =
    "00 0F E2 45 B9 C2 00 E5 7C 07 DF 45 08 00 45 00 00 40 CE F2 40 00 40 06 79 87 0A 84 FE 9F DC B5 0C 65 08 B7 00 6E 93 9D 52 "
    "22 "
    "00 00 00 00 B0 02 FF FF 54 DB 00 00 02 04 05 B4 01 03 03 03 01 01 08 0A 00 00 00 00 00 00 00 00 01 01 04 02 0C";
constexpr char kSynAckFrame[] =
    "00 E5 7C 07 DF 45 00 0F E2 45 B9 C2 08 00 45 00 00 34 00 00 40 00 35 06 53 86 DC B5 0C 65 0A 84 FE 9F 00 6E 08 B7 6B 9C 45 "
    "4F "
    "93 9D 52 23 80 12 16 D0 C6 21 00 00 02 04 05 B4 01 01 04 02 01 03 03 07 00";

FrameOctets FromHex(const char* text) {
  FrameOctets octets;
  std::istringstream in(text);
  for (unsigned v = 0; in >> std::hex >> v;) octets.push_back(static_cast<std::uint8_t>(v));
  return octets;
}

// One line a field: offset, length, name, value (numbers in decimal, raw octets in hex).
std::string Lines(const FieldList& list) {
  std::ostringstream out;
  for (const auto& e : list.entries) {
    out << e.range.offset << '+' << e.range.length << ' ' << Info(e.field).abbreviation;
    if (e.missing) out << " MISSING";
    if (const auto* v = std::get_if<std::uint64_t>(&e.value)) out << ' ' << *v;
    if (const auto* v = std::get_if<Bytes>(&e.value)) {
      out << ' ';
      for (const unsigned o : *v) out << "0123456789abcdef"[o >> 4] << "0123456789abcdef"[o & 15];
    }
    out << '\n';
  }
  return out.str();
}

constexpr char kSynHeaders[] = R"(0+14 eth
0+6 eth.dst 000fe245b9c2
6+6 eth.src 00e57c07df45
12+2 eth.type 2048
14+20 ip
14+1 ip.version 4
14+1 ip.hdr_len 20
15+1 ip.dsfield 0
15+1 ip.dsfield.dscp 0
15+1 ip.dsfield.ecn 0
16+2 ip.len 64
18+2 ip.id 52978
20+1 ip.flags 2
20+1 ip.flags.rb 0
20+1 ip.flags.df 1
20+1 ip.flags.mf 0
20+2 ip.frag_offset 0
22+1 ip.ttl 64
23+1 ip.proto 6
24+2 ip.checksum 31111
24+2 ip.checksum.status 1
24+2 ip.checksum_calculated 31111
26+4 ip.src 0a84fe9f
30+4 ip.dst dcb50c65
78+1 eth.trailer 0c
34+44 tcp
34+2 tcp.srcport 2231
36+2 tcp.dstport 110
38+4 tcp.seq 2476560930
42+4 tcp.ack 0
46+1 tcp.hdr_len 44
46+2 tcp.flags 2
46+1 tcp.flags.res 0
46+1 tcp.flags.ae 0
47+1 tcp.flags.cwr 0
47+1 tcp.flags.ece 0
47+1 tcp.flags.urg 0
47+1 tcp.flags.ack 0
47+1 tcp.flags.push 0
47+1 tcp.flags.reset 0
47+1 tcp.flags.syn 1
47+1 tcp.flags.fin 0
48+2 tcp.window_size_value 65535
50+2 tcp.checksum 21723
50+2 tcp.checksum.status 1
50+2 tcp.checksum_calculated 21723
52+2 tcp.urgent_pointer 0
54+24 tcp.options
54+4 tcp.options.mss
54+1 tcp.option_kind 2
55+1 tcp.option_len 4
56+2 tcp.options.mss_val 1460
58+1 tcp.options.nop
58+1 tcp.option_kind 1
59+3 tcp.options.wscale
59+1 tcp.option_kind 3
60+1 tcp.option_len 3
61+1 tcp.options.wscale.shift 3
62+1 tcp.options.nop
62+1 tcp.option_kind 1
63+1 tcp.options.nop
63+1 tcp.option_kind 1
64+10 tcp.options.timestamp
64+1 tcp.option_kind 8
65+1 tcp.option_len 10
66+4 tcp.options.timestamp.tsval 0
70+4 tcp.options.timestamp.tsecr 0
74+1 tcp.options.nop
74+1 tcp.option_kind 1
75+1 tcp.options.nop
75+1 tcp.option_kind 1
76+2 tcp.options.sack_perm
76+1 tcp.option_kind 4
77+1 tcp.option_len 2
)";

TEST(DescribeFrame, TheReportsSyn) {
  const FrameOctets octets = FromHex(kSynFrame);
  ASSERT_EQ(octets.size(), 79u);
  FieldList list;
  const FrameDescription d = DescribeFrame(AsFrame(octets), list);
  EXPECT_EQ(Lines(list), std::string("0+79 frame.number 1\n0+79 frame.len 79\n0+79 frame.cap_len 79\n") + kSynHeaders);
  ASSERT_EQ(d.result, DecodeResult::kPacket);
  EXPECT_EQ((Endpoint{d.packet.source, d.packet.source_port}).Text(), "10.132.254.159:2231");
  EXPECT_EQ((Endpoint{d.packet.destination, d.packet.destination_port}).Text(), "220.181.12.101:110");
  EXPECT_EQ(d.packet.flags, capture::kSyn);
  EXPECT_EQ(d.packet.payload_length, 0u);
  EXPECT_EQ(d.expected, 79u);
}

TEST(DescribeFrame, TheReportsSynAck) {
  const FrameOctets octets = FromHex(kSynAckFrame);
  ASSERT_EQ(octets.size(), 67u);
  FieldList list;
  const FrameDescription d = DescribeFrame(AsFrame(octets), list);
  const std::string lines = Lines(list);
  for (const char* line :
       {"14+20 ip\n", "16+2 ip.len 52\n", "22+1 ip.ttl 53\n", "24+2 ip.checksum.status 1\n", "26+4 ip.src dcb50c65\n",
        "30+4 ip.dst 0a84fe9f\n", "34+2 tcp.srcport 110\n", "36+2 tcp.dstport 2231\n", "42+4 tcp.ack 2476560931\n",
        "46+2 tcp.flags 18\n", "48+2 tcp.window_size_value 5840\n", "50+2 tcp.checksum.status 1\n",
        "56+2 tcp.options.mss_val 1460\n", "60+2 tcp.options.sack_perm\n", "65+1 tcp.options.wscale.shift 7\n"})
    EXPECT_NE(lines.find(line), std::string::npos) << line;
  ASSERT_EQ(d.result, DecodeResult::kPacket);
  EXPECT_EQ(d.packet.acknowledgement, 0x939d5223u);
}

TEST(DescribeFrame, TheReportsSynCutAfter32Octets) {
  FrameOctets octets = FromHex(kSynFrame);
  octets.resize(32);
  FieldList list;
  const FrameDescription d = DescribeFrame(AsFrame(octets), list);
  EXPECT_EQ(d.result, DecodeResult::kTruncated);
  EXPECT_EQ(d.captured, 32u);
  EXPECT_EQ(d.expected, 78u) << "the IP header tells that 46 octets are missing";
  std::string expected = kSynHeaders;
  expected.resize(expected.find("30+4 ip.dst"));
  expected.replace(expected.find("14+20 ip\n"), 9, "14+18 ip\n");
  expected.replace(expected.find("24+2 ip.checksum.status 1\n24+2 ip.checksum_calculated 31111\n"), 60,
                   "24+2 ip.checksum.status 2\n");
  EXPECT_EQ(Lines(list), "0+32 frame.number 1\n0+32 frame.len 32\n0+32 frame.cap_len 32\n" + expected + "30+4 ip.dst MISSING\n");
}

std::uint64_t ValueOf(const FrameOctets& octets, Field field, std::size_t captured) {
  RawFrame frame = AsFrame(octets);
  frame.octets = frame.octets.first(captured);
  FieldList list;
  DescribeFrame(frame, list);
  for (const auto& e : list.entries)
    if (e.field == field && !e.missing) return std::get<std::uint64_t>(e.value);
  ADD_FAILURE() << "not described: " << Info(field).abbreviation;
  return 99;
}

TEST(DescribeFrame, SaysWhatTheChecksumIs) {
  const auto status = [](const FrameOctets& f, std::size_t less = 0) {
    return static_cast<ChecksumStatus>(ValueOf(f, Field::kTcpChecksumStatus, f.size() - less));
  };
  FrameOctets frame = Ethernet(0x0800, Ipv4(6, Tcp()));
  EXPECT_EQ(status(frame), ChecksumStatus::kGood);
  EXPECT_EQ(status(frame, 1), ChecksumStatus::kUnverified);
  const auto right = static_cast<std::uint16_t>(ValueOf(frame, Field::kTcpChecksum, frame.size()));
  Store16(frame, 50, right ^ 0x0101);
  EXPECT_EQ(status(frame), ChecksumStatus::kBad);
  EXPECT_EQ(ValueOf(frame, Field::kTcpChecksumCalculated, frame.size()), right);
  // What a sending host leaves to its network card: the sum of the pseudo-header alone.
  for (const std::uint32_t length : {26u, 0u}) {
    const std::uint64_t pseudo = AddWords(AddWords(6 + length, kClientV4), kServerV4);
    Store16(frame, 50, Fold(pseudo));
    EXPECT_EQ(status(frame), ChecksumStatus::kPartial);
  }
  EXPECT_EQ(Name(ChecksumStatus::kPartial), "partial (offload)");
  EXPECT_EQ(NameChinese(ChecksumStatus::kGood), "正确");
}

TEST(DescribeFrame, UdpMayHaveNoChecksum) {
  const auto status = [](FrameOctets f) { return static_cast<ChecksumStatus>(ValueOf(f, Field::kUdpChecksumStatus, f.size())); };
  FrameOctets v4 = Ethernet(0x0800, Ipv4(17, Udp(1, 2, Text("odd")))),
              v6 = Ethernet(0x86dd, Ipv6(17, Udp(1, 2, Text("odd"), true)));
  EXPECT_EQ(status(v4), ChecksumStatus::kGood);
  EXPECT_EQ(status(v6), ChecksumStatus::kGood);
  Store16(v4, 40, 0);
  Store16(v6, 60, 0);
  EXPECT_EQ(status(v4), ChecksumStatus::kNotPresent);
  EXPECT_EQ(status(v6), ChecksumStatus::kIllegal);
}

TEST(DescribeFrame, ASourceRouteMakesTheChecksumUncheckable) {
  const FrameOctets frame = Ethernet(0x0800, Ipv4(6, Tcp(), {.options = {1, 131, 7, 4, 10, 0, 0, 1}}));
  EXPECT_EQ(ValueOf(frame, Field::kTcpChecksumStatus, frame.size()), 2u);
}

TEST(DescribeFrame, AFragmentIsDescribedAsItIs) {
  const FrameOctets first = Ethernet(0x0800, Ipv4(6, Tcp(), {.fragment = 0x2000}));
  FieldList list;
  EXPECT_EQ(DescribeFrame(AsFrame(first), list).result, DecodeResult::kFragment);
  EXPECT_NE(Lines(list).find("34+2 tcp.srcport 40000\n"), std::string::npos);
  EXPECT_NE(Lines(list).find("50+2 tcp.checksum.status 2\n"), std::string::npos);
  const FrameOctets later = Ethernet(0x0800, Ipv4(6, Tcp(), {.fragment = 5}));
  FieldList rest;
  EXPECT_EQ(DescribeFrame(AsFrame(later), rest).result, DecodeResult::kFragment);
  EXPECT_NE(Lines(rest).find("20+2 ip.frag_offset 40\n"), std::string::npos);
  EXPECT_NE(Lines(rest).find("34+26 ip.fragment "), std::string::npos);
}

TEST(DescribeFrame, EveryFieldHasItsNameInBothLanguages) {
  std::vector<std::string_view> names;
#define GLASSPOST_FIELD(id, name, en, zh) names.push_back(Info(Field::id).abbreviation);
#include "base/fields/packet.inc"
#undef GLASSPOST_FIELD
  for (std::size_t i = 0; i < names.size(); ++i) {
    const FieldInfo& info = Info(static_cast<Field>(i));
    EXPECT_FALSE(info.label_en.empty() || info.label_zh.empty());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(Info(Field::kTcpAcknowledgement).label_zh, "确认号");
}

}  // namespace
}  // namespace glasspost::capture
