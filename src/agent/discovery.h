// Finds the servers of an address: in the directory of providers, then by SRV records (RFC 6186, RFC 8314 §5), then in the
// document that the domain publishes for mail programs, then by names that are common. Each service comes from the first that has
// it; the way is told. What the network says comes through interfaces that are passed in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/account.h"
#include "agent/login.h"
#include "agent/providers.h"
#include "base/randomness.h"
#include "net/https_get.h"
#include "net/resolver.h"

namespace glasspost::agent {

struct DiscoveryLimits {
  static constexpr std::size_t kTargets = 16;  // SRV records of a name: stops an answer of thousands
  static constexpr std::size_t kProbed = 4;    // of them that are tried
  static constexpr int kSilence = 2;           // questions without any answer, then the DNS is asked no more
};

enum class Origin : std::uint8_t { kTyped, kDirectory, kSrv, kAutoconfig, kCommonName };
std::string_view Name(Origin origin);  // "typed", "directory", "srv", "autoconfig", "common-name"

struct FoundServer {
  ServerAddress server;
  Origin origin = Origin::kTyped;
  std::string where;     // "_pop3s._tcp.example.org", a URL, an id of the directory
  bool foreign = false;  // of another domain, and nothing signed says that it belongs to this one (RFC 6186 §6)
};

struct Step {
  Origin origin = Origin::kTyped;
  std::string asked;
  std::string result;  // "pop.example.org:995 (implicit)", or why there is nothing
  bool helped = false;
};

struct Discovery {
  std::array<std::optional<FoundServer>, 3> servers;  // by Service
  std::array<bool, 3> absent{};                       // the provider or the domain says that there is none
  std::string user;                                   // one logs in with
  bool oauth_only = false;                            // as the document says, of one of the servers taken from it
  const Provider* provider = nullptr;
  std::vector<Step> steps;

  std::optional<FoundServer>& At(Service service) { return servers[static_cast<std::size_t>(service)]; }
  const std::optional<FoundServer>& At(Service service) const { return servers[static_cast<std::size_t>(service)]; }
  bool Open(Service service) const { return !At(service) && !absent[static_cast<std::size_t>(service)]; }
};

// Tries a server without logging in.
class Prober {
 public:
  virtual ~Prober() = default;
  virtual net::Task<Trial> Probe(Service service, ServerAddress server) = 0;
};

struct DiscoveryTools {
  net::Resolver& resolver;
  Randomness& randomness;
  net::Fetcher* fetcher = nullptr;  // null: no documents
  Prober* prober = nullptr;         // null: nothing is connected to, and no names are guessed
  bool clear_http = false;          // documents by http, too
};

// `found` has what was typed; what is open (Discovery::Open) is looked for. All that is given outlives it.
net::Task<void> Discover(const AddressParts& address, const DiscoveryTools& tools, Discovery& found);

struct SrvTarget {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string host;
  bool operator==(const SrvTarget&) const = default;
};
// RFC 2782: by priority, and within one at random, by weight.
std::vector<SrvTarget> InOrder(std::vector<SrvTarget> targets, Randomness& randomness);

// Asks another one, and once that has given no answer kSilence times in a row answers so itself: without a network nobody waits
// for every question.
class ImpatientResolver final : public net::Resolver {
 public:
  explicit ImpatientResolver(net::Resolver& resolver) : resolver_(resolver) {}  // outlives it
  net::Task<net::DnsAnswer> Query(std::string name, std::uint16_t type) override;

 private:
  net::Resolver& resolver_;
  int silent_ = 0;
};

}  // namespace glasspost::agent
