#include "server/policies.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::server {
namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;

std::string Lower(Octets text) {
  std::string out(text);
  for (char& c : out) c = ToLower(c);
  return out;
}

// "ada@a.test" of "ada+tag@a.test".
std::string WithoutTag(const std::string& address) {
  const std::size_t plus = address.find('+'), at = address.rfind('@');
  if (plus == std::string::npos || plus == 0 || plus > at) return address;
  return address.substr(0, plus) + address.substr(at);
}

// "user@example.org" (its tags, too), "example.org", ".example.org" (what is below it), "<>".
bool Fits(const std::string& pattern, const std::string& address) {
  if (pattern == "<>") return address.empty();
  const std::string name = Lower(address);
  const std::string wanted = Lower(pattern);
  if (wanted.find('@') != std::string::npos) return name == wanted || WithoutTag(name) == wanted;
  const std::size_t at = name.rfind('@');
  const Octets domain = at == std::string::npos ? Octets() : Octets(name).substr(at + 1);
  if (wanted.starts_with('.')) return domain.ends_with(wanted);
  return !domain.empty() && domain == wanted;
}

bool FitsAny(const std::vector<std::string>& patterns, const std::string& address) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& p) { return Fits(p, address); });
}

PolicyVerdict Refusal(std::uint16_t code, std::string enhanced, std::string text) {
  return {smtp::Answer::No(code, std::move(enhanced), std::move(text)), {}};
}

}  // namespace

std::string NetworkOf(const Address& address, int v4_bits, int v6_bits) {
  Address network = address;
  const int bits = address.is_v4() ? 96 + v4_bits : v6_bits;
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(bits - i * 8, 0, 8);
    network.octets[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff << (8 - kept));
  }
  return network.Text();
}

PolicyDecision AccessPolicy::AtRecipient(const SmtpFacts& facts, const std::string& recipient, PolicyLater&) {
  for (const AccessRule& rule : rules_) {
    const bool client = rule.client.empty() ||
                        std::ranges::any_of(rule.client, [&](const Network& n) { return n.Contains(facts.client.address); });
    if (!client || !FitsAny(rule.sender, facts.sender) || !FitsAny(rule.recipient, recipient)) continue;
    const std::string text = rule.text.empty() ? "Access denied" : rule.text;
    if (rule.action == AccessAction::kRefuse) return Refusal(554, "5.7.1", text);
    if (rule.action == AccessAction::kDefer) return Refusal(450, "4.7.1", text);
    return PolicyVerdict{};
  }
  return PolicyVerdict{};
}

RatePolicy::Count& RatePolicy::Of(const SmtpFacts& facts, std::int64_t now) {
  if (counts_.size() >= kSenders) {
    const std::int64_t hour = now / kHour;
    std::erase_if(counts_,
                  [&](const auto& c) { return c.second.hour < hour - 1 || (c.second.now <= 1 && c.second.before == 0); });
    if (counts_.size() >= kSenders) counts_.clear();
  }
  Count& count = counts_[facts.user.empty() ? NetworkOf(facts.client.address, 32, 64) : facts.user];
  const std::int64_t hour = now / kHour;
  if (count.hour != hour) {
    count.before = count.hour == hour - 1 ? count.now : 0;
    count.now = 0;
    count.hour = hour;
  }
  return count;
}

double RatePolicy::Sent(const Count& count, std::int64_t now) const {
  const double past = static_cast<double>(now % kHour) / static_cast<double>(kHour);
  return static_cast<double>(count.now) + static_cast<double>(count.before) * (1 - past);
}

PolicyDecision RatePolicy::AtMail(const SmtpFacts& facts, PolicyLater&) {
  const std::int64_t now = clock_.Now();
  const std::lock_guard lock(mutex_);
  if (Sent(Of(facts, now), now) < static_cast<double>(limit_)) return PolicyVerdict{};
  return Refusal(450, "4.7.1", "Too many messages, try again later");
}

PolicyDecision RatePolicy::AtEnd(const SmtpFacts& facts, Octets, std::uint64_t, PolicyLater&) {
  const std::int64_t now = clock_.Now();
  const std::lock_guard lock(mutex_);
  ++Of(facts, now).now;
  return PolicyVerdict{};
}

PolicyDecision GreylistPolicy::AtRecipient(const SmtpFacts& facts, const std::string& recipient, PolicyLater&) {
  if (!facts.user.empty() || facts.relay_network) return PolicyVerdict{};
  const auto ns = [](std::chrono::seconds s) { return std::chrono::nanoseconds(s).count(); };
  const std::int64_t now = clock_.Now();
  const std::string network = NetworkOf(facts.client.address, 24, 64);
  const std::string triplet = network + '\0' + Lower(facts.sender) + '\0' + Lower(recipient);
  const std::lock_guard lock(mutex_);
  if (const auto known = networks_.find(network); known != networks_.end() && now - known->second < ns(options_.remember)) {
    known->second = now;
    return PolicyVerdict{};
  }
  if (triplets_.size() + networks_.size() >= kTriplets) Forget(now);
  const auto [at, is_new] = triplets_.try_emplace(triplet, Seen{now});
  Seen& seen = at->second;
  if (!is_new && now - seen.first >= ns(options_.delay) && now - seen.first < ns(options_.retry_within)) {
    networks_[network] = now;
    triplets_.erase(at);
    return PolicyVerdict{};
  }
  if (now - seen.first >= ns(options_.retry_within)) seen.first = now;
  return Refusal(450, "4.7.1", "Greylisted: please come again in " + std::to_string(options_.delay.count()) + " seconds");
}

void GreylistPolicy::Forget(std::int64_t now) {
  const auto ns = [](std::chrono::seconds s) { return std::chrono::nanoseconds(s).count(); };
  std::erase_if(triplets_, [&](const auto& t) { return now - t.second.first >= ns(options_.retry_within); });
  std::erase_if(networks_, [&](const auto& n) { return now - n.second >= ns(options_.remember); });
  // All of these came within the time to come again: they come again once more.
  if (triplets_.size() + networks_.size() >= kTriplets) triplets_.clear();
  if (networks_.size() >= kTriplets) networks_.clear();
}

}  // namespace glasspost::server
