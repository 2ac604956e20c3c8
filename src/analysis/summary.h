// What happened in a conversation, in a few words: "AUTH LOGIN ok, 1 message to 2 recipients, 18 kB".
#pragma once

#include <cstdint>
#include <string>

#include "analysis/facts.h"
#include "analysis/language.h"
#include "wire/exchange.h"

namespace glasspost::analysis {

// "18 kB", "940 B", "5.2 MB"; decimal units
std::string SizeText(std::uint64_t octets);

class Summary {
 public:
  void OnExchange(const Exchange& exchange, Protocol protocol);
  void OnMessage(const MessageFacts& message);
  // The words; octets of the peer in them are not escaped.
  std::string Words(const ConversationFacts& facts, Language language) const;

  std::uint64_t messages() const { return messages_; }
  std::uint64_t message_octets() const { return octets_; }

 private:
  void OnSmtp(const Exchange& e);
  void OnPop3(const Exchange& e);
  void OnImap(const Exchange& e);
  void OnDns(const Exchange& e);

  enum class Outcome : std::uint8_t { kNone, kOk, kFailed };
  std::string auth_;  // mechanism or command
  Outcome auth_outcome_ = Outcome::kNone;
  bool in_auth_ = false;
  bool starttls_ = false;
  std::uint64_t exchanges_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t recipients_ = 0;
  std::uint64_t refused_recipients_ = 0;
  std::uint64_t refused_messages_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t deleted_ = 0;
  std::uint64_t truncated_ = 0;
  std::uint64_t queries_ = 0;
  std::string first_query_;
  std::string first_answer_;
  int greeting_code_ = 0;
};

}  // namespace glasspost::analysis
