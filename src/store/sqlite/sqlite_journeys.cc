#include "store/sqlite/sqlite_journeys.h"

#include <algorithm>
#include <map>
#include <set>

namespace glasspost::store {
namespace {

#define GLASSPOST_EVENT_SELECT \
  "SELECT id, time, message, kind, conversation, sender, recipient, message_id, digest, detail FROM journey_event"

JourneyEvent ReadEvent(const Query& row) {
  JourneyEvent e;
  e.time = row.Int(1);
  e.message = row.Int(2);
  e.kind = static_cast<int>(row.Int(3));
  e.conversation = static_cast<std::uint64_t>(row.Int(4));
  e.sender = row.Text(5);
  e.recipient = row.Text(6);
  e.message_id = row.Text(7);
  e.digest = row.Text(8);
  e.detail = row.Text(9);
  return e;
}

struct Wanted {
  JourneyIndex::Key key;
  std::string text;

  std::uint64_t hash() const { return JourneyIndex::Hash(key, text); }
  bool Matches(const JourneyEvent& e) const {
    switch (key) {
      case JourneyIndex::Key::kMessage:
        return std::to_string(e.message) == text;
      case JourneyIndex::Key::kMessageId:
        return e.message_id == text;
      case JourneyIndex::Key::kDigest:
        return e.digest == text;
      case JourneyIndex::Key::kAddress:
        return AddressKey(e.sender) == text || AddressKey(e.recipient) == text;
    }
    return false;
  }
};

// One search over the index and the tail that is not indexed yet. The tail is read once.
class Search {
 public:
  explicit Search(Database& db) : db_(db) {
    Query query(db_, GLASSPOST_EVENT_SELECT " WHERE id >= ? ORDER BY id DESC", JourneyIndex::TailBegin(db_));
    while (query.Next()) tail_.emplace_back(query.Int(0), ReadEvent(query));
  }

  // Events with the key, newest first, until `visit` says false.
  template <class F>
  void Each(const Wanted& wanted, F visit) {
    for (const auto& [id, event] : tail_) {
      if (wanted.Matches(event) && !visit(id, event)) return;
    }
    for (const std::int64_t id : JourneyIndex::Candidates(db_, wanted.hash(), JourneyLimits::kFound)) {
      Query query(db_, GLASSPOST_EVENT_SELECT " WHERE id = ?", id);
      if (!query.Next()) continue;
      const JourneyEvent event = ReadEvent(query);
      if (wanted.Matches(event) && !visit(id, event)) return;
    }
  }

 private:
  Database& db_;
  std::vector<std::pair<std::int64_t, JourneyEvent>> tail_;
};

Wanted WantedOf(const JourneyQuery& query) {
  switch (query.key) {
    case JourneyQuery::Key::kMessage:
      return {JourneyIndex::Key::kMessage, std::to_string(query.message)};
    case JourneyQuery::Key::kMessageId:
      return {JourneyIndex::Key::kMessageId, query.text.substr(0, JourneyLimits::kKeyOctets)};
    case JourneyQuery::Key::kAddress:
      return {JourneyIndex::Key::kAddress, AddressKey(query.text)};
    case JourneyQuery::Key::kDigest:
      return {JourneyIndex::Key::kDigest, query.text};
  }
  return {};
}

std::vector<JourneyEvent> FindJourneys(Database& db, const JourneyQuery& asked) {
  Search search(db);
  std::set<MessageId> messages;
  std::set<std::string> digests;
  std::map<std::int64_t, JourneyEvent> found;  // by id, the order in which they came
  const auto keep = [&](std::int64_t id, const JourneyEvent& event) {
    if (event.message != 0) messages.insert(event.message);
    if (!event.digest.empty()) digests.insert(event.digest);
    found.emplace(id, event);
    return found.size() < JourneyLimits::kFound;
  };
  search.Each(WantedOf(asked), [&](std::int64_t id, const JourneyEvent& event) {
    if (messages.size() >= asked.messages && !messages.contains(event.message)) return false;
    return keep(id, event);
  });
  // All of each message's events; the same message again (a mailing list, a second hop) has the same digest.
  std::set<MessageId> done;
  std::set<std::string> digests_done;
  while (found.size() < JourneyLimits::kFound && (done.size() < messages.size() || digests_done.size() < digests.size())) {
    for (const MessageId message : std::set(messages)) {
      if (done.insert(message).second) search.Each({JourneyIndex::Key::kMessage, std::to_string(message)}, keep);
    }
    for (const std::string& digest : std::set(digests)) {
      if (digests_done.insert(digest).second) search.Each({JourneyIndex::Key::kDigest, digest}, keep);
    }
  }
  std::vector<JourneyEvent> events;
  for (auto& [id, event] : found) events.push_back(std::move(event));
  std::ranges::stable_sort(events, {}, &JourneyEvent::time);
  return events;
}

void ForgetNext(Engine& engine, Timestamp before, Done<void> done) {
  engine.writer->Call<bool>([&engine, before](Database& db) -> Result<bool> { return engine.journey.ForgetRun(db, before); },
                            [&engine, before, done = std::move(done)](Result<bool> more) mutable {
                              if (!more) return done(std::unexpected(more.error()));
                              if (!*more) return done({});
                              ForgetNext(engine, before, std::move(done));
                            });
}

}  // namespace

bool WithinLimits(const std::vector<JourneyEvent>& events, std::size_t most) {
  if (events.size() > most) return false;
  return std::ranges::all_of(events, [](const JourneyEvent& e) { return e.detail.size() <= JourneyLimits::kDetailOctets; });
}

void AppendEvents(Engine& engine, Database& db, const std::vector<JourneyEvent>& events, MessageId message) {
  for (const JourneyEvent& event : events) engine.journey.Append(db, event, event.message != 0 ? event.message : message);
}

void SqliteJourneys::Append(std::vector<JourneyEvent> events, Done<void> done) {
  engine_.writer->Call<void>(
      [&engine = engine_, events = std::move(events)](Database& db) -> Result<void> {
        if (!WithinLimits(events)) return Refuse(Fault::kTooLarge, "too many events, or one too large");
        AppendEvents(engine, db, events, 0);
        return {};
      },
      std::move(done));
}

void SqliteJourneys::Find(JourneyQuery query, Done<std::vector<JourneyEvent>> done) {
  engine_.readers->Call<std::vector<JourneyEvent>>(
      [query = std::move(query)](Database& db) -> Result<std::vector<JourneyEvent>> { return FindJourneys(db, query); },
      std::move(done));
}

void SqliteJourneys::Forget(Timestamp before, Done<void> done) { ForgetNext(engine_, before, std::move(done)); }

}  // namespace glasspost::store
