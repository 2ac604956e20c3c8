#include "agent/talk/session_state.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::agent::talk {
namespace {

template <class Each>
void EachPart(std::string_view text, char end, Each&& each) {
  while (!text.empty()) {
    const std::size_t at = std::min(text.find(end), text.size());
    if (at > 0) each(text.substr(0, at));
    text.remove_prefix(std::min(at + 1, text.size()));
  }
}

std::string_view FirstWord(std::string_view line) { return line.substr(0, line.find(' ')); }

}  // namespace

void SessionState::OnExchange(const Exchange& e) {
  if (e.has_request && waiting_ > 0) --waiting_;
  if (!e.has_reply) return;
  asks_for_user_ = e.reply.sasl == SaslContent::kUserPrompt;
  if (protocol_ == Protocol::kPop3) return OnPop3(e);
  if (protocol_ == Protocol::kImap) return OnImap(e);
  OnSmtp(e);
}

void SessionState::OnSmtp(const Exchange& e) {
  using smtp::Verb;
  const int code = e.reply.code;
  if (!e.has_request) {
    if (code == 421) smtp_ = smtp::State::kQuit;
    if (!greeted_ && code == 220 && smtp_ == smtp::State::kConnected) smtp_ = smtp::State::kGreeted;
    if (!greeted_ && e.reply.text.contains("LMTP")) lmtp_ = true;
    greeted_ |= smtp::IsGreeting(code);
    return;
  }
  Verb verb = smtp::VerbOf(e.request.verb);
  if (e.request.verb == ".") verb = Verb::kDataBlock;
  if (e.request.verb == "*") verb = Verb::kAuthAnswer;
  bool last = false;
  if (verb == Verb::kBdat || verb == Verb::kBurl) {
    smtp::Command command;
    const std::string line = e.request.verb + " " + e.request.argument;
    smtp::ParseCommand(line, command);
    last = command.last;
  }
  const bool succeeded = code / 100 == 2;
  if ((verb == Verb::kEhlo || verb == Verb::kLhlo) && succeeded) Learn(e.reply.text);
  if (verb == Verb::kLhlo && succeeded) lmtp_ = true;
  if (verb == Verb::kHelo && succeeded) offers_.clear();
  if ((verb == Verb::kAuth || verb == Verb::kAuthAnswer) && succeeded) logged_in_ = true;
  if ((verb == Verb::kDataBlock || last) && succeeded) done_ = true;
  smtp_ = smtp::Next(smtp_, verb, code, last);
}

void SessionState::OnPop3(const Exchange& e) {
  using pop3::Command;
  asked_ = e.reply.status == "+";
  const bool ok = e.reply.status == "+OK";
  if (!e.has_request) {
    greeted_ = true;
    over_ |= !ok;
    return;
  }
  if (!ok) return;
  const bool answer = e.request.verb == "*";
  const Command command = answer ? Command::kAuth : pop3::CommandOf(e.request.verb);
  const bool with_argument = answer || !e.request.argument.empty();
  if (command == Command::kUser) user_given_ = true;
  if (command == Command::kPass || command == Command::kApop || (command == Command::kAuth && with_argument)) {
    pop3_ = pop3::State::kTransaction;
    logged_in_ = true;
  }
  if (command == Command::kStat || command == Command::kList) counted_ = true;
  if (command == Command::kRetr) done_ = true;
  if (command == Command::kStls) tls_due_ = true;
  if (command == Command::kQuit) pop3_ = pop3::State::kUpdate, over_ = true;
  if (command == Command::kCapa) Learn(e.reply.text);
}

void SessionState::OnImap(const Exchange& e) {
  const std::string& status = e.reply.status;
  LearnImap(e.reply.text);
  const imap::Rule* const rule = e.has_request ? imap::FindRule(e.request.verb) : nullptr;
  const imap::Verb verb = rule != nullptr ? rule->verb : imap::Verb::kUnknown;
  const bool in_login = verb == imap::Verb::kAuthenticate || (asked_ && e.request.verb == "*");
  asked_ = status == "+" && in_login;
  continue_ = status == "+" && !in_login;
  if (!e.has_request) {
    greeted_ = true;
    if (status == "PREAUTH") imap_ = imap::kAuthenticated, logged_in_ = true;
    over_ |= status == "BYE";
    return;
  }
  if (status != "OK") return;
  if (in_login || verb == imap::Verb::kLogin) logged_in_ = true;
  if (verb == imap::Verb::kStarttls) tls_due_ = true;
  if (verb == imap::Verb::kFetch) done_ = true;
  imap_ = imap::After(in_login ? imap::Verb::kAuthenticate : verb, imap_);
  over_ |= imap_ == imap::kLoggedOut;
}

void SessionState::OnTls(bool first) {
  tls_ = true;
  tls_due_ = asked_ = continue_ = false;
  waiting_ = 0;
  if (first) return;
  // All that was learned in the clear is void (RFC 3207 §4.2, RFC 2595 §4, RFC 9051 §6.2.1).
  offers_.clear();
  capabilities_known_ = user_given_ = logged_in_ = false;
  if (protocol_ == Protocol::kSmtp) smtp_ = smtp::State::kGreeted;
  pop3_ = pop3::State::kAuthorization;
  imap_ = imap::kNotAuthenticated;
}

void SessionState::Offer(std::string_view line) {
  if (offers_.size() < kOffers && !line.empty()) offers_.emplace_back(line);
}

// The first line is the server's name, or words.
void SessionState::Learn(std::string_view lines) {
  offers_.clear();
  capabilities_known_ = true;
  bool first = true;
  EachPart(lines, '\n', [&](std::string_view line) {
    if (!std::exchange(first, false)) Offer(line);
  });
}

void SessionState::LearnImap(std::string_view text) {
  EachPart(text, '\n', [&](std::string_view line) {
    constexpr std::string_view kWord = "CAPABILITY ";
    const std::size_t at = UpperCase(line).find(kWord);
    if (at == std::string::npos) return;
    if (!line.starts_with("* ") && (at == 0 || line[at - 1] != '[')) return;
    line = line.substr(at + kWord.size());
    line = line.substr(0, line.find(']'));
    offers_.clear();
    capabilities_known_ = true;
    EachPart(line, ' ', [&](std::string_view word) { Offer(word); });
  });
}

bool SessionState::Offers(std::string_view word) const {
  return std::ranges::any_of(offers_, [&](const std::string& o) { return EqualsNoCase(FirstWord(o), word); });
}

std::vector<std::string> SessionState::Mechanisms() const {
  std::vector<std::string> names;
  for (const std::string& offer : offers_) {
    const std::string upper = UpperCase(offer);
    if (protocol_ == Protocol::kImap) {
      if (upper.starts_with("AUTH=")) names.push_back(upper.substr(5));
      continue;
    }
    const std::string_view word = protocol_ == Protocol::kPop3 ? "SASL" : "AUTH";
    if (FirstWord(upper) != word) continue;
    EachPart(std::string_view(upper).substr(word.size()), ' ', [&](std::string_view name) { names.emplace_back(name); });
  }
  return names;
}

std::span<const sasl::SecretWord> SessionState::secret_words() const {
  if (protocol_ == Protocol::kPop3) return pop3::kSecretWords;
  if (protocol_ == Protocol::kImap) return imap::kSecretWords;
  return smtp::kSecretWords;
}

Input SessionState::input() const {
  if (over_ || smtp_ == smtp::State::kQuit) return Input::kOver;
  if (smtp_ == smtp::State::kTls || tls_due_) return Input::kTls;
  if (!greeted_) return Input::kGreeting;
  if (smtp_ == smtp::State::kAuthenticating || asked_) return Input::kAnswer;
  if (smtp_ == smtp::State::kData) return Input::kData;
  return continue_ ? Input::kContinue : Input::kCommand;
}

std::string_view SessionState::Name() const {
  if (protocol_ == Protocol::kPop3) return pop3::Name(pop3_);
  if (protocol_ != Protocol::kImap) return smtp::Name(smtp_);
  switch (imap_) {
    case imap::kAuthenticated:
      return "authenticated";
    case imap::kSelected:
      return "selected";
    case imap::kLoggedOut:
      return "logout";
    default:
      return "not authenticated";
  }
}

std::vector<SessionState::Choice> SessionState::Allowed() const {
  std::vector<Choice> all;
  if (input() != Input::kCommand) return all;
  if (protocol_ == Protocol::kPop3) {
    for (const pop3::Rule& r : pop3::kRules)
      if (r.command != pop3::Command::kUnknown && pop3::Allowed(r.command, pop3_)) all.push_back({pop3::Name(r.command), r.rfc});
  } else if (protocol_ == Protocol::kImap) {
    for (const imap::Rule& r : imap::Rules())
      if ((r.allowed & imap_) != 0) all.push_back({r.name, r.rfc});
  } else {
    // LMTP's own, and those that Postfix has beside the RFCs, only where the server is one that knows them.
    const auto known = [&](smtp::Verb verb) {
      if (verb == smtp::Verb::kLhlo) return lmtp_;
      return (verb != smtp::Verb::kXclient && verb != smtp::Verb::kXforward) || Offers(smtp::Name(verb));
    };
    for (const smtp::Rule& r : smtp::kRules)
      if (r.verb != smtp::Verb::kUnknown && smtp::MayCome(r.verb, smtp_) && known(r.verb))
        all.push_back({smtp::Name(r.verb), r.rfc});
  }
  return all;
}

Advice SessionState::advice() const {
  switch (input()) {
    case Input::kGreeting:
      return Advice::kGreeting;
    case Input::kAnswer:
      return Advice::kAnswer;
    case Input::kData:
      return Advice::kMessage;
    case Input::kContinue:
      return Advice::kContinue;
    case Input::kTls:
      return Advice::kHandshake;
    case Input::kOver:
      return Advice::kOver;
    case Input::kCommand:
      break;
  }
  if (protocol_ == Protocol::kPop3) return Pop3Advice();
  if (protocol_ == Protocol::kImap) return ImapAdvice();
  return SmtpAdvice();
}

Advice SessionState::SmtpAdvice() const {
  switch (smtp_) {
    case smtp::State::kGreeted:
      return Advice::kHello;
    case smtp::State::kMail:
      return Advice::kRcpt;
    case smtp::State::kRcpt:
      return Advice::kData;
    case smtp::State::kChunks:
      return Advice::kChunk;
    default:
      break;
  }
  if (done_) return Advice::kQuit;
  if (!tls_ && Offers("STARTTLS")) return Advice::kStartTls;
  return !logged_in_ && !Mechanisms().empty() ? Advice::kLogin : Advice::kMail;
}

Advice SessionState::Pop3Advice() const {
  if (pop3_ == pop3::State::kTransaction) return done_ ? Advice::kQuit : counted_ ? Advice::kRetrieve : Advice::kStat;
  if (user_given_) return Advice::kPassword;
  if (!capabilities_known_) return Advice::kCapabilities;
  return !tls_ && Offers("STLS") ? Advice::kStartTls : Advice::kLogin;
}

Advice SessionState::ImapAdvice() const {
  if (imap_ == imap::kSelected) return done_ ? Advice::kQuit : Advice::kFetch;
  if (imap_ == imap::kAuthenticated) return Advice::kSelect;
  if (!capabilities_known_) return Advice::kCapabilities;
  return !tls_ && Offers("STARTTLS") ? Advice::kStartTls : Advice::kLogin;
}

}  // namespace glasspost::agent::talk
