#include "server/conversation_sink.h"

#include <algorithm>

namespace glasspost::server {

std::uint64_t ConversationSink::NextNumber() {
  const std::uint64_t number = kept_.NextNumber();
  const std::lock_guard lock(mutex_);
  running_.emplace(number, 0);
  return number;
}

void ConversationSink::Part(std::uint64_t number, std::string octets) { kept_.Append(number, std::move(octets)); }

void ConversationSink::Finish(analysis::EventsHead head) {
  kept_.Finish(
      {head.number, head.begin, head.end, std::move(head.protocol), std::move(head.peer), std::move(head.summary), head.octets});
}

void ConversationSink::Ended(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  running_.erase(number);
}

bool ConversationSink::Followed(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto at = running_.find(number);
  return at != running_.end() && at->second > 0;
}

bool ConversationSink::Follow(std::uint64_t number, bool on) {
  const std::lock_guard lock(mutex_);
  const auto at = running_.find(number);
  if (at == running_.end()) return false;
  at->second = std::max(0, at->second + (on ? 1 : -1));
  return true;
}

}  // namespace glasspost::server
