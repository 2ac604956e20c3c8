// The server's side: greeting, untagged data, "+", tagged verdicts, and what they say about state.
#include <algorithm>

#include "base/ascii.h"
#include "base/time_text.h"
#include "wire/imap/observer.h"

namespace glasspost::imap {
namespace {

void AssignUpper(std::string& out, Octets text) {
  out = text;
  for (char& c : out) c = ToUpper(c);
}

}  // namespace

void ImapObserver::OnServerLine(const Line& line, Octets rest, const Origin& origin) {
  Side& s = server();
  if (s.continued) {
    s.continued = false;
    return OnReplyPiece(line, false, origin);
  }
  const Response r = ParseResponse(line.text);
  if (s.lost && !PlausibleResponse(r)) {
    const bool first = s.first_lost;
    s.first_lost = false;
    // The end of a FETCH response whose beginning is lost still announces a message.
    const auto literal = first ? FindLiteral(line.tail) : std::nullopt;
    if (!literal || !FindMessageItem(line.tail.substr(0, line.tail.size() - literal->marker))) return;
    s.lost = false;
    s.status_line = false;
    s.fetch = true;
    TakeOwner(UntaggedTarget());
    s.owner->exchange.reply.cut = true;
    return OnReplyPiece(line, true, origin);
  }
  s.lost = false;
  switch (r.kind) {
    case Kind::kUntagged:
      return OnUntagged(r, line, origin);
    case Kind::kContinuation:
      return OnContinuation(r, line, origin);
    case Kind::kTagged:
      return OnTagged(r, line, rest, origin);
    case Kind::kMalformed:
      return OnMalformedReply(line, origin);
  }
}

// After a gap: a line of a message may look like a response by accident.
bool ImapObserver::PlausibleResponse(const Response& r) const {
  constexpr std::size_t kLongestTag = 32;
  switch (r.kind) {
    case Kind::kUntagged:
      return IsKnownData(r);
    case Kind::kContinuation:
      return (blocked_ && !asked_) || std::ranges::any_of(queue_, [](const auto& e) { return e->owed > 0 && !e->replied; });
    case Kind::kTagged:
      if (std::ranges::any_of(queue_, [&](const auto& e) { return !e->replied && e->tag == r.tag; })) return true;
      return last_tag_.empty() ? r.tag.size() <= kLongestTag : SameShape(r.tag, last_tag_);
    case Kind::kMalformed:
      return false;
  }
  return false;
}

void ImapObserver::TakeOwner(Entry& e) {
  server().owner = &e;
  server().owner_number = e.exchange.number;
  e.busy = true;
}

void ImapObserver::OnUntagged(const Response& r, const Line& line, const Origin& origin) {
  Side& s = server();
  const bool status = r.number.empty() && IsStatus(r.word, true);
  const bool bye = status && EqualsNoCase(r.word, "BYE");
  const bool greeting = !greeting_seen_ && status && !EqualsNoCase(r.word, "NO") && !EqualsNoCase(r.word, "BAD");
  greeting_seen_ = true;
  bye_seen_ = bye_seen_ || bye;
  Entry& e = greeting ? NewEntry(false) : UntaggedTarget();
  if (greeting) {
    e.exchange.phase = Phase::kGreeting;
    if (EqualsNoCase(r.word, "PREAUTH")) state_ = ahead_ = kAuthenticated;
    e.replied = true;
    if (server_only_) phase_ = Phase::kRetrieval;
  }
  TakeOwner(e);
  if (status && !e.exchange.has_request) AssignUpper(e.exchange.reply.status, r.word);
  // A server that could read no tag answers without one.
  if (status && e.malformed && EqualsNoCase(r.word, "BAD")) {
    e.exchange.reply.status = "BAD";
    e.replied = true;
  }
  s.status_line = status;
  s.fetch = !r.number.empty() && EqualsNoCase(r.word, "FETCH");
  if (status)
    NoteCapabilities(r.text, e.exchange.number, true, origin);
  else if (EqualsNoCase(r.word, "CAPABILITY"))
    NoteCapabilities(r.text, e.exchange.number, false, origin);
  OnReplyPiece(line, true, origin);
}

// One line of untagged data: all of it, or up to or after a literal.
void ImapObserver::OnReplyPiece(const Line& line, bool new_line, const Origin& origin) {
  Side& s = server();
  if (s.owner != nullptr) {
    Reply& reply = s.owner->exchange.reply;
    s.owner->exchange.has_reply = true;
    AppendReply(*s.owner, line.text, new_line, line.cut);
    Touch(reply.span, s, s.line_at, line.length, origin);
  }
  if (s.fetch && s.owner != nullptr) TellQuotedMessages(line.text, origin);
  const auto literal = s.status_line ? std::nullopt : FindLiteral(line.tail);
  if (!literal) return EndReplyLine();
  Use use = Use::kText;
  s.message_whole = true;
  s.item = {};
  if (s.fetch && s.owner != nullptr) {
    if (const auto item = FindMessageItem(line.tail.substr(0, line.tail.size() - literal->marker))) {
      use = Use::kMessage;
      s.item = *item;
      s.message_whole = IsWholeMessage(s, literal->octets, item->partial ? FindSize(line.text) : std::nullopt);
    }
  }
  BeginLiteral(Direction::kToClient, *literal, use, origin);
}

void ImapObserver::EndReplyLine() {
  Side& s = server();
  if (s.owner == nullptr) return;
  Entry& e = *s.owner;
  s.owner = nullptr;
  e.busy = false;
  // During IDLE each line comes when something happened: they are told one by one.
  if (!e.exchange.has_request && blocked_ && blocking_ == Verb::kIdle) e.replied = true;
  Flush();
}

void ImapObserver::AppendReply(Entry& e, Octets text, bool new_line, bool cut) {
  Reply& reply = e.exchange.reply;
  if (new_line && e.has_text) reply.text.push_back('\n');
  e.has_text = true;
  const std::size_t room = limits_.reply_text - std::min(limits_.reply_text, reply.text.size());
  reply.text += text.substr(0, room);
  Weigh(e);
  if (!cut && text.size() <= room) return;
  reply.cut = true;
  if (!server().reading_partial) FindOnce(FindingId::kTooMuch, e.exchange.number, {}, "reply");
}

ImapObserver::Entry* ImapObserver::OldestOpen() {
  for (auto& e : queue_)
    if (e->exchange.has_request && !e->replied) return e.get();
  return nullptr;
}

ImapObserver::Entry& ImapObserver::UntaggedTarget() {
  if (Entry* e = OldestOpen()) return *e;
  if (!queue_.empty() && !queue_.back()->exchange.has_request && !queue_.back()->replied) return *queue_.back();
  return NewEntry(false);
}

void ImapObserver::OnContinuation(const Response& r, const Line& line, const Origin& origin) {
  Side& s = server();
  greeting_seen_ = true;
  for (auto& e : queue_) {
    if (e->owed == 0 || e->replied) continue;
    --e->owed;
    AppendReply(*e, line.text, true, line.cut);
    // Its packets belong to the reply; its time does not: the command is not complete before its literal is.
    for (const Origin& o : s.origins) e->exchange.reply.span.frames.Add(o.frame);
    e->exchange.reply.span.frames.Add(origin.frame);
    return;
  }
  Entry* e = nullptr;
  for (auto& candidate : queue_)
    if (blocked_ && candidate->exchange.has_request && !candidate->replied && candidate->tag == blocking_tag_)
      e = candidate.get();
  if (e == nullptr && !blocked_) e = OldestOpen();
  if (e == nullptr) {
    for (auto& open : queue_) open->replied = open->replied || !open->exchange.has_request;
    e = &NewEntry(false);
    if (!excused_ && !blocked_)
      Find(FindingId::kUnsolicitedReply, e->exchange.number, origin, secrets_.Redacted(line.text, line.cut));
  } else if (!blocked_) {
    blocked_ = true;
    blocking_ = e->rule != nullptr ? e->rule->verb : Verb::kUnknown;
    blocking_tag_ = e->tag;
  }
  asked_ = blocked_;
  Reply& reply = e->exchange.reply;
  e->exchange.has_reply = true;
  reply.status = "+";
  if (blocked_ && blocking_ == Verb::kAuthenticate) {
    step_.Clear();
    sasl_.OnChallenge(r.text, step_, line.cut ? static_cast<std::size_t>(line.length) : sasl::SaslObserver::kWhole);
    AppendReply(*e, line.text.substr(0, line.text.size() - r.text.size()), true, false);
    AppendReply(*e, step_.shown_argument, false, line.cut);
    reply.decoded = step_.decoded;
    reply.sasl = step_.content;
    Weigh(*e);
  } else {
    AppendReply(*e, line.text, true, line.cut);
  }
  Touch(reply.span, s, s.line_at, line.length, origin);
  CheckSpeed(*e, origin);
  e->replied = true;
  Flush();
}

ImapObserver::Entry* ImapObserver::FindTagged(Octets tag) {
  for (auto& e : queue_)
    if (e->exchange.has_request && !e->replied && e->tag == tag) return e.get();
  // The answer to a "+" that was said before the capture began: its tag is not known.
  for (auto& e : queue_)
    if (e->exchange.has_request && !e->replied && e->tag.empty()) return e.get();
  return nullptr;
}

void ImapObserver::OnTagged(const Response& r, const Line& line, Octets rest, const Origin& origin) {
  Side& s = server();
  greeting_seen_ = true;
  const bool unblocks = blocked_ && r.tag == blocking_tag_;
  Entry* e = FindTagged(r.tag);
  if (e == nullptr) {
    const bool open = !queue_.empty() && !queue_.back()->exchange.has_request && !queue_.back()->replied;
    e = open && !unblocks ? queue_.back().get() : &NewEntry(false);
    if (!excused_ && !unblocks)
      Find(FindingId::kUnsolicitedReply, e->exchange.number, origin, secrets_.Redacted(line.text, line.cut));
  }
  const Verb verb = e->rule != nullptr ? e->rule->verb : unblocks ? blocking_ : Verb::kUnknown;
  e->exchange.has_reply = true;
  AppendReply(*e, line.text, true, line.cut);
  AssignUpper(e->exchange.reply.status, r.word);
  Touch(e->exchange.reply.span, s, s.line_at, line.length, origin);
  CheckSpeed(*e, origin);
  e->replied = true;
  for (auto& older : queue_)
    if (older->exchange.number < e->exchange.number && older->maybe_lost) older->replied = true;
  NoteCapabilities(r.text, e->exchange.number, true, origin);
  OnVerdict(*e, verb, r, origin);
  if (unblocks) {
    if (blocking_ == Verb::kAuthenticate) sasl_.OnOutcome(EqualsNoCase(r.word, "OK"));
    blocked_ = asked_ = false;
  }
  Side& c = client();
  if (e->collecting && c.in_literal && c.literal_sync && !c.literal_begun) {
    // RFC 9051 §4.3: the literal was refused; the next line is a new command.
    c.in_literal = false;
    c.literal_left = 0;
    CompleteCommand(*e, origin);
  }
  const bool ok = EqualsNoCase(r.word, "OK");
  Flush();
  if (ok && verb == Verb::kStarttls) StartTls(origin, rest);
  if (ok && verb == Verb::kCompress) {
    EndEverything(origin);
    mode_ = Mode::kOpaque;
  }
}

void ImapObserver::OnVerdict(const Entry& e, Verb verb, const Response& r, const Origin& origin) {
  const bool ok = EqualsNoCase(r.word, "OK");
  const bool authenticates = verb == Verb::kLogin || verb == Verb::kAuthenticate;
  if (ok) {
    const State after = After(verb, state_);
    if (after != state_ || authenticates || verb == Verb::kSelect || verb == Verb::kExamine) state_known_ = true;
    state_ = after;
    // A mechanism alone gives nothing: what it asks for may still come.
    const Request& request = e.exchange.request;
    const bool given = verb != Verb::kAuthenticate || request.verb == "*" || request.argument.find(' ') != std::string::npos;
    if (authenticates && given) secret_due_ = false;
  } else if (EqualsNoCase(r.word, "NO")) {
    if (authenticates) Find(FindingId::kAuthFailed, e.exchange.number, origin, secrets_.Redacted(r.text));
    // RFC 9051 §6.3.2: a SELECT that fails leaves no mailbox selected.
    if ((verb == Verb::kSelect || verb == Verb::kExamine) && state_ == kSelected) state_ = kAuthenticated;
  }
  if (OldestOpen() == nullptr) ahead_ = state_;
}

void ImapObserver::OnMalformedReply(const Line& line, const Origin& origin) {
  Side& s = server();
  Entry& e = UntaggedTarget();
  Find(FindingId::kMalformedLine, e.exchange.number, origin, secrets_.Redacted(line.text, line.cut));
  TakeOwner(e);
  s.status_line = true;
  s.fetch = false;
  OnReplyPiece(line, true, origin);
}

// `code`: the list stands in a response code, "[CAPABILITY …]".
void ImapObserver::NoteCapabilities(Octets text, std::uint64_t exchange, bool code, const Origin& origin) {
  static constexpr Octets kCode = "[CAPABILITY ";
  if (code) {
    if (!StartsWithNoCase(text, kCode)) return;
    text = text.substr(kCode.size());
    text = text.substr(0, text.find(']'));
  }
  if (tls_ || (state_known_ && state_ != kNotAuthenticated)) return;
  bool disabled = false;
  Octets offered;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const Octets word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (EqualsNoCase(word, "STARTTLS")) starttls_offered_ = true;
    if (EqualsNoCase(word, "LOGINDISABLED")) disabled = true;
    const bool mechanism = StartsWithNoCase(word, "AUTH=");
    if (mechanism && offered.empty() && sasl::SendsPassword(sasl::MechanismOf(word.substr(5)))) offered = word;
  }
  if (disabled || offered.empty() || auth_offered_in_ != 0) return;
  auth_offered_in_ = exchange;
  auth_offered_at_ = origin;
  auth_offered_ = offered;
}

void ImapObserver::CheckSpeed(const Entry& e, const Origin& origin) {
  const Timestamp asked = e.exchange.request.span.last_time;
  const Timestamp answered = e.exchange.reply.span.first_time;
  if (!e.exchange.has_request || asked == kNoTime || answered == kNoTime || answered - asked <= limits_.slow_reply) return;
  Find(FindingId::kSlowReply, e.exchange.number, origin, SecondsText(answered - asked));
}

}  // namespace glasspost::imap
