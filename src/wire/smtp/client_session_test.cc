// Servers that break the rules, at every point, and messages that cannot go where they are sent: one outcome a recipient,
// always.
#include "wire/smtp/client_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/known_randomness.h"

namespace glasspost::smtp {
namespace {

using Next = ClientSession::Next;

class TextSource : public MessageSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  bool fails = false;
  Piece Read() override {
    if (fails && read_) return {Piece::Kind::kFailed, {}};
    if (std::exchange(read_, true) || text_.empty()) return {Piece::Kind::kEnd, {}};
    return {Piece::Kind::kOctets, text_};
  }

 private:
  std::string text_;
  bool read_ = false;
};

class ClientSessionTest : public ::testing::Test, public ClientHandler {
 protected:
  void OnReady() override { ++ready; }
  void OnRecipient(std::size_t index, const Outcome& outcome) override { outcomes.push_back({index, outcome}); }
  void OnClosed(const Outcome& outcome) override {
    EXPECT_FALSE(closed) << "closed twice";
    closed = outcome;
  }

  std::string Hear(std::string_view lines) {
    session->Receive(lines);
    std::string out, all;
    while (session->TakeOutput(out)) all += out;
    return all;
  }
  void Open(std::string_view extensions = "250 PIPELINING") {
    ready = 0;
    outcomes.clear();
    closed.reset();
    session = std::make_unique<ClientSession>(*this, options, randomness);
    session->Start(false);
    EXPECT_EQ(Hear("220 mx\r\n"), "EHLO localhost\r\n");
    EXPECT_EQ(Hear("250-mx\r\n" + std::string(extensions) + "\r\n"), "");
    EXPECT_EQ(session->next(), Next::kReady);
  }
  std::string Send(std::string text = "x\n", std::vector<std::string> to = {"b@example.org", "c@example.org"}) {
    paths = std::move(to);
    recipients.clear();
    for (const std::string& path : paths) recipients.push_back({.path = path});
    source = std::make_unique<TextSource>(std::move(text));
    message.recipients = recipients;
    message.source = source.get();
    session->Send(message);
    return Hear("");
  }
  std::string Told() const {
    std::string told;
    for (const auto& [index, o] : outcomes)
      told += std::to_string(index) + ":" + std::to_string(o.code) + " " + o.enhanced + (o.local ? " local" : "") +
              (o.in_doubt ? " in doubt" : "") + ";";
    return told;
  }

  test::FixedRandomness randomness;
  ClientOptions options;
  std::unique_ptr<ClientSession> session;
  std::vector<std::string> paths;
  std::vector<ClientRecipient> recipients;
  std::unique_ptr<TextSource> source;
  ClientMessage message{.reverse_path = "a@example.net"};
  int ready = 0;
  std::vector<std::pair<std::size_t, Outcome>> outcomes;
  std::optional<Outcome> closed;
};

constexpr std::string_view kEnvelope =
    "MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n";

TEST_F(ClientSessionTest, OneOutcomeARecipient) {
  Open();
  EXPECT_EQ(Send("a\n.b\rc"), kEnvelope);
  EXPECT_EQ(Hear("250 ok\r\n250 ok\r\n450 4.2.1 later\r\n354 go\r\n"), "a\r\n..b\r\nc\r\n.\r\n");
  EXPECT_EQ(session->stage(), Stage::kContentEnd);
  EXPECT_EQ(Hear("250 2.0.0 queued as 7\r\n"), "");
  EXPECT_EQ(Told(), "1:450 4.2.1;0:250 2.0.0;");
  EXPECT_EQ(outcomes[1].second.text, "queued as 7");
  EXPECT_EQ(ready, 2);
  session->Quit();
  EXPECT_EQ(Hear(""), "QUIT\r\n");
  session->Closed();
  EXPECT_EQ(closed->kind, Outcome::Kind::kAccepted);
}

// Whatever the server says, and wherever it stops or closes: an outcome for each recipient, and an end.
TEST_F(ClientSessionTest, WhateverTheServerDoesThereIsAnOutcome) {
  const std::vector<std::string> script = {
      "220 mx\r\n", "250-mx\r\n250 PIPELINING\r\n", "250 ok\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 queued\r\n"};
  const std::vector<std::string> wrong = {
      "421 4.3.2 bye\r\n", "nonsense\r\n",       "999 what\r\n",     "100 what\r\n",     "354 go\r\n",
      "334 \r\n",          "250-a\r\n550 b\r\n", "550 5.0.0 no\r\n", "451 4.0.0 no\r\n", ""};
  for (std::size_t at = 0; at <= script.size(); ++at) {
    for (const std::string& w : wrong) {
      SCOPED_TRACE(std::to_string(at) + " " + w);
      ready = 0, outcomes.clear(), closed.reset();
      session = std::make_unique<ClientSession>(*this, options, randomness);
      session->Start(false);
      bool sent = false;
      for (std::size_t i = 0; i < script.size() && i < at; ++i) {
        Hear(script[i]);
        if (ready == 1 && !std::exchange(sent, true)) Send();
      }
      Hear(w);
      if (ready == 1 && !sent) Send();
      if (!closed) session->Closed();
      EXPECT_TRUE(closed);
      EXPECT_EQ(session->next() == Next::kWrite ? (Hear(""), session->next()) : session->next(), Next::kClose);
      if (sent) {
        EXPECT_EQ(outcomes.size(), 2u) << Told();
      }
      Hear("250 ok\r\n250 ok\r\n");
      session->Closed();
      session->TimedOut();
      EXPECT_LE(outcomes.size(), 2u);
    }
  }
}

TEST_F(ClientSessionTest, ALostEndIsInDoubtAndNothingElseIs) {
  Open();
  Send();
  Hear("250 ok\r\n250 ok\r\n250 ok\r\n");
  session->Closed();
  EXPECT_EQ(Told(), "0:451 4.4.2 local;1:451 4.4.2 local;");
  Open();
  Send();
  Hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  session->TimedOut();
  EXPECT_EQ(Told(), "0:451 4.4.2 local in doubt;1:451 4.4.2 local in doubt;");
  Open();
  Send();
  Hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n421 4.3.0 not taken\r\n");
  EXPECT_EQ(Told(), "0:421 4.3.0;1:421 4.3.0;");
}

TEST_F(ClientSessionTest, ASourceThatFailsSendsNoEnd) {
  Open();
  Send("part\n");
  source->fails = true;
  const std::string said = Hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  EXPECT_FALSE(said.contains(".\r\n"));
  EXPECT_EQ(Told(), "0:451 4.3.0 local;1:451 4.3.0 local;");
  EXPECT_EQ(session->next(), Next::kClose);
}

TEST_F(ClientSessionTest, WhatTheServerDoesNotOfferIsNeverDropped) {
  Open("250 SIZE 10");
  message.eight_bit = true;
  EXPECT_EQ(Send(), "");
  EXPECT_EQ(Told(), "0:554 5.6.3 local;1:554 5.6.3 local;");
  EXPECT_EQ(ready, 2);
  message.eight_bit = false;
  message.smtputf8 = true;
  outcomes.clear();
  EXPECT_EQ(Send(), "");
  EXPECT_EQ(Told(), "0:550 5.6.7 local;1:550 5.6.7 local;");
  message.smtputf8 = false;
  message.size = 11;
  outcomes.clear();
  EXPECT_EQ(Send(), "");
  EXPECT_EQ(Told(), "0:552 5.3.4 local;1:552 5.3.4 local;");
  message.size = 10;
  outcomes.clear();
  EXPECT_EQ(Send("x", {"收件人@example.org", "b@example.org"}), "MAIL FROM:<a@example.net> SIZE=10\r\n");
  EXPECT_EQ(Told(), "0:550 5.6.7 local;");
  EXPECT_EQ(Hear("250 ok\r\n"), "RCPT TO:<b@example.org>\r\n");
}

TEST_F(ClientSessionTest, NoAddressBringsACommandOfItsOwn) {
  Open();
  EXPECT_EQ(Send("x", {"b@example.org>\r\nRSET\r\n", "a b@example.org", "", "b@example.org> NOTIFY=NEVER"}), "");
  EXPECT_EQ(Told(), "0:553 5.1.3 local;1:553 5.1.3 local;2:553 5.1.3 local;3:553 5.1.3 local;");
}

TEST_F(ClientSessionTest, ManyRecipientsGoInWindows) {
  Open();
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) many.push_back("u" + std::to_string(i) + "@example.org");
  const auto commands = [](const std::string& said) { return std::count(said.begin(), said.end(), '\n'); };
  std::string said = Send("x", many);
  EXPECT_EQ(commands(said), 100);
  std::ptrdiff_t answered = 0, total = commands(said);
  while (answered < 1001) {
    ++answered;
    said = Hear("250 ok\r\n");
    total += commands(said);
    EXPECT_LE(total - answered, 100);
  }
  EXPECT_EQ(total, 1002);
  EXPECT_TRUE(said.empty()) << "DATA was sent ahead";
  Hear("354 go\r\n");
  Hear("250 ok\r\n");
  EXPECT_EQ(outcomes.size(), 1000u);
}

TEST_F(ClientSessionTest, ARefusedChunkEndsTheMessage) {
  options.limits.output_octets = 100;
  Open("250-PIPELINING\r\n250 CHUNKING");
  Send(std::string(150, 'x'));
  EXPECT_TRUE(Hear("250 ok\r\n250 ok\r\n250 ok\r\n").starts_with("BDAT 150\r\nxxx"));
  EXPECT_EQ(Hear("552 5.3.4 too big\r\n"), "");
  EXPECT_EQ(Hear("552 5.3.4 too big\r\n"), "RSET\r\n");
  EXPECT_EQ(Told(), "0:552 5.3.4;1:552 5.3.4;");
  EXPECT_EQ(Hear("250 ok\r\n"), "");
  EXPECT_EQ(session->next(), Next::kReady);
}

TEST_F(ClientSessionTest, RepliesHaveAnEnd) {
  options.limits.reply_lines = 10;
  options.limits.endless_line_octets = 1000;
  session = std::make_unique<ClientSession>(*this, options, randomness);
  for (int i = 0; i < 10; ++i) Hear("220-more\r\n");
  EXPECT_FALSE(closed);
  Hear("220-more\r\n");
  EXPECT_EQ(closed->enhanced, "4.5.0");
  for (const std::string& end : {std::string(), std::string("\r\n")}) {
    closed.reset();
    session = std::make_unique<ClientSession>(*this, options, randomness);
    Hear("220 " + std::string(1000, 'x') + end);
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->enhanced, "4.5.0");
  }
}

TEST_F(ClientSessionTest, StartTls) {
  options.tls = ClientOptions::Tls::kRequired;
  session = std::make_unique<ClientSession>(*this, options, randomness);
  Hear("220 mx\r\n");
  EXPECT_EQ(Hear("250-mx\r\n250 PIPELINING\r\n"), "QUIT\r\n");
  EXPECT_EQ(closed->enhanced, "4.7.4");
  closed.reset();
  session = std::make_unique<ClientSession>(*this, options, randomness);
  Hear("220 mx\r\n");
  EXPECT_EQ(Hear("250-mx\r\n250 STARTTLS\r\n"), "STARTTLS\r\n");
  EXPECT_EQ(Hear("220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n"), "");
  EXPECT_EQ(session->next(), Next::kTls);
  session->TlsStarted();
  EXPECT_EQ(Hear(""), "EHLO localhost\r\n");
  EXPECT_FALSE(session->extensions().starttls);
  Hear("250-mx\r\n250 SIZE 5\r\n");
  EXPECT_EQ(session->next(), Next::kReady);
  EXPECT_FALSE(session->extensions().auth) << "what was injected counts";
  closed.reset();
  session = std::make_unique<ClientSession>(*this, options, randomness);
  Hear("220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n");
  session->TlsFailed("no shared cipher");
  EXPECT_EQ(closed->enhanced, "4.7.5");
}

TEST_F(ClientSessionTest, NoPasswordWithoutTls) {
  const sasl::Credentials credentials{"alice", "wonderland", {}};
  options.credentials = &credentials;
  session = std::make_unique<ClientSession>(*this, options, randomness);
  Hear("220 mx\r\n");
  EXPECT_EQ(Hear("250-mx\r\n250 AUTH PLAIN LOGIN\r\n"), "QUIT\r\n");
  EXPECT_EQ(closed->enhanced, "4.7.4");
  closed.reset();
  session = std::make_unique<ClientSession>(*this, options, randomness);
  Hear("220 mx\r\n");
  EXPECT_TRUE(Hear("250-mx\r\n250 AUTH SCRAM-SHA-256\r\n").starts_with("AUTH SCRAM-SHA-256 "));
  Hear("235 2.7.0 come in\r\n");
  EXPECT_EQ(closed->enhanced, "4.7.0") << "believed a server that proved nothing";
}

TEST_F(ClientSessionTest, ALongTokenWaitsForItsChallenge) {
  const sasl::Credentials credentials{"alice", {}, std::string(1000, 't')};
  options.credentials = &credentials;
  options.passwords_without_tls = true;
  session = std::make_unique<ClientSession>(*this, options, randomness);
  Hear("220 mx\r\n");
  EXPECT_EQ(Hear("250-mx\r\n250 AUTH XOAUTH2\r\n"), "AUTH XOAUTH2\r\n");
  EXPECT_GT(Hear("334 \r\n").size(), 1300u);
  Hear("235 ok\r\n");
  EXPECT_TRUE(session->authenticated());
}

// What lies behind the last reply answers nothing, whatever the handler sends as soon as it may.
TEST_F(ClientSessionTest, ASurplusReplyIsNotTheNextMessages) {
  class Sender : public ClientHandler {
   public:
    ClientSession* session = nullptr;
    std::vector<ClientRecipient> to{{.path = "b@example.org"}};
    TextSource sources[2] = {TextSource("x\n"), TextSource("y\n")};
    int sent = 0;
    std::string told;
    void OnReady() override {
      if (sent < 2) session->Send({.recipients = to, .source = &sources[sent++]});
    }
    void OnRecipient(std::size_t, const Outcome& outcome) override {
      told += std::to_string(sent) + ":" + std::to_string(outcome.code) + ";";
    }
    void OnClosed(const Outcome& outcome) override { told += outcome.text; }
  } handler;
  session = std::make_unique<ClientSession>(handler, options, randomness);
  handler.session = session.get();
  session->Start(false);
  for (const std::string_view said : {"220 mx\r\n", "250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n", "250 mail\r\n", "250 to\r\n",
                                      "250 queued\r\n250 surplus\r\n", "250 mail\r\n", "250 to\r\n", "452 refused\r\n"})
    Hear(said);
  EXPECT_EQ(handler.sent, 1);
  EXPECT_EQ(handler.told, "1:250;The server sent a reply to nothing (mail)");
  EXPECT_EQ(session->next(), Next::kClose);
}

TEST_F(ClientSessionTest, ThousandsThatCannotGoAreNoDeepRecursion) {
  class Unsendable : public ClientHandler {
   public:
    ClientSession* session = nullptr;
    int left = 100'000;
    void OnReady() override {
      if (left-- > 0) session->Send({.eight_bit = true});
    }
    void OnRecipient(std::size_t, const Outcome&) override {}
    void OnClosed(const Outcome&) override {}
  } handler;
  ClientSession many(handler, options, randomness);
  handler.session = &many;
  many.Receive("220 mx\r\n250 mx\r\n");
  EXPECT_EQ(handler.left, -1);
}

}  // namespace
}  // namespace glasspost::smtp
