// Live conversations on their way into the store's ring, and who looks on while they run. Any thread.
#pragma once

#include <mutex>
#include <unordered_map>

#include "analysis/live/events.h"
#include "store/conversations.h"

namespace glasspost::server {

class ConversationSink final : public analysis::EventSink {
 public:
  // `kept` outlives it.
  explicit ConversationSink(store::Conversations& kept) : kept_(kept) {}

  std::uint64_t NextNumber() override;
  void Part(std::uint64_t number, std::string octets) override;
  void Finish(analysis::EventsHead head) override;
  void Ended(std::uint64_t number) override;
  bool Followed(std::uint64_t number) const override;

  // Somebody looks on at a conversation, or not any more. The answer: is it running?
  bool Follow(std::uint64_t number, bool on);

 private:
  store::Conversations& kept_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, int> running_;  // and how many look on
};

}  // namespace glasspost::server
