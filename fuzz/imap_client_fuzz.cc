// An IMAP server of any octets before the client session. The first octet says in what pieces they come, the second how the
// client is set. Whatever the pieces, the client says and hears the same; it ends at most once, and what it keeps is bounded.
#include <string>

#include "support/require.h"
#include "wire/imap/client_session.h"

namespace {

using glasspost::Octets;
using namespace glasspost::imap;
using glasspost::test::Require;

constexpr std::size_t kLine = 100, kWords = 5;

class Recorder final : public ClientHandler {
 public:
  void OnReady() override {
    Require(!ready && closed == 0);
    ready = true;
    Require(session->capabilities().size() <= kWords);
    for (const std::string& word : session->capabilities()) told += word + " ";
    session->Logout();
  }
  void OnClosed(const ClientOutcome& o) override {
    Require(++closed == 1);
    Require(o.text.size() <= kLine);
    told += std::to_string(static_cast<int>(o.kind)) + o.text;
  }
  ClientSession* session = nullptr;
  bool ready = false;
  int closed = 0;
  std::string told;
};

struct Heard {
  std::string said;
  std::string told;
};

Heard Run(Octets input, std::size_t piece, unsigned how) {
  ClientOptions options;
  options.tls = (how & 1) != 0 ? ClientOptions::Tls::kIfOffered : ClientOptions::Tls::kNever;
  options.limits = {.line_octets = kLine, .lines = 10, .capabilities = kWords};
  Recorder recorder;
  ClientSession session(recorder, options);
  recorder.session = &session;
  session.Start((how & 2) != 0);
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
  return {said, recorder.told};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 20'000) return 0;
  const Octets input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Heard small = Run(input, 1, data[1]);
  const Heard large = Run(input, data[0] % 64 + 1, data[1]);
  // A handshake ends the one that sees it; with larger pieces octets may come too early, and then it is told so.
  if (small.said.contains("STARTTLS")) return 0;
  Require(small.told == large.told);
  // What was not sent yet when the conversation ended is not sent any more.
  Require(small.said.starts_with(large.said));
  return 0;
}
