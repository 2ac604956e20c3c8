// A live conversation is told as a capture of it would be.
#include "analysis/live/live_tap.h"

#include <gtest/gtest.h>

#include <string>

#include "analysis/live/live_test_support.h"
#include "analysis/live/tell.h"

namespace glasspost::analysis {
namespace {

using namespace live_test;

// Sentences without the breaks of their lines.
std::string Unwrapped(const std::string& text) { return std::regex_replace(text, std::regex("\n +"), " "); }

class Live : public ::testing::TestWithParam<std::filesystem::path> {};

// Told as it is heard, and of the packets that the recorder makes of it.
TEST_P(Live, IsToldAsItsCapture) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const JsonReport::Options json{.attachments = true, .show_secrets = file->show_secrets};
  const Folder folder;
  {
    auto recorder = Recorder::Open({.directory = folder.path()});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    LiveTap tap(7, nullptr, {}, (*recorder)->NewRecording(7));
    Hear(*file, tap);
  }
  ASSERT_EQ(folder.Files().size(), 1u);
  const std::string captured = WithoutPackets(CaptureJson(folder.Files(), json));
  EXPECT_EQ(WithoutPackets(LiveJson(*file, json)), captured);
  // What is known of it beforehand does not matter.
  if (file->protocol != Protocol::kLmtp && !captured.empty()) {
    EXPECT_EQ(WithoutPackets(LiveJson(*file, json, {.protocol = file->protocol})), captured);
  }
}

// What is within TLS is told as if it were said in the clear; the handshake's part is tested with true records.
TEST_P(Live, WithinTlsIsToldToo) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  if (!CanBeLive(*file) || HasTls(*file) || file->protocol == Protocol::kLmtp) GTEST_SKIP() << "not for this file";
  for (const Step& s : file->steps)
    if (s.octets.find("TLS") != std::string::npos || s.octets.find('\x16') != std::string::npos ||
        s.octets.find("STLS") != std::string::npos)
      GTEST_SKIP() << "TLS in TLS";
  for (const Protocol known : {Protocol::kUnknown, file->protocol}) {
    const std::string json = TextOf([&](std::FILE* out) {
      JsonReport report(out, {});
      LiveTap tap(1, std::make_unique<Borrowed>(report), {.protocol = known}, nullptr);
      ConversationFile within = *file;
      within.steps.insert(within.steps.begin(), {.kind = Step::Kind::kTls, .octets = {}, .time = file->steps.front().time});
      Hear(within, tap);
    });
    const std::string exchanges = json.substr(0, json.find("\"messages\":")).substr(json.find("\"exchanges\":"));
    const std::string clear = LiveJson(*file, {});
    ASSERT_FALSE(clear.empty());
    EXPECT_EQ(exchanges, clear.substr(0, clear.find("\"messages\":")).substr(clear.find("\"exchanges\":"))) << json;
  }
}

// Who listens changes nothing; what is heard before its reply is told with it later.
TEST_P(Live, IsToldTheSameWithAnEar) {
  class Heard final : public Ear {
   public:
    void OnRequest(const ConversationFacts&, const Exchange& e) override {
      EXPECT_TRUE(e.has_request);
      ++requests;
    }
    void OnExchange(const ConversationFacts&, const Exchange& e) override { exchanges += e.has_request ? 1 : 0; }
    void OnFinding(const ConversationFacts&, const Finding&) override { ++findings; }
    std::size_t requests = 0, exchanges = 0, findings = 0;
  };
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  if (!CanBeLive(*file)) GTEST_SKIP() << "not for this file";
  const JsonReport::Options json{.attachments = true, .show_secrets = file->show_secrets};
  Heard heard;
  const std::string told = TextOf([&](std::FILE* out) {
    JsonReport report(out, json);
    LiveTap tap(1, WithEar(std::make_unique<Borrowed>(report), heard), {}, nullptr);
    Hear(*file, tap);
  });
  EXPECT_EQ(told, LiveJson(*file, json));
  EXPECT_LE(heard.requests, heard.exchanges);
}

INSTANTIATE_TEST_SUITE_P(Files, Live, ::testing::ValuesIn(LiveFiles(false)), NameOfFile);

struct Secrecy {
  const char* name;
  Protocol protocol;
  std::string steps;  // of a login by password
};
const Secrecy kPasswords[] = {
    {"Pass", Protocol::kPop3, "S: +OK ready\nC: USER alice\nS: +OK\nC: PASS wonderland\nS: +OK\n"},
    {"Pop3Plain", Protocol::kPop3, "S: +OK ready\nC: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\nS: +OK\n"},
    {"SmtpPlain", Protocol::kSmtp,
     "S: 220 mx.example.org ESMTP\nC: EHLO c.example.net\nS: 250-mx.example.org\nS: 250 AUTH PLAIN LOGIN\n"
     "C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\nS: 235 2.7.0 ok\n"},
    {"SmtpLogin", Protocol::kSmtp,
     "S: 220 mx.example.org ESMTP\nC: EHLO c.example.net\nS: 250-mx.example.org\nS: 250 AUTH PLAIN LOGIN\n"
     "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2U=\nS: 334 UGFzc3dvcmQ6\nC: d29uZGVybGFuZA==\nS: 235 2.7.0 ok\n"},
    {"ImapLogin", Protocol::kImap, "S: * OK ready\nC: a1 LOGIN alice wonderland\nS: a1 OK\n"},
};

class PasswordIs : public ::testing::TestWithParam<Secrecy> {};

// Told as it was heard, and from what was kept of it; one that crossed the wire in TLS was not there for whoever sees the
// packets.
TEST_P(PasswordIs, OpenOnlyWithoutTls) {
  const std::string protocol = std::string(Name(GetParam().protocol));
  const auto clear = test::ParseConversation("x", "protocol: " + protocol + "\nabout: x\n" + GetParam().steps + "expect\n");
  ASSERT_TRUE(clear) << clear.error().Text();
  ConversationFile within = *clear;
  within.steps.insert(within.steps.begin(), {.kind = Step::Kind::kTls, .octets = {}, .time = clear->steps.front().time});
  constexpr EventsOptions kHeaders;
  for (const Language language : {Language::kEnglish, Language::kChinese}) {
    const bool zh = language == Language::kChinese;
    const DialogueReport::Options dialogue{.language = language, .style = {}};
    const std::string_view open = zh ? "看到数据包的人" : "whoever sees the packets";
    const std::string_view hidden = zh ? "只有服务器能读到" : "only the server reads";
    const std::string_view of_login = zh ? "除非已启用 TLS" : "unless TLS has begun";
    for (const bool tls : {false, true}) {
      const ConversationFile& file = tls ? within : *clear;
      const std::string heard = Unwrapped(LiveDialogue(file, dialogue));
      const std::string events = EventsOf(file, kHeaders);
      const std::string kept = Unwrapped(TextOf([&](std::FILE* out) { TellDialogue(out, 1, events, dialogue); }));
      for (const std::string& told : {heard, kept}) {
        EXPECT_EQ(told.find(hidden) != std::string::npos, tls) << told;
        EXPECT_EQ(told.find(open) != std::string::npos || told.find(of_login) != std::string::npos, !tls) << told;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Logins, PasswordIs, ::testing::ValuesIn(kPasswords),
                         [](const auto& i) { return std::string(i.param.name); });

ConversationFile File(const std::string& text) {
  auto file = test::ParseConversation("x", "protocol: smtp\nabout: x\n" + text + "expect\n");
  EXPECT_TRUE(file) << file.error().Text();
  return *file;
}

std::string JsonAtEnd(Closing how, bool we_are_client) {
  return TextOf([&](std::FILE* out) {
    JsonReport report(out, {});
    LiveTap tap(1, std::make_unique<Borrowed>(report), {.protocol = Protocol::kSmtp, .we_are_client = we_are_client}, nullptr);
    tap.OnConnect(kClient, ServerOf(Protocol::kSmtp), kStart);
    tap.OnOctets(Direction::kToClient, "220 mx.example.org ESMTP\r\n", kStart + 1);
    tap.OnOctets(Direction::kToServer, "EHLO c.example.net\r\n", kStart + 2);
    tap.OnOctets(Direction::kToClient, "250 mx.example.org\r\n", kStart + 3);
    tap.OnClose(how, kStart + 4);
  });
}

TEST(LiveTap, TellsHowItEnded) {
  EXPECT_NE(JsonAtEnd(Closing::kByPeer, false).find("\"complete\":true"), std::string::npos);
  EXPECT_NE(JsonAtEnd(Closing::kReset, false).find("\"complete\":true"), std::string::npos);
  // Nobody saw the peer's end.
  EXPECT_NE(JsonAtEnd(Closing::kTimedOut, false).find("\"complete\":false"), std::string::npos);
  const std::string by_client = JsonAtEnd(Closing::kByPeer, false);
  EXPECT_EQ(by_client, JsonAtEnd(Closing::kByUs, true));
  EXPECT_NE(by_client, JsonAtEnd(Closing::kByUs, false));
  EXPECT_NE(by_client.find("no-quit"), std::string::npos) << by_client;
}

// Conversations of one thread use each other's memory.
TEST(LiveTap, MessagesOfSeveralConversationsAreToldAsIfAlone) {
  const auto pieces = [](int which) {
    const std::string letter(1, static_cast<char>('a' + which));
    const std::string header = "From: " + letter + "@example.org\r\nSubject: " + letter + "\r\n";
    return std::vector<std::string>{"+OK ready\r\n", "+OK\r\n" + header, "\r\nbody " + letter + "\r\n", ".\r\n+OK\r\n",
                                    "more\r\n.\r\n"};
  };
  const auto told = [&](const std::vector<int>& together) {
    std::vector<std::string> texts(together.size());
    std::vector<std::FILE*> files;
    std::vector<char*> memory(together.size());
    std::vector<std::size_t> sizes(together.size());
    std::vector<std::unique_ptr<JsonReport>> reports;
    std::vector<std::unique_ptr<LiveTap>> taps;
    for (std::size_t i = 0; i < together.size(); ++i) {
      files.push_back(open_memstream(&memory[i], &sizes[i]));
      reports.push_back(std::make_unique<JsonReport>(files[i], JsonReport::Options{}));
      taps.push_back(std::make_unique<LiveTap>(1, std::make_unique<Borrowed>(*reports[i]),
                                               LiveOptions{.protocol = Protocol::kPop3}, nullptr));
      taps[i]->OnConnect(kClient, ServerOf(Protocol::kPop3), kStart);
    }
    for (std::size_t piece = 0; piece < 5; ++piece) {
      for (std::size_t i = 0; i < together.size(); ++i) {
        if (piece == 1) taps[i]->OnOctets(Direction::kToServer, "RETR 1\r\nRETR 2\r\n", kStart + 1);
        taps[i]->OnOctets(Direction::kToClient, pieces(together[i])[piece], kStart + 1);
      }
    }
    for (std::size_t i = 0; i < together.size(); ++i) {
      taps[i]->OnClose(Closing::kByPeer, kStart + 2);
      reports[i].reset();
      std::fclose(files[i]);
      texts[i].assign(memory[i], sizes[i]);
      std::free(memory[i]);
    }
    return texts;
  };
  const std::vector<std::string> all = told({0, 1, 2});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], told({i})[0]);
  EXPECT_NE(all[0].find("a@example.org"), std::string::npos);
}

// Whether a message can have parts is asked once, however many pieces its body comes in.
TEST(LiveTap, ALongHeaderAndManyPiecesTakeLinearTime) {
  std::string header, body;
  for (int i = 0; i < 8'000; ++i) header += "a:\r\n";
  header += "Content-Type: multipart/mixed; boundary=x\r\n\r\n";
  for (int i = 0; i < 200'000; ++i) body += "..\r\n";
  KeptEvents kept;
  LiveTaps taps({.protocol = Protocol::kPop3}, {}, &kept, nullptr);
  {
    const auto tap = taps.NewTap();
    tap->OnConnect(kClient, ServerOf(Protocol::kPop3), kStart);
    tap->OnOctets(Direction::kToClient, "+OK\r\n", kStart + 1);
    tap->OnOctets(Direction::kToServer, "RETR 1\r\n", kStart + 2);
    tap->OnOctets(Direction::kToClient, "+OK\r\n" + header + body + ".\r\n", kStart + 3);
    tap->OnClose(Closing::kByPeer, kStart + 4);
  }
  EXPECT_EQ(kept.events.size(), 1u);
}

TEST(LiveTap, GivenUpIsToldAsReset) {
  const std::string json = TextOf([&](std::FILE* out) {
    JsonReport report(out, {});
    LiveTap tap(1, std::make_unique<Borrowed>(report), {}, nullptr);
    tap.OnConnect(kClient, ServerOf(Protocol::kSmtp), kStart);
    tap.OnOctets(Direction::kToClient, "220 mx.example.org ESMTP\r\n", kStart + 1);
  });
  EXPECT_NE(json.find("\"code\":220"), std::string::npos) << json;
}

TEST(LiveTap, SaysNothingOfAConnectionThatSaysNothing) {
  KeptEvents kept;
  LiveTaps taps({}, {}, &kept, nullptr);
  {
    const auto tap = taps.NewTap();
    tap->OnConnect(kClient, ServerOf(Protocol::kSmtp), kStart);
    tap->OnClose(Closing::kByPeer, kStart);
  }
  EXPECT_TRUE(kept.events.empty());
  EXPECT_TRUE(kept.heads.empty());
}

TEST(LiveTap, IsNotMadeForNobody) {
  LiveTaps taps({}, {}, nullptr, nullptr);
  EXPECT_EQ(taps.NewTap(), nullptr);
}

TEST(LiveTap, ClockThatGoesBackDoesNoHarm) {
  ConversationFile file =
      File("S: 220 mx.example.org ESMTP\nC: EHLO c.example.net\nS: 250 mx.example.org\nC: QUIT\nS: 221 bye\nC fin\nS fin\n");
  Timestamp t = file.steps[0].time;
  for (Step& s : file.steps) s.time = t, t -= 1'000'000'000;
  const std::string json = LiveJson(file, {});
  EXPECT_NE(json.find("\"code\":221"), std::string::npos) << json;
}

}  // namespace
}  // namespace glasspost::analysis
