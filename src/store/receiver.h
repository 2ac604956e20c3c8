// A message as it comes in: octets as a stream, then one commit for all that is to become of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/octets.h"
#include "store/queue.h"

namespace glasspost::store {

struct MessageLimits {
  static constexpr std::size_t kChunk = 256 * 1024;      // octets of one Append, and of one piece read
  static constexpr std::size_t kHeld = 64 * 1024;        // octets that stay in memory until the commit; beyond, rows of this size
  static constexpr std::uint64_t kMessage = 1ull << 30;  // octets of a message
  static constexpr std::size_t kPrefix = 8 * 1024;       // octets of one recipient's header lines
  static constexpr std::size_t kRecipients = 10'000;     // mailboxes and entries of one commit
  // Of one commit: that it came, and of each recipient that it is an alias, and where it goes.
  static constexpr std::size_t kEvents = 2 * kRecipients + 1;
};

struct LocalDelivery {
  MailboxId mailbox = 0;
  std::string prefix;  // header lines of this recipient before the shared octets (Return-Path, Delivered-To), each with its CRLF
  std::uint32_t flags = 0;  // store/mailboxes.h, kUtf8Header among them
};

struct Plan {
  std::vector<LocalDelivery> mailboxes;
  Envelope envelope;  // used if there are entries
  std::vector<NewEntry> entries;
  std::vector<JourneyEvent> events;
  Timestamp arrived = 0;       // INTERNALDATE
  bool enforce_quota = false;  // kOverQuota for the whole if one mailbox would exceed its account's
  // A bounce or a notice of delay and the outcomes that it tells of are one transaction: if one of these entries is not the
  // owner's any more, all of it is refused with kLeaseLost.
  std::string owner;
  std::vector<Outcome> outcomes;
};

struct Accepted {
  MessageId message = 0;
  std::vector<EntryId> entries;     // in the order of the plan
  std::vector<std::uint32_t> uids;  // of the mailboxes, in the order of the plan
};

// One message. Not thread-safe: one call at a time, and none while a completion is owed. Destroyed without Commit, it is
// abandoned: what was written is taken away later. It may outlive neither the store nor be used after Commit.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual MessageId id() const = 0;  // for the Received field and the reply; nobody else's, ever
  // At most MessageLimits::kChunk octets, which are copied. True: taken, and `done` was not and will not be called. False: `done`
  // will be called when the next octets may come (or with what is wrong).
  virtual bool Append(Octets octets, Done<void> done) = 0;
  virtual std::uint64_t size() const = 0;
  virtual void Commit(Plan plan, Done<Accepted> done) = 0;
};

}  // namespace glasspost::store
