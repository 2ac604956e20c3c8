// Somebody who hears what a conversation's Teller is told, while it is told: a person who leads the conversation by hand.
#pragma once

#include <memory>

#include "analysis/teller.h"

namespace glasspost::analysis {

// Called on the conversation's thread; references live during the call. Secrets are masked as the report wants them.
class Ear {
 public:
  virtual ~Ear() = default;
  virtual void OnRequest(const ConversationFacts& facts, const Exchange& exchange) = 0;
  virtual void OnExchange(const ConversationFacts& facts, const Exchange& exchange) = 0;
  virtual void OnFinding(const ConversationFacts& facts, const Finding& finding) = 0;
};

// The same report, whose Tellers let `ear` hear first. `ear` outlives it and them.
std::unique_ptr<Report> WithEar(std::unique_ptr<Report> report, Ear& ear);

}  // namespace glasspost::analysis
