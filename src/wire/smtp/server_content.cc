// The message: DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030).
#include "wire/smtp/server_session.h"

namespace glasspost::smtp {

void ServerSession::DoData() { Put(Ask::kStart, Verb::kData, handler_.OnMessageStart(false)); }

// To DATA, or to the first chunk.
void ServerSession::ApplyStart(const Answer& answer) {
  if (ask_verb_ == Verb::kData) {
    const int code = SayAnswer(Verb::kData, answer, {}, "End data with <CR><LF>.<CR><LF>");
    if (code != 354) return;
    Move(Verb::kData, code);
    return BeginContent();
  }
  if (answer.yes()) {
    BeginContent();
    transaction_.chunked = true;
  } else {
    refusal_ = std::make_unique<Answer>(answer);
    // Not a syntax error, which would say nothing about the message (RFC 3030 §2).
    if (IsSyntaxError(answer.code)) refusal_->code = 554;
  }
  if (chunk_left_ == 0) EndChunk();
}

void ServerSession::BeginContent() {
  decoder_.Reset();
  chunk_scan_.Reset();
  normaliser_.Reset(false);
  transaction_.started = true;
}

std::size_t ServerSession::ReceiveData(Octets input) {
  const auto step = decoder_.Feed(input, [&](Octets octets) { TakeContent(octets); });
  const text::DotScan scan = decoder_.scan();
  const bool bare = scan.bare_cr || scan.bare_lf;
  if (bare && options_.bare_line_ends == BareLineEnds::kRefuse) FailContent();
  if (Overflows() || !step.done) return step.taken;
  EndContent({.octets = 0, .eight_bit = scan.eight_bit, .normalised = bare, .longest_line = scan.longest_line, .chunked = false});
  return step.taken;
}

void ServerSession::TakeContent(Octets octets) {
  const std::uint64_t limit = options_.limits.message_octets;
  transaction_.octets += octets.size();
  if (limit != 0 && transaction_.octets > limit) FailContent();
  if (transaction_.failed) return;
  if (options_.bare_line_ends == BareLineEnds::kRefuse) return GiveOctets(octets);
  std::string normal;
  normal.reserve(octets.size() + octets.size() / 32);
  normaliser_.Append(normal, octets);
  GiveOctets(normal);
}

void ServerSession::GiveOctets(Octets octets) {
  if (octets.empty()) return;
  transaction_.given += octets.size();
  transaction_.line_ended = octets.back() == '\n';
  handler_.OnMessageOctets(octets);
}

// The message will be refused: the handler need not keep it. Its end is waited for all the same.
void ServerSession::FailContent() {
  if (std::exchange(transaction_.failed, true)) return;
  if (!std::exchange(transaction_.told, true)) handler_.OnReset(Reset::kRefused);
}

// True: too much came behind what was refused for its size, and the session is over.
bool ServerSession::Overflows() {
  const ServerLimits& limits = options_.limits;
  const bool endless = limits.message_octets != 0 && transaction_.octets > limits.message_octets + limits.discarded_octets;
  if (!endless && discarded_ <= limits.discarded_octets) return false;
  End(Answer::No(421, "4.3.4", options_.host + " Message without end, closing connection"));
  return true;
}

// Why the message that is all there (or as far as it is there) is refused.
std::optional<Answer> ServerSession::ContentFault(bool bare) const {
  const std::uint64_t limit = options_.limits.message_octets;
  if (bare && options_.bare_line_ends == BareLineEnds::kRefuse)
    return Answer::No(554, "5.6.0", "Bare CR or LF in the message: lines end with CRLF");
  if (limit != 0 && transaction_.octets > limit)
    return Answer::No(552, "5.3.4", "Message size exceeds fixed limit of " + std::to_string(limit));
  return {};
}

// The end was found; in `content` the octets are still to be counted.
void ServerSession::EndContent(const Content& content) {
  ask_verb_ = content.chunked ? Verb::kBdat : Verb::kDataBlock;
  if (const auto fault = ContentFault(content.normalised)) {
    FailContent();  // a CR as the last chunk's last octet is known to be bare only now
    return AnswerEnd({&*fault, 1});
  }
  std::string last;
  if (options_.bare_line_ends == BareLineEnds::kNormalise) {
    normaliser_.Finish(last);
  } else if (!transaction_.line_ended) {
    last = "\r\n";  // a last chunk may end inside a line; what is kept consists of lines
  }
  GiveOctets(last);
  Content whole = content;
  whole.octets = transaction_.given;
  Put(Ask::kEnd, ask_verb_, handler_.OnMessageEnd(whole));
}

// The word on the message; LMTP: one for each recipient, the last one speaks for all that follow (RFC 2033 §4.2).
void ServerSession::AnswerEnd(std::span<const Answer> answers) {
  const bool lmtp = options_.role == Role::kLmtp;
  const std::size_t replies = lmtp ? transaction_.recipients : 1;
  transaction_.told = true;
  const Verb verb = ask_verb_;
  bool taken = false;
  int code = 0;
  for (std::size_t i = 0; i < replies && !closing_; ++i) {
    Answer answer = answers[std::min(i, answers.size() - 1)];
    // It would say nothing about the message.
    if (IsSyntaxError(answer.code)) answer.code = 554;
    code = SayAnswer(verb, answer, "2.0.0", "Ok");
    taken |= code / 100 == 2;
  }
  if (taken) errors_ = idle_commands_ = 0;
  if (closing_) return;
  Move(verb, code, true);
  ForgetTransaction();
}

// RFC 3030 §2: the octets follow, whatever is wrong with it. Of a size that cannot be read nobody knows where they end, and none
// of them may be heard as a command.
void ServerSession::DoBdat(const Command& command) {
  if (command.argument.empty()) return SayError(501, "5.5.4", "Syntax: BDAT size [LAST]");
  if (!command.chunk_size || command.fault == Fault::kBadChunkSize)
    return End(Answer::No(421, "4.5.4", options_.host + " Not a chunk's size, closing connection"));
  chunk_open_ = true;
  chunk_size_ = chunk_left_ = *command.chunk_size;
  chunk_last_ = command.last;
  if (auto refusal = ChunkRefusal(command)) {
    chunk_refusal_ = std::make_unique<Answer>(std::move(*refusal));
  } else if (!transaction_.started && !refusal_) {
    return Put(Ask::kStart, Verb::kBdat, handler_.OnMessageStart(true));
  }
  if (chunk_left_ == 0) EndChunk();
}

std::optional<Answer> ServerSession::ChunkRefusal(const Command& command) const {
  if (refused_greeting_) return Answer::No(503, "5.5.1", "No service here; only QUIT");
  if (!options_.extensions.chunking) return Answer::No(502, "5.5.1", "Command not implemented");
  if (options_.require_tls && !tls_) return Answer::No(530, "5.7.0", "Must issue a STARTTLS command first");
  if (state_ == State::kMail && transaction_.refused_recipients) return Answer::No(554, "5.5.1", "No valid recipients");
  if (!MayCome(Verb::kBdat, state_)) return Answer::No(503, "5.5.1", "Need MAIL and RCPT commands");
  if (!command.strict_ok()) return Answer::No(501, "5.5.4", "Syntax: BDAT size [LAST]");
  return {};
}

std::size_t ServerSession::ReceiveChunk(Octets input) {
  const Octets piece = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size())));
  chunk_left_ -= piece.size();
  if (chunk_refusal_ || refusal_) {
    discarded_ += piece.size();
  } else {
    chunk_scan_.Take(piece);
    if (chunk_scan_.bare() && options_.bare_line_ends == BareLineEnds::kRefuse) FailContent();
    TakeContent(piece);
  }
  if (!Overflows() && chunk_left_ == 0) EndChunk();
  return piece.size();
}

void ServerSession::EndChunk() {
  chunk_open_ = false;
  if (chunk_refusal_) {
    const auto refusal = std::exchange(chunk_refusal_, nullptr);
    return SayError(refusal->code, refusal->enhanced, refusal->text);
  }
  ask_verb_ = Verb::kBdat;
  if (chunk_last_ && !refusal_) {
    chunk_scan_.Finish();
    return EndContent({.octets = 0,
                       .eight_bit = chunk_scan_.eight_bit(),
                       .normalised = chunk_scan_.bare(),
                       .longest_line = chunk_scan_.longest_line(),
                       .chunked = true});
  }
  // What is wrong already is said at each chunk; the last one ends the transaction.
  std::optional<Answer> fault = refusal_ ? std::optional<Answer>(*refusal_) : ContentFault(chunk_scan_.bare());
  if (chunk_last_) {
    if (!std::exchange(transaction_.told, true)) handler_.OnReset(Reset::kRefused);
    return AnswerEnd({&*fault, 1});
  }
  const Answer answer = fault ? *fault : Answer::Yes(std::to_string(chunk_size_) + " octets received");
  const int code = SayAnswer(Verb::kBdat, answer, "2.0.0", "Ok");
  // The message has begun, also if this chunk made it one that will be refused: recipients can no longer come.
  if (!closing_) Move(Verb::kBdat, transaction_.started ? 250 : code);
}

}  // namespace glasspost::smtp
