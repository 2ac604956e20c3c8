#include "store/sqlite/sqlite_mailboxes.h"

#include <algorithm>
#include <utility>

#include "store/sqlite/mailbox_rows.h"
#include "store/sqlite/messages.h"

namespace glasspost::store {
namespace {

#define GLASSPOST_MAILBOX_SELECT "SELECT id, parent, name, uidvalidity, uidnext, modseq, messages, octets, account FROM mailbox"

MailboxInfo ReadMailbox(const Query& row) {
  MailboxInfo m;
  m.id = row.Int(0);
  m.parent = row.Int(1);
  m.name = row.Text(2);
  m.uidvalidity = static_cast<std::uint32_t>(row.Int(3));
  m.uidnext = static_cast<std::uint32_t>(std::min<std::int64_t>(row.Int(4), 0xffff'ffff));
  m.modseq = static_cast<std::uint64_t>(row.Int(5));
  m.messages = static_cast<std::uint64_t>(row.Int(6));
  m.octets = static_cast<std::uint64_t>(row.Int(7));
  return m;
}

struct Place {
  AccountId account = 0;
  MailboxId inbox = 0;
  MailboxId parent = 0;
};

bool FindPlace(Database& db, MailboxId mailbox, Place& place) {
  Query query(db, "SELECT m.account, a.inbox, m.parent FROM mailbox m JOIN account a ON a.id = m.account WHERE m.id = ?",
              mailbox);
  if (!query.Next()) return false;
  place = {query.Int(0), query.Int(1), query.Int(2)};
  return true;
}

// That `name` may lie under `parent`, and that `moved` (0: a new one) would not lie under itself.
Result<void> CheckPlace(Database& db, AccountId account, MailboxId parent, const std::string& name, MailboxId moved) {
  if (name.empty() || name.size() > DirectoryLimits::kNameOctets) return Refuse(Fault::kInvalid, "the name of a mailbox");
  int depth = 1;
  for (MailboxId at = parent; at != 0; ++depth) {
    Place place;
    if (!FindPlace(db, at, place) || place.account != account) return Refuse(Fault::kNotFound, "no such parent");
    if (at == moved || depth == MailboxLimits::kDepth) return Refuse(Fault::kInvalid, "the tree of mailboxes");
    at = place.parent;
  }
  Query query(db, "SELECT 1 FROM mailbox WHERE account = ? AND parent = ? AND name = ?", account, parent, name);
  if (query.Next()) return Refuse(Fault::kExists, name);
  return {};
}

Result<void> CheckUids(const std::vector<std::uint32_t>& uids, const std::vector<JourneyEvent>& events) {
  if (uids.size() <= MailboxLimits::kUids && WithinLimits(events, std::max(uids.size(), JourneyLimits::kEventsInCommit)))
    return {};
  return Refuse(Fault::kTooLarge, "too many messages or events at once");
}

ListingCache::Items LoadListing(Database& db, MailboxId mailbox) {
  auto items = std::make_shared<std::vector<MaildropItem>>();
  Query query(db, "SELECT uid, flags, message, size FROM mailbox_message WHERE mailbox = ? ORDER BY uid LIMIT ?", mailbox,
              MailboxLimits::kMaildrop);
  while (query.Next()) {
    items->push_back({static_cast<std::uint32_t>(query.Int(0)), (static_cast<std::uint32_t>(query.Int(1)) & kUtf8Header) != 0,
                      query.Int(2), static_cast<std::uint64_t>(query.Int(3))});
  }
  items->shrink_to_fit();
  return items;
}

Result<Maildrop> LoadMaildrop(Engine& engine, Database& db, MailboxId mailbox) {
  MailboxInfo info;
  {
    Query query(db, GLASSPOST_MAILBOX_SELECT " WHERE id = ?", mailbox);
    if (!query.Next()) return Refuse(Fault::kNotFound, "no such mailbox");
    info = ReadMailbox(query);
  }
  Maildrop drop{mailbox, info.uidvalidity, engine.listings.Find(mailbox, info.uidvalidity, info.modseq), 0};
  if (!drop.items) {
    drop.items = LoadListing(db, mailbox);
    if (!db.failed()) engine.listings.Put(mailbox, info.uidvalidity, info.modseq, drop.items);
  }
  for (const MaildropItem& item : *drop.items) drop.octets += item.size;
  return drop;
}

// One message's octets from `offset`, at most `length`, appended with its piece.
void AppendPiece(Database& db, MessageId message, std::uint32_t uid, Octets prefix, std::uint64_t size, std::uint64_t offset,
                 std::size_t length, ReadAnswer& answer) {
  const std::size_t begin = answer.octets.size();
  if (offset < prefix.size()) answer.octets += prefix.substr(offset, length);
  const std::size_t taken = answer.octets.size() - begin;
  const std::uint64_t shared = offset < prefix.size() ? 0 : offset - prefix.size();
  AppendOctets(db, message, size - prefix.size(), shared, length - taken, answer.octets);
  const std::size_t end = answer.octets.size();
  answer.pieces.push_back({uid, begin, end, offset + (end - begin) >= size});
}

Result<ReadAnswer> ReadFrom(Database& db, ReadRequest& request) {
  const std::size_t length = std::min(request.length, MessageLimits::kChunk);
  ReadAnswer answer = std::move(request.memory);
  answer.octets.clear();
  answer.pieces.clear();
  Query query(db, "SELECT uid, message, size, prefix FROM mailbox_message WHERE mailbox = ? AND uid >= ? ORDER BY uid",
              request.mailbox, request.uid);
  while (query.Next()) {
    const auto uid = static_cast<std::uint32_t>(query.Int(0));
    const auto size = static_cast<std::uint64_t>(query.Int(2));
    const std::uint64_t offset = answer.pieces.empty() ? request.offset : 0;
    if (answer.pieces.empty() && uid != request.uid) break;
    const std::size_t room = length - answer.octets.size();
    if (!answer.pieces.empty() && size > room) break;
    if (answer.pieces.empty()) answer.octets.reserve(request.ahead ? length : std::min<std::uint64_t>(length, size));
    AppendPiece(db, query.Int(1), uid, query.At(3), size, offset, room, answer);
    if (!request.ahead || !answer.pieces.back().last) break;
  }
  if (answer.pieces.empty()) return Refuse(Fault::kNotFound, "no such message");
  return answer;
}

std::uint32_t ChangedFlags(FlagChange change, std::uint32_t before, std::uint32_t flags) {
  flags &= ~kUtf8Header;
  switch (change) {
    case FlagChange::kReplace:
      return flags | (before & kUtf8Header);
    case FlagChange::kAdd:
      return before | flags;
    case FlagChange::kRemove:
      return before & ~flags;
  }
  return before;
}

}  // namespace

MailboxInfo InsertMailbox(Database& db, AccountId account, MailboxId parent, std::string_view name, Timestamp now) {
  db.Run(
      "INSERT INTO counter(name, value) VALUES('uidvalidity', ?) ON CONFLICT(name) DO UPDATE SET value = max(value + 1, "
      "excluded.value)",
      std::clamp<std::int64_t>(now / 1'000'000'000, 1, 0xffff'ffff));
  MailboxInfo info;
  info.parent = parent;
  info.name = name;
  {
    Query query(db, "SELECT value FROM counter WHERE name = 'uidvalidity'");
    if (query.Next()) info.uidvalidity = static_cast<std::uint32_t>(query.Int(0));
  }
  db.Run(
      "INSERT INTO mailbox(account, parent, name, uidvalidity, uidnext, modseq, messages, octets) VALUES(?, ?, ?, ?, 1, 0, 0, 0)",
      account, parent, name, info.uidvalidity);
  info.id = db.last_id();
  return info;
}

void SqliteMailboxes::OpenMaildrop(AccountId account, Lease lease, Timestamp now, Done<Maildrop> done) {
  engine_.readers->Call<Maildrop>(
      [&engine = engine_, account, lease = std::move(lease), now](Database& db) -> Result<Maildrop> {
        MailboxId mailbox = 0;
        {
          Query query(db, "SELECT inbox FROM account WHERE id = ?", account);
          if (!query.Next()) return Refuse(Fault::kNotFound, "no such account");
          mailbox = query.Int(0);
        }
        if (!engine.locks.Take(mailbox, lease, now)) return Refuse(Fault::kInUse, "the maildrop is open elsewhere");
        Result<Maildrop> drop = LoadMaildrop(engine, db, mailbox);
        if (!drop || db.failed()) engine.locks.Release(mailbox, lease.owner);
        return drop;
      },
      std::move(done));
}

void SqliteMailboxes::RenewMaildrop(MailboxId mailbox, Lease lease, Done<void> done) {
  engine_.readers->Call<void>(
      [&engine = engine_, mailbox, lease = std::move(lease)](Database&) -> Result<void> {
        if (engine.locks.Renew(mailbox, lease)) return {};
        return Refuse(Fault::kLeaseLost, "the maildrop's lock has run out");
      },
      std::move(done));
}

void SqliteMailboxes::UpdateMaildrop(MailboxId mailbox, std::string owner, std::vector<std::uint32_t> uids,
                                     std::vector<JourneyEvent> events, Done<void> done) {
  engine_.writer->Call<void>(
      [&engine = engine_, mailbox, owner, uids = std::move(uids), events = std::move(events)](Database& db) -> Result<void> {
        if (!engine.locks.Holds(mailbox, owner)) return Refuse(Fault::kLeaseLost, "the maildrop's lock has run out");
        if (const Result<void> bounded = CheckUids(uids, events); !bounded) return bounded;
        RemoveMessages(db, mailbox, uids);
        AppendEvents(engine, db, events, 0);
        return {};
      },
      [&engine = engine_, mailbox, owner, done = std::move(done)](Result<void> result) mutable {
        engine.locks.Release(mailbox, owner);
        done(std::move(result));
      });
}

void SqliteMailboxes::ReleaseMaildrop(MailboxId mailbox, const std::string& owner) { engine_.locks.Release(mailbox, owner); }

void SqliteMailboxes::Read(ReadRequest request, Done<ReadAnswer> done) {
  engine_.readers->Call<ReadAnswer>([request = std::move(request)](Database& db) mutable { return ReadFrom(db, request); },
                                    std::move(done));
}

void SqliteMailboxes::ReadMessage(MessageId message, std::uint64_t offset, std::size_t length, Done<std::string> done) {
  engine_.readers->Call<std::string>(
      [message, offset, length](Database& db) -> Result<std::string> {
        std::uint64_t size = 0;
        {
          Query query(db, "SELECT size FROM message WHERE id = ?", message);
          if (!query.Next()) return Refuse(Fault::kNotFound, "no such message");
          size = static_cast<std::uint64_t>(query.Int(0));
        }
        std::string octets;
        AppendOctets(db, message, size, offset, std::min(length, MessageLimits::kChunk), octets);
        return octets;
      },
      std::move(done));
}

void SqliteMailboxes::ListMailboxes(AccountId account, Done<std::vector<MailboxInfo>> done) {
  engine_.readers->Call<std::vector<MailboxInfo>>(
      [account](Database& db) -> Result<std::vector<MailboxInfo>> {
        std::vector<MailboxInfo> mailboxes;
        Query query(db, GLASSPOST_MAILBOX_SELECT " WHERE account = ? ORDER BY id", account);
        while (query.Next()) mailboxes.push_back(ReadMailbox(query));
        return mailboxes;
      },
      std::move(done));
}

void SqliteMailboxes::CreateMailbox(AccountId account, MailboxId parent, std::string name, Timestamp now,
                                    Done<MailboxInfo> done) {
  engine_.writer->Call<MailboxInfo>(
      [account, parent, name = std::move(name), now](Database& db) -> Result<MailboxInfo> {
        {
          Query query(db, "SELECT (SELECT count(*) FROM mailbox WHERE account = a.id) FROM account a WHERE id = ?", account);
          if (!query.Next()) return Refuse(Fault::kNotFound, "no such account");
          if (query.Int(0) >= static_cast<std::int64_t>(MailboxLimits::kMailboxes))
            return Refuse(Fault::kTooLarge, "too many mailboxes");
        }
        if (const Result<void> sound = CheckPlace(db, account, parent, name, 0); !sound) return std::unexpected(sound.error());
        return InsertMailbox(db, account, parent, name, now);
      },
      std::move(done));
}

void SqliteMailboxes::RenameMailbox(MailboxId mailbox, MailboxId parent, std::string name, Done<void> done) {
  engine_.writer->Call<void>(
      [mailbox, parent, name = std::move(name)](Database& db) -> Result<void> {
        Place place;
        if (!FindPlace(db, mailbox, place)) return Refuse(Fault::kNotFound, "no such mailbox");
        if (place.inbox == mailbox) return Refuse(Fault::kInvalid, "INBOX keeps its name");
        if (const Result<void> sound = CheckPlace(db, place.account, parent, name, mailbox); !sound) return sound;
        db.Run("UPDATE mailbox SET parent = ?, name = ? WHERE id = ?", parent, name, mailbox);
        return {};
      },
      std::move(done));
}

void SqliteMailboxes::DeleteMailbox(MailboxId mailbox, Done<void> done) {
  engine_.writer->Call<void>(
      [mailbox](Database& db) -> Result<void> {
        Place place;
        if (!FindPlace(db, mailbox, place)) return Refuse(Fault::kNotFound, "no such mailbox");
        if (place.inbox == mailbox) return Refuse(Fault::kInvalid, "INBOX stays");
        {
          Query query(db, "SELECT 1 FROM mailbox WHERE account = ? AND parent = ? LIMIT 1", place.account, mailbox);
          if (query.Next()) return Refuse(Fault::kNotEmpty, "it has mailboxes beneath it");
        }
        db.Run("INSERT INTO doomed_mailbox(mailbox) VALUES(?)", mailbox);
        db.Run("DELETE FROM mailbox WHERE id = ?", mailbox);
        return {};
      },
      [&engine = engine_, done = std::move(done)](Result<void> result) mutable {
        engine.writer->Wake();
        done(std::move(result));
      });
}

void SqliteMailboxes::ListMessages(MailboxId mailbox, std::uint32_t after_uid, Done<std::vector<MailboxMessage>> done) {
  engine_.readers->Call<std::vector<MailboxMessage>>(
      [mailbox, after_uid](Database& db) -> Result<std::vector<MailboxMessage>> {
        std::vector<MailboxMessage> messages;
        Query query(db,
                    "SELECT uid, message, size, flags, modseq, internaldate FROM mailbox_message WHERE mailbox = ? AND uid > ?"
                    " ORDER BY uid LIMIT ?",
                    mailbox, after_uid, MailboxLimits::kPage);
        while (query.Next()) {
          messages.push_back({static_cast<std::uint32_t>(query.Int(0)), query.Int(1), static_cast<std::uint64_t>(query.Int(2)),
                              static_cast<std::uint32_t>(query.Int(3)) & ~kUtf8Header, static_cast<std::uint64_t>(query.Int(4)),
                              query.Int(5)});
        }
        return messages;
      },
      std::move(done));
}

void SqliteMailboxes::SetFlags(MailboxId mailbox, std::vector<std::uint32_t> uids, FlagChange change, std::uint32_t flags,
                               Done<std::uint64_t> done) {
  engine_.writer->Call<std::uint64_t>(
      [mailbox, uids = std::move(uids), change, flags](Database& db) -> Result<std::uint64_t> {
        if (uids.size() > MailboxLimits::kUids) return Refuse(Fault::kTooLarge, "too many messages at once");
        std::int64_t modseq = 0;
        {
          Query query(db, "SELECT modseq + 1 FROM mailbox WHERE id = ?", mailbox);
          if (!query.Next()) return Refuse(Fault::kNotFound, "no such mailbox");
          modseq = query.Int(0);
        }
        for (const std::uint32_t uid : uids) {
          std::uint32_t before = 0;
          {
            Query query(db, "SELECT flags FROM mailbox_message WHERE mailbox = ? AND uid = ?", mailbox, uid);
            if (!query.Next()) continue;
            before = static_cast<std::uint32_t>(query.Int(0));
          }
          db.Run("UPDATE mailbox_message SET flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?",
                 ChangedFlags(change, before, flags), modseq, mailbox, uid);
        }
        db.Run("UPDATE mailbox SET modseq = ? WHERE id = ?", modseq, mailbox);
        return static_cast<std::uint64_t>(modseq);
      },
      std::move(done));
}

void SqliteMailboxes::Expunge(MailboxId mailbox, std::vector<std::uint32_t> uids, std::vector<JourneyEvent> events,
                              Done<void> done) {
  engine_.writer->Call<void>(
      [&engine = engine_, mailbox, uids = std::move(uids), events = std::move(events)](Database& db) -> Result<void> {
        if (const Result<void> bounded = CheckUids(uids, events); !bounded) return bounded;
        RemoveMessages(db, mailbox, uids);
        AppendEvents(engine, db, events, 0);
        return {};
      },
      std::move(done));
}

}  // namespace glasspost::store
