// Finds journey events by their keys without an index that is written all over: keys of a run of events are gathered in memory,
// sorted, and written at once as rows of journey_index that follow each other. What has not been indexed yet is the tail of
// journey_event, and is looked through. So an event costs its octets, eight more for each key, and no page but the last.
//
// An entry is 64 bits, the upper 48 of the key's hash and 16 for the event's place in its run; a row holds kRowEntries of them in
// ascending order, little-endian, and its `first` is the first of them. Whoever finds an event by an entry compares the event's
// own key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/journey.h"
#include "store/sqlite/database.h"

namespace glasspost::store {

class JourneyIndex {
 public:
  static constexpr std::int64_t kRunEvents = 32'768;  // at most 65536
  static constexpr std::size_t kRowEntries = 480;     // 3840 octets: a row fits a page

  enum class Key : char { kMessage = 'q', kMessageId = 'm', kAddress = 'a', kDigest = 'd' };
  static std::uint64_t Hash(Key key, Octets text);

  // Writer's thread. Reads what was not indexed when the store was closed.
  void Load(Database& db);
  void Append(Database& db, const JourneyEvent& event, MessageId message);
  // Around each transaction.
  void Begin();
  void RollBack();
  // Whole runs whose last event is older; false: there is no more to forget.
  bool ForgetRun(Database& db, Timestamp before);

  // Any connection: events that may have the key (newest first, at most `limit`); the caller compares.
  static std::vector<std::int64_t> Candidates(Database& db, std::uint64_t hash, std::size_t limit);
  // The first event of the tail that no run holds.
  static std::int64_t TailBegin(Database& db);

 private:
  void Gather(const JourneyEvent& event, MessageId message, std::int64_t id);
  void WriteRun(Database& db);

  std::int64_t run_ = 1;   // id of the first event of the run being gathered
  std::int64_t next_ = 1;  // id of the next event
  std::vector<std::uint64_t> entries_;
  // As they were when the transaction began.
  std::int64_t begin_run_ = 1, begin_next_ = 1;
  std::size_t begin_entries_ = 0;
  std::vector<std::uint64_t> written_;  // entries of a run that was written in this transaction
};

// The address as it is compared.
std::string AddressKey(std::string_view address);

}  // namespace glasspost::store
