// The client's side: commands with their arguments and literals, answers to a "+", and what of them is secret.
#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/redaction.h"
#include "wire/imap/observer.h"
#include "wire/sasl/secrets.h"

namespace glasspost::imap {
namespace {

// RFC 4469 §3: what stands before the parenthesis. The literals inside are parts of a message, not messages.
constexpr Octets kCatenate = "CATENATE ";

bool EndsInCatenate(Octets text) {
  return text.size() >= kCatenate.size() && EqualsNoCase(text.substr(text.size() - kCatenate.size()), kCatenate);
}

}  // namespace

void ImapObserver::OnClientLine(const Line& line, const Origin& origin) {
  Side& s = client();
  if (s.continued) {
    s.continued = false;
    if (s.owner != nullptr && s.owner->secret) secrets_.RememberText(line.text, !line.cut);
    if (s.owner != nullptr) return OnCommandPiece(*s.owner, s.owner->secret ? Octets() : line.text, line, origin);
    if (const auto literal = FindLiteral(line.tail)) BeginLiteral(Direction::kToServer, *literal, Use::kSkip, origin);
    return;
  }
  const bool answer = IsAnswer(line.text);
  if (s.lost) {
    const bool first = s.first_lost;
    s.first_lost = false;
    if (!answer && !PlausibleCommand(line.text)) {
      // The end of a command whose beginning is lost still says how many octets of literal follow it.
      const auto literal = first && !line.partial ? FindLiteral(line.tail) : std::nullopt;
      if (literal) return BeginLiteral(Direction::kToServer, *literal, Use::kSkip, origin);
      if (state_ == kNotAuthenticated && phase_ != Phase::kRetrieval) sasl::RememberTail(line.text, secrets_);
      return;
    }
    s.lost = false;
    if (answer) {
      Line rest = line;
      rest.cut = !EqualsNoCase(line.text, "DONE");
      return OnAnswer(rest, origin);
    }
  }
  if (answer) return OnAnswer(line, origin);
  if (line.text.empty()) {
    if (!line.partial) Find(FindingId::kMalformedLine, 0, origin, "empty line");
    return;
  }
  BeginCommand(line, origin);
}

// After a gap: a line of text may look like a command by accident, so the tag must look like those before.
bool ImapObserver::PlausibleCommand(Octets text) const {
  const auto command = ParseCommand(text);
  if (!command || command->rule == nullptr || command->tag.empty()) return false;
  return last_tag_.empty() || SameShape(command->tag, last_tag_);
}

bool ImapObserver::IsAnswer(Octets text) const {
  if (!blocked_) return !state_known_ && !commands_seen_ && EqualsNoCase(text, "DONE");
  if (blocking_ == Verb::kIdle && EqualsNoCase(Trim(text), "DONE")) return true;
  if (blocking_ != Verb::kAuthenticate && !asked_) return false;
  // A command instead: this client does not keep to the rules, or its answer was lost.
  return !PlausibleCommand(text);
}

// What is no command may hold a secret: where a login was begun that belongs to it (its tag can be told if it looks like one), or
// where something in it says so. How it may be told is in told_line_. True if something was hidden.
bool ImapObserver::HideUnknown(const Line& line, const std::optional<Command>& command) {
  const Octets text = line.text;
  std::size_t at = 0;
  if (!secret_due_) {
    at = sasl::FindSlip(text, kSecretWords);
  } else {
    if (command && SameShape(command->tag, last_tag_)) at = static_cast<std::size_t>(command->name.data() - text.data());
    at += sasl::FindDueSecret(text.substr(at), kSecretWords);
  }
  if (at == Octets::npos) return told_line_ = secrets_.Redacted(text, line.cut), false;
  const std::size_t length = line.cut ? std::max(static_cast<std::size_t>(line.length), text.size()) : text.size();
  told_line_ = sasl::HideFrom(text, at, length, secrets_);
  secret_due_ = true;
  return true;
}

// `told`: the line as it may be told.
void ImapObserver::BeginMalformed(Entry& e, const Line& line, Octets told, const Origin& origin) {
  Request& request = e.exchange.request;
  const std::size_t space = std::min(told.find(' '), told.size());
  e.malformed = true;
  e.tag = line.text.substr(0, line.text.find(' '));
  (told.starts_with("*** ") ? request.verb : request.tag) = told.substr(0, space);
  if (!line.partial) Find(FindingId::kMalformedLine, e.exchange.number, origin, told);
  OnCommandPiece(e, told.substr(std::min(space + 1, told.size())), line, origin);
}

void ImapObserver::BeginCommand(const Line& line, const Origin& origin) {
  auto command = ParseCommand(line.text);
  const bool inside = blocked_ && asked_;
  CloseBefore();
  const bool waits = std::ranges::any_of(queue_, [](const auto& e) { return e->exchange.has_request && !e->replied; });
  pipelines_ = pipelines_ || waits;
  Entry& e = NewEntry(true);
  Request& request = e.exchange.request;
  client().owner = &e;
  client().owner_number = e.exchange.number;
  e.collecting = true;
  commands_seen_ = greeting_seen_ = true;
  const bool known = command && command->rule != nullptr;
  if (known) secret_due_ = false;
  if (!known && !options_.show_secrets) {
    const Octets tag = command ? command->tag : Octets();
    e.secret = HideUnknown(line, command);
    command = ParseCommand(told_line_);
    if (command) e.tag = tag;
  }
  if (!command) return BeginMalformed(e, line, options_.show_secrets ? line.text : Octets(told_line_), origin);
  request.tag = command->tag;
  std::string verb_text;
  for (const char c : command->name)
    if (c != ' ' || verb_text.back() != ' ') verb_text.push_back(ToUpper(c));
  request.SetVerb(verb_text, command->name);
  e.rule = known ? command->rule : nullptr;  // "LOGIN:secret" is told as "LOGIN", and is none
  // A server takes the first word for the tag, whatever it is.
  if (e.tag.empty()) e.tag = command->tag.empty() ? command->name : command->tag;
  e.malformed = command->tag.empty();
  if (!command->tag.empty()) last_tag_ = e.tag;
  const Verb verb = e.rule != nullptr ? e.rule->verb : Verb::kUnknown;
  e.exchange.phase = phase_ = PhaseOf(verb, state_known_ && ahead_ == kNotAuthenticated);
  if (e.malformed)
    Find(FindingId::kMalformedLine, e.exchange.number, origin, request.verb);
  else if (!line.partial)
    CheckCommand(e, verb, inside, origin);
  OnCommandPiece(e, command->arguments, line, origin);
}

// `inside`: the client should have answered a "+".
void ImapObserver::CheckCommand(const Entry& e, Verb verb, bool inside, const Origin& origin) {
  const std::string& name = e.exchange.request.verb;
  if (e.rule == nullptr) return name == "***" ? void() : Find(FindingId::kUnknownCommand, e.exchange.number, origin, name);
  const bool allowed = (e.rule->allowed & (state_ | ahead_)) != 0;
  if (inside || (state_known_ && !allowed)) Find(FindingId::kCommandOutOfOrder, e.exchange.number, origin, name);
  ahead_ = After(verb, ahead_);
}

// What the client says before it has heard the reply that is out of reach closes what waits for it.
void ImapObserver::CloseBefore() {
  if (std::exchange(closable_, false)) {
    for (auto& e : queue_) {
      const bool unasked = !e->exchange.has_request;
      if (unasked || (e->maybe_lost && !pipelines_ && !e->collecting)) e->replied = true;
      closable_ = closable_ || (e->maybe_lost && !e->replied);
    }
  }
  if (blocking_ == Verb::kAuthenticate) blocked_ = false;
  asked_ = false;
  Flush();
}

// One line of a command: all of it, or up to or after a literal.
void ImapObserver::OnCommandPiece(Entry& e, Octets text, const Line& line, const Origin& origin) {
  Side& s = client();
  AppendArgument(e, text, line.cut, origin);
  Touch(e.exchange.request.span, s, s.line_at, line.length, origin);
  const bool has_literals = !e.malformed && (e.rule == nullptr || e.rule->verb != Verb::kAuthenticate);
  const auto literal = has_literals && !line.partial ? FindLiteral(line.tail) : std::nullopt;
  if (!literal) return CompleteCommand(e, origin);
  const std::string& argument = e.exchange.request.argument;
  const bool shown = !e.secret && !e.exchange.request.cut && argument.size() >= literal->marker;
  const std::size_t at = argument.size() - (shown ? literal->marker : 0);
  Use use = Use::kText;
  if (e.rule != nullptr && (e.rule->verb == Verb::kAppend || e.rule->verb == Verb::kReplace) && at > 0) {
    ReadBefore(e, at);
    use = TakesMessage(e) ? Use::kMessage : !e.literals.empty() || e.before.depth > 0 ? Use::kSkip : Use::kText;
  }
  if (shown) e.literals.push_back({at, literal->marker, 0, literal->octets});
  if (literal->synchronising) ++e.owed;
  if (!shown && !e.secret && use == Use::kText) use = Use::kSkip;
  s.item = {};
  s.message_whole = true;
  BeginLiteral(Direction::kToServer, *literal, use, origin);
}

void ImapObserver::AppendArgument(Entry& e, Octets text, bool cut, const Origin& origin) {
  Request& request = e.exchange.request;
  const std::size_t room = limits_.argument - std::min(limits_.argument, request.argument.size());
  request.argument += text.substr(0, room);
  Weigh(e);
  if (!cut && text.size() <= room) return;
  request.cut = true;
  if (!client().reading_partial) FindOnce(FindingId::kTooMuch, e.exchange.number, origin, "command line");
}

// Reads what stands before the literal whose marker is at `marker`, from where it was read for the literal before: a command may
// have thousands of them.
void ImapObserver::ReadBefore(Entry& e, std::size_t marker) {
  Before& before = e.before;
  if (!e.literals.empty()) {
    const ShownLiteral& last = e.literals.back();
    before.read = std::max(before.read, last.at + last.marker + last.kept);
    ++before.words;
  }
  const Octets text = Octets(e.exchange.request.argument).substr(0, marker);
  for (std::size_t& i = before.read; i < text.size(); ++i) {
    if (text[i] != ' ' && (i == 0 || text[i - 1] == ' ')) ++before.words;
    if (text[i] == '"')
      i += ReadQuoted(text.substr(i), [](Octets) {}) - 1;
    else if (text[i] == '(' && (before.depth > 0 || EndsInCatenate(text.substr(0, i))))
      ++before.depth;
    else if (text[i] == ')' && before.depth > 0)
      --before.depth;
  }
}

// Is the literal that comes next a message? Before it come the mailbox and, for REPLACE, the message's number.
bool ImapObserver::TakesMessage(const Entry& e) const {
  return e.before.depth == 0 && e.before.words >= (e.rule->verb == Verb::kAppend ? 1u : 2u);
}

void ImapObserver::CompleteCommand(Entry& e, const Origin& origin) {
  const Verb verb = e.rule != nullptr ? e.rule->verb : Verb::kUnknown;
  if (client().owner == &e) client().owner = nullptr;
  e.collecting = false;
  e.asked = RequestedOctets(e.exchange.request.argument, 0);
  e.composed = verb == Verb::kLogin || verb == Verb::kAuthenticate;
  if (verb == Verb::kAuthenticate) secret_due_ = true;
  if (verb == Verb::kLogin) {
    secret_due_ = !options_.show_secrets && !MaskLogin(e);
    NoteAuthentication(e, true, origin);
  }
  if (verb == Verb::kAuthenticate) {
    BeginSasl(e);
    NoteAuthentication(e, sasl_.password_seen(), origin);
    Weigh(e);
  }
  if (verb == Verb::kLogout) logout_seen_ = true;
  if (verb == Verb::kAuthenticate || verb == Verb::kIdle) {
    blocked_ = true;
    asked_ = false;
    blocking_ = verb;
    blocking_tag_ = e.tag;
  }
  TellRequest(e);
  if (client_only_) e.replied = true;
  Flush();
}

// Before its reply.
void ImapObserver::TellRequest(const Entry& e) {
  if (!options_.requests || e.replied) return;
  Exchange told = e.exchange;
  sasl::Redact(told, secrets_, e.composed);
  sink_.OnRequest(told);
}

// The second word of LOGIN and all after it becomes its octet count (RFC 9051 §6.2.3: atom, quoted string or literal).
// False if it is not all there: it may still come.
bool ImapObserver::MaskLogin(Entry& e) {
  std::string& argument = e.exchange.request.argument;
  const auto literal_at = [&](std::size_t at) { return std::ranges::find(e.literals, at, &ShownLiteral::at); };
  const Octets text = argument;
  // The word at `at`, as it is meant; gives where it ends.
  std::string word;
  const auto read = [&](std::size_t at) {
    word.clear();
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (const auto literal = literal_at(at); literal != e.literals.end()) {
      word = text.substr(at + literal->marker, literal->kept);
      return at + literal->marker + literal->kept;
    }
    if (text[at] == '"') {
      const std::size_t n = ReadQuoted(text.substr(at), [&](Octets part) { word += part; });
      const bool closed = n >= 2 && text[at + n - 1] == '"' && (n < 3 || text[at + n - 2] != '\\');
      if (closed) return at + n;
    }
    word = text.substr(at, end - at);
    return end;
  };
  std::size_t at = std::min(text.find_first_not_of(' '), text.size());
  if (at == text.size()) return false;
  const std::size_t user_end = read(at);
  // A password in the user's place is masked with all that follows.
  if (!secrets_.Knows(word)) {
    secrets_.SetUser(word);
    at = std::min(text.find_first_not_of(' ', user_end), text.size());
    if (at == text.size()) return false;
  }
  std::uint64_t octets = text.size() - at;
  std::size_t keep = at;
  const std::size_t end = read(at);
  const bool whole = !e.exchange.request.cut;
  secrets_.Remember(word, whole || end < text.size());
  if (text[at] == '"') secrets_.Remember(text.substr(at, end - at), whole);
  if (end < text.size()) secrets_.RememberText(text.substr(at), whole);
  bool given = whole;
  if (const auto password = literal_at(at); password != e.literals.end()) {
    given = whole && password->kept == password->octets;
    octets = password->octets;
    keep += password->marker;
  } else if (text[at] == '"' && end == text.size()) {
    octets = word.size();
  }
  argument.resize(keep);
  argument += Mask(octets);
  return given;
}

void ImapObserver::BeginSasl(Entry& e) {
  Request& request = e.exchange.request;
  const Octets text = request.argument;
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t space = std::min(text.find(' ', begin), text.size());
  const std::size_t behind = std::min(text.find_first_not_of(' ', space), text.size());
  const Octets mechanism = text.substr(begin, space - begin);
  step_.Clear();
  if (!options_.show_secrets && !mechanism.empty() && !sasl::IsMechanismName(mechanism)) {
    // The mechanism was forgotten: this is the secret.
    sasl_.Begin({}, std::nullopt, step_);
    secrets_.RememberText(text, !request.cut);
    request.argument = Mask(text);
    return;
  }
  std::optional<Octets> initial;
  if (behind < text.size()) initial = text.substr(behind);
  const std::size_t length = request.cut && initial ? static_cast<std::size_t>(request.span.length) : sasl::SaslObserver::kWhole;
  sasl_.Begin(mechanism, initial, step_, length);
  request.sasl = step_.content;
  request.decoded = step_.decoded;
  if (initial) request.argument.replace(behind, Octets::npos, step_.shown_argument);
}

void ImapObserver::NoteAuthentication(Entry& e, bool password, const Origin& origin) {
  if (tls_) return;
  const std::uint64_t number = e.exchange.number;
  const std::string& verb = e.exchange.request.verb;
  if (password) FindOnce(FindingId::kCleartextPassword, number, origin, verb == "*" ? sasl_.mechanism_name() : verb);
  if (e.exchange.request.verb == "*") return;
  FindOnce(FindingId::kAuthBeforeTls, number, origin, e.exchange.request.verb);
  if (starttls_offered_) FindOnce(FindingId::kStarttlsNotUsed, number, origin, e.exchange.request.verb);
}

void ImapObserver::OnAnswer(const Line& line, const Origin& origin) {
  Side& s = client();
  for (auto& e : queue_)
    if (!e->exchange.has_request || (blocked_ && e->tag == blocking_tag_)) e->replied = true;  // its "+" was lost
  Flush();
  Entry& e = NewEntry(true);
  Request& request = e.exchange.request;
  commands_seen_ = true;
  request.verb = "*";
  request.cut = line.cut;
  if (blocked_) e.tag = blocking_tag_;
  if (blocked_ && blocking_ == Verb::kAuthenticate) {
    e.exchange.phase = Phase::kAuth;
    e.composed = true;
    step_.Clear();
    sasl_.OnResponse(line.text, step_, line.cut ? static_cast<std::size_t>(line.length) : sasl::SaslObserver::kWhole);
    request.argument = step_.shown_argument;
    request.decoded = step_.decoded;
    request.sasl = step_.content;
    NoteAuthentication(e, sasl_.password_seen(), origin);
  } else if (options_.show_secrets || !blocked_ || blocking_ == Verb::kIdle) {
    request.argument = line.text;
  } else {
    // Nobody knows what the server asked for.
    request.argument =
        sasl::HideFrom(line.text, 0, line.cut ? static_cast<std::size_t>(line.length) : line.text.size(), secrets_);
  }
  asked_ = false;
  Touch(request.span, s, s.line_at, line.length, origin);
  Weigh(e);
  TellRequest(e);
  if (client_only_) e.replied = true;
  Flush();
}

}  // namespace glasspost::imap
