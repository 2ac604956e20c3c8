// A connection's life: found, opened, used for parcel after parcel, kept for a while, closed.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/journey.h"
#include "relay/engine.h"

namespace glasspost::relay {
namespace {

using Kind = smtp::Outcome::Kind;
using smtp::Stage;

constexpr std::int64_t kDeadFor = 60 * kSecond;  // a host that could not be reached is not tried for it
constexpr std::size_t kDeadKept = 10'000;        // such hosts
constexpr std::uint8_t kNever = 1, kSuccess = 2, kFailure = 4, kDelay = 8;  // NewEntry::notify

smtp::Notify NotifyOf(std::uint8_t bits) {
  return {.never = (bits & kNever) != 0,
          .success = (bits & kSuccess) != 0,
          .failure = (bits & kFailure) != 0,
          .delay = (bits & kDelay) != 0};
}

// What a refusal before the first message means for the mail. A login that fails, or a greeting of 554, is the affair of the
// operators; 521 (RFC 7504 §3.1) and a refused EHLO are answers.
smtp::Outcome Weighed(smtp::Outcome why) {
  if (why.kind != Kind::kRefused) return why;
  const bool final = !why.local && (why.code == 521 || why.stage == Stage::kHello);
  if (!final) why.kind = Kind::kDeferred;
  return why;
}

}  // namespace

const smtp::Outcome* Engine::KnownDead(const Endpoint& endpoint) {
  const auto at = dead_.find(endpoint);
  return at != dead_.end() && at->second.until > Steady() ? &at->second.why : nullptr;
}

void Engine::NoteDead(const Endpoint& endpoint, const smtp::Outcome& why) {
  if (dead_.size() >= kDeadKept) dead_.clear();
  dead_[endpoint] = {Steady() + kDeadFor, why};
}

// The first of the hosts that will have us; null, and why they would not: refused only if each of them refuses (RFC 5321 §5.1).
net::Task<std::unique_ptr<Connection>> Engine::OpenOne(Lane& lane, const Itinerary& way, Trip& trip, smtp::Outcome& why) {
  std::optional<smtp::Outcome> deferred;
  for (const Hop& hop : way.hops) {
    if (stopping_) co_return nullptr;
    if (!trip.host.empty()) trip.passed.push_back({trip.host, trip.address, trip.conversation, why});
    trip.host = hop.host;
    trip.address = hop.endpoint.Text();
    trip.conversation = 0;
    trip.tls.clear();
    if (const smtp::Outcome* const dead = KnownDead(hop.endpoint)) {
      why = *(deferred = *dead);
      continue;
    }
    auto connection = std::make_unique<Connection>(around_, way.by, hop);
    open_.insert(connection.get());
    const bool open = co_await connection->Open();
    trip.conversation = connection->conversation();
    if (open) {
      trip.tls = connection->tls_text();
      observer_.OnConnection(lane.name, hop.host, hop.endpoint, connection->tls(), {});
      co_return connection;
    }
    open_.erase(connection.get());
    if (stopping_) co_return nullptr;
    why = Weighed(connection->failure());
    observer_.OnConnection(lane.name, hop.host, hop.endpoint, false, ReplyText(why));
    if (why.local && why.enhanced == "4.4.1") NoteDead(hop.endpoint, why);
    if (why.kind != Kind::kRefused) deferred = why;
  }
  if (deferred) why = *deferred;
  co_return nullptr;
}

net::Task<void> Engine::Work([[maybe_unused]] std::shared_ptr<Engine> self, Lane& lane) {
  Trip trip;
  trip.begun = Now();
  const std::string domain = lane.name.starts_with("route:") ? lane.domain : lane.name;
  const Itinerary way = co_await FindHops(parts_.resolver, options_, lane.route, domain, parts_.randomness);
  trip.routed = way.detail;
  AppendDetail(trip.routed, "destination", domain);
  smtp::Outcome why = way.failure;
  std::unique_ptr<Connection> connection;
  if (!stopping_ && !way.hops.empty()) connection = co_await OpenOne(lane, way, trip, why);
  --lane.opening;
  if (connection) {
    ++lane.serving;
    co_await Serve(lane, *connection, trip);
    --lane.serving;
    // What was handed over is written down before the host hears QUIT: after a crash between the two it would get the message
    // again, though its conversation had ended well (RFC 5321 §4.5.3.2.6 allows doubles where it broke).
    co_await notices_->Written();
    co_await settler_.Written();
    co_await connection->Close();
    open_.erase(connection.get());
  } else if (!stopping_ && lane.serving == 0) {
    FailLane(lane, trip, why);
  } else {
    lane.cap = std::max<std::size_t>(lane.connections - 1, 1);  // the host may allow no more
  }
  --lane.connections;
  --connections_;
  if (stopping_) co_return;
  Tidy(lane);
}

// True: there is one at the front of the line, and it is this connection's.
net::Task<bool> Engine::NextParcel(Lane& lane, Connection& connection) {
  const RelayLimits& limits = options_.limits;
  if (stopping_ || !connection.usable() || connection.sent() >= limits.messages) co_return false;
  // Others wait for a place, and this destination has more than one.
  if (connection.sent() > 0 && !hungry_.empty() && lane.connections > 1) co_return false;
  if (!lane.waiting.empty()) co_return true;
  if (!hungry_.empty()) co_return false;
  Lane::Idle idle{.timer = net::Timer(parts_.context, limits.idle)};
  lane.idle.push_back(&idle);
  co_await idle.timer.async_wait(net::kAwait);
  if (!idle.woken) std::erase(lane.idle, &idle);
  co_return !stopping_ && !lane.waiting.empty();
}

net::Task<void> Engine::Serve(Lane& lane, Connection& connection, Trip trip) {
  trip.hop_reports = connection.extensions().dsn;
  while (true) {
    const bool more = co_await NextParcel(lane, connection);
    if (!more) break;
    ++delivering_;
    co_await Deliver(lane, connection, trip);
    --delivering_;
  }
  CheckStopped();
}

net::Task<void> Engine::Deliver(Lane& lane, Connection& connection, Trip& trip) {
  Parcel parcel = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  trip.begun = Now();
  const store::Entry& first = parcel.first();
  StoredMessage source(parts_.context, parts_.store.mailboxes(), first.message, first.size, first.octets);
  co_await source.Fetch();
  std::vector<smtp::ClientRecipient> recipients;
  recipients.reserve(parcel.entries.size());
  for (const store::Entry& entry : parcel.entries)
    recipients.push_back({entry.entry.recipient, NotifyOf(entry.entry.notify), entry.entry.orcpt});
  const std::string envid = first.envelope.envid.empty() ? std::string() : smtp::EncodeXtext(first.envelope.envid);
  const smtp::ClientMessage message{.reverse_path = first.envelope.reverse_path,
                                    .recipients = recipients,
                                    .source = &source,
                                    .size = first.size,
                                    .eight_bit = first.envelope.eight_bit,
                                    .smtputf8 = first.envelope.smtputf8,
                                    .ret = first.envelope.ret == 1   ? smtp::Return::kFull
                                           : first.envelope.ret == 2 ? smtp::Return::kHeaders
                                                                     : smtp::Return::kUnsaid,
                                    .envid = envid};
  std::vector<smtp::Outcome> outcomes;
  co_await connection.Send(message, source, outcomes);
  Settle(lane, connection, std::move(parcel), std::move(outcomes), trip);
}

void Engine::Settle(Lane& lane, Connection& connection, Parcel parcel, std::vector<smtp::Outcome> outcomes, const Trip& trip) {
  const auto accepted = [](const smtp::Outcome& o) { return o.kind == Kind::kAccepted; };
  const bool any = std::any_of(outcomes.begin(), outcomes.end(), accepted);
  Parcel again{.entries = {}, .tries = parcel.tries + 1};
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const smtp::Outcome& o = outcomes[i];
    // A kept connection that the host had closed meanwhile, or was about to: nothing is known of the message yet.
    const bool stale = !connection.usable() && connection.sent() > 1 && o.kind == Kind::kDeferred && !o.in_doubt &&
                       (o.local || o.code == 421) && again.tries <= options_.limits.second_tries;
    // RFC 5321 §4.5.3.1.10: more recipients than the host takes at once; those that it took make the rest fewer.
    const bool too_many = any && o.stage == Stage::kRcpt && (o.code == 452 || o.code == 552) && !o.local;
    if ((stale || too_many) && !stopping_) {
      again.entries.push_back(std::move(parcel.entries[i]));
      if (too_many) again.tries = 0;
    } else {
      verdicts.push_back({std::move(parcel.entries[i]), std::move(outcomes[i])});
    }
  }
  if (any) {
    lane.proven = true;
    lane.failures = 0;
    lane.down_until = 0;
  }
  Conclude(lane, std::move(verdicts), trip);
  if (!again.entries.empty()) lane.waiting.push_front(std::move(again));
  if (any && !lane.waiting.empty()) Spread(lane);
}

}  // namespace glasspost::relay
