#include "wire/dns/message.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "wire/dns/decoder.h"

namespace glasspost::dns {
namespace {

using namespace std::string_literals;

std::string Header(std::uint16_t flags, std::array<std::uint16_t, 4> counts) {
  std::string h = "\x12\x34"s;
  for (const std::uint16_t v : {flags, counts[0], counts[1], counts[2], counts[3]}) {
    h += static_cast<char>(v >> 8);
    h += static_cast<char>(v);
  }
  return h;
}

std::string Number16(unsigned v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }

// Type, class IN, TTL 60, the data with their length.
std::string Tail(std::uint16_t type, std::string_view data) {
  return Number16(type) + "\0\1\0\0\0\x3c"s + Number16(static_cast<unsigned>(data.size())) + std::string(data);
}

std::string FaultText(const Message& m) {
  std::string text;
  AppendFault(text, m.fault);
  return text;
}

std::string NameText(const Message& m, NameRef name) {
  std::string text;
  AppendName(text, m.NameOctets(name), true);
  return text;
}

std::string RecordText(const Message& m, std::size_t i) {
  std::string text;
  AppendRecordText(text, m, m.records.at(i));
  return text;
}

// An answer to "example.test. IN MX" as a server sends it: compressed names, additional addresses, EDNS.
const std::string& MxAnswer() {
  static const std::string wire = Header(0x8580, {1, 2, 0, 3}) + "\7example\4test\0\0\x0f\0\1"s +          // 12
                                  "\xc0\x0c"s + Tail(15, "\0\x0a\4mail\xc0\x0c"s) +                        // 30
                                  "\xc0\x0c"s + Tail(15, "\0\x14\3mx2\xc0\x0c"s) +                         // 51
                                  "\xc0\x2c"s + Tail(1, "\x0a\x09\0\1"s) +                                 //
                                  "\4mail\xc0\x0c"s + Tail(28, "\xfd\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\1"s) +  //
                                  "\0\0\x29\x04\xd0\0\0\x80\0\0\x0c\0\x0a\0\x08\1\2\3\4\5\6\7\x08"s;
  return wire;
}

TEST(DnsMessage, AnAnswerIsReadWhole) {
  Message m;
  Decode(MxAnswer(), m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(m.id, 0x1234);
  EXPECT_TRUE(m.response());
  EXPECT_EQ(m.opcode(), 0);
  EXPECT_EQ(m.rcode(), 0);
  EXPECT_EQ(m.length, MxAnswer().size());
  std::string flags;
  AppendFlags(flags, m);
  EXPECT_EQ(flags, "qr aa rd ra");
  ASSERT_EQ(m.questions.size(), 1u);
  std::string question;
  AppendQuestionText(question, m, m.questions[0]);
  EXPECT_EQ(question, "example.test. IN MX");
  EXPECT_EQ(m.questions[0].wire, (OctetRange{12, 18}));
  ASSERT_EQ(m.records.size(), 5u);
  EXPECT_EQ(RecordText(m, 0), "example.test. 60 IN MX 10 mail.example.test.");
  EXPECT_EQ(RecordText(m, 1), "example.test. 60 IN MX 20 mx2.example.test.");
  EXPECT_EQ(RecordText(m, 2), "mail.example.test. 60 IN A 10.9.0.1");
  EXPECT_EQ(RecordText(m, 3), "mail.example.test. 60 IN AAAA fd00:9::1");
  EXPECT_EQ(RecordText(m, 4), "; EDNS: version 0, flags do, udp 1232, COOKIE 0102030405060708");
  EXPECT_EQ(m.records[0].wire, (OctetRange{30, 21}));
  EXPECT_EQ(m.records[0].section, Section::kAnswer);
  EXPECT_EQ(m.records[2].section, Section::kAdditional);
  EXPECT_TRUE(m.edns.present);
  EXPECT_EQ(m.edns.udp_size, 1232);
  EXPECT_TRUE(m.edns.dnssec_ok);
}

TEST(DnsMessage, TypedReadings) {
  Message m;
  Decode(MxAnswer(), m);
  MxData mx;
  ASSERT_TRUE(GetMx(m, m.records[0], mx));
  EXPECT_EQ(mx.preference, 10);
  EXPECT_EQ(mx.exchange, "\4mail\7example\4test\0"s);
  EXPECT_FALSE(mx.null());
  EXPECT_FALSE(GetMx(m, m.records[2], mx));
  Address address;
  ASSERT_TRUE(GetAddress(m, m.records[2], address));
  EXPECT_EQ(address.Text(), "10.9.0.1");
  ASSERT_TRUE(GetAddress(m, m.records[3], address));
  EXPECT_EQ(address.Text(), "fd00:9::1");
  EXPECT_FALSE(GetAddress(m, m.records[0], address));
  m.Clear();
  ASSERT_TRUE(m.AddRecord(Section::kAnswer, "none.test", kTypeMx, kClassIn, 60, "\0\0\0"s));
  ASSERT_TRUE(m.AddRecord(Section::kAnswer, "none.test", kTypeCname, kClassIn, 60, "\1a\0"s));
  ASSERT_TRUE(m.AddRecord(Section::kAnswer, "_s._tcp.test", kTypeSrv, kClassIn, 60, "\0\1\0\2\x02\x4b\1b\0"s));
  ASSERT_TRUE(GetMx(m, m.records[0], mx));
  EXPECT_TRUE(mx.null());
  Octets name;
  ASSERT_TRUE(GetName(m, m.records[1], name));
  EXPECT_EQ(name, "\1a\0"s);
  SrvData srv;
  ASSERT_TRUE(GetSrv(m, m.records[2], srv));
  EXPECT_EQ(srv.port, 587);
  EXPECT_EQ(srv.target, "\1b\0"s);
  EXPECT_TRUE(SameName("\1A\0"s, "\1a\0"s));
  EXPECT_FALSE(SameName("\1A\0"s, "\1b\0"s));
}

TEST(DnsMessage, CutAtEveryOctetItTellsWhatCame) {
  const std::string& whole = MxAnswer();
  Message all, m;
  Decode(whole, all);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    SCOPED_TRACE(n);
    Decode(whole.substr(0, n), m);
    EXPECT_TRUE(m.malformed());
    EXPECT_LE(m.fault.offset, n);
    EXPECT_LE(m.records.size(), all.records.size());
    for (std::size_t i = 0; i < m.records.size(); ++i) EXPECT_EQ(RecordText(m, i), RecordText(all, i));
    // The same octets where the capture, not the sender, left the rest out.
    Decode(whole.substr(0, n), whole.size(), m);
    EXPECT_FALSE(m.malformed()) << FaultText(m);
    EXPECT_TRUE(m.cut);
    EXPECT_EQ(m.length, whole.size());
  }
}

TEST(DnsMessage, TrailingOctetsAreAFaultAndChangeNothing) {
  Message m;
  Decode(MxAnswer() + "xyz", m);
  EXPECT_EQ(m.records.size(), 5u);
  EXPECT_EQ(FaultText(m), "3 octets after the last record, at octet " + std::to_string(MxAnswer().size()));
}

TEST(DnsMessage, WhatTheHeaderCountsMustBeThere) {
  Message m;
  Decode(Header(0x8180, {1, 1, 0, 0}) + "\1a\0\0\1\0\1"s, m);
  EXPECT_EQ(FaultText(m), "answer 1: is not there, but the header counts it, at octet 19");
  Decode(Header(0x0100, {0xffff, 0xffff, 0xffff, 0xffff}) + "\1a\0\0\1\0\1"s, m);
  EXPECT_EQ(FaultText(m), "question 2: is not there, but the header counts it, at octet 19");
  EXPECT_EQ(m.questions.size(), 1u);
  std::string many = Header(0, {0xffff, 0, 0, 0});
  for (int i = 0; i < 0xffff; ++i) many += "\0\0\1\0\1"s;
  Decode(many, m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(m.questions.size(), 0xffffu);
}

TEST(DnsMessage, LabelsUpTo63AndNamesUpTo255Octets) {
  const auto question = [](const std::string& name) { return Header(0, {1, 0, 0, 0}) + name + "\0\1\0\1"s; };
  const std::string label63 = "\x3f" + std::string(63, 'a');
  Message m;
  Decode(question(label63 + "\0"s), m);
  EXPECT_EQ(FaultText(m), "");
  Decode(question("\x40" + std::string(64, 'a') + "\0"s), m);
  EXPECT_EQ(FaultText(m), "question 1: 0x40 begins no kind of label, at octet 12");
  Decode(question(label63 + label63 + label63 + "\x3d" + std::string(61, 'b') + "\0"s), m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(m.questions.at(0).name.length, 255);
  Decode(question(label63 + label63 + label63 + "\x3e" + std::string(62, 'b') + "\0"s), m);
  EXPECT_EQ(FaultText(m), "question 1: the name is longer than 255 octets, at octet 204");
  ASSERT_EQ(m.questions.size(), 1u) << "its end is known, so the rest is read";
  EXPECT_EQ(m.questions[0].type, kTypeA);
  EXPECT_TRUE(NameText(m, m.questions[0].name).ends_with("a.<broken>"));
  // 127 labels of one octet are 255 octets.
  std::string most;
  for (int i = 0; i < 127; ++i) most += "\1x";
  Decode(question(most + "\0"s), m);
  EXPECT_EQ(FaultText(m), "");
  // The same limit where the rest comes by a pointer.
  Decode(Header(0, {2, 0, 0, 0}) + label63 + label63 + label63 + "\x3d" + std::string(61, 'b') + "\0\0\1\0\1"s +
             "\1c\xc0\x0c\0\1\0\1"s,
         m);
  EXPECT_EQ(m.fault.kind, FaultKind::kNameTooLong);
  EXPECT_EQ(m.questions.size(), 2u);
}

TEST(DnsMessage, PointersThatGoNowhere) {
  const auto question = [](const std::string& name) { return Header(0, {1, 0, 0, 0}) + name + "\0\1\0\1"s; };
  Message m;
  Decode(question("\xc0\x0c"s), m);  // to itself
  EXPECT_EQ(FaultText(m), "question 1: a compression pointer to octet 12, which is no earlier name, at octet 12");
  EXPECT_EQ(m.questions.size(), 1u);
  EXPECT_EQ(NameText(m, m.questions[0].name), "<broken>");
  Decode(question("\1a\xc0\x0c"s), m);  // to its own beginning: a.a.a…
  EXPECT_EQ(m.fault.kind, FaultKind::kForwardPointer);
  EXPECT_EQ(m.questions.size(), 1u);
  Decode(question("\xc0\x00"s), m);  // into the header
  EXPECT_EQ(m.fault.kind, FaultKind::kForwardPointer);
  Decode(question("\xff\xff"s), m);  // past the end
  EXPECT_EQ(m.fault.kind, FaultKind::kForwardPointer);
  EXPECT_EQ(NameText(m, m.questions[0].name), "<broken>");
  // Forward, to a name that is there: followed, and told.
  Decode(Header(0, {2, 0, 0, 0}) + "\xc0\x12\0\1\0\1"s + "\3www\4test\0\0\1\0\1"s, m);
  EXPECT_EQ(m.fault.kind, FaultKind::kForwardPointer);
  ASSERT_EQ(m.questions.size(), 2u);
  EXPECT_EQ(NameText(m, m.questions[0].name), "www.test.");
}

TEST(DnsMessage, ANameThatBreaksOffBehindAZeroOctetIsStillBroken) {
  Message m;
  Decode(Header(0x8000, {0, 1, 0, 0}) + "\1o\0"s + Tail(2, "\2a\0\xc0\x0f"s), m);  // the pointer's target is the type's octets
  EXPECT_EQ(RecordText(m, 0), "o. 60 IN NS a\\000.");
  Decode(Header(0x8000, {0, 1, 0, 0}) + "\1o\0"s + Tail(2, "\2a\0\xff\xff"s), m);
  EXPECT_EQ(RecordText(m, 0), "o. 60 IN NS \\# 5 026100FFFF");
}

TEST(DnsMessage, ChainsOfPointersAreBounded) {
  // A null record whose data are pointers, each to the one before; the first to the question's name.
  const auto chain = [](int hops) {
    std::string data;
    int at = 12 + 7 + 11;
    for (int i = 0; i < hops - 1; ++i, at += 2) data += Number16(0xc000u | static_cast<unsigned>(i == 0 ? 12 : at - 2));
    return Header(0x8000, {1, 2, 0, 0}) + "\1a\0\0\1\0\1"s + "\0"s + Tail(10, data) +
           Number16(0xc000u | static_cast<unsigned>(hops == 1 ? 12 : at - 2)) + Tail(1, "\1\2\3\4");
  };
  Message m;
  Decode(chain(127), m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(NameText(m, m.records.at(1).name), "a.");
  Decode(chain(128), m);
  EXPECT_EQ(m.fault.kind, FaultKind::kTooManyPointers);
  EXPECT_EQ(m.records.size(), 2u);
}

TEST(DnsMessage, UnpackedOctetsAreBounded) {
  const std::string label63 = "\x3f" + std::string(63, 'a');
  std::string wire =
      Header(0x8000, {1, 0xffff, 0, 0}) + label63 + label63 + label63 + "\x3d" + std::string(61, 'b') + "\0\0\1\0\1"s;
  for (int i = 0; i < 4500; ++i) wire += "\xc0\x0c"s + Tail(2, "\xc0\x0c");
  Message m;
  Decode(wire, m);
  EXPECT_EQ(m.fault.kind, FaultKind::kTooLarge);
  EXPECT_GT(m.records.size(), 4000u);
  EXPECT_LE(m.storage.size(), MessageLimits{}.unpacked + kMaxMessage);
  MessageLimits limits;
  limits.unpacked = 3 * 255;
  Decode(wire, wire.size(), m, limits);
  EXPECT_EQ(m.records.size(), 2u) << "the question's name and two names in data are 765 octets";
  EXPECT_EQ(m.fault.kind, FaultKind::kTooLarge);
}

TEST(DnsMessage, ANameThatIsDataToo) {
  // Owner and data are the same name, which lies last in the storage when the data's pointer is read.
  Message m;
  Decode(Header(0x8000, {0, 1, 0, 0}) + "\1a\4test\0"s + Tail(2, "\xc0\x0c"), m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(RecordText(m, 0), "a.test. 60 IN NS a.test.");
}

TEST(DnsMessage, DataThatDoNotFitTheirTypeAreShownAsTheyCame) {
  const auto answer = [](std::uint16_t type, std::string_view data) {
    Message m;
    Decode(Header(0x8000, {0, 2, 0, 0}) + "\1a\0"s + Tail(type, data) + "\1b\0"s + Tail(1, "\1\2\3\4"), m);
    EXPECT_EQ(m.fault.kind, FaultKind::kBadData) << type;
    EXPECT_EQ(m.records.size(), 2u) << type;
    return RecordText(m, 0);
  };
  EXPECT_EQ(answer(kTypeA, "\1\2\3"), "a. 60 IN A \\# 3 010203");
  EXPECT_EQ(answer(kTypeA, "\1\2\3\4\5"), "a. 60 IN A \\# 5 0102030405");
  EXPECT_EQ(answer(kTypeA, ""), "a. 60 IN A \\# 0");
  EXPECT_EQ(answer(kTypeMx, "\0"s), "a. 60 IN MX \\# 1 00");
  EXPECT_EQ(answer(kTypeTxt, ""), "a. 60 IN TXT \\# 0");
  EXPECT_EQ(answer(kTypeTxt, "\5abc"), "a. 60 IN TXT \\# 4 05616263");
  EXPECT_EQ(answer(47, "\1a\0\0\x21"s + std::string(33, 'x')).substr(0, 21), "a. 60 IN NSEC \\# 38 0");
  EXPECT_EQ(answer(64, "\0\1\0\0\1\0\5x"s), "a. 60 IN SVCB \\# 8 0001000001000578");
  Message m;
  Decode(Header(0x8000, {0, 2, 0, 0}) + "\1a\0"s + Tail(kTypeNs, "\7abc") + "\1b\0"s + Tail(1, "\1\2\3\4"), m);
  EXPECT_EQ(FaultText(m), "answer 1: the name is not complete, at octet 29");
  EXPECT_EQ(m.records.size(), 2u) << "RDLENGTH tells where the next record begins";
}

TEST(DnsMessage, ANameOutOfDataThatDoNotFitIsReadAgainWhereItIsPointedTo) {
  // An SOA whose first name is whole (compressed: it is longer unpacked) and whose second is not; then names that point to the
  // first.
  const std::string owner = "\x3f" + std::string(63, 'a') + "\0"s;
  const std::string whole = "\1n\xc0\x0c";
  const std::string broken = "\x3f" + std::string(3, 'x');
  const std::string before = Header(0x8000, {0, 3, 0, 0}) + owner + Tail(kTypeSoa, "");
  const std::string target = {'\xc0', static_cast<char>(before.size())};
  Message m;
  Decode(Header(0x8000, {0, 3, 0, 0}) + owner + Tail(kTypeSoa, whole + broken) + target + Tail(1, "\1\2\3\4") + "\1b\0"s +
             Tail(kTypeNs, target),
         m);
  EXPECT_TRUE(m.malformed());
  ASSERT_EQ(m.records.size(), 3u);
  const std::string name = "n." + std::string(63, 'a') + ".";
  EXPECT_EQ(RecordText(m, 1), name + " 60 IN A 1.2.3.4");
  EXPECT_EQ(RecordText(m, 2), "b. 60 IN NS " + name);
}

TEST(DnsMessage, UpdateHasRecordsWithoutData) {
  Message m;
  Decode(Header(0x2800, {1, 1, 0, 0}) + "\4test\0\0\6\0\1"s + "\1a\xc0\x0c\0\1\0\xff\0\0\0\0\0\0"s, m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(RecordText(m, 0), "a.test. 0 ANY A \\# 0");
}

TEST(DnsMessage, StatefulOperationsCarryOtherThingsBehindTheHeader) {
  Message m;
  Decode(Header(0x3000, {0, 0, 0, 0}) + "\0\1\0\x08\0\0\x3a\x98\0\0\x3a\x98"s, m);
  EXPECT_EQ(FaultText(m), "");
  EXPECT_EQ(m.opcode(), kOpcodeDso);
}

TEST(DnsMessage, ExtendedRcodeAndASecondOpt) {
  Message m;
  Decode(Header(0x8000, {0, 0, 0, 1}) + "\0\0\x29\x10\0\1\0\0\0\0\0"s, m);
  EXPECT_EQ(m.rcode(), 16);
  Decode(Header(0x8000, {0, 0, 0, 2}) + "\0\0\x29\x10\0\1\0\0\0\0\0"s + "\0\0\x29\x10\0\2\0\0\0\0\0"s, m);
  EXPECT_EQ(m.fault.kind, FaultKind::kSecondOpt);
  EXPECT_EQ(m.rcode(), 16);
}

TEST(DnsMessage, EdnsOptionsThatBreakTheirRules) {
  const auto with = [](const std::string& options) {
    Message m;
    Decode(Header(0, {0, 0, 0, 1}) + "\0\0\x29\x10\0\0\0\0\0"s + Number16(static_cast<unsigned>(options.size())) + options, m);
    return m.fault.kind;
  };
  EXPECT_EQ(with("\0\x08\0\7\0\1\x18\0\1\2\3"s), FaultKind::kNone);
  EXPECT_EQ(with("\0\x08\0\x08\0\1\x18\0\1\2\3\4"s), FaultKind::kBadOption) << "an octet more than the prefix has";
  EXPECT_EQ(with("\0\x08\0\7\0\1\x17\0\1\2\3"s), FaultKind::kBadOption) << "a bit behind the prefix";
  EXPECT_EQ(with("\0\x08\0\7\0\1\x17\0\1\2\2"s), FaultKind::kNone);
  EXPECT_EQ(with("\0\x08\0\7\0\3\x18\0\1\2\3"s), FaultKind::kBadOption) << "no such family";
  EXPECT_EQ(with("\0\x08\0\4\0\0\0\0"s), FaultKind::kNone);
  EXPECT_EQ(with("\0\x0a\0\7"s + "1234567"), FaultKind::kBadOption);
  EXPECT_EQ(with("\0\x0a\0\x09"s + "1234567"), FaultKind::kBadData);
}

TEST(DnsMessage, TheSameMessageIsReadAgainWithoutNewMemory) {
  Message m;
  Decode(MxAnswer(), m);
  const auto* storage = m.storage.data();
  const auto* records = m.records.data();
  for (int i = 0; i < 3; ++i) Decode(MxAnswer(), m);
  EXPECT_EQ(m.storage.data(), storage);
  EXPECT_EQ(m.records.data(), records);
}

// Every octet of a sound message lies in some field that has no other within it.
struct Collector {
  static constexpr bool kWanted = true;
  struct Item {
    Field field;
    OctetRange range;
    std::string text;
  };
  std::vector<Item> items;
  void operator()(Field field, OctetRange range, const FieldValue& value) {
    const auto* text = std::get_if<Octets>(&value);
    const auto* number = std::get_if<std::uint64_t>(&value);
    items.push_back({field, range, text != nullptr ? std::string(*text) : number != nullptr ? std::to_string(*number) : ""});
  }
};

TEST(DnsMessage, FieldsTellEveryOctet) {
  Message m;
  Collector fields;
  DecodeFields(MxAnswer(), MxAnswer().size(), m, fields);
  std::vector<bool> told(MxAnswer().size());
  for (const auto& item : fields.items) {
    ASSERT_LE(item.range.offset + item.range.length, MxAnswer().size());
    if (item.field == Field::kDnsRecord || item.field == Field::kDnsQuestion || item.field == Field::kDnsOption) continue;
    for (std::size_t i = 0; i < item.range.length; ++i) told[item.range.offset + i] = true;
  }
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_TRUE(told[i]) << i;
  const auto has = [&](std::string_view abbreviation, std::size_t offset, std::size_t length, std::string_view text) {
    for (const auto& item : fields.items)
      if (Info(item.field).abbreviation == abbreviation && item.range == OctetRange{offset, length} && item.text == text)
        return true;
    return false;
  };
  EXPECT_TRUE(has("dns.id", 0, 2, "4660"));
  EXPECT_TRUE(has("dns.flags.response", 2, 1, "1"));
  EXPECT_TRUE(has("dns.flags.recavail", 3, 1, "1"));
  EXPECT_TRUE(has("dns.count.answers", 6, 2, "2"));
  EXPECT_TRUE(has("dns.qry.name", 12, 14, "example.test"));
  EXPECT_TRUE(has("dns.name.label", 13, 7, "example"));
  EXPECT_TRUE(has("dns.name.end", 25, 1, "0"));
  EXPECT_TRUE(has("dns.qry.type", 26, 2, "15"));
  EXPECT_TRUE(has("dns.resp.name", 30, 2, "example.test"));
  EXPECT_TRUE(has("dns.name.pointer", 30, 2, "12"));
  EXPECT_TRUE(has("dns.resp.ttl", 36, 4, "60"));
  EXPECT_TRUE(has("dns.mx.preference", 42, 2, "10"));
  EXPECT_TRUE(has("dns.mx.mail_exchange", 44, 7, "mail.example.test"));
  EXPECT_TRUE(has("dns.resp", 30, 21, "example.test. 60 IN MX 10 mail.example.test."));
}

TEST(DnsMessage, AnyOctetsAreReadWithoutHarm) {
  std::mt19937 random(1);
  Message m, again;
  std::string encoded, text;
  for (int round = 0; round < 20000; ++round) {
    std::string wire = MxAnswer();
    for (unsigned n = 1 + random() % 4; n > 0; --n) wire[random() % wire.size()] = static_cast<char>(random());
    Decode(wire, m);
    text.clear();
    for (const Record& r : m.records) AppendRecordText(text, m, r);
    for (const char c : text) ASSERT_TRUE(c >= ' ' && c <= '~');
    if (m.malformed()) {
      text.clear();
      AppendFault(text, m.fault);
      EXPECT_FALSE(text.empty());
      EXPECT_LE(m.fault.offset, wire.size());
      continue;
    }
    encoded.clear();
    ASSERT_TRUE(Encode(m, encoded));
    Decode(encoded, again);
    ASSERT_FALSE(again.malformed()) << FaultText(again);
    ASSERT_TRUE(SameContent(m, again));
  }
}

TEST(DnsMessage, EncodingCompressesAndReadsBackTheSame) {
  Message m, again;
  m.id = 7;
  m.flags = kFlagQr | kFlagRd;
  ASSERT_TRUE(m.AddQuestion("Example.test", kTypeMx));
  std::string data;
  ASSERT_TRUE(ParseData(kTypeMx, "10 mail.Example.test.", data));
  ASSERT_TRUE(m.AddRecord(Section::kAnswer, "Example.test.", kTypeMx, kClassIn, 3600, data));
  data.clear();
  ASSERT_TRUE(ParseData(kTypeSoa, "ns.Example.test. root.ns.Example.test. 1 2 3 4 5", data));
  ASSERT_TRUE(m.AddRecord(Section::kAuthority, "Example.test.", kTypeSoa, kClassIn, 3600, data));
  data.clear();
  ASSERT_TRUE(ParseData(kTypeSrv, "0 0 25 mail.Example.test.", data));
  ASSERT_TRUE(m.AddRecord(Section::kAdditional, "_smtp._tcp.Example.test.", kTypeSrv, kClassIn, 3600, data));
  ASSERT_TRUE(m.AddRecord(Section::kAdditional, "example.test.", kTypeA, kClassIn, 3600, "\1\2\3\4"));
  m.AddEdns(1232, true, "\0\x0a\0\x08"s + "12345678");
  m.SetRcode(17);
  std::string wire = "kept";
  ASSERT_TRUE(Encode(m, wire));
  ASSERT_TRUE(wire.starts_with("kept"));
  wire.erase(0, 4);
  Decode(wire, again);
  EXPECT_EQ(FaultText(again), "");
  EXPECT_TRUE(SameContent(m, again));
  EXPECT_EQ(again.rcode(), 17);
  EXPECT_EQ(again.records[0].wire_data.length, 9u) << "preference, label, pointer";
  EXPECT_EQ(again.records[1].wire_data.length, 5u + 7 + 20) << "ns and a pointer, root and a pointer, five numbers";
  EXPECT_EQ(again.records[2].wire_data.length, data.size()) << "SRV's target is not compressed (RFC 2782)";
  EXPECT_EQ(NameText(again, again.records[3].name), "example.test.") << "another case is another name to the compressor";
  EXPECT_EQ(RecordText(again, 1), "Example.test. 3600 IN SOA ns.Example.test. root.ns.Example.test. 1 2 3 4 5");
  std::string small;
  EXPECT_FALSE(Encode(m, small, wire.size() - 1));
  EXPECT_EQ(small, "");
  EXPECT_TRUE(Encode(m, small, wire.size()));
}

TEST(DnsMessage, EncodingWhatManyNamesMake) {
  Message m, again;
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    std::string name, data;
    for (unsigned labels = 1 + random() % 5; labels > 0; --labels)
      name += std::string(1 + random() % 3, static_cast<char>('a' + random() % 3)) + ".";
    ASSERT_TRUE(ParseName(name, data));
    ASSERT_TRUE(m.AddRecord(Section::kAnswer, name, kTypeNs, kClassIn, 1, data));
  }
  std::string wire;
  ASSERT_TRUE(Encode(m, wire));
  Decode(wire, again);
  EXPECT_EQ(FaultText(again), "");
  EXPECT_TRUE(SameContent(m, again));
}

}  // namespace
}  // namespace glasspost::dns
