// A POP3 server of any octets before the client session. The first octet says in what pieces they come, the second how the client
// is set. Whatever the pieces, the client says and hears the same; it ends at most once; it never sends the password where it may
// not, nor UTF8 twice or after the login, and what it holds is bounded.
#include <string>

#include "support/known_randomness.h"
#include "support/require.h"
#include "wire/pop3/client_session.h"
#include "wire/pop3/test_handler.h"

namespace {

using glasspost::Octets;
using namespace glasspost::pop3;
using glasspost::test::Require;

class Recorder final : public ClientHandler {
 public:
  void OnReady() override {
    Require(!ready && closed == 0);
    ready = true;
    session->Stat();
    session->List();
    session->Uidl(2);
    session->Retrieve(1);
    session->Top(2, 1);
    session->Delete(1);
    session->Quit();
  }
  void OnReply(Command command, std::uint64_t number, const StatusLine& reply) override {
    told += std::string(Name(command)) + std::to_string(number) + std::string(reply.text) + "\n";
  }
  void OnListed(Command, const ListingLine& line) override {
    Require(closed == 0 && ++listed <= 12);
    told += std::to_string(line.number) + std::string(line.rest) + "\n";
  }
  void OnMessageOctets(Octets octets) override {
    Require(closed == 0);
    message += octets;
  }
  void OnEnd(Command command, std::uint64_t) override {
    told += std::string(Name(command)) + message + "\n";
    Require(message.size() <= 200);
    message.clear();
    listed = 0;
  }
  void OnClosed(const ClientOutcome& o) override {
    Require(++closed == 1);
    told += std::to_string(static_cast<int>(o.kind)) + o.text;
  }
  ClientSession* session = nullptr;
  bool ready = false;
  int closed = 0;
  int listed = 0;
  std::string message;
  std::string told;
};

struct Heard {
  std::string said;
  std::string told;
};

Heard Run(Octets input, std::size_t piece, unsigned how) {
  const glasspost::sasl::Credentials credentials{.user = "alice", .password = "wonderland", .token = {}};
  ClientOptions options{.credentials = &credentials, .limits = {}};
  options.tls = how & 1 ? ClientOptions::Tls::kIfOffered : ClientOptions::Tls::kNever;
  options.passwords_without_tls = (how & 2) != 0;
  options.apop = (how & 4) != 0;
  options.limits = {.line_octets = 100, .listed = 10, .message_octets = 200, .window = 3, .challenges = 3};
  glasspost::test::CountingRandomness randomness;
  Recorder recorder;
  ClientSession session(recorder, options, randomness);
  recorder.session = &session;
  session.Start(false);
  std::string said;
  while (!input.empty()) {
    const std::string one(input.substr(0, piece));
    input.remove_prefix(one.size());
    session.Receive(one);
    said += session.output();
    session.Sent(session.output().size());
    if (session.next() == ClientSession::Next::kTls) return {said, recorder.told};  // the pieces decide what comes too early
  }
  session.Closed();
  Require(recorder.closed == 1);
  const std::size_t utf8 = said.find("\r\nUTF8\r\n");
  Require(utf8 == said.rfind("\r\nUTF8\r\n"));
  Require(utf8 == std::string::npos || utf8 < said.find("STAT\r\n"));
  if (!options.passwords_without_tls) Require(!said.contains("wonderland") && !said.contains("d29uZGVybGFuZA"));
  return {said, recorder.told};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 20'000) return 0;
  const Octets input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Heard small = Run(input, 1, data[1]);
  const Heard large = Run(input, data[0] % 64 + 1, data[1]);
  // A handshake ends the one that sees it; with larger pieces octets may come too early, and then it is told so.
  if (small.said.contains("STLS")) return 0;
  Require(small.told == large.told);
  // What was not sent yet when the conversation ended is not sent any more.
  Require(small.said.starts_with(large.said));
  return 0;
}
