#include "store/sqlite/schema.h"

#include <iterator>
#include <string>

namespace glasspost::store {
namespace {

// Step N leads from version N to N + 1. A step that has been released is never changed.
//
// References are by id and held by the code that writes, not by FOREIGN KEY: a look-up less for every row.
constexpr const char* kSteps[] = {
    R"sql(
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE domain(name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE account(id INTEGER PRIMARY KEY AUTOINCREMENT, domain TEXT NOT NULL, local TEXT NOT NULL,
  quota INTEGER NOT NULL,                    -- octets, 0 is none
  inbox INTEGER NOT NULL, UNIQUE(domain, local));
CREATE TABLE verifier(account INTEGER, position INTEGER, scheme TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(account, position)) WITHOUT ROWID;
CREATE INDEX verifier_scheme ON verifier(scheme);
CREATE TABLE alias(domain TEXT, local TEXT, position INTEGER, target_local TEXT NOT NULL, target_domain TEXT NOT NULL,
  PRIMARY KEY(domain, local, position)) WITHOUT ROWID;

CREATE TABLE mailbox(id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL,
  parent INTEGER NOT NULL,                   -- 0 at the top
  name TEXT NOT NULL, uidvalidity INTEGER NOT NULL, uidnext INTEGER NOT NULL, modseq INTEGER NOT NULL,
  messages INTEGER NOT NULL, octets INTEGER NOT NULL, UNIQUE(account, parent, name));
CREATE TABLE mailbox_message(mailbox INTEGER, uid INTEGER, message INTEGER NOT NULL,
  size INTEGER NOT NULL,                     -- with the prefix
  flags INTEGER NOT NULL, modseq INTEGER NOT NULL, internaldate INTEGER NOT NULL,
  prefix BLOB NOT NULL,                      -- header lines of this recipient
  PRIMARY KEY(mailbox, uid)) WITHOUT ROWID;
CREATE TABLE maildrop_lease(mailbox INTEGER PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL);
CREATE TABLE doomed_mailbox(mailbox INTEGER PRIMARY KEY);  -- its messages are being taken away

-- Octets once, whatever the number of those who refer to them (mailbox_message, queue_entry).
CREATE TABLE message(id INTEGER PRIMARY KEY, size INTEGER NOT NULL,
  octets BLOB);                              -- NULL above 65536 octets: in message_part
CREATE TABLE message_part(message INTEGER, at INTEGER, octets BLOB NOT NULL, PRIMARY KEY(message, at)) WITHOUT ROWID;
CREATE TABLE message_shared(message INTEGER PRIMARY KEY, refs INTEGER NOT NULL);  -- only if more than one refers to it
CREATE TABLE receiving(message INTEGER PRIMARY KEY, octets INTEGER NOT NULL);     -- parts that nothing refers to yet

CREATE TABLE envelope(message INTEGER PRIMARY KEY, reverse_path TEXT NOT NULL, envid TEXT NOT NULL, ret INTEGER NOT NULL,
  eight_bit INTEGER NOT NULL, smtputf8 INTEGER NOT NULL, arrived INTEGER NOT NULL);
CREATE TABLE queue_entry(id INTEGER PRIMARY KEY, message INTEGER NOT NULL, recipient TEXT NOT NULL,
  destination TEXT NOT NULL, orcpt TEXT NOT NULL, notify INTEGER NOT NULL, held INTEGER NOT NULL,
  due INTEGER NOT NULL,                      -- the next attempt
  ready INTEGER NOT NULL,                    -- when it may be claimed: due, or the end of the lease
  attempts INTEGER NOT NULL DEFAULT 0, last_attempt INTEGER NOT NULL DEFAULT 0, last_reply TEXT NOT NULL DEFAULT '',
  delay_told INTEGER NOT NULL DEFAULT 0, lease_owner TEXT, lease_until INTEGER NOT NULL DEFAULT 0);
CREATE INDEX queue_message ON queue_entry(message);
CREATE INDEX queue_ready ON queue_entry(ready, id, destination) WHERE held = 0;
CREATE INDEX queue_destination ON queue_entry(destination, ready) WHERE held = 0;
CREATE INDEX queue_held ON queue_entry(held) WHERE held = 1;
CREATE INDEX queue_leased ON queue_entry(lease_owner) WHERE lease_owner IS NOT NULL;

CREATE TABLE journey_event(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, message INTEGER, kind INTEGER NOT NULL,
  conversation INTEGER, sender TEXT, recipient TEXT, message_id TEXT, digest BLOB, detail BLOB);
CREATE TABLE journey_index(run INTEGER, first INTEGER, entries BLOB NOT NULL, PRIMARY KEY(run, first)) WITHOUT ROWID;
)sql",
};
static_assert(std::size(kSteps) == kSchemaVersion);

}  // namespace

Result<void> MigrateTo(Database& db, int version) {
  int at = 0;
  {
    Query query(db, "PRAGMA user_version");
    if (query.Next()) at = static_cast<int>(query.Int(0));
  }
  if (db.failed()) return std::unexpected(db.failure());
  if (at > kSchemaVersion) {
    return Refuse(Fault::kInvalid, "the store has schema version " + std::to_string(at) +
                                       ", and this program knows versions up to " + std::to_string(kSchemaVersion));
  }
  for (; at < version; ++at) {
    const std::string stamp = "PRAGMA user_version=" + std::to_string(at + 1);
    db.Execute("BEGIN IMMEDIATE");
    db.Execute(kSteps[at]);
    db.Execute(stamp.c_str());
    db.Execute("COMMIT");
    if (db.failed()) {
      Failure failure = db.failure();
      db.ClearError();
      if (db.in_transaction()) db.Execute("ROLLBACK");
      return std::unexpected(std::move(failure));
    }
  }
  return {};
}

Result<void> Migrate(Database& db) { return MigrateTo(db, kSchemaVersion); }

}  // namespace glasspost::store
