#include "relay/routing.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "base/journey.h"
#include "net/dns_reading.h"
#include "net/host_name.h"
#include "relay/destination.h"
#include "wire/dns/message.h"

namespace glasspost::relay {
namespace {

constexpr std::size_t kTold = std::size_t{16} << 10;  // octets of an answer that a journey keeps

smtp::Outcome Failure(smtp::Outcome::Kind kind, int code, std::string_view enhanced, std::string text) {
  return {.kind = kind,
          .stage = smtp::Stage::kGreeting,
          .local = true,
          .in_doubt = false,
          .code = code,
          .enhanced = std::string(enhanced),
          .text = std::move(text)};
}
smtp::Outcome Refused(int code, std::string_view enhanced, std::string text) {
  return Failure(smtp::Outcome::Kind::kRefused, code, enhanced, std::move(text));
}
smtp::Outcome Deferred(std::string_view enhanced, std::string text) {
  return Failure(smtp::Outcome::Kind::kDeferred, 451, enhanced, std::move(text));
}

std::string_view Name(net::DnsAnswer::Security security) {
  static constexpr std::string_view kNames[] = {"indeterminate", "insecure", "secure", "bogus"};
  return kNames[static_cast<std::size_t>(security)];
}

struct Exchange {
  std::uint16_t preference = 0;
  std::string host;
};

// One search for a domain's hosts.
class Search {
 public:
  Search(net::Resolver& resolver, const RelayOptions& options, Randomness& randomness, Itinerary& out)
      : resolver_(resolver), options_(options), randomness_(randomness), out_(out) {}

  net::Task<void> ByMx(std::string domain);
  net::Task<void> ByHost(std::string host, std::uint16_t port);
  void Told();

 private:
  net::Task<void> Ask(std::string name, std::uint16_t type, net::DnsReading& out, bool tell);
  net::Task<void> AddAddresses(std::string host, std::uint16_t port, bool tell);
  std::vector<Exchange> Exchanges(const net::DnsReading& reading, bool& null_mx) const;
  bool IsOurs(Octets host) const;
  void Shuffle(std::vector<Exchange>& list);

  net::Resolver& resolver_;
  const RelayOptions& options_;
  Randomness& randomness_;
  Itinerary& out_;
  bool later_ = false;  // a question could not be answered for now
  std::string why_;
  bool insecure_ = false;
};

net::Task<void> Search::Ask(std::string name, std::uint16_t type, net::DnsReading& out, bool tell) {
  const net::DnsAnswer answer = co_await resolver_.Query(name, type);
  net::ReadAnswer(answer, name, type, RoutingLimits::kRecords, out);
  insecure_ |= answer.security != net::DnsAnswer::Security::kSecure;
  if (out.kind == net::DnsReading::Kind::kLater) {
    later_ = true;
    why_ = name + ": " + out.why;
  }
  if (!tell) co_return;
  std::string question = name + ". ";
  dns::AppendType(question, type);
  AppendDetail(out_.detail, "question", question);
  if (answer.message.size() <= kTold) AppendDetail(out_.detail, "answer", answer.message);
  AppendDetail(out_.detail, "security", Name(answer.security));
  if (out.kind == net::DnsReading::Kind::kLater) AppendDetail(out_.detail, "failure", out.why);
}

bool Search::IsOurs(Octets host) const {
  const auto same = [&](Octets name) { return !name.empty() && EqualsNoCase(name, host); };
  return same(options_.host) || std::any_of(options_.own_names.begin(), options_.own_names.end(), same);
}

std::vector<Exchange> Search::Exchanges(const net::DnsReading& reading, bool& null_mx) const {
  std::vector<Exchange> list;
  for (const dns::Record* record : reading.records) {
    dns::MxData mx;
    if (!dns::GetMx(reading.message, *record, mx)) continue;
    if (mx.null()) {
      null_mx |= reading.records.size() == 1;  // RFC 7505 §3: beside others it is no name of a host
      continue;
    }
    list.push_back({mx.preference, net::NameText(mx.exchange)});
  }
  return list;
}

// Ascending; equal ones in random order (RFC 5321 §5.1).
void Search::Shuffle(std::vector<Exchange>& list) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::uint8_t drawn[8];
    randomness_.Fill(drawn);
    order.emplace_back((std::uint64_t{list[i].preference} << 48) | (LoadNative<std::uint64_t>(drawn) >> 16), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<Exchange> sorted;
  for (const auto& [key, index] : order) sorted.push_back(std::move(list[index]));
  list = std::move(sorted);
}

net::Task<void> Search::AddAddresses(std::string host, std::uint16_t port, bool tell) {
  std::vector<Hop> v6, v4;
  for (const std::uint16_t type : {dns::kTypeAaaa, dns::kTypeA}) {
    const Family unwanted = type == dns::kTypeA ? Family::kIpv6 : Family::kIpv4;
    if (options_.family == unwanted) continue;
    net::DnsReading reading;
    co_await Ask(host, type, reading, tell);
    for (const dns::Record* record : reading.records) {
      Address address;
      if (dns::GetAddress(reading.message, *record, address)) (type == dns::kTypeA ? v4 : v6).push_back({host, {address, port}});
    }
  }
  // In turn: where one family leads nowhere, the other is not tried last.
  for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
    if (i < v6.size()) out_.hops.push_back(v6[i]);
    if (i < v4.size()) out_.hops.push_back(v4[i]);
  }
}

net::Task<void> Search::ByHost(std::string host, std::uint16_t port) {
  if (const std::optional<Address> address = net::ParseAddress(host)) {
    out_.hops.push_back({address->Text(), {*address, port}});
    co_return;
  }
  co_await AddAddresses(host, port, true);
  if (!out_.hops.empty()) co_return;
  // The operator named it: that it does not exist may well change.
  out_.failure = Deferred("4.4.4", later_ ? "The DNS gives no answer: " + why_ : "The host " + host + " has no address");
}

net::Task<void> Search::ByMx(std::string domain) {
  net::DnsReading reading;
  co_await Ask(domain, dns::kTypeMx, reading, true);
  if (reading.kind == net::DnsReading::Kind::kLater) {
    out_.failure = Deferred("4.4.3", "The DNS gives no answer: " + why_);
    co_return;
  }
  if (reading.kind == net::DnsReading::Kind::kNoName) {
    out_.failure = Refused(550, "5.1.2", "The domain " + domain + " does not exist");
    co_return;
  }
  bool null_mx = false;
  std::vector<Exchange> list = Exchanges(reading, null_mx);
  if (null_mx) {
    out_.failure = Refused(556, "5.1.10", "The domain " + domain + " takes no mail (null MX)");
    co_return;
  }
  if (list.empty()) list.push_back({0, domain});  // RFC 5321 §5.1: the implicit MX
  // RFC 5321 §5.1: hosts that are no nearer than ourselves would only give it back.
  std::uint32_t own = 0x10000;
  for (const Exchange& e : list)
    if (IsOurs(e.host)) own = std::min<std::uint32_t>(own, e.preference);
  std::erase_if(list, [own](const Exchange& e) { return e.preference >= own; });
  if (list.empty()) {
    out_.failure = Refused(554, "5.4.6", "The mail for " + domain + " loops back to this host");
    co_return;
  }
  Shuffle(list);
  for (std::size_t i = 0; i < std::min(list.size(), RoutingLimits::kLookedUp); ++i) {
    if (out_.hops.size() >= options_.limits.hosts) break;
    co_await AddAddresses(list[i].host, options_.port, false);
  }
  if (out_.hops.size() > options_.limits.hosts) out_.hops.resize(options_.limits.hosts);
  if (!out_.hops.empty()) co_return;
  if (later_) {
    out_.failure = Deferred("4.4.3", "The DNS gives no answer: " + why_);
  } else {
    out_.failure = Refused(550, "5.4.4", "No host that takes mail for " + domain + " has an address");
  }
}

void Search::Told() {
  out_.authentic = !insecure_;
  std::string hosts;
  for (const Hop& hop : out_.hops) {
    if (!hosts.empty()) hosts += ", ";
    (hosts += hop.host) += ' ';
    hop.endpoint.AppendText(hosts);
  }
  AppendDetail(out_.detail, "hosts", hosts);
}

}  // namespace

net::Task<Itinerary> FindHops(net::Resolver& resolver, const RelayOptions& options, const Route* route, std::string domain,
                              Randomness& randomness) {
  Itinerary out;
  if (route != nullptr) {
    out.by = route->to;
  } else {
    out.by = {.host = {}, .port = options.port, .tls = options.tls, .verify = options.verify, .credentials = {}};
  }
  Search search(resolver, options, randomness, out);
  if (!out.by.host.empty()) {
    co_await search.ByHost(out.by.host, out.by.port);
  } else if (domain.starts_with('[')) {
    if (net::ParseAddress(domain)) {
      co_await search.ByHost(domain, options.port);
    } else {
      out.failure = Refused(550, "5.1.2", "The address literal " + domain + " names no address");
    }
  } else {
    co_await search.ByMx(domain);
  }
  search.Told();
  co_return out;
}

}  // namespace glasspost::relay
