#include "store/sqlite/queue_claim.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "store/receiver.h"

namespace glasspost::store {
namespace {

using Names = std::unordered_set<std::string>;

// False: there was more to look at than kScanned rows.
bool ByDueTime(Database& db, const Claim& claim, const Names& skip, std::vector<EntryId>& found) {
  std::unordered_map<std::string, std::size_t> of_destination;
  Query query(db, "SELECT id, destination FROM queue_entry WHERE held = 0 AND ready <= ? ORDER BY ready, id LIMIT ?", claim.now,
              QueueLimits::kScanned);
  std::size_t rows = 0;
  while (found.size() < claim.limit) {
    if (!query.Next()) return rows < QueueLimits::kScanned;
    ++rows;
    std::string destination = query.Text(1);
    if (skip.contains(destination)) continue;
    if (++of_destination[std::move(destination)] <= claim.per_destination) found.push_back(query.Int(0));
  }
  return true;
}

// Steps from one destination to the next in the index, whatever the number of their entries.
template <class F>
void EachDestination(Database& db, const Names& skip, F visit) {
  std::string at;
  for (const char* sql = "SELECT destination FROM queue_entry WHERE held = 0 AND destination >= ? ORDER BY destination LIMIT 1";;
       sql = "SELECT destination FROM queue_entry WHERE held = 0 AND destination > ? ORDER BY destination LIMIT 1") {
    {
      Query next(db, sql, at);
      if (!next.Next()) return;
      at = next.Text(0);
    }
    if (!skip.contains(at)) visit(at);
  }
}

struct Candidate {
  Timestamp ready;
  EntryId id;
  bool operator<(const Candidate& other) const { return std::pair(ready, id) < std::pair(other.ready, other.id); }
};

void ByDestination(Database& db, const Claim& claim, const Names& skip, std::vector<EntryId>& found) {
  std::vector<Candidate> candidates;  // a heap, the latest on top, of at most `limit`
  EachDestination(db, skip, [&](const std::string& destination) {
    Query query(db,
                "SELECT ready, id FROM queue_entry WHERE held = 0 AND destination = ? AND ready <= ? ORDER BY ready, id LIMIT ?",
                destination, claim.now, std::min(claim.per_destination, claim.limit));
    while (query.Next()) {
      candidates.push_back({query.Int(0), query.Int(1)});
      std::push_heap(candidates.begin(), candidates.end());
      if (candidates.size() <= claim.limit) continue;
      std::pop_heap(candidates.begin(), candidates.end());
      candidates.pop_back();
    }
  });
  std::sort_heap(candidates.begin(), candidates.end());
  found.clear();
  for (const Candidate& candidate : candidates) found.push_back(candidate.id);
}

}  // namespace

std::vector<EntryId> FindClaimable(Database& db, const Claim& asked) {
  Claim claim = asked;
  claim.limit = std::min(claim.limit, QueueLimits::kClaimed);
  const Names skip(claim.skip.begin(), claim.skip.end());
  std::vector<EntryId> found;
  if (!ByDueTime(db, claim, skip, found)) ByDestination(db, claim, skip, found);
  return found;
}

ClaimedOctets ReadClaimedOctets(Database& db, const std::vector<EntryId>& entries) {
  ClaimedOctets claimed;
  std::unordered_map<MessageId, std::shared_ptr<const std::string>> read;
  std::size_t octets = 0;
  for (const EntryId entry : entries) {
    MessageId message = 0;
    {
      Query query(db, "SELECT message FROM queue_entry WHERE id = ?", entry);
      if (!query.Next()) continue;
      message = query.Int(0);
    }
    auto& of_message = read[message];
    if (!of_message) {
      Query query(db, "SELECT octets FROM message WHERE id = ? AND size <= ?", message, MessageLimits::kHeld);
      if (!query.Next()) continue;
      octets += query.At(0).size();
      if (octets > QueueLimits::kClaimedOctets) break;
      of_message = std::make_shared<const std::string>(query.At(0));
    }
    claimed.emplace(entry, of_message);
  }
  return claimed;
}

Timestamp FindNextDue(Database& db, const std::vector<std::string>& skipped) {
  const Names skip(skipped.begin(), skipped.end());
  {
    Query query(db, "SELECT ready, destination FROM queue_entry WHERE held = 0 ORDER BY ready LIMIT ?", QueueLimits::kScanned);
    std::size_t rows = 0;
    for (; query.Next(); ++rows) {
      if (!skip.contains(query.Text(1))) return query.Int(0);
    }
    if (rows < QueueLimits::kScanned) return kNoTime;
  }
  Timestamp earliest = kNoTime;
  EachDestination(db, skip, [&](const std::string& destination) {
    Query query(db, "SELECT min(ready) FROM queue_entry WHERE held = 0 AND destination = ?", destination);
    if (query.Next() && !query.IsNull(0)) earliest = earliest == kNoTime ? query.Int(0) : std::min(earliest, query.Int(0));
  });
  return earliest;
}

}  // namespace glasspost::store
