// Values that are each right, and together are not.
#include <fmt/format.h>

#include <set>

#include "server/config_reader.h"

namespace glasspost::server {
namespace {

struct Contradictions {
  std::vector<Contradiction> found;

  void Add(bool there, std::string key, std::string what, std::string remedy = {}, std::string other = {}) {
    if (there) found.push_back({std::move(key), std::move(what), std::move(remedy), std::move(other)});
  }
};

void CheckListeners(const Config& c, Contradictions& out) {
  const std::pair<const char*, const Endpoints*> all[] = {
      {"listen.smtp", &c.listen.smtp}, {"listen.submission", &c.listen.submission}, {"listen.submissions", &c.listen.submissions},
      {"listen.pop3", &c.listen.pop3}, {"listen.pop3s", &c.listen.pop3s},           {"listen.lmtp", &c.listen.lmtp},
      {"http.listen", &c.http.listen},
  };
  std::map<Endpoint, const char*> seen;
  bool mail = false;
  for (const auto& [key, endpoints] : all) {
    mail = mail || (!endpoints->empty() && endpoints != &c.http.listen);
    for (const Endpoint& e : *endpoints) {
      if (e.port == 0) continue;  // any that is free
      const auto [other, is_new] = seen.emplace(e, key);
      out.Add(!is_new, key, fmt::format("{} is also {}'s", e.Text(), other->second), "one port, one protocol", other->second);
    }
  }
  out.Add(!mail, "listen.smtp", "nothing is listened on", "name an address here, or for one of the other protocols");
}

void CheckHop(const std::string& key, const NextHop& hop, Contradictions& out) {
  const bool secret = !hop.password.empty() || !hop.password_file.empty();
  out.Add(!hop.user.empty() && !secret, key + ".user", "has no password", fmt::format("set {}.password_file", key));
  out.Add(hop.user.empty() && secret, key + (hop.password.empty() ? ".password_file" : ".password"), "has no user",
          fmt::format("set {}.user", key));
  out.Add(!hop.password.empty() && !hop.password_file.empty(), key + ".password_file", "there is a password, too",
          "leave one of them out");
  out.Add(!hop.user.empty() && hop.host.empty(), key + ".user", "there is no host to log in to", fmt::format("set {}.host", key));
  out.Add(hop.implicit_tls && hop.tls == TlsRule::kOff, key + ".implicit_tls", "TLS is off",
          fmt::format("set {}.tls to \"required\"", key));
}

void CheckRelay(const Config& c, Contradictions& out) {
  CheckHop("smarthost", c.smarthost, out);
  std::set<std::string> domains;
  std::size_t i = 0;
  for (const Route& r : c.relay.route) {
    const std::string key = fmt::format("relay.route[{}]", i++);
    CheckHop(key, r.to, out);
    out.Add(!domains.insert(r.domain).second, key + ".domain", fmt::format("there is a route for {} already", r.domain));
  }
  const auto& r = c.retry;
  out.Add(r.first > r.maximum, "retry.first", "is longer than retry.maximum", {}, "retry.maximum");
  out.Add(r.maximum > r.give_up, "retry.maximum", "is longer than retry.give_up", {}, "retry.give_up");
  out.Add(r.delay_notice >= r.give_up && r.delay_notice.count() > 0, "retry.delay_notice", "comes no sooner than retry.give_up",
          "0 turns it off", "retry.give_up");
  out.Add(c.resolver.recursive && !c.resolver.name_servers.empty(), "resolver.recursive", "name servers are given, too",
          "leave resolver.name_servers out to ask the DNS's own");
}

void CheckAccess(const Config& c, Contradictions& out) {
  std::size_t i = 0;
  for (const AccessRule& r : c.access.rule)
    out.Add(r.client.empty() && r.sender.empty() && r.recipient.empty(), fmt::format("access.rule[{}]", i++),
            "names nobody: it would fit all", "name a client, sender or recipient; all clients are [\"0.0.0.0/0\", \"::/0\"]");
  out.Add(c.greylist.delay >= c.greylist.retry_within, "greylist.delay", "is not shorter than greylist.retry_within", {},
          "greylist.retry_within");
}

}  // namespace

std::vector<Contradiction> ContradictionsIn(const Config& c) {
  Contradictions out;
  CheckListeners(c, out);
  out.Add(c.tls.certificate.empty() && !c.tls.key.empty(), "tls.key", "there is no certificate for it", "set tls.certificate");
  out.Add(!c.tls.certificate.empty() && c.tls.key.empty(), "tls.certificate", "there is no key for it", "set tls.key");
  out.Add(c.server.user.empty() && !c.server.group.empty(), "server.group", "there is no user", "set server.user");
  out.Add(c.auth.schemes.empty(), "auth.schemes", "names none: nobody could log in", "leave it out");
  out.Add(c.record.file.octets > c.record.total.octets, "record.file", "is more than record.total", {}, "record.total");
  CheckRelay(c, out);
  CheckAccess(c, out);
  return std::move(out.found);
}

}  // namespace glasspost::server
