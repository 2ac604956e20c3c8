#include "cli/send_report.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <cstdio>

#include "base/escape.h"
#include "cli/command_line.h"
#include "cli/error_text.h"

namespace glasspost::cli {
namespace {

using Kind = smtp::Outcome::Kind;
using smtp::Stage;
namespace json = server::json;

// <sysexits.h>, as sendmail and msmtp end.
int StatusOf(const smtp::Outcome& outcome) {
  if (outcome.kind == Kind::kAccepted) return EX_OK;
  const bool no_way = outcome.local && outcome.enhanced == "4.7.4";  // to log in, or to TLS, that may be used
  if (outcome.stage == Stage::kAuth && (outcome.kind == Kind::kRefused || no_way)) return EX_NOPERM;
  if (no_way || (outcome.local && outcome.stage == Stage::kStartTls)) return EX_PROTOCOL;
  if (outcome.kind == Kind::kDeferred) return EX_TEMPFAIL;
  if (outcome.stage == Stage::kRcpt) return outcome.enhanced.starts_with("5.1.") ? EX_NOUSER : EX_UNAVAILABLE;
  return EX_UNAVAILABLE;
}

// The server's words as they were; what is not its words, but what we make of its silence, is told in `language` and without a
// code.
std::string TextOf(const smtp::Outcome& outcome, analysis::Language language) {
  if (outcome.local) return ErrorText(outcome.text, language);
  std::string text = outcome.code != 0 ? std::to_string(outcome.code) + " " : "";
  if (!outcome.enhanced.empty() && !outcome.text.starts_with(outcome.enhanced)) text += outcome.enhanced + " ";
  text += outcome.text;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string_view Word(Kind kind) {
  return kind == Kind::kAccepted ? "accepted" : kind == Kind::kDeferred ? "deferred" : "refused";
}

}  // namespace

void SendReport::Note(int status) {
  if (status_ == EX_OK) status_ = status;
}

// The status tells of the mail, whatever became of the words about it: who tries again must not send it twice.
int SendReport::Finish() const {
  cli::Finish(kDone);
  return status_;
}

void SendReport::Tell(const Outgoing& message, const std::vector<smtp::Outcome>& outcomes) {
  const std::string name = message.name.empty() ? "" : message.name + ": ";
  json::array recipients;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const smtp::Outcome& outcome = outcomes[i];
    const std::string& address = message.recipients[i].address;
    Note(StatusOf(outcome));
    in_doubt_ |= outcome.in_doubt;
    recipients.push_back(
        json::object{{"address", server::JsonText(address)},
                     {"outcome", Word(outcome.kind)},
                     {"in_doubt", outcome.in_doubt},
                     {outcome.local ? "error" : "reply", server::JsonText(TextOf(outcome, analysis::Language::kEnglish))}});
    if (outcome.kind != Kind::kAccepted)
      line_.Complain(
          {TextOf(outcome, line_.language()), name + address,
           std::string(outcome.in_doubt ? line_.Say("in doubt: the message may have been accepted", "存疑：邮件可能已被接收")
                                        : std::string_view())});
    else if (!line_.json())
      fmt::print("{}{}: {}\n", ForTerminal(name), ForTerminal(address), ForTerminal(TextOf(outcome, line_.language())));
  }
  if (message.composed && !message.composed->error().empty()) {
    line_.Complain({message.composed->error(), {}, {}});
    status_ = EX_NOINPUT;
  }
  if (!line_.json()) return;
  json::object out{{"message_id", server::JsonText(message.message_id)}, {"size", message.size}, {"recipients", recipients}};
  if (!message.name.empty()) out["file"] = server::JsonText(message.name);
  fmt::print("{}\n", std::string_view(json::serialize(out)));
}

}  // namespace glasspost::cli
