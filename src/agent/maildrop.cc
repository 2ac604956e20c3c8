#include "agent/maildrop.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::agent {

using pop3::Command;

net::Task<Expected<void>> Maildrop::Enter() {
  const bool begun = co_await Begin(*connected_.stream, session_, connected_.peer);
  if (!begun) co_return Ended();
  auto done = co_await Go();
  SortMessages();
  co_return done;
}

net::Task<Expected<void>> Maildrop::ReadHeads(std::span<const std::size_t> places, const OnHead& on_head) {
  on_head_ = &on_head;
  Expected<void> done;
  while (!places.empty() && done) {
    const auto some = places.first(std::min(kAhead, places.size()));
    places = places.subspan(some.size());
    for (const std::size_t place : some) session_.Top(messages_[place].number, 0);
    done = co_await Go();
  }
  on_head_ = nullptr;
  co_return done;
}

net::Task<Expected<void>> Maildrop::Read(std::size_t place, const MailSource::Sink& sink) {
  sink_ = &sink;
  session_.Retrieve(messages_[place].number);
  auto done = co_await Go();
  sink_ = nullptr;
  co_return done;
}

net::Task<Expected<void>> Maildrop::Remove(std::span<const std::size_t> places) {
  for (const std::size_t place : places) session_.Delete(messages_[place].number);
  auto done = co_await Go();
  co_return done;
}

net::Task<Expected<void>> Maildrop::Leave() {
  if (closed_) co_return Expected<void>();
  session_.Quit();
  co_await Drive(*connected_.stream, session_, connected_.peer);
  co_await connected_.stream->Close(std::chrono::seconds(5));
  if (closed_ && closed_->kind == pop3::ClientOutcome::Kind::kDone) co_return Expected<void>();
  co_return Ended();
}

std::unexpected<Error> Maildrop::Ended() const {
  return Fail(!closed_ || closed_->text.empty() ? "the connection was lost" : closed_->text, connected_.peer.host);
}

// Until all orders are answered.
net::Task<Expected<void>> Maildrop::Go() {
  step_ = {};
  if (!closed_) co_await Drive(*connected_.stream, session_, connected_.peer);
  if (closed_ && step_) co_return Ended();
  co_return step_;
}

void Maildrop::OnReady() {
  session_.List();
  session_.Uidl();
}

void Maildrop::OnReply(Command command, std::uint64_t number, const pop3::StatusLine& reply) {
  const bool ok = reply.status == pop3::Status::kOk;
  head_.clear();
  received_ = 0;
  top_ = command == Command::kTop;
  if (ok || !step_ || command == Command::kUidl || command == Command::kQuit) return;
  if (command == Command::kTop) {  // RFC 1939 §7: a server need not have it
    session_.Retrieve(number);
  } else {
    const std::string where = number == 0 ? connected_.peer.host : fmt::format("message {}", number);
    step_ = Fail(fmt::format("the server refuses {}: {}", Name(command), secrets_.Redacted(reply.text)), where);
  }
}

void Maildrop::OnListed(Command command, const pop3::ListingLine& line) {
  if (command == Command::kList) {
    if (line.number == 0 || messages_.size() == MailSourceLimits::kMessages) return;
    const auto size = ParseNumber(line.rest.substr(0, line.rest.find(' ')));
    messages_.push_back({line.number, size.value_or(0), {}});
  } else if (const std::size_t place = PlaceOf(line.number); place < messages_.size()) {
    messages_[place].id = line.rest;
  }
}

void Maildrop::OnMessageOctets(Octets octets) {
  received_ += octets.size();
  if (on_head_ != nullptr) {
    const std::size_t most = top_ ? MailSourceLimits::kHeader : MailSourceLimits::kBeginning;
    head_ += octets.substr(0, most - std::min(most, head_.size()));
  } else if (sink_ != nullptr && step_) {
    step_ = (*sink_)(octets);
  }
}

void Maildrop::OnEnd(Command command, std::uint64_t number) {
  if (command == Command::kList) return SortMessages();
  if (on_head_ == nullptr || (command != Command::kTop && command != Command::kRetr)) return;
  const std::size_t place = PlaceOf(number);
  if (place == messages_.size()) return;
  const bool whole = command == Command::kRetr && received_ == head_.size();
  (*on_head_)(place, {head_, messages_[place].size, whole});
}

void Maildrop::OnClosed(const pop3::ClientOutcome& outcome) {
  closed_ = outcome;
  if (!closed_->local) secrets_.Redact(closed_->text);
}

std::size_t Maildrop::PlaceOf(std::uint64_t number) const {
  const auto at = std::ranges::lower_bound(messages_, number, {}, &MaildropMessage::number);
  return at == messages_.end() || at->number != number ? messages_.size() : static_cast<std::size_t>(at - messages_.begin());
}

void Maildrop::SortMessages() {
  std::ranges::sort(messages_, {}, &MaildropMessage::number);
  const auto twice = std::ranges::unique(messages_, {}, &MaildropMessage::number);
  messages_.erase(twice.begin(), twice.end());
}

}  // namespace glasspost::agent
