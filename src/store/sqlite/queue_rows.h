// Rows of the queue, within a transaction of the writer.
#pragma once

#include <span>

#include "store/queue.h"
#include "store/sqlite/database.h"

namespace glasspost::store {

void InsertEntries(Database& db, MessageId message, const Envelope& envelope, std::span<const NewEntry> entries,
                   std::span<const EntryId> ids);

bool OwnsEntry(Database& db, EntryId entry, const std::string& owner);

// False: the entry was not the owner's (any more); only a delivered one is then taken away, without delivering it a second time
// here.
bool ApplyOutcome(Database& db, const Outcome& outcome, const std::string& owner);

// Takes an entry away, with its envelope and message if it was the last.
void RemoveEntry(Database& db, EntryId entry, MessageId message);

// The columns of an Entry; `ReadEntry` reads them from a row that begins with them.
#define GLASSPOST_ENTRY_SELECT                                                                                              \
  "SELECT q.id, q.message, m.size, e.reverse_path, e.envid, e.ret, e.eight_bit, e.smtputf8, e.arrived, q.recipient, "       \
  "q.destination,"                                                                                                          \
  " q.orcpt, q.notify, q.due, q.held, q.attempts, q.last_attempt, q.last_reply, q.delay_told, q.lease_owner, q.lease_until" \
  " FROM queue_entry q JOIN message m ON m.id = q.message JOIN envelope e ON e.message = q.message"
Entry ReadEntry(const Query& row);

}  // namespace glasspost::store
