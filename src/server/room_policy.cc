#include "server/room_policy.h"

namespace glasspost::server {

smtp::Answer NoRoom() { return smtp::Answer::No(452, "4.3.1", "Insufficient system storage"); }

PolicyDecision RoomPolicy::AtMail(const SmtpFacts& facts, PolicyLater&) {
  const std::int64_t now = clock_.Steady();
  if (now < until_ && facts.size <= room_) return PolicyVerdict{};
  const store::StoreState state = state_();
  if (state.full || facts.size > state.room) {
    until_ = 0;
    return PolicyVerdict{NoRoom(), {}};
  }
  room_ = state.room;
  until_ = now + kBelieved;
  return PolicyVerdict{};
}

}  // namespace glasspost::server
