// Room on the disk, asked at MAIL: who is told only after the data has sent the whole message for nothing. The commit still
// decides, for many messages may share what room there is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "server/policy.h"
#include "store/store.h"

namespace glasspost::server {

// RFC 3463 §3.4: mail system full.
smtp::Answer NoRoom();

class RoomPolicy final : public Policy {
 public:
  // Nanoseconds for which room that was seen is believed to be there; want of it is looked at anew each time, so that mail is
  // taken as soon as there is room.
  static constexpr std::int64_t kBelieved = 1'000'000'000;
  // `state`: the store's, of any thread; it and `clock` outlive the policy.
  RoomPolicy(std::function<store::StoreState()> state, const Clock& clock) : state_(std::move(state)), clock_(clock) {}
  bool Asks(PolicyStep step) const override { return step == PolicyStep::kMail; }
  PolicyDecision AtMail(const SmtpFacts& facts, PolicyLater& later) override;

 private:
  const std::function<store::StoreState()> state_;
  const Clock& clock_;
  std::atomic<std::int64_t> until_ = 0;  // Steady()
  std::atomic<std::uint64_t> room_ = 0;
};

}  // namespace glasspost::server
