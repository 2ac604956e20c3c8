#include "wire/imap/client_session.h"

#include <gtest/gtest.h>

namespace glasspost::imap {
namespace {

using Outcome = ClientOutcome::Kind;

struct Visit final : ClientHandler {
  explicit Visit(ClientOptions o = {}) : options(o), session(*this, options) {}
  void OnReady() override {
    ++ready;
    offered = session.capabilities();
    session.Logout();
  }
  void OnClosed(const ClientOutcome& outcome) override {
    ++closed;
    last = outcome;
  }
  // What was said meanwhile.
  std::string Say(Octets octets) {
    session.Receive(octets);
    return Take();
  }
  std::string Take() {
    std::string out(session.output());
    session.Sent(out.size());
    return out;
  }
  ClientOptions options;
  ClientSession session;
  std::vector<std::string> offered;
  ClientOutcome last;
  int ready = 0, closed = 0;
};

TEST(ImapClientSession, StartTlsAndWhatIsOfferedThen) {
  Visit v;
  v.session.Start(false);
  EXPECT_EQ(v.session.next(), ClientSession::Next::kRead);
  EXPECT_EQ(v.Say("* OK hello\r\n"), "a1 CAPABILITY\r\n");
  EXPECT_EQ(v.Say("* CAPABILITY IMAP4rev1 starttls LOGINDISABLED\r\na1 OK done\r\n"), "a2 STARTTLS\r\n");
  EXPECT_EQ(v.Say("a2 OK now\r\n"), "");
  EXPECT_EQ(v.session.next(), ClientSession::Next::kTls);
  v.session.TlsStarted();
  EXPECT_EQ(v.Take(), "a3 CAPABILITY\r\n");
  EXPECT_EQ(v.Say("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na3 OK done\r\n"), "a4 LOGOUT\r\n");
  EXPECT_EQ(v.offered, (std::vector<std::string>{"IMAP4rev1", "AUTH=PLAIN"}));
  EXPECT_EQ(v.Say("* BYE bye\r\na4 OK gone\r\n"), "");
  EXPECT_EQ(v.last.kind, Outcome::kDone);
  EXPECT_EQ(v.session.next(), ClientSession::Next::kClose);
  EXPECT_EQ(v.ready, 1);
  EXPECT_EQ(v.closed, 1);
}

TEST(ImapClientSession, OctetByOctet) {
  Visit v;
  v.session.Start(true);
  std::string said;
  for (const char c : std::string("* OK [CAPABILITY X] hello\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n* BYE\r\na2 OK\r\n"))
    said += v.Say(Octets(&c, 1));
  EXPECT_EQ(said, "a1 CAPABILITY\r\na2 LOGOUT\r\n");  // it is within TLS already
  EXPECT_EQ(v.last.kind, Outcome::kDone);
}

TEST(ImapClientSession, NoTlsWhereItIsNotWantedOrTooLate) {
  ClientOptions never;
  never.tls = ClientOptions::Tls::kNever;
  Visit without(never);
  without.Say("* OK\r\n");
  EXPECT_EQ(without.Say("* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n"), "a2 LOGOUT\r\n");
  Visit in;
  in.Say("* PREAUTH you are in\r\n");
  EXPECT_EQ(in.Say("* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n"), "a2 LOGOUT\r\n");
}

TEST(ImapClientSession, EachEnd) {
  const auto ended = [](std::initializer_list<Octets> said) {
    Visit v;
    for (const Octets s : said) v.Say(s);
    return v.closed == 1 ? std::optional(v.last.kind) : std::nullopt;
  };
  EXPECT_EQ(ended({"* BYE busy\r\n"}), Outcome::kRefused);
  EXPECT_EQ(ended({"220 smtp\r\n"}), Outcome::kNonsense);
  EXPECT_EQ(ended({"* OK\r\n", "a1 BAD\r\n"}), Outcome::kRefused);
  EXPECT_EQ(ended({"* OK\r\n", "* BYE\r\n"}), Outcome::kRefused);
  EXPECT_EQ(ended({"* OK\r\n", "a7 OK\r\n"}), Outcome::kNonsense);
  EXPECT_EQ(ended({"* OK\r\n", "+ go on\r\n"}), Outcome::kNonsense);
  EXPECT_EQ(ended({"* OK\r\n", "* CAPABILITY STARTTLS\r\na1 OK\r\n", "a2 OK\r\na3 OK\r\n"}), Outcome::kInjected);
  Visit silent;
  silent.session.TimedOut();
  EXPECT_EQ(silent.last.kind, Outcome::kTimedOut);
  silent.session.Closed();
  EXPECT_EQ(silent.closed, 1);
}

TEST(ImapClientSession, LimitsAtThemAndOnePast) {
  for (const std::size_t past : {0u, 1u}) {
    Visit line;
    line.Say("* OK " + std::string(line.options.limits.line_octets - 5 + past, 'x') + "\r\n");
    EXPECT_EQ(line.closed, static_cast<int>(past));
    Visit lines;
    lines.Say("* OK\r\n");
    for (std::size_t i = 0; i < lines.options.limits.lines - 1 + past; ++i) lines.Say("* X\r\n");
    lines.Say("a1 OK\r\n");
    EXPECT_EQ(lines.closed, static_cast<int>(past));
    EXPECT_EQ(lines.ready, 1 - static_cast<int>(past));
    ClientOptions two;
    two.limits.capabilities = 2;
    Visit words(two);
    words.Say("* OK\r\n");
    words.Say(past ? "* CAPABILITY A B C\r\na1 OK\r\n" : "* CAPABILITY A B\r\na1 OK\r\n");
    EXPECT_EQ(words.offered, (std::vector<std::string>{"A", "B"}));
  }
  Visit endless;
  endless.Say(std::string(endless.options.limits.line_octets + 1, 'x'));
  EXPECT_EQ(endless.closed, 0);
  endless.Say("x");
  EXPECT_EQ(endless.last.kind, Outcome::kTooMuch);
}

}  // namespace
}  // namespace glasspost::imap
