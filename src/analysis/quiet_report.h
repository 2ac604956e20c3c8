// A report that tells nothing: for the pass that only counts.
#pragma once

#include <memory>

#include "analysis/teller.h"

namespace glasspost::analysis {

class QuietReport final : public Report {
 public:
  Wants wants() const override { return {.message_header = false, .message_digest = false}; }
  std::unique_ptr<Teller> NewTeller() const override { return std::make_unique<QuietTeller>(); }
  void Write(std::uint64_t, TextStore&) override {}

 private:
  struct QuietTeller final : Teller {
    void OnExchange(const ConversationFacts&, const Exchange&) override {}
    void OnMessage(const ConversationFacts&, const MessageFacts&) override {}
    void OnFinding(const ConversationFacts&, const Finding&) override {}
    void Finish(const ConversationFacts&, TextStore&) override {}
  };
};

}  // namespace glasspost::analysis
