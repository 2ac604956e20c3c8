// What a reply means for its command: what is wrong with it, and what the session is afterwards.
#include <algorithm>

#include "base/ascii.h"
#include "base/time_text.h"
#include "wire/smtp/observer.h"

namespace glasspost::smtp {
namespace {

constexpr Timestamp kSlow = 5'000'000'000;  // nanoseconds between a request's last packet and its reply's first

bool ContainsNoCase(Octets text, Octets word) {
  for (std::size_t i = 0; i + word.size() <= text.size(); ++i)
    if (EqualsNoCase(text.substr(i, word.size()), word)) return true;
  return false;
}

// RFC 6647 §2: no code of its own, the server's words say it.
bool SaysGreylisting(Octets text) {
  return ContainsNoCase(text, "greylist") || ContainsNoCase(text, "graylist") || ContainsNoCase(text, "grey list") ||
         ContainsNoCase(text, "grey-list");
}

bool IsLoginReply(int code) { return code == 235 || code == 334 || code == 535; }

bool IsHello(Verb verb) { return verb == Verb::kHelo || verb == Verb::kEhlo || verb == Verb::kLhlo; }

}  // namespace

void SmtpObserver::Answer(Entry& entry, const Origin& origin) {
  Exchange& exchange = entry.exchange;
  if (entry.verb == Verb::kUnknown && IsLoginReply(heard_.reply.code)) TurnIntoAnswer(entry, origin);
  const Verb verb = entry.verb;
  const std::uint64_t number = exchange.number;
  if (exchange.multi_recipient && !exchange.has_reply)
    entry.replies = std::max<std::size_t>(1, transactions_.ReplyCount(entry.transaction));
  entry.replied = ++entry.heard >= entry.replies;
  const Reply& reply = KeepReply(entry);
  JudgeReply(entry, reply, heard_, origin);
  const int code = reply.code;
  farewell_ |= code == 421;
  MoveState(verb, code, entry.last);
  ActOnReply(verb, number, origin);
}

// What was heard, where it is kept. Of one data block's replies, those for which there is no room are judged and counted only.
const Reply& SmtpObserver::KeepReply(Entry& entry) {
  Exchange& exchange = entry.exchange;
  if (!std::exchange(exchange.has_reply, true)) {
    swap(exchange.reply, heard_.reply);
    queue_.Weigh(entry);
    return exchange.reply;
  }
  if (queue_.too_heavy()) {
    (exchange.more_replies.empty() ? exchange.reply : exchange.more_replies.back()).cut = true;
    return heard_.reply;
  }
  swap(exchange.more_replies.emplace_back(), heard_.reply);
  queue_.WeighLastReply(entry);
  return exchange.more_replies.back();
}

// What was taken for an unknown command was a step of a login whose beginning is not in the capture, or a secret that was typed
// where none was due: the reply says so.
void SmtpObserver::TurnIntoAnswer(Entry& entry, const Origin& origin) {
  Request& request = entry.exchange.request;
  const bool masked = request.verb == "***";  // all of it
  std::string text(request.VerbAsWritten());
  if (!request.argument.empty()) (text += ' ') += request.argument;
  // A mistyped AUTH, which is told without its secret, stays what it is; and a user name is told by base64 only.
  if (!masked && request.argument.find("*** (") != std::string::npos) return;
  if (heard_.reply.code == 334 && (masked || !LooksLikeAnswer(text))) return;
  entry.verb = Verb::kAuthAnswer;
  entry.exchange.phase = phase_ = Phase::kAuth;
  if (std::exchange(entry.noted, false)) --noted_[static_cast<std::size_t>(FindingId::kUnknownCommand)];
  request.verb = "*";
  request.written.clear();
  if (masked) return request.argument.swap(text);
  const bool seen = sasl_.password_seen();
  sasl_.OnGap();
  sasl_.OnResponse(text, step_, request.cut ? static_cast<std::size_t>(request.span.length) : sasl::SaslObserver::kWhole);
  request.argument.swap(step_.shown_argument);
  request.decoded.swap(step_.decoded);
  request.sasl = step_.content;
  if (!seen && sasl_.password_seen() && !tls_)
    Note(FindingId::kCleartextPassword, entry.exchange.number, origin, sasl_.mechanism_name());
}

void SmtpObserver::MoveState(Verb verb, int code, bool last) {
  const bool success = code / 100 == 2;
  state_ = Next(state_, verb, code, last);
  // Whatever was lost, after these it is known where the session stands.
  const bool confirms = IsHello(verb) || verb == Verb::kMail || verb == Verb::kRset || verb == Verb::kDataBlock;
  if (success && confirms && !hole_ && !client_only_ && !server_only_) uncertain_ = false;
}

void SmtpObserver::JudgeReply(const Entry& entry, const Reply& reply, const HeardReply& heard, const Origin& origin) {
  const std::uint64_t number = entry.exchange.number;
  const int code = reply.code;
  const bool known = entry.verb != Verb::kUnknown;
  if (code == 0) {
    Note(FindingId::kReplyNotAllowed, number, origin, "no reply code");
  } else if (!uncertain_ && (known ? !MayAnswer(entry.verb, code) : code < 200 || code > 559)) {
    Note(FindingId::kReplyNotAllowed, number, origin, std::to_string(code) + " to " + entry.exchange.request.verb);
  }
  if (heard.codes_differ) Note(FindingId::kDifferingReplyCodes, number, origin);
  if (heard.too_long) Note(FindingId::kReplyTooLong, number, origin);
  if (heard.bare_lf) NoteOnce(FindingId::kBareCrLf, number, origin, "bare LF ends the reply");
  const int category = code / 100;
  const bool counts = category == 2 || category == 4 || category == 5;
  if ((extensions_ & kEnhancedCodes) != 0 && counts && reply.enhanced.empty() && !IsHello(entry.verb) && !reply.cut)
    NoteOnce(FindingId::kMissingEnhancedCode, number, origin, std::to_string(code));
  const Timestamp asked = entry.exchange.request.span.last_time, heard_at = reply.span.first_time;
  if (asked != kNoTime && heard_at != kNoTime && heard_at - asked > kSlow)
    Note(FindingId::kSlowReply, number, origin, SecondsText(heard_at - asked));
  if (category >= 4) JudgeRefusal(entry, reply, origin);
}

void SmtpObserver::JudgeRefusal(const Entry& entry, const Reply& reply, const Origin& origin) {
  const std::uint64_t number = entry.exchange.number;
  const int code = reply.code;
  const std::string detail = std::to_string(code) + (reply.enhanced.empty() ? "" : " " + reply.enhanced);
  const bool for_recipient = entry.verb == Verb::kRcpt || entry.exchange.multi_recipient;
  const bool for_message =
      entry.verb == Verb::kMail || entry.verb == Verb::kData || entry.verb == Verb::kBdat || entry.verb == Verb::kDataBlock;
  if (entry.verb == Verb::kAuth || entry.verb == Verb::kAuthAnswer) {
    const bool given_up = entry.exchange.request.sasl == SaslContent::kCancel;
    if (!IsSyntaxError(code) && !given_up) Note(FindingId::kAuthFailed, number, origin, detail);
  } else if ((for_recipient || for_message) && code / 100 == 4 && SaysGreylisting(reply.text)) {
    Note(FindingId::kGreylisting, number, origin, detail);
  } else if (for_recipient) {
    if (IsSyntaxError(code)) return;
    Note(code / 100 == 4 ? FindingId::kRecipientDeferred : FindingId::kRecipientRefused, number, origin, detail);
  } else if (for_message) {
    // DATA without a recipient left is refused for that, and that was told.
    const bool follows = entry.verb == Verb::kData && transactions_.all_refused();
    const bool content = entry.verb == Verb::kDataBlock || (entry.verb == Verb::kBdat && code == 503);
    const bool syntax = IsSyntaxError(code) && !content;
    if (!follows && !syntax) Note(FindingId::kMessageRefused, number, origin, detail);
  }
}

void SmtpObserver::ActOnReply(Verb verb, std::uint64_t number, const Origin& origin) {
  Entry* entry = queue_.Find(number);
  const int code = entry->exchange.reply.code;
  const bool ok = code / 100 == 2;
  // Where something was lost, a DATA may have been; and a word that is not known may be one to the server ("DATAX", octets of
  // telnet before it): then 354 means what it says.
  if (code == 354 && (uncertain_ || verb == Verb::kUnknown) && verb != Verb::kDataBlock) return OnDataReply(number, code);
  if (code == 334 && verb != Verb::kAuth && verb != Verb::kAuthAnswer && mode_ == Mode::kCommands)
    answer_due_ = answer_unasked_ = mask_unknown_ = true;
  switch (verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      return OnHelloReply(*entry, heard_.after_gap, origin);
    case Verb::kMail:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      return transactions_.OnMailReply(entry->transaction, ok);
    case Verb::kRcpt:
      return transactions_.OnRecipientReply(entry->transaction, entry->recipient, ok);
    case Verb::kData:
      return OnDataReply(number, code);
    case Verb::kBdat:
      return OnChunkReply(number, code, origin);
    case Verb::kAuth:
    case Verb::kAuthAnswer:
      return OnAuthReply(*entry, origin);
    case Verb::kStartTls:
      return OnTlsReply(number, code, origin);
    case Verb::kXclient:
      if (code == 220) ForgetSession();
      return;
    case Verb::kQuit:
      farewell_ |= code == 221;
      return;
    default:
      return;
  }
}

void SmtpObserver::OnHelloReply(Entry& entry, bool after_gap, const Origin& origin) {
  Reply& reply = entry.exchange.reply;
  if (reply.code / 100 != 2) return;
  // RFC 5321 §4.1.4: EHLO clears the transaction; one that was refused changes nothing.
  if (entry.transaction == transactions_.current()) transactions_.Close();
  extensions_ = 0;
  extensions_maybe_ = after_gap || reply.cut;
  if (after_gap && entry.verb != Verb::kHelo) reply.cut = true;
  if (entry.verb == Verb::kHelo) return;
  Octets rest = reply.text;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const Octets line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const Octets keyword = line.substr(0, line.find_first_of(" ="));
    const bool domain_line = std::exchange(first, false) && !after_gap;
    // Some servers say an extension at the place of their name.
    if (domain_line && keyword.find('.') != Octets::npos) continue;
    if (EqualsNoCase(keyword, "PIPELINING")) extensions_ |= kPipelining;
    if (EqualsNoCase(keyword, "8BITMIME")) extensions_ |= kEightBitMime;
    if (EqualsNoCase(keyword, "STARTTLS")) extensions_ |= kStartTlsOffered;
    if (EqualsNoCase(keyword, "ENHANCEDSTATUSCODES")) extensions_ |= kEnhancedCodes;
    if (EqualsNoCase(keyword, "AUTH")) extensions_ |= kAuthOffered;
  }
  if ((extensions_ & kAuthOffered) != 0 && !tls_) NoteOnce(FindingId::kAuthBeforeTls, entry.exchange.number, origin, "offered");
}

void SmtpObserver::ShowChallenge(Reply& reply) {
  const std::size_t length = reply.cut ? reply.text.size() + 1 : sasl::SaslObserver::kWhole;
  sasl_.OnChallenge(reply.text, step_, length);
  reply.text.swap(step_.shown_argument);
  reply.decoded.swap(step_.decoded);
  reply.sasl = step_.content;
}

void SmtpObserver::OnAuthReply(Entry& entry, const Origin& origin) {
  (void)origin;
  Reply& reply = entry.exchange.reply;
  const bool go_on = reply.code == 334;
  if (go_on) {
    ShowChallenge(reply);
    // LOGIN asks for the password after the user name (the answer stays masked: that it is no secret was not known in time).
    Request& request = entry.exchange.request;
    if (reply.sasl == SaslContent::kPasswordPrompt && request.sasl == SaslContent::kUnknownAnswer) {
      request.sasl = SaslContent::kUserName;
      if (request.decoded.starts_with("answer ")) request.decoded.replace(0, 6, "user");
    }
  } else {
    sasl_.OnOutcome(reply.code / 100 == 2);
    authenticated_ |= reply.code / 100 == 2;
  }
  const bool decides = hold_ == Hold::kAuthReply && hold_exchange_ == entry.exchange.number;
  if (decides) {
    ReleaseHold();
    sent_unasked_ = !held_.empty() && !go_on;
  }
  if (go_on && mode_ == Mode::kCommands) answer_due_ = true;
  // 235 with nothing given says nothing: what was to be given may still come.
  const bool given = entry.verb == Verb::kAuthAnswer || entry.exchange.request.argument.find(' ') != std::string::npos;
  mask_unknown_ = reply.code != 235 || !given;
}

// 354, or another answer to DATA: what was held is text, or commands.
void SmtpObserver::OnDataReply(std::uint64_t number, int code) {
  const bool decides = (hold_ == Hold::kDataReply || hold_ == Hold::kBadChunk) && hold_exchange_ == number;
  if (decides) ReleaseHold();
  if (code == 354) {
    if (hold_ == Hold::kResync) ReleaseHold();
    if (mode_ == Mode::kCommands && hold_ == Hold::kNone) StartData(true);
    return;
  }
  if (decides) sent_unasked_ = !held_.empty();
  data_refused_ = true;
  stray_noted_ = false;
}

void SmtpObserver::OnChunkReply(std::uint64_t number, int code, const Origin& origin) {
  (void)origin;
  if (hold_ == Hold::kBadChunk && hold_exchange_ == number) {
    ReleaseHold();
    sent_unasked_ = !held_.empty();
    return;
  }
  // Refused before its octets are all there: a client may give it up.
  if (mode_ == Mode::kChunk && chunk_ == number && chunk_left_ > 0 && code / 100 >= 4 && hold_ == Hold::kNone)
    SetHold(Hold::kRefusedChunk, number);
}

void SmtpObserver::OnTlsReply(std::uint64_t number, int code, const Origin& origin) {
  const bool decides = hold_ == Hold::kTlsReply && hold_exchange_ == number;
  if (decides) {
    ReleaseHold();
    sent_unasked_ = !held_.empty() && code / 100 != 2;
  }
  if (code / 100 != 2) return;
  tls_due_ = true;
  tls_exchange_ = number;
  presumed_ = state_ = State::kTls;
  HeldOctets early;
  if (!held_.empty() && !held_.front().gap && BeginsTls(held_.front_octets().front())) {
    std::swap(early, held_);
    swallow_[0] = true;
  }
  // Octets sent behind STARTTLS in the clear are told, as the commands that they try to be.
  Drain();
  queue_.Tell();
  sink_.OnTlsStart(origin);
  GiveEarlyTls(std::move(early));
}

// A hello that its client sent without waiting for the answer to STARTTLS. The sink may call back: nothing may be done after it.
void SmtpObserver::GiveEarlyTls(HeldOctets early) {
  while (!early.empty() && !early.front().gap) {
    sink_.OnEarlyTls(early.front_octets(), early.front().origin);
    early.Take(early.front().length);
  }
}

}  // namespace glasspost::smtp
