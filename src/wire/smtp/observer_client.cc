// The client's commands.
#include <algorithm>

#include "base/ascii.h"
#include "base/redaction.h"
#include "wire/sasl/secrets.h"
#include "wire/smtp/observer.h"

namespace glasspost::smtp {
namespace {

// RFC 5321 §4.5.3.1.4 and what the extensions add: RFC 1870 §6, RFC 3461 §4, RFC 4954 §3, RFC 6152 §2, RFC 6531 §3.4.
std::uint64_t LengthLimit(Verb verb) {
  constexpr std::uint64_t kLine = 512;
  switch (verb) {
    case Verb::kMail:
      return kLine + 26 + 150 + 500 + 17 + 10;
    case Verb::kRcpt:
      return kLine + 500;
    case Verb::kAuth:
    case Verb::kAuthAnswer:
      return 12288;
    default:
      return kLine;
  }
}

// Of a line that is cut, as it was on the wire; its line end is taken for a CRLF.
std::size_t TextLength(const text::Line& line) {
  return line.cut ? std::max(static_cast<std::size_t>(line.length) - 2, line.text.size()) : line.text.size();
}

// For a finding that is told before the reply is there, which may say that the line was a secret.
Octets TellableVerb(const Entry& entry) {
  constexpr std::size_t kShortSecret = 8;  // a shorter word is rather a verb than base64
  const Request& r = entry.exchange.request;
  const Octets verb = r.VerbAsWritten();
  const bool perhaps = entry.verb == Verb::kUnknown && verb.size() >= kShortSecret && LooksLikeAnswer(verb);
  return perhaps ? Octets("***") : Octets(r.verb);
}

}  // namespace

std::size_t SmtpObserver::TakeLines(Octets octets, const Origin& origin) {
  Octets rest = octets;
  text::Line line;
  while (!rest.empty() && hold_ == Hold::kNone && mode_ == Mode::kCommands) {
    if (client_lines_.pending() == 0) {
      if (tls_due_ && SwallowsTls(Direction::kToServer, rest, true)) return octets.size();
      line_span_.Clear();
      line_span_.offset = client_at_;
    }
    const std::size_t before = rest.size();
    const auto step = client_lines_.Next(rest, line);
    client_at_ += before - rest.size();
    line_span_.Touch(origin);
    if (step == text::LineSplitter::Step::kMore) break;
    line_span_.length = line.length;
    OnClientLine(line, origin);
  }
  return octets.size() - rest.size();
}

void SmtpObserver::OnClientLine(const text::Line& line, const Origin& origin) {
  // Where something is lost the answer may be: a command is none.
  bool answer = answer_due_;
  if (!answer) answer_unasked_ = false;
  if ((uncertain_ || answer_unasked_) && LooksLikeCommand(line.text)) answer = false;
  // And where AUTH was the last that was seen, what may be its secret is an answer, not an unknown command.
  if (uncertain_ && phase_ == Phase::kAuth && VerbOf(line.text) == Verb::kUnknown && LooksLikeAnswer(line.text)) answer = true;
  answer ? OnAuthAnswer(line, origin) : OnCommand(line, false, origin);
  queue_.Tell();
}

Entry& SmtpObserver::NewEntry(const Origin& origin) {
  bool full = false;
  Entry& entry = queue_.Push(full);
  if (full) NoteOnce(FindingId::kTooMuch, queue_.first_number(), origin, "exchanges without a reply");
  uncertain_ |= queue_.overdue() > 0;
  return entry;
}

Phase SmtpObserver::PhaseOf(Verb verb) const {
  switch (verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
    case Verb::kXclient:
      return Phase::kGreeting;
    case Verb::kStartTls:
      return Phase::kTls;
    case Verb::kAuth:
    case Verb::kAuthAnswer:
      return Phase::kAuth;
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
    case Verb::kDataBlock:
      return Phase::kData;
    case Verb::kQuit:
      return Phase::kQuit;
    case Verb::kNoop:
    case Verb::kHelp:
    case Verb::kUnknown:
      return mail_sent_ ? Phase::kEnvelope : Phase::kGreeting;
    default:
      return Phase::kEnvelope;
  }
}

void SmtpObserver::OnCommand(const text::Line& line, bool partial, const Origin& origin) {
  ParseCommand(line.text, command_);
  const Verb verb = command_.verb;
  if (verb == Verb::kMail || verb == Verb::kRcpt) mail_sent_ = true;
  answer_due_ = answer_unasked_ = false;
  Entry& entry = NewEntry(origin);
  Exchange& exchange = entry.exchange;
  entry.verb = verb;
  exchange.phase = phase_ = PhaseOf(verb);
  exchange.has_request = true;
  exchange.request.cut = line.cut;
  swap(exchange.request.span, line_span_);
  entry.transaction = transactions_.current();
  entry.last = command_.last;
  if (verb != Verb::kUnknown) data_refused_ = stray_noted_ = false, mask_unknown_ = verb == Verb::kAuth;
  FillArgument(entry, line, origin);
  JudgeCommand(entry, line, origin);
  JudgeSecurity(entry, origin);
  entry.replied = client_only_;
  if (queue_.FirstAwaiting() == &entry) presumed_ = state_;
  if (!uncertain_ && !tls_due_ && verb != Verb::kUnknown && !MayCome(verb, presumed_))
    Note(FindingId::kCommandOutOfOrder, exchange.number, origin, Name(verb));
  if (verb != Verb::kUnknown) presumed_ = NextPresumed(presumed_, verb, command_.last);
  quit_sent_ |= verb == Verb::kQuit;
  hello_sent_ |= verb == Verb::kHelo || verb == Verb::kEhlo || verb == Verb::kLhlo;
  queue_.Weigh(entry);
  TellRequest(entry);
  if (!partial) ActOnCommand(exchange.number, origin);
}

// Before its reply. What may turn out to have been a secret is not told yet.
void SmtpObserver::TellRequest(const Entry& entry) {
  if (!options_.requests) return;
  Exchange told = entry.exchange;
  if (!options_.show_secrets && TellableVerb(entry) == "***") {
    told.request.verb = "***";
    told.request.written.clear(), told.request.argument.clear();
  }
  sasl::Redact(told, secrets_, entry.verb == Verb::kAuth || entry.verb == Verb::kAuthAnswer);
  sink_.OnRequest(told);
}

void SmtpObserver::FillUnknown(Request& request, const text::Line& line) {
  if (!options_.show_secrets) {
    // After AUTH it may be the secret that was asked for; else it is looked for in the line.
    const std::size_t at = mask_unknown_ ? sasl::FindDueSecret(line.text, kSecretWords) : sasl::FindSlip(line.text, kSecretWords);
    if (at == Octets::npos)
      told_line_ = secrets_.Redacted(line.text, line.cut);
    else
      told_line_ = sasl::HideFrom(line.text, at, TextLength(line), secrets_);
    mask_unknown_ |= at != Octets::npos && !data_refused_;  // there it is a line of the message
    ParseCommand(told_line_, command_);
    command_.verb = Verb::kUnknown;  // "AUTH=PLAIN" is told as "AUTH", and is none
  }
  request.SetVerb(UpperCase(command_.word), command_.word);
  request.argument.assign(command_.argument);
}

void SmtpObserver::FillAuth(Entry& entry, const text::Line& line, const Origin& origin) {
  Request& request = entry.exchange.request;
  const std::size_t cut_off = TextLength(line) - line.text.size();
  const bool named = command_.mechanism.empty() || sasl::IsMechanismName(command_.mechanism);
  if (!named && !options_.show_secrets) {
    // The mechanism was forgotten: this is the secret.
    sasl_.Begin({}, std::nullopt, step_);
    secrets_.RememberText(command_.argument, !line.cut);
    request.argument = Mask(command_.argument.size() + cut_off);
    return;
  }
  std::size_t length = sasl::SaslObserver::kWhole;
  if (command_.initial_response && line.cut) length = command_.initial_response->size() + cut_off;
  sasl_.Begin(command_.mechanism, command_.initial_response, step_, length);
  request.argument.assign(command_.mechanism);
  if (command_.initial_response) (request.argument += ' ') += step_.shown_argument;
  request.decoded.swap(step_.decoded);
  request.sasl = step_.content;
  if (sasl_.password_seen() && !tls_) Note(FindingId::kCleartextPassword, entry.exchange.number, origin, sasl_.mechanism_name());
}

void SmtpObserver::FillArgument(Entry& entry, const text::Line& line, const Origin& origin) {
  Request& request = entry.exchange.request;
  if (command_.verb == Verb::kUnknown) return FillUnknown(request, line);
  request.SetVerb(Name(command_.verb), command_.word);
  if (command_.verb == Verb::kAuth) return FillAuth(entry, line, origin);
  request.argument.assign(command_.argument);
}

void SmtpObserver::JudgeCommand(Entry& entry, const text::Line& line, const Origin& origin) {
  const std::uint64_t number = entry.exchange.number;
  if (line.length > LengthLimit(entry.verb)) Note(FindingId::kCommandTooLong, number, origin, std::to_string(line.length));
  if (!line.crlf) NoteOnce(FindingId::kBareCrLf, number, origin, "bare LF ends the command");
  if (line.crlf && line.text.find('\r') != Octets::npos) NoteOnce(FindingId::kBareCrLf, number, origin, "bare CR in the command");
  if (entry.verb == Verb::kUnknown && entry.exchange.request.verb != "***") {
    // A message sent though DATA was refused is one mistake, not one a line.
    const auto told = [&] { return noted_[static_cast<std::size_t>(FindingId::kUnknownCommand)]++ < limits_.findings_of_a_kind; };
    entry.noted = !stray_noted_ && told();
    entry.noted_at = origin;
    stray_noted_ = data_refused_;
  }
  const bool pipelined = sent_unasked_ || queue_.FirstAwaiting() != &entry;
  const bool may = (extensions_ & kPipelining) != 0 || extensions_maybe_ || uncertain_ || client_only_ || tls_due_;
  if (pipelined && !may) NoteOnce(FindingId::kPipeliningNotOffered, number, origin, TellableVerb(entry));
}

void SmtpObserver::JudgeSecurity(Entry& entry, const Origin& origin) {
  const std::uint64_t number = entry.exchange.number;
  if (tls_due_) NoteOnce(FindingId::kPlaintextInjection, tls_exchange_, origin, TellableVerb(entry));
  if (tls_ || tls_due_) return;
  const bool matters = entry.verb == Verb::kAuth || entry.verb == Verb::kMail;
  if (matters && (extensions_ & kStartTlsOffered) != 0) NoteOnce(FindingId::kStarttlsNotUsed, number, origin, Name(entry.verb));
  if (entry.verb == Verb::kAuth) NoteOnce(FindingId::kAuthBeforeTls, number, origin, sasl_.mechanism_name());
}

void SmtpObserver::ActOnCommand(std::uint64_t number, const Origin& origin) {
  Entry* entry = queue_.Find(number);
  const Verb verb = command_.verb;
  switch (verb) {
    case Verb::kMail:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      EndChunks();
      entry->transaction = transactions_.Mail(command_);
      return;
    case Verb::kRcpt:
      entry->recipient = transactions_.Recipient(command_);
      entry->transaction = transactions_.current();
      return;
    case Verb::kRset:
      EndChunks();
      return transactions_.Close();
    case Verb::kData:
      EndChunks();
      return SetHold(Hold::kDataReply, number);
    case Verb::kBdat:
      if (command_.strict_ok()) return BeginChunk(number, origin);
      return SetHold(Hold::kBadChunk, number);
    case Verb::kAuth:
      return SetHold(Hold::kAuthReply, number);
    case Verb::kStartTls:
      return SetHold(Hold::kTlsReply, number);
    case Verb::kLhlo:
      if (protocol_ == Protocol::kLmtp) return;
      protocol_ = Protocol::kLmtp;
      return sink_.OnProtocol(Protocol::kLmtp);
    case Verb::kQuit:
      return EndChunks();
    default:
      return;
  }
}

// RFC 3030 §2: the octets follow whatever the answer will be.
void SmtpObserver::BeginChunk(std::uint64_t number, const Origin& origin) {
  Entry* entry = queue_.Find(number);
  if (first_chunk_ == 0) {
    chunk_scan_.Reset();
    first_chunk_ = number;
  }
  chunk_ = number;
  chunk_left_ = command_.chunk_size.value_or(0);
  chunk_last_ = command_.last;
  entry->request_done = false;
  mode_ = Mode::kChunk;
  if (chunk_left_ > 0) return;
  message_at_ = origin;
  FinishChunk();
}

void SmtpObserver::OnAuthAnswer(const text::Line& line, const Origin& origin) {
  answer_due_ = false;
  Entry& entry = NewEntry(origin);
  Exchange& exchange = entry.exchange;
  entry.verb = Verb::kAuthAnswer;
  exchange.phase = phase_ = Phase::kAuth;
  exchange.has_request = true;
  exchange.request.verb = "*";
  exchange.request.cut = line.cut;
  swap(exchange.request.span, line_span_);
  const std::size_t length = line.cut ? TextLength(line) : sasl::SaslObserver::kWhole;
  const bool seen = sasl_.password_seen();
  sasl_.OnResponse(line.text, step_, length);
  exchange.request.argument.swap(step_.shown_argument);
  exchange.request.decoded.swap(step_.decoded);
  exchange.request.sasl = step_.content;
  if (!seen && sasl_.password_seen() && !tls_)
    Note(FindingId::kCleartextPassword, exchange.number, origin, sasl_.mechanism_name());
  JudgeCommand(entry, line, origin);
  entry.replied = client_only_;
  queue_.Weigh(entry);
  TellRequest(entry);
  SetHold(Hold::kAuthReply, exchange.number);
}

// The line that a gap or the end of the stream breaks off is told if its verb is there.
void SmtpObserver::TellPartialLine(const Origin& origin) {
  if (client_lines_.pending() == 0) return;
  const Octets partial = client_lines_.partial();
  const text::Line line{partial, true, true, client_lines_.pending()};
  line_span_.length = line.length;
  const std::size_t space = partial.find(' ');
  const bool known = VerbOf(partial.substr(0, space)) != Verb::kUnknown;
  if (answer_due_) {
    OnAuthAnswer(line, origin);
  } else if (known) {
    OnCommand(line, true, origin);
  } else if (mask_unknown_) {
    secrets_.RememberText(partial, false);
  }
  // What its reply says decides nothing: what follows the gap is a matter of its own.
  ReleaseHold();
  client_lines_.Reset();
  queue_.Tell();
}

}  // namespace glasspost::smtp
