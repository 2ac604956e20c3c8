// What goes on between relay and queue: claims, leases, their end.
#include "relay/engine.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/sha256.h"

namespace glasspost::relay {
namespace {

constexpr std::size_t kClaim = 500;                  // entries of one claim
constexpr std::size_t kFewest = 50;                  // room for which it is worth one
constexpr std::int64_t kLongestWait = 60 * kSecond;  // stops a clock that jumps from keeping mail

std::string NewOwner(const std::string& node, Randomness& randomness) {
  const std::string drawn = randomness.Draw(8);
  return node + ":" + Hex(AsBytes(drawn));
}

}  // namespace

Engine::Engine(const RelayOptions& options, const RelayParts& parts, TlsContexts tls)
    : options_(options),
      parts_(parts),
      observer_(parts.observer != nullptr ? *parts.observer : silent_),
      owner_(NewOwner(options.node, parts.randomness)),
      around_{.context = parts_.context,
              .deadlines = parts_.deadlines,
              .options = options_,
              .randomness = parts_.randomness,
              .tls = std::move(tls),
              .taps = parts_.taps},
      settler_(parts_.context, parts_.store.queue(), owner_, observer_, [this](bool later) { OnSettled(later); }),
      notices_(std::make_shared<Notices>(Notices::Parts{
          .context = parts_.context,
          .clock = parts_.deadlines.clock(),
          .store = parts_.store,
          .options = options_,
          .owner = owner_,
          .settler = settler_,
          .observer = observer_,
          .on_done = [this](const std::vector<store::Outcome>& outcomes, bool queued) { OnNoticeDone(outcomes, queued); }})),
      judge_(options_, settler_, *notices_, observer_, parts_.randomness),
      due_timer_(parts_.context),
      renew_timer_(parts_.context),
      grace_timer_(parts_.context) {
  notices_->SetJudge(judge_);
}

store::Lease Engine::NewLease() const { return {owner_, Now() + std::chrono::nanoseconds(options_.lease).count()}; }

void Engine::Start() {
  started_ = true;
  Renew();
  Claim();
}

void Engine::Kick() { Claim(); }

void Engine::Retry() {
  dead_.clear();
  for (auto& [name, lane] : lanes_) lane->down_until = 0;
  Claim();
}

void Engine::TakeClaimed(std::vector<store::Entry> entries) {
  // A lease may end while its entry is in hand: the clock was set forward, or the disk is full and the outcome waits to be
  // written.
  in_hand_ -= std::erase_if(entries, [this](const store::Entry& e) { return held_.contains(e.id) || settler_.Has(e.id); });
  for (const store::Entry& entry : entries) held_.insert(entry.id);
  if (!stopping_) return Take(std::move(entries));
  Let(entries);
  judge_.Release(entries);
}

// Destinations that have no room, or are down.
std::vector<std::string> Engine::Skipped() const {
  std::vector<std::string> names;
  const Timestamp now = Now();
  for (const auto& [name, lane] : lanes_) {
    const bool full = lane->entries >= (options_.limits.in_hand_of_destination + 1) / 2;
    if (!full && lane->down_until <= now) continue;
    lane->crowded |= full;
    names.insert(names.end(), lane->written_as.begin(), lane->written_as.end());
  }
  return names;
}

void Engine::Claim() {
  if (stopping_ || !started_) return;
  if (claiming_) return void(claim_again_ = true);
  const std::size_t room = std::min(kClaim, options_.limits.in_hand - std::min(in_hand_, options_.limits.in_hand));
  starved_ = room == 0 || (room < std::min(kFewest, options_.limits.in_hand / 4) && in_hand_ > 0);
  if (starved_) return;  // until something is settled
  in_hand_ += room;
  claiming_ = true;
  claim_again_ = false;
  store::Claim claim{.lease = NewLease(),
                     .now = Now(),
                     .limit = room,
                     .per_destination = std::max<std::size_t>(options_.limits.in_hand_of_destination / 2, 1),
                     .skip = Skipped(),
                     .with_octets = true};
  auto done = Owed<std::vector<store::Entry>>([this, room](auto result) { OnClaimed(std::move(result), room); });
  parts_.store.queue().ClaimDue(std::move(claim), std::move(done));
}

void Engine::OnClaimed(store::Result<std::vector<store::Entry>> result, std::size_t reserved) {
  claiming_ = false;
  if (!result) {
    in_hand_ -= reserved;
    observer_.OnTrouble("the queue cannot be read: " + result.error().text);
    if (stopping_) return CheckStopped();
    return WaitUntil(Now() + kSecond);
  }
  const std::size_t got = result->size();
  in_hand_ -= reserved - got;
  TakeClaimed(std::move(*result));
  if (stopping_) return CheckStopped();
  if (got == reserved || claim_again_) return Claim();
  AskNextDue();
}

void Engine::AskNextDue() {
  parts_.store.queue().NextDue(Skipped(), Owed<Timestamp>([this](store::Result<Timestamp> due) {
                                 if (stopping_) return CheckStopped();
                                 Timestamp when = due && *due != kNoTime ? *due : Now() + kLongestWait;
                                 for (const auto& [name, lane] : lanes_)
                                   if (lane->down_until > Now()) when = std::min(when, lane->down_until);
                                 WaitUntil(when);
                               }));
}

void Engine::WaitUntil(Timestamp due) {
  const std::int64_t in = std::clamp<std::int64_t>(due - Now(), 0, kLongestWait);
  // At least a moment: what is due and cannot be had is not asked for in a circle.
  due_timer_.expires_after(std::chrono::nanoseconds(in) + std::chrono::milliseconds(1));
  due_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->Claim();
  });
}

void Engine::Renew() {
  TidyAll();
  std::vector<store::EntryId> ids;
  const auto renew = [&] { RenewThese(std::exchange(ids, {})); };
  for (const store::EntryId id : held_) {
    ids.push_back(id);
    if (ids.size() == store::QueueLimits::kClaimed) renew();
  }
  if (!ids.empty()) renew();
  renew_timer_.expires_after(options_.lease / 3);
  renew_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->stopping_) self->Renew();
  });
}

void Engine::RenewThese(std::vector<store::EntryId> ids) {
  parts_.store.queue().Renew(ids, NewLease(), Owed<void>([this, ids](store::Result<void> result) {
                               OnRenewed(ids, !result && result.error().fault == store::Fault::kLeaseLost);
                             }));
}

// One of them is another's, or gone: each is asked for by itself.
void Engine::OnRenewed(std::vector<store::EntryId> ids, bool lost) {
  if (stopping_) return CheckStopped();
  if (!lost) return;
  if (ids.size() == 1) return Forget(ids.front());
  for (const store::EntryId id : ids)
    if (held_.contains(id)) RenewThese({id});
}

// The entry is not ours any more; one that is on its way cannot be called back.
void Engine::Forget(store::EntryId id) {
  for (auto& [name, lane] : lanes_) {
    for (Parcel& parcel : lane->waiting) {
      const auto at = std::find_if(parcel.entries.begin(), parcel.entries.end(), [id](const auto& e) { return e.id == id; });
      if (at == parcel.entries.end()) continue;
      parcel.entries.erase(at);
      --lane->entries;
      LetGo(id);
      std::erase_if(lane->waiting, [](const Parcel& p) { return p.entries.empty(); });
      return;
    }
  }
}

bool Engine::LetGo(store::EntryId id) {
  if (held_.erase(id) == 0) return false;
  --in_hand_;
  return true;
}

// Their outcomes are on their way.
void Engine::Let(const std::vector<store::Entry>& entries) {
  for (const store::Entry& entry : entries) LetGo(entry.id);
}

void Engine::OnSettled(bool later) {
  if (starved_) {
    Claim();
  } else if (later && !stopping_) {
    AskNextDue();
  }
  CheckStopped();
}

void Engine::OnNoticeDone(const std::vector<store::Outcome>& outcomes, bool queued) {
  for (const store::Outcome& outcome : outcomes) LetGo(outcome.entry);
  if (queued || starved_) Claim();
  CheckStopped();
}

Counts Engine::counts() const {
  Counts counts{.connections = open_.size(), .in_hand = in_hand_, .destinations = lanes_.size(), .down = 0};
  const Timestamp now = Now();
  for (const auto& [name, lane] : lanes_) counts.down += lane->down_until > now ? 1 : 0;
  return counts;
}

void Engine::Stop(std::chrono::nanoseconds grace, std::function<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  due_timer_.cancel();
  renew_timer_.cancel();
  for (auto& [name, lane] : lanes_) {
    ReleaseWaiting(*lane);
    for (Lane::Idle* idle : lane->idle) idle->timer.cancel();
  }
  for (auto& [domain, locality] : localities_) {
    Let(locality.waiting);
    judge_.Release(std::exchange(locality.waiting, {}));
  }
  grace_timer_.expires_after(grace);
  grace_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    for (Connection* connection : self->open_) connection->Cancel();
    self->settler_.Stop();
  });
  net::asio::post(parts_.context, [self = shared_from_this()] { self->CheckStopped(); });
}

void Engine::CheckStopped() {
  if (!stopping_ || !stopped_ || delivering_ > 0 || calls_ > 0 || !settler_.idle()) return;
  if (!notices_->idle()) return notices_->Stop();
  grace_timer_.cancel();
  for (Connection* connection : open_) connection->Cancel();
  std::exchange(stopped_, nullptr)();
}

}  // namespace glasspost::relay
