#include "store/sqlite/sqlite_queue.h"

#include <algorithm>
#include <memory>

#include "store/sqlite/queue_claim.h"
#include "store/sqlite/queue_rows.h"

namespace glasspost::store {
namespace {

constexpr std::size_t kActStep = 2000;  // entries of a transaction of Act: other changes come between

struct Row {
  EntryId id = 0;
  MessageId message = 0;
};

bool ActOnRow(Database& db, QueueAction action, const Row& row, Timestamp now) {
  switch (action) {
    case QueueAction::kHold:
      db.Run("UPDATE queue_entry SET held = 1 WHERE id = ? AND held = 0", row.id);
      break;
    case QueueAction::kRelease:
      db.Run("UPDATE queue_entry SET held = 0, due = ?2, ready = max(?2, lease_until) WHERE id = ?1 AND held = 1", row.id, now);
      break;
    case QueueAction::kRetry:
      db.Run("UPDATE queue_entry SET due = ?2, ready = max(?2, lease_until) WHERE id = ?1", row.id, now);
      break;
    case QueueAction::kRemove:
      RemoveEntry(db, row.id, row.message);
      return true;
  }
  return db.changes() > 0;
}

// False: it is gone, or nothing was to be changed, or (kRemove) somebody has it in hand.
bool ActOnEntry(Database& db, QueueAction action, EntryId entry, Timestamp now) {
  Row row{entry, 0};
  bool leased = false;
  {
    Query query(db, "SELECT message, lease_owner IS NOT NULL AND lease_until > ?2 FROM queue_entry WHERE id = ?1", entry, now);
    if (!query.Next()) return false;
    row.message = query.Int(0);
    leased = query.Int(1) != 0;
  }
  if (leased && action == QueueAction::kRemove) return false;
  return ActOnRow(db, action, row, now);
}

// Entries that a selection names, after its `after`, in the order of ids. An address or destination is looked for row by row.
#define GLASSPOST_SELECTED                                                                                         \
  " WHERE q.id > ?1 AND (?2 = 0 OR q.message = ?2) AND (?3 = '' OR q.destination = ?3) AND (?4 = 0 OR q.held = 1)" \
  " AND (?5 = '' OR q.recipient = ?5 COLLATE NOCASE OR e.reverse_path = ?5 COLLATE NOCASE) ORDER BY q.id LIMIT ?6"
#define GLASSPOST_SELECTED_OF_MESSAGE                                                                  \
  " WHERE q.message = ?2 AND q.id > ?1 AND (?3 = '' OR q.destination = ?3) AND (?4 = 0 OR q.held = 1)" \
  " AND (?5 = '' OR q.recipient = ?5 COLLATE NOCASE OR e.reverse_path = ?5 COLLATE NOCASE) ORDER BY q.id LIMIT ?6"

// An Act that goes on in as many transactions as it takes.
struct LongAct {
  Engine& engine;
  QueueAction action;
  QueueSelection selection;
  Timestamp now;
  Done<std::uint64_t> done;
  std::uint64_t acted = 0;
};

struct Step {
  std::uint64_t acted = 0;
  EntryId last = 0;
  bool more = false;
};

Result<Step> ActStep(Database& db, QueueAction action, const QueueSelection& s, Timestamp now) {
  std::vector<Row> rows;
  {
    const char* const sql = s.message != 0
                                ? "SELECT q.id, q.message, q.lease_owner IS NOT NULL AND q.lease_until > ?7 FROM queue_entry q"
                                  " JOIN envelope e ON e.message = q.message" GLASSPOST_SELECTED_OF_MESSAGE
                                : "SELECT q.id, q.message, q.lease_owner IS NOT NULL AND q.lease_until > ?7 FROM queue_entry q"
                                  " JOIN envelope e ON e.message = q.message" GLASSPOST_SELECTED;
    Query query(db, sql, s.after, s.message, s.destination, s.held_only, s.address, kActStep, now);
    while (query.Next()) {
      const bool leased = query.Int(2) != 0;
      rows.push_back(leased && action == QueueAction::kRemove ? Row{query.Int(0), 0} : Row{query.Int(0), query.Int(1)});
    }
  }
  Step step;
  for (const Row& row : rows) {
    step.last = row.id;
    if (row.message != 0 && ActOnRow(db, action, row, now)) ++step.acted;
  }
  step.more = rows.size() == kActStep;
  return step;
}

void ContinueAct(std::unique_ptr<LongAct> act) {
  LongAct& a = *act;
  a.engine.writer->Call<Step>(
      [action = a.action, selection = a.selection, now = a.now](Database& db) { return ActStep(db, action, selection, now); },
      [act = std::move(act)](Result<Step> step) mutable {
        if (!step) return act->done(std::unexpected(step.error()));
        act->acted += step->acted;
        act->selection.after = step->last;
        if (!step->more) return act->done(act->acted);
        ContinueAct(std::move(act));
      });
}

}  // namespace

void SqliteQueue::ClaimDue(Claim claim, Done<std::vector<Entry>> done) {
  // The search is a reader's work, and so are the octets, which never change; the writer only takes what is still there.
  struct Found {
    std::vector<EntryId> ids;
    ClaimedOctets octets;
  };
  auto shared = std::make_shared<Claim>(std::move(claim));
  engine_.readers->Call<Found>(
      [shared](Database& db) -> Result<Found> {
        Found found{FindClaimable(db, *shared), {}};
        if (shared->with_octets) found.octets = ReadClaimedOctets(db, found.ids);
        return found;
      },
      [&engine = engine_, shared, done = std::move(done)](Result<Found> found) mutable {
        if (!found) return done(std::unexpected(found.error()));
        if (found->ids.empty()) return done(std::vector<Entry>());
        engine.writer->Call<std::vector<Entry>>(
            [shared, f = std::move(*found)](Database& db) -> Result<std::vector<Entry>> {
              std::vector<Entry> entries;
              for (const EntryId id : f.ids) {
                db.Run(
                    "UPDATE queue_entry SET lease_owner = ?2, lease_until = ?3, ready = ?3 WHERE id = ?1 AND held = 0 AND ready "
                    "<= ?4",
                    id, shared->lease.owner, shared->lease.until, shared->now);
                if (db.failed() || db.changes() == 0) continue;
                Query query(db, GLASSPOST_ENTRY_SELECT " WHERE q.id = ?", id);
                if (!query.Next()) continue;
                entries.push_back(ReadEntry(query));
                if (const auto octets = f.octets.find(id); octets != f.octets.end()) entries.back().octets = octets->second;
              }
              return entries;
            },
            std::move(done));
      });
}

void SqliteQueue::Renew(std::vector<EntryId> entries, Lease lease, Done<void> done) {
  engine_.writer->Call<void>(
      [entries = std::move(entries), lease = std::move(lease)](Database& db) -> Result<void> {
        for (const EntryId entry : entries) {
          if (!OwnsEntry(db, entry, lease.owner)) return Refuse(Fault::kLeaseLost, "an entry is another's, or gone");
        }
        for (const EntryId entry : entries) {
          db.Run("UPDATE queue_entry SET lease_until = ?2, ready = max(due, ?2) WHERE id = ?1", entry, lease.until);
        }
        return {};
      },
      std::move(done));
}

void SqliteQueue::NextDue(std::vector<std::string> skip, Done<Timestamp> done) {
  engine_.readers->Call<Timestamp>([skip = std::move(skip)](Database& db) -> Result<Timestamp> { return FindNextDue(db, skip); },
                                   std::move(done));
}

void SqliteQueue::Settle(std::string owner, std::vector<Outcome> outcomes, std::vector<JourneyEvent> events,
                         Done<std::vector<bool>> done) {
  engine_.writer->Call<std::vector<bool>>(
      [&engine = engine_, owner = std::move(owner), outcomes = std::move(outcomes),
       events = std::move(events)](Database& db) -> Result<std::vector<bool>> {
        if (outcomes.size() > QueueLimits::kOutcomes || !WithinLimits(events))
          return Refuse(Fault::kTooLarge, "too many outcomes or events");
        std::vector<bool> owned;
        for (const Outcome& outcome : outcomes) owned.push_back(ApplyOutcome(db, outcome, owner));
        AppendEvents(engine, db, events, 0);
        return owned;
      },
      std::move(done));
}

void SqliteQueue::List(QueueSelection selection, Done<std::vector<Entry>> done) {
  engine_.readers->Call<std::vector<Entry>>(
      [s = std::move(selection)](Database& db) -> Result<std::vector<Entry>> {
        std::vector<Entry> entries;
        const char* const sql =
            s.message != 0 ? GLASSPOST_ENTRY_SELECT GLASSPOST_SELECTED_OF_MESSAGE : GLASSPOST_ENTRY_SELECT GLASSPOST_SELECTED;
        Query query(db, sql, s.after, s.message, s.destination, s.held_only, s.address, std::min(s.limit, QueueLimits::kListed));
        while (query.Next()) entries.push_back(ReadEntry(query));
        return entries;
      },
      std::move(done));
}

void SqliteQueue::Count(Done<QueueCounts> done) {
  engine_.readers->Call<QueueCounts>(
      [](Database& db) -> Result<QueueCounts> {
        QueueCounts counts;
        {
          Query query(db,
                      "SELECT (SELECT count(*) FROM queue_entry), (SELECT count(*) FROM queue_entry WHERE held = 1),"
                      " (SELECT count(*) FROM queue_entry WHERE lease_owner IS NOT NULL)");
          if (query.Next()) {
            counts.entries = static_cast<std::uint64_t>(query.Int(0));
            counts.held = static_cast<std::uint64_t>(query.Int(1));
            counts.claimed = static_cast<std::uint64_t>(query.Int(2));
          }
        }
        Query query(db, "SELECT min(ready) FROM queue_entry WHERE held = 0");
        if (query.Next() && !query.IsNull(0)) counts.oldest_due = query.Int(0);
        return counts;
      },
      std::move(done));
}

void SqliteQueue::Act(QueueAction action, QueueSelection selection, Timestamp now, Done<std::uint64_t> done) {
  selection.after = 0;
  ContinueAct(std::make_unique<LongAct>(LongAct{engine_, action, std::move(selection), now, std::move(done)}));
}

void SqliteQueue::ActOn(QueueAction action, std::vector<EntryId> entries, Timestamp now, std::vector<JourneyEvent> events,
                        Done<std::uint64_t> done) {
  engine_.writer->Call<std::uint64_t>(
      [&engine = engine_, action, entries = std::move(entries), now,
       events = std::move(events)](Database& db) -> Result<std::uint64_t> {
        if (entries.size() > QueueLimits::kListed || !WithinLimits(events, QueueLimits::kListed))
          return Refuse(Fault::kTooLarge, "too many entries or events at once");
        if (!events.empty() && events.size() != entries.size())
          return Refuse(Fault::kInvalid, "an event for each entry, or none");
        std::vector<JourneyEvent> happened;
        std::uint64_t acted = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) {
          if (!ActOnEntry(db, action, entries[i], now)) continue;
          ++acted;
          if (!events.empty()) happened.push_back(events[i]);
        }
        AppendEvents(engine, db, happened, 0);
        return acted;
      },
      std::move(done));
}

}  // namespace glasspost::store
