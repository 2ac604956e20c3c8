// The server's replies, and whose they are.
#include <algorithm>
#include <utility>

#include "wire/smtp/observer.h"

namespace glasspost::smtp {
namespace {

constexpr std::uint64_t kReplyLine = 512;  // RFC 5321 §4.5.3.1.5

// `more` lies right behind `span`.
void Extend(Span& span, Span& more) {
  if (span.length == 0) return swap(span, more);
  more.frames.ForEach([&](std::uint64_t frame) { span.frames.Add(frame); });
  span.length += more.length;
  span.last_time = std::max(span.last_time, more.last_time);
}

bool IsBlank(const Entry& entry) {
  const Request& r = entry.exchange.request;
  return entry.verb == Verb::kUnknown && r.verb.empty() && r.argument.empty() && !r.cut;
}

}  // namespace

void SmtpObserver::OnServerLine(const text::Line& line, const Origin& origin) {
  ReplyLine parsed;
  const bool is_reply = ParseReplyLine(line.text, parsed);
  // After a gap the first line may be the tail of one.
  if (server_resync_ && !is_reply) return server_resync_ = false, void();
  server_resync_ = false;
  if (tls_due_) NoteOnce(FindingId::kPlaintextInjection, tls_exchange_, origin, secrets_.Redacted(line.text, line.cut));
  if (reply_open_ && is_reply && parsed.code != heard_.reply.code) {
    // Another code: the end of the first reply lay in the gap, or the server errs (RFC 5321 §4.2.1) in a line, or did so by
    // never ending a reply that the client has taken for whole.
    if (!reply_lossy_) heard_.codes_differ = true;
    if (reply_lossy_ || reply_left_) FinishReply();
  }
  reply_left_ = false;
  if (!reply_open_) {
    heard_.Clear();
    heard_.reply.code = is_reply ? parsed.code : 0;
    heard_.after_gap = after_server_gap_;
    after_server_gap_ = false;
  }
  AddToReply(line, is_reply, parsed);
  const bool more = is_reply ? parsed.more : reply_open_;
  reply_open_ = true;
  if (!more) FinishReply();
}

// The client speaks before the server's line has ended.
void SmtpObserver::BreakServerLine(const Origin& origin) {
  reply_line_span_.length = server_lines_.pending();
  if (broken_line_.empty()) {
    broken_span_.Clear();
    if (!uncertain_ && !tls_due_ && !reply_open_ && deferred_.empty() && queue_.FirstAwaiting() == nullptr) {
      Entry& entry = NewEntry(origin);  // its place is before what the client says now
      entry.replied = true;
      entry.request_done = false;
      broken_exchange_ = entry.exchange.number;
      ReplyLine parsed;
      if (!greeted_ && ParseReplyLine(server_lines_.partial(), parsed) && IsGreeting(parsed.code))
        state_ = presumed_ = State::kGreeted;
    }
  }
  Extend(broken_span_, reply_line_span_);
  broken_line_.Keep(server_lines_);
}

// A line ended. Where its beginning broke off, it goes on with that, unless it is a reply of its own: an answer cannot have begun
// before its command.
void SmtpObserver::MendServerLine(text::Line& line, const Origin& origin) {
  ReplyLine parsed;
  if (ParseReplyLine(line.text, parsed)) return TellBrokenLine(origin);
  broken_line_.Join(line);
  Extend(broken_span_, reply_line_span_);
  swap(broken_span_, reply_line_span_);
}

void SmtpObserver::TellBrokenLine(const Origin& origin) {
  const text::Line line = broken_line_.Take();
  ReplyLine parsed;
  swap(broken_span_, reply_line_span_);
  if (server_resync_) {
    server_resync_ = false;
  } else if (reply_open_ || ParseReplyLine(line.text, parsed)) {
    OnServerLine(line, origin);
    reply_lossy_ = reply_open_;
  } else {
    TellNoReply(line, origin);
  }
  swap(broken_span_, reply_line_span_);
  Drain();
  queue_.Tell();
}

// Octets without a code, which are nobody's answer.
void SmtpObserver::TellNoReply(const text::Line& line, const Origin& origin) {
  heard_.Clear();
  AddToReply(line, false, {});
  OnUnasked(false, origin);
}

// What came of the server's line before a gap or the end. False: nothing.
bool SmtpObserver::PartialServerLine(text::Line& line, const Origin& origin) {
  line = {.text = server_lines_.partial(), .crlf = true, .cut = true, .length = server_lines_.pending()};
  reply_line_span_.length = line.length;
  if (!broken_line_.empty()) MendServerLine(line, origin);
  ReplyLine parsed;
  if (broken_exchange_ != 0 && !reply_open_ && !ParseReplyLine(line.text, parsed)) return TellNoReply(line, origin), false;
  return line.length > 0;
}

void SmtpObserver::AddToReply(const text::Line& line, bool is_reply, const ReplyLine& parsed) {
  Reply& reply = heard_.reply;
  const Octets text = is_reply ? parsed.text : line.text;
  const Octets enhanced = EnhancedCode(parsed.code, text);
  const Octets shown = WithoutEnhancedCode(text, enhanced);
  if (!reply_open_) {
    reply.span.Clear();
    reply.enhanced.assign(enhanced);
  } else if (reply.text.size() < limits_.reply_octets) {
    reply.text += '\n';
  }
  const std::size_t room = limits_.reply_octets - std::min(limits_.reply_octets, reply.text.size());
  reply.text.append(shown.substr(0, room));
  reply.cut |= line.cut || shown.size() > room;
  heard_.too_long |= line.length > kReplyLine;
  heard_.bare_lf |= !line.crlf;
  Extend(reply.span, reply_line_span_);
}

void SmtpObserver::FinishReply() {
  reply_open_ = false;
  heard_.reply.cut |= reply_lossy_;
  reply_lossy_ = false;
  Deliver(heard_.reply.span.End());
}

void SmtpObserver::Deliver(const Origin& origin) {
  if (broken_exchange_ != 0) return OnUnasked(!std::exchange(greeted_, true) && IsGreeting(heard_.reply.code), origin);
  if (hold_ == Hold::kLookAlike) return DeliverAtLookAlike(origin);
  if (hold_ == Hold::kDataGap) SettleDataGap();
  if (hold_ == Hold::kResync) SettleResync(heard_.reply.code);
  if (hold_ == Hold::kDataReply) SettleDataReply(heard_.reply.code);
  if (hold_ == Hold::kLookAlike) {
    // Drained octets of a block that has a gap: no verdict is to be had.
    HeardReply reply;
    std::swap(reply, heard_);
    IgnoreLookAlike();
    std::swap(reply, heard_);
  }
  const Entry* first = queue_.FirstAwaiting();
  // The end of data lay in the gap: the server answers it.
  if (mode_ == Mode::kData && block_ != 0 && block_lossy_ && first != nullptr && first->exchange.number == block_) {
    ReleaseHold();
    EndBlock(BlockEnd::kServerSaid, origin);
    hole_ = queue_.next_number();
  }
  if (!Ambiguous()) return Assign(origin);
  deferred_.emplace_back();
  std::swap(deferred_.back(), heard_);
  const int code = deferred_.back().reply.code;
  deferred_octets_ += deferred_.back().reply.Held();
  if (deferred_.size() >= limits_.pending || deferred_octets_ > limits_.pending_octets || Decisive(code)) Align(origin);
}

void SmtpObserver::DeliverAll(std::vector<HeardReply>& replies) {
  for (HeardReply& reply : replies) {
    std::swap(heard_, reply);
    Deliver(heard_.reply.span.End());
    Drain();
  }
}

// The server speaks while a look-alike end of data is the last that we believe to have seen of the block. If nothing else
// can have asked for this reply, the server took the look-alike for the end.
void SmtpObserver::DeliverAtLookAlike(const Origin& origin) {
  (void)origin;
  const int code = heard_.reply.code;
  deferred_.emplace_back();
  std::swap(deferred_.back(), heard_);
  deferred_octets_ += deferred_.back().reply.Held();
  const std::size_t expected = RepliesWithoutLookAlike();
  const bool believes = probe_done_ ? deferred_.size() > expected : code / 100 == 2 || deferred_.size() > expected;
  if (!believes && deferred_.size() < limits_.pending && deferred_octets_ <= limits_.pending_octets) return;
  BelieveLookAlike();
  std::vector<HeardReply> replies;
  replies.swap(deferred_);
  deferred_octets_ = 0;
  Drain();
  DeliverAll(replies);
}

// The server answers while the first line after a gap in data is looked at.
void SmtpObserver::SettleDataGap() {
  const Entry* first = queue_.FirstAwaiting();
  if (first == nullptr || first->exchange.number != block_) return;
  const bool dot = held_.Front() == ".\r\n";
  const Origin origin = held_.empty() ? Origin{} : held_.front().origin;
  ReleaseHold();
  if (dot) {
    DropHeldLine(3);
    EndBlock(BlockEnd::kDot, origin);
  }
  Drain();
}

// DATA never gets 250: where replies are lost, 354 is, and what was held behind DATA is the message that is answered now.
void SmtpObserver::SettleDataReply(int code) {
  Entry* entry = queue_.Find(hold_exchange_);
  const Octets octets = held_.Front();
  if (!uncertain_ || code / 100 != 2 || octets.empty() || entry == nullptr || queue_.FirstAwaiting() != entry) return;
  const std::size_t end = octets.find('\n');
  Octets line = octets.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (LooksLikeCommand(line)) return;
  entry->replied = true;
  ReleaseHold();
  StartData(true);
  block_lossy_ = true;
  Drain();
}

// The server answers while it is not known what the client says: a line that was held is the tail of a command, or the answer
// to a challenge.
void SmtpObserver::SettleResync(int code) {
  const Octets octets = held_.Front();
  if (octets.empty()) {
    // Nothing between gap and reply: the next line is a whole one, unless the reply answers what came before the gap.
    if (queue_.FirstAwaiting() == nullptr) ReleaseHold();
    return;
  }
  std::size_t end = octets.find('\n');
  if (end == Octets::npos) {
    // No whole line, and yet an answer to what is lost: the octets were the rest of that, of a chunk for instance.
    if (queue_.FirstAwaiting() != nullptr) return;
    end = octets.size() - 1;
  }
  ReleaseHold();
  if (code == 334 || code == 235 || code == 535) {
    answer_due_ = true;
    sasl_.OnGap();
  } else if (octets == ".\r\n" && mid_stream_) {
    TellLoneDot();
  } else {
    DropTail(end + 1);
  }
  Drain();
}

// Whether it is open whose reply this is: replies, or requests, may lie in a gap.
bool SmtpObserver::Ambiguous() {
  const Entry* first = queue_.FirstAwaiting();
  if (!deferred_.empty()) return true;
  if (first == nullptr) return false;
  return first->lossy || (hole_ && *hole_ <= first->exchange.number);
}

// Whether all replies so far can be given to their commands now.
bool SmtpObserver::Decisive(int code) {
  if (code == 354) return true;
  if (hold_ == Hold::kAuthReply && (code == 334 || code == 235 || code == 535)) return true;
  if (hold_ == Hold::kTlsReply && (code == 220 || code == 454)) return true;
  std::size_t awaiting = 0;
  bool quit = false;
  for (const Entry* e = queue_.FirstAwaiting(); e != nullptr; e = queue_.FirstAwaiting(e->exchange.number + 1)) {
    ++awaiting;
    quit |= e->verb == Verb::kQuit;
  }
  return (code == 221 && quit) || (!hole_ && awaiting <= deferred_.size());
}

// For each deferred reply the number of its exchange, 0 where its request is lost. From the last to the first: a client that
// waits has heard everything, so the last reply belongs to the last command that it fits.
std::vector<std::uint64_t> SmtpObserver::PairBackwards(const std::vector<std::uint64_t>& entries) {
  std::vector<std::uint64_t> pairs(deferred_.size(), 0);
  std::size_t before_hole = 0;  // entries before the lost requests
  if (hole_) before_hole = static_cast<std::size_t>(std::lower_bound(entries.begin(), entries.end(), *hole_) - entries.begin());
  // Of these, the ones whose reply is still to come: what lies in a gap was heard before the client went on to what is lost.
  const auto sure =
      static_cast<std::size_t>(std::count_if(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(before_hole),
                                             [this](std::uint64_t number) { return !queue_.Find(number)->lossy; }));
  std::size_t left = entries.size();
  for (std::size_t r = deferred_.size(); r-- > 0;) {
    if (left == 0) break;
    const int code = deferred_[r].reply.code;
    std::size_t fit = left;
    const bool hole_may_take = hole_ && r + 1 > sure;
    const std::size_t stop = hole_may_take && left >= before_hole ? before_hole : 0;
    while (fit > stop && !MayAnswer(queue_.Find(entries[fit - 1])->verb, code)) --fit;
    if (fit == stop && hole_may_take) {
      left = std::min(left, before_hole);
      continue;
    }
    if (fit == 0) fit = left;  // it fits nothing: the server errs, and the last one bears it
    pairs[r] = entries[fit - 1];
    left = fit - 1;
  }
  return pairs;
}

void SmtpObserver::Align(const Origin& origin) {
  (void)origin;
  std::vector<std::uint64_t> entries;
  for (const Entry* e = queue_.FirstAwaiting(); e != nullptr; e = queue_.FirstAwaiting(e->exchange.number + 1))
    if (e->request_done) entries.push_back(e->exchange.number);
  const std::vector<std::uint64_t> pairs = PairBackwards(entries);
  std::vector<HeardReply> replies;
  replies.swap(deferred_);
  deferred_octets_ = 0;
  for (std::size_t r = 0; r < replies.size(); ++r) {
    std::swap(heard_, replies[r]);
    const Origin at = heard_.reply.span.End();
    for (Entry* e = queue_.FirstAwaiting(); e != nullptr && e->exchange.number < pairs[r]; e = queue_.FirstAwaiting())
      if (e->request_done)
        e->replied = true;
      else
        break;
    Entry* entry = queue_.Find(pairs[r]);
    if (entry != nullptr && !entry->replied) {
      Answer(*entry, at);
    } else {
      OnUnasked(false, at);
    }
    Drain();
  }
}

void SmtpObserver::Assign(const Origin& origin) {
  if (!greeted_) {
    greeted_ = true;
    // What is no greeting and follows a command answers it: the server did not greet.
    if (IsGreeting(heard_.reply.code) || queue_.FirstAwaiting() == nullptr) return OnUnasked(true, origin);
  }
  if (IsOverdue(heard_.reply.code)) return;
  Entry* first = queue_.FirstAwaiting();
  if (first != nullptr) return Answer(SkipUnanswered(*first), origin);
  OnUnasked(heard_.reply.code == 220 && uncertain_ && !hello_sent_ && !mail_sent_, origin);
}

// A reply to a command that was told without it, since too many waited, has no place any more. 334 and 354 answer what the client
// waits for, so what is older has its replies or never gets them.
bool SmtpObserver::IsOverdue(int code) {
  const std::uint64_t replies = queue_.overdue();
  if (replies == 0) return false;
  const bool answers_last = code == 334 || code == 354;
  queue_.set_overdue(answers_last ? 0 : replies - 1);
  return !answers_last;
}

// 334 answers AUTH alone, and 354 DATA: where the oldest command cannot have got it but a later one can, the server never
// answered those before.
Entry& SmtpObserver::SkipUnanswered(Entry& oldest) {
  Entry& first = SkipBlanks(oldest);
  const int code = heard_.reply.code;
  if ((code != 334 && code != 354) || MayAnswer(first.verb, code)) return first;
  Entry* entry = &first;
  while (entry != nullptr && !MayAnswer(entry->verb, code)) entry = queue_.FirstAwaiting(entry->exchange.number + 1);
  if (entry == nullptr) return first;
  for (Entry* e = &first; e->exchange.number < entry->exchange.number; e = queue_.FirstAwaiting()) e->replied = true;
  return *entry;
}

// An empty line is no command. A server may call it an error, or pass over it: then what it says belongs to what came after, and
// it is likely to do so again.
Entry& SmtpObserver::SkipBlanks(Entry& first) {
  const int code = heard_.reply.code;
  if (!IsBlank(first) || (!ignores_blanks_ && (code == 421 || code / 100 == 5))) return first;
  Entry* entry = &first;
  while (entry != nullptr && IsBlank(*entry)) entry = queue_.FirstAwaiting(entry->exchange.number + 1);
  if (entry == nullptr) return first;
  ignores_blanks_ = true;
  for (Entry* e = &first; e->exchange.number < entry->exchange.number; e = queue_.FirstAwaiting()) e->replied = true;
  return *entry;
}

Phase SmtpObserver::PhaseOfUnasked(int code, bool greeting) const {
  if (greeting && code != 334) return Phase::kGreeting;
  switch (code) {
    case 221:
    case 421:
      return Phase::kQuit;
    case 334:
    case 235:
    case 535:
      return Phase::kAuth;
    case 354:
      return Phase::kData;
    default:
      return phase_;
  }
}

// A reply that no command of the capture asked for: the greeting, one whose request is lost, or an unsolicited one.
void SmtpObserver::OnUnasked(bool greeting, const Origin& origin) {
  Entry* broken = queue_.Find(std::exchange(broken_exchange_, 0));
  Entry& entry = broken != nullptr ? *broken : NewEntry(origin);
  Exchange& exchange = entry.exchange;
  const std::uint64_t number = exchange.number;
  swap(exchange.reply, heard_.reply);
  const int code = exchange.reply.code;
  exchange.has_reply = true;
  exchange.phase = PhaseOfUnasked(code, greeting);
  entry.replied = entry.request_done = true;
  if (heard_.codes_differ)
    Note(FindingId::kDifferingReplyCodes, number, origin, secrets_.Redacted(exchange.reply.text, exchange.reply.cut));
  if (heard_.too_long) Note(FindingId::kReplyTooLong, number, origin);
  if (heard_.bare_lf) NoteOnce(FindingId::kBareCrLf, number, origin, "bare LF ends the reply");
  if (code == 0) Note(FindingId::kReplyNotAllowed, number, origin, "no reply code");
  farewell_ |= code == 221 || code == 421;
  if (greeting) {
    if (!IsGreeting(code)) Note(FindingId::kReplyNotAllowed, number, origin, std::to_string(code) + " as greeting");
    state_ = State::kGreeted;
    if (presumed_ == State::kConnected) presumed_ = state_;
    if (code == 334) ActOnUnasked(number, origin);
    return;
  }
  const bool lost = uncertain_ || server_only_ || tls_due_;
  if (!lost && code != 421 && code != 0) Note(FindingId::kUnsolicitedReply, number, origin, std::to_string(code));
  if ((lost && !tls_due_) || (code == 334 && mode_ == Mode::kCommands)) ActOnUnasked(number, origin);
}

// The request is lost, but what the reply says of it counts.
void SmtpObserver::ActOnUnasked(std::uint64_t number, const Origin& origin) {
  if (server_only_) return;
  Reply& reply = queue_.Find(number)->exchange.reply;
  switch (reply.code) {
    case 354:
      if (mode_ == Mode::kCommands) {
        if (hold_ == Hold::kResync) ReleaseHold();
        StartData(true);
        state_ = State::kData;
      }
      return;
    case 334:
      if (hold_ == Hold::kResync) ReleaseHold();
      answer_due_ = answer_unasked_ = mask_unknown_ = true;
      ShowChallenge(reply);
      return;
    case 235:
    case 535:
      authenticated_ |= reply.code == 235;
      answer_due_ = false;
      return;
    case 220:
      if (hello_sent_ && !tls_ && reply.text.find("TLS") != std::string::npos) OnTlsReply(number, 220, origin);
      return;
    default:
      return;
  }
}

// Entries whose replies lie in a gap, and the client has heard them.
void SmtpObserver::CloseLossy() {
  for (Entry* e = queue_.FirstAwaiting(); e != nullptr && e->lossy && e->request_done; e = queue_.FirstAwaiting())
    e->replied = true;
}

}  // namespace glasspost::smtp
