#include "store/sqlite/messages.h"

#include <algorithm>
#include <vector>

namespace glasspost::store {
namespace {

constexpr std::int64_t kUidMax = 0xffff'ffff;

void DeleteOctets(Database& db, MessageId message) {
  std::uint64_t size = 0;
  {
    Query query(db, "SELECT size FROM message WHERE id = ?", message);
    if (query.Next()) size = static_cast<std::uint64_t>(query.Int(0));
  }
  db.Run("DELETE FROM message WHERE id = ?", message);
  if (size > MessageLimits::kHeld) db.Run("DELETE FROM message_part WHERE message = ?", message);
}

}  // namespace

void DropReference(Database& db, MessageId message) {
  std::int64_t refs = 1;
  {
    Query query(db, "SELECT refs FROM message_shared WHERE message = ?", message);
    if (query.Next()) refs = query.Int(0);
  }
  if (refs > 2) {
    db.Run("UPDATE message_shared SET refs = refs - 1 WHERE message = ?", message);
  } else if (refs == 2) {
    db.Run("DELETE FROM message_shared WHERE message = ?", message);
  } else {
    DeleteOctets(db, message);
  }
}

void AddReference(Database& db, MessageId message) {
  db.Run("INSERT INTO message_shared(message, refs) VALUES(?, 2) ON CONFLICT(message) DO UPDATE SET refs = refs + 1", message);
}

std::uint32_t DeliverTo(Database& db, const DeliveredMessage& message, const LocalDelivery& delivery) {
  std::int64_t uid = 0, modseq = 0;
  {
    Query query(db, "SELECT uidnext, modseq FROM mailbox WHERE id = ?", delivery.mailbox);
    if (!query.Next()) return 0;
    uid = query.Int(0);
    modseq = query.Int(1) + 1;
  }
  if (uid > kUidMax) return 0;
  const std::uint64_t size = message.size + delivery.prefix.size();
  db.Run("UPDATE mailbox SET uidnext = ?, modseq = ?, messages = messages + 1, octets = octets + ? WHERE id = ?", uid + 1, modseq,
         size, delivery.mailbox);
  db.Run(
      "INSERT INTO mailbox_message(mailbox, uid, message, size, flags, modseq, internaldate, prefix) VALUES(?, ?, ?, ?, ?, ?, ?, "
      "?)",
      delivery.mailbox, uid, message.id, size, delivery.flags, modseq, message.internaldate, Blob{delivery.prefix});
  return static_cast<std::uint32_t>(uid);
}

void RemoveMessages(Database& db, MailboxId mailbox, std::span<const std::uint32_t> uids) {
  std::uint64_t octets = 0;
  std::int64_t count = 0;
  for (const std::uint32_t uid : uids) {
    MessageId message = 0;
    {
      Query query(db, "SELECT message, size FROM mailbox_message WHERE mailbox = ? AND uid = ?", mailbox, uid);
      if (!query.Next()) continue;
      message = query.Int(0);
      octets += static_cast<std::uint64_t>(query.Int(1));
    }
    db.Run("DELETE FROM mailbox_message WHERE mailbox = ? AND uid = ?", mailbox, uid);
    DropReference(db, message);
    ++count;
  }
  if (count == 0) return;
  db.Run("UPDATE mailbox SET modseq = modseq + 1, messages = messages - ?, octets = octets - ? WHERE id = ?", count, octets,
         mailbox);
}

void AppendOctets(Database& db, MessageId message, std::uint64_t size, std::uint64_t offset, std::size_t length,
                  std::string& out) {
  if (offset >= size || length == 0) return;
  if (size <= MessageLimits::kHeld) {
    Query query(db, "SELECT octets FROM message WHERE id = ?", message);
    if (query.Next()) out += query.At(0).substr(std::min<std::uint64_t>(offset, query.At(0).size()), length);
    return;
  }
  Query query(db,
              "SELECT at, octets FROM message_part WHERE message = ?1 AND at >="
              " (SELECT max(at) FROM message_part WHERE message = ?1 AND at <= ?2) AND at < ?3 ORDER BY at",
              message, offset, offset + length);
  while (query.Next() && length > 0) {
    const std::uint64_t at = static_cast<std::uint64_t>(query.Int(0));
    const Octets part = query.At(1);
    if (offset < at || offset - at > part.size()) return;  // a part is missing: what follows is not ours to invent
    const Octets piece = part.substr(offset - at, length);
    out += piece;
    offset += piece.size();
    length -= piece.size();
  }
}

bool SweepDoomed(Database& db, int rows) {
  MailboxId mailbox = 0;
  {
    Query query(db, "SELECT mailbox FROM doomed_mailbox LIMIT 1");
    if (!query.Next()) return false;
    mailbox = query.Int(0);
  }
  std::vector<std::uint32_t> uids;
  {
    Query query(db, "SELECT uid FROM mailbox_message WHERE mailbox = ? LIMIT ?", mailbox, rows);
    while (query.Next()) uids.push_back(static_cast<std::uint32_t>(query.Int(0)));
  }
  RemoveMessages(db, mailbox, uids);
  if (uids.size() < static_cast<std::size_t>(rows)) db.Run("DELETE FROM doomed_mailbox WHERE mailbox = ?", mailbox);
  return true;
}

void SweepReceiving(Database& db) {
  db.Run("DELETE FROM message_part WHERE message IN (SELECT message FROM receiving)");
  db.Run("DELETE FROM receiving");
}

}  // namespace glasspost::store
