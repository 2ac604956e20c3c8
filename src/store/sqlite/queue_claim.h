// Which entries a claimer gets: by due time, and no more of one destination than it has room for.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/queue.h"
#include "store/sqlite/database.h"

namespace glasspost::store {

// Ids of entries that may be claimed now, the longest due first. Only reads. The cost does not grow with the queue: the entries
// that have been due longest are looked at, and if too many of them are of destinations without room, each destination is asked
// by itself.
std::vector<EntryId> FindClaimable(Database& db, const Claim& claim);

// The octets of small messages among those of the entries, as Claim::with_octets wants them, by entry.
using ClaimedOctets = std::unordered_map<EntryId, std::shared_ptr<const std::string>>;
ClaimedOctets ReadClaimedOctets(Database& db, const std::vector<EntryId>& entries);

// The earliest time at which an entry of a destination that is not skipped may be claimed; kNoTime if there is none.
Timestamp FindNextDue(Database& db, const std::vector<std::string>& skip);

}  // namespace glasspost::store
