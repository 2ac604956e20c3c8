#include "relay/settler.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace glasspost::relay {
namespace {

constexpr std::chrono::seconds kAgain{1};  // after a full disk

}  // namespace

Settler::Settler(net::asio::io_context& context, store::Queue& queue, std::string owner, Observer& observer,
                 std::function<void(bool)> on_settled)
    : context_(context),
      queue_(queue),
      owner_(std::move(owner)),
      observer_(observer),
      on_settled_(std::move(on_settled)),
      timer_(context),
      wrote_(context, std::chrono::steady_clock::time_point::max()) {}

void Settler::Add(std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events) {
  if (outcomes.empty() && events.empty()) return;
  for (const store::Outcome& outcome : outcomes) unwritten_.insert(outcome.entry);
  waiting_.push_back({std::move(outcomes), std::move(events)});
  ++added_;
  if (!under_way_) Settle();
}

void Settler::Settle() {
  std::vector<store::Outcome> outcomes;
  std::vector<store::JourneyEvent> events;
  taken_ = 0;
  later_ = false;
  for (const Item& item : waiting_) {
    const bool full = outcomes.size() + item.outcomes.size() > store::QueueLimits::kOutcomes ||
                      events.size() + item.events.size() > store::JourneyLimits::kEventsInCommit;
    if (full && taken_ > 0) break;
    outcomes.insert(outcomes.end(), item.outcomes.begin(), item.outcomes.end());
    for (const store::Outcome& outcome : item.outcomes)
      later_ |= outcome.kind == store::Outcome::Kind::kDeferred || outcome.kind == store::Outcome::Kind::kReleased;
    events.insert(events.end(), item.events.begin(), item.events.end());
    ++taken_;
  }
  under_way_ = true;
  queue_.Settle(owner_, std::move(outcomes), std::move(events), [this](store::Result<std::vector<bool>> result) {
    net::asio::post(context_, [this, result = std::move(result)]() mutable { OnSettled(std::move(result)); });
  });
}

void Settler::OnSettled(store::Result<std::vector<bool>> result) {
  if (!result) {
    observer_.OnTrouble("outcomes cannot be written: " + result.error().text);
    const store::Fault fault = result.error().fault;
    // What happened to the messages is known to us alone until it is written: a full disk is waited out.
    if ((fault == store::Fault::kFull || fault == store::Fault::kFailed) && !stopping_) return Again();
  }
  Drop(taken_);
  under_way_ = false;
  const bool later = later_;
  if (!waiting_.empty()) Settle();
  on_settled_(later);
}

void Settler::Drop(std::size_t items) {
  for (std::size_t i = 0; i < items; ++i) {
    for (const store::Outcome& outcome : waiting_[i].outcomes) unwritten_.erase(outcome.entry);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(items));
  written_ += items;
  wrote_.cancel();
}

void Settler::Stop() {
  stopping_ = true;
  if (timer_.cancel() > 0) Settle();  // the last attempt
}

net::Task<void> Settler::Written() {
  const std::uint64_t all = added_;
  while (written_ < all) co_await wrote_.async_wait(net::kAwait);
}

void Settler::Again() {
  timer_.expires_after(kAgain);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Settle();
  });
}

}  // namespace glasspost::relay
