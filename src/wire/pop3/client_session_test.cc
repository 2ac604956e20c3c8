// The client session: driven by conversation files (roles: client), and against servers that do what no server should.
#include "wire/pop3/client_session.h"

#include <gtest/gtest.h>

#include "support/conversation_file.h"
#include "support/known_randomness.h"
#include "support/pop3_roles.h"
#include "wire/pop3/test_handler.h"

namespace glasspost::pop3 {
namespace {

using glasspost::test::Step;
using Kind = ClientOutcome::Kind;

class Recorder final : public ClientHandler {
 public:
  void OnReady() override {
    ready = true;
    if (then) then();
  }
  void OnReply(Command command, std::uint64_t number, const StatusLine& reply) override {
    told.push_back(std::string(Name(command)) + " " + std::to_string(number) + " " + std::string(Name(reply.status)));
  }
  void OnListed(Command, const ListingLine& line) override {
    told.push_back(std::to_string(line.number) + " " + std::string(line.rest));
  }
  void OnMessageOctets(Octets octets) override { message += octets; }
  void OnEnd(Command command, std::uint64_t number) override {
    if (command == Command::kRetr || command == Command::kTop) messages.push_back(std::move(message));
    message.clear();
    told.push_back("end " + std::to_string(number));
  }
  void OnClosed(const ClientOutcome& o) override {
    ++closed;
    outcome = o;
  }
  bool ready = false;
  int closed = 0;
  ClientOutcome outcome;
  std::string message;
  std::vector<std::string> messages;
  std::vector<std::string> told;
  std::function<void()> then;
};

class Pop3Client : public ::testing::Test {
 protected:
  void Begin(bool tls = true) {
    recorder = Recorder();
    session = std::make_unique<ClientSession>(recorder, options, randomness);
    session->Start(tls);
  }
  std::string Out() {
    std::string out(session->output());
    session->Sent(out.size());
    return out;
  }
  // The server says it; what the client says to it.
  std::string Hear(std::string_view octets) {
    session->Receive(octets);
    return Out();
  }
  void LogIn(std::string_view capabilities = "") {
    Begin();
    EXPECT_EQ(Hear("+OK ready\r\n"), "CAPA\r\n");
    EXPECT_EQ(Hear("+OK\r\n" + std::string(capabilities) + ".\r\n"), "USER alice\r\n");
    EXPECT_EQ(Hear("+OK\r\n"), "PASS wonderland\r\n");
    EXPECT_EQ(Hear("+OK\r\n"), "");
    EXPECT_TRUE(recorder.ready);
  }
  void ExpectEnd(Kind kind) {
    EXPECT_EQ(recorder.closed, 1);
    EXPECT_EQ(static_cast<int>(recorder.outcome.kind), static_cast<int>(kind)) << recorder.outcome.text;
    EXPECT_EQ(session->next(), ClientSession::Next::kClose);
    session->Receive("+OK more\r\n");
    session->Closed();
    session->TimedOut();
    session->Stat();
    EXPECT_EQ(recorder.closed, 1) << "told once";
    EXPECT_EQ(session->output(), "");
  }

  sasl::Credentials credentials{.user = "alice", .password = "wonderland", .token = {}};
  ClientOptions options{.credentials = &credentials, .limits = {}};
  glasspost::test::CountingRandomness randomness;
  Recorder recorder;
  std::unique_ptr<ClientSession> session;
};

TEST_F(Pop3Client, FetchesOneAfterTheOther) {
  LogIn("UIDL\r\nTOP\r\n");
  session->Stat();
  session->Uidl();
  session->Retrieve(1);
  session->Delete(1);
  session->Quit();
  session->Noop();  // after QUIT nothing is sent
  EXPECT_EQ(Out(), "STAT\r\n");
  EXPECT_EQ(Hear("+OK 1 7\r\n"), "UIDL\r\n");
  EXPECT_EQ(Hear("+OK\r\n1 a.b\r\n"), "");
  EXPECT_EQ(Hear(".\r\n"), "RETR 1\r\n");
  EXPECT_EQ(Hear("+OK 999999 octets\r\n..\r\n.\n.\r\r\n.\r\n"), "DELE 1\r\n");
  EXPECT_EQ(Hear("+OK\r\n"), "QUIT\r\n");
  EXPECT_EQ(Hear("+OK bye\r\n"), "");
  EXPECT_EQ(recorder.told,
            (std::vector<std::string>{"STAT 0 +OK", "1 7", "UIDL 0 +OK", "1 a.b", "end 0", "RETR 1 +OK", "end 1", "DELE 1 +OK"}));
  ASSERT_EQ(recorder.messages.size(), 1u);
  EXPECT_EQ(recorder.messages[0], ".\r\n\n.\r\r\n") << "only CRLF.CRLF ends a message";
  ExpectEnd(Kind::kDone);
}

TEST_F(Pop3Client, SendsAheadWhereThatIsOffered) {
  options.limits.window = 3;
  LogIn("PIPELINING\r\n");
  for (int i = 1; i <= 5; ++i) session->Retrieve(static_cast<std::uint64_t>(i));
  EXPECT_EQ(Out(), "RETR 1\r\nRETR 2\r\nRETR 3\r\n");
  EXPECT_EQ(Hear("+OK\r\na\r\n.\r\n-ERR no\r\n"), "RETR 4\r\nRETR 5\r\n");
  EXPECT_EQ(Hear("+OK\r\nc\r\n.\r\n+OK\r\nd\r\n.\r\n+OK\r\ne\r\n.\r\n"), "");
  EXPECT_EQ(recorder.messages, (std::vector<std::string>{"a\r\n", "c\r\n", "d\r\n", "e\r\n"}));
  EXPECT_EQ(session->next(), ClientSession::Next::kReady);
}

// The longest line, and one octet more, whether its end comes with it or later.
TEST_F(Pop3Client, LinesAtTheLimitAreTheSameInPieces) {
  options.limits.line_octets = 100;
  for (const std::size_t octets : {100, 101}) {
    const std::string line = "+OK " + std::string(octets - 4, 'x');
    for (std::size_t at = 1; at <= octets + 2; ++at) {
      Begin();
      const std::string all = line + "\r\n";
      std::string said = Hear(all.substr(0, at));
      said += Hear(all.substr(at));
      EXPECT_EQ(said, octets == 100 ? "CAPA\r\n" : "") << octets << " octets, split after " << at;
      EXPECT_EQ(recorder.closed, octets == 100 ? 0 : 1) << octets << " octets, split after " << at;
      recorder.closed = 0;
    }
  }
}

TEST_F(Pop3Client, TlsBeforeThePassword) {
  Begin(false);
  EXPECT_EQ(Hear("+OK ready\r\n"), "CAPA\r\n");
  EXPECT_EQ(Hear("+OK\r\nSASL PLAIN\r\nSTLS\r\n.\r\n"), "STLS\r\n");
  EXPECT_EQ(Hear("+OK\r\n"), "");
  EXPECT_EQ(session->next(), ClientSession::Next::kTls);
  session->TlsStarted();
  EXPECT_EQ(Out(), "CAPA\r\n");
  EXPECT_EQ(Hear("+OK\r\nsasl login plain\r\n.\r\n"), "AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n");
  EXPECT_EQ(Hear("+OK\r\n"), "");
  EXPECT_TRUE(recorder.ready);
}

// What needs UTF-8 is refused to who has not said so before the login (RFC 6856 §2.1, §5).
TEST_F(Pop3Client, Utf8WhereItIsOffered) {
  for (const char* const reply : {"+OK\r\n", "-ERR [SYS/PERM] not today\r\n"}) {
    Begin(false);
    EXPECT_EQ(Hear("+OK ready\r\n"), "CAPA\r\n");
    EXPECT_EQ(Hear("+OK\r\nSTLS\r\nUTF8 USER\r\n.\r\n"), "STLS\r\n") << "not before TLS, which it would rule out";
    Hear("+OK\r\n");
    session->TlsStarted();
    EXPECT_EQ(Out(), "CAPA\r\n");
    EXPECT_EQ(Hear("+OK\r\nSASL PLAIN\r\nUTF8 USER\r\n.\r\n"), "UTF8\r\n");
    EXPECT_EQ(Hear(reply), "AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n") << "once, and a refusal is no failure";
    EXPECT_EQ(Hear("+OK\r\n"), "");
    EXPECT_TRUE(recorder.ready);
    session->Retrieve(1);
    EXPECT_EQ(Out(), "RETR 1\r\n");
  }
  Begin(false);
  Hear("+OK ready\r\n");
  Hear("+OK\r\nSTLS\r\nUTF8\r\n.\r\n");
  Hear("+OK\r\n");
  session->TlsStarted();
  Out();
  EXPECT_EQ(Hear("+OK\r\nUSER\r\n.\r\n"), "USER alice\r\n") << "what was offered before TLS counts no more";
  Begin();
  Hear("+OK ready\r\n");
  Hear("+OK\r\nUTF8\r\n.\r\n");
  Hear("nonsense\r\n");
  ExpectEnd(Kind::kNonsense);
  EXPECT_EQ(recorder.outcome.during, Command::kUtf8);
}

TEST_F(Pop3Client, WhatComesBetweenStlsAndTheHandshakeIsNotBelieved) {
  Begin(false);
  Hear("+OK ready\r\n");
  Hear("+OK\r\nSTLS\r\n.\r\n");
  Hear("+OK\r\n+OK\r\nSASL PLAIN\r\n.\r\n");
  ExpectEnd(Kind::kInjected);
}

TEST_F(Pop3Client, NoTlsNoPassword) {
  Begin(false);
  Hear("+OK ready\r\n");
  Hear("+OK\r\nUSER\r\n.\r\n");
  ExpectEnd(Kind::kNoTls);
  Begin(false);
  Hear("+OK ready\r\n");
  Hear("+OK\r\nSTLS\r\n.\r\n");
  Hear("-ERR no\r\n");
  ExpectEnd(Kind::kNoTls);
  options.tls = ClientOptions::Tls::kIfOffered;
  Begin(false);
  Hear("+OK ready\r\n");
  EXPECT_EQ(Hear("+OK\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"), "");
  ExpectEnd(Kind::kNoMechanism);
  Begin(false);
  Hear("+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n");
  credentials.user = "mrose", credentials.password = "tanstaaf";
  EXPECT_EQ(Hear("-ERR what?\r\n"), "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");  // RFC 1939 §7's own example
  options.passwords_without_tls = true;
  Begin(false);
  Hear("+OK ready\r\n");
  EXPECT_EQ(Hear("-ERR what?\r\n"), "USER mrose\r\n");
  credentials.user = "mro\r\nDELE 1";
  Begin(false);
  Hear("+OK ready\r\n");
  EXPECT_EQ(Hear("-ERR what?\r\n"), "");
  ExpectEnd(Kind::kNoMechanism);
}

TEST_F(Pop3Client, LoginsThatFail) {
  struct {
    const char* reply;
    Kind kind;
    const char* code;
  } const cases[] = {{"-ERR [AUTH] no\r\n", Kind::kLoginRefused, "AUTH"},
                     {"-ERR no\r\n", Kind::kLoginRefused, ""},
                     {"-ERR [IN-USE] wait\r\n", Kind::kLoginLater, "IN-USE"},
                     {"-ERR [SYS/TEMP] wait\r\n", Kind::kLoginLater, "SYS/TEMP"},
                     {"nonsense\r\n", Kind::kNonsense, ""},
                     {"+ go on\r\n", Kind::kNonsense, ""}};
  for (const auto& c : cases) {
    Begin();
    Hear("+OK\r\n");
    Hear("-ERR\r\n");
    Hear("+OK\r\n");
    Hear(c.reply);
    ExpectEnd(c.kind);
    EXPECT_EQ(recorder.outcome.code, c.code);
  }
  Begin();
  Hear("-ERR [SYS/TEMP] too many connections\r\n");
  ExpectEnd(Kind::kRefused);
}

TEST_F(Pop3Client, AServerThatDoesNotProveItselfIsNotBelieved) {
  Begin();
  Hear("+OK\r\n");
  EXPECT_TRUE(Hear("+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n").starts_with("AUTH SCRAM-SHA-256 "));
  Hear("+OK welcome\r\n");
  ExpectEnd(Kind::kImpostor);
  Begin();
  Hear("+OK\r\n");
  Hear("+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n");
  EXPECT_EQ(Hear("+ cj1hYmMscz1zYWx0LGk9NDA5Ng==\r\n"), "*\r\n");  // another nonce
  Hear("-ERR cancelled\r\n");
  ExpectEnd(Kind::kImpostor);
}

TEST_F(Pop3Client, ChallengesWithoutEnd) {
  credentials.user = "mrose";
  Begin();
  Hear("+OK\r\n");
  EXPECT_EQ(Hear("+OK\r\nSASL LOGIN\r\n.\r\n"), "AUTH LOGIN\r\n");
  std::string said;
  for (int i = 0; i < 20 && recorder.closed == 0 && said != "*\r\n"; ++i) said = Hear("+ VXNlcm5hbWU6\r\n");
  EXPECT_EQ(said, "*\r\n");
  Hear("-ERR\r\n");
  EXPECT_EQ(recorder.closed, 1);
}

TEST_F(Pop3Client, HostileServers) {
  options.limits.line_octets = 100;
  options.limits.listed = 3;
  options.limits.message_octets = 10;
  LogIn();
  Hear(std::string(103, 'x'));
  ExpectEnd(Kind::kTooMuch);
  LogIn();
  Hear("+OK nobody asked\r\n");
  ExpectEnd(Kind::kNonsense);
  LogIn();
  session->List();
  Out();
  Hear("+OK\r\n1 1\r\n2 1\r\n3 1\r\n");
  EXPECT_EQ(recorder.closed, 0);
  Hear("4 1\r\n");
  ExpectEnd(Kind::kTooMuch);
  LogIn();
  session->List();
  Hear("+OK\r\none 1\r\n");
  ExpectEnd(Kind::kNonsense);
  LogIn();
  session->Stat();
  Hear("+OK many\r\n");
  ExpectEnd(Kind::kNonsense);
  LogIn();
  session->Retrieve(1);
  Out();
  Hear("+OK\r\n12345678\r\n.\r\n");
  EXPECT_EQ(recorder.closed, 0) << "just the limit";
  session->Retrieve(1);
  Hear("+OK\r\n123456789\r\n");
  ExpectEnd(Kind::kTooMuch);
  EXPECT_LE(recorder.message.size(), 10u);
}

TEST_F(Pop3Client, AnOrdersOwnBoundHoldsForItsMessageOnly) {
  options.limits.message_octets = 12;
  for (const bool beyond : {false, true}) {
    LogIn("PIPELINING\r\n");
    session->Retrieve(1, 10);
    session->Retrieve(2);
    session->Retrieve(3, 10);
    Out();
    Hear("+OK\r\n12345678\r\n.\r\n+OK\r\n1234567890\r\n.\r\n+OK\r\n");
    EXPECT_EQ(recorder.messages.size(), 2u);
    Hear(beyond ? "123456789\r\n" : "12345678\r\n.\r\n");
    EXPECT_EQ(recorder.messages.size(), beyond ? 2u : 3u);
    if (beyond) ExpectEnd(Kind::kTooMuch);
  }
}

TEST_F(Pop3Client, SilenceAndLostConnections) {
  LogIn();
  session->Retrieve(1);
  Out();
  Hear("+OK\r\nhalf a mess");
  session->Closed();
  EXPECT_EQ(recorder.outcome.during, Command::kRetr);
  EXPECT_TRUE(recorder.messages.empty());
  ExpectEnd(Kind::kLost);
  LogIn();
  session->Delete(1);
  Hear("+OK\r\n");
  session->Quit();
  Out();
  session->TimedOut();
  EXPECT_EQ(recorder.outcome.during, Command::kQuit);
  ExpectEnd(Kind::kTimedOut);
  LogIn();
  session->Quit();
  Out();
  Hear("-ERR [SYS/TEMP] some messages were not deleted\r\n");
  ExpectEnd(Kind::kRefused);
  EXPECT_EQ(recorder.outcome.during, Command::kQuit);
}

// ---- files ----

class Pop3ClientConversation : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Pop3ClientConversation);

void Order(ClientSession& session, Octets line) {
  const CommandLine c = ParseCommand(line);
  const std::size_t space = std::min(c.argument.find(' '), c.argument.size());
  const std::uint64_t number = ParseNumber(c.argument.substr(0, space)).value_or(0);
  switch (c.command) {
    case Command::kStat:
      return session.Stat();
    case Command::kList:
      return session.List(number);
    case Command::kUidl:
      return session.Uidl(number);
    case Command::kRetr:
      return session.Retrieve(number);
    case Command::kTop:
      return session.Top(number, ParseNumber(Trim(c.argument.substr(space))).value_or(0));
    case Command::kDele:
      return session.Delete(number);
    case Command::kRset:
      return session.Reset();
    case Command::kNoop:
      return session.Noop();
    case Command::kQuit:
      return session.Quit();
    default:
      return;
  }
}

TEST_P(Pop3ClientConversation, SaysWhatTheFilesClientSays) {
  const auto file = glasspost::test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const auto d = glasspost::test::ReadPop3Dialogue(*file);
  std::string expected;
  for (const Step& step : file->steps)
    if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToServer) expected += step.octets;
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{3}}) {
    SCOPED_TRACE("in pieces of " + std::to_string(piece));
    const sasl::Credentials credentials{.user = d.user, .password = d.password, .token = {}};
    ClientOptions options{.tls = ClientOptions::Tls::kIfOffered, .credentials = &credentials, .limits = {}};
    options.passwords_without_tls = true;
    glasspost::test::CountingRandomness randomness;
    Recorder recorder;
    ClientSession session(recorder, options, randomness);
    // All that comes after the login is ordered at once.
    recorder.then = [&] {
      for (const std::string& line : d.client_lines) Order(session, line);
    };
    session.Start(false);
    std::string said;
    const auto settle = [&] {
      said += session.output();
      session.Sent(session.output().size());
    };
    for (const Step& step : file->steps) {
      if (step.kind == Step::Kind::kTls) {
        ASSERT_EQ(session.next(), ClientSession::Next::kTls);
        session.TlsStarted();
      }
      if (step.kind != Step::Kind::kOctets || step.direction != Direction::kToClient) continue;
      for (std::size_t at = 0; at < step.octets.size(); at += piece) {
        session.Receive(std::string(Octets(step.octets).substr(at, piece)));
        settle();
      }
      settle();
    }
    session.Closed();
    EXPECT_EQ(said, expected);
    std::vector<std::string> messages;
    for (const auto& r : d.replies)
      if ((r.command == Command::kRetr || r.command == Command::kTop) && r.said == "+OK") messages.push_back(r.message);
    EXPECT_EQ(recorder.messages, messages);
    EXPECT_EQ(recorder.closed, 1);
    const bool done = !d.client_lines.empty() && d.client_lines.back() == "QUIT";
    EXPECT_EQ(recorder.outcome.kind == Kind::kDone, done) << recorder.outcome.text;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Pop3ClientConversation,
                         ::testing::ValuesIn(glasspost::test::FilesThatDrive(&glasspost::test::ConversationFile::drives_client,
                                                                             {Protocol::kPop3})),
                         [](const auto& of) { return glasspost::test::TestName(of.param); });

}  // namespace
}  // namespace glasspost::pop3
