// The resolver of the server: libunbound, which caches, validates (RFC 4035) and asks asynchronously from a thread of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/resolver.h"

namespace glasspost::net {

struct UnboundOptions {
  // Name servers to forward to, "192.0.2.53" or "192.0.2.53:5353", "[2001:db8::53]:53"; empty: those of resolv.conf, or none if
  // `recursive`, which asks the root servers itself.
  std::vector<std::string> name_servers = {};
  bool recursive = false;
  // File of the root's trust anchor ("/usr/share/dns/root.key"); empty: nothing is validated.
  std::string trust_anchor = {};
  // Names of /etc/hosts count, too, as programs of this machine know them.
  bool hosts = false;
  // How long somebody waits for an answer; 0: as long as libunbound tries (a minute or two).
  std::chrono::milliseconds patience{0};
};

class UnboundResolver final : public Resolver {
 public:
  // `test.` (RFC 6761 §6.2) is asked for like any other name, unsigned: a lab's zones live there.
  static Expected<std::unique_ptr<UnboundResolver>> Make(asio::io_context& context, const UnboundOptions& options);
  // Questions that are open end with a failure.
  ~UnboundResolver() override;
  UnboundResolver(const UnboundResolver&) = delete;
  UnboundResolver& operator=(const UnboundResolver&) = delete;

  Task<DnsAnswer> Query(std::string name, std::uint16_t type) override;

 private:
  struct State;
  explicit UnboundResolver(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace glasspost::net
