// Golden zone-file forms of each type, read and written.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "wire/dns/address_text.h"
#include "wire/dns/layout.h"
#include "wire/dns/message.h"

namespace glasspost::dns {
namespace {

using namespace std::string_literals;

struct Golden {
  std::string_view type;
  std::string_view text;
};

// Examples of the RFCs where they have one.
constexpr Golden kGolden[] = {
    {"A", "192.0.2.1"},
    {"NS", "ns.example."},
    {"MD", "a."},
    {"MF", "a."},
    {"CNAME", "www.example.test."},
    {"SOA", "ns.example. hostmaster.example. 2024010101 7200 3600 1209600 300"},
    {"MB", "a."},
    {"MG", "a."},
    {"MR", "a."},
    {"NULL", "\\# 3 010203"},
    {"WKS", "\\# 5 C000020106"},
    {"PTR", "mail.example.test."},
    {"HINFO", "\"PC\" \"Linux 6.1\""},
    {"MINFO", "a. b."},
    {"MX", "10 mail.example.test."},
    {"MX", "0 ."},
    {"TXT", "\"v=spf1 mx -all\""},
    {"TXT", "\"one\" \"\" \"say \\\"hi\\\" \\\\ \\010\\228\\184\\173\""},
    {"RP", "alice.example.test. txt.example.test."},
    {"AFSDB", "1 db.example."},
    {"X25", "\"311061700956\""},
    {"ISDN", "\"150862028003217\" \"004\""},
    {"RT", "10 relay.example."},
    {"NSAP-PTR", "a."},
    {"SIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQ=="},
    {"KEY", "256 3 5 AQPSKmynfzW4"},
    {"PX", "10 a. b."},
    {"GPOS", "\"-32.6882\" \"116.8652\" \"10.0\""},
    {"AAAA", "2001:db8::1"},
    {"AAAA", "::"},
    {"AAAA", "::ffff:192.0.2.1"},
    {"AAAA", "2001:db8:0:1:1:1:1:1"},
    {"LOC", "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m"},
    {"LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0m 10000m 0.10m"},
    {"LOC", "90 0 0.000 S 180 0 0.000 W 0.00m 1m 10000m 10m"},
    {"LOC", "89 59 59.999 N 179 59 59.999 E 0.00m 1m 10000m 10m"},
    {"SRV", "0 5 587 submission.example."},
    {"NAPTR", "100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.gatech.edu."},
    {"NAPTR", "100 10 \"\" \"\" \"!^urn:cid:.+@([^\\\\.]+\\\\.)(.*)$!\\\\2!i\" ."},
    {"KX", "1 kx.example."},
    {"CERT", "1 2 5 MIIB"},
    {"DNAME", "frobozz-division.acme.example."},
    {"DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {"SSHFP", "2 1 123456789ABCDEF67890123456789ABCDEF67890"},
    {"RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQ=="},
    {"RRSIG", "TYPE4711 8 0 0 21060207062815 19700101000000 0 . AA=="},
    {"NSEC", "host.example.com. A MX RRSIG NSEC TYPE1234"},
    {"NSEC", "."},
    {"DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="},
    {"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
    {"NSEC3", "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR MX DNSKEY NS SOA NSEC3PARAM RRSIG"},
    {"NSEC3PARAM", "1 0 12 AABBCCDD"},
    {"NSEC3PARAM", "1 0 0 -"},
    {"TLSA", "3 1 1 0D6FCE3398B01F8A2C6B0C45D04D6B2C5C0B2A2D1D8B3D2F1E0A9B8C7D6E5F40"},
    {"SMIMEA", "3 0 1 ABCD"},
    {"NINFO", "\"x\""},
    {"CDS", "0 0 0 00"},
    {"CDNSKEY", "0 3 0 AA=="},
    {"OPENPGPKEY", "AAAA"},
    {"CSYNC", "66 3 A NS AAAA"},
    {"ZONEMD", "2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE"},
    {"SVCB", "0 foo.example.com."},
    {"SVCB", "16 foo.example.com. port=53"},
    {"SVCB", "1 foo.example.com. key667=\"hello\\210qoo\""},
    {"SVCB", "16 foo.example.org. mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1"},
    {"SVCB", "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {"HTTPS", "1 . alpn=h2,h3 no-default-alpn ipv4hint=192.0.2.1,192.0.2.2 ech=AAAA ipv6hint=2001:db8::1"},
    {"SPF", "\"v=spf1 -all\""},
    {"LP", "10 l64.example."},
    {"EUI48", "00-00-5e-00-53-2a"},
    {"EUI64", "00-00-5e-ef-10-00-00-2a"},
    {"TSIG", "hmac-sha256. 1700000000 300 3 AQID 4711 NOERROR 0"},
    {"TSIG", "hmac-sha256. 1700000000 300 0 4711 BADTIME 6 AAAAAAAB"},
    {"URI", "10 1 \"ftp://ftp1.example.com/public\""},
    {"CAA", "0 issue \"letsencrypt.org\""},
    {"CAA", "128 iodef \"mailto:security@example.com\""},
    {"AVC", "\"x\""},
    {"DLV", "60485 5 1 2BB183AF"},
    {"TYPE4711", "\\# 4 0A000001"},
    {"TYPE4711", "\\# 0"},
};

TEST(DnsText, GoldenForms) {
  for (const Golden& g : kGolden) {
    SCOPED_TRACE(std::string(g.type) + " " + std::string(g.text));
    const auto type = ParseType(g.type);
    ASSERT_TRUE(type);
    std::string data, text;
    ASSERT_TRUE(ParseData(*type, g.text, data));
    AppendDataText(text, *type, data);
    // Types present come out by number, whatever the order in which they were given.
    if (g.type == "NSEC3") {
      EXPECT_EQ(text, "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM");
    } else {
      EXPECT_EQ(text, g.text);
    }
    // Through a message: what is encoded is decoded as the same.
    Message m, again;
    ASSERT_TRUE(m.AddRecord(Section::kAnswer, "owner.example.", *type, kClassIn, 3600, data));
    std::string wire;
    ASSERT_TRUE(Encode(m, wire));
    Decode(wire, again);
    EXPECT_FALSE(again.malformed());
    EXPECT_TRUE(SameContent(m, again));
    // Cut anywhere, the data do no harm.
    for (std::size_t n = 0; n < data.size(); ++n) {
      text.clear();
      AppendDataText(text, *type, Octets(data).substr(0, n));
      EXPECT_FALSE(text.empty() && n > 0);
    }
  }
}

TEST(DnsText, EveryTypeWithALayoutHasItsGoldenForm) {
  for (const TypeInfo& t : AllTypes()) {
    if (t.opaque() || t.number == kTypeOpt) continue;
    const bool there = std::ranges::any_of(kGolden, [&](const Golden& g) { return g.type == t.name; });
    EXPECT_TRUE(there) << t.name;
  }
}

TEST(DnsText, TextThatIsNotOfItsType) {
  constexpr Golden kBad[] = {
      {"A", "192.0.2"},
      {"A", "192.0.2.256"},
      {"A", "192.0.2.1 x"},
      {"A", ""},
      {"AAAA", "1::2::3"},
      {"AAAA", "1:2:3"},
      {"AAAA", ":1"},
      {"AAAA", "1:2:3:4:5:6:7:8:9"},
      {"MX", "mail."},
      {"MX", "65536 mail."},
      {"MX", "1 a..b"},
      {"TXT", ""},
      {"TXT", "\"open"},
      {"TXT", "\\300"},
      {"SOA", "a. b. 1 2 3 4"},
      {"DS", "1 2 3 ABC"},
      {"NSEC", "a. NOTYPE"},
      {"EUI48", "00-00"},
      {"TYPE9999", "10"},
      {"TYPE9999", "\\# 3 0102"},
      {"OPT", "x"},
      {"RRSIG", "A 5 3 1 20031322173103 20030220173103 1 a. AA=="},
      {"SVCB", "1 a. port=1 port=2"},
      {"SVCB", "1 a. alpn=a,,b"},
      {"LOC", "91 N 0 E 0"},
      {"LOC", "1 60 N 0 E 0"},
      {"LOC", "90 0 0.001 N 0 E 0"},
      {"LOC", "0 N 180 0 0.001 E 0"},
      {"LOC", "0 0 60 N 0 E 0"},
      {"LOC", "6666666666666 N 0 E 0"},
      {"LOC", "1 1 1 1 N 0 E 0"},
  };
  for (const Golden& g : kBad) {
    std::string data = "kept";
    EXPECT_FALSE(ParseData(*ParseType(g.type), g.text, data)) << g.type << " " << g.text;
    EXPECT_EQ(data, "kept");
  }
}

TEST(DnsText, Names) {
  const auto text = [](Octets name, bool dot) {
    std::string out;
    AppendName(out, name, dot);
    return out;
  };
  EXPECT_EQ(text("\0"s, false), ".");
  EXPECT_EQ(text("\0"s, true), ".");
  EXPECT_EQ(text("\3www\4test\0"s, false), "www.test");
  EXPECT_EQ(text("\3www\4test\0"s, true), "www.test.");
  EXPECT_EQ(text("\7a.b c\\\"\0"s, true), "a\\.b\\032c\\\\\\\".");
  EXPECT_EQ(text("\4\0\xff\x7f!\0"s, true), "\\000\\255\\127!.");
  EXPECT_EQ(text("\3www"s, true), "www.<broken>");
  EXPECT_EQ(text("", true), "<broken>");
}

TEST(DnsText, NamesReadBack) {
  const auto parse = [](Octets text) {
    std::string out;
    return ParseName(text, out) ? out : "no name"s;
  };
  EXPECT_EQ(parse("."), "\0"s);
  EXPECT_EQ(parse("www.test"), "\3www\4test\0"s);
  EXPECT_EQ(parse("www.test."), "\3www\4test\0"s);
  EXPECT_EQ(parse("a\\.b\\032c"), "\5a.b c\0"s);
  for (const auto* bad : {"", "..", ".a", "a..b", "a\\", "a\\25", "a\\256"}) EXPECT_EQ(parse(bad), "no name") << bad;
  EXPECT_EQ(parse(std::string(63, 'a')).size(), 65u);
  EXPECT_EQ(parse(std::string(64, 'a')), "no name");
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  EXPECT_EQ(parse(longest).size(), 255u);
  EXPECT_EQ(parse(longest + "b"), "no name");
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string name;
    for (unsigned labels = random() % 4; labels > 0; --labels) {
      const auto size = 1 + random() % 10;
      name += static_cast<char>(size);
      for (unsigned k = 0; k < size; ++k) name += static_cast<char>(random());
    }
    name += '\0';
    std::string text;
    AppendName(text, name, true);
    EXPECT_EQ(parse(text), name);
  }
}

TEST(DnsText, NumbersWithoutAName) {
  std::string out;
  AppendType(out, 4711), out += ' ', AppendClass(out, 7), out += ' ', AppendOpcode(out, 9), out += ' ', AppendRcode(out, 12);
  EXPECT_EQ(out, "TYPE4711 CLASS7 OPCODE9 RCODE12");
  out.clear();
  AppendType(out, 65), out += ' ', AppendClass(out, 255), out += ' ', AppendOpcode(out, 5), out += ' ', AppendRcode(out, 3);
  EXPECT_EQ(out, "HTTPS ANY UPDATE NXDOMAIN");
  EXPECT_EQ(ParseType("type65"), 65);
  EXPECT_EQ(ParseType("mx"), 15);
  EXPECT_FALSE(ParseType("TYPE65536"));
  EXPECT_FALSE(ParseType("MXX"));
  EXPECT_EQ(ParseClass("ch"), 3);
  EXPECT_EQ(ParseClass("CLASS12"), 12);
  EXPECT_FALSE(ParseClass("XX"));
}

TEST(DnsText, EdnsOptions) {
  Message m;
  m.AddEdns(4096, false,
            "\0\3\0\3ns1"s                     // NSID
            "\0\x08\0\7\0\1\x18\0\xc0\0\2"s    // client subnet
            "\0\x08\0\6\0\2\x10\0\x20\1"s      // the same, IPv6
            "\0\x0a\0\x08\1\2\3\4\5\6\7\x08"s  // cookie
            "\0\x0b\0\2\0\x64"s                // TCP keepalive
            "\0\x0c\0\2\0\0"s                  // padding
            "\0\x0f\0\5\0\x12no!"s             // extended error
            "\0\5\0\2\x08\x0d"s                // DAU
            "\x12\x67\0\1\xff"s                // of no known code
            "\0\x0b\0\0"s);
  std::string text;
  AppendRecordText(text, m, m.records[0]);
  EXPECT_EQ(text,
            "; EDNS: version 0, flags, udp 4096, NSID \"ns1\", ECS 192.0.2.0/24/0, ECS 2001::/16/0, COOKIE 0102030405060708, "
            "TCP-KEEPALIVE 10.0 s, PADDING 2 octets, EDE 18 \"no!\", DAU 8 13, OPTION4711 FF, TCP-KEEPALIVE");
}

TEST(DnsText, Ip6) {
  std::string out;
  EXPECT_TRUE(ParseIp6("1:2:3:4:5:6:192.0.2.1", out));
  EXPECT_EQ(out, "\0\1\0\2\0\3\0\4\0\5\0\6\xc0\0\2\1"s);
  out.clear();
  EXPECT_TRUE(ParseIp6("fe80::", out));
  EXPECT_EQ(out.size(), 16u);
  for (const auto* bad : {"", ":", ":::", "1", "12345::", "::g", "1::2:", "1:2:3:4:5:6:7:192.0.2.1", "::1.2.3"}) {
    out.clear();
    EXPECT_FALSE(ParseIp6(bad, out)) << bad;
    EXPECT_EQ(out, "");
  }
}

}  // namespace
}  // namespace glasspost::dns
