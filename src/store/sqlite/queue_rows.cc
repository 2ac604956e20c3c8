#include "store/sqlite/queue_rows.h"

#include <algorithm>

#include "store/sqlite/messages.h"

namespace glasspost::store {

void InsertEntries(Database& db, MessageId message, const Envelope& envelope, std::span<const NewEntry> entries,
                   std::span<const EntryId> ids) {
  db.Run("INSERT INTO envelope(message, reverse_path, envid, ret, eight_bit, smtputf8, arrived) VALUES(?, ?, ?, ?, ?, ?, ?)",
         message, envelope.reverse_path, envelope.envid, envelope.ret, envelope.eight_bit, envelope.smtputf8, envelope.arrived);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const NewEntry& e = entries[i];
    db.Run(
        "INSERT INTO queue_entry(id, message, recipient, destination, orcpt, notify, held, due, ready, lease_until)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        ids[i], message, e.recipient, e.destination, e.orcpt, e.notify, e.hold, e.due, e.due);
  }
}

bool OwnsEntry(Database& db, EntryId entry, const std::string& owner) {
  Query query(db, "SELECT 1 FROM queue_entry WHERE id = ? AND lease_owner = ?", entry, owner);
  return query.Next();
}

void RemoveEntry(Database& db, EntryId entry, MessageId message) {
  db.Run("DELETE FROM queue_entry WHERE id = ?", entry);
  bool more = false;
  {
    Query query(db, "SELECT 1 FROM queue_entry WHERE message = ? LIMIT 1", message);
    more = query.Next();
  }
  if (!more) db.Run("DELETE FROM envelope WHERE message = ?", message);
  DropReference(db, message);
}

namespace {

// Its header or the prefix does, where the message came with SMTPUTF8 (kUtf8Header).
bool HoldsUtf8(Database& db, MessageId message, std::uint64_t size, const std::string& prefix) {
  {
    Query query(db, "SELECT 1 FROM envelope WHERE message = ? AND smtputf8 <> 0", message);
    if (!query.Next()) return false;
  }
  std::string header;
  AppendOctets(db, message, size, 0, MessageLimits::kHeld, header);
  const Octets lines = Octets(header).substr(0, header.find("\r\n\r\n"));
  const auto above = [](char c) { return static_cast<unsigned char>(c) > 0x7f; };
  return std::ranges::any_of(lines, above) || std::ranges::any_of(prefix, above);
}

bool DeliverHere(Database& db, const Outcome& outcome, MessageId message) {
  DeliveredMessage delivered{message, 0, outcome.attempted};
  {
    Query query(db, "SELECT size FROM message WHERE id = ?", message);
    if (!query.Next()) return false;
    delivered.size = static_cast<std::uint64_t>(query.Int(0));
  }
  const std::uint32_t flags = HoldsUtf8(db, message, delivered.size, outcome.prefix) ? kUtf8Header : 0;
  if (DeliverTo(db, delivered, {outcome.local, outcome.prefix, flags}) == 0) return false;
  AddReference(db, message);
  return true;
}

}  // namespace

bool ApplyOutcome(Database& db, const Outcome& outcome, const std::string& owner) {
  MessageId message = 0;
  bool owned = false;
  {
    Query query(db, "SELECT message, lease_owner = ?2 FROM queue_entry WHERE id = ?1", outcome.entry, owner);
    if (!query.Next()) return false;
    message = query.Int(0);
    owned = query.Int(1) == 1;
  }
  const bool here = outcome.local != 0;
  switch (outcome.kind) {
    case Outcome::Kind::kDelivered:
      if (here && (!owned || !DeliverHere(db, outcome, message))) return false;
      RemoveEntry(db, outcome.entry, message);
      break;
    case Outcome::Kind::kFailed:
      if (owned) RemoveEntry(db, outcome.entry, message);
      break;
    case Outcome::Kind::kDeferred:
      if (!owned) break;
      db.Run(
          "UPDATE queue_entry SET due = ?2, ready = ?2, attempts = attempts + 1, last_attempt = ?3, last_reply = ?4,"
          " delay_told = max(delay_told, ?5), lease_owner = NULL, lease_until = 0 WHERE id = ?1",
          outcome.entry, outcome.due, outcome.attempted, std::string_view(outcome.reply).substr(0, QueueLimits::kReplyOctets),
          outcome.delay_told);
      break;
    case Outcome::Kind::kReleased:
      if (!owned) break;
      db.Run("UPDATE queue_entry SET due = ?2, ready = ?2, lease_owner = NULL, lease_until = 0 WHERE id = ?1", outcome.entry,
             outcome.due);
      break;
  }
  return owned;
}

Entry ReadEntry(const Query& row) {
  Entry e;
  e.id = row.Int(0);
  e.message = row.Int(1);
  e.size = static_cast<std::uint64_t>(row.Int(2));
  e.envelope = {row.Text(3), row.Text(4), static_cast<std::uint8_t>(row.Int(5)), row.Int(6) != 0, row.Int(7) != 0, row.Int(8)};
  e.entry = {row.Text(9), row.Text(10), row.Text(11), static_cast<std::uint8_t>(row.Int(12)), row.Int(13), row.Int(14) != 0};
  e.attempts = static_cast<int>(row.Int(15));
  e.last_attempt = row.Int(16);
  e.last_reply = row.Text(17);
  e.delay_told = row.Int(18);
  e.lease = {row.Text(19), row.Int(20)};
  return e;
}

}  // namespace glasspost::store
