// A POP3 client of any octets before the server session. The first octet says in what pieces they come and whether the handler
// answers later. Whatever the pieces, the answers are the same; they are status lines, lists and messages and nothing else; what
// waits is bounded; only QUIT commits.
#include <algorithm>
#include <string>

#include "support/known_randomness.h"
#include "support/require.h"
#include "wire/pop3/server_session.h"
#include "wire/pop3/test_handler.h"

namespace {

using glasspost::Octets;
using glasspost::pop3::ServerOptions;
using glasspost::pop3::ServerSession;
using glasspost::pop3::test::TestHandler;
using glasspost::test::CountingRandomness;
using glasspost::test::Require;

struct Run {
  std::string sent;
  std::vector<std::string> told;
};

const ServerOptions& Options() {
  static const ServerOptions options = [] {
    ServerOptions o;
    o.plaintext_without_tls = true;
    o.apop = true;
    using glasspost::sasl::Mechanism;
    o.mechanisms = {Mechanism::kPlain, Mechanism::kLogin, Mechanism::kCramMd5, Mechanism::kScram};
    o.limits = {.command_octets = 255,
                .sasl_octets = 300,
                .endless_octets = 600,
                .piece_octets = 64,
                .output_octets = 128,
                .failed_logins = 3,
                .mistakes = 20,
                .commands_before_login = 50};
    return o;
  }();
  return options;
}

// TLS begins where the session wants it; what is left of the piece then is dropped.
Run Drive(Octets input, std::size_t piece, bool later, bool whole_handshakes) {
  Run run;
  TestHandler handler;
  CountingRandomness randomness;
  ServerSession session(handler, Options(), randomness, false);
  handler.session = &session;
  handler.later = later;
  handler.piece = 7;
  handler.verifiers = {"{PLAIN}wonderland"};
  handler.messages = {{"Subject: 1\r\n\r\n.\r\nend", "1.1"}, {"\n.\r.\n\n", "1.2", true}, {std::string(500, '.'), "1.3"}};
  session.Start();
  const auto settle = [&] {
    do {
      handler.Answer();
      Require(session.output().size() <= 1500);
      run.sent += session.output();
      session.Sent(session.output().size());
    } while (!session.output().empty() || !handler.due.empty());
  };
  settle();
  while (!input.empty() && !session.finished()) {
    const std::string one(input.substr(0, piece));
    input.remove_prefix(one.size());
    Octets rest = one;
    while (!rest.empty() && !session.finished()) {
      const bool waiting = session.waiting();
      const std::size_t taken = session.Receive(rest);
      Require(!waiting || taken == 0);
      rest.remove_prefix(taken);
      settle();
      if (session.StartsTls()) {
        if (!whole_handshakes) return run;
        session.TlsStarted();
      }
    }
  }
  if (session.finished()) Require(session.Receive("STAT\r\n") == 6 && session.output().empty());
  run.told = handler.told;
  return run;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 20'000) return 0;
  const Octets input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Drive(input, data[0] % 64 + 1, false, true);
  // Up to a handshake the pieces do not matter.
  const Run whole = Drive(input, input.size() + 1, false, false);
  const Run pieces = Drive(input, data[0] % 64 + 1, data[0] >= 128, false);
  Require(whole.sent == pieces.sent && whole.told == pieces.told);
  std::size_t commits = 0;
  for (const std::string& t : whole.told) commits += t.starts_with("commit") ? 1 : 0;
  Require(commits <= 1);
  // Each line ends with CRLF and holds no other CR or LF.
  for (std::size_t at = 0; at < whole.sent.size(); ++at) {
    if (whole.sent[at] == '\r') Require(at + 1 < whole.sent.size() && whole.sent[at + 1] == '\n');
    if (whole.sent[at] == '\n') Require(at > 0 && whole.sent[at - 1] == '\r');
  }
  Require(whole.sent.empty() || whole.sent.ends_with("\r\n"));
  return 0;
}
