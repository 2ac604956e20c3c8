#include "store/sqlite/sqlite_receiver.h"

#include <utility>

#include "store/sqlite/messages.h"
#include "store/sqlite/queue_rows.h"

namespace glasspost::store {
namespace {

constexpr const char* kNoRoom = "there is hardly room on the disk";
constexpr std::size_t kRowOctets = 256;  // what a row costs in a batch beside its octets

// Octets that were written before, as the row of `receiving` says: after a part that failed nothing more is taken.
Result<void> ExpectWritten(Database& db, MessageId id, std::uint64_t written) {
  std::uint64_t found = 0;
  {
    Query query(db, "SELECT octets FROM receiving WHERE message = ?", id);
    if (query.Next()) found = static_cast<std::uint64_t>(query.Int(0));
  }
  if (found != written) return Refuse(Fault::kFailed, "an earlier part of the message could not be written");
  return {};
}

Result<void> CheckQuota(Database& db, const LocalDelivery& delivery, std::uint64_t size) {
  Query query(db,
              "SELECT a.quota, (SELECT sum(octets) FROM mailbox WHERE account = a.id), a.local || '@' || a.domain"
              " FROM mailbox m JOIN account a ON a.id = m.account WHERE m.id = ? AND a.quota > 0",
              delivery.mailbox);
  if (!query.Next()) return {};
  if (static_cast<std::uint64_t>(query.Int(1)) + size + delivery.prefix.size() <= static_cast<std::uint64_t>(query.Int(0)))
    return {};
  return Refuse(Fault::kOverQuota, query.Text(2));
}

// Everything that one final commit does; run by the writer.
struct Acceptance {
  Engine& engine;
  MessageId id;
  std::uint64_t written;
  std::string tail;
  Plan plan;
  std::vector<EntryId> ids;  // of the entries

  std::uint64_t size() const { return written + tail.size(); }

  Result<void> Check(Database& db) const {
    if (engine.low && plan.outcomes.empty()) return Refuse(Fault::kFull, kNoRoom);
    if (!WithinLimits(plan.events, MessageLimits::kEvents) ||
        plan.mailboxes.size() + plan.entries.size() > MessageLimits::kRecipients ||
        plan.outcomes.size() > QueueLimits::kOutcomes) {
      return Refuse(Fault::kTooLarge, "too many recipients or events");
    }
    for (const LocalDelivery& delivery : plan.mailboxes) {
      if (delivery.prefix.size() > MessageLimits::kPrefix) return Refuse(Fault::kTooLarge, "a recipient's header lines");
      if (!plan.enforce_quota) continue;
      if (const Result<void> quota = CheckQuota(db, delivery, size()); !quota) return quota;
    }
    for (const Outcome& outcome : plan.outcomes) {
      if (!OwnsEntry(db, outcome.entry, plan.owner)) return Refuse(Fault::kLeaseLost, "the entry is another's, or gone");
    }
    return ExpectWritten(db, id, written);
  }

  void StoreOctets(Database& db) const {
    if (written > 0) {
      if (!tail.empty()) db.Run("INSERT INTO message_part(message, at, octets) VALUES(?, ?, ?)", id, written, Blob{tail});
      db.Run("DELETE FROM receiving WHERE message = ?", id);
      db.Run("INSERT INTO message(id, size) VALUES(?, ?)", id, size());
    } else {
      db.Run("INSERT INTO message(id, size, octets) VALUES(?, ?, ?)", id, size(), Blob{tail});
    }
    const std::size_t refs = plan.mailboxes.size() + plan.entries.size();
    if (refs > 1) db.Run("INSERT INTO message_shared(message, refs) VALUES(?, ?)", id, refs);
  }

  Result<Accepted> operator()(Database& db) const {
    if (const Result<void> checked = Check(db); !checked) return std::unexpected(checked.error());
    Accepted accepted{id, {}, {}};
    if (!plan.mailboxes.empty() || !plan.entries.empty()) {
      StoreOctets(db);
    } else if (written > 0) {  // nobody wants it
      db.Run("DELETE FROM message_part WHERE message = ?", id);
      db.Run("DELETE FROM receiving WHERE message = ?", id);
    }
    for (const LocalDelivery& delivery : plan.mailboxes) {
      const std::uint32_t uid = DeliverTo(db, {id, size(), plan.arrived}, delivery);
      if (uid == 0 && !db.failed()) return Refuse(Fault::kNotFound, "a mailbox of the plan is gone");
      accepted.uids.push_back(uid);
    }
    if (!plan.entries.empty()) InsertEntries(db, id, plan.envelope, plan.entries, ids);
    for (const Outcome& outcome : plan.outcomes) ApplyOutcome(db, outcome, plan.owner);
    AppendEvents(engine, db, plan.events, id);
    accepted.entries = ids;
    return accepted;
  }
};

}  // namespace

void SqliteReceiver::Discard(Engine& engine, MessageId id) {
  engine.writer->Call<void>(
      [id](Database& db) -> Result<void> {
        db.Run("DELETE FROM message_part WHERE message = ?", id);
        db.Run("DELETE FROM receiving WHERE message = ?", id);
        return {};
      },
      [](Result<void>) {});  // if it fails, the next start does it
}

SqliteReceiver::~SqliteReceiver() {
  if (!finished_ && written_ > 0) Discard(engine_, id_);
}

bool SqliteReceiver::Append(Octets octets, Done<void> done) {
  const auto refuse = [&](std::string text) {
    engine_.writer->Call<void>([text](Database&) -> Result<void> { return Refuse(Fault::kTooLarge, text); }, std::move(done));
    return false;
  };
  if (octets.size() > MessageLimits::kChunk) return refuse("more octets at once than the store takes");
  if (size() + octets.size() > MessageLimits::kMessage) return refuse("the message is larger than any the store takes");
  if (held_.size() + octets.size() <= MessageLimits::kHeld) {
    held_ += octets;
    return true;
  }
  std::string parts = std::exchange(held_, {});
  parts += octets;
  const std::size_t whole = (parts.size() - 1) / MessageLimits::kHeld * MessageLimits::kHeld;  // something is left for the commit
  held_ = parts.substr(whole);
  parts.resize(whole);
  const std::uint64_t at = std::exchange(written_, written_ + whole);
  engine_.writer->Call<void>(
      [&engine = engine_, id = id_, at, parts = std::move(parts)](Database& db) -> Result<void> {
        if (engine.low) return Refuse(Fault::kFull, kNoRoom);
        if (const Result<void> expected = ExpectWritten(db, id, at); !expected) return expected;
        const Octets all = parts;
        for (std::size_t from = 0; from < all.size(); from += MessageLimits::kHeld) {
          db.Run("INSERT INTO message_part(message, at, octets) VALUES(?, ?, ?)", id, at + from,
                 Blob{all.substr(from, MessageLimits::kHeld)});
        }
        db.Run("INSERT OR REPLACE INTO receiving(message, octets) VALUES(?, ?)", id, at + all.size());
        return {};
      },
      std::move(done), whole + kRowOctets);
  return false;
}

void SqliteReceiver::Commit(Plan plan, Done<Accepted> done) {
  finished_ = true;
  std::vector<EntryId> ids(plan.entries.size());
  for (EntryId& id : ids) id = engine_.NextId(0);
  const std::size_t octets = held_.size() + (plan.mailboxes.size() + plan.entries.size() + plan.events.size() + 1) * kRowOctets;
  const bool parts = written_ > 0;
  Acceptance acceptance{engine_, id_, written_, std::move(held_), std::move(plan), std::move(ids)};
  if (!parts) return engine_.writer->Call<Accepted>(std::move(acceptance), std::move(done), octets);
  // A commit that is refused leaves parts behind.
  engine_.writer->Call<Accepted>(
      std::move(acceptance),
      [&engine = engine_, id = id_, done = std::move(done)](Result<Accepted> result) mutable {
        if (!result) SqliteReceiver::Discard(engine, id);
        done(std::move(result));
      },
      octets);
}

}  // namespace glasspost::store
