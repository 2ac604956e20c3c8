// Entries into lanes, and lanes to connections.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "relay/destination.h"
#include "relay/engine.h"

namespace glasspost::relay {
namespace {

constexpr std::int64_t kLocalFor = 30 * kSecond;   // whether a domain is ours is asked again after it
constexpr std::int64_t kUnknownFor = 2 * kSecond;  // so long mail waits if the directory could not tell

smtp::Outcome NoAddress() {
  return {.kind = smtp::Outcome::Kind::kRefused,
          .stage = smtp::Stage::kRcpt,
          .local = true,
          .in_doubt = false,
          .code = 553,
          .enhanced = "5.1.3",
          .text = "The recipient's address is malformed"};
}

}  // namespace

void Engine::Take(std::vector<store::Entry> entries) {
  for (store::Entry& entry : entries) TakeOne(std::move(entry));
  SpreadTouched();
}

void Engine::TakeOne(store::Entry entry) {
  const std::optional<store::AddressName> name = SplitAddress(entry.entry.recipient);
  if (!name) {
    return Finish({{std::move(entry), NoAddress()}}, {});
  }
  if (localities_.size() > options_.limits.remembered) {
    std::erase_if(localities_, [](const auto& pair) { return !pair.second.asking; });
  }
  Locality& locality = localities_[name->domain];
  if (!locality.asking && locality.until > Steady()) {
    if (!locality.ours) return Put(std::move(entry), name->domain);
    return notices_->DeliverHere(std::move(entry));
  }
  locality.waiting.push_back(std::move(entry));
  if (!std::exchange(locality.asking, true)) AskLocality(name->domain);
}

// The domain may have become ours since the message was queued; then it would come back from wherever it is sent.
void Engine::AskLocality(std::string domain) {
  auto done = Owed<store::Resolution>([this, domain](store::Result<store::Resolution> result) {
    Locality& locality = localities_[domain];
    locality.asking = false;
    std::vector<store::Entry> waiting = std::exchange(locality.waiting, {});
    if (!result) {
      observer_.OnTrouble("the directory gives no answer: " + result.error().text);
      Let(waiting);
      judge_.Release(waiting, Now() + kUnknownFor);
      return CheckStopped();
    }
    locality.ours = result->kind != store::Resolution::Kind::kElsewhere;
    locality.until = Steady() + kLocalFor;
    for (store::Entry& entry : waiting) {
      if (locality.ours) {
        notices_->DeliverHere(std::move(entry));
      } else {
        Put(std::move(entry), domain);
      }
    }
    SpreadTouched();
    CheckStopped();
  });
  parts_.store.directory().Resolve({"postmaster", domain}, std::move(done));
}

Lane& Engine::LaneFor(std::string name, const std::string& domain) {
  std::unique_ptr<Lane>& lane = lanes_[name];
  if (!lane) {
    if (lanes_.size() > options_.limits.remembered) TidyAll();
    lane = std::make_unique<Lane>();
    lane->name = std::move(name);
    lane->domain = domain;
    lane->route = FindRoute(options_, domain);
  }
  return *lane;
}

void Engine::Put(store::Entry entry, const std::string& domain) {
  const Route* const route = FindRoute(options_, domain);
  const bool named = route != nullptr && !route->to.host.empty();
  Lane& lane = LaneFor(named ? "route:" + route->domain : domain, domain);
  lane.written_as.insert(entry.entry.destination);
  ++lane.entries;
  if (lane.down_until > Now()) {
    Trip trip = lane.way;
    trip.begun = Now();
    return Conclude(lane, {{std::move(entry), lane.why}}, trip);
  }
  Parcel* const last = lane.waiting.empty() ? nullptr : &lane.waiting.back();
  if (last != nullptr && last->first().message == entry.message && last->entries.size() < options_.limits.recipients &&
      last->tries == 0) {
    last->entries.push_back(std::move(entry));
  } else {
    lane.waiting.emplace_back().entries.push_back(std::move(entry));
  }
  if (touched_.empty() || touched_.back() != &lane) touched_.push_back(&lane);
}

void Engine::SpreadTouched() {
  for (Lane* const lane : std::exchange(touched_, {})) Spread(*lane);
}

std::size_t Engine::Most(const Lane& lane) const {
  const std::size_t most = options_.limits.per_destination;
  return std::min(lane.proven ? most : std::min(options_.limits.unproven, most), lane.cap);
}

// Parcels to connections: those that are idle first, then new ones, as far as they may be.
void Engine::Spread(Lane& lane) {
  if (stopping_) return ReleaseWaiting(lane);
  std::size_t parcels = lane.waiting.size();
  while (parcels > 0 && !lane.idle.empty()) {
    Lane::Idle* const idle = lane.idle.back();
    lane.idle.pop_back();
    idle->woken = true;
    idle->timer.cancel();
    --parcels;
  }
  while (parcels > lane.opening && lane.connections < Most(lane)) {
    if (connections_ >= options_.limits.connections) {
      if (!std::exchange(lane.hungry, true)) hungry_.push_back(&lane);
      return;
    }
    ++connections_;
    ++lane.connections;
    ++lane.opening;
    // Posted: a coroutine that ended at once would change the lane under our hands.
    net::asio::post(parts_.context, [self = shared_from_this(), &lane] {
      net::asio::co_spawn(self->parts_.context.get_executor(), self->Work(self, lane), net::asio::detached);
    });
  }
}

void Engine::Finish(std::vector<Verdict> verdicts, const Trip& trip) {
  std::vector<store::EntryId> settled;
  for (const Verdict& verdict : verdicts) settled.push_back(verdict.entry.id);
  judge_.Conclude(std::move(verdicts), trip, Now());
  // A lease must last while a report is being written (notices_ lets go then); for those settled now it makes no difference.
  for (const store::EntryId id : settled)
    if (!notices_->Writes(id)) LetGo(id);
}

void Engine::Conclude(Lane& lane, std::vector<Verdict> verdicts, const Trip& trip) {
  if (verdicts.empty()) return;
  lane.entries -= verdicts.size();
  Finish(std::move(verdicts), trip);
  if (lane.crowded && lane.entries < options_.limits.in_hand_of_destination / 4) {
    lane.crowded = false;
    Claim();
  }
}

// No host of it can be reached, or will hear us: nobody in the line is helped by another attempt now.
void Engine::FailLane(Lane& lane, const Trip& trip, const smtp::Outcome& why) {
  if (why.kind == smtp::Outcome::Kind::kDeferred) {
    if (lane.down_until <= Now()) ++lane.failures;
    std::uint8_t drawn[8];
    parts_.randomness.Fill(drawn);
    const std::int64_t delay = std::min(DelayAfter(options_.retry, lane.failures, LoadNative<std::uint64_t>(drawn)),
                                        std::chrono::nanoseconds(options_.most_down).count());
    lane.down_until = Now() + delay;
    lane.proven = false;
  }
  lane.why = why;
  lane.way = trip;
  for (Parcel& parcel : std::exchange(lane.waiting, {})) {
    std::vector<Verdict> verdicts;
    for (store::Entry& entry : parcel.entries) verdicts.push_back({std::move(entry), why});
    Conclude(lane, std::move(verdicts), trip);
  }
}

void Engine::ReleaseWaiting(Lane& lane) {
  for (Parcel& parcel : std::exchange(lane.waiting, {})) {
    lane.entries -= parcel.entries.size();
    Let(parcel.entries);
    judge_.Release(parcel.entries);
  }
}

// After a connection's end: who waits for a place gets it.
void Engine::Tidy(Lane& lane) {
  Spread(lane);
  while (connections_ < options_.limits.connections && !hungry_.empty()) {
    Lane* const next = hungry_.front();
    hungry_.pop_front();
    next->hungry = false;
    Spread(*next);
  }
}

void Engine::TidyAll() {
  const Timestamp now = Now();
  for (auto& [name, lane] : lanes_) lane->cap = ~std::size_t{0};
  std::erase_if(lanes_, [&](const auto& pair) {
    const Lane& lane = *pair.second;
    return lane.entries == 0 && lane.connections == 0 && lane.down_until <= now && !lane.hungry &&
           std::find(touched_.begin(), touched_.end(), &lane) == touched_.end();
  });
  std::erase_if(dead_, [&](const auto& pair) { return pair.second.until <= Steady(); });
}

}  // namespace glasspost::relay
