// Message octets and who refers to them, within a transaction of the writer.
#pragma once

#include <span>

#include "store/mailboxes.h"
#include "store/sqlite/database.h"

namespace glasspost::store {

// One reference less; the last takes the octets away.
void DropReference(Database& db, MessageId message);
// One more to a message that has some.
void AddReference(Database& db, MessageId message);

struct DeliveredMessage {
  MessageId id = 0;
  std::uint64_t size = 0;  // without a prefix
  Timestamp internaldate = 0;
};
// Lays a message into a mailbox; gives its UID, or 0 if the mailbox is gone or its UIDs are used up. The reference is the
// caller's affair.
std::uint32_t DeliverTo(Database& db, const DeliveredMessage& message, const LocalDelivery& delivery);

// Takes messages out of a mailbox, whatever of them is there, and drops their references.
void RemoveMessages(Database& db, MailboxId mailbox, std::span<const std::uint32_t> uids);

// Octets [offset, offset + length) of a message, appended to `out`; fewer at its end. `size` is the message's.
void AppendOctets(Database& db, MessageId message, std::uint64_t size, std::uint64_t offset, std::size_t length,
                  std::string& out);

// At most `rows` of what mailboxes that were removed still hold; true: there is more.
bool SweepDoomed(Database& db, int rows);
// Parts of messages that were never committed.
void SweepReceiving(Database& db);

}  // namespace glasspost::store
