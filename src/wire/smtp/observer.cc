// Entry points; holding the client's octets until it is known what they are, and releasing them.
#include "wire/smtp/observer.h"

#include <algorithm>

namespace glasspost::smtp {

SmtpObserver::SmtpObserver(ObserverSink& sink, const ObserverOptions& options, const SmtpLimits& limits, Protocol hint)
    : sink_(sink),
      options_(options),
      queue_(sink, secrets_, limits.pending, limits.pending_octets),
      limits_(limits),
      secrets_(options.show_secrets),
      transactions_(limits.recipients, limits.recipient_octets),
      sasl_(options.show_secrets, &secrets_),
      protocol_(hint),
      client_lines_(limits.line_octets),
      server_lines_(limits.line_octets),
      broken_line_(limits.line_octets) {}

void SmtpObserver::OnOctets(Direction direction, Octets octets, const Origin& origin) {
  if (octets.empty() || ended_) return;
  direction == Direction::kToServer ? OnClientOctets(octets, origin) : OnServerOctets(octets, origin);
}

void SmtpObserver::OnGap(Direction direction, std::uint64_t length, const Origin& origin) {
  if (length == 0 || ended_) return;
  if (swallow_[static_cast<std::size_t>(Index(direction))]) return;
  direction == Direction::kToServer ? OnClientGap(length, origin) : OnServerGap(length, origin);
}

void SmtpObserver::OnFin(Direction direction, const Origin& origin) {
  if (ended_) return;
  if (!first_fin_) first_fin_ = direction;
  direction == Direction::kToServer ? OnClientFin(origin) : OnServerFin(origin);
}

void SmtpObserver::OnMidStream() {
  mid_stream_ = uncertain_ = greeted_ = extensions_maybe_ = true;
  server_resync_ = after_server_gap_ = true;
  SetHold(Hold::kResync, 0);
}

void SmtpObserver::OnOneSided(Direction seen) {
  client_only_ = seen == Direction::kToServer;
  server_only_ = !client_only_;
  uncertain_ = extensions_maybe_ = true;
  content_decides_ = client_only_;
}

void SmtpObserver::OnClientOctets(Octets octets, const Origin& origin) {
  if (SwallowsTls(Direction::kToServer, octets, hold_ == Hold::kNone && mode_ == Mode::kCommands && client_lines_.pending() == 0))
    return;
  if (server_spoke_) {
    if (server_lines_.pending() > 0) BreakServerLine(origin);
    OnBurst(origin);
    queue_.Tell();
  }
  // Bounds are met at the same octet however the octets of a packet were cut: that of the packets before the first of a new one,
  // that of the octets after so many.
  while (held_.pieces() >= limits_.held_pieces && hold_ != Hold::kNone && !held_.empty() && !held_.Joins(origin))
    if (DecideHeld(true, octets, origin)) return;
  std::size_t taken = 0;
  if (held_.empty() && hold_ == Hold::kNone) taken = Consume(octets, origin);
  while (taken < octets.size() && !ended_) {
    const std::size_t limit = HeldLimit();
    const std::size_t room = std::max<std::size_t>(1, limit - std::min(limit, held_.size()));
    const Octets piece = octets.substr(taken, room);
    if (hold_ == Hold::kLookAlike) WatchLookAlike(piece);
    held_.Add(piece, origin);
    taken += piece.size();
    if (DecideHeld(held_.size() >= limit, octets.substr(taken), origin)) return;
    if (held_.empty() && hold_ == Hold::kNone && taken < octets.size()) taken += Consume(octets.substr(taken), origin);
  }
  queue_.Tell();
}

std::size_t SmtpObserver::HeldLimit() const {
  return hold_ == Hold::kLookAlike ? limits_.look_alike_octets : limits_.held_octets;
}

// True: what was held begins TLS, and so `rest`, which comes behind it, belongs to that.
bool SmtpObserver::DecideHeld(bool now, Octets rest, const Origin& origin) {
  const bool in_tls = swallow_[0];
  Decide(now);
  if (swallow_[0] && !in_tls) {
    if (!rest.empty()) sink_.OnEarlyTls(rest, origin);
    return true;
  }
  Drain();
  queue_.Tell();
  return false;
}

void SmtpObserver::OnServerOctets(Octets octets, const Origin& origin) {
  if (SwallowsTls(Direction::kToClient, octets, server_lines_.pending() == 0)) return;
  server_spoke_ = true;
  text::Line line;
  while (!octets.empty()) {
    if (server_lines_.pending() == 0) {
      reply_line_span_.Clear();
      reply_line_span_.offset = server_at_;
      if (SwallowsTls(Direction::kToClient, octets, true)) break;
    }
    const std::size_t before = octets.size();
    const auto step = server_lines_.Next(octets, line);
    server_at_ += before - octets.size();
    reply_line_span_.Touch(origin);
    if (step == text::LineSplitter::Step::kMore) break;
    reply_line_span_.length = line.length;
    if (!broken_line_.empty()) MendServerLine(line, origin);
    OnServerLine(line, origin);
    Drain();
    queue_.Tell();
  }
}

// The client speaks again after the server did: what it sends now it sends knowing those replies. Replies that lie in a gap
// it has heard, so they will not come any more.
void SmtpObserver::OnBurst(const Origin& origin) {
  server_spoke_ = false;
  after_server_gap_ = false;
  if (reply_open_ && reply_lossy_) FinishReply();
  reply_left_ = reply_open_;
  if (hold_ == Hold::kLookAlike && !deferred_.empty()) IgnoreLookAlike();
  if (!deferred_.empty()) Align(origin);
  Drain();
  if (!streaming_) {
    CloseLossy();
    hole_.reset();
  }
  const Entry* waiting = queue_.FirstAwaiting();
  if (waiting == nullptr) return;
  if (waiting->request_done && !waiting->lossy && !uncertain_ && hold_ == Hold::kNone && mode_ == Mode::kCommands)
    streaming_ = true;
  // An LMTP server owes one reply a recipient, but how many there are may have been lost.
  Entry* entry = queue_.Find(waiting->exchange.number);
  if (uncertain_ && entry->exchange.multi_recipient && entry->exchange.has_reply) entry->replied = true;
}

// Takes octets of the client for what they are believed to be, until they must be held. Gives how many were taken.
std::size_t SmtpObserver::Consume(Octets octets, const Origin& origin) {
  std::size_t taken = 0;
  while (taken < octets.size() && hold_ == Hold::kNone) {
    const Octets rest = octets.substr(taken);
    switch (mode_) {
      case Mode::kCommands:
        if (client_lines_.pending() == 0 && SwallowsTls(Direction::kToServer, rest, true)) return octets.size();
        taken += TakeLines(rest, origin);
        break;
      case Mode::kData:
        taken += TakeData(rest, origin);
        break;
      case Mode::kChunk:
        taken += TakeChunk(rest, origin);
        break;
    }
    queue_.Tell();
  }
  return taken;
}

// Takes what was held, as far as it is known what it is.
void SmtpObserver::Drain() {
  while (hold_ == Hold::kNone && !held_.empty()) {
    const HeldOctets::Piece piece = held_.front();
    if (piece.gap) {
      held_.Take(piece.length);
      ConsumeGap(piece.length, piece.origin);
    } else {
      held_.Take(Consume(held_.front_octets(), piece.origin));
    }
    if (hold_ == Hold::kNone || held_.empty()) continue;
    // Held again, for another reason, which may be decided by what is there already.
    if (hold_ == Hold::kLookAlike) WatchLookAlike(held_.Front());
    Decide(held_.size() >= HeldLimit());
  }
  if (held_.empty()) sent_unasked_ = false;
}

void SmtpObserver::SetHold(Hold hold, std::uint64_t exchange) {
  hold_ = hold;
  hold_exchange_ = exchange;
  content_decides_ = client_only_;
}

void SmtpObserver::OnClientGap(std::uint64_t length, const Origin& origin) {
  uncertain_ = extensions_maybe_ = true;
  if (server_spoke_) OnBurst(origin);
  if (hold_ != Hold::kNone || !held_.empty()) {
    if (hold_ == Hold::kLookAlike) IgnoreLookAlike();
    if (hold_ != Hold::kNone) Decide(hold_ == Hold::kResync || hold_ == Hold::kDataGap);
    Drain();
  }
  if (hold_ == Hold::kNone && held_.empty()) {
    ConsumeGap(length, origin);
  } else {
    held_.AddGap(length, origin);
    Decide(held_.pieces() >= limits_.held_pieces);
    Drain();
  }
  queue_.Tell();
}

// The gap stands where the next octet would be taken.
void SmtpObserver::ConsumeGap(std::uint64_t length, const Origin& origin) {
  std::uint64_t rest = length;
  if (mode_ == Mode::kChunk) {
    const std::uint64_t lost = std::min(rest, chunk_left_);
    if (!message_open_) OpenChunkedMessage();
    message_truncated_ = true;
    sink_.OnMessageGap(Direction::kToServer, lost);
    if (Entry* entry = queue_.Find(chunk_)) entry->exchange.request.span.length += lost;
    client_at_ += lost;
    chunk_left_ -= lost;
    rest -= lost;
    if (chunk_left_ > 0) return;
    FinishChunk();
    if (rest == 0) return;
  }
  if (mode_ == Mode::kData) {
    OpenBlock(origin);
    message_truncated_ = block_lossy_ = true;
    sink_.OnMessageGap(Direction::kToServer, rest);
    if (Entry* entry = queue_.Find(block_)) {
      entry->exchange.request.span.length += rest;
      entry->exchange.request.cut = true;
    }
    client_at_ += rest;
    decoder_.SkipGap();
    return SetHold(Hold::kDataGap, block_);
  }
  TellPartialLine(origin);
  client_lines_.Reset();
  message_truncated_ |= message_open_;  // a chunk may be lost
  client_at_ += rest;
  sasl_.OnGap();
  hole_ = queue_.next_number();
  SetHold(Hold::kResync, 0);
}

void SmtpObserver::OnServerGap(std::uint64_t length, const Origin& origin) {
  if (hold_ == Hold::kLookAlike) IgnoreLookAlike();
  if (!deferred_.empty()) Align(origin);
  // The line that the gap breaks off: its code is known if it is there.
  text::Line line;
  ReplyLine parsed;
  if (PartialServerLine(line, origin) && line.text.size() >= 4 && ParseReplyLine(line.text, parsed)) {
    reply_lossy_ = true;
    OnServerLine(line, origin);
  }
  if (reply_open_) reply_lossy_ = true;
  server_lines_.Reset();
  server_at_ += length;
  server_resync_ = after_server_gap_ = true;
  uncertain_ = extensions_maybe_ = server_spoke_ = greeted_ = true;
  for (std::uint64_t n = queue_.first_number(); n < queue_.next_number(); ++n) {
    Entry* entry = queue_.Find(n);
    if (!entry->replied && entry->request_done) entry->lossy = true;
  }
  queue_.set_overdue(0);  // perhaps they are what was lost
  if (hold_ != Hold::kNone) content_decides_ = true;
  Drain();
  Decide(false);
  Drain();
  queue_.Tell();
}

void SmtpObserver::OnClientFin(const Origin& origin) {
  if (client_fin_) return;
  client_fin_ = true;
  if (swallow_[0]) return;
  if (hold_ == Hold::kNone && held_.empty() && mode_ == Mode::kCommands) TellPartialLine(origin);
  queue_.Tell();
}

void SmtpObserver::OnServerFin(const Origin& origin) {
  if (server_fin_) return;
  server_fin_ = true;
  if (swallow_[1]) return;
  text::Line line;
  ReplyLine parsed;
  if (PartialServerLine(line, origin) && ParseReplyLine(line.text, parsed)) {
    OnServerLine(line, origin);
    server_lines_.Reset();
  }
  if (reply_open_) {
    heard_.reply.cut = true;
    FinishReply();
  }
  Drain();
  queue_.Tell();
}

void SmtpObserver::OnEnd(const Origin& origin, bool reset) {
  if (ended_) return;
  OnServerFin(origin);
  if (hold_ == Hold::kLookAlike) IgnoreLookAlike();
  if (!deferred_.empty()) Align(origin);
  closing_ = true;
  // What is still held is decided now; each decision may lead to another hold, and each takes octets or ends the hold.
  content_decides_ = true;
  while (hold_ != Hold::kNone && !held_.empty()) {
    content_decides_ = true;
    hold_ == Hold::kLookAlike ? IgnoreLookAlike() : Decide(true);
    Drain();
  }
  Drain();
  const bool in_data = message_open_;
  if (mode_ == Mode::kCommands && hold_ == Hold::kNone && !swallow_[0]) TellPartialLine(origin);
  if (reset && in_data) Note(FindingId::kResetDuringData, message_exchange_, origin);
  if (mode_ == Mode::kData && block_ != 0) EndBlock(BlockEnd::kCutShort, origin);
  if (message_open_) CloseMessage(true);
  const bool closed_by_client = first_fin_ == Direction::kToServer || (reset && !server_fin_);
  const bool could_tell = !tls_due_ && !client_only_ && !server_only_ && !hole_ && hold_ != Hold::kResync;
  if (closed_by_client && hello_sent_ && !quit_sent_ && !farewell_ && !in_data && could_tell) Note(FindingId::kNoQuit, 0, origin);
  ended_ = true;
  queue_.TellAll();
}

// RFC 3207 §4.2: after the handshake nothing of what was said before counts.
void SmtpObserver::ForgetSession() {
  extensions_ = 0;
  extensions_maybe_ = false;
  authenticated_ = false;
  answer_due_ = mask_unknown_ = false;
  sasl_.Reset();
  transactions_.Close();
  state_ = presumed_ = State::kGreeted;
}

void SmtpObserver::OnTlsEstablished(const Origin& origin) {
  if (ended_) return;
  tls_ = true;
  swallow_ = {};
  client_lines_.Reset();
  server_lines_.Reset();
  broken_line_.Clear();
  if (!tls_due_ && queue_.next_number() == 1) return;  // TLS from the first octet on: the greeting is still to come
  tls_due_ = false;
  EndChunks();
  held_.Clear();
  ReleaseHold();
  mode_ = Mode::kCommands;
  reply_open_ = reply_lossy_ = false;
  deferred_.clear();
  deferred_octets_ = 0;
  hole_.reset();
  uncertain_ = mid_stream_ = server_resync_ = after_server_gap_ = false;
  greeted_ = true;
  for (std::uint64_t n = queue_.first_number(); n < queue_.next_number(); ++n) {
    Entry* entry = queue_.Find(n);
    entry->replied = entry->request_done = true;
  }
  queue_.Tell();
  queue_.set_overdue(0);
  ForgetSession();
  phase_ = Phase::kGreeting;
  (void)origin;
}

std::size_t SmtpObserver::Held() const {
  std::size_t octets = sizeof *this + queue_.Held() + transactions_.Held() + held_.Held() + envelope_.Held();
  octets += client_lines_.held() + server_lines_.held() + broken_line_.held() + heard_.reply.Held();
  octets += line_span_.Held() + reply_line_span_.Held() + broken_span_.Held() + secrets_.Held() + told_line_.size();
  octets += deferred_.size() * sizeof(HeardReply) + deferred_octets_;
  for (const std::uint64_t number : {block_, chunk_})
    if (const Entry* entry = queue_.Find(number)) octets += entry->exchange.request.span.Held();
  return octets;
}

void SmtpObserver::Note(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail) {
  if (noted_[static_cast<std::size_t>(id)]++ >= limits_.findings_of_a_kind) return;
  sink_.OnFinding({.id = id, .exchange = exchange, .origin = origin, .detail = std::string(detail.substr(0, kFindingDetail))});
}

bool SmtpObserver::NoteOnce(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail) {
  if (noted_[static_cast<std::size_t>(id)] > 0) return false;
  Note(id, exchange, origin, detail);
  return true;
}

}  // namespace glasspost::smtp
