// The queue: one row a recipient, claimed by a lease, read by due time and never loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/directory.h"
#include "store/journey.h"

namespace glasspost::store {

using EntryId = std::int64_t;

// Of the message as a whole.
struct Envelope {
  std::string reverse_path;  // "" is <>
  std::string envid;         // RFC 3461 §4.4, decoded; may be empty
  std::uint8_t ret = 0;      // RFC 3461 §4.3: 0 not given, 1 FULL, 2 HDRS
  bool eight_bit = false;    // BODY=8BITMIME or an octet above 127
  bool smtputf8 = false;
  Timestamp arrived = 0;
};

struct NewEntry {
  std::string recipient;    // forward-path without brackets
  std::string destination;  // what deliveries are limited and grouped by: the domain or route, as the caller writes it
  std::string orcpt;        // RFC 3461 §4.2, as given; may be empty
  std::uint8_t notify = 0;  // RFC 3461 §4.1 as bits: 1 NEVER, 2 SUCCESS, 4 FAILURE, 8 DELAY; 0 not given
  Timestamp due = 0;
  bool hold = false;
};

// A lease: who, until when. After that time an entry is due again for anyone.
struct Lease {
  std::string owner;  // unique to the claimer
  Timestamp until = 0;
};

struct Entry {
  EntryId id = 0;
  MessageId message = 0;
  std::uint64_t size = 0;  // octets of the message
  Envelope envelope;
  NewEntry entry;  // due: the next attempt, as last set; unchanged by a lease
  int attempts = 0;
  Timestamp last_attempt = 0;
  std::string last_reply;                     // of the last attempt that failed for now
  Timestamp delay_told = 0;                   // when a notice of delay was sent; 0 never
  Lease lease;                                // owner is empty if nobody has it
  std::shared_ptr<const std::string> octets;  // the whole message, where a claim asked for it; shared by its entries
};

// What became of a claimed entry.
struct Outcome {
  enum class Kind : std::uint8_t {
    kDelivered,  // the entry goes: handed to the next hop, or (with `local`) laid into a mailbox here, in the same transaction
    kFailed,     // the entry goes: bounced, or dropped because nobody may be told
    kDeferred,   // tried, to be tried again at `due`
    kReleased,   // not tried: given back, due at `due`
  };
  EntryId entry = 0;
  Kind kind = Kind::kDelivered;
  Timestamp due = 0;
  Timestamp attempted = 0;
  std::string reply = {};    // kDeferred
  Timestamp delay_told = 0;  // kDeferred: set if not 0
  MailboxId local = 0;       // kDelivered: the mailbox, or 0
  std::string prefix = {};   // with `local`: header lines of this recipient
};

struct Claim {
  Lease lease;
  Timestamp now = 0;
  std::size_t limit = 100;            // at most QueueLimits::kClaimed
  std::size_t per_destination = 100;  // of these, at most so many of one destination
  std::vector<std::string> skip;      // destinations that have no room now
  bool with_octets = false;           // entries of messages up to MessageLimits::kHeld come with them, together at most
                                      // QueueLimits::kClaimedOctets: a read less for each
};

struct QueueSelection {
  std::string destination;  // empty: any
  std::string address;      // empty: any; else the sender or the recipient
  MessageId message = 0;    // 0: any
  EntryId after = 0;        // paging: entries in the order of their ids
  std::size_t limit = 100;
  bool held_only = false;
};

struct QueueCounts {
  std::uint64_t entries = 0;
  std::uint64_t held = 0;
  std::uint64_t claimed = 0;
  Timestamp oldest_due = kNoTime;  // of those not held; kNoTime if there is none
};

struct QueueLimits {
  static constexpr std::size_t kClaimed = 1000;                   // entries a claim gives
  static constexpr std::size_t kClaimedOctets = 4 * 1024 * 1024;  // of messages that come with a claim
  static constexpr std::size_t kListed = 1000;                    // entries a page has
  static constexpr std::size_t kReplyOctets = 4096;               // of a reply that is kept; more is cut
  static constexpr std::size_t kPathOctets = 4096;                // recipient, orcpt, reverse-path, envid
  static constexpr std::size_t kScanned = 4096;   // rows looked at by due time before destinations are asked one by one
  static constexpr std::size_t kOutcomes = 1000;  // of one call
};

enum class QueueAction : std::uint8_t { kHold, kRelease, kRetry, kRemove };

class Queue {
 public:
  virtual ~Queue() = default;
  // Due entries by due time, now leased to the claimer. The lease is on the disk when they are given.
  virtual void ClaimDue(Claim claim, Done<std::vector<Entry>> done) = 0;
  virtual void Renew(std::vector<EntryId> entries, Lease lease, Done<void> done) = 0;
  // When the next entry that is neither held nor leased is due; kNoTime if there is none. `skip` as in Claim.
  virtual void NextDue(std::vector<std::string> skip, Done<Timestamp> done) = 0;
  // All outcomes in one transaction with the events. An entry that is another's now, or gone, is left alone, except that a
  // delivered one goes whoever has it; the answer says for each whether it was as the caller believed. A bounce goes with
  // Receiver::Commit instead.
  virtual void Settle(std::string owner, std::vector<Outcome> outcomes, std::vector<JourneyEvent> events,
                      Done<std::vector<bool>> done) = 0;

  virtual void List(QueueSelection selection, Done<std::vector<Entry>> done) = 0;
  virtual void Count(Done<QueueCounts> done) = 0;  // some 10 ms for a million
  // On every entry that the selection names (its paging is ignored), whatever its number, some thousands a transaction; gives how
  // many. kRemove skips leased entries. `now` is the due time that kRetry and kRelease set.
  virtual void Act(QueueAction action, QueueSelection selection, Timestamp now, Done<std::uint64_t> done) = 0;
  // On these, at most kListed, in one transaction. `events`: none, or one for each entry in their order; those of the entries
  // that were changed (held, released, removed) are written with the change, the others are not.
  virtual void ActOn(QueueAction action, std::vector<EntryId> entries, Timestamp now, std::vector<JourneyEvent> events,
                     Done<std::uint64_t> done) = 0;
};

}  // namespace glasspost::store
