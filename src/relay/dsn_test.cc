// Reports, read back by the code that reads mail.
#include "relay/dsn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/mime/header.h"
#include "wire/mime/structure.h"

namespace glasspost::relay {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Timestamp kNow = 1'700'000'000'000'000'000;
constexpr std::string_view kHeader = "From: a@example.org\r\nSubject: hello\r\n";

NoticeFacts Failed() {
  NoticeFacts facts{.kind = NoticeKind::kFailed,
                    .host = "mx.example.test",
                    .queue_id = "Q1",
                    .notice_id = "N1",
                    .to = "a@example.org",
                    .envid = "env 1",
                    .arrived = kNow - 1'000'000'000,
                    .now = kNow,
                    .recipients = {}};
  facts.recipients.push_back({.address = "b@example.net",
                              .orcpt = "rfc822;B+2Bx@example.net",
                              .action = Action::kFailed,
                              .status = "5.1.1",
                              .diagnostic = "550 5.1.1 no such user\nask somebody else",
                              .smtp = true,
                              .remote = "mail.example.net",
                              .last_attempt = kNow,
                              .will_retry_until = 0});
  return facts;
}

std::string Whole(const Notice& notice, std::string_view message = {}) {
  return notice.head + std::string(message) + notice.tail;
}
std::string_view ContentOf(const std::string& text, const mime::Part& part) {
  return std::string_view(text).substr(part.content.offset, part.content.length);
}
bool LinesAreSound(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find("\r\n", at);
    if (end == std::string::npos || end - at > 998) return false;
    const std::string_view line(text.data() + at, end - at);
    if (line.find('\r') != line.npos || line.find('\n') != line.npos) return false;
    at = end + 2;
  }
  return true;
}

TEST(Dsn, BounceHasThreeParts) {
  const std::string text = Whole(ComposeNotice(Failed(), kHeader));
  EXPECT_TRUE(LinesAreSound(text));
  const mime::Structure tree = mime::ReadStructure(text);
  ASSERT_EQ(tree.parts.size(), 4u) << text;
  EXPECT_EQ(tree.parts[0].type, "multipart/report");
  EXPECT_EQ(tree.parts[1].type, "text/plain");
  EXPECT_EQ(tree.parts[2].type, "message/delivery-status");
  EXPECT_EQ(tree.parts[3].type, "text/rfc822-headers");
  EXPECT_THAT(std::string(ContentOf(text, tree.parts[1])), HasSubstr("<b@example.net>: not delivered"));
  const std::string status(ContentOf(text, tree.parts[2]));
  EXPECT_THAT(status, HasSubstr("Reporting-MTA: dns; mx.example.test\r\n"));
  EXPECT_THAT(status, HasSubstr("Original-Envelope-Id: env 1\r\n"));
  EXPECT_THAT(status, HasSubstr("\r\n\r\nOriginal-Recipient: rfc822; B+x@example.net\r\n"));
  EXPECT_THAT(status, HasSubstr("Final-Recipient: rfc822; b@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                                "Remote-MTA: dns; mail.example.net\r\n"
                                "Diagnostic-Code: smtp; 550 5.1.1 no such user ask somebody else\r\n"));
  EXPECT_THAT(status, HasSubstr("Last-Attempt-Date: Tue, 14 Nov 2023 22:13:20 +0000"));
  EXPECT_THAT(status, Not(HasSubstr("Will-Retry-Until")));
  EXPECT_EQ(ContentOf(text, tree.parts[3]), kHeader);
  mime::HeaderDecoder header;
  header.Parse(text);
  EXPECT_EQ(header.summary().message_id, "<N1@mx.example.test>");
  EXPECT_EQ(header.summary().to, "<a@example.org>");
}

TEST(Dsn, WholeMessageIsAttachedAsItIs) {
  NoticeFacts facts = Failed();
  facts.whole = facts.message_eight_bit = true;
  const Notice notice = ComposeNotice(facts, kHeader);
  EXPECT_TRUE(notice.eight_bit);
  EXPECT_FALSE(notice.smtputf8);
  const std::string text = Whole(notice, "Subject: s\r\n\r\nb\xc3\xa4h\r\n");
  const mime::Structure tree = mime::ReadStructure(text);
  ASSERT_GE(tree.parts.size(), 4u);
  EXPECT_EQ(tree.parts[3].type, "message/rfc822");
  EXPECT_EQ(ContentOf(text, tree.parts[3]), "Subject: s\r\n\r\nb\xc3\xa4h\r\n");
}

TEST(Dsn, DelayTellsUntilWhen) {
  NoticeFacts facts = Failed();
  facts.kind = NoticeKind::kDelayed;
  facts.recipients[0].action = Action::kDelayed;
  facts.recipients[0].will_retry_until = kNow + 86'400'000'000'000;
  const std::string text = Whole(ComposeNotice(facts, kHeader));
  EXPECT_THAT(text, HasSubstr("Action: delayed\r\n"));
  EXPECT_THAT(text, HasSubstr("Will-Retry-Until: Wed, 15 Nov 2023 22:13:20 +0000\r\n"));
  EXPECT_THAT(text, HasSubstr("You need not send it again"));
}

TEST(Dsn, AddressesBeyondAscii) {
  NoticeFacts facts = Failed();
  facts.to = "j\xc3\xb6rg@example.org";
  facts.message_smtputf8 = true;
  facts.recipients[0].address = "\xe7\x94\xb2@example.net";
  facts.recipients[0].orcpt.clear();
  const Notice notice = ComposeNotice(facts, "Subject: \xc3\xa4\r\n");
  EXPECT_TRUE(notice.smtputf8);
  const std::string text = Whole(notice);
  const mime::Structure tree = mime::ReadStructure(text);
  ASSERT_EQ(tree.parts.size(), 4u) << text;
  EXPECT_EQ(tree.parts[2].type, "message/global-delivery-status");
  EXPECT_EQ(tree.parts[3].type, "message/global-headers");
  EXPECT_EQ(tree.parts[3].encoding, "quoted-printable");
  EXPECT_THAT(std::string(ContentOf(text, tree.parts[2])), HasSubstr("utf-8; =E7=94=B2@example.net"));
}

// What others said is data: it ends no line, and no line of it is too long.
TEST(Dsn, HostileWords) {
  NoticeFacts facts = Failed();
  facts.recipients[0].diagnostic = "550 x\r\nSubject: injected\n\n--=_N1.Q1--\x01\xff" + std::string(5000, 'y');
  facts.recipients[0].remote = "evil\r\nhost";
  const std::string text = Whole(ComposeNotice(facts, kHeader));
  EXPECT_TRUE(LinesAreSound(text));
  EXPECT_EQ(mime::ReadStructure(text).parts.size(), 4u);
  EXPECT_THAT(text, Not(HasSubstr("\r\nSubject: injected")));
}

}  // namespace
}  // namespace glasspost::relay
