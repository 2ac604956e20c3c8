#include "agent/talk/session_state.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace glasspost::agent::talk {
namespace {

Exchange Asked(std::string verb, std::string argument = {}) {
  Exchange e;
  e.has_request = true;
  e.request.verb = std::move(verb);
  e.request.argument = std::move(argument);
  return e;
}

void Reply(SessionState& state, Exchange e, int code, std::string text = {}) {
  if (e.has_request) state.OnRequest(e);
  e.has_reply = true;
  e.reply.code = code;
  e.reply.text = std::move(text);
  state.OnExchange(e);
}

void Reply(SessionState& state, Exchange e, std::string status, std::string text = {}) {
  if (e.has_request) state.OnRequest(e);
  e.has_reply = true;
  e.reply.status = std::move(status);
  e.reply.text = std::move(text);
  state.OnExchange(e);
}

bool Allows(const SessionState& state, std::string_view command) {
  const auto all = state.Allowed();
  return std::ranges::find(all, command, &SessionState::Choice::command) != all.end();
}

TEST(SessionState, AnSmtpSession) {
  SessionState s(Protocol::kSmtp);
  EXPECT_EQ(s.input(), Input::kGreeting);
  EXPECT_EQ(s.advice(), Advice::kGreeting);
  EXPECT_TRUE(s.Allowed().empty());
  Reply(s, {}, 220);
  EXPECT_EQ(s.advice(), Advice::kHello);
  EXPECT_TRUE(Allows(s, "EHLO"));
  EXPECT_FALSE(Allows(s, "MAIL"));
  Reply(s, Asked("EHLO", "me"), 250, "server\nSTARTTLS\nAUTH PLAIN login\nSIZE 10");
  EXPECT_EQ(s.advice(), Advice::kStartTls);
  EXPECT_TRUE(s.Offers("size"));
  EXPECT_EQ(s.Mechanisms(), (std::vector<std::string>{"PLAIN", "LOGIN"}));
  Reply(s, Asked("STARTTLS"), 220);
  EXPECT_EQ(s.input(), Input::kTls);
  s.OnTls(false);
  EXPECT_EQ(s.advice(), Advice::kHello);
  EXPECT_TRUE(s.offers().empty());  // void, RFC 3207 §4.2
  Reply(s, Asked("EHLO", "me"), 250, "server\nAUTH PLAIN");
  EXPECT_EQ(s.advice(), Advice::kLogin);
  Reply(s, Asked("AUTH", "LOGIN"), 334);
  EXPECT_EQ(s.input(), Input::kAnswer);
  Reply(s, Asked("*"), 235);
  EXPECT_TRUE(s.logged_in());
  EXPECT_EQ(s.advice(), Advice::kMail);
  Reply(s, Asked("MAIL", "FROM:<a@b>"), 250);
  Reply(s, Asked("RCPT", "TO:<a@b>"), 550);
  EXPECT_EQ(s.advice(), Advice::kRcpt);
  Reply(s, Asked("RCPT", "TO:<c@b>"), 250);
  EXPECT_EQ(s.advice(), Advice::kData);
  Reply(s, Asked("DATA"), 354);
  EXPECT_EQ(s.input(), Input::kData);
  Reply(s, Asked(".", "10"), 250);
  EXPECT_EQ(s.advice(), Advice::kQuit);
  Reply(s, Asked("QUIT"), 221);
  EXPECT_EQ(s.input(), Input::kOver);
  EXPECT_EQ(s.waiting(), 0u);
}

// What looks like the data block, or an answer, but is a command that nobody knows.
TEST(SessionState, ALoneDotOrStarChangesNothing) {
  for (const std::string word : {".", "*"}) {
    Exchange command = Asked({});
    command.request.SetVerb(word, word);
    SessionState smtp(Protocol::kSmtp);
    Reply(smtp, {}, 220);
    Reply(smtp, command, 500);
    EXPECT_EQ(smtp.advice(), Advice::kHello) << word;
    SessionState pop3(Protocol::kPop3);
    Reply(pop3, {}, "+OK", "hello");
    Reply(pop3, command, "+OK");
    EXPECT_FALSE(pop3.logged_in()) << word;
  }
}

TEST(SessionState, ChunksOfSmtp) {
  SessionState s(Protocol::kSmtp);
  Reply(s, {}, 220);
  Reply(s, Asked("EHLO", "me"), 250, "server\nCHUNKING");
  Reply(s, Asked("MAIL", "FROM:<a@b>"), 250);
  Reply(s, Asked("RCPT", "TO:<c@b>"), 250);
  Reply(s, Asked("BDAT", "10"), 250);
  EXPECT_EQ(s.advice(), Advice::kChunk);
  EXPECT_FALSE(Allows(s, "MAIL"));
  Reply(s, Asked("BDAT", "3 LAST"), 250);
  EXPECT_EQ(s.advice(), Advice::kQuit);
  EXPECT_TRUE(Allows(s, "MAIL"));
}

TEST(SessionState, APop3Session) {
  SessionState s(Protocol::kPop3);
  Reply(s, {}, "+OK", "hello");
  EXPECT_EQ(s.advice(), Advice::kCapabilities);
  Reply(s, Asked("CAPA"), "+OK", "list\nSTLS\nSASL PLAIN SCRAM-SHA-256");
  EXPECT_EQ(s.advice(), Advice::kStartTls);
  EXPECT_EQ(s.Mechanisms().size(), 2u);
  Reply(s, Asked("STLS"), "+OK");
  EXPECT_EQ(s.input(), Input::kTls);
  s.OnTls(false);
  Reply(s, Asked("USER", "ada"), "+OK");
  EXPECT_EQ(s.advice(), Advice::kPassword);
  EXPECT_FALSE(Allows(s, "RETR"));
  Reply(s, Asked("PASS", "*** (1 octet)"), "-ERR");
  EXPECT_FALSE(s.logged_in());
  Reply(s, Asked("AUTH", "PLAIN"), "+");
  EXPECT_EQ(s.input(), Input::kAnswer);
  Reply(s, Asked("*"), "+OK");
  EXPECT_EQ(s.advice(), Advice::kStat);
  EXPECT_TRUE(Allows(s, "RETR"));
  Reply(s, Asked("STAT"), "+OK", "1 10");
  EXPECT_EQ(s.advice(), Advice::kRetrieve);
  Reply(s, Asked("RETR", "1"), "+OK");
  EXPECT_EQ(s.advice(), Advice::kQuit);
  Reply(s, Asked("QUIT"), "+OK");
  EXPECT_EQ(s.advice(), Advice::kOver);
}

TEST(SessionState, AnImapSession) {
  SessionState s(Protocol::kImap);
  Reply(s, {}, "OK", "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hello");
  EXPECT_EQ(s.advice(), Advice::kStartTls);
  EXPECT_EQ(s.Mechanisms(), (std::vector<std::string>{"PLAIN"}));
  EXPECT_TRUE(Allows(s, "LOGIN"));
  EXPECT_FALSE(Allows(s, "FETCH"));
  Reply(s, Asked("STARTTLS"), "OK", "a1 OK");
  EXPECT_EQ(s.input(), Input::kTls);
  s.OnTls(false);
  EXPECT_EQ(s.advice(), Advice::kCapabilities);
  Reply(s, Asked("CAPABILITY"), "OK", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\na2 OK");
  EXPECT_EQ(s.advice(), Advice::kLogin);
  Reply(s, Asked("AUTHENTICATE", "PLAIN"), "+", "+ ");
  EXPECT_EQ(s.input(), Input::kAnswer);
  Reply(s, Asked("*"), "OK", "a3 OK");
  EXPECT_EQ(s.advice(), Advice::kSelect);
  Reply(s, Asked("SELECT", "INBOX"), "OK", "a4 OK");
  EXPECT_TRUE(Allows(s, "FETCH"));
  Reply(s, Asked("IDLE"), "+", "+ idling");
  EXPECT_EQ(s.input(), Input::kContinue);
  Reply(s, Asked("*", "DONE"), "OK", "a5 OK");
  EXPECT_EQ(s.input(), Input::kCommand);
  Reply(s, Asked("LOGOUT"), "OK", "* BYE\na6 OK");
  EXPECT_EQ(s.input(), Input::kOver);
}

TEST(SessionState, OffersAreBounded) {
  SessionState s(Protocol::kSmtp);
  Reply(s, {}, 220);
  std::string lines = "server";
  for (std::size_t i = 0; i <= kOffers; ++i) lines += "\nX" + std::to_string(i);
  Reply(s, Asked("EHLO", "me"), 250, lines);
  EXPECT_EQ(s.offers().size(), kOffers);
  EXPECT_TRUE(s.Offers("X0"));
}

}  // namespace
}  // namespace glasspost::agent::talk
