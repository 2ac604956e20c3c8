// A message on its way into the store: its header is looked at as it passes, what a submitted message lacks is added, its octets
// go on to the store's Receiver, which may ask for a pause.
//
//   intake.Begin(receiver, trace fields, missing);  intake.Take(octets)…;  intake.Finish();  co_await intake.Settle();
//
// While owed() no more is to be given until Settle has ended; what comes all the same is kept.
// In memory: the header (at most `kHeaderOctets`), and what came while the store was busy. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/octets.h"
#include "net/completion.h"
#include "store/receiver.h"
#include "wire/mime/message_scan.h"

namespace glasspost::server {

class MessageIntake {
 public:
  // Stops a message without an empty line from being held whole; such a message is refused.
  static constexpr std::size_t kHeaderOctets = std::size_t{256} << 10;

  // What a submitted message gets if it has none (RFC 6409 §8.1, §8.2); empty for relayed mail, which nobody may change.
  struct Missing {
    std::string date;
    std::string message_id;
  };

  // `waiter`: of the session's coroutine, which calls Settle; outlives it.
  explicit MessageIntake(net::Waiter& waiter);
  // `trace`: header fields that come first.
  void Begin(std::unique_ptr<store::Receiver> receiver, const std::string& trace, Missing missing);
  void Take(Octets octets);
  // All octets were taken.
  void Finish();
  // Until the store is ready for more.
  net::Task<void> Settle();
  // Thrown away, with all that the store has of it.
  void Abandon();

  bool open() const { return receiver_ != nullptr; }
  bool owed() const { return owed_; }
  // The store could not take it; empty if all is well.
  const std::optional<store::Failure>& failure() const { return failure_; }
  bool header_too_long() const { return scan_.header_cut() || (asked_ && asked_->header_cut()); }
  // As it is kept: with our own Received, and what was added.
  Octets header() const { return scan_.header(); }
  store::MessageId id() const { return receiver_->id(); }
  std::string journey_id();  // of the message as it is kept: 32 octets; empty if there is none
  // The value of the Message-ID field, given or added, unfolded.
  std::string message_id() const;
  // For the commit; Begin comes next.
  std::unique_ptr<store::Receiver> TakeReceiver() { return std::move(receiver_); }
  // Heap that it keeps between messages is none.
  void Release();

 private:
  void Emit(Octets octets);
  void Append(Octets octets);
  void EmitHeader();
  void Drain();

  mime::MessageScan scan_;                    // of what is kept
  std::unique_ptr<mime::MessageScan> asked_;  // of a submitted message's header, until it is known what is missing
  std::unique_ptr<store::Receiver> receiver_;
  net::Waiter& waiter_;
  std::optional<net::Answer<store::Result<void>>> answer_;
  Missing missing_;
  std::string waiting_;  // came while an Append was owed
  std::optional<store::Failure> failure_;
  bool owed_ = false;
};

}  // namespace glasspost::server
