// The server's side of a POP3 conversation: status lines, the lines and messages after them, and what losses leave of them.
#include <algorithm>
#include <utility>

#include "wire/pop3/observer.h"

namespace glasspost::pop3 {
namespace {

const Envelope kNoEnvelope;

constexpr std::size_t kSample = 1024;  // octets of a message whose lines are counted

bool Contains(Octets text, Octets word) {
  for (std::size_t i = 0; i + word.size() <= text.size(); ++i)
    if (StartsWithNoCase(text.substr(i), word)) return true;
  return false;
}

template <std::size_t N>
bool ContainsAny(Octets text, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view w) { return Contains(text, w); });
}

// A client that speaks first either does not wait, or the greeting is not in the capture: then the words must tell.
bool LooksLikeGreeting(Octets text) {
  static constexpr std::string_view kWords[] = {"ready", "server", "pop", "service", "welcome", "hello", "<"};
  return text.empty() || ContainsAny(text, kWords);
}

// The command that a +OK answers by its words; kUnknown where they do not say.
Command HintOf(Octets text) {
  static constexpr std::string_view kParting[] = {"logging out", "bye", "sign", "closing"};
  if (ContainsAny(text, kParting)) return Command::kQuit;
  if (Contains(text, "delete")) return Command::kDele;
  return PrintedSize(text) ? Command::kRetr : Command::kUnknown;
}

bool IsStatus(const StatusLine& s) { return s.status == Status::kOk || s.status == Status::kErr; }

}  // namespace

void Pop3Observer::FromServer(Octets in, const Origin& o) {
  server_end_ = server_at_ + in.size();
  text::Line line;
  while (!in.empty() && !IsTls(in, o)) {
    if (state_ == ServerState::kMessage) {
      exchange_.reply.span.Touch(o);
      if (body_gap_ && (Behind() || !probe_.empty()))
        FeedMessageCarefully(in, o);
      else
        FeedMessage(in, o);
      continue;
    }
    // Octets in the midst of a line that the client broke are the rest of that.
    const bool line_starts = server_line_.length == 0 && broken_line_.empty();
    if (state_ == ServerState::kStatus && status_gap_ && line_starts && BeginLostBody(in)) continue;
    if (server_line_.length == 0) server_line_.offset = ServerAt(in);
    const std::size_t before = in.size();
    const auto step = server_lines_.Next(in, line);
    server_line_.length += before - in.size();
    server_line_.Touch(o);
    if (step == text::LineSplitter::Step::kMore) break;
    server_at_ = ServerAt(in);
    if (!broken_line_.empty()) MendServerLine(line, o);
    ServerLine(line, o);
    server_line_.Clear();
  }
  server_at_ = server_end_;
}

// The client speaks: if the server is amid a status line, that breaks off. Asked before each of the client's lines and where a
// line of it ends the reply before, so that what was sent in one piece is no other than what came in many.
void Pop3Observer::BreakServerLine() {
  if (server_line_.length == 0 || state_ != ServerState::kStatus || tls_ == Tls::kOpaque) return;
  if (broken_line_.empty()) {
    broken_unasked_ = count_ == 0 && lost_ == 0;
    swap(broken_span_, server_line_);
  } else {
    broken_span_.length += server_line_.length;
    server_line_.frames.ForEach([&](std::uint64_t frame) { broken_span_.frames.Add(frame); });
    broken_span_.last_time = std::max(broken_span_.last_time, server_line_.last_time);
  }
  broken_line_.Keep(server_lines_);
  server_line_.Clear();
}

// A line ended. Where its beginning broke off, it goes on with that, unless it is a status line of its own: an answer cannot have
// begun before its command.
void Pop3Observer::MendServerLine(text::Line& line, const Origin& o) {
  const bool ends_there = greeting_due_ || count_ == 0 || Front().shape == Shape::kSingle;
  if (ends_there && IsStatus(ParseStatus(line.text))) return TellBrokenLine(o);
  broken_line_.Join(line);
  swap(broken_span_, server_line_);
  server_line_.length += broken_span_.length;
  broken_span_.frames.ForEach([&](std::uint64_t frame) { server_line_.frames.Add(frame); });
  server_line_.last_time = std::max(server_line_.last_time, broken_span_.last_time);
}

void Pop3Observer::TellBrokenLine(const Origin& o) {
  const text::Line line = broken_line_.Take();
  swap(broken_span_, server_line_);
  const StatusLine s = ParseStatus(line.text);
  if (IsStatus(s) && greeting_due_) {
    Greeting(s, line, o);
  } else if (IsStatus(s) && !broken_unasked_) {
    const std::uint64_t end = server_line_.offset + server_line_.length;
    OnStatusLine(line, o);
    if (state_ == ServerState::kStray) FinishStray(o);
    if (busy_) FinishBody(true, end, o);  // a listing or message of which there is no more than that
  } else if (!drop_fragment_) {
    BeginUnrequested();
    SetReply(s.status, IsStatus(s) ? s.text : line.text, line, o);
    if (!IsStatus(s)) {
      Tell(FindingId::kReplyNotAllowed, number_, o, secrets_.Redacted(line.text, line.cut));
    } else if (!lossy_) {
      Tell(FindingId::kUnsolicitedReply, number_, o);
    }
    TellExchange(o);
  }
  swap(broken_span_, server_line_);
}

// An empty line is no command. A server may call it an error, or pass over it: then what it says belongs to what came after, and
// it is likely to do so again.
void Pop3Observer::SkipBlanks(Status status, const Origin& o) {
  const auto blank = [](const Pending& p) {
    return p.command == Command::kUnknown && p.request.verb.empty() && p.request.argument.empty() && !p.request.cut;
  };
  if (!ignores_blanks_ && status == Status::kErr) return;
  std::size_t blanks = 0;
  while (blanks < count_ && blank(At(blanks)) && At(blanks).lost_before == 0) ++blanks;
  if (blanks == 0 || blanks == count_) return;
  ignores_blanks_ = true;
  while (blanks-- > 0) Unanswered(o);
}

void Pop3Observer::ServerLine(const text::Line& line, const Origin& o) {
  if (state_ == ServerState::kLines) return OnReplyLine(line, o);
  if (state_ == ServerState::kStray) return OnStrayLine(line, o);
  OnStatusLine(line, o);
}

void Pop3Observer::OnStatusLine(const text::Line& line, const Origin& o) {
  const StatusLine s = ParseStatus(line.text, sasl_.active());
  if (s.status == Status::kNone) return OnNoStatusLine(line, o);
  drop_fragment_ = false;
  // Octets were lost from where the oldest command's reply was due: a status line after them is a later one's, if there is any.
  if (std::exchange(status_gap_, false) && (count_ > 1 || (count_ > 0 && lost_ > 0))) Unanswered(o);
  if (greeting_due_) {
    const bool asked = count_ == 1 && Front().command != Command::kUnknown;
    if (!asked || s.status != Status::kOk || LooksLikeGreeting(s.text)) return Greeting(s, line, o);
    greeting_due_ = Front().pipelined = pipeliner_ = false;  // it was there, before the capture
  }
  if (queue_gap_) Realign(s, o);
  SkipBlanks(s.status, o);
  if (count_ == 0 || Front().lost_before > 0) return Orphan(s, line, o);
  Answer(s, line, o);
}

void Pop3Observer::OnNoStatusLine(const text::Line& line, const Origin& o) {
  if (std::exchange(drop_fragment_, false)) return;
  if (std::exchange(status_gap_, false)) return LostStatus(line, o);
  if (lossy_) return BeginStray(false, Behind(), 1);
  BeginUnrequested();
  SetReply(Status::kNone, line.text, line, o);
  Tell(FindingId::kReplyNotAllowed, number_, o, secrets_.Redacted(line.text, line.cut));
  BeginStray(true, true, 1);
}

// The end of a line whose beginning, with the status, was lost.
void Pop3Observer::LostStatus(const text::Line& line, const Origin& o) {
  if (count_ == 0 || Front().lost_before > 0 || lost_ > 0) return BeginStray(false, false, 1);
  const Shape shape = Front().shape;
  TakeFront();
  exchange_.has_reply = exchange_.reply.cut = true;
  if (shape == Shape::kSingle || shape == Shape::kUnknown) {
    SetReply(Status::kNone, line.text, line, o);
    exchange_.reply.cut = true;
    Unlearn();
    return TellExchange(o);
  }
  const std::uint64_t at = server_line_.offset;
  BeginBody(shape, false);
  exchange_.reply.span.offset = at;
  if (shape != Shape::kMessage) return OnReplyLine(line, o);
  exchange_.reply.span.Touch(o);
  body_at_ = o;
  const auto give = [&](Octets octets) { GiveMessage(octets); };
  dot_.Feed(line.text, give);
  if (line.cut)
    sink_.OnMessageGap(Direction::kToClient, line.length - line.text.size());
  else
    dot_.Feed(line.crlf ? "\r\n" : "\n", give);
}

// A multi-line reply whose beginning was lost goes on here. Octets that could be a status line are read as a line first.
bool Pop3Observer::BeginLostBody(Octets in) {
  if (count_ == 0 || Front().lost_before > 0 || lost_ > 0 || in.front() == '+' || in.front() == '-') return false;
  const Shape shape = Front().shape;
  if (shape == Shape::kSingle || shape == Shape::kUnknown) return false;
  status_gap_ = drop_fragment_ = false;
  TakeFront();
  exchange_.has_reply = exchange_.reply.cut = true;
  exchange_.reply.span.offset = ServerAt(in);
  BeginBody(shape, false);
  return true;
}

// Octets were lost while several commands waited, so whole replies may be missing. Where a reply's words fit a later command and
// not the one whose turn it is, those between are taken for unanswered.
void Pop3Observer::Realign(const StatusLine& s, const Origin& o) {
  const Command hint = s.status == Status::kOk ? HintOf(s.text) : Command::kUnknown;
  if (hint == Command::kUnknown) return;
  const auto fits = [&](const Pending& p) {
    if (p.command != hint) return false;
    const auto listed = hint == Command::kRetr ? maildrop_.SizeOf(ParseNumber(p.request.argument).value_or(0)) : std::nullopt;
    return !listed || listed == PrintedSize(s.text);
  };
  for (std::size_t i = 0; i < count_; ++i) {
    if (!fits(At(i))) continue;
    while (i-- > 0) Unanswered(o);
    return;
  }
}

void Pop3Observer::Greeting(const StatusLine& s, const text::Line& line, const Origin& o) {
  greeting_due_ = false;
  BeginUnrequested();
  exchange_.phase = Phase::kGreeting;
  SetReply(s.status, s.text, line, o);
  if (s.status == Status::kContinue) Tell(FindingId::kReplyNotAllowed, number_, o, "+");
  TellExchange(o);
}

void Pop3Observer::Orphan(const StatusLine& s, const text::Line& line, const Origin& o) {
  if (count_ > 0)
    --Front().lost_before;
  else if (lost_ > 0)
    --lost_;
  BeginUnrequested();
  if (s.status == Status::kContinue) return Challenge(s, line, o);
  SetReply(s.status, s.text, line, o);
  if (!lossy_) Tell(FindingId::kUnsolicitedReply, number_, o);
  if (sasl_.active() && count_ == 0) sasl_.OnOutcome(s.status == Status::kOk);
  if (s.status == Status::kOk) return BeginStray(true, false, 0);
  TellExchange(o);
}

void Pop3Observer::Answer(const StatusLine& s, const text::Line& line, const Origin& o) {
  TakeFront();
  if (s.status == Status::kContinue && taken_.command == Command::kAuth) return Challenge(s, line, o);
  SetReply(s.status, s.text, line, o);
  if (s.status == Status::kContinue) {
    secret_due_ = true;  // what it asks for
    Tell(FindingId::kReplyNotAllowed, number_, o, "+");
  }
  const bool ok = s.status == Status::kOk;
  if (ok && taken_.shape == Shape::kUnknown) return BeginStray(true, false, 0);
  if (ok && taken_.shape != Shape::kSingle) return BeginBody(taken_.shape, true);
  const bool to_tls = ok && taken_.command == Command::kStls;
  Learn(s.status, s.text, o);
  TellExchange(o);
  if (to_tls) AcceptTls(o);
}

void Pop3Observer::Challenge(const StatusLine& s, const text::Line& line, const Origin& o) {
  if (!sasl_.active()) sasl_.Begin("", std::nullopt, step_);
  sasl_.OnChallenge(s.text, step_, line.cut ? static_cast<std::size_t>(line.length) : sasl::SaslObserver::kWhole);
  SetReply(s.status, step_.shown_argument, line, o);
  exchange_.reply.decoded.swap(step_.decoded);
  exchange_.reply.sasl = step_.content;
  // A client that did not wait has answered already.
  answer_expected_ = count_ == 0 || !Front().answer;
  if (client_line_.length == 0) client_resync_ = false;
  TellExchange(o);
}

void Pop3Observer::BeginBody(Shape shape, bool complete_start) {
  shape_ = shape;
  body_gap_ = !complete_start;
  body_complete_start_ = complete_start;
  body_line_start_ = loose_end_ = false;
  if (shape != Shape::kMessage) {
    state_ = ServerState::kLines;
    return;
  }
  state_ = ServerState::kMessage;
  printed_size_ = PrintedSize(exchange_.reply.text);
  body_lost_ = sampled_ = sampled_lines_ = 0;
  body_at_ = exchange_.reply.span.End();
  dot_.Reset(complete_start);
  sink_.OnMessageStart(Direction::kToClient, number_, kNoEnvelope);
}

void Pop3Observer::AbsorbLine() {
  Span& span = exchange_.reply.span;
  if (span.length == 0 && span.frames.empty()) span.offset = server_line_.offset;
  span.length = server_line_.offset + server_line_.length - span.offset;
  server_line_.frames.ForEach([&](std::uint64_t frame) { span.frames.Add(frame); });
  if (span.first_time == kNoTime) span.first_time = server_line_.first_time;
  span.last_time = std::max(span.last_time, server_line_.last_time);
}

void Pop3Observer::AppendText(Octets line, std::size_t limit) {
  Reply& r = exchange_.reply;
  if (r.text.size() + line.size() + 1 > limit) {
    r.cut = true;
    return;
  }
  if (!r.status.empty() || !r.text.empty()) r.text.push_back('\n');
  r.text.append(line);
}

void Pop3Observer::OnReplyLine(const text::Line& line, const Origin& o) {
  // No line of a listing begins like a status line; one of a message may, and is one only where the message's end was lost.
  if (Behind() && (shape_ == Shape::kListing || body_gap_) && IsStatus(ParseStatus(line.text))) {
    if (!body_gap_) {
      Tell(FindingId::kReplyNotAllowed, number_, o, "no lone dot at the end");
      if (count_ == 1) Front().pipelined = pipeliner_ = false;
    }
    FinishBody(true, server_line_.offset, o);
    return OnStatusLine(line, o);
  }
  AbsorbLine();
  if (std::exchange(loose_end_, false)) AppendText(".", limits_.text_octets);
  if (line.text == ".") {
    if (line.crlf || lf_server_) return FinishBody(false, server_at_, o);
    loose_end_ = true;
    return;
  }
  bare_line_end_ |= !line.crlf && (line.length > 1 || !body_gap_);
  exchange_.reply.cut |= line.cut;
  AppendText(line.text.substr(line.text.starts_with('.') ? 1 : 0), limits_.text_octets);
}

void Pop3Observer::BeginStray(bool told, bool trust, std::size_t lines) {
  state_ = ServerState::kStray;
  stray_told_ = told;
  stray_missed_ = false;
  stray_trust_ = trust;
  stray_lines_ = lines;
}

void Pop3Observer::OnStrayLine(const text::Line& line, const Origin& o) {
  const StatusLine s = ParseStatus(line.text, sasl_.active());
  // Right behind a status line a status line is the next reply; so it is behind the rest of one line where nobody heard the
  // client. In the midst of text it is text, unless somebody waits for a reply.
  const bool first = stray_lines_ <= (stray_told_ || client_seen_ ? 0u : 1u);
  if (IsStatus(s) ? first || stray_trust_ || Behind() : s.status == Status::kContinue && (first || sasl_.active())) {
    FinishStray(o);
    return OnStatusLine(line, o);
  }
  ++stray_lines_;
  if (stray_told_) AbsorbLine();
  if (std::exchange(drop_fragment_, false)) return;
  if (line.text == ".") {
    const bool missed = stray_missed_;
    FinishStray(o);
    if (missed) SkipMissed(o);
    return;
  }
  if (stray_told_) AppendText(line.text.substr(line.text.starts_with('.') ? 1 : 0), limits_.stray_text_octets);
}

void Pop3Observer::FinishStray(const Origin& o) {
  state_ = ServerState::kStatus;
  if (std::exchange(stray_told_, false)) TellExchange(o);
}

// Whether a look-alike end of data right here is this server's way to end a message.
bool Pop3Observer::EndsHere(Octets taken) const { return !taken.empty() && taken.back() == '\n'; }

void Pop3Observer::GiveMessage(Octets octets) {
  if (sampled_ < kSample) {
    const Octets piece = octets.substr(0, kSample - sampled_);
    sampled_ += piece.size();
    for (std::size_t at = piece.find('\n'); at != Octets::npos; at = piece.find('\n', at + 1)) ++sampled_lines_;
  }
  if (options_.message_octets) sink_.OnMessageOctets(Direction::kToClient, octets);
}

// Whether the message, as long as the server said it was, must have ended within what was lost. Only asked where commands wait
// behind it, so that no other sign of its end is sure. Servers that count a line end as one octet are allowed for.
bool Pop3Observer::EndMissed() const {
  const auto said = printed_size_ ? printed_size_ : maildrop_.SizeOf(ParseNumber(exchange_.request.argument).value_or(0));
  if (!said || count_ == 0 || !pipeliner_) return false;
  const std::uint64_t line_ends = sampled_ == 0 ? *said / 16 : *said / sampled_ * sampled_lines_ + sampled_lines_;
  const std::uint64_t passed = dot_.scan().message_octets + body_lost_;
  return passed > *said && passed - *said > line_ends + 64;
}

// The reply that lies here began where the one before ended, in what was lost: its command is one of the next with many lines.
void Pop3Observer::SkipMissed(const Origin& o) {
  std::size_t i = 0;
  while (i < count_ && At(i).shape == Shape::kSingle) ++i;
  if (i == count_) return;
  while (i-- > 0) Unanswered(o);
  Unanswered(o);
}

void Pop3Observer::FeedMessage(Octets& in, const Origin& o) {
  const auto step = dot_.Feed(in, [&](Octets octets) { GiveMessage(octets); });
  const Octets taken = in.substr(0, step.taken);
  in.remove_prefix(step.taken);
  if (!taken.empty()) body_line_start_ = taken.back() == '\n', body_at_ = o;
  const bool odd_end = step.look_alike && EndsHere(taken);
  loose_end_ = odd_end && in.empty();
  if (step.done || (odd_end && lf_server_)) FinishBody(false, ServerAt(in), o);
}

// As FeedMessage, but octets were lost, maybe the message's end among them: a status line ends it.
void Pop3Observer::FeedMessageCarefully(Octets& in, const Origin& o) {
  while (!in.empty() && state_ == ServerState::kMessage) {
    if (!body_line_start_ && probe_.empty()) {
      Octets piece = in.substr(0, in.find('\n') == Octets::npos ? in.size() : in.find('\n') + 1);
      const std::size_t length = piece.size();
      server_end_ -= in.size() - length;  // FeedMessage reckons from the end of what it is given
      FeedMessage(piece, o);
      server_end_ += in.size() - length;
      in.remove_prefix(length - piece.size());
      continue;
    }
    probe_.push_back(in.front());
    in.remove_prefix(1);
    const bool whole = EqualsNoCase(probe_, "+OK") || EqualsNoCase(probe_, "-ERR");
    if (!whole && (StartsWithNoCase("+OK", probe_) || StartsWithNoCase("-ERR", probe_))) continue;
    const std::string held = std::exchange(probe_, {});
    if (whole) {
      const std::uint64_t at = ServerAt(in) - held.size();
      FinishBody(true, at, o);
      text::Line line;
      Octets begin = held;
      server_line_.offset = at;
      server_line_.length = held.size();
      server_line_.Touch(o);
      server_lines_.Next(begin, line);
      return;
    }
    body_line_start_ = false;
    Octets piece = held;
    const std::uint64_t end = std::exchange(server_end_, ServerAt(in));
    FeedMessage(piece, o);
    server_end_ = end;
  }
}

// The octets that might have become a status line are message octets after all; a lone dot cannot be among them.
void Pop3Observer::FlushProbe() {
  dot_.Feed(std::exchange(probe_, {}), [&](Octets octets) { GiveMessage(octets); });
}

void Pop3Observer::FinishBody(bool truncated, std::uint64_t end, const Origin& o) {
  const bool message = state_ == ServerState::kMessage;
  const bool damaged = truncated || body_gap_;
  if (message && !probe_.empty()) FlushProbe();
  state_ = ServerState::kStatus;
  loose_end_ = false;
  Reply& r = exchange_.reply;
  r.span.length = end - r.span.offset;
  if (message) {
    sink_.OnMessageEnd(Direction::kToClient, {.truncated = damaged, .complete_start = body_complete_start_, .origin = body_at_});
    if (!damaged) MessageFindings(o);
  } else if (damaged) {
    r.cut = true;
  } else {
    OnListing(o);
  }
  Learn(Status::kOk, r.text, o);
  TellExchange(o);
}

void Pop3Observer::MessageFindings(const Origin& o) {
  const text::DotScan scan = dot_.scan();
  if (scan.bare_cr || scan.bare_lf) {
    bare_line_end_ = false;
    Tell(FindingId::kBareCrLf, number_, o, scan.bare_lf ? scan.bare_cr ? "bare CR, bare LF" : "bare LF" : "bare CR");
  }
  if (scan.look_alike && !lf_server_) Tell(FindingId::kLookAlikeEndOfData, number_, o);
  if (scan.longest_line > limits_.text_line_octets)
    Tell(FindingId::kLineTooLong, number_, o, std::to_string(scan.longest_line) + " octets");
  const auto number = ParseNumber(exchange_.request.argument);
  std::string wrong = maildrop_.OnMessage(number.value_or(0), scan.message_octets, scan.wire_octets - 3, printed_size_);
  if (!wrong.empty()) Tell(FindingId::kWrongSize, number_, o, std::move(wrong));
}

void Pop3Observer::OnListing(const Origin& o) {
  const Octets text = exchange_.reply.text;
  const std::size_t first = text.find('\n');
  const Octets lines = first == Octets::npos ? Octets{} : text.substr(first + 1);
  if (taken_.command == Command::kCapa) LearnCapabilities(lines);
  if (taken_.command != Command::kList || exchange_.reply.cut) return;
  std::string wrong = maildrop_.OnList(lines);
  if (!wrong.empty()) Tell(FindingId::kWrongSize, number_, o, std::move(wrong));
}

// What came of a line before a loss or the end.
void Pop3Observer::PartialServerLine(const Origin& o) {
  if (server_line_.length == 0 && broken_line_.empty()) return;
  text::Line line{.text = server_lines_.partial(), .crlf = true, .cut = true, .length = server_lines_.pending()};
  if (!broken_line_.empty()) MendServerLine(line, o);
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  if (state_ == ServerState::kLines) {
    AbsorbLine();
    exchange_.reply.cut = true;
    AppendText(line.text, limits_.text_octets);
  } else if (state_ == ServerState::kStray) {
    if (stray_told_) {
      AbsorbLine();
      exchange_.reply.cut = true;
      AppendText(line.text, limits_.stray_text_octets);
    }
  } else if (IsStatus(ParseStatus(line.text))) {
    OnStatusLine(line, o);
    drop_fragment_ = true;
    if (state_ == ServerState::kLines || state_ == ServerState::kMessage) {
      drop_fragment_ = body_complete_start_ = false;
      body_gap_ = true;
      dot_.Reset(false);
    }
  } else {
    status_gap_ = true;
  }
  server_lines_.Reset();
  server_line_.Clear();
}

void Pop3Observer::ServerGap(std::uint64_t length, const Origin& o) {
  if (tls_ != Tls::kOpaque) {
    lossy_ = true;
    queue_gap_ |= count_ > 0;
    const bool in_line = server_line_.length > 0;
    if (state_ == ServerState::kMessage) {
      if (!probe_.empty()) FlushProbe();
      sink_.OnMessageGap(Direction::kToClient, length);
      dot_.SkipGap();
      body_gap_ = body_line_start_ = true;
      loose_end_ = false;
      body_lost_ += length;
      if (EndMissed()) {
        FinishBody(true, server_at_, o);
        BeginStray(false, true, 1);
        stray_missed_ = true;
      }
    } else {
      const bool status = state_ == ServerState::kStatus;
      PartialServerLine(o);
      if (status && !in_line) status_gap_ = true;
      if (state_ == ServerState::kLines) body_gap_ = exchange_.reply.cut = true;
      if (state_ == ServerState::kStray) stray_trust_ = true;
    }
  }
  server_at_ += length;
}

}  // namespace glasspost::pop3
