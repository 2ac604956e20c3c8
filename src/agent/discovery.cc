#include "agent/discovery.h"

#include <algorithm>
#include <utility>

#include "agent/autoconfig.h"
#include "net/dns_reading.h"

namespace glasspost::agent {
namespace {

constexpr std::string_view kOriginNames[] = {"typed", "directory", "srv", "autoconfig", "common-name"};

struct SrvName {
  Service service;
  TlsKind tls;
  std::string_view label;
};
// TLS from the first octet comes first (RFC 8314 §3).
constexpr SrvName kSrvNames[] = {
    {Service::kPop3, TlsKind::kImplicit, "_pop3s"},       {Service::kPop3, TlsKind::kStartTls, "_pop3"},
    {Service::kImap, TlsKind::kImplicit, "_imaps"},       {Service::kImap, TlsKind::kStartTls, "_imap"},
    {Service::kSmtp, TlsKind::kImplicit, "_submissions"}, {Service::kSmtp, TlsKind::kStartTls, "_submission"},
};

struct CommonName {
  Service service;
  std::string_view label;
};
constexpr CommonName kCommonNames[] = {{Service::kPop3, "pop."},
                                       {Service::kPop3, "pop3."},
                                       {Service::kPop3, "mail."},
                                       {Service::kSmtp, "smtp."},
                                       {Service::kSmtp, "mail."}};

bool IsWithin(Octets host, Octets domain) {
  return host == domain ||
         (host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

class Search {
 public:
  Search(const AddressParts& address, const DiscoveryTools& tools, Discovery& found)
      : address_(address), tools_(tools), found_(found) {}

  void InDirectory();
  net::Task<void> BySrv();
  net::Task<void> ByDocument();
  net::Task<void> ByCommonNames();
  bool receives_and_sends() const { return !found_.Open(Service::kPop3) && !found_.Open(Service::kSmtp); }

 private:
  net::Task<bool> Ask(const SrvName& name, bool& none);
  net::Task<ServerAddress> Choose(const SrvName& name, std::vector<SrvTarget> targets);
  void Take(Service service, const ServerAddress& server, Origin origin, const std::string& where, bool foreign);
  bool Read(const net::Fetched& document);
  void Tell(Origin origin, std::string asked, std::string result, bool helped = false) {
    found_.steps.push_back({origin, std::move(asked), std::move(result), helped});
  }

  const AddressParts& address_;
  const DiscoveryTools& tools_;
  Discovery& found_;
};

void Search::Take(Service service, const ServerAddress& server, Origin origin, const std::string& where, bool foreign) {
  found_.At(service) = FoundServer{server, origin, where, foreign};
  Tell(origin, where, std::string(Title(service)) + " " + server.Text(), true);
}

void Search::InDirectory() {
  const Provider* const provider = FindByDomain(address_.domain);
  if (provider == nullptr) return Tell(Origin::kDirectory, address_.domain, "not in the directory");
  found_.provider = provider;
  if (provider->local_user) found_.user = address_.local;
  for (const Service service : kServices) {
    if (!found_.Open(service)) continue;
    const ServerAddress* const best = provider->Best(service);
    if (best != nullptr)
      Take(service, *best, Origin::kDirectory, provider->id, false);
    else
      found_.absent[static_cast<std::size_t>(service)] = true;
  }
}

// The first that answers; where nothing is tried, or none answers, the first.
net::Task<ServerAddress> Search::Choose(const SrvName& name, std::vector<SrvTarget> targets) {
  const auto server = [&](const SrvTarget& t) { return ServerAddress{t.host, t.port, name.tls}; };
  if (tools_.prober != nullptr && targets.size() > 1 && name.service != Service::kImap) {
    for (std::size_t i = 0; i < std::min(targets.size(), DiscoveryLimits::kProbed); ++i) {
      const Trial trial = co_await tools_.prober->Probe(name.service, server(targets[i]));
      if (trial.ok()) co_return server(targets[i]);
      Tell(Origin::kSrv, server(targets[i]).HostAndPort(), trial.text);
    }
  }
  co_return server(targets.front());
}

// False: the DNS gives no answer. `none`: the domain says that there is no such service (RFC 6186 §3.4).
net::Task<bool> Search::Ask(const SrvName& name, bool& none) {
  const std::string asked = std::string(name.label) + "._tcp." + address_.domain;
  const net::DnsAnswer answer = co_await tools_.resolver.Query(asked, dns::kTypeSrv);
  net::DnsReading reading;
  net::ReadAnswer(answer, asked, dns::kTypeSrv, DiscoveryLimits::kTargets, reading);
  if (reading.kind == net::DnsReading::Kind::kLater) {
    Tell(Origin::kSrv, asked, reading.why);
    co_return false;
  }
  std::vector<SrvTarget> targets;
  for (const dns::Record* record : reading.records) {
    dns::SrvData srv;
    if (!dns::GetSrv(reading.message, *record, srv)) continue;
    if (srv.target.size() == 1) {
      none = true;
    } else if (srv.port != 0) {
      const auto parsed = ParseServer(name.service, net::NameText(srv.target) + ":" + std::to_string(srv.port), name.tls);
      if (parsed) targets.push_back({srv.priority, srv.weight, srv.port, parsed->host});
    }
  }
  if (targets.empty()) {
    Tell(Origin::kSrv, asked, none ? "the domain says that it does not offer this" : "no such record");
    co_return true;
  }
  const ServerAddress server = co_await Choose(name, InOrder(std::move(targets), tools_.randomness));
  const bool foreign = !IsWithin(server.host, address_.domain) && answer.security != net::DnsAnswer::Security::kSecure;
  Take(name.service, server, Origin::kSrv, asked, foreign);
  co_return true;
}

net::Task<void> Search::BySrv() {
  for (const Service service : kServices) {
    bool none = false;
    for (const SrvName& name : kSrvNames) {
      if (name.service != service || !found_.Open(service)) continue;
      const bool answered = co_await Ask(name, none);
      if (!answered) co_return;
    }
    if (none && found_.Open(service)) found_.absent[static_cast<std::size_t>(service)] = true;
  }
}

// True: something of it is of use.
bool Search::Read(const net::Fetched& document) {
  const auto offered = ReadAutoconfig(document.body, address_);
  if (!offered) {
    Tell(Origin::kAutoconfig, document.url, offered.error().Text());
    return false;
  }
  bool used = false;
  for (const OfferedServer& offer : *offered) {
    if (!found_.Open(offer.service) || offer.server.tls == TlsKind::kNone) continue;
    Take(offer.service, offer.server, Origin::kAutoconfig, document.url,
         document.clear && !IsWithin(offer.server.host, address_.domain));
    if (found_.user.empty()) found_.user = offer.user;
    found_.oauth_only |= offer.oauth_only;
    used = true;
  }
  if (!used) Tell(Origin::kAutoconfig, document.url, "names no server that is of use");
  return used;
}

net::Task<void> Search::ByDocument() {
  const std::string host = "autoconfig." + address_.domain;
  const std::string query = "?emailaddress=" + net::PercentEncoded(address_.local + "@" + address_.domain);
  std::vector<std::string> urls = {"https://" + host + "/mail/config-v1.1.xml" + query,
                                   "https://" + address_.domain + "/.well-known/autoconfig/mail/config-v1.1.xml"};
  if (tools_.clear_http) urls.push_back("http://" + host + "/mail/config-v1.1.xml");
  for (const std::string& url : urls) {
    const net::Fetched document = co_await tools_.fetcher->Get(url);
    if (!document.failure.empty()) {
      Tell(Origin::kAutoconfig, url, document.failure);
    } else if (Read(document)) {
      co_return;
    }
  }
}

net::Task<void> Search::ByCommonNames() {
  for (const CommonName& name : kCommonNames) {
    for (const TlsKind tls : {TlsKind::kImplicit, TlsKind::kStartTls}) {
      if (!found_.Open(name.service)) continue;
      const ServerAddress server{std::string(name.label) + address_.domain, UsualPort(name.service, tls), tls};
      const Trial trial = co_await tools_.prober->Probe(name.service, server);
      if (trial.ok())
        Take(name.service, server, Origin::kCommonName, server.host, false);
      else
        Tell(Origin::kCommonName, server.HostAndPort(), trial.text);
      if (trial.address.empty()) break;  // no such host: its other port is not there either
    }
  }
}

}  // namespace

std::string_view Name(Origin origin) { return kOriginNames[static_cast<int>(origin)]; }

std::vector<SrvTarget> InOrder(std::vector<SrvTarget> targets, Randomness& randomness) {
  // Those of weight 0 first, so that they have a small chance (RFC 2782, "Weight").
  std::ranges::stable_sort(targets, {}, [](const SrvTarget& t) { return std::pair(t.priority, t.weight != 0); });
  std::vector<SrvTarget> out;
  while (!targets.empty()) {
    std::uint64_t sum = 0;
    const std::uint16_t priority = targets.front().priority;
    for (const SrvTarget& t : targets)
      if (t.priority == priority) sum += t.weight;
    std::uint8_t drawn[8];
    randomness.Fill(drawn);
    const std::uint64_t at = LoadNative<std::uint64_t>(drawn) % (sum + 1);
    auto chosen = targets.begin();
    for (std::uint64_t running = chosen->weight; running < at; running += chosen->weight) ++chosen;
    out.push_back(std::move(*chosen));
    targets.erase(chosen);
  }
  return out;
}

net::Task<net::DnsAnswer> ImpatientResolver::Query(std::string name, std::uint16_t type) {
  if (silent_ >= DiscoveryLimits::kSilence) {
    net::DnsAnswer answer;
    answer.failure = "no name server answers";
    answer.rcode = dns::kRcodeServFail;
    co_return answer;
  }
  net::DnsAnswer answer = co_await resolver_.Query(std::move(name), type);
  silent_ = answer.failure.empty() ? 0 : silent_ + 1;
  co_return answer;
}

net::Task<void> Discover(const AddressParts& address, const DiscoveryTools& tools, Discovery& found) {
  Search search(address, tools, found);
  if (search.receives_and_sends()) co_return;
  search.InDirectory();
  // What the directory knows is not asked for: it has looked.
  if (found.provider != nullptr || address.domain.starts_with('[')) co_return;
  co_await search.BySrv();
  if (search.receives_and_sends()) co_return;
  if (tools.fetcher != nullptr) co_await search.ByDocument();
  if (search.receives_and_sends()) co_return;
  if (tools.prober != nullptr) co_await search.ByCommonNames();
}

}  // namespace glasspost::agent
