// What the conversation files cannot show: limits at the limit and one past it, what the handler is told, time-outs, memory.
#include "wire/smtp/server_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/base64.h"
#include "base/hmac.h"
#include "support/known_randomness.h"

namespace glasspost::smtp {
namespace {

class Handler : public ServerHandler {
 public:
  std::vector<std::string> told;
  std::string message;
  bool hold_questions = false;
  Answer end;
  std::vector<std::string> verifiers;

  Decision Said(std::string what, Answer answer = {}) {
    told.push_back(std::move(what));
    if (hold_questions) return kLater;
    return answer;
  }
  Decision OnConnect() override { return connect; }
  Decision OnMail(const Mail& mail) override {
    size = mail.parameters.size.value_or(0);
    return Said("mail " + std::string(mail.path->text));
  }
  Decision OnRecipient(const Recipient& r) override {
    notify = r.parameters.notify;
    if (r.path->local_part.starts_with("no")) return Said("rcpt", Answer::No(550, "5.1.1", "unknown"));
    return Said("rcpt " + std::string(r.path->local_part) + " at " + std::string(r.path->domain));
  }
  void OnMessageOctets(Octets octets) override { message += octets; }
  Decision OnMessageEnd(const Content& content) override {
    last = content;
    return Said("end", end);
  }
  void OnReset(Reset why) override { told.push_back("reset " + std::to_string(static_cast<int>(why))); }
  Decision OnPassword(Octets user, Octets password) override {
    return Said("password", user == "alice" && password == "wonderland" ? Answer{} : Answer{535, {}, {}});
  }
  std::optional<std::vector<std::string>> OnVerifiers(Octets) override { return verifiers; }

  void OnTooManyRecipients(const Answer& said) override { too_many += said.code == 452 ? 1 : 0; }

  int too_many = 0;
  Answer connect;
  std::uint64_t size = 0;
  Notify notify;
  Content last;
};

class ServerSessionTest : public ::testing::Test {
 protected:
  void Begin(bool tls = false) {
    session = std::make_unique<ServerSession>(handler, options, randomness);
    session->Start(tls);
    Out();
  }
  std::string Out() {
    std::string out;
    session->TakeOutput(out);
    return out;
  }
  // What is answered to `line`.
  std::string Say(std::string_view line) {
    const std::string text = std::string(line) + "\r\n";
    EXPECT_EQ(session->Receive(text), text.size());
    return Out();
  }
  std::string Raw(std::string_view octets) {
    session->Receive(octets);
    return Out();
  }
  void Envelope() {
    Say("EHLO c.example.net");
    EXPECT_EQ(Say("MAIL FROM:<a@example.net>"), "250 2.1.0 Ok\r\n");
    EXPECT_EQ(Say("RCPT TO:<b@example.org>"), "250 2.1.5 Ok\r\n");
  }

  test::FixedRandomness randomness;
  Handler handler;
  ServerOptions options;
  std::unique_ptr<ServerSession> session;
};

TEST_F(ServerSessionTest, OffersWhatItIsToldTo) {
  options.host = "mx.example.org";
  options.extensions.starttls = true;
  options.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kScram};
  Begin();
  EXPECT_EQ(Say("EHLO c.example.net"),
            "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n250-AUTH SCRAM-SHA-256\r\n"
            "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n");
  EXPECT_EQ(Say("STARTTLS"), "220 2.0.0 Ready to start TLS\r\n");
  session->TlsStarted();
  EXPECT_TRUE(Say("EHLO c.example.net").contains("250-AUTH SCRAM-SHA-256 PLAIN\r\n"));
  EXPECT_FALSE(Say("EHLO c.example.net").contains("STARTTLS"));
  EXPECT_EQ(Say("HELO c.example.net"), "250 mx.example.org\r\n");
  EXPECT_EQ(session->with_protocol(), "SMTP");
}

TEST_F(ServerSessionTest, NamesItsProtocol) {
  options.mechanisms = {sasl::Mechanism::kPlain};
  Begin(true);
  Say("EHLO c.example.net");
  EXPECT_EQ(session->with_protocol(), "ESMTPS");
  EXPECT_EQ(Say("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ="), "235 2.7.0 Authentication successful\r\n");
  EXPECT_EQ(session->user(), "alice");
  EXPECT_EQ(session->with_protocol(), "ESMTPSA");
  Say("MAIL FROM:<a@example.net> SMTPUTF8");
  EXPECT_EQ(session->with_protocol(), "UTF8SMTPSA");
}

TEST_F(ServerSessionTest, TakesAsManyRecipientsAsAllowedAndNeverFewerThanAHundred) {
  options.limits.recipients = 3;  // too few: RFC 5321 §4.5.3.1.8
  Begin();
  Say("EHLO c.example.net");
  Say("MAIL FROM:<>");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Say("RCPT TO:<u" + std::to_string(i) + "@example.org>"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(handler.too_many, 0);
  for (int i = 100; i < 103; ++i) {
    EXPECT_EQ(Say("RCPT TO:<u" + std::to_string(i) + "@example.org>"), "452 4.5.3 Too many recipients\r\n");
    EXPECT_EQ(handler.too_many, 1) << "told once";
  }
  EXPECT_EQ(session->recipients(), 100u);
  EXPECT_TRUE(Say("DATA").starts_with("354 "));
}

TEST_F(ServerSessionTest, LineLimitsAtTheLimitAndOnePast) {
  Begin();
  Say("EHLO c.example.net");
  const std::size_t limit = options.limits.line_octets;
  EXPECT_EQ(Say("NOOP " + std::string(limit - 5, 'x')), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(Say("NOOP " + std::string(limit - 4, 'x')), "500 5.5.2 Line too long\r\n");
  EXPECT_EQ(Say("NOOP " + std::string(100'000, 'x')), "500 5.5.2 Line too long\r\n");
  EXPECT_LT(session->heap(), 100u) << "the long line's memory is kept";
  EXPECT_EQ(Raw("NOOP " + std::string(options.limits.endless_line_octets, 'x')),
            "421 4.5.2 localhost Line without end, closing connection\r\n");
  EXPECT_EQ(session->next(), ServerSession::Next::kClose);
}

TEST_F(ServerSessionTest, ALineFeedInsideEndsNoLineHoweverLong) {
  for (const std::size_t length : {10u, 5'000u, 20'000u}) {
    for (const std::size_t split : {std::size_t{0}, length / 2, length, length + 1, length + 3}) {
      Begin();
      Say("EHLO c.example.net");
      const std::string line = std::string(length, 'x') + "\nMAIL FROM:<a@example.net>\r\nNOOP\r\n";
      std::string out = Raw(std::string_view(line).substr(0, split));
      out += Raw(std::string_view(line).substr(split));
      EXPECT_TRUE(out.starts_with("500 ")) << out;
      EXPECT_TRUE(out.ends_with("\r\n250 2.0.0 Ok\r\n")) << out;
      EXPECT_FALSE(session->in_transaction()) << length << " " << split;
    }
  }
}

TEST_F(ServerSessionTest, NothingBehindAChunkWithoutASizeIsHeard) {
  for (const char* size : {"x", "-1 LAST", "99999999999999999999", "4611686018427387905"}) {
    Begin();
    Envelope();
    EXPECT_EQ(Raw("BDAT " + std::string(size) + "\r\nRSET\r\n"),
              "421 4.5.4 localhost Not a chunk's size, closing connection\r\n");
    EXPECT_EQ(session->next(), ServerSession::Next::kClose);
  }
  Begin();
  Envelope();
  EXPECT_EQ(Say("BDAT"), "501 5.5.4 Syntax: BDAT size [LAST]\r\n");
}

TEST_F(ServerSessionTest, AuthLinesMayBeLonger) {
  options.mechanisms = {sasl::Mechanism::kPlain};
  options.passwords_without_tls = true;
  Begin();
  Say("EHLO c.example.net");
  EXPECT_EQ(Say("AUTH PLAIN"), "334 \r\n");
  EXPECT_EQ(Say(std::string(options.limits.auth_line_octets, 'A')), "501 5.5.2 Cannot decode the response\r\n");
  EXPECT_EQ(Say("AUTH PLAIN"), "334 \r\n");
  EXPECT_EQ(Say(std::string(options.limits.auth_line_octets + 1, 'A')), "500 5.5.6 Line too long\r\n");
  EXPECT_EQ(Say("NOOP"), "250 2.0.0 Ok\r\n");
}

TEST_F(ServerSessionTest, ErrorsHaveAnEnd) {
  options.limits.errors = 3;
  Begin();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Say("XYZZY"), "500 5.5.2 Command not recognized\r\n");
  EXPECT_EQ(Say("XYZZY"), "421 4.7.0 localhost Too many errors\r\n");
  EXPECT_EQ(session->next(), ServerSession::Next::kClose);
  EXPECT_EQ(Say("NOOP"), "") << "said something behind its last word";
}

TEST_F(ServerSessionTest, AMessageForgivesErrors) {
  options.limits.errors = 3;
  Begin();
  for (int i = 0; i < 3; ++i) Say("XYZZY");
  Envelope();
  Say("DATA");
  EXPECT_EQ(Raw("x\r\n.\r\n"), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(Say("XYZZY"), "500 5.5.2 Command not recognized\r\n");
}

TEST_F(ServerSessionTest, IdleTalkAndRefusedRecipientsHaveAnEnd) {
  options.limits.idle_commands = 5;
  options.limits.errors = 2;
  Begin();
  for (int i = 0; i < 7; ++i) EXPECT_EQ(Say("NOOP"), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(Say("NOOP"), "250 2.0.0 Ok\r\n421 4.7.0 localhost Too many commands\r\n");
  options.limits.refused_recipients = 2;
  Begin();
  Say("EHLO c.example.net");
  Say("MAIL FROM:<>");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Say("RCPT TO:<no@example.org>"), "550 5.1.1 unknown\r\n");
  EXPECT_EQ(Say("RCPT TO:<no@example.org>"), "421 4.7.0 localhost Too many refused recipients\r\n");
  EXPECT_EQ(handler.told.back(), "reset 3");
}

TEST_F(ServerSessionTest, ParametersReachTheHandler) {
  Begin();
  Say("EHLO c.example.net");
  EXPECT_EQ(Say("MAIL FROM:<a@example.net> SIZE=77"), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(handler.size, 77u);
  EXPECT_EQ(Say("RCPT TO:<b@example.org> NOTIFY=FAILURE,DELAY"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(handler.notify, (Notify{.failure = true, .delay = true}));
  EXPECT_EQ(Say("RCPT TO:<Postmaster>"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(handler.told.back(), "rcpt Postmaster at ");
  EXPECT_EQ(Say("RCPT TO: c@example.org"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(handler.told.back(), "rcpt c at example.org");
  options.lenient_paths = false;
  EXPECT_EQ(Say("RCPT TO: <c@example.org>"), "501 5.5.4 Syntax: RCPT TO:<address>\r\n");
  EXPECT_EQ(Say("RCPT TO:c@example.org"), "501 5.5.4 Syntax: RCPT TO:<address>\r\n");
  EXPECT_EQ(Say("RCPT TO:<c@example.org> NOTIFY=NEVER ORCPT=rfc822;" + std::string(493, 'x')), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(Say("RCPT TO:<c@example.org> ORCPT=rfc822;" + std::string(494, 'x')), "501 5.5.4 Bad parameter\r\n");
}

TEST_F(ServerSessionTest, ExtensionsThatAreNotOfferedAreNotKnown) {
  options.extensions = {.enhanced_status_codes = true};
  Begin();
  Say("EHLO c.example.net");
  for (const char* parameter : {"SIZE=1", "BODY=8BITMIME", "SMTPUTF8", "RET=FULL", "ENVID=x", "AUTH=<>"})
    EXPECT_TRUE(Say(std::string("MAIL FROM:<a@example.net> ") + parameter).starts_with("555 5.5.4 ")) << parameter;
  EXPECT_EQ(Raw("BDAT 6 LAST\r\nQUIT\r\n"), "502 5.5.1 Command not implemented\r\n");
  options.extensions.size = true;
  Begin();
  Say("HELO c.example.net");
  EXPECT_TRUE(Say("MAIL FROM:<a@example.net> SIZE=1").starts_with("555 5.5.4 ")) << "HELO brings no extensions";
}

TEST_F(ServerSessionTest, WaitsForItsHandlerAndTakesNothingMeanwhile) {
  Begin();
  Say("EHLO c.example.net");
  handler.hold_questions = true;
  const std::string group = "MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";
  const std::size_t taken = session->Receive(group);
  EXPECT_EQ(taken, group.find("RCPT"));
  EXPECT_EQ(session->next(), ServerSession::Next::kWait);
  EXPECT_EQ(session->Receive(group.substr(taken)), 0u);
  EXPECT_EQ(Out(), "");
  session->Decide({});
  session->Decide({});  // nobody asked
  EXPECT_EQ(Out(), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(session->next(), ServerSession::Next::kRead);
  session->Receive(group.substr(taken));
  session->Decide(Answer::No(450, "4.7.1", "Greylisted"));
  EXPECT_EQ(Out(), "450 4.7.1 Greylisted\r\n");
}

TEST_F(ServerSessionTest, HoldsBackOctetsAndOutput) {
  Begin();
  Envelope();
  Say("DATA");
  session->Hold();
  EXPECT_EQ(session->next(), ServerSession::Next::kWait);
  EXPECT_EQ(session->Receive("x\r\n"), 0u);
  session->Resume();
  EXPECT_EQ(Raw("x\r\n.\r\n"), "250 2.0.0 Ok\r\n");
  // Nobody reads the replies.
  std::string commands;
  for (int i = 0; i < 5000; ++i) commands += "VRFY x\r\n";
  options.limits.idle_commands = 10'000;
  const std::size_t taken = session->Receive(commands);
  EXPECT_LT(taken, commands.size());
  EXPECT_EQ(session->next(), ServerSession::Next::kWrite);
  EXPECT_LE(session->output().size(), options.limits.output_octets + 1024);
  Out();
  EXPECT_EQ(session->next(), ServerSession::Next::kRead);
}

TEST_F(ServerSessionTest, TellsOfEachTransactionsEndOnce) {
  Begin();
  Envelope();
  Say("RSET");
  EXPECT_EQ(handler.told.back(), "reset 0");
  const std::size_t before = handler.told.size();
  Say("RSET");
  EXPECT_EQ(handler.told.size(), before);
  Envelope();
  Say("DATA");
  Raw("one\ntwo\r\n");
  EXPECT_EQ(handler.told.back(), "reset 1") << "refused, and the handler may forget it";
  EXPECT_TRUE(Raw(".\r\n").starts_with("554 5.6.0 "));
  Envelope();
  EXPECT_TRUE(Raw("BDAT 3 LAST\r\nab\r").starts_with("554 5.6.0 "));
  EXPECT_EQ(handler.told.back(), "reset 1") << "that the last octet is a bare CR is known at the end only";
  const std::size_t after = handler.told.size();
  Say("QUIT");
  EXPECT_EQ(handler.told.size(), after);
  Begin();
  Envelope();
  session->Closed();
  EXPECT_EQ(handler.told.back(), "reset 3");
}

TEST_F(ServerSessionTest, NormalisesOnlyBehindTheTrueEnd) {
  options.bare_line_ends = BareLineEnds::kNormalise;
  Begin();
  Envelope();
  Say("DATA");
  EXPECT_EQ(Raw("a\n.\nb\r.\rc\r\n.\rd\r\n.\r\n"), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(handler.message, "a\r\n.\r\nb\r\n.\r\nc\r\n\r\nd\r\n");
  EXPECT_TRUE(handler.last.normalised);
  EXPECT_EQ(handler.last.octets, handler.message.size());
}

TEST_F(ServerSessionTest, AMessageInChunksEndsWithALine) {
  Begin();
  Envelope();
  EXPECT_EQ(Raw("BDAT 3 LAST\r\nabc"), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(handler.message, "abc\r\n");
  EXPECT_TRUE(handler.last.chunked);
  EXPECT_EQ(handler.last.octets, 5u);
}

TEST_F(ServerSessionTest, NoRecipientsComeBehindAChunkThatFailed) {
  Begin();
  Envelope();
  EXPECT_TRUE(Raw("BDAT 4\r\nab\nc").starts_with("554 5.6.0 "));
  EXPECT_EQ(Say("RCPT TO:<Postmaster>"), "503 5.5.1 The message has begun\r\n");
  EXPECT_EQ(Say("RSET"), "250 2.0.0 Ok\r\n");
  Envelope();
  EXPECT_EQ(Raw("BDAT 3 LAST\r\nabc"), "250 2.0.0 Ok\r\n");
}

TEST_F(ServerSessionTest, ARefusedStartIsSaidOfAllChunks) {
  class Refusing : public Handler {
    Decision OnMessageStart(bool) override { return Answer::No(452, "4.3.1", "Full"); }
  } refusing;
  ServerSession full(refusing, options, randomness);
  full.Start(false);
  full.Receive("EHLO c.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\n");
  std::string out;
  full.TakeOutput(out);
  full.Receive("BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nMAIL FROM:<>\r\n");
  full.TakeOutput(out);
  EXPECT_EQ(out, "452 4.3.1 Full\r\n452 4.3.1 Full\r\n250 2.1.0 Ok\r\n");
  EXPECT_EQ(refusing.told, (std::vector<std::string>{"mail ", "rcpt b at example.org", "reset 1", "mail "}));
}

TEST_F(ServerSessionTest, TimeOutsAndShutDown) {
  Begin();
  session->TimedOut();
  EXPECT_EQ(Out(), "421 4.4.2 localhost Timeout exceeded, closing connection\r\n");
  Begin();
  session->ShutDown();
  EXPECT_EQ(Out(), "421 4.3.2 localhost Shutting down\r\n");
  Begin();
  Envelope();
  session->ShutDown();
  EXPECT_EQ(Out(), "");
  Say("DATA");
  EXPECT_EQ(Raw("x\r\n.\r\n"), "250 2.0.0 Ok\r\n421 4.3.2 localhost Shutting down\r\n");
  EXPECT_EQ(session->next(), ServerSession::Next::kClose);
  Begin();
  Envelope();
  session->ShutDown();
  EXPECT_EQ(Say("RSET"), "421 4.3.2 localhost Shutting down\r\n");
}

TEST_F(ServerSessionTest, GreetingsThatRefuse) {
  handler.connect = Answer::No(554, {}, "No service");
  session = std::make_unique<ServerSession>(handler, options, randomness);
  session->Start(false);
  EXPECT_EQ(Out(), "554 localhost No service\r\n");
  EXPECT_EQ(Say("EHLO x"), "503 5.5.1 No service here; only QUIT\r\n");
  EXPECT_EQ(Raw("BDAT 6\r\nNOOP\r\n"), "503 5.5.1 No service here; only QUIT\r\n");
  EXPECT_EQ(Say("QUIT"), "221 2.0.0 localhost Bye\r\n");
  handler.connect = Answer::No(421, {}, "Too many connections");
  session = std::make_unique<ServerSession>(handler, options, randomness);
  session->Start(false);
  EXPECT_EQ(Out(), "421 localhost Too many connections\r\n");
  EXPECT_EQ(session->next(), ServerSession::Next::kClose);
}

TEST_F(ServerSessionTest, HandlersAreHeldToTheRules) {
  Begin();
  Envelope();
  Say("DATA");
  handler.end = Answer::No(503, "2.0.0", "line\r\nends\x01\n250 second");
  EXPECT_EQ(Raw("x\r\n.\r\n"), "554-5.0.0 line\r\n554-5.0.0 ends\r\n554 5.0.0 250 second\r\n") << "a reply of the handler's own";
}

TEST_F(ServerSessionTest, RequiresLoginAndTls) {
  options.require_auth = true;
  options.require_tls = true;
  options.extensions.starttls = true;
  options.mechanisms = {sasl::Mechanism::kPlain};
  Begin();
  Say("EHLO c.example.net");
  EXPECT_EQ(Say("MAIL FROM:<>"), "530 5.7.0 Must issue a STARTTLS command first\r\n");
  EXPECT_EQ(Say("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ="), "530 5.7.0 Must issue a STARTTLS command first\r\n");
  EXPECT_EQ(Raw("STARTTLS\r\nMAIL FROM:<evil@example.com>\r\n"), "220 2.0.0 Ready to start TLS\r\n");
  EXPECT_EQ(session->Receive("DATA\r\n"), 6u) << "not dropped";
  EXPECT_EQ(Out(), "");
  session->TlsStarted();
  EXPECT_EQ(session->hello(), "");
  Say("EHLO c.example.net");
  EXPECT_EQ(Say("MAIL FROM:<>"), "530 5.7.0 Authentication required\r\n");
  EXPECT_EQ(Say("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ="), "235 2.7.0 Authentication successful\r\n");
  EXPECT_EQ(Say("MAIL FROM:<>"), "250 2.1.0 Ok\r\n");
}

TEST_F(ServerSessionTest, GuessingHasAnEnd) {
  options.mechanisms = {sasl::Mechanism::kPlain};
  options.passwords_without_tls = true;
  Begin();
  Say("EHLO c.example.net");
  for (unsigned i = 0; i < options.limits.failed_logins; ++i)
    EXPECT_EQ(Say("AUTH PLAIN AGFsaWNlAGE="), "535 5.7.8 Authentication failed\r\n");
  EXPECT_EQ(Say("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ="), "421 4.7.0 localhost Too many failed logins\r\n");
}

TEST_F(ServerSessionTest, LmtpAnswersForEachRecipient) {
  options.role = Role::kLmtp;
  Begin();
  EXPECT_EQ(Say("EHLO c.example.net"), "502 5.5.1 Command not implemented\r\n");
  EXPECT_TRUE(Say("LHLO c.example.net").starts_with("250-localhost\r\n"));
  Say("MAIL FROM:<>");
  Say("RCPT TO:<b@example.org>");
  Say("RCPT TO:<c@example.org>");
  Say("DATA");
  handler.hold_questions = true;
  EXPECT_EQ(Raw("x\r\n.\r\n"), "");
  session->DecideEach(std::vector<Answer>{{}, Answer::No(452, "4.2.2", "over quota")});
  EXPECT_EQ(Out(), "250 2.0.0 Ok\r\n452 4.2.2 over quota\r\n");
  EXPECT_EQ(session->state(), State::kReady);
}

TEST_F(ServerSessionTest, AnEndlessMessageIsGivenUp) {
  options.limits.message_octets = 1000;
  options.limits.discarded_octets = 1000;
  Begin();
  Envelope();
  Say("DATA");
  EXPECT_EQ(Raw(std::string(2000, 'x')), "");
  EXPECT_EQ(Raw("x"), "421 4.3.4 localhost Message without end, closing connection\r\n");
  Begin();
  Say("EHLO c.example.net");
  EXPECT_EQ(Raw("BDAT 3000\r\n" + std::string(1000, 'x')), "");
  EXPECT_EQ(Raw("x"), "421 4.3.4 localhost Message without end, closing connection\r\n");
}

TEST_F(ServerSessionTest, IsSmall) {
  static_assert(sizeof(ServerSession) <= 1024);
  Begin();
  Say("EHLO client-with-a-long-name.department.example.net");
  EXPECT_LE(sizeof(ServerSession) + session->heap(), 2048u);
  Envelope();
  Say("DATA");
  Raw("x\r\n.\r\n");
  EXPECT_LE(sizeof(ServerSession) + session->heap(), 2048u);
}

}  // namespace
}  // namespace glasspost::smtp
