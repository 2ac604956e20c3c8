// Live conversations on their way into the store's ring, and who looks on while they run. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "analysis/live/events.h"
#include "store/conversations.h"

namespace glasspost::server {

class ConversationSink final : public analysis::EventSink {
 public:
  // `kept` outlives it.
  explicit ConversationSink(store::Conversations& kept) : kept_(kept) {}

  std::uint64_t NextNumber() override;
  void Begun(analysis::EventsHead head) override;
  void Part(std::uint64_t number, std::string octets) override;
  void Finish(analysis::EventsHead head) override;
  void Ended(std::uint64_t number) override;
  bool Followed(std::uint64_t number) const override;

  // Somebody looks on at a conversation, or not any more. The answer: is it running?
  bool Follow(std::uint64_t number, bool on);
  // Those that run and in which something was said, by number.
  std::vector<store::ConversationHead> Running() const;

 private:
  store::Conversations& kept_;
  mutable std::mutex mutex_;
  struct Live {
    int lookers = 0;
    std::unique_ptr<store::ConversationHead> head;  // null: nothing was said yet
  };
  std::unordered_map<std::uint64_t, Live> running_;
};

}  // namespace glasspost::server
