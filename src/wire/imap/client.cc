// The client's side: commands with their arguments and literals, answers to a "+", and what of them is secret.
#include <algorithm>

#include "base/ascii.h"
#include "base/redaction.h"
#include "wire/imap/observer.h"

namespace glasspost::imap {
namespace {

std::size_t FindNoCase(Octets text, Octets what) {
  for (std::size_t i = 0; i + what.size() <= text.size(); ++i)
    if (EqualsNoCase(text.substr(i, what.size()), what)) return i;
  return Octets::npos;
}

// Is `text` inside of the parentheses of a CATENATE (RFC 4469 §3)? Its literals are parts of a message, not messages.
bool InCatenate(Octets text) {
  const std::size_t at = FindNoCase(text, "CATENATE (");
  if (at == Octets::npos) return false;
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '"') {
      i += ReadQuoted(text.substr(i), [](Octets) {}) - 1;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')' && --depth == 0) {
      return InCatenate(text.substr(i));
    }
  }
  return depth > 0;
}

}  // namespace

void ImapObserver::OnClientLine(const Line& line, const Origin& origin) {
  Side& s = client();
  if (s.continued) {
    s.continued = false;
    if (s.owner != nullptr) return OnCommandPiece(*s.owner, line.text, line, origin);
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
      if (literal) BeginLiteral(Direction::kToServer, *literal, Use::kSkip, origin);
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

void ImapObserver::BeginCommand(const Line& line, const Origin& origin) {
  const auto command = ParseCommand(line.text);
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
  if (!command) {
    const std::size_t space = std::min(line.text.find(' '), line.text.size());
    e.malformed = true;
    e.tag = request.tag = line.text.substr(0, space);
    if (!line.partial) Find(FindingId::kMalformedLine, e.exchange.number, origin, line.text);
    return OnCommandPiece(e, line.text.substr(std::min(space + 1, line.text.size())), line, origin);
  }
  request.tag = command->tag;
  for (const char c : command->name)
    if (c != ' ' || request.verb.back() != ' ') request.verb.push_back(ToUpper(c));
  if (command->name != request.verb) request.written.assign(command->name);
  e.rule = command->rule;
  // A server takes the first word for the tag, whatever it is.
  e.tag = command->tag.empty() ? command->name : command->tag;
  e.malformed = command->tag.empty();
  if (!command->tag.empty()) last_tag_ = command->tag;
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
  if (e.rule == nullptr) return Find(FindingId::kUnknownCommand, e.exchange.number, origin, e.exchange.request.verb);
  const bool allowed = (e.rule->allowed & (state_ | ahead_)) != 0;
  if (inside || (state_known_ && !allowed))
    Find(FindingId::kCommandOutOfOrder, e.exchange.number, origin, e.exchange.request.verb);
  ahead_ = After(verb, ahead_);
}

// What the client says before it has heard the reply that is out of reach closes what waits for it.
void ImapObserver::CloseBefore() {
  for (auto& e : queue_) {
    const bool unasked = !e->exchange.has_request;
    if (unasked || (e->maybe_lost && !pipelines_ && !e->collecting)) e->replied = true;
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
  const bool shown = !e.exchange.request.cut && argument.size() >= literal->marker;
  const std::size_t at = argument.size() - (shown ? literal->marker : 0);
  if (shown) e.literals.push_back({at, literal->marker, 0, literal->octets});
  if (literal->synchronising) ++e.owed;
  Use use = Use::kText;
  if (e.rule != nullptr && (e.rule->verb == Verb::kAppend || e.rule->verb == Verb::kReplace) && at > 0)
    use = TakesMessage(e, at) ? Use::kMessage : e.literals.size() > 1 || InCatenate(argument) ? Use::kSkip : Use::kText;
  if (!shown && use == Use::kText) use = Use::kSkip;
  s.item = {};
  s.message_whole = true;
  BeginLiteral(Direction::kToServer, *literal, use, origin);
}

void ImapObserver::AppendArgument(Entry& e, Octets text, bool cut, const Origin& origin) {
  Request& request = e.exchange.request;
  const std::size_t room = limits_.argument - std::min(limits_.argument, request.argument.size());
  request.argument += text.substr(0, room);
  if (!cut && text.size() <= room) return;
  request.cut = true;
  if (!client().reading_partial) FindOnce(FindingId::kTooMuch, e.exchange.number, origin, "command line");
}

// Is the literal whose marker stands at `marker` a message? Before it come the mailbox and, for REPLACE, the message's number.
bool ImapObserver::TakesMessage(const Entry& e, std::size_t marker) const {
  const Octets before = Trim(Octets(e.exchange.request.argument).substr(0, marker));
  if (before.empty() || InCatenate(before)) return false;
  return e.rule->verb == Verb::kAppend || before.find(' ') != Octets::npos;
}

void ImapObserver::CompleteCommand(Entry& e, const Origin& origin) {
  const Verb verb = e.rule != nullptr ? e.rule->verb : Verb::kUnknown;
  if (client().owner == &e) client().owner = nullptr;
  e.collecting = false;
  if (verb == Verb::kLogin) {
    MaskLogin(e);
    NoteAuthentication(e, true, origin);
  }
  if (verb == Verb::kAuthenticate) {
    BeginSasl(e);
    NoteAuthentication(e, sasl_.password_seen(), origin);
  }
  if (verb == Verb::kLogout) logout_seen_ = true;
  if (verb == Verb::kAuthenticate || verb == Verb::kIdle) {
    blocked_ = true;
    asked_ = false;
    blocking_ = verb;
    blocking_tag_ = e.tag;
  }
  if (client_only_) e.replied = true;
  Flush();
}

// The second word of LOGIN and all after it becomes its octet count (RFC 9051 §6.2.3: atom, quoted string or literal).
void ImapObserver::MaskLogin(Entry& e) {
  if (options_.show_secrets) return;
  std::string& argument = e.exchange.request.argument;
  const auto literal_at = [&](std::size_t at) { return std::ranges::find(e.literals, at, &ShownLiteral::at); };
  const Octets text = argument;
  std::size_t at = std::min(text.find_first_not_of(' '), text.size());
  if (const auto user = literal_at(at); user != e.literals.end()) {
    at += user->marker + user->kept;
  } else if (at < text.size() && text[at] == '"') {
    const std::size_t n = ReadQuoted(text.substr(at), [](Octets) {});
    const bool closed = n >= 2 && text[at + n - 1] == '"' && (n < 3 || text[at + n - 2] != '\\');
    at = closed ? at + n : std::min(text.find(' ', at), text.size());
  } else {
    at = std::min(text.find(' ', at), text.size());
  }
  at = std::min(text.find_first_not_of(' ', at), text.size());
  if (at == text.size()) return;
  std::uint64_t octets = text.size() - at;
  std::size_t keep = at;
  if (const auto password = literal_at(at); password != e.literals.end()) {
    octets = password->octets;
    keep += password->marker;
  } else if (text[at] == '"') {
    std::uint64_t inside = 0;
    const std::size_t n = ReadQuoted(text.substr(at), [&](Octets part) { inside += part.size(); });
    if (n == text.size() - at) octets = inside;
  }
  argument.resize(keep);
  argument += Mask(octets);
}

void ImapObserver::BeginSasl(Entry& e) {
  Request& request = e.exchange.request;
  const Octets text = request.argument;
  const std::size_t space = std::min(text.find(' '), text.size());
  std::optional<Octets> initial;
  if (space < text.size()) initial = text.substr(space + 1);
  step_.Clear();
  const std::size_t length = request.cut && initial ? static_cast<std::size_t>(request.span.length) : sasl::SaslObserver::kWhole;
  sasl_.Begin(text.substr(0, space), initial, step_, length);
  request.sasl = step_.content;
  request.decoded = step_.decoded;
  if (initial) request.argument.replace(space + 1, Octets::npos, step_.shown_argument);
}

void ImapObserver::NoteAuthentication(Entry& e, bool password, const Origin& origin) {
  if (tls_) return;
  const std::uint64_t number = e.exchange.number;
  if (password) FindOnce(FindingId::kCleartextPassword, number, origin, e.exchange.request.verb);
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
    step_.Clear();
    sasl_.OnResponse(line.text, step_, line.cut ? static_cast<std::size_t>(line.length) : sasl::SaslObserver::kWhole);
    request.argument = step_.shown_argument;
    request.decoded = step_.decoded;
    request.sasl = step_.content;
    NoteAuthentication(e, sasl_.password_seen(), origin);
  } else {
    request.argument = line.text;
  }
  asked_ = false;
  Touch(request.span, s, s.line_at, line.length, origin);
  if (client_only_) e.replied = true;
  Flush();
}

}  // namespace glasspost::imap
