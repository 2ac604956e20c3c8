#include "cli/smtp_on_standard_io.h"

#include <unistd.h>

#include <cerrno>
#include <optional>

#include "server/smtp_envelope.h"
#include "wire/smtp/server_session.h"
#include "wire/text/line_encoder.h"

namespace glasspost::cli {
namespace {

using server::FlagIn;
using server::TextIn;
using server::json::object;
using smtp::Answer;

Answer AnswerOf(const object& refusal) {
  struct Known {
    std::string_view fault;
    std::uint16_t code;
    const char* enhanced;
  };
  static constexpr Known kKnown[] = {{"unknown-recipient", 550, "5.1.1"}, {"bad-recipient", 553, "5.1.3"},
                                     {"bad-sender", 553, "5.1.7"},        {"over-quota", 452, "4.2.2"},
                                     {"too-large", 552, "5.3.4"},         {"loop", 554, "5.4.6"},
                                     {"invalid", 554, "5.5.0"},           {"full", 452, "4.3.1"}};
  const std::string fault = TextIn(refusal, "fault");
  for (const Known& known : kKnown)
    if (known.fault == fault) return Answer::No(known.code, known.enhanced, TextIn(refusal, "error"));
  return Answer::No(451, "4.3.0", TextIn(refusal, "error"));
}

class Handler final : public smtp::ServerHandler {
 public:
  explicit Handler(const std::function<Expected<Administration>()>& open) : open_(open) {}
  bool failed() const { return failed_; }

  smtp::Decision OnMail(const smtp::Mail& mail) override {
    request_ = {};
    request_["do"] = "submit";
    request_["from"] = server::JsonText(mail.path->text);
    request_["envid"] = server::JsonText(mail.parameters.envid);
    if (mail.parameters.ret == smtp::Return::kFull) request_["ret"] = "full";
    if (mail.parameters.ret == smtp::Return::kHeaders) request_["ret"] = "hdrs";
    to_.clear();
    notify_ = 0;
    return Answer{};
  }

  smtp::Decision OnRecipient(const smtp::Recipient& recipient) override {
    object request;
    request["do"] = "recipient";
    const std::string path(recipient.path->local_part.empty() ? recipient.path->text
                                                              : Octets(recipient.path->text).substr(Skip(*recipient.path)));
    request["address"] = server::JsonText(path);
    const auto answer = Call([&](server::AdminClient& client) { return client.Call(request); });
    if (!answer) return Answer::No(451, "4.3.0", answer.error().Text());
    if (!FlagIn(*answer, "ok")) return AnswerOf(*answer);
    to_.push_back(server::JsonText(path));
    const smtp::Notify& n = recipient.parameters.notify;
    notify_ |= (n.never ? 1u : 0u) | (n.success ? 2u : 0u) | (n.failure ? 4u : 0u) | (n.delay ? 8u : 0u);
    return Answer{};
  }

  smtp::Decision OnMessageStart(bool) override {
    request_["to"] = to_;
    // One of the recipients who wants to hear nothing does not speak for the others.
    request_["notify"] = notify_ == 1 ? 1u : notify_ & ~1u;
    const auto answer = Call([&](server::AdminClient& client) { return client.Submit(request_); });
    if (!answer) return Answer::No(451, "4.3.0", answer.error().Text());
    if (*answer) return AnswerOf(**answer);
    sending_ = true;
    return Answer{};
  }

  void OnMessageOctets(Octets octets) override {
    if (sending_ && connection_ && !(*connection_)->SendOctets(octets)) Break();
  }

  smtp::Decision OnMessageEnd(const smtp::Content&) override {
    if (!connection_) return Answer::No(451, "4.3.0", "The server was lost");
    sending_ = false;
    const auto answer = (*connection_)->EndSubmit();
    if (!answer) {
      Break();
      return Answer::No(451, "4.3.0", answer.error().Text());
    }
    if (!FlagIn(*answer, "ok")) return AnswerOf(*answer);
    return Answer::Yes("Ok: queued as " + TextIn(*answer, "id"));
  }

  // The server throws away what is broken off.
  void OnReset(smtp::Reset) override {
    if (sending_) connection_.reset();
    sending_ = false;
  }

 private:
  static std::size_t Skip(const smtp::Path& path) { return path.source_route.empty() ? 0 : path.source_route.size() + 1; }

  void Break() {
    connection_.reset();
    failed_ = true;
  }

  template <class Ask>
  auto Call(Ask ask) -> decltype(ask(std::declval<server::AdminClient&>())) {
    if (!connection_) {
      auto opened = open_();
      if (!opened) return std::unexpected(opened.error());
      connection_.emplace(*std::move(opened));
    }
    auto answer = ask(connection_->client());
    if (!answer) Break();
    return answer;
  }

  const std::function<Expected<Administration>()>& open_;
  std::optional<Administration> connection_;
  object request_;
  server::json::array to_;
  unsigned notify_ = 0;
  bool sending_ = false;
  bool failed_ = false;
};

bool WriteAll(Octets octets) {
  while (!octets.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

bool ServeStandardIo(const std::function<Expected<Administration>()>& open, const std::string& host) {
  using Next = smtp::ServerSession::Next;
  Handler handler(open);
  smtp::ServerOptions options;
  options.host = host;
  options.role = smtp::Role::kSubmission;
  smtp::ServerSession session(handler, options, SystemRandomness());
  // Local programs end their lines as they do here, with LF alone.
  text::LineEncoder encoder(false);
  std::string output, input;
  char buffer[32768];
  session.Start(false);
  for (;;) {
    session.TakeOutput(output);
    if (!WriteAll(output)) return false;
    if (session.next() == Next::kClose) return !handler.failed();
    if (!input.empty() && (session.next() == Next::kRead || session.next() == Next::kWrite)) {
      input.erase(0, session.Receive(input));
      continue;
    }
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const bool open_transaction = session.in_transaction();
      session.Closed();
      return !open_transaction && !handler.failed();
    }
    encoder.Append(input, {buffer, static_cast<std::size_t>(got)});
  }
}

}  // namespace glasspost::cli
