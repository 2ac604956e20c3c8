#include "cli/sendmail.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"
#include "cli/queue.h"
#include "cli/sendmail_message.h"
#include "cli/sendmail_options.h"
#include "cli/smtp_on_standard_io.h"
#include "server/config_reader.h"

namespace glasspost::cli {
namespace {

using server::FlagIn;
using server::TextIn;
using server::json::object;

// Where the machine's own server has its socket, for users who have none of theirs (cli/../server/config.h: DataFolder of root).
constexpr const char* kSystemSocket = "/var/lib/glasspost/glasspost.sock";
constexpr std::size_t kReadOctets = std::size_t{64} << 10;

void Say(const Error& error) { fmt::print(stderr, "sendmail: {}\n", ForTerminal(error.Text())); }

int Failed(const Error& error, int status) {
  Say(error);
  return status;
}

int StatusOf(const object& refusal) {
  struct Known {
    std::string_view fault;
    int status;
  };
  static constexpr Known kKnown[] = {{"unknown-recipient", EX_NOUSER}, {"bad-recipient", EX_DATAERR}, {"bad-sender", EX_DATAERR},
                                     {"too-large", EX_DATAERR},        {"loop", EX_DATAERR},          {"invalid", EX_USAGE},
                                     {"not-permitted", EX_NOPERM}};
  const std::string fault = TextIn(refusal, "fault");
  for (const Known& known : kKnown)
    if (known.fault == fault) return known.status;
  return EX_TEMPFAIL;
}

int Refused(const object& refusal) {
  fmt::print(stderr, "sendmail: {}\n", ForTerminal(TextIn(refusal, "error")));
  return StatusOf(refusal);
}

// The user's own server or data folder, else the machine's server.
Expected<Administration> OpenForMail(const server::Config& config) {
  const bool told = !config.server.data.empty() || !config.admin.socket.empty();
  if (!told && ::access(server::AdminSocketPath(config).c_str(), F_OK) != 0 && ::access(kSystemSocket, F_OK) == 0) {
    if (auto system = Administration::OpenSocket(kSystemSocket)) return system;
  }
  return Administration::Open(config);
}

passwd* Self() { return ::getpwuid(::getuid()); }

std::string LoginName() {
  const passwd* const self = Self();
  return self != nullptr && self->pw_name != nullptr && *self->pw_name != '\0' ? self->pw_name : std::to_string(::getuid());
}

// The first part of the comment field, where '&' is the login name (passwd(5)).
std::string FullName() {
  const passwd* const self = Self();
  if (self == nullptr || self->pw_gecos == nullptr) return {};
  std::string name;
  for (const char* c = self->pw_gecos; *c != '\0' && *c != ','; ++c) {
    if (*c == '&') {
      name += self->pw_name;
    } else {
      name.push_back(*c);
    }
  }
  return name;
}

// Lines of standard input, to its end or to a line with a dot alone.
class InputLines {
 public:
  explicit InputLines(bool dots_are_text) : dots_are_text_(dots_are_text) {}
  // With its end; a very long one in pieces. False: there are no more.
  bool Next(std::string& line) {
    line.clear();
    while (!ended_ && line.size() < kReadOctets) {
      if (at_ == buffer_.size() && !Fill()) break;
      const std::size_t end = buffer_.find('\n', at_);
      const std::size_t stop = end == std::string::npos ? buffer_.size() : end + 1;
      line.append(buffer_, at_, stop - at_);
      at_ = stop;
      if (end != std::string::npos) break;
    }
    if (line_begins_ && !dots_are_text_ && (line == ".\n" || line == ".\r\n" || line == ".")) {
      ended_ = true;
      return false;
    }
    line_begins_ = line.ends_with('\n');
    return !line.empty();
  }
  bool failed() const { return failed_; }

 private:
  bool Fill() {
    buffer_.resize(kReadOctets);
    at_ = 0;
    ssize_t got;
    do {
      got = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    } while (got < 0 && errno == EINTR);
    failed_ |= got < 0;
    ended_ |= got <= 0;
    buffer_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return got > 0;
  }

  std::string buffer_;
  std::size_t at_ = 0;
  bool dots_are_text_;
  bool line_begins_ = true;
  bool ended_ = false;
  bool failed_ = false;
};

int Send(const SendmailOptions& o, Administration& administration) {
  object ping;
  ping["do"] = "ping";
  const auto server = administration->Call(ping);
  if (!server) return Failed(server.error(), EX_TEMPFAIL);
  InputLines input(o.dots_are_text);
  SendmailHead head;
  std::string line;
  auto state = SendmailHead::State::kMore;
  while (state == SendmailHead::State::kMore && input.Next(line)) state = head.TakeLine(line);
  if (state == SendmailHead::State::kTooLong) return Failed({"the message's header is too long", {}, {}}, EX_DATAERR);
  if (input.failed()) return Failed({"standard input cannot be read", {}, {}}, EX_IOERR);
  std::vector<std::string> to = o.recipients;
  if (o.from_header)
    for (std::string& recipient : head.Recipients()) to.push_back(std::move(recipient));
  if (to.size() > SendmailHeadLimits::kRecipients + o.recipients.size())
    return Failed({"the message's header names too many recipients", {}, {}}, EX_DATAERR);
  if (to.empty()) return Failed({"no recipient addresses found in the message's header", {}, {}}, EX_USAGE);
  object request;
  request["do"] = "submit";
  const std::string sender = o.sender.value_or(LoginName());
  request["from"] = server::JsonText(sender);
  server::json::array list;
  for (const std::string& recipient : to) list.push_back(server::JsonText(recipient));
  request["to"] = std::move(list);
  request["envid"] = server::JsonText(o.envid);
  request["ret"] = server::JsonText(o.ret);
  request["notify"] = o.notify;
  const auto refusal = administration->Submit(request);
  if (!refusal) return Failed(refusal.error(), EX_TEMPFAIL);
  if (*refusal) return Refused(**refusal);
  std::string from = sender.empty() ? LoginName() : sender;
  if (from.find('@') == std::string::npos) from += "@" + TextIn(*server, "domain");
  auto sent =
      administration->SendOctets(head.Text(FromField(o.full_name.empty() ? FullName() : o.full_name, from)) + head.first_line());
  while (sent && input.Next(line)) sent = administration->SendOctets(line);
  if (input.failed()) return Failed({"standard input cannot be read", {}, "nothing was sent"}, EX_IOERR);
  if (!sent) return Failed(sent.error(), EX_TEMPFAIL);
  const auto answer = administration->EndSubmit();
  if (!answer) return Failed(answer.error(), EX_TEMPFAIL);
  if (!FlagIn(*answer, "ok")) return Refused(*answer);
  if (o.verbose) fmt::print("queued as {}\n", ForTerminal(TextIn(*answer, "id")));
  return EX_OK;
}

int Verify(const SendmailOptions& o, Administration& administration) {
  int status = EX_OK;
  for (const std::string& recipient : o.recipients) {
    object request;
    request["do"] = "recipient";
    request["address"] = server::JsonText(recipient);
    const auto answer = administration->Call(request);
    if (!answer) return Failed(answer.error(), EX_TEMPFAIL);
    if (FlagIn(*answer, "ok")) {
      fmt::print("{}: deliverable\n", ForTerminal(recipient));
    } else {
      fmt::print("{}: {}\n", ForTerminal(recipient), ForTerminal(TextIn(*answer, "error")));
      status = StatusOf(*answer);
    }
  }
  return status;
}

// Of the commands that tables belong to.
int Sysexit(int status) {
  return status == kDone ? EX_OK : status == kUsage ? EX_USAGE : status == kRefused ? EX_NOPERM : EX_TEMPFAIL;
}

}  // namespace

int RunSendmail(std::vector<std::string> words) {
  const std::vector<std::string> all = words;
  server::ReadConfig read = server::LoadConfig(words, ::environ);
  const auto options = ParseSendmail(words);
  if (!options) return Failed(options.error(), EX_USAGE);
  if (!options->config.empty()) {
    std::vector<std::string> again = all;
    again.insert(again.begin(), {"--config", options->config});
    read = server::LoadConfig(again, ::environ);
  }
  for (const server::Mistake& mistake : read.mistakes) fmt::print(stderr, "sendmail: {}\n", ForTerminal(mistake.Text()));
  if (!read.mistakes.empty()) return EX_CONFIG;
  using Mode = SendmailOptions::Mode;
  // The same settings for the commands that do the work.
  std::vector<std::string> settings;
  if (!read.config.server.data.empty()) settings.push_back("--data=" + read.config.server.data);
  if (!read.config.admin.socket.empty()) settings.push_back("--admin-socket=" + read.config.admin.socket);
  const auto queue = [&](std::vector<std::string> more) {
    more.insert(more.end(), settings.begin(), settings.end());
    return Sysexit(RunQueue(more));
  };
  switch (options->mode) {
    case Mode::kAliases:
      return EX_OK;  // they are in force as soon as they are set
    case Mode::kQueue:
      return queue({"list"});
    case Mode::kRetry:
      return options->site.empty() ? queue({"retry", "--all"}) : queue({"retry", "--destination", options->site});
    case Mode::kSmtp: {
      const auto open = [&] { return OpenForMail(read.config); };
      std::string host = server::OwnHostName(read.config);
      if (auto first = open()) {
        object ping;
        ping["do"] = "ping";
        if (const auto answer = (*first)->Call(ping)) host = TextIn(*answer, "host");
      } else {
        return Failed(first.error(), EX_TEMPFAIL);
      }
      return ServeStandardIo(open, host) ? EX_OK : EX_TEMPFAIL;
    }
    case Mode::kSend:
    case Mode::kVerify: {
      auto administration = OpenForMail(read.config);
      if (!administration) return Failed(administration.error(), EX_TEMPFAIL);
      return options->mode == Mode::kSend ? Send(*options, *administration) : Verify(*options, *administration);
    }
  }
  return EX_SOFTWARE;
}

}  // namespace glasspost::cli
