// One message: envelope, content, outcomes.
#include <utility>

#include "wire/smtp/client_session.h"

namespace glasspost::smtp {
namespace {

// Fit to stand between angle brackets: nothing in it may end the path or the line.
bool IsPath(Octets path) {
  const std::string brackets = "<" + std::string(path) + ">";
  Octets rest = brackets;
  Path parsed;
  if (ParsePath(rest, parsed) != Fault::kNone || !rest.empty()) return false;
  for (const char c : path)
    if (static_cast<std::uint8_t>(c) < ' ' || c == 0x7f) return false;
  return true;
}

bool IsXtext(Octets text) { return DecodeXtext(text).has_value(); }

}  // namespace

void ClientSession::Send(const ClientMessage& message) {
  if (closed_ || !ready_) return;
  ready_ = false;
  in_message_ = true;
  message_ = message;
  stage_ = Stage::kMail;
  sent_ = answered_ = outstanding_ = accepted_ = due_ = 0;
  mail_accepted_ = failed_ = source_ended_ = nobody_ = waiting_for_source_ = false;
  chunking_ = options_.chunking && extensions_.chunking;
  chunk_.clear();
  recipients_.assign(message.recipients.size(), Status::kDue);
  if (const auto fault = Unsendable()) {
    TellRest(*fault);
    return EndMessage(false);
  }
  bool any = false;
  utf8_ = NeedsUtf8();
  for (std::size_t i = 0; i < recipients_.size(); ++i) {
    const auto fault = Unsendable(message.recipients[i]);
    if (fault) Tell(i, *fault), recipients_[i] = Status::kNeverSent;
    any |= !fault;
  }
  if (!any) return EndMessage(false);
  PutEnvelope();
}

// Why the message cannot go to this server at all. Nothing that it needs is left out silently.
std::optional<Outcome> ClientSession::Unsendable() const {
  const auto no = [&](int code, std::string_view enhanced, std::string_view text) {
    return Local(Outcome::Kind::kRefused, code, enhanced, text);
  };
  if (!IsPath(message_.reverse_path)) return no(553, "5.1.7", "The sender's address is malformed");
  if ((message_.smtputf8 || IsEightBit(message_.reverse_path)) && !extensions_.smtputf8)
    return no(550, "5.6.7", "The server does not offer SMTPUTF8, which the message needs");
  if (message_.eight_bit && !extensions_.eight_bit_mime)
    return no(554, "5.6.3", "The server does not offer 8BITMIME, which the message needs");
  if (extensions_.size_limit != 0 && message_.size.value_or(0) > extensions_.size_limit)
    return no(552, "5.3.4",
              "The message is larger than the server takes (" + std::to_string(extensions_.size_limit) + " octets)");
  return {};
}

std::optional<Outcome> ClientSession::Unsendable(const ClientRecipient& recipient) const {
  if (recipient.path.empty() || !IsPath(recipient.path))
    return Local(Outcome::Kind::kRefused, 553, "5.1.3", "The recipient's address is malformed");
  if (IsEightBit(recipient.path) && !extensions_.smtputf8)
    return Local(Outcome::Kind::kRefused, 550, "5.6.7", "The server does not offer SMTPUTF8, which the address needs");
  return {};
}

bool ClientSession::NeedsUtf8() const {
  bool needs = message_.smtputf8 || IsEightBit(message_.reverse_path);
  for (const ClientRecipient& r : message_.recipients) needs |= IsEightBit(r.path) && extensions_.smtputf8;
  return needs;
}

std::size_t ClientSession::Advance(std::size_t position) const {
  do ++position;
  while (position <= recipients_.size() && recipients_[position - 1] == Status::kNeverSent);
  return position;
}

// Sends as much of MAIL, RCPT …, DATA as may be sent before the next reply (RFC 2920 §3.1).
void ClientSession::PutEnvelope() {
  const std::size_t window = options_.pipelining && extensions_.pipelining ? options_.limits.window : 1;
  const std::size_t data = recipients_.size() + 1;
  while (!failed_ && outstanding_ < window && sent_ <= data) {
    if (sent_ == 0) {
      PutMail();
    } else if (sent_ < data) {
      PutRecipient(message_.recipients[sent_ - 1]);
    } else if (chunking_ || (outstanding_ == 0 && accepted_ == 0)) {
      break;
    } else {
      PutLine("DATA");
    }
    ++outstanding_;
    sent_ = Advance(sent_);
  }
  if (outstanding_ > 0) return;
  if (failed_) return AfterFailure();
  if (accepted_ == 0) return EndMessage(mail_accepted_);
  BeginContent();
}

void ClientSession::PutMail() {
  Command command;
  command.verb = Verb::kMail;
  command.path.text = message_.reverse_path;
  const std::string size = std::to_string(message_.size.value_or(0));
  const auto add = [&](Octets name, Octets value) { command.parameters.push_back({name, value, !value.empty()}); };
  if (extensions_.size && message_.size) add("SIZE", size);
  if (extensions_.eight_bit_mime && message_.eight_bit) add("BODY", "8BITMIME");
  if (utf8_) add("SMTPUTF8", {});
  if (extensions_.dsn && message_.ret != Return::kUnsaid) add("RET", message_.ret == Return::kFull ? "FULL" : "HDRS");
  if (extensions_.dsn && !message_.envid.empty() && IsXtext(message_.envid)) add("ENVID", message_.envid);
  AppendCommand(output_, command);
}

void ClientSession::PutRecipient(const ClientRecipient& recipient) {
  Command command;
  command.verb = Verb::kRcpt;
  command.path.text = recipient.path;
  const std::string notify = NotifyValue(recipient.notify);
  if (extensions_.dsn && !notify.empty()) command.parameters.push_back({"NOTIFY", notify, true});
  const Octets orcpt = recipient.orcpt;
  const std::size_t semicolon = orcpt.find(';');
  const bool orcpt_good =
      semicolon != Octets::npos && semicolon > 0 && IsXtext(orcpt.substr(semicolon + 1)) && IsXtext(orcpt.substr(0, semicolon));
  if (extensions_.dsn && orcpt_good) command.parameters.push_back({"ORCPT", orcpt, true});
  AppendCommand(output_, command);
}

void ClientSession::OnEnvelope(const ReplyValue& reply) {
  if (outstanding_ == 0) return BreakRules("a reply to nothing");
  --outstanding_;
  const std::size_t position = answered_;
  answered_ = Advance(answered_);
  const std::size_t data = recipients_.size() + 1;
  const int category = reply.code / 100;
  if (position == data) return OnDataReply(reply);
  if (category != 2 && category != 4 && category != 5) return BreakRules("a code that answers nothing");
  if (position == 0) {
    stage_ = Stage::kRcpt;
    mail_accepted_ = category == 2;
    if (!mail_accepted_) Fail(From(reply, Stage::kMail));
  } else if (!failed_ && category == 2) {
    recipients_[position - 1] = Status::kAccepted;
    ++accepted_;
  } else if (!failed_) {
    Tell(position - 1, From(reply, Stage::kRcpt));
  }
  if (answered_ == data && outstanding_ > 0) stage_ = Stage::kData;
  if (!closed_) PutEnvelope();
}

void ClientSession::OnDataReply(const ReplyValue& reply) {
  if (reply.code == 354) {
    if (!failed_ && accepted_ > 0) return BeginContent();
    // RFC 2920 §3.1: nobody is left to send it to; an empty message ends it.
    nobody_ = true;
    PutLine(".");
    stage_ = Stage::kContentEnd;
    outstanding_ = 1;
    return;
  }
  const int category = reply.code / 100;
  if (category != 4 && category != 5) return BreakRules("a code that answers nothing");
  if (!failed_ && accepted_ > 0) Fail(From(reply, Stage::kData));
  if (failed_) return AfterFailure();
  EndMessage(true);
}

void ClientSession::BeginContent() {
  stage_ = Stage::kContent;
  outstanding_ = 0;
  encoder_.Reset(!chunking_);
}

bool ClientSession::CanFill() const {
  if (closed_ || stage_ != Stage::kContent || waiting_for_source_ || failed_) return false;
  const std::size_t chunks = options_.pipelining && extensions_.pipelining ? options_.limits.chunks : 1;
  return !chunking_ || outstanding_ < chunks;
}

void ClientSession::Fill() {
  while (CanFill() && output_.size() < options_.limits.output_octets) TakePiece();
}

// What comes next of the message. A small message is one chunk (RFC 3030 §2).
void ClientSession::TakePiece() {
  std::string& to = chunking_ ? chunk_ : output_;
  const MessageSource::Piece piece = message_.source->Read();
  switch (piece.kind) {
    case MessageSource::Piece::Kind::kOctets:
      encoder_.Append(to, piece.octets);
      if (chunking_ && chunk_.size() >= options_.limits.output_octets) PutChunk(false);
      return;
    case MessageSource::Piece::Kind::kLater:
      waiting_for_source_ = true;
      return;
    case MessageSource::Piece::Kind::kFailed:
      return Break(Local(Outcome::Kind::kDeferred, 451, "4.3.0", "The message could not be read"));
    case MessageSource::Piece::Kind::kEnd:
      encoder_.Finish(to);
      if (chunking_) return PutChunk(true);
      output_ += ".\r\n";
      outstanding_ = 1;
      stage_ = Stage::kContentEnd;
      return;
  }
}

void ClientSession::PutChunk(bool last) {
  Command command;
  command.verb = Verb::kBdat;
  command.chunk_size = chunk_.size();
  command.last = last;
  AppendCommand(output_, command);
  output_ += chunk_;
  chunk_.clear();
  ++outstanding_;
  if (last) stage_ = Stage::kContentEnd;
}

void ClientSession::Resume() { waiting_for_source_ = false; }

// A reply while the content is still being sent.
void ClientSession::OnContent(const ReplyValue& reply) {
  if (!chunking_) {
    // Nothing may come before the end of data; what comes can only mean that the server has had enough.
    if (reply.code / 100 == 2 || reply.code / 100 == 3) return BreakRules("a reply before the end of the message");
    return Break(From(reply, stage_));
  }
  if (outstanding_ == 0) return BreakRules("a reply to nothing");
  --outstanding_;
  const int category = reply.code / 100;
  if (category != 2 && category != 4 && category != 5) return BreakRules("a code that answers nothing");
  if (category != 2 && !failed_) Fail(From(reply, stage_));
  if (failed_ && outstanding_ == 0) AfterFailure();
}

void ClientSession::OnContentEnd(const ReplyValue& reply) {
  const int category = reply.code / 100;
  if (category != 2 && category != 4 && category != 5) return BreakRules("a code that answers nothing");
  if (nobody_) {
    if (failed_) TellRest(failure_);
    return EndMessage(false);
  }
  if (outstanding_ > 1) {  // of a chunk before the last
    --outstanding_;
    if (category != 2 && !failed_) Fail(From(reply, stage_));
    return;
  }
  // How many replies an LMTP server gives to a last chunk behind a refused one, nobody says.
  if (failed_ && options_.lmtp) return Break(failure_, true);
  if (failed_) return AfterFailure();
  if (!options_.lmtp) {
    TellRest(From(reply, stage_));
    return EndMessage(false);
  }
  // RFC 2033 §4.2: one for each recipient that was accepted, in their order.
  while (recipients_[due_] != Status::kAccepted) ++due_;
  Tell(due_, From(reply, stage_));
  if (--accepted_ == 0) EndMessage(false);
}

// The message cannot be sent; what is outstanding is waited for first.
void ClientSession::Fail(const Outcome& outcome) {
  failed_ = true;
  failure_ = outcome;
}

void ClientSession::AfterFailure() {
  TellRest(failure_);
  EndMessage(mail_accepted_);
}

void ClientSession::EndMessage(bool reset) {
  in_message_ = false;
  if (closed_) return;
  if (!reset) return Ready();
  stage_ = Stage::kReset;
  PutLine("RSET");
}

}  // namespace glasspost::smtp
