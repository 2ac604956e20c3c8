#include "server/conversation_sink.h"

#include <algorithm>

namespace glasspost::server {
namespace {

store::ConversationHead Kept(analysis::EventsHead head) {
  return {head.number, head.begin, head.end, std::move(head.protocol), std::move(head.peer), std::move(head.summary),
          head.octets};
}

}  // namespace

std::uint64_t ConversationSink::NextNumber() {
  const std::uint64_t number = kept_.NextNumber();
  const std::lock_guard lock(mutex_);
  running_.try_emplace(number);
  return number;
}

void ConversationSink::Begun(analysis::EventsHead head) {
  auto kept = std::make_unique<store::ConversationHead>(Kept(std::move(head)));
  const std::lock_guard lock(mutex_);
  if (const auto at = running_.find(kept->number); at != running_.end()) at->second.head = std::move(kept);
}

void ConversationSink::Part(std::uint64_t number, std::string octets) { kept_.Append(number, std::move(octets)); }

void ConversationSink::Finish(analysis::EventsHead head) { kept_.Finish(Kept(std::move(head))); }

void ConversationSink::Ended(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  running_.erase(number);
}

bool ConversationSink::Followed(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto at = running_.find(number);
  return at != running_.end() && at->second.lookers > 0;
}

bool ConversationSink::Follow(std::uint64_t number, bool on) {
  const std::lock_guard lock(mutex_);
  const auto at = running_.find(number);
  if (at == running_.end()) return false;
  at->second.lookers = std::max(0, at->second.lookers + (on ? 1 : -1));
  return true;
}

std::vector<store::ConversationHead> ConversationSink::Running() const {
  std::vector<store::ConversationHead> heads;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, live] : running_)
      if (live.head != nullptr) heads.push_back(*live.head);
  }
  std::ranges::sort(heads, {}, &store::ConversationHead::number);
  return heads;
}

}  // namespace glasspost::server
