#include "analysis/live/recording_losses.h"

#include <utility>

namespace glasspost::analysis {

void RecordingLosses::Add(std::uint64_t session, RecordingLoss why, std::uint64_t octets, int error) {
  const std::lock_guard lock(mutex_);
  auto at = sessions_.find(session);
  if (at == sessions_.end()) {
    if (sessions_.size() >= kSessions) {
      ++others_;
      other_octets_ += octets;
      return;
    }
    at = sessions_.emplace(session, Session{.lost = {.session = session, .why = why, .error = error}}).first;
  }
  at->second.lost.octets += octets;
}

void RecordingLosses::End(std::uint64_t session) {
  const std::lock_guard lock(mutex_);
  if (const auto at = sessions_.find(session); at != sessions_.end()) at->second.ended = true;
}

RecordingLosses::Taken RecordingLosses::Take(std::size_t most) {
  const std::lock_guard lock(mutex_);
  Taken taken{.sessions = {}, .others = std::exchange(others_, 0), .other_octets = std::exchange(other_octets_, 0)};
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    Session& s = at->second;
    const bool due = !s.told || (s.ended && s.lost.octets > 0);
    if (due && taken.sessions.size() < most) {
      taken.sessions.push_back(s.lost);
    } else if (due) {
      ++taken.others;
      taken.other_octets += s.lost.octets;
    }
    if (due) s.told = true, s.lost.octets = 0;
    at = s.ended ? sessions_.erase(at) : std::next(at);
  }
  return taken;
}

}  // namespace glasspost::analysis
