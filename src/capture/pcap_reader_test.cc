#include "capture/pcap_reader.h"

#include <gtest/gtest.h>

#include "capture/pcap_writer.h"
#include "support/capture_builder.h"

namespace glasspost::capture {
namespace {

using support::PcapForm;
using support::PcapHeader;
using support::PcapRecord;
using support::ReadByOctet;
using support::Reading;
using support::ReadSplit;
using support::ReadWhole;
using support::SeenFrame;

std::string ThreeRecords(const PcapForm& form) {
  return PcapHeader(form) + PcapRecord(form, 1, 999999, "first") + PcapRecord(form, 0xffffffff, 0, 0, 60, "") +
         PcapRecord(form, 2, 5, 6, 1500, "second");
}

TEST(PcapReader, ReadsEveryHeaderForm) {
  for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU, 0xa1b2cd34U}) {
    for (const bool big : {false, true}) {
      const PcapForm form{magic, big, 2, 4, 113};
      const std::string text = ThreeRecords(form);
      const Timestamp unit = magic == 0xa1b23c4d ? 1 : 1000;
      const Reading expected{{{1, 1'000'000'000 + 999999 * unit, 113, 5, "first"},
                              {2, 0xffffffffLL * 1'000'000'000, 113, 60, ""},
                              {3, 2'000'000'000 + 5 * unit, 113, 1500, "second"}},
                             {}};
      EXPECT_TRUE(PcapReader::Recognizes(AsBytes(text)));
      EXPECT_EQ(ReadWhole<PcapReader>(text), expected);
      EXPECT_EQ(ReadByOctet<PcapReader>(text), expected);
      for (std::size_t i = 0; i <= text.size(); ++i) EXPECT_EQ(ReadSplit<PcapReader>(text, i), expected) << i;
    }
  }
}

TEST(PcapReader, TruncatedAtEveryOctetGivesTheWholeFramesAndAFault) {
  const PcapForm form;
  const std::string text = ThreeRecords(form);
  const std::size_t ends[] = {24, 24 + 21, 24 + 21 + 16, text.size()};
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const Reading reading = ReadWhole<PcapReader>(text.substr(0, cut));
    std::size_t whole = 0;
    std::size_t place = 0;
    for (std::size_t i = 0; i < 4; ++i)
      if (cut >= ends[i]) {
        whole = i;
        place = ends[i];
      }
    EXPECT_EQ(reading.frames.size(), whole) << cut;
    EXPECT_EQ(reading.fault.has_value(), cut != place || cut == 0) << cut;
    EXPECT_EQ(reading.fault ? reading.fault->offset : place, place) << cut;
    EXPECT_EQ(ReadByOctet<PcapReader>(text.substr(0, cut)), reading) << cut;
  }
  EXPECT_EQ(ReadWhole<PcapReader>(text.substr(0, 50)).fault->what,
            "the file ends inside the record header of its packet 2, after 5 of 16 octets");
  EXPECT_EQ(ReadWhole<PcapReader>(text.substr(0, text.size() - 1)).fault->what,
            "the file ends inside its packet 3, after 21 of 22 octets");
}

TEST(PcapReader, PacketLengthAtTheLimitAndOnePast) {
  const PcapForm form;
  ReaderLimits limits;
  limits.packet_octets = 5;
  const std::string good = PcapHeader(form) + PcapRecord(form, 1, 0, "12345");
  EXPECT_EQ(ReadWhole<PcapReader>(good, limits).frames.size(), 1U);
  EXPECT_FALSE(ReadWhole<PcapReader>(good, limits).fault);
  const std::string bad = good + PcapRecord(form, 1, 0, "123456") + PcapRecord(form, 1, 0, "1");
  const Reading reading = ReadWhole<PcapReader>(bad, limits);
  EXPECT_EQ(reading.frames.size(), 1U);
  ASSERT_TRUE(reading.fault);
  EXPECT_EQ(reading.fault->offset, good.size());
  EXPECT_EQ(reading.fault->what, "packet length 6 is beyond 5: the file is damaged here");
  EXPECT_EQ(ReadByOctet<PcapReader>(bad, limits), reading);
}

TEST(PcapReader, ForgedLengthIsNoReasonToReadBeyond) {
  const PcapForm form;
  const std::string bad = PcapHeader(form) + PcapRecord(form, 1, 0, 0xffffffff, 0xffffffff, "x");
  ASSERT_TRUE(ReadWhole<PcapReader>(bad).fault);
  EXPECT_EQ(ReadWhole<PcapReader>(bad).fault->offset, 24U);
  const std::string cut = PcapHeader(form) + PcapRecord(form, 1, 0, 16 << 20, 16 << 20, "x");
  EXPECT_EQ(ReadWhole<PcapReader>(cut).fault->what, "the file ends inside its packet 1, after 17 of 16777232 octets");
}

TEST(PcapReader, OldVersionsHaveTheLengthsTheOtherWayRound) {
  const auto frame = [](std::uint16_t major, std::uint16_t minor, std::uint32_t first, std::uint32_t second) {
    const PcapForm form{0xa1b2c3d4, false, major, minor, 1};
    const Reading r = ReadWhole<PcapReader>(PcapHeader(form) + PcapRecord(form, 1, 0, first, second, "abc"));
    return r.frames.size() == 1 && !r.fault ? r.frames[0] : SeenFrame{};
  };
  const SeenFrame expected{1, 1'000'000'000, 1, 9, "abc"};
  EXPECT_EQ(frame(2, 2, 9, 3), expected);
  EXPECT_EQ(frame(543, 0, 9, 3), expected);
  EXPECT_EQ(frame(2, 3, 9, 3), expected);
  EXPECT_EQ(frame(2, 3, 3, 9), expected);
  EXPECT_EQ(frame(2, 4, 3, 9), expected);
}

TEST(PcapReader, CapturedLengthBeyondTheWireLengthIsTheWireLength) {
  const PcapForm form;
  const Reading r = ReadWhole<PcapReader>(PcapHeader(form) + PcapRecord(form, 1, 0, 4, 2, "abcd"));
  ASSERT_EQ(r.frames.size(), 1U);
  EXPECT_EQ(r.frames[0].wire_length, 4U);
  EXPECT_EQ(r.frames[0].octets, "abcd");
}

TEST(PcapReader, UpperBitsOfTheLinkTypeTellOfTheCheckSequence) {
  const PcapForm form{0xa1b2c3d4, true, 2, 4, 0x54000001};
  const Reading r = ReadWhole<PcapReader>(PcapHeader(form) + PcapRecord(form, 1, 0, "a"));
  ASSERT_EQ(r.frames.size(), 1U);
  EXPECT_EQ(r.frames[0].link, 1);
}

TEST(PcapReader, RefusesOtherVersionsAndOtherFiles) {
  EXPECT_EQ(ReadWhole<PcapReader>(PcapHeader({0xa1b2c3d4, false, 3, 0, 1})).fault->what, "pcap version 3.0 is not known");
  EXPECT_FALSE(PcapReader::Recognizes(AsBytes("\xd4\xc3\xb2")));
  EXPECT_FALSE(PcapReader::Recognizes(AsBytes("GET / HTTP/1.1")));
  EXPECT_TRUE(ReadWhole<PcapReader>("GET / HTTP/1.1 and more to fill it").fault);
}

TEST(PcapWriter, IsReadBack) {
  std::string out;
  AppendPcapHeader(out, LinkType::kLinuxSll2);
  AppendPcapFrame(out, 1'700'000'000'123'456'789, AsBytes("hello"), 64);
  AppendPcapFrame(out, -1, AsBytes("x"), 0);
  AppendPcapFrame(out, (Timestamp{1} << 32) * 1'000'000'000 - 1, {}, 3);
  const Reading expected{{{1, 1'700'000'000'123'456'789, 276, 64, "hello"},
                          {2, 0, 276, 1, "x"},
                          {3, (Timestamp{1} << 32) * 1'000'000'000 - 1, 276, 3, ""}},
                         {}};
  EXPECT_EQ(ReadWhole<PcapReader>(out), expected);
}

}  // namespace
}  // namespace glasspost::capture
