// What the parts of the SQLite store share.
#pragma once

#include <atomic>
#include <memory>

#include "store/sqlite/free_space.h"
#include "store/sqlite/journey_index.h"
#include "store/sqlite/listing_cache.h"
#include "store/sqlite/maildrop_locks.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/writer.h"

namespace glasspost::store {

struct Engine {
  Engine(std::size_t listing_octets, FreeSpace space) : free_space(std::move(space)), listings(listing_octets) {}

  // Larger than all before, also of earlier runs; microseconds of `now` if that is larger. Any thread.
  std::int64_t NextId(Timestamp now);

  const FreeSpace free_space;
  std::atomic<std::uint64_t> reusable = 0;  // octets of mail.db's free pages, as of when that last mattered
  std::atomic<bool> counted = false;        // `reusable` is what it is now
  bool low = false;                         // the writer's: the disk had no room for new mail when the transaction began
  Database db;                              // the writer's
  JourneyIndex journey;                     // the writer's
  MaildropLocks locks;
  ListingCache listings;
  std::atomic<std::int64_t> last_id = 0;
  std::unique_ptr<Readers> readers;
  std::unique_ptr<Writer> writer;
};

// Events of a plan; `message` where an event names none. False: kTooLarge.
bool WithinLimits(const std::vector<JourneyEvent>& events, std::size_t most = JourneyLimits::kEventsInCommit);
void AppendEvents(Engine& engine, Database& db, const std::vector<JourneyEvent>& events, MessageId message);

}  // namespace glasspost::store
