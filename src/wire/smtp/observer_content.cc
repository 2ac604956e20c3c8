// Data blocks and chunks, and what decides whether the client's octets are text or commands.
#include <algorithm>

#include "base/ascii.h"
#include "wire/sasl/secrets.h"
#include "wire/smtp/observer.h"

namespace glasspost::smtp {
namespace {

constexpr std::uint64_t kTextLine = 998;     // RFC 5321 §4.5.3.1.6: 1000 with its CRLF
constexpr std::size_t kDecisionLine = 1024;  // a first line longer than this is no command

// The first line of `octets` with its end, or nothing if it is not whole.
std::optional<Octets> FirstLine(Octets octets) {
  const std::size_t end = octets.find('\n');
  if (end == Octets::npos) return {};
  return octets.substr(0, end + 1);
}

}  // namespace

void ChunkScan::Feed(Octets octets) {
  std::size_t at = 0;
  while (at < octets.size()) {
    at += text::PassPlainOctets(octets.substr(at), state_);
    if (at == octets.size()) return;
    // A dot at a line's start means nothing here; all else that stops the scan is a bare CR or LF.
    const char c = octets[at++];
    if (c == '.' && state_.after_lf) {
      state_.after_lf = false;
      ++state_.line_length;
      continue;
    }
    bare_ = true;
    state_.eight_bit |= static_cast<std::uint8_t>(c) > 127;
    state_.after_lf = c == '\n';
    state_.after_cr = c == '\r';
    if (c == '\n') state_.longest_line = std::max(state_.longest_line, state_.line_length);
    state_.line_length = c == '\n' ? 0 : state_.line_length + 1;
  }
}

void SmtpObserver::OpenMessage(std::uint64_t exchange) {
  if (message_open_) CloseMessage(true);
  transactions_.Fill(envelope_);
  sasl::Redact(envelope_, secrets_);
  message_open_ = true;
  message_truncated_ = false;
  message_from_start_ = true;
  message_exchange_ = exchange;
  sink_.OnMessageStart(Direction::kToServer, exchange, envelope_);
}

void SmtpObserver::CloseMessage(bool truncated) {
  message_open_ = false;
  sink_.OnMessageEnd(
      Direction::kToServer,
      {.truncated = truncated || message_truncated_, .complete_start = message_from_start_, .origin = message_at_});
}

void SmtpObserver::GiveMessage(Octets octets) {
  if (options_.message_octets) sink_.OnMessageOctets(Direction::kToServer, octets);
}

void SmtpObserver::StartData(bool from_its_start) {
  mode_ = Mode::kData;
  answer_due_ = false;
  decoder_.Reset(from_its_start);
  block_ = 0;
  block_lossy_ = !from_its_start;
  block_from_start_ = from_its_start;
}

// The block is an exchange once there is an octet of it.
void SmtpObserver::OpenBlock(const Origin& origin) {
  if (block_ != 0) return;
  Entry& entry = NewEntry(origin);
  entry.verb = Verb::kDataBlock;
  entry.exchange.phase = phase_ = Phase::kData;
  entry.exchange.has_request = true;
  entry.exchange.request.verb.assign(Name(Verb::kDataBlock));
  entry.exchange.request.span.offset = client_at_;
  entry.exchange.multi_recipient = protocol_ == Protocol::kLmtp;
  entry.transaction = transactions_.current();
  entry.request_done = false;
  block_ = entry.exchange.number;
  block_in_chunks_ = message_open_ && !block_from_start_ && first_chunk_ != 0;
  if (block_in_chunks_) return;
  first_chunk_ = 0;
  OpenMessage(block_);
  message_from_start_ = block_from_start_;
}

std::size_t SmtpObserver::TakeData(Octets octets, const Origin& origin) {
  OpenBlock(origin);
  message_at_ = origin;
  const auto step = decoder_.Feed(octets, [this](Octets run) { GiveMessage(run); });
  client_at_ += step.taken;
  if (Entry* entry = queue_.Find(block_); entry != nullptr && step.taken > 0) {
    entry->exchange.request.span.Touch(origin);
    entry->exchange.request.span.length += step.taken;
  }
  if (step.done) {
    EndBlock(BlockEnd::kDot, origin);
  } else if (step.look_alike && !ignores_look_alikes_ && !client_only_ && VerdictMayCome()) {
    probe_ = decoder_;
    probe_done_ = false;
    probed_ = lines_behind_ = 0;
    data_behind_ = false;
    SetHold(Hold::kLookAlike, block_);
  }
  return step.taken;
}

void SmtpObserver::EndBlock(BlockEnd how, const Origin& origin) {
  const text::DotScan scan = decoder_.scan();
  const std::uint64_t number = block_;
  if (how == BlockEnd::kDot) message_at_ = origin;
  mode_ = Mode::kCommands;
  client_lines_.Reset();
  block_ = 0;
  if (Entry* entry = queue_.Find(number)) {
    Request& request = entry->exchange.request;
    request.argument = std::to_string(scan.message_octets);
    request.cut |= how == BlockEnd::kCutShort || how == BlockEnd::kServerSaid;
    // What came without its beginning and without its end: nobody knows whether it was a data block.
    if (how == BlockEnd::kServerSaid && !block_from_start_) {
      entry->exchange.has_request = false;
      request.Clear();
    }
    entry->request_done = true;
    entry->replied |= client_only_;
    if (how == BlockEnd::kDot && !entry->replied) TellRequest(*entry);
  }
  if (scan.look_alike)
    Note(FindingId::kLookAlikeEndOfData, number, message_at_,
         how == BlockEnd::kLookAlike ? "the server took it for the end" : "the server read on");
  JudgeContent(number, scan.eight_bit, scan.bare_cr || scan.bare_lf, scan.longest_line);
  block_lossy_ = false;
  const bool cut = how == BlockEnd::kServerSaid || how == BlockEnd::kCutShort;
  if (cut && !block_from_start_ && !block_in_chunks_) {
    // It may have been a chunk: others may follow. What comes else closes the message.
    first_chunk_ = number;
    block_in_chunks_ = true;
  }
  if (block_in_chunks_) return message_truncated_ = true, void();
  if (message_open_) CloseMessage(cut);
  presumed_ = State::kReady;
  transactions_.Close();
}

void SmtpObserver::JudgeContent(std::uint64_t exchange, bool eight_bit, bool bare, std::uint64_t longest) {
  const bool binary = transactions_.binary();
  // A gap may have torn a CRLF apart.
  if (bare && !binary && !message_truncated_) Note(FindingId::kBareCrLf, exchange, message_at_);
  if (longest > kTextLine && !binary) Note(FindingId::kLineTooLong, exchange, message_at_, std::to_string(longest));
  if (eight_bit && transactions_.mail_known() && !transactions_.eight_bit())
    Note(FindingId::kEightBitWithout8BitMime, exchange, message_at_);
}

// The first chunk carries the message; where that was empty and is told already, the first one with octets does.
void SmtpObserver::OpenChunkedMessage() { OpenMessage(queue_.Find(first_chunk_) != nullptr ? first_chunk_ : chunk_); }

std::size_t SmtpObserver::TakeChunk(Octets octets, const Origin& origin) {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), chunk_left_));
  const Octets part = octets.substr(0, take);
  if (!message_open_) OpenChunkedMessage();
  message_at_ = origin;
  chunk_scan_.Feed(part);
  GiveMessage(part);
  client_at_ += take;
  chunk_left_ -= take;
  if (Entry* entry = queue_.Find(chunk_)) {
    entry->exchange.request.span.Touch(origin);
    entry->exchange.request.span.length += take;
  }
  if (chunk_left_ == 0) FinishChunk();
  return take;
}

void SmtpObserver::FinishChunk() {
  mode_ = Mode::kCommands;
  Entry* entry = queue_.Find(chunk_);
  if (entry != nullptr) {
    entry->request_done = true;
    entry->exchange.multi_recipient = chunk_last_ && protocol_ == Protocol::kLmtp;
  }
  if (!chunk_last_) return;
  if (!message_open_) OpenChunkedMessage();
  JudgeContent(message_exchange_, chunk_scan_.eight_bit(), chunk_scan_.bare(), chunk_scan_.longest_line());
  first_chunk_ = 0;
  CloseMessage(false);
  transactions_.Close();
}

// Something else comes before the last chunk: the message is given up.
void SmtpObserver::EndChunks() {
  first_chunk_ = 0;
  if (message_open_) CloseMessage(true);
}

// Decides what the held octets are, if they tell. `now`: they must be enough, whatever is missing.
void SmtpObserver::Decide(bool now) {
  switch (hold_) {
    case Hold::kNone:
      return;
    case Hold::kLookAlike:
      if (now || content_decides_ || held_.gap_follows()) IgnoreLookAlike();
      return;
    case Hold::kDataGap:
      return DecideAfterDataGap(now);
    case Hold::kResync:
      return DecideResync(now);
    case Hold::kRefusedChunk:
      break;
    default:
      if (!now && !content_decides_) return;
  }
  const Octets octets = held_.Front();
  if (octets.empty()) {
    if (held_.gap_follows()) ReleaseHold();
    return;
  }
  if (hold_ == Hold::kTlsReply && BeginsTls(octets.front())) {
    // The server's 220 is lost, but the handshake says that it was one.
    tls_due_ = true;
    tls_exchange_ = hold_exchange_;
    const Origin origin = held_.front().origin;
    HeldOctets early;
    std::swap(early, held_);
    ReleaseHold();
    swallow_[0] = true;
    sink_.OnTlsStart(origin);
    return GiveEarlyTls(std::move(early));
  }
  const auto line = FirstLine(octets);
  if (!line && octets.size() < kDecisionLine && !held_.gap_follows() && !now && !closing_) return;
  DecideByFirstLine(line ? *line : octets);
}

void SmtpObserver::DecideByFirstLine(Octets line) {
  const bool command = LooksLikeCommand(WithoutLineEnd(line));
  const Hold hold = hold_;
  ReleaseHold();
  if (hold == Hold::kDataReply && !command) return StartData(true);
  if (hold == Hold::kAuthReply && !command) {
    if (!client_only_) sasl_.OnGap();
    answer_due_ = true;
  }
  if (hold == Hold::kRefusedChunk && command) {
    // The client gave the chunk up.
    if (Entry* entry = queue_.Find(chunk_)) entry->request_done = entry->exchange.request.cut = true;
    chunk_left_ = 0;
    mode_ = Mode::kCommands;
    EndChunks();
  }
}

// After a gap in data: a whole command at its end says that the end of data lay in it. Text goes on otherwise.
void SmtpObserver::DecideAfterDataGap(bool now) {
  const Octets octets = held_.Front();
  const auto line = FirstLine(octets);
  if (!line) {
    if (octets.size() >= kDecisionLine || now || held_.gap_follows()) ReleaseHold();
    return;
  }
  const Origin origin = held_.front().origin;
  if (LooksLikeCommand(WithoutLineEnd(*line))) {
    ReleaseHold();
    EndBlock(BlockEnd::kCutShort, origin);
    return hole_ = queue_.next_number(), void();
  }
  if (*line != ".\r\n") return ReleaseHold();
  // The lone dot, or the end of a sentence: what follows tells, a command or the server's reply (SettleData).
  const auto second = FirstLine(octets.substr(line->size()));
  if (!second && !now && !held_.gap_follows() && octets.size() < kDecisionLine) return;
  ReleaseHold();
  if (second && LooksLikeCommand(WithoutLineEnd(*second))) {
    DropHeldLine(line->size());
    EndBlock(BlockEnd::kDot, origin);
  }
}

// The capture begins with the end of a data block.
void SmtpObserver::TellLoneDot() {
  const Origin origin = held_.front().origin;
  StartData(false);
  OpenBlock(origin);
  DropHeldLine(3);
  EndBlock(BlockEnd::kDot, origin);
}

// The tail of a line whose beginning is lost. Where it may be AUTH's, it may be a secret.
void SmtpObserver::DropTail(std::size_t octets) {
  const Octets tail = WithoutLineEnd(held_.Front().substr(0, octets));
  if (!authenticated_ && !mail_sent_ && !DecodeTornBase64(tail).empty()) sasl::RememberTail(tail, secrets_);
  DropHeldLine(octets);
}

// Octets of the held line that are told as part of something else.
void SmtpObserver::DropHeldLine(std::size_t octets) {
  Entry* entry = queue_.Find(block_);
  while (octets > 0 && !held_.empty() && !held_.front().gap) {
    const std::size_t take = std::min<std::size_t>(octets, static_cast<std::size_t>(held_.front().length));
    if (entry != nullptr) {
      entry->exchange.request.span.Touch(held_.front().origin);
      entry->exchange.request.span.length += take;
    }
    held_.Take(take);
    client_at_ += take;
    octets -= take;
  }
}

// After a gap, or where the capture begins: a command, the tail of a line and then commands, or text.
void SmtpObserver::DecideResync(bool now) {
  const Octets octets = held_.Front();
  if (octets.empty()) {
    if (held_.gap_follows()) ReleaseHold();
    return;
  }
  if (tls_due_) return ReleaseHold();
  const auto first = FirstLine(octets);
  if (!first) {
    // A line without an end, longer than any command: text, or a chunk whose command is lost.
    if (octets.size() >= kDecisionLine) return ReleaseHold(), StartData(false);
    if (now || held_.gap_follows()) {
      ReleaseHold();
      DropTail(octets.size());
    }
    return;
  }
  if (LooksLikeCommand(WithoutLineEnd(*first))) return ReleaseHold();
  const Octets rest = octets.substr(first->size());
  const auto second = FirstLine(rest);
  if (second && LooksLikeCommand(WithoutLineEnd(*second))) {
    // Before it there is the lone dot of a message that lies in the gap, or the tail of a line.
    ReleaseHold();
    return *first == ".\r\n" && mid_stream_ ? TellLoneDot() : DropTail(first->size());
  }
  if (!second && rest.size() < kDecisionLine && !now && !held_.gap_follows()) return;
  ReleaseHold();
  if (!transactions_.open() && LooksLikeAnswer(WithoutLineEnd(*first))) {
    // Outside a transaction there is no text: an answer to a challenge, and its secret stays one.
    sasl_.OnGap();
    answer_due_ = true;
    return;
  }
  if (second || rest.size() >= kDecisionLine) return StartData(false);
  DropTail(octets.size());
}

void SmtpObserver::WatchLookAlike(Octets octets) {
  while (!probe_done_ && !octets.empty()) {
    const auto step = probe_.Feed(octets, [](Octets) {});
    probed_ += step.taken;
    octets.remove_prefix(step.taken);
    probe_done_ = step.done;
  }
}

// How many replies a server sends to what is held if it does not believe in the look-alike.
std::size_t SmtpObserver::RepliesWithoutLookAlike() {
  const Entry* block = queue_.Find(block_);
  const std::size_t replies = block != nullptr && block->exchange.multi_recipient
                                  ? std::max<std::size_t>(1, transactions_.ReplyCount(block->transaction))
                                  : 1;
  return replies + LinesBehind();
}

// Lines behind the true end of data, up to DATA. Each is looked at once.
std::size_t SmtpObserver::LinesBehind() {
  if (!probe_done_) return 0;
  Octets rest = held_.Front().substr(std::min(probed_, held_.Front().size()));
  for (auto line = FirstLine(rest); line && !data_behind_; line = FirstLine(rest)) {
    ++lines_behind_;
    data_behind_ = EqualsNoCase(WithoutLineEnd(*line), "DATA");
    rest.remove_prefix(line->size());
    probed_ += line->size();
  }
  return lines_behind_;
}

void SmtpObserver::BelieveLookAlike() {
  ReleaseHold();
  EndBlock(BlockEnd::kLookAlike, message_at_);
}

void SmtpObserver::IgnoreLookAlike() {
  // Seen once, that the server reads on is known for the rest of the conversation.
  ignores_look_alikes_ |= probe_done_ || held_.size() >= limits_.look_alike_octets;
  ReleaseHold();
  std::vector<HeardReply> replies;
  replies.swap(deferred_);
  deferred_octets_ = 0;
  Drain();
  DeliverAll(replies);
}

}  // namespace glasspost::smtp
