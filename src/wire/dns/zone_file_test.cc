#include "wire/dns/zone_file.h"

#include <gtest/gtest.h>

#include "wire/dns/message.h"

namespace glasspost::dns {
namespace {

using namespace std::string_literals;

constexpr std::string_view kHead =
    "$ORIGIN example.test.\n"
    "$TTL 1h\n"
    "@ IN SOA ns hostmaster ( 2024010101 ; serial\n"
    "    2h 10m 2w 300 )\n"
    "  NS ns\n"
    "ns A 192.0.2.1\n";

std::string Told(const Zone& zone) {
  std::string out;
  for (const ZoneRecord& r : zone.records) {
    AppendName(out, r.name, true);
    out += " " + std::to_string(r.ttl) + " ";
    AppendType(out, r.type);
    out += " ";
    AppendDataText(out, r.type, r.data);
    out += "\n";
  }
  return out;
}

Zone Good(const std::string& text) {
  std::vector<ZoneMistake> mistakes;
  Zone zone = ReadZone(text, mistakes);
  for (const ZoneMistake& m : mistakes) ADD_FAILURE() << m.Text("zone");
  return zone;
}

// The records after those of kHead.
std::string More(std::string_view lines) {
  const std::string all = Told(Good(std::string(kHead) + std::string(lines)));
  const std::string head = Told(Good(std::string(kHead)));
  EXPECT_TRUE(all.starts_with(head));
  return all.substr(head.size());
}

std::string Mistakes(std::string_view text) {
  std::vector<ZoneMistake> mistakes;
  ReadZone(text, mistakes);
  std::string out;
  for (const ZoneMistake& m : mistakes) out += m.Text("z") + "\n";
  return out;
}
std::string MistakesAfterHead(std::string_view lines) { return Mistakes(std::string(kHead) + std::string(lines)); }

TEST(ZoneFile, HeadIsRead) {
  EXPECT_EQ(Told(Good(std::string(kHead))),
            "example.test. 3600 SOA ns.example.test. hostmaster.example.test. 2024010101 7200 600 1209600 300\n"
            "example.test. 3600 NS ns.example.test.\n"
            "ns.example.test. 3600 A 192.0.2.1\n");
}

TEST(ZoneFile, AQuotedValueBelongsToItsKey) {
  EXPECT_EQ(More("w HTTPS 1 . alpn=\"h2,h3\" port=443\n"), "w.example.test. 3600 HTTPS 1 . alpn=h2,h3 port=443\n");
  EXPECT_EQ(More("w HTTPS 1 . alpn=\"a b;\\000\"\n"), "w.example.test. 3600 HTTPS 1 . alpn=\"a b;\\000\"\n");
  EXPECT_EQ(More("t TXT v=\"a b\" c\"d\"\n"), "t.example.test. 3600 TXT \"v=a b\" \"c\" \"d\"\n");
  EXPECT_EQ(MistakesAfterHead("w HTTPS 1 . alpn=\"h2\n"),
            "z:7:13: the quoted text does not end on its line (close it with \"; a long one goes on as a second quoted text)\n");
}

TEST(ZoneFile, NamesTtlsAndClassesInAllTheirForms) {
  EXPECT_EQ(More("mail 60 IN A 192.0.2.2\n"
                 "     IN 120 AAAA 2001:db8::2 ; the owner is the one before\n"
                 "@ MX 10 mail\n"
                 "  MX 20 mail.other.test.\n"
                 "$ORIGIN sub\n"
                 "\r\n"
                 "; nothing but a comment\n"
                 "www cname @\r\n"
                 "a\\.b 1d2h TXT plain \"with ; and ( )\" \"say \\\"hi\\\"\" \"\"\n"
                 "*.w IN TYPE65534 \\# 2 0A1B\n"),
            "mail.example.test. 60 A 192.0.2.2\n"
            "mail.example.test. 120 AAAA 2001:db8::2\n"
            "example.test. 3600 MX 10 mail.example.test.\n"
            "example.test. 3600 MX 20 mail.other.test.\n"
            "www.sub.example.test. 3600 CNAME sub.example.test.\n"
            "a\\.b.sub.example.test. 93600 TXT \"plain\" \"with ; and ( )\" \"say \\\"hi\\\"\" \"\"\n"
            "*.w.sub.example.test. 3600 TYPE65534 \\# 2 0A1B\n");
}

TEST(ZoneFile, OtherTypesOfMailPeople) {
  EXPECT_EQ(More("_submission._tcp SRV 0 1 587 mail\n_25._tcp.mail TLSA 3 1 1 ( 0123\n 4567 )\n@ CAA 0 issue \"ca.test\"\n"),
            "_submission._tcp.example.test. 3600 SRV 0 1 587 mail.example.test.\n"
            "_25._tcp.mail.example.test. 3600 TLSA 3 1 1 01234567\n"
            "example.test. 3600 CAA 0 issue \"ca.test\"\n");
}

TEST(ZoneFile, WithoutTtlTheLastOneOrTheSoasCounts) {
  EXPECT_EQ(
      Told(Good("$ORIGIN a.test.\n@ SOA ns h 1 2 3 4 55\n@ NS ns.b.test.\n@ 7 TXT x\nb TXT y\n")),
      "a.test. 55 SOA ns.a.test. h.a.test. 1 2 3 4 55\na.test. 55 NS ns.b.test.\na.test. 7 TXT \"x\"\nb.a.test. 7 TXT \"y\"\n");
}

TEST(ZoneFile, ASetHasOneTtlAndEachOfItsDataOnce) {
  EXPECT_EQ(More("m 60 A 192.0.2.2\nM 30 A 192.0.2.3\nm 10 A 192.0.2.2\n"),
            "m.example.test. 30 A 192.0.2.2\nM.example.test. 30 A 192.0.2.3\n");
}

TEST(ZoneFile, MistakesHaveTheirPlaceAndSayWhatToDo) {
  EXPECT_EQ(MistakesAfterHead("mail A 192.0.2.256\n"),
            "z:7:8: 192.0.2.256 is not an IPv4 address (write four numbers from 0 to 255: 192.0.2.1)\n");
  EXPECT_EQ(MistakesAfterHead("mail MX\n"), "z:7:6: MX needs one word more: a number from 0 to 65535 (write a decimal number)\n");
  EXPECT_EQ(MistakesAfterHead("mail A 192.0.2.2 mail\n"),
            "z:7:18: A takes no more words (take it out, or put ; before a comment)\n");
  EXPECT_EQ(MistakesAfterHead("mail ADDRESS 192.0.2.2\n"),
            "z:7:6: ADDRESS is no record type (write owner, TTL, class, type, data: mail 3600 IN A 192.0.2.1)\n");
  EXPECT_EQ(MistakesAfterHead("mail 3600 IN\n"), "z:7:11: the record has no type (write it like: mail IN A 192.0.2.1)\n");
  EXPECT_EQ(MistakesAfterHead("mail CH A 192.0.2.2\n"), "z:7:6: only class IN is served (write IN, or leave it out)\n");
  EXPECT_EQ(MistakesAfterHead("mail TXT \"open\nb A 192.0.2.2\n"),
            "z:7:10: the quoted text does not end on its line (close it with \"; a long one goes on as a second quoted text)\n");
  EXPECT_EQ(MistakesAfterHead("mail MX ( 10\n"),
            "z:7:9: the parenthesis is never closed (put ) behind the last word of the record)\n");
  EXPECT_EQ(MistakesAfterHead("mail ) A 192.0.2.2\n"),
            "z:7:6: nothing is open that this parenthesis closes (take it out, or put ( before)\n");
  EXPECT_EQ(MistakesAfterHead("$INCLUDE other.zone\n"),
            "z:7:1: $INCLUDE is not followed: a zone is one file (put the lines of that file here in its place)\n");
  EXPECT_EQ(MistakesAfterHead("mail.other.test. A 192.0.2.2\n"),
            "z:7:1: mail.other.test. lies outside of the zone example.test. (was a dot forgotten behind a name, or $ORIGIN not "
            "set?)\n");
  EXPECT_EQ(MistakesAfterHead("www CNAME mail\nwww TXT x\n"),
            "z:8:1: www.example.test. has a CNAME and also TXT (an alias has no other records: take one of the two out)\n");
  EXPECT_EQ(MistakesAfterHead("sub NS ns.sub\n"),
            "z:7:1: the name server ns.sub.example.test. has no address here (write: ns.sub.example.test. A and its address)\n");
  EXPECT_EQ(MistakesAfterHead("mail MX \\# 1 00\n"),
            "z:7:9: \\# is for types without a form; MX has one (write the data in the form of their type)\n");
  EXPECT_EQ(MistakesAfterHead("d DNAME e\n"), "z:7:3: records of type DNAME are not served (take it out)\n");
  EXPECT_EQ(MistakesAfterHead("d 99999999999 A 192.0.2.2\n"),
            "z:7:3: 99999999999 is no time to live (write seconds, at most 2147483647, or like 1h)\n");
}

TEST(ZoneFile, MistakesOfTheWholeFile) {
  EXPECT_EQ(Mistakes(""),
            "z: there is no SOA record, with which a zone begins "
            "(write: @ SOA ns.example.test. hostmaster.example.test. 1 3600 600 1209600 300)\n");
  EXPECT_EQ(
      Mistakes("@ 60 A 192.0.2.1\n"),
      "z:1:1: @ is relative, but to what is not said (put $ORIGIN and the zone's name, with a dot behind it, at the top)\n");
  EXPECT_EQ(Mistakes("a.test. A 192.0.2.1\n"),
            "z:1:9: how long the record lives is not said (put $TTL 3600 at the top, or a number before the type)\n");
  EXPECT_EQ(Mistakes("  A 192.0.2.1\n"),
            "z:1:3: a record without an owner, and none before it (begin the line with a name, or @)\n");
  EXPECT_EQ(Mistakes("a.test. 60 SOA a.test. h.test. 1 2 3 4 5\n"),
            "z: the zone a.test. names no name server (write: @ NS ns.example.test.)\n");
  EXPECT_EQ(Mistakes(std::string(kHead) + "b SOA a.test. h.test. 1 2 3 4 5\n"),
            "z:7:1: a second SOA; the first is in line 3 (a zone has one: put other zones into files of their own)\n");
}

TEST(ZoneFile, BoundsHoldAtTheLimitAndOnePast) {
  const std::string label(63, 'a');
  EXPECT_EQ(MistakesAfterHead(label + " A 192.0.2.2\n"), "");
  EXPECT_NE(MistakesAfterHead(label + "a A 192.0.2.2\n"), "");
  const std::string text(255, 'x');
  EXPECT_EQ(MistakesAfterHead("t TXT \"" + text + "\"\n"), "");
  EXPECT_EQ(MistakesAfterHead("t TXT \"" + text + "x\"\n"),
            "z:7:7: " + text + "x is not a text of at most 255 octets (split it: \"first part\" \"second part\")\n");
  EXPECT_EQ(MistakesAfterHead("t 2147483647 A 192.0.2.2\n"), "");
  EXPECT_NE(MistakesAfterHead("t 2147483648 A 192.0.2.2\n"), "");
  std::string words, records;
  for (std::size_t i = 0; i + 2 < ZoneFileLimits::kWords; ++i) words += " x";
  EXPECT_EQ(MistakesAfterHead("t TXT" + words + "\n"), "");
  EXPECT_EQ(MistakesAfterHead("t TXT" + words + " x\n"),
            "z:7:" + std::to_string(7 + words.size()) + ": the record has too many words (split it into several records)\n");
  std::vector<ZoneMistake> mistakes;
  ReadZone(std::string(ZoneFileLimits::kOctets + 1, ';'), mistakes);
  EXPECT_EQ(mistakes.size(), 1u);
  std::string rubbish;
  for (int i = 0; i < 100; ++i) rubbish += "\"open\n) x\n";
  ReadZone(rubbish, mistakes);
  EXPECT_EQ(mistakes.size(), ZoneFileLimits::kMistakes);
  ReadZone("a " + std::string(100, ')') + "\n", mistakes);
  EXPECT_EQ(mistakes.size(), 1u);
}

TEST(ZoneFile, TooManyRecords) {
  std::string text(kHead);
  for (std::size_t i = 3; i < ZoneFileLimits::kRecords; ++i) text += "t A 192.0.2.2\n";
  EXPECT_EQ(Mistakes(text), "");
  EXPECT_TRUE(Mistakes(text + "t A 192.0.2.2\n").contains("more than 1000000 records"));
}

}  // namespace
}  // namespace glasspost::dns
