// The policies that are built in: access lists, limits of messages, greylisting. Each is asked from many threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "server/config.h"
#include "server/policy.h"

namespace glasspost::server {

// [[access.rule]]: the first rule that fits a recipient's delivery decides. All is asked at RCPT, when client, sender and
// recipient are known.
class AccessPolicy final : public Policy {
 public:
  explicit AccessPolicy(std::vector<AccessRule> rules) : rules_(std::move(rules)) {}
  PolicyDecision AtRecipient(const SmtpFacts& facts, const std::string& recipient, PolicyLater& later) override;

 private:
  const std::vector<AccessRule> rules_;
};

// Messages an hour of one account, or of one address where nobody logged in (of IPv6, a /64).
class RatePolicy final : public Policy {
 public:
  // Stops a flood of addresses from filling the memory: beyond it those that sent least are forgotten.
  static constexpr std::size_t kSenders = 100'000;
  // `clock` outlives it.
  RatePolicy(std::uint64_t messages_per_hour, const Clock& clock) : limit_(messages_per_hour), clock_(clock) {}
  PolicyDecision AtMail(const SmtpFacts& facts, PolicyLater& later) override;
  PolicyDecision AtEnd(const SmtpFacts& facts, Octets header, std::uint64_t octets, PolicyLater& later) override;

 private:
  struct Count {
    std::int64_t hour = 0;  // that `now` counts
    std::uint64_t before = 0;
    std::uint64_t now = 0;
  };
  // As if the hour before had been even: a window that slides without a list of times.
  double Sent(const Count& count, std::int64_t now) const;
  Count& Of(const SmtpFacts& facts, std::int64_t now);

  const std::uint64_t limit_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Count> counts_;
};

// RFC 6647: who is not known is asked to come again. Known is a network (IPv4 /24, IPv6 /64) with sender and recipient, after it
// came again in time; and then the network by itself. Nobody who logged in, or whose network may relay, is asked.
class GreylistPolicy final : public Policy {
 public:
  static constexpr std::size_t kTriplets = 200'000;  // stops senders that never come again from filling the memory
  GreylistPolicy(const Config::Greylist& options, const Clock& clock) : options_(options), clock_(clock) {}
  PolicyDecision AtRecipient(const SmtpFacts& facts, const std::string& recipient, PolicyLater& later) override;

 private:
  struct Seen {
    std::int64_t first = 0;
  };
  void Forget(std::int64_t now);

  const Config::Greylist options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Seen> triplets_;
  std::unordered_map<std::string, std::int64_t> networks_;  // that passed, and when they were last here
};

// "192.0.2.0" or "2001:db8::" of an address: what is held to be one sender.
std::string NetworkOf(const Address& address, int v4_bits, int v6_bits);

}  // namespace glasspost::server
