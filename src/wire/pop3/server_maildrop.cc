// TRANSACTION and UPDATE: STAT, LIST, UIDL, RETR, TOP, DELE, RSET, QUIT (RFC 1939 §5 to §7).
#include "base/time_text.h"
#include "wire/pop3/server_session.h"

namespace glasspost::pop3 {
// Says what is wrong with the number if it names no message that is there.
bool ServerSession::Find(Octets argument, std::uint32_t& index) {
  const auto number = ParseNumber(argument);
  if (!number) return Mistake(Text::kBadArgument), false;
  if (*number == 0 || *number > view_->count()) return Err(Text::kNoSuchMessage), false;
  index = static_cast<std::uint32_t>(*number - 1);
  if (IsDeleted(index)) return Err(Text::kMessageDeleted), false;
  return true;
}

void ServerSession::Stat() {
  output_ += "+OK ";
  AppendNumber(output_, view_->count() - deleted_count_);
  output_ += ' ';
  AppendNumber(output_, total_octets_ - deleted_octets_);
  output_ += "\r\n";
}

void ServerSession::AppendListed(std::uint32_t index, Job job) {
  AppendNumber(output_, std::uint64_t{index} + 1);
  output_ += ' ';
  if (job == Job::kList) {
    AppendNumber(output_, view_->OctetsOf(index));
  } else {
    view_->AppendUniqueId(index, output_);
  }
  output_ += "\r\n";
}

void ServerSession::Listing(Octets argument, Job job) {
  if (!argument.empty()) {
    std::uint32_t index = 0;
    if (!Find(argument, index)) return;
    output_ += "+OK ";
    return AppendListed(index, job);
  }
  if (job == Job::kList) {
    output_ += "+OK ";
    AppendNumber(output_, view_->count() - deleted_count_);
    output_.append(" ").append(TextOf(Text::kMessages, language_)).append(" (");
    AppendNumber(output_, total_octets_ - deleted_octets_);
    output_.append(" ").append(TextOf(Text::kOctets, language_)).append(")\r\n");
  } else {
    Ok(Text::kUniqueIds);
  }
  job_ = job;
  next_ = 0;
  Advance();
}

void ServerSession::Retrieve(Octets argument) {
  std::uint32_t index = 0;
  if (!Find(argument, index)) return;
  cut_ = false;
  BeginMessage(index);
}

void ServerSession::Top(Octets argument) {
  const std::size_t space = argument.find_first_of(" \t");
  if (space == Octets::npos) return Mistake(Text::kNeedsArgument);
  const auto lines = ParseNumber(Trim(argument.substr(space)));
  if (!lines) return Mistake(Text::kBadArgument);
  std::uint32_t index = 0;
  if (!Find(argument.substr(0, space), index)) return;
  cut_ = true;
  cutter_ = TopCutter(*lines);
  BeginMessage(index);
}

void ServerSession::BeginMessage(std::uint32_t index) {
  if (!utf8_ && view_->NeedsUtf8(index)) return Err(Text::kUtf8Needed, "UTF8");  // RFC 6856 §5
  job_ = Job::kMessage;
  next_ = index;
  offset_ = 0;
  started_ = false;
  encoder_.Reset(true);
  Advance();
}

// Goes on with the job as far as output has room. A handler that answers from within its question comes back here: the loop that
// runs already goes on then, so that the stack does not grow with the message.
void ServerSession::Advance() {
  if (advancing_) return;
  advancing_ = true;
  while (job_ != Job::kNone && asked_ == Asked::kNothing && end_ == End::kOpen &&
         output_.size() - sent_ < options_.limits.output_octets)
    Step();
  advancing_ = false;
}

void ServerSession::Step() {
  if (job_ == Job::kMessage) {
    asked_ = Asked::kMessage;
    return handler_.ReadMessage(next_, offset_, options_.limits.piece_octets);
  }
  if (next_ == view_->count()) {
    output_ += ".\r\n";
    job_ = Job::kNone;
    return;
  }
  if (!IsDeleted(next_)) AppendListed(next_, job_);
  ++next_;
}

void ServerSession::MessageRead(Octets piece, bool last) {
  if (asked_ != Asked::kMessage) return;
  asked_ = Asked::kNothing;
  if (!started_) {
    started_ = true;
    if (cut_) {
      Ok(Text::kHeaderFollows);
    } else {
      output_ += "+OK ";
      AppendNumber(output_, view_->OctetsOf(next_));
      output_.append(" ").append(TextOf(Text::kOctets, language_)).append("\r\n");
    }
  }
  offset_ += piece.size();
  if (cut_) {
    piece = piece.substr(0, cutter_.Take(piece));
    last = last || cutter_.done();
  }
  encoder_.Append(output_, piece);
  if (last) {
    encoder_.Finish(output_);
    output_ += ".\r\n";
    job_ = Job::kNone;
    if (!cut_) handler_.Retrieved(next_);
  }
  Advance();
}

void ServerSession::MessageFailed(ReadFailure failure) {
  if (asked_ != Asked::kMessage) return;
  asked_ = Asked::kNothing;
  job_ = Job::kNone;
  if (!started_) {
    const bool temporary = failure == ReadFailure::kTemporary;
    return Err(temporary ? Text::kNotReadNow : Text::kNotReadable, temporary ? "SYS/TEMP" : "SYS/PERM");
  }
  // Half of it is out: without a lone dot the client knows that it has no whole message.
  broken_ = true;
  Close();
}

void ServerSession::Dele(Octets argument) {
  std::uint32_t index = 0;
  if (!Find(argument, index)) return;
  if (deleted_.empty()) deleted_.resize(view_->count());
  deleted_[index] = true;
  ++deleted_count_;
  deleted_octets_ += view_->OctetsOf(index);
  Ok(Text::kDeleted);
}

void ServerSession::Rset() {
  std::vector<bool>().swap(deleted_);
  deleted_count_ = 0;
  deleted_octets_ = 0;
  Ok(Text::kRestored);
}

void ServerSession::Quit() {
  if (state_ == State::kAuthorization) {
    Ok(Text::kBye);
    return Close();
  }
  state_ = State::kUpdate;
  std::vector<std::uint32_t> gone;
  gone.reserve(deleted_count_);
  for (std::uint32_t i = 0; i < deleted_.size(); ++i)
    if (deleted_[i]) gone.push_back(i);
  asked_ = Asked::kCommit;
  handler_.Commit(gone);
}

void ServerSession::Committed(bool done) {
  if (asked_ != Asked::kCommit) return;
  asked_ = Asked::kNothing;
  if (done) {
    Ok(Text::kBye);
  } else {
    Err(Text::kNotDeleted, "SYS/TEMP");  // RFC 1939 §6, RFC 3206 §4
  }
  Close();
}

}  // namespace glasspost::pop3
