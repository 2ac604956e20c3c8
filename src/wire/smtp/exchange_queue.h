// The exchanges of a conversation that are not told yet: a ring in the order of their numbers. Slots are used again, with the
// memory of their strings. Told without the secrets known by then.
#pragma once

#include <cstdint>
#include <vector>

#include "base/redaction.h"
#include "wire/exchange.h"
#include "wire/smtp/grammar.h"

namespace glasspost::smtp {

constexpr std::size_t kFindingDetail = 80;  // octets of the peer's that a finding repeats

struct Entry {
  Verb verb = Verb::kUnknown;
  bool request_done = true;  // false: its octets are still coming (data block, chunk)
  bool replied = false;      // its reply is there, or will not come
  bool lossy = false;        // its reply may lie in a gap
  bool last = false;         // BDAT … LAST
  bool noted = false;        // as an unknown command, which is told with it: its reply may yet say that it was a secret
  Exchange exchange;
  Origin noted_at;
  std::uint64_t transaction = 0;
  std::size_t recipient = 0;
  std::size_t replies = 1;  // LMTP data block: how many are due
  std::size_t heard = 0;    // of them
  std::size_t weight = 0;   // octets of its texts, as last weighed

  void Clear() {
    exchange.Clear();
    verb = Verb::kUnknown;
    request_done = true;
    replied = lossy = last = noted = false;
    transaction = 0;
    recipient = 0;
    replies = 1;
    heard = weight = 0;
  }
};

class ExchangeQueue {
 public:
  // `limit`, `octet_limit`: entries that may wait, and octets of their texts; beyond it the oldest is told as it stands.
  // `secrets` outlives the queue.
  ExchangeQueue(ObserverSink& sink, const Secrets& secrets, std::size_t limit, std::size_t octet_limit)
      : sink_(sink), secrets_(secrets), limit_(limit), octet_limit_(octet_limit) {}

  // A new exchange with the next number. References to other entries die; `full` is set where an entry had to go.
  Entry& Push(bool& full);
  // Null if it has been told already, or is none.
  Entry* Find(std::uint64_t number) { return number >= first_ && number < next_number() ? &At(number) : nullptr; }
  const Entry* Find(std::uint64_t number) const { return const_cast<ExchangeQueue*>(this)->Find(number); }
  // The first entry with number >= `from` that awaits a reply; null if there is none.
  Entry* FirstAwaiting(std::uint64_t from = 0);
  // Tells all entries at the front that are whole. References to entries die.
  void Tell() {
    while (count_ > 0 && At(first_).replied && At(first_).request_done) TellFront();
  }
  // Tells everything as it stands.
  void TellAll();
  // The entry's texts have changed.
  void Weigh(Entry& entry) {
    octets_ -= entry.weight;
    entry.weight = entry.exchange.Held();
    octets_ += entry.weight;
  }
  // The entry has got one more reply, and nothing else has changed.
  void WeighLastReply(Entry& entry) {
    const std::size_t octets = sizeof(Reply) + entry.exchange.more_replies.back().Held();
    entry.weight += octets;
    octets_ += octets;
  }
  // More octets wait than should.
  bool too_heavy() const { return octets_ > octet_limit_; }
  // Replies that will come to entries that had to go before them. Whoever takes one says so.
  std::uint64_t overdue() const { return overdue_; }
  void set_overdue(std::uint64_t replies) { overdue_ = replies; }
  // Octets of memory, by the weights.
  std::size_t Held() const { return slots_.size() * sizeof(Entry) + octets_; }

  std::uint64_t next_number() const { return first_ + count_; }
  std::uint64_t first_number() const { return first_; }

 private:
  Entry& At(std::uint64_t number) { return slots_[number & mask_]; }
  void Grow();
  void TellFront();
  void TellEarly();

  std::vector<Entry> slots_;  // a power of two of them; an entry's slot follows from its number
  std::uint64_t mask_ = 0;    // their number less one, for which a vector has to divide
  std::uint64_t first_ = 1;   // number of the oldest entry
  std::size_t count_ = 0;
  std::uint64_t awaiting_ = 1;  // no entry before this number awaits a reply
  ObserverSink& sink_;
  const Secrets& secrets_;
  std::size_t limit_;
  std::size_t octet_limit_;
  std::size_t octets_ = 0;  // the weights of those that wait
  std::uint64_t overdue_ = 0;
};

}  // namespace glasspost::smtp
