// Kept conversations are told as they would have been told at once, and no octets break the reader.
#include "analysis/live/events.h"

#include <gtest/gtest.h>

#include "analysis/live/live_test_support.h"
#include "analysis/live/tell.h"

namespace glasspost::analysis {
namespace {

using namespace live_test;

constexpr EventsOptions kFull{.level = EventsOptions::Level::kFull, .limits = {}};

class Kept : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Kept, IsToldAsAtOnce) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const LiveOptions live;
  const std::string full = EventsOf(*file, kFull), headers = EventsOf(*file, {});
  EXPECT_LE(headers.size(), full.size() + 4096);
  for (const Language language : {Language::kEnglish, Language::kChinese}) {
    for (const bool attachments : {false, true}) {
      const JsonReport::Options json{.attachments = attachments, .language = language};
      const std::string direct = LiveJson(*file, json);
      EXPECT_EQ(TextOf([&](std::FILE* out) { EXPECT_EQ(TellJson(out, 1, full, json), !full.empty()); }), direct);
      EXPECT_EQ(TextOf([&](std::FILE* out) { TellJson(out, 1, headers, json); }), direct);
    }
    for (const bool whole : {false, true}) {
      const DialogueReport::Options dialogue{.language = language, .style = {}, .full = whole};
      EXPECT_EQ(TextOf([&](std::FILE* out) { TellDialogue(out, 1, full, dialogue); }), LiveDialogue(*file, dialogue));
    }
  }
}

// In any pieces, and as it comes.
TEST_P(Kept, IsReadInAnyPieces) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const std::string events = EventsOf(*file, kFull);
  const auto told = [&](std::size_t piece) {
    return TextOf([&](std::FILE* out) {
      JsonReport report(out, {});
      EventsReader reader(report);
      for (std::size_t at = 0; at < events.size(); at += piece) EXPECT_TRUE(reader.Feed(Octets(events).substr(at, piece)));
      EXPECT_EQ(reader.damaged(), 0u);
      reader.Finish(1);
    });
  };
  const std::string whole = told(events.size() + 1);
  EXPECT_EQ(told(1), whole);
  EXPECT_EQ(told(7), whole);
}

INSTANTIATE_TEST_SUITE_P(Files, Kept, ::testing::ValuesIn(LiveFiles(true)), NameOfFile);

ConversationFile File(const std::string& text) {
  auto file = test::ParseConversation("x", "protocol: smtp\nabout: x\n" + text + "expect\n");
  EXPECT_TRUE(file) << file.error().Text();
  return *file;
}

const std::string kLogin =
    "S: 220 mx.example.org ESMTP\nC: EHLO c.example.net\nS: 250-mx.example.org\nS: 250 AUTH PLAIN LOGIN\n"
    "C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\nS: 235 2.7.0 ok\n";
const std::string kMail =
    "C: MAIL FROM:<a@example.net>\nS: 250 ok\nC: RCPT TO:<b@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\n"
    "C: Subject: hello\nC: Date: Mon, 23 Nov 2026 01:02:03 +0000\nC: \nC: the secret body\nC: .\nS: 250 ok\n";
const std::string kQuit = "C: QUIT\nS: 221 bye\nC fin\nS fin\n";

std::string DialogueOf(Octets events, bool full = false) {
  return TextOf(
      [&](std::FILE* out) { TellDialogue(out, 1, events, {.language = Language::kEnglish, .style = {}, .full = full}); });
}

TEST(Events, HoldNoSecrets) {
  const ConversationFile file = File(kLogin + kMail + kQuit);
  const std::string events = EventsOf(file, kFull);
  EXPECT_EQ(events.find("AGFsaWNlAHdvbmRlcmxhbmQ="), std::string::npos);
  EXPECT_EQ(events.find("wonderland"), std::string::npos);
  EXPECT_NE(events.find("alice"), std::string::npos);
  const std::string shown = EventsOf(file, {.show_secrets = true, .limits = {}});
  EXPECT_NE(shown.find("wonderland"), std::string::npos);
}

TEST(Events, OfHeadersHoldNoBody) {
  const ConversationFile file = File(kLogin + kMail + kQuit);
  const std::string events = EventsOf(file, {});
  EXPECT_EQ(events.find("secret body"), std::string::npos);
  EXPECT_NE(EventsOf(file, kFull).find("secret body"), std::string::npos);
  const std::string told = DialogueOf(events);
  EXPECT_NE(told.find("Subject: hello"), std::string::npos) << told;
  EXPECT_NE(told.find("(not kept)"), std::string::npos) << told;
}

TEST(Events, OfHeadersKnowTheParts) {
  const ConversationFile file =
      File(kLogin +
           "C: MAIL FROM:<a@example.net>\nS: 250 ok\nC: RCPT TO:<b@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\n"
           "C: Content-Type: multipart/mixed; boundary=b\nC: \nC: --b\nC: \nC: text\nC: --b\nC: Content-Type: image/png; "
           "name=logo.png\n"
           "C: Content-Disposition: attachment; filename=logo.png\nC: Content-Transfer-Encoding: base64\nC: \nC: QUJD\nC: "
           "--b--\nC: .\n"
           "S: 250 ok\n" +
           kQuit);
  const std::string told = DialogueOf(EventsOf(file, {}));
  EXPECT_NE(told.find("2 image/png \"logo.png\", base64, 3 octets"), std::string::npos) << told;
}

TEST(Events, SummaryIsOfBothLanguages) {
  KeptEvents kept;
  LiveTaps taps({}, {}, &kept, nullptr);
  Hear(File(kLogin + kMail + kQuit), *taps.NewTap());
  ASSERT_EQ(kept.heads.size(), 1u);
  const EventsHead& head = kept.heads[0];
  EXPECT_EQ(head.number, 1u);
  EXPECT_EQ(head.protocol, "smtp");
  EXPECT_EQ(head.peer, "192.0.2.1:40000");
  EXPECT_EQ(head.octets, kept.events[1].size());
  EXPECT_GT(head.end, head.begin);
  const EventsSummary s = EventsSummary::Decode(head.summary);
  EXPECT_EQ(s.server, "198.51.100.25:25");
  EXPECT_NE(s.words_en.find("AUTH PLAIN ok, 1 message to 1 recipient"), std::string::npos) << s.words_en;
  EXPECT_NE(s.words_zh.find("AUTH PLAIN 成功"), std::string::npos) << s.words_zh;
  EXPECT_EQ(s.messages, 1u);
  const std::string line = TextOf([&](std::FILE* out) { WriteListLine(out, head, false, Language::kEnglish, {}); });
  EXPECT_NE(line.find("    1  "), std::string::npos) << line;
  EXPECT_NE(line.find("SMTP"), std::string::npos) << line;
}

TEST(Events, ComeAtOnceWhereSomebodyLooksOn) {
  const ConversationFile file = File(kLogin + kMail + kQuit);
  KeptEvents one, many;
  many.followed = true;
  for (KeptEvents* kept : {&one, &many}) {
    LiveTaps taps({}, {}, kept, nullptr);
    Hear(file, *taps.NewTap());
  }
  EXPECT_EQ(one.parts, 1);
  EXPECT_GE(many.parts, 8);
  EXPECT_EQ(one.events[1], many.events[1]);
}

TEST(Events, FollowedIsToldAsItComes) {
  const std::string events = EventsOf(File(kLogin + kMail + kQuit), kFull);
  const std::string told = TextOf([&](std::FILE* out) {
    Follower follower(out, 1, {.language = Language::kEnglish, .style = {}});
    for (std::size_t at = 0; at < events.size(); at += 50) EXPECT_TRUE(follower.Feed(Octets(events).substr(at, 50)));
    follower.Finish();
  });
  const std::string kept = DialogueOf(events);
  EXPECT_EQ(told.substr(told.find("\n\n")), kept.substr(kept.find("\n\n"))) << told;
  EXPECT_NE(told.find("SMTP  192.0.2.1:40000 → 198.51.100.25:25"), std::string::npos) << told;
}

TEST(Events, OfAnEndlessConversationAreCounted) {
  std::string text = kLogin;
  for (int i = 0; i < 200; ++i) text += "C: NOOP\nS: 250 ok\n";
  const ConversationFile file = File(text + kMail + kQuit);
  EventsOptions options = kFull;
  options.limits.dialogue_octets = 4096;
  const std::string events = EventsOf(file, options);
  EXPECT_LE(events.size(), 4096u + 512u);
  const std::string told = DialogueOf(events);
  EXPECT_NE(told.find("not kept: "), std::string::npos) << told;
  EXPECT_NE(told.find(" 1 message,"), std::string::npos) << told;
  const std::string json = TextOf([&](std::FILE* out) { EXPECT_TRUE(TellJson(out, 1, events, {})); });
  EXPECT_NE(json.find("\"left_out\":{\"exchanges\":"), std::string::npos) << json;
}

// At the limit and one past it.
TEST(Events, OfALargeMessageAreCounted) {
  const ConversationFile file = File(kLogin + kMail + kQuit);
  EventsOptions options = kFull;
  const std::string body = "Subject: hello\r\nDate: Mon, 23 Nov 2026 01:02:03 +0000\r\n\r\nthe secret body\r\n";
  const std::size_t records = 3 * 5;  // each line comes by itself, and is a record of its own with a head of 5 octets
  options.limits.message_octets = body.size() + 4 * 5;
  (void)records;
  EXPECT_EQ(TextOf([&](std::FILE* out) { TellJson(out, 1, EventsOf(file, options), {}); }).find("left_out"), std::string::npos);
  options.limits.message_octets = 60;
  const std::string events = EventsOf(file, options);
  EXPECT_NE(DialogueOf(events, true).find("(not kept)"), std::string::npos);
  EXPECT_NE(TextOf([&](std::FILE* out) { TellJson(out, 1, events, {}); }).find("\"message_octets\":"), std::string::npos);
}

TEST(Events, OfTlsThatTheServerDoesNotSpeak) {
  const std::string hello =
      R"(C\: \x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03)" + std::string(32, 'r') + R"(\x00\x00\x04\x13\x01\x13\x02\x01\x00)";
  const std::string told = DialogueOf(EventsOf(File("S: 220 mx\n" + hello + "\nS: 500 what\n" + kQuit), kFull));
  EXPECT_NE(told.find("TLS: the server answers in the clear"), std::string::npos) << told;
  EXPECT_NE(told.find("tls-not-spoken"), std::string::npos) << told;
  EXPECT_NE(told.find("500 what"), std::string::npos) << told;
}

TEST(Events, CutAnywhereAreToldUpToThere) {
  const std::string events = EventsOf(File(kLogin + kMail + kQuit), kFull);
  for (std::size_t n = 0; n < events.size(); ++n) {
    const std::string told = TextOf([&](std::FILE* out) { EXPECT_FALSE(TellJson(out, 1, events.substr(0, n), {})) << n; });
    if (n > 200) {
      EXPECT_NE(told.find("220"), std::string::npos) << n;
    }
  }
}

TEST(Events, DamagedAnywhereDoNoHarm) {
  const std::string events = EventsOf(File(kLogin + kMail + kQuit), kFull);
  for (std::size_t n = 0; n < events.size(); ++n) {
    for (const char damage : {'\x00', '\x7f', '\xff'}) {
      std::string damaged = events;
      damaged[n] = damage;
      TextOf([&](std::FILE* out) { TellJson(out, 1, damaged, {.attachments = true}); });
      DialogueOf(damaged, true);
    }
  }
}

// What is said to be kept whole, and brings only what is known of its parts.
TEST(Events, PartsWithoutTheirOctetsAreToldWithoutThem) {
  const ConversationFile file =
      File(kLogin +
           "C: MAIL FROM:<a@example.net>\nS: 250 ok\nC: RCPT TO:<b@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\n"
           "C: Content-Type: multipart/mixed; boundary=b\nC: \nC: --b\nC: \nC: text\nC: --b--\nC: .\nS: 250 ok\n" +
           kQuit);
  std::string events = EventsOf(file, {});
  events[8] = 1;  // the first octet of the first record's body
  EXPECT_NE(DialogueOf(events, true).find("(not kept)"), std::string::npos);
}

TEST(Events, OfAnotherVersionAreRefused) {
  std::string events = EventsOf(File(kLogin + kQuit), kFull);
  events[3] = 2;
  EXPECT_EQ(TextOf([&](std::FILE* out) { EXPECT_FALSE(TellJson(out, 1, events, {})); }), "");
}

TEST(Events, UnknownRecordsArePassedOver) {
  std::string events = EventsOf(File(kLogin + kQuit), kFull);
  const std::string expected = DialogueOf(events);
  // Behind the beginning: "GPE", version, the first record's type and its length of 3 octets.
  const std::size_t length = static_cast<std::size_t>((events[5] & 0x7f) | (events[6] & 0x7f) << 7);
  events.insert(8 + length, std::string("\x63\x02xx", 4));
  EXPECT_EQ(DialogueOf(events), expected);
}

}  // namespace
}  // namespace glasspost::analysis
