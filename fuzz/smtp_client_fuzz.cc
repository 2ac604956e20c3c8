// The SMTP client session under any server: one outcome a recipient, one end, the same in any pieces, bounded output, no
// command that it was not told to send. The first octet of the input chooses the client.
#include <cstdint>
#include <string>
#include <vector>

#include "support/known_randomness.h"
#include "support/require.h"
#include "wire/smtp/client_session.h"

namespace {

using namespace glasspost;
using namespace glasspost::smtp;
using glasspost::test::Require;

class Source : public MessageSource {
 public:
  Piece Read() override {
    if (left_ == 0) return {Piece::Kind::kEnd, {}};
    --left_;
    return {Piece::Kind::kOctets, "line\n.dot\rend"};
  }

 private:
  int left_ = 20;
};

class Handler : public ClientHandler {
 public:
  ClientSession* session = nullptr;
  std::string told;
  int messages = 0;
  bool eight_bit = false;

  void OnReady() override {
    Require(due_ == 0 && !closed_);
    if (messages == 3) return session->Quit();
    ++messages;
    due_ = 3;
    source_ = {};
    static const ClientRecipient kRecipients[] = {
        {.path = "b@example.org"}, {.path = "收@example.org", .notify = {.success = true}}, {.path = "Postmaster"}};
    session->Send({.reverse_path = "a@example.net",
                   .recipients = kRecipients,
                   .source = &source_,
                   .size = 240,
                   .eight_bit = eight_bit && messages == 2});
  }
  void OnRecipient(std::size_t index, const Outcome& outcome) override {
    Require(due_ > 0 && index < 3);
    --due_;
    told += std::to_string(index) + ":" + std::to_string(outcome.code) + outcome.enhanced + outcome.text + "\n";
  }
  void OnClosed(const Outcome& outcome) override {
    Require(due_ == 0 && !closed_);
    closed_ = true;
    told += "closed" + std::to_string(outcome.code) + outcome.text;
  }
  bool closed() const { return closed_; }

 private:
  int due_ = 0;
  bool closed_ = false;
  Source source_;
};

std::string Drive(Octets input, const ClientOptions& options, bool eight_bit, std::size_t piece) {
  test::FixedRandomness randomness;
  Handler handler;
  ClientSession session(handler, options, randomness);
  handler.session = &session;
  handler.eight_bit = eight_bit;
  session.Start(false);
  std::string said, out;
  while (!input.empty() && !handler.closed()) {
    const std::string copy(input.substr(0, piece));
    session.Receive(copy);
    input.remove_prefix(copy.size());
    while (session.TakeOutput(out)) {
      Require(out.size() < 4096);
      said += out;
    }
    if (session.next() == ClientSession::Next::kTls) session.TlsStarted();
  }
  session.Closed();
  Require(handler.closed());
  return handler.told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  static const sasl::Credentials kCredentials{"alice", "wonderland", {}};
  ClientOptions options;
  options.lmtp = (choice & 1) != 0;
  if (choice & 2) options.credentials = &kCredentials;
  options.passwords_without_tls = (choice & 4) == 0;
  options.chunking = (choice & 8) == 0;
  options.pipelining = (choice & 16) == 0;
  options.limits.output_octets = 100;
  options.limits.line_octets = 100;
  options.limits.endless_line_octets = 300;
  options.limits.reply_lines = 20;
  // A server that speaks before it is asked is heard sooner or later: one by one its octets are heard as one after the other
  // comes, so only inputs in pieces are compared with each other.
  const Octets input = AsOctets({data + 1, size - 1});
  const bool eight_bit = (choice & 32) != 0;
  options.tls = ClientOptions::Tls::kNever;
  const std::string bytes = Drive(input, options, eight_bit, 1);
  Drive(input, options, eight_bit, input.size() + 1);
  Drive(input, options, eight_bit, 7);
  Require(Drive(input, options, eight_bit, 1) == bytes);
  options.tls = ClientOptions::Tls::kIfOffered;
  Drive(input, options, eight_bit, 1);
  return 0;
}
