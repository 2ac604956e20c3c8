// The SMTP server session under any client: answers do not depend on the pieces in which the input comes nor on when the handler
// answers, each transaction ends once, the output is bounded and consists of replies. The first octet of the input chooses
// the server.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/known_randomness.h"
#include "support/require.h"
#include "wire/smtp/reply.h"
#include "wire/smtp/server_session.h"

namespace {

using namespace glasspost;
using namespace glasspost::smtp;
using glasspost::test::Require;

class Handler : public ServerHandler {
 public:
  explicit Handler(bool later) : later_(later) {}
  std::string told;
  std::optional<Answer> due;

  Decision OnMail(const Mail& mail) override {
    Require(!open_);
    open_ = true;
    return Said("mail", mail.path->text, !mail.path->local_part.starts_with("no"));
  }
  Decision OnRecipient(const Recipient& r) override {
    Require(open_);
    return Said("rcpt", r.path->text, !r.path->local_part.starts_with("no"));
  }
  Decision OnMessageStart(bool) override { return Said("start", {}, true); }
  void OnMessageOctets(Octets octets) override {
    Require(open_ && !octets.empty());
    message_ += octets;
  }
  Decision OnMessageEnd(const Content& content) override {
    Require(open_ && content.octets == message_.size());
    Require(message_.empty() || message_.ends_with("\r\n"));
    told += "message " + std::exchange(message_, {});
    open_ = false;
    return Said("end", {}, true);
  }
  void OnReset(Reset why) override {
    Require(open_);
    open_ = false;
    message_.clear();
    told += "reset" + std::to_string(static_cast<int>(why)) + "\n";
  }
  Decision OnPassword(Octets user, Octets password) override { return Said("login", user, password == "x"); }

  bool open() const { return open_; }

 private:
  Decision Said(const char* what, Octets path, bool yes) {
    ((told += what) += path) += '\n';
    const Answer answer = yes ? Answer{} : Answer::No(550, "5.1.1", "no");
    if (!yes && std::string_view(what) == "mail") open_ = false;
    if (!later_) return answer;
    due = answer;
    return kLater;
  }
  bool later_;
  bool open_ = false;
  std::string message_;
};

struct Heard {
  std::string sent, told;
};

Heard Drive(Octets input, const ServerOptions& options, bool tls, bool later, std::size_t piece) {
  test::FixedRandomness randomness;
  Handler handler(later);
  ServerSession session(handler, options, randomness);
  Heard heard;
  session.Start(tls);
  const auto settle = [&] {
    Require(session.output().size() <= options.limits.output_octets + 4096);
    std::string out;
    session.TakeOutput(out);
    heard.sent += out;
    if (session.next() == ServerSession::Next::kTls) session.TlsStarted();
    if (!handler.due) return;
    session.Decide(*std::exchange(handler.due, std::nullopt));
    session.TakeOutput(out);
    heard.sent += out;
  };
  settle();
  while (!input.empty()) {
    const std::string copy(input.substr(0, piece));
    Octets rest = copy;
    for (int stuck = 0; !rest.empty(); ++stuck) {
      const std::size_t taken = session.Receive(rest);
      if (taken > 0) stuck = 0;
      Require(taken <= rest.size() && stuck < 8);
      rest.remove_prefix(taken);
      settle();
    }
    input.remove_prefix(copy.size());
  }
  session.Closed();
  settle();
  Require(!handler.open());
  heard.told = handler.told;
  return heard;
}

void RequireReplies(Octets sent) {
  ReplyAssembler assembler;
  bool whole = true;
  while (!sent.empty()) {
    const std::size_t end = sent.find("\r\n");
    Require(end != Octets::npos && end <= 510);
    const auto step = assembler.Add(sent.substr(0, end));
    Require(step != ReplyAssembler::Step::kNoReply && !assembler.reply().codes_differ);
    whole = step == ReplyAssembler::Step::kDone;
    sent.remove_prefix(end + 2);
  }
  Require(whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  ServerOptions options;
  if (choice & 1) options.role = Role::kLmtp;
  if (choice & 2) options.bare_line_ends = BareLineEnds::kNormalise;
  options.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin, sasl::Mechanism::kCramMd5, sasl::Mechanism::kScram};
  options.passwords_without_tls = (choice & 4) == 0;
  options.require_auth = (choice & 8) != 0;
  options.extensions.chunking = (choice & 16) == 0;
  if (choice & 32) {
    options.limits.message_octets = 40;
    options.limits.discarded_octets = 60;
    options.limits.line_octets = 60;
    options.limits.auth_line_octets = 80;
    options.limits.endless_line_octets = 200;
    options.limits.output_octets = 300;
  }
  const Octets input = AsOctets({data + 1, size - 1});
  const bool tls = (choice & 64) != 0;
  const Heard whole = Drive(input, options, tls, false, input.size() + 1);
  RequireReplies(whole.sent);
  for (const bool later : {false, true}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, input.size() + 1}) {
      const Heard other = Drive(input, options, tls, later, piece);
      Require(other.sent == whole.sent);
      Require(other.told == whole.told);
    }
  }
  return 0;
}
