#include "wire/smtp/exchange_queue.h"

#include <algorithm>
#include <utility>

#include "wire/sasl/secrets.h"

namespace glasspost::smtp {

void ExchangeQueue::Grow() {
  std::vector<Entry> more(std::max<std::size_t>(1, slots_.size() * 2));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    // A used slot moves to where its number says; a free one is kept for its memory.
    const std::uint64_t number = first_ + i;
    std::swap(more[number & (more.size() - 1)], At(number));
  }
  slots_.swap(more);
  mask_ = slots_.size() - 1;
}

Entry& ExchangeQueue::Push(bool& full) {
  full = count_ >= limit_ || too_heavy();
  if (full) {
    do TellEarly();
    while (count_ > 0 && too_heavy());
    Tell();
  }
  if (count_ == slots_.size()) Grow();
  const std::uint64_t number = first_ + count_++;
  Entry& entry = At(number);
  entry.Clear();
  entry.exchange.number = number;
  return entry;
}

Entry* ExchangeQueue::FirstAwaiting(std::uint64_t from) {
  awaiting_ = std::max(awaiting_, first_);
  while (awaiting_ < next_number() && At(awaiting_).replied) ++awaiting_;
  for (std::uint64_t n = std::max(from, awaiting_); n < next_number(); ++n)
    if (!At(n).replied) return &At(n);
  return nullptr;
}

void ExchangeQueue::TellFront() {
  Entry& entry = At(first_);
  sasl::Redact(entry.exchange, secrets_, entry.verb == Verb::kAuth || entry.verb == Verb::kAuthAnswer);
  if (entry.noted)
    sink_.OnFinding({.id = FindingId::kUnknownCommand,
                     .exchange = entry.exchange.number,
                     .origin = entry.noted_at,
                     .detail = entry.exchange.request.verb.substr(0, kFindingDetail)});
  sink_.OnExchange(entry.exchange);
  octets_ -= std::exchange(entry.weight, 0);
  ++first_;
  --count_;
}

// The front, though replies to it are due: those come before all others.
void ExchangeQueue::TellEarly() {
  const Entry& entry = At(first_);
  if (!entry.replied) overdue_ += entry.replies - std::min(entry.replies, entry.heard);
  TellFront();
}

void ExchangeQueue::TellAll() {
  while (count_ > 0) TellFront();
}

}  // namespace glasspost::smtp
