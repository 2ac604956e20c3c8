#include "wire/dns/authority.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "wire/dns/names.h"

namespace glasspost::dns {
namespace {

constexpr std::string_view kRoot =
    "$TTL 60\n. SOA a.root.test. h.root.test. 1 2 3 4 30\n. NS a.root.test.\na.root.test. A 127.0.0.1\n"
    "test. NS ns.nic.test.\nns.nic.test. A 127.0.0.2\n";
constexpr std::string_view kLeaf =
    "$ORIGIN example.test.\n$TTL 60\n@ SOA ns h 1 2 3 4 30\n@ NS ns\nns A 192.0.2.1\n@ MX 10 mail\nmail A 192.0.2.2\nmail AAAA "
    "2001:db8::2\n"
    "www CNAME mail\nalias CNAME www\nring1 CNAME ring2\nring2 CNAME ring1\nout CNAME x.other.test.\nlost CNAME nothing\n"
    "*.wild TXT w\n*.wild MX 5 mail\nhost.wild A 192.0.2.9\nx.y.deep A 192.0.2.3\n"
    "sub NS ns.sub\nsub DS 1 8 2 00\nns.sub A 192.0.2.4\nbelow.sub A 192.0.2.5\nself CNAME below.sub\n";

class AuthorityTest : public testing::Test {
 protected:
  void Serve(std::string_view text) {
    std::vector<ZoneMistake> mistakes;
    Zone zone = ReadZone(text, mistakes);
    for (const ZoneMistake& m : mistakes) ADD_FAILURE() << m.Text("zone");
    ASSERT_TRUE(authority.Add(std::move(zone)));
  }
  Message Query(std::string_view name, std::uint16_t type, std::uint16_t udp_size = 0) {
    Message m;
    m.id = 4711;
    m.flags = kFlagRd;
    EXPECT_TRUE(m.AddQuestion(name, type));
    if (udp_size != 0) m.AddEdns(udp_size, false);
    return m;
  }
  Message Ask(const Message& query, Transport transport = Transport::kTcp) {
    std::string octets;
    EXPECT_TRUE(Encode(query, octets));
    Message answer;
    EXPECT_TRUE(authority.Answer(octets, transport, work, out));
    Decode(out, answer);
    EXPECT_FALSE(answer.malformed());
    EXPECT_EQ(answer.id, query.id);
    return answer;
  }
  // "NOERROR qr aa rd | answer… | authority… | additional…"
  std::string Told(std::string_view name, std::uint16_t type) {
    const Message m = Ask(Query(name, type));
    std::string told;
    AppendRcode(told, m.rcode());
    told += ' ';
    AppendFlags(told, m);
    Section section = Section::kQuestion;
    for (const Record& r : m.records) {
      while (section != r.section) section = static_cast<Section>(static_cast<int>(section) + 1), told += " |";
      told += ' ';
      AppendRecordText(told, m, r);
      told += ';';
    }
    return told;
  }

  Authority authority;
  AuthorityWorkspace work;
  std::string out;
};

constexpr std::string_view kSoa = " example.test. 30 IN SOA ns.example.test. h.example.test. 1 2 3 4 30;";

TEST_F(AuthorityTest, AnswersWithTheAddressesOfWhatItNames) {
  Serve(kLeaf);
  EXPECT_EQ(Told("example.test", kTypeMx),
            "NOERROR qr aa rd | example.test. 60 IN MX 10 mail.example.test.; | | mail.example.test. 60 IN A 192.0.2.2; "
            "mail.example.test. 60 IN AAAA 2001:db8::2;");
  EXPECT_EQ(Told("EXAMPLE.test", kTypeNs),
            "NOERROR qr aa rd | EXAMPLE.test. 60 IN NS ns.example.test.; | | ns.example.test. 60 IN A 192.0.2.1;");
}

TEST_F(AuthorityTest, AbsenceIsToldWithTheSoa) {
  Serve(kLeaf);
  EXPECT_EQ(Told("nothing.example.test", kTypeA), "NXDOMAIN qr aa rd | |" + std::string(kSoa));
  EXPECT_EQ(Told("mail.example.test", kTypeMx), "NOERROR qr aa rd | |" + std::string(kSoa));
  EXPECT_EQ(Told("y.deep.example.test", kTypeA), "NOERROR qr aa rd | |" + std::string(kSoa));  // an empty non-terminal
  EXPECT_EQ(Told("elsewhere.test", kTypeA), "REFUSED qr rd");
}

TEST_F(AuthorityTest, AliasesAreFollowedAsFarAsTheyAreHere) {
  Serve(kLeaf);
  EXPECT_EQ(
      Told("alias.example.test", kTypeA),
      "NOERROR qr aa rd | alias.example.test. 60 IN CNAME www.example.test.; www.example.test. 60 IN CNAME mail.example.test.; "
      "mail.example.test. 60 IN A 192.0.2.2;");
  EXPECT_EQ(Told("alias.example.test", kTypeCname), "NOERROR qr aa rd | alias.example.test. 60 IN CNAME www.example.test.;");
  EXPECT_EQ(Told("ring1.example.test", kTypeA),
            "NOERROR qr aa rd | ring1.example.test. 60 IN CNAME ring2.example.test.; ring2.example.test. 60 IN CNAME "
            "ring1.example.test.;");
  EXPECT_EQ(Told("out.example.test", kTypeA), "NOERROR qr aa rd | out.example.test. 60 IN CNAME x.other.test.;");
  EXPECT_EQ(Told("lost.example.test", kTypeA),
            "NXDOMAIN qr aa rd | lost.example.test. 60 IN CNAME nothing.example.test.; |" + std::string(kSoa));
  EXPECT_EQ(Told("self.example.test", kTypeA),
            "NOERROR qr aa rd | self.example.test. 60 IN CNAME below.sub.example.test.; | sub.example.test. 60 IN NS "
            "ns.sub.example.test.; sub.example.test. 60 IN DS 1 8 2 00; | ns.sub.example.test. 60 IN A 192.0.2.4;");
}

TEST_F(AuthorityTest, AliasChainsEndAtTheLimit) {
  std::string zone(kLeaf);
  for (std::size_t i = 0; i < 30; ++i) zone += "c" + std::to_string(i) + " CNAME c" + std::to_string(i + 1) + "\n";
  Serve(zone);
  const Message m = Ask(Query("c0.example.test", kTypeA));
  EXPECT_EQ(m.records.size(), AuthorityLimits::kAliases + 1);
}

TEST_F(AuthorityTest, Wildcards) {
  Serve(kLeaf);
  EXPECT_EQ(Told("a.b.wild.example.test", kTypeTxt), "NOERROR qr aa rd | a.b.wild.example.test. 60 IN TXT \"w\";");
  EXPECT_EQ(Told("host.wild.example.test", kTypeTxt), "NOERROR qr aa rd | |" + std::string(kSoa));  // the name itself is there
  EXPECT_EQ(Told("x.host.wild.example.test", kTypeTxt), "NXDOMAIN qr aa rd | |" + std::string(kSoa));
  EXPECT_EQ(Told("q.wild.example.test", kTypeA), "NOERROR qr aa rd | |" + std::string(kSoa));
  EXPECT_EQ(Told("*.wild.example.test", kTypeTxt), "NOERROR qr aa rd | *.wild.example.test. 60 IN TXT \"w\";");
}

TEST_F(AuthorityTest, DelegationsAreReferredTo) {
  Serve(kLeaf);
  const std::string referral =
      "NOERROR qr rd | | sub.example.test. 60 IN NS ns.sub.example.test.; sub.example.test. 60 IN DS 1 8 2 00; | "
      "ns.sub.example.test. 60 IN A 192.0.2.4;";
  EXPECT_EQ(Told("www.sub.example.test", kTypeA), referral);
  EXPECT_EQ(Told("sub.example.test", kTypeNs), referral);
  EXPECT_EQ(Told("below.sub.example.test", kTypeA), referral);
  EXPECT_EQ(Told("sub.example.test", 43), "NOERROR qr aa rd | sub.example.test. 60 IN DS 1 8 2 00;");
}

TEST_F(AuthorityTest, OfSeveralZonesTheNearestAnswers) {
  Serve(kRoot);
  EXPECT_EQ(Told("mail.example.test", kTypeA),
            "NOERROR qr rd | | test. 60 IN NS ns.nic.test.; | ns.nic.test. 60 IN A 127.0.0.2;");
  // Its address lies behind the cut, and is told all the same: without it nobody gets anywhere.
  EXPECT_EQ(Told(".", kTypeNs), "NOERROR qr aa rd | . 60 IN NS a.root.test.; | | a.root.test. 60 IN A 127.0.0.1;");
  Serve(kLeaf);
  EXPECT_EQ(Told("mail.example.test", kTypeA), "NOERROR qr aa rd | mail.example.test. 60 IN A 192.0.2.2;");
  EXPECT_EQ(Told("example.test", 43), "NOERROR qr rd | | test. 60 IN NS ns.nic.test.; | ns.nic.test. 60 IN A 127.0.0.2;");
  std::vector<ZoneMistake> mistakes;
  EXPECT_FALSE(authority.Add(ReadZone(kLeaf, mistakes)));
}

TEST_F(AuthorityTest, AnyGivesAllSets) {
  Serve(kLeaf);
  EXPECT_EQ(Ask(Query("mail.example.test", kTypeAny)).records.size(), 2u);
  EXPECT_EQ(Ask(Query("example.test", kTypeAny)).records.size(), 3u);
}

TEST_F(AuthorityTest, TruncatesAtTheOctetAndNotBefore) {
  std::string zone(kLeaf);
  zone += "big TXT";
  for (int i = 0; i < 30; ++i) zone += " \"" + std::string(40, static_cast<char>('a' + i % 26)) + "\"";
  Serve(zone + "\n");
  const Message query = Query("big.example.test", kTypeTxt, 4096);
  const Message whole = Ask(query);
  EXPECT_GT(whole.length, AuthorityLimits::kUdpOctets);
  const Message cut = Ask(query, Transport::kUdp);
  EXPECT_TRUE(cut.truncated());
  EXPECT_TRUE(cut.edns.present);
  EXPECT_EQ(cut.records.size(), 1u);  // OPT
  EXPECT_TRUE(Ask(Query("big.example.test", kTypeTxt), Transport::kUdp).truncated());
  for (std::size_t size = 500; size <= AuthorityLimits::kUdpOctets + 10; ++size) {
    Message m = Query("example.test", kTypeMx, static_cast<std::uint16_t>(size));
    EXPECT_LE(Ask(m, Transport::kUdp).length, std::max<std::size_t>(512, size));
  }
}

TEST_F(AuthorityTest, AdditionalRecordsGiveWayFirst) {
  std::string zone(kLeaf);
  for (int i = 0; i < 9; ++i)
    zone += "many MX 1 host-with-a-long-name-" + std::to_string(i) + "\nhost-with-a-long-name-" + std::to_string(i) +
            " A 192.0.2.7\n";
  Serve(zone);
  const Message m = Ask(Query("many.example.test", kTypeMx), Transport::kUdp);
  EXPECT_FALSE(m.truncated());
  EXPECT_EQ(m.records.size(), 9u);
  EXPECT_EQ(Ask(Query("many.example.test", kTypeMx)).records.size(), 18u);
}

TEST_F(AuthorityTest, WhatIsNoQuestionOfOursIsSaidSo) {
  Serve(kLeaf);
  Message m = Query("example.test", kTypeMx);
  m.SetOpcode(kOpcodeUpdate);
  EXPECT_EQ(Ask(m).rcode(), kRcodeNotImp);
  m = Query("example.test", kTypeMx, 1232);
  m.records[m.edns.record].ttl = 1 << 16;
  EXPECT_EQ(Ask(m).rcode(), 16);
  m = Query("example.test", kTypeAxfr);
  EXPECT_EQ(Ask(m).rcode(), kRcodeRefused);
  m = Query("example.test", kTypeMx);
  m.questions.front().klass = kClassCh;
  EXPECT_EQ(Ask(m).rcode(), kRcodeRefused);
  EXPECT_TRUE(m.AddQuestion("a.test", kTypeA));
  EXPECT_EQ(Ask(m).rcode(), kRcodeFormErr);
  m = Query("example.test", kTypeMx);
  std::string octets;
  ASSERT_TRUE(Encode(m, octets));
  ASSERT_TRUE(authority.Answer(octets + "x", Transport::kUdp, work, out));
  Decode(out, m);
  EXPECT_EQ(m.rcode(), kRcodeFormErr);
  octets[2] = static_cast<char>(0x80);
  EXPECT_FALSE(authority.Answer(octets, Transport::kUdp, work, out));  // an answer
  EXPECT_FALSE(authority.Answer(octets.substr(0, 11), Transport::kUdp, work, out));
}

TEST(Names, TakenApart) {
  std::string name;
  ASSERT_TRUE(ParseName("a.bc.test", name));
  EXPECT_EQ(LabelCount(name), 3u);
  EXPECT_EQ(LabelCount(kRootName), 0u);
  EXPECT_EQ(Parent(Parent(name)), Octets("\4test\0", 6));
  EXPECT_EQ(Parent(kRootName), kRootName);
  EXPECT_EQ(LastLabels(name, 2), Octets("\2bc\4test\0", 9));
  EXPECT_TRUE(IsWithin(name, Octets("\4TEST\0", 6)));
  EXPECT_TRUE(IsWithin(name, kRootName));
  EXPECT_FALSE(IsWithin(Octets("\4test\0", 6), name));
}

}  // namespace
}  // namespace glasspost::dns
