#include "wire/pop3/server_session.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "support/known_randomness.h"
#include "wire/pop3/test_handler.h"
#include "wire/pop3/top_cutter.h"

namespace glasspost::pop3 {
namespace {

using glasspost::test::CountingRandomness;
using test::TestHandler;

class Pop3Server : public ::testing::Test {
 protected:
  void Begin(bool tls = true) {
    session = std::make_unique<ServerSession>(handler, options, randomness, tls);
    handler.session = session.get();
    session->Start();
    greeting = Out();
  }
  std::string Out() {
    std::string out;
    while (!session->output().empty()) {
      const std::string piece(session->output());
      session->Sent(piece.size());
      out += piece;
    }
    return out;
  }
  std::string Say(std::string_view line) {
    const std::string text = std::string(line) + "\r\n";
    EXPECT_EQ(session->Receive(text), text.size()) << line;
    return Out();
  }
  bool Ok(std::string_view line) {
    const std::string reply = Say(line);
    return reply.starts_with("+OK ") || reply == "+OK\r\n";
  }
  bool Err(std::string_view line, std::string_view code = "") {
    const std::string reply = Say(line);
    return reply.starts_with("-ERR " + (code.empty() ? std::string() : "[" + std::string(code) + "] ")) &&
           (!code.empty() || !reply.starts_with("-ERR ["));
  }
  void LogIn() {
    EXPECT_TRUE(Ok("USER alice"));
    EXPECT_TRUE(Ok("PASS wonderland"));
    EXPECT_EQ(session->state(), State::kTransaction);
  }
  void TwoMessages() {
    handler.messages = {{"Subject: one\r\n\r\n.dot\r\n", "1.1"}, {"Subject: two\r\n\r\n+OK body\r\n", "1.2"}};
  }

  CountingRandomness randomness;
  TestHandler handler;
  ServerOptions options;
  std::unique_ptr<ServerSession> session;
  std::string greeting;
};

TEST_F(Pop3Server, TheClassicSession) {
  TwoMessages();
  Begin();
  EXPECT_EQ(greeting, "+OK POP3 server ready\r\n");
  LogIn();
  EXPECT_EQ(Say("STAT"), "+OK 2 48\r\n");
  EXPECT_EQ(Say("LIST"), "+OK 2 messages (48 octets)\r\n1 22\r\n2 26\r\n.\r\n");
  EXPECT_EQ(Say("list 2"), "+OK 2 26\r\n");
  EXPECT_EQ(Say("UIDL"), "+OK unique ids follow\r\n1 1.1\r\n2 1.2\r\n.\r\n");
  EXPECT_EQ(Say("UIDL 1"), "+OK 1 1.1\r\n");
  EXPECT_EQ(Say("RETR 1"), "+OK 22 octets\r\nSubject: one\r\n\r\n..dot\r\n.\r\n");
  EXPECT_EQ(Say("TOP 2 0"), "+OK header and lines follow\r\nSubject: two\r\n\r\n.\r\n");
  EXPECT_TRUE(Ok("DELE 1"));
  EXPECT_TRUE(Err("DELE 1"));
  EXPECT_TRUE(Err("RETR 1"));
  EXPECT_EQ(Say("STAT"), "+OK 1 26\r\n");
  EXPECT_EQ(Say("LIST"), "+OK 1 messages (26 octets)\r\n2 26\r\n.\r\n");
  EXPECT_EQ(Say("UIDL"), "+OK unique ids follow\r\n2 1.2\r\n.\r\n");
  EXPECT_TRUE(Ok("RSET"));
  EXPECT_EQ(Say("STAT"), "+OK 2 48\r\n");
  EXPECT_TRUE(Ok("NOOP"));
  EXPECT_TRUE(Ok("DELE 2"));
  EXPECT_EQ(Say("QUIT"), "+OK bye\r\n");
  EXPECT_TRUE(session->finished());
  EXPECT_EQ(handler.told, (std::vector<std::string>{"password alice wonderland", "commit 1"}));
}

TEST_F(Pop3Server, NumbersThatAreNone) {
  TwoMessages();
  Begin();
  LogIn();
  for (const char* bad :
       {"RETR 0", "RETR 3", "RETR 18446744073709551616", "RETR -1", "RETR x", "RETR 1 2", "RETR", "LIST 4294967297", "DELE 0x1",
        "TOP 1", "TOP 1 -1", "TOP 9 1", "UIDL 3", "STAT 1", "QUIT now", "NOOP x"})
    EXPECT_TRUE(Err(bad)) << bad;
  EXPECT_EQ(Say("STAT"), "+OK 2 48\r\n");
}

TEST_F(Pop3Server, QuitIsAnsweredAfterTheCommitAndNothingIsTakenMeanwhile) {
  TwoMessages();
  handler.later = true;
  Begin();
  session->Receive("USER alice\r\n");
  EXPECT_EQ(session->Receive("PASS wonderland\r\nDELE 1\r\nQUIT\r\nNOOP\r\n"), 17u);
  EXPECT_TRUE(session->waiting());
  EXPECT_EQ(session->Receive("NOOP\r\n"), 0u);
  handler.Answer();
  Out();
  EXPECT_EQ(session->Receive("DELE 1\r\nQUIT\r\nNOOP\r\n"), 14u);
  EXPECT_TRUE(session->waiting());
  EXPECT_FALSE(Out().contains("bye"));
  EXPECT_FALSE(session->finished());
  handler.commit = false;
  handler.Answer();
  EXPECT_EQ(Out(), "-ERR [SYS/TEMP] some messages were not deleted\r\n");
  EXPECT_TRUE(session->finished());
}

TEST_F(Pop3Server, NothingIsDeletedWithoutQuit) {
  TwoMessages();
  Begin();
  LogIn();
  EXPECT_TRUE(Ok("DELE 1"));
  session->TimedOut();
  EXPECT_EQ(session->output(), "");
  EXPECT_TRUE(session->finished());
  EXPECT_EQ(session->Receive("QUIT\r\n"), 6u);
  session.reset();
  EXPECT_EQ(handler.told, std::vector<std::string>{"password alice wonderland"});
}

// Answers that come after the session is over change nothing.
TEST_F(Pop3Server, LateAnswersAreIgnored) {
  handler.later = true;
  Begin();
  session->Receive("USER alice\r\n");
  session->Receive("PASS wonderland\r\n");
  session->TimedOut();
  handler.Answer();
  EXPECT_EQ(Out(), "");
  EXPECT_EQ(session->state(), State::kAuthorization);
  session->Committed(true);
  session->MessageRead("x", true);
  session->MaildropOpened(MaildropOutcome::kOpened, &handler);
  EXPECT_EQ(Out(), "");
}

TEST_F(Pop3Server, WhetherAnAccountExistsIsNotSaid) {
  Begin();
  const std::string there = Say("USER alice");
  EXPECT_EQ(Say("USER nobody"), there);
  const std::string wrong = Say("PASS x");
  EXPECT_TRUE(Ok("USER alice"));
  EXPECT_EQ(Say("PASS x"), wrong);
  EXPECT_TRUE(wrong.starts_with("-ERR [AUTH] ")) << wrong;
  EXPECT_TRUE(Err("PASS wonderland")) << "USER comes anew after a failure";
  EXPECT_TRUE(Ok("USER alice"));
  EXPECT_TRUE(Err("PASS y", "AUTH"));
  EXPECT_TRUE(session->finished()) << "the third failure";
}

TEST_F(Pop3Server, LoginsThatCannotBe) {
  struct {
    MaildropOutcome maildrop;
    const char* code;
  } const cases[] = {
      {MaildropOutcome::kInUse, "IN-USE"}, {MaildropOutcome::kTemporary, "SYS/TEMP"}, {MaildropOutcome::kPermanent, "SYS/PERM"}};
  for (const auto& c : cases) {
    handler.maildrop = c.maildrop;
    Begin();
    EXPECT_TRUE(Ok("USER alice"));
    EXPECT_TRUE(Err("PASS wonderland", c.code));
    EXPECT_EQ(session->state(), State::kAuthorization);
    handler.maildrop = MaildropOutcome::kOpened;
    LogIn();
  }
  handler.refusal = LoginOutcome::kTemporary;
  Begin();
  EXPECT_TRUE(Ok("USER bob"));
  EXPECT_TRUE(Err("PASS wonderland", "SYS/TEMP"));
}

TEST_F(Pop3Server, NoPasswordInTheClear) {
  options.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin, sasl::Mechanism::kScram};
  Begin(false);
  EXPECT_TRUE(Err("USER alice"));
  EXPECT_TRUE(Err("PASS wonderland"));
  EXPECT_TRUE(Err("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ="));
  EXPECT_EQ(Say("AUTH"), "+OK mechanisms follow\r\nSCRAM-SHA-256\r\n.\r\n");
  const std::string capa = Say("CAPA");
  EXPECT_TRUE(capa.contains("\r\nSASL SCRAM-SHA-256\r\n")) << capa;
  EXPECT_TRUE(capa.contains("\r\nSTLS\r\n"));
  EXPECT_FALSE(capa.contains("\r\nUSER\r\n"));
  EXPECT_TRUE(handler.told.empty());
  options.plaintext_without_tls = true;
  Begin(false);
  EXPECT_TRUE(Say("CAPA").contains("\r\nUSER\r\nSASL SCRAM-SHA-256 PLAIN LOGIN\r\n"));
  EXPECT_TRUE(Ok("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ="));
}

TEST_F(Pop3Server, SaysWhatItCan) {
  options.mechanisms = {sasl::Mechanism::kPlain};
  Begin();
  EXPECT_EQ(
      Say("CAPA"),
      "+OK capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nUSER\r\nSASL "
      "PLAIN\r\nUTF8 USER\r\nLANG\r\nIMPLEMENTATION Glasspost\r\n.\r\n");
  LogIn();
  EXPECT_EQ(Say("CAPA"),
            "+OK capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nUTF8 "
            "USER\r\nLANG\r\nIMPLEMENTATION Glasspost\r\n.\r\n");
}

TEST_F(Pop3Server, StlsDropsWhatCameBeforeTheHandshake) {
  TwoMessages();
  Begin(false);
  const std::string text = "STLS\r\nUSER alice\r\nPASS wonderland\r\nDE";
  EXPECT_EQ(session->Receive(text), text.size());
  EXPECT_EQ(Out(), "+OK begin TLS\r\n");
  EXPECT_TRUE(session->StartsTls());
  EXPECT_EQ(session->Receive("STAT\r\n"), 6u);
  EXPECT_EQ(Out(), "");
  session->TlsStarted();
  EXPECT_TRUE(session->tls());
  EXPECT_TRUE(Err("STAT")) << "nothing of it counts";
  EXPECT_TRUE(Err("STLS"));
  LogIn();
  EXPECT_TRUE(Err("STLS"));
  EXPECT_EQ(handler.told, std::vector<std::string>{"password alice wonderland"});
}

TEST_F(Pop3Server, StlsForgetsUser) {
  options.plaintext_without_tls = true;
  Begin(false);
  EXPECT_TRUE(Ok("USER alice"));
  EXPECT_TRUE(Ok("STLS"));
  session->TlsStarted();
  EXPECT_TRUE(Err("PASS wonderland"));
  options.stls = false;
  Begin(false);
  EXPECT_TRUE(Err("STLS"));
  EXPECT_FALSE(Say("CAPA").contains("STLS"));
}

TEST_F(Pop3Server, Apop) {
  options.apop = true;
  options.host = "dbc.mtview.ca.us";
  handler.user = "mrose";
  handler.verifiers = {"{PLAIN}tanstaaf"};
  Begin(false);
  const std::string challenge = "<000102030405060708090a0b@dbc.mtview.ca.us>";
  EXPECT_EQ(greeting, "+OK POP3 server ready " + challenge + "\r\n");
  const std::string right = "ae158310de3eee4d1fab60f4478af2ea";  // MD5 of challenge and secret
  const std::string digest = "0f7e4eee0a7d1d4f3cd0e0a17a5ae5b7";
  const std::string refused = Say("APOP mrose " + digest);
  EXPECT_TRUE(refused.starts_with("-ERR [AUTH] "));
  EXPECT_EQ(Say("APOP nobody " + digest), refused);
  EXPECT_TRUE(Err("APOP mrose"));
  EXPECT_TRUE(Ok("APOP mrose " + right));
  EXPECT_EQ(session->state(), State::kTransaction);
  handler.verifiers = {"{SCRAM-SHA-256}4096,c2FsdA==,eA==,eA=="};  // none that APOP could use
  Begin(false);
  EXPECT_TRUE(Err("APOP mrose " + right, "AUTH"));
  options.apop = false;
  Begin(false);
  EXPECT_TRUE(Err("APOP mrose " + right));
}

TEST_F(Pop3Server, AuthInAllItsForms) {
  options.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin};
  Begin();
  EXPECT_EQ(Say("AUTH PLAIN"), "+ \r\n");
  EXPECT_TRUE(Err("AGFsaWNlAHdyb25n", "AUTH"));
  EXPECT_EQ(Say("auth login"), "+ VXNlcm5hbWU6\r\n");
  EXPECT_EQ(Say("YWxpY2U="), "+ UGFzc3dvcmQ6\r\n");
  EXPECT_TRUE(Err("*"));
  EXPECT_EQ(Say("AUTH LOGIN"), "+ VXNlcm5hbWU6\r\n");
  EXPECT_TRUE(Err("no base64!"));
  EXPECT_TRUE(Err("AUTH GSSAPI"));
  EXPECT_TRUE(Err("AUTH PLAIN !"));
  EXPECT_EQ(Say("AUTH PLAIN"), "+ \r\n");
  session->Receive("AGFsaWNl");
  EXPECT_TRUE(Ok("AHdvbmRlcmxhbmQ="));
  EXPECT_EQ(session->state(), State::kTransaction);
  EXPECT_TRUE(Err("AUTH PLAIN"));
}

TEST_F(Pop3Server, LineLimitsAtTheLimitAndOnePast) {
  options.mechanisms = {sasl::Mechanism::kPlain};
  options.limits.failed_logins = 100;
  Begin();
  const std::size_t command = options.limits.command_octets - 2;
  EXPECT_TRUE(Ok("USER " + std::string(command - 5, 'u')));
  EXPECT_TRUE(Err("USER " + std::string(command - 4, 'u')));
  EXPECT_TRUE(Err("PASS x")) << "the long USER was not executed";
  EXPECT_EQ(Say("AUTH PLAIN"), "+ \r\n");
  const std::size_t sasl = options.limits.sasl_octets;
  EXPECT_TRUE(Err(std::string(sasl, 'A')));
  EXPECT_EQ(Say("AUTH PLAIN"), "+ \r\n");
  EXPECT_EQ(Say(std::string(sasl + 1, 'A')), "-ERR the line is too long\r\n");
  EXPECT_TRUE(Ok("CAPA"));
  LogIn();
  EXPECT_TRUE(Ok("NOOP"));
  EXPECT_TRUE(Err("NOOP" + std::string(command - 4, ' ') + "x"));
  // Answered once, and not executed in pieces.
  EXPECT_EQ(Say(std::string(9000, 'x') + " QUIT"), "-ERR the line is too long\r\n");
  EXPECT_FALSE(session->finished());
  const std::string endless(options.limits.endless_octets + 1, 'x');
  session->Receive(endless.substr(1));
  EXPECT_FALSE(session->finished());
  session->Receive(endless.substr(0, 1));
  EXPECT_TRUE(session->finished());
  // The same line with its end, in one piece.
  Begin();
  session->Receive(endless.substr(2) + "\n");
  EXPECT_FALSE(session->finished());
  session->Receive(endless.substr(1) + "\n");
  EXPECT_TRUE(session->finished());
}

TEST_F(Pop3Server, OnlyCrLfEndsACommand) {
  Begin();
  // What stands behind a bare LF, up to CRLF, is no command either, however long the line is.
  for (const std::string& line :
       {std::string("QUIT\nQUIT\nQUIT\r\n"), std::string("QUIT\rQUIT\r\n"), std::string("QU\0IT\r\n", 7)}) {
    EXPECT_EQ(session->Receive(line), line.size());
    EXPECT_EQ(Out(), "-ERR lines end with CR LF\r\n");
    EXPECT_FALSE(session->finished());
  }
  EXPECT_EQ(Say(std::string(20'000, 'x') + "\nQUIT"), "-ERR the line is too long\r\n");
  EXPECT_FALSE(session->finished());
  EXPECT_TRUE(Ok("QUIT"));
}

TEST_F(Pop3Server, MistakesAndIdleTalkClose) {
  Begin();
  for (unsigned i = 1; i < options.limits.mistakes; ++i) EXPECT_TRUE(Err("XTND")) << i;
  EXPECT_FALSE(session->finished());
  EXPECT_EQ(Say("XTND"), "-ERR too many mistakes\r\n");
  EXPECT_TRUE(session->finished());
  Begin();
  for (unsigned i = 0; i < options.limits.commands_before_login; ++i) EXPECT_TRUE(Ok("CAPA")) << i;
  EXPECT_TRUE(Err("CAPA"));
  EXPECT_TRUE(session->finished());
}

TEST_F(Pop3Server, Languages) {
  Begin();
  EXPECT_EQ(Say("LANG"), "+OK languages follow\r\nen English\r\nzh 中文\r\n.\r\n");
  EXPECT_EQ(Say("LANG zh-CN"), "+OK zh 已改用中文\r\n");
  EXPECT_EQ(Say("NOOP"), "-ERR 请先登录\r\n");
  EXPECT_EQ(Say("LANG fr"), "-ERR 没有这种语言\r\n");
  EXPECT_EQ(Say("LANG *"), "+OK en English it is\r\n");
  EXPECT_TRUE(Ok("UTF8"));
  LogIn();
  EXPECT_TRUE(Err("UTF8")) << "only before the login (RFC 6856 §2)";
}

TEST_F(Pop3Server, MessagesInUtf8) {
  handler.messages = {{"Subject: \xe4\xbd\xa0\r\n\r\n", "1.1", true}};
  Begin();
  LogIn();
  EXPECT_TRUE(Err("RETR 1", "UTF8"));
  EXPECT_TRUE(Err("TOP 1 0", "UTF8"));
  EXPECT_EQ(Say("LIST 1"), "+OK 1 16\r\n");
  Begin();
  EXPECT_TRUE(Ok("UTF8"));
  LogIn();
  EXPECT_TRUE(Ok("RETR 1"));
}

TEST_F(Pop3Server, LinesThatDoNotEndRightAreMended) {
  handler.messages = {{"a: b\n\n.\n..\rx\r\n.", "1.1"}, {"", "1.2"}};
  Begin();
  LogIn();
  const std::string right = "a: b\r\n\r\n..\r\n...\r\nx\r\n..\r\n.\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
    handler.piece = piece;
    const std::string reply = Say("RETR 1");
    EXPECT_EQ(reply.substr(reply.find('\n') + 1), right) << piece;
  }
  EXPECT_EQ(Say("RETR 2"), "+OK 0 octets\r\n.\r\n");
}

TEST_F(Pop3Server, TopCutsAtAnyPiece) {
  const std::string message = "A: b\r\nC: d\r\n\r\none\r\n.two\r\n\r\nfour\r\n";
  handler.messages = {{message, "1.1"}};
  Begin();
  LogIn();
  const char* const expected[] = {"A: b\r\nC: d\r\n\r\n.\r\n", "A: b\r\nC: d\r\n\r\none\r\n.\r\n",
                                  "A: b\r\nC: d\r\n\r\none\r\n..two\r\n.\r\n", "A: b\r\nC: d\r\n\r\none\r\n..two\r\n\r\n.\r\n",
                                  "A: b\r\nC: d\r\n\r\none\r\n..two\r\n\r\nfour\r\n.\r\n"};
  for (std::size_t piece = 1; piece <= message.size(); ++piece) {
    handler.piece = piece;
    for (int lines = 0; lines < 6; ++lines) {
      const std::string reply = Say("TOP 1 " + std::to_string(lines));
      EXPECT_EQ(reply.substr(reply.find('\n') + 1), expected[std::min(lines, 4)]) << lines << " in pieces of " << piece;
    }
  }
}

// What is asked for of a message waits for what was sent, and no more than the bound is ever held.
TEST_F(Pop3Server, BackPressure) {
  std::string large;
  while (large.size() < 3'000'000) large += ".\r\n";
  handler.messages = {{large, "1.1"}, {large, "1.2"}};
  Begin();
  LogIn();
  session->Receive("RETR 1\r\n");
  EXPECT_EQ(session->Receive("NOOP\r\n"), 0u);
  EXPECT_EQ(handler.reads, 1) << "its dots doubled, a piece is more than the bound";
  std::size_t all = 0;
  std::size_t most = 0;
  while (!session->output().empty()) {
    most = std::max(most, session->output().size());
    const std::size_t n = std::min<std::size_t>(session->output().size(), 1000);
    all += n;
    session->Sent(n);
  }
  EXPECT_EQ(all, std::string("+OK 3000000 octets\r\n").size() + large.size() / 3 * 4 + 3);
  EXPECT_LE(most, 256u << 10);
  EXPECT_TRUE(Ok("NOOP"));
}

TEST_F(Pop3Server, ALongListWaitsToo) {
  handler.messages.assign(100'000, {"", "123456789.123456789"});
  Begin();
  LogIn();
  session->Receive("UIDL\r\n");
  EXPECT_LE(session->output().size(), options.limits.output_octets + 100);
  EXPECT_EQ(session->Receive("STAT\r\n"), 0u);
  const std::string all = Out();
  EXPECT_TRUE(all.ends_with("\r\n100000 123456789.123456789\r\n.\r\n"));
}

TEST_F(Pop3Server, AReadThatFails) {
  TwoMessages();
  handler.fails_at = 0;
  Begin();
  LogIn();
  EXPECT_TRUE(Err("RETR 1", "SYS/TEMP"));
  EXPECT_FALSE(session->finished());
  handler.fails_at = 10;
  handler.piece = 10;
  const std::string reply = Say("RETR 1");
  EXPECT_EQ(reply, "+OK 22 octets\r\nSubject: o");
  EXPECT_TRUE(session->finished() && session->broken()) << "half a message does not end with a lone dot";
}

TEST_F(Pop3Server, PipelinedCommandsAreAnsweredInOneGo) {
  TwoMessages();
  Begin();
  const std::string text = "USER alice\r\nPASS wonderland\r\nSTAT\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n";
  EXPECT_EQ(session->Receive(text), text.size());
  const std::string whole(session->output());
  EXPECT_TRUE(session->finished());
  // The same whatever the pieces, and whenever the answers come.
  for (const bool later : {false, true}) {
    for (std::size_t at = 1; at < text.size(); ++at) {
      handler.later = later;
      Begin();
      std::string out;
      std::string input = text.substr(0, at);
      std::string rest = text.substr(at);
      for (int i = 0; i < 100 && !(input.empty() && rest.empty()); ++i) {
        if (input.empty()) input.swap(rest);
        input.erase(0, session->Receive(std::string(input)));
        handler.Answer();
        out += Out();
      }
      handler.Answer();
      out += Out();
      ASSERT_EQ(out, whole) << "split after " << at;
    }
  }
}

// What is asked for in one go and is more than the bound goes out in several; what was kept for the next is not held on to.
TEST_F(Pop3Server, PipelinedBeyondTheBound) {
  const std::string message = std::string(4000, 'x') + "\r\n.dot\r\n";
  handler.messages.assign(50, {message, "1.1"});
  for (const bool later : {false, true}) {
    handler.later = false;
    Begin();
    LogIn();
    handler.later = later;
    std::string input, expected, out;
    for (int i = 1; i <= 50; ++i) {
      input += "RETR " + std::to_string(i) + "\r\n";
      expected += "+OK 4008 octets\r\n" + std::string(4000, 'x') + "\r\n..dot\r\n.\r\n";
    }
    for (int i = 0; i < 1000 && !input.empty(); ++i) {
      input.erase(0, session->Receive(std::string(input)));
      handler.Answer();
      ASSERT_LE(session->output().size(), options.limits.output_octets + message.size() + 100);
      out += Out();
    }
    EXPECT_EQ(out, expected);
    EXPECT_TRUE(Ok("NOOP"));
  }
}

TEST_F(Pop3Server, IsSmallWhileIdle) {
  TwoMessages();
  handler.messages.resize(1000, handler.messages[0]);
  Begin();
  LogIn();
  for (const char* line : {"LIST", "UIDL", "RETR 1", "TOP 2 1"}) Say(line);
  EXPECT_LE(sizeof(ServerSession), 700u);
  EXPECT_EQ(session->output(), "");
}

}  // namespace
}  // namespace glasspost::pop3
