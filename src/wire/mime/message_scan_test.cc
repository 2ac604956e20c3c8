#include "wire/mime/message_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace glasspost::mime {
namespace {

struct Facts {
  std::uint64_t size, missing, header_octets, body_offset;
  std::string header, digest, journey;
  bool ended, cut, date, id;
  bool operator==(const Facts&) const = default;
};

const ScanOptions kAll{.digest = true, .journey = true, .limits = {}};

Facts Read(MessageScan& scan, const std::vector<Octets>& pieces) {
  scan.Reset();
  for (const Octets p : pieces) scan.OnOctets(p);
  Facts f{scan.size(),
          scan.missing(),
          scan.header_octets(),
          scan.header_ended() ? scan.body_offset() : 0,
          std::string(scan.header()),
          {},
          {},
          scan.header_ended(),
          scan.header_cut(),
          scan.has_date(),
          scan.has_message_id()};
  f.digest = Hex(scan.FinishDigest());
  f.journey = Hex(scan.FinishJourneyId());
  return f;
}

std::string DigestOf(Octets octets) {
  Sha256 h;
  h.Update(octets);
  return Hex(h.Finish());
}
const std::string kNoDigest(64, '0');

// Whole, octet by octet, at every two-way split: the same facts.
Facts Everyway(Octets message, const ScanOptions& options = kAll) {
  MessageScan scan(options);
  const Facts whole = Read(scan, {message});
  std::vector<Octets> octets;
  for (std::size_t i = 0; i < message.size(); ++i) octets.push_back(message.substr(i, 1));
  EXPECT_TRUE(Read(scan, octets) == whole) << "octet by octet: " << message.substr(0, 60);
  for (std::size_t i = 0; i <= message.size(); ++i)
    EXPECT_TRUE(Read(scan, {message.substr(0, i), message.substr(i)}) == whole)
        << "split at " << i << ": " << message.substr(0, 60);
  return whole;
}

TEST(MessageScan, TellsSizeDigestAndHeader) {
  const std::string header =
      "Received: from a\r\n\tby b\r\nDate: Mon, 23 Nov 2026 01:02:03 +0000\r\nmessage-id : <1@a>\r\nSubject: x\r\n";
  const std::string message = header + "\r\nbody\r\n\r\nDate: none\r\n";
  const Facts f = Everyway(message);
  EXPECT_EQ(f.size, message.size());
  EXPECT_EQ(f.header, header);
  EXPECT_EQ(f.header_octets, header.size());
  EXPECT_EQ(f.body_offset, header.size() + 2);
  EXPECT_EQ(f.digest, DigestOf(message));
  EXPECT_EQ(f.journey, DigestOf(message.substr(message.find("Date:"))));
  EXPECT_TRUE(f.ended && f.date && f.id && !f.cut);
}

TEST(MessageScan, BareLineFeedsEndTheHeaderForReading) {
  const Facts f = Everyway("Subject: x\nDATE:y\n\nbody\nMessage-ID: no\n");
  EXPECT_EQ(f.header, "Subject: x\nDATE:y\n");
  EXPECT_EQ(f.body_offset, 19u);
  EXPECT_TRUE(f.ended && f.date && !f.id);
}

TEST(MessageScan, OddShapes) {
  EXPECT_FALSE(Everyway("").ended);
  EXPECT_TRUE(Everyway("\r\n").ended);
  EXPECT_TRUE(Everyway("\n").ended);
  EXPECT_EQ(Everyway("\r\nDate: in the body\r\n").date, false);
  // A CR alone at a line's beginning is no empty line.
  const Facts cr = Everyway("A: b\r\n\rDate: x\r\n\r\n");
  EXPECT_EQ(cr.header, "A: b\r\n\rDate: x\r\n");
  EXPECT_FALSE(cr.date);
  EXPECT_EQ(Everyway("A: b\r\n\r").header_octets, 6u);
  EXPECT_EQ(Everyway("A: b").header, "A: b");
  EXPECT_FALSE(Everyway("Dated: x\r\nX-Date: y\r\nMessage-IDs: z\r\n\tDate: folded\r\n\r\n").date);
  EXPECT_TRUE(Everyway(std::string("A: \0b\r\nDate:\0\r\n\r\n\0", 18)).date);
}

TEST(MessageScan, HeaderIsBounded) {
  ScanOptions options = kAll;
  options.limits.header_octets = 20;
  const std::string eighteen = "A: 3456789012345\r\n";  // 18 octets
  EXPECT_FALSE(Everyway(eighteen + "\n\nbody", options).cut);
  const Facts at = Everyway("A: 345678901234567\r\n\r\nbody", options);
  EXPECT_EQ(at.header.size(), 20u);
  EXPECT_FALSE(at.cut);
  EXPECT_TRUE(at.ended);
  const Facts past = Everyway("A: 3456789012345678\r\nDate: y\r\n\r\nbody", options);
  EXPECT_TRUE(past.cut);
  EXPECT_TRUE(past.ended);
  EXPECT_TRUE(past.date);  // also beyond what is kept
  EXPECT_EQ(past.header, "A: 3456789012345678\r");
  EXPECT_EQ(past.header_octets, 30u);
  EXPECT_EQ(past.body_offset, 32u);
  EXPECT_EQ(past.digest, DigestOf("A: 3456789012345678\r\nDate: y\r\n\r\nbody"));
}

TEST(MessageScan, JourneyIdBeginsAtTheFirstLineThatIsNoTrace) {
  const std::string rest = "Subject: x\r\nReceived: later\r\n\r\nbody";
  const std::string id = DigestOf(rest);
  EXPECT_EQ(Everyway(rest).journey, id);
  EXPECT_EQ(Everyway("Return-Path: <a@b>\r\nDelivered-To: c\r\nRECEIVED: a\r\n b\r\n\tc\r\n" + rest).journey, id);
  EXPECT_NE(Everyway("X-Received: a\r\n" + rest).journey, id);
  // Nothing but trace fields: the first other line is the empty one.
  EXPECT_EQ(Everyway("Received: a\r\n\r\nbody").journey, DigestOf("\r\nbody"));
  EXPECT_EQ(Everyway("Received: a\n\nbody").journey, DigestOf("\nbody"));
  EXPECT_EQ(Everyway("Received: a\r\n").journey, kNoDigest);
  EXPECT_EQ(Everyway("Received: a\r\nSub").journey, DigestOf("Sub"));
  EXPECT_EQ(Everyway("Subject: a\r\n\r").journey, DigestOf("Subject: a\r\n\r"));
  EXPECT_EQ(Everyway("").journey, kNoDigest);

  ScanOptions options = kAll;
  options.limits.header_octets = 40;
  const std::string tail = "Subject: this line is longer than what is kept\r\nX: y\r\n\r\nbody\r\n";
  EXPECT_EQ(Everyway("Received: a\r\n" + tail, options).journey, DigestOf(tail));
  EXPECT_EQ(Everyway(tail, options).journey, DigestOf(tail));
  EXPECT_EQ(Everyway(tail.substr(0, 42) + "\r\n\r\n\rx\r\n\r\nbody", options).journey,
            DigestOf(tail.substr(0, 42) + "\r\n\r\n\rx\r\n\r\nbody"));
  // Trace fields fill all that is kept: there is no id rather than a wrong one.
  EXPECT_EQ(Everyway("Received: from a very long host name indeed\r\n" + tail, options).journey, kNoDigest);
}

TEST(MessageScan, AGapInTheHeaderEndsIt) {
  MessageScan scan(kAll);
  scan.OnOctets("Date: x\r\nSubj");
  scan.OnGap(100);
  scan.OnOctets("x\r\nMessage-ID: y\r\n\r\nbody");
  EXPECT_EQ(scan.header(), "Date: x\r\nSubj");
  EXPECT_TRUE(scan.header_cut());
  EXPECT_FALSE(scan.header_ended());
  EXPECT_TRUE(scan.has_date());
  EXPECT_FALSE(scan.has_message_id());
  EXPECT_EQ(scan.size(), 37u);
  EXPECT_EQ(scan.missing(), 100u);
  EXPECT_EQ(Hex(scan.FinishDigest()), DigestOf("Date: x\r\nSubjx\r\nMessage-ID: y\r\n\r\nbody"));
  // A gap in the body leaves the header as it is.
  scan.Reset();
  scan.OnOctets("Date: x\r\n\r\nbo");
  scan.OnGap(1);
  scan.OnGap(0);
  scan.OnOctets("y");
  EXPECT_TRUE(scan.header_ended());
  EXPECT_FALSE(scan.header_cut());
  EXPECT_EQ(scan.missing(), 1u);
}

TEST(MessageScan, DigestsCanBeLeftOut) {
  MessageScan scan(ScanOptions{.digest = false, .journey = false, .limits = {}});
  scan.OnOctets("Date: x\r\nMessage-ID: y\r\n\r\nbody");
  EXPECT_TRUE(scan.has_date() && scan.has_message_id());
  EXPECT_EQ(Hex(scan.FinishDigest()), kNoDigest);
  EXPECT_EQ(Hex(scan.FinishJourneyId()), kNoDigest);
  EXPECT_EQ(scan.size(), 30u);
}

TEST(MessageScan, ResetForgetsAMessageThatWasNotFinished) {
  MessageScan scan(kAll);
  scan.OnOctets("Date: x\r\n\r\nhalf a message");
  scan.Reset();
  scan.OnOctets("A: b\r\n\r\n");
  EXPECT_EQ(Hex(scan.FinishDigest()), DigestOf("A: b\r\n\r\n"));
  EXPECT_EQ(Hex(scan.FinishJourneyId()), DigestOf("A: b\r\n\r\n"));
  EXPECT_FALSE(scan.has_date());
}

}  // namespace
}  // namespace glasspost::mime
