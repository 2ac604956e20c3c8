#include "capture/pcapng_reader.h"

#include <gtest/gtest.h>

#include "support/capture_builder.h"

namespace glasspost::capture {
namespace {

using namespace std::string_literals;
using support::OctetBuilder;
using support::PcapngBuilder;
using support::ReadByOctet;
using support::Reading;
using support::ReadInPieces;
using support::ReadSplit;
using support::ReadWhole;

Reading Read(const PcapngBuilder& builder, const ReaderLimits& limits = {}) {
  return ReadWhole<PcapngReader>(builder.str(), limits);
}

// Every kind of block, in sections of both octet orders.
PcapngBuilder Everything() {
  PcapngBuilder b;
  for (const bool big : {false, true}) {
    b.Section(big);
    b.Block(0x80000001, "unknown block, skipped");
    b.Interface(1, 0, b.Option(1, "a comment") + b.Option(9, "\x09") + b.Option(0, ""));
    b.Interface(113, 4, b.Option(9, "\x8a") + b.Option(14, b.Body().U64(100).str()));
    b.Enhanced(0, 1'700'000'000'123'456'789, "first", 1500, b.Option(1, "on the packet") + b.Option(0, ""));
    b.Block(4, "\0\0\0\0"s);         // names
    b.Block(5, std::string(12, 0));  // statistics
    b.Block(0x0bad, b.Body().U32(32473).str() + "custom");
    b.Block(0x40000bad, b.Body().U32(32473).str() + "custom, not to be copied");
    b.OldPacket(1, 1025, "second!", 7);
    b.Simple(300, std::string(300, 's'));
    b.Secrets(0x544c534b, "CLIENT_RANDOM 00 11");
    b.Secrets(0x57474b4c, "not of TLS");
    b.Block(77, "");
  }
  return b;
}

TEST(PcapngReader, ReadsEveryBlockInBothOrdersHoweverCut) {
  const std::string text = Everything().str();
  EXPECT_TRUE(PcapngReader::Recognizes(AsBytes(text)));
  Reading expected;
  for (std::uint64_t i = 0; i < 6; i += 3) {
    expected.frames.push_back({i + 1, 1'700'000'000'123'456'789, 1, 1500, "first"});
    expected.frames.push_back({i + 2, 101'000'976'562, 113, 7, "second!"});
    expected.frames.push_back({i + 3, 0, 1, 300, std::string(300, 's')});
  }
  PcapngReader whole;
  EXPECT_EQ(ReadInPieces(whole, text, [&] { return text.size(); }), expected);
  EXPECT_EQ(whole.tls_secrets(), "CLIENT_RANDOM 00 11\nCLIENT_RANDOM 00 11\n");
  EXPECT_FALSE(whole.tls_secrets_cut());
  PcapngReader by_octet;
  EXPECT_EQ(ReadInPieces(by_octet, text, [] { return std::size_t{1}; }), expected);
  EXPECT_EQ(by_octet.tls_secrets(), whole.tls_secrets());
  for (std::size_t i = 0; i <= text.size(); ++i) EXPECT_EQ(ReadSplit<PcapngReader>(text, i), expected) << i;
}

TEST(PcapngReader, TruncatedAtEveryOctetGivesTheWholeFramesAndAFault) {
  const std::string text = Everything().str();
  const Reading whole = ReadWhole<PcapngReader>(text);
  // Where a file may end: behind each block.
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < text.size();) {
    const auto* p = AsBytes(text).data() + at;
    const bool big = at >= text.size() / 2;
    at += big ? LoadBig<std::uint32_t>(p + 4) : LoadLittle<std::uint32_t>(p + 4);
    ends.push_back(at);
  }
  ASSERT_EQ(ends.back(), text.size());
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const Reading reading = ReadWhole<PcapngReader>(text.substr(0, cut));
    const auto end = std::find(ends.begin(), ends.end(), cut);
    EXPECT_EQ(reading.fault.has_value(), end == ends.end()) << cut;
    std::size_t begin = 0;
    for (const std::size_t e : ends)
      if (e <= cut) begin = e;
    EXPECT_EQ(reading.fault ? reading.fault->offset : begin, begin) << cut;
    ASSERT_LE(reading.frames.size(), whole.frames.size());
    EXPECT_TRUE(std::equal(reading.frames.begin(), reading.frames.end(), whole.frames.begin())) << cut;
    EXPECT_EQ(ReadByOctet<PcapngReader>(text.substr(0, cut)), reading) << cut;
  }
}

TEST(PcapngReader, SimplePacketsAreCutByTheFirstInterfacesSnapLength) {
  const Reading r = Read(PcapngBuilder().Section(false).Interface(1, 5).Simple(64, "12345678"));
  ASSERT_EQ(r.frames.size(), 1U);
  EXPECT_EQ(r.frames[0].octets, "12345");
  EXPECT_EQ(r.frames[0].wire_length, 64U);
  const Reading short_block = Read(PcapngBuilder().Section(false).Interface(1).Simple(64, "12345678"));
  EXPECT_EQ(short_block.fault->what, "packet length 64 is more than the 8 octets of its block");
}

TEST(PcapngReader, ANewSectionHasItsOwnInterfaces) {
  const Reading r = Read(PcapngBuilder().Section(false).Interface(1).Section(true, 4711).Enhanced(0, 1, "a", 1));
  ASSERT_TRUE(r.fault);
  EXPECT_EQ(r.fault->offset, 76U);
  EXPECT_EQ(r.fault->what, "a packet of interface 0, which the section does not describe");
}

TEST(PcapngReader, LengthAtTheEndMustBeTheSame) {
  for (const std::uint32_t type : {6U, 99U}) {
    std::string text = PcapngBuilder().Section(false).Interface(1).str();
    const std::size_t place = text.size();
    text += OctetBuilder().U32(type).U32(36).U32(0).U64(0).U32(1).U32(1).Raw("a").Pad().U32(40).str();
    const Reading r = ReadWhole<PcapngReader>(text);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->offset, place);
    EXPECT_EQ(r.fault->what, "the block's length is 36 at its beginning and 40 at its end");
    EXPECT_TRUE(r.frames.empty());
    EXPECT_EQ(ReadByOctet<PcapngReader>(text), r);
  }
}

TEST(PcapngReader, LengthsThatCannotBe) {
  const std::string good = PcapngBuilder().Section(false).Interface(1).str();
  const auto what = [&](const std::string& more) {
    const Reading r = ReadWhole<PcapngReader>(good + more);
    EXPECT_EQ(ReadByOctet<PcapngReader>(good + more), r);
    EXPECT_TRUE(r.fault && r.fault->offset == good.size());
    return r.fault ? r.fault->what : "";
  };
  EXPECT_EQ(what(OctetBuilder().U32(6).U32(0).U32(0).str()), "block length 0 is less than the block's own frame");
  EXPECT_EQ(what(OctetBuilder().U32(99).U32(11).U32(0).str()), "block length 11 is less than the block's own frame");
  EXPECT_EQ(what(OctetBuilder().U32(99).U32(13).U32(0).U32(13).str()), "block length 13 is no multiple of 4");
  EXPECT_EQ(what(OctetBuilder().U32(6).U32(0xfffffffc).U32(0).str()), "block length 4294967292 is beyond 17825792");
  EXPECT_EQ(what(OctetBuilder().U32(99).U32(0xfffffffc).U32(0).str()), "the file ends inside a block of 4294967292 octets");
  EXPECT_EQ(what(OctetBuilder().U32(0x0a0d0d0a).U32(28).U32(0x12345678).str()),
            "a section header with the unknown byte-order magic 12345678");
  const auto block = [](std::uint32_t type, Octets body) { return PcapngBuilder().Block(type, body).str(); };
  EXPECT_EQ(what(block(6, std::string(16, 0))), "a packet block that is too short");
  EXPECT_EQ(what(block(2, std::string(16, 0))), "a packet block that is too short");
  EXPECT_EQ(what(block(3, "")), "a packet block that is too short");
  EXPECT_EQ(what(block(1, "\1\0\0\0"s)), "an interface description that is too short");
  EXPECT_EQ(what(block(10, "KSLT")), "a decryption secrets block that is too short");
  EXPECT_EQ(what(block(10, "KSLT\5\0\0\0abcd"s)), "secrets length 5 is more than the 4 octets of its block");
  EXPECT_EQ(what(block(1, "\1\0\0\0\0\0\0\0\2\0\5\0abcd"s)), "an option of an interface description runs over its end");
  EXPECT_EQ(what(block(6, std::string(12, 0) + "\5\0\0\0\5\0\0\0abcd"s)),
            "packet length 5 is more than the 4 octets of its block");
}

TEST(PcapngReader, LimitsAndOnePast) {
  ReaderLimits limits;
  limits.packet_octets = 8;
  PcapngBuilder b;
  b.Section(false).Interface(1).Enhanced(0, 1, "12345678", 8);
  EXPECT_EQ(Read(b, limits).frames.size(), 1U);
  EXPECT_FALSE(Read(b, limits).fault);
  EXPECT_EQ(Read(b.Enhanced(0, 1, "123456789", 9), limits).fault->what, "packet length 9 is beyond 8");

  limits = {};
  limits.block_octets = 40;
  PcapngBuilder c;
  c.Section(false).Interface(1).Enhanced(0, 1, "12345678", 8).Block(99, std::string(1000, 'x'));
  EXPECT_FALSE(Read(c, limits).fault) << "a block that is skipped has no limit";
  EXPECT_EQ(Read(c.Enhanced(0, 1, "123456789", 9), limits).fault->what, "block length 44 is beyond 40");

  limits = {};
  limits.interfaces = 2;
  PcapngBuilder d;
  d.Section(false).Interface(1).Interface(1);
  EXPECT_FALSE(Read(d, limits).fault);
  EXPECT_EQ(Read(d.Interface(1), limits).fault->what, "more than 2 interfaces");

  limits = {};
  limits.secret_octets = 8;
  PcapngBuilder e;
  e.Section(false).Secrets(0x544c534b, "abc").Secrets(0x544c534b, "de\n");
  PcapngReader reader(limits);
  const std::string text = e.str() + PcapngBuilder().Secrets(0x544c534b, "f").str();
  EXPECT_FALSE(ReadInPieces(reader, e.str(), [&] { return e.str().size(); }).fault);
  EXPECT_EQ(reader.tls_secrets(), "abc\nde\n");
  EXPECT_FALSE(reader.tls_secrets_cut());
  PcapngReader cut(limits);
  EXPECT_FALSE(ReadInPieces(cut, text, [&] { return text.size(); }).fault);
  EXPECT_EQ(cut.tls_secrets(), "abc\nde\n");
  EXPECT_TRUE(cut.tls_secrets_cut());
}

TEST(PcapngReader, RefusesWhatDoesNotBeginWithASection) {
  EXPECT_EQ(ReadWhole<PcapngReader>("GET / HTTP/1.1").fault->what, "not a pcapng file: it does not begin with a section header");
  EXPECT_FALSE(PcapngReader::Recognizes(AsBytes("\n\r\r")));
  PcapngBuilder b;
  b.Block(0x0a0d0d0a, b.Body().U32(0x1a2b3c4d).U16(2).U16(0).U64(0).str());
  EXPECT_EQ(Read(b).fault->what, "pcapng version 2.0 is not known");
  EXPECT_EQ(ReadWhole<PcapngReader>("").fault->what, "the file ends inside a block header, after 0 octets of it");
}

TEST(TimeUnit, DecimalAndBinaryChecked) {
  EXPECT_EQ(TimeUnit().ToNanoseconds(1'700'000'000'123'456), 1'700'000'000'123'456'000);
  EXPECT_EQ(TimeUnit(0).ToNanoseconds(5), 5'000'000'000);
  EXPECT_EQ(TimeUnit(9).ToNanoseconds(5), 5);
  EXPECT_EQ(TimeUnit(12).ToNanoseconds(5'999), 5);
  EXPECT_EQ(TimeUnit(28).ToNanoseconds(~0ULL), 1);
  EXPECT_EQ(TimeUnit(29).ToNanoseconds(~0ULL), 0);
  EXPECT_EQ(TimeUnit(127).ToNanoseconds(~0ULL), 0);
  EXPECT_EQ(TimeUnit(0x80).ToNanoseconds(7), 7'000'000'000);
  EXPECT_EQ(TimeUnit(0x8a).ToNanoseconds(1536), 1'500'000'000);
  EXPECT_EQ(TimeUnit(0xa0).ToNanoseconds((3ULL << 32) + (1ULL << 31)), 3'500'000'000);
  EXPECT_EQ(TimeUnit(0xff).ToNanoseconds(~0ULL), 0);
  EXPECT_EQ(TimeUnit(6, -3600).ToNanoseconds(3'600'000'001), 1000);
  EXPECT_EQ(TimeUnit(6, -3600).ToNanoseconds(3'600'000'000), 0);
  EXPECT_FALSE(TimeUnit(6, -3600).ToNanoseconds(3'599'999'999));
  // The last nanosecond that fits, and one past.
  EXPECT_EQ(TimeUnit(9).ToNanoseconds(0x7fffffffffffffff), 0x7fffffffffffffff);
  EXPECT_FALSE(TimeUnit(9).ToNanoseconds(0x8000000000000000));
  EXPECT_FALSE(TimeUnit(6).ToNanoseconds(~0ULL));
  EXPECT_FALSE(TimeUnit(0x80).ToNanoseconds(~0ULL));
  EXPECT_FALSE(TimeUnit(6, INT64_MAX).ToNanoseconds(1));
  EXPECT_FALSE(TimeUnit(6, 9'223'372'036).ToNanoseconds(1'000'000));
}

}  // namespace
}  // namespace glasspost::capture
