#include "net/dns_reading.h"

#include <algorithm>

#include "net/host_name.h"

namespace glasspost::net {
namespace {

using Kind = DnsReading::Kind;

constexpr std::size_t kAliases = 8;  // CNAMEs that are followed within an answer

void Collect(DnsReading& reading, Octets asked, std::uint16_t type, std::size_t most) {
  std::string at(asked);
  const dns::Message& m = reading.message;
  for (std::size_t hop = 0; hop <= kAliases; ++hop) {
    Octets alias;
    for (const dns::Record& r : m.records) {
      if (r.section != dns::Section::kAnswer || r.klass != dns::kClassIn || !dns::SameName(m.NameOctets(r.name), at)) continue;
      if (r.type == type && !r.opaque && reading.records.size() < most) reading.records.push_back(&r);
      if (r.type == dns::kTypeCname) dns::GetName(m, r, alias);
    }
    if (!reading.records.empty() || alias.empty()) return;
    at = alias;
  }
}

}  // namespace

void ReadAnswer(const DnsAnswer& answer, const std::string& name, std::uint16_t type, std::size_t most, DnsReading& out) {
  if (!answer.failure.empty()) return void(out.why = answer.failure);
  if (answer.security == DnsAnswer::Security::kBogus)
    return void(out.why = answer.why_bogus.empty() ? "its signatures are wrong" : answer.why_bogus);
  if (answer.rcode != dns::kRcodeNoError && answer.rcode != dns::kRcodeNxDomain) {
    dns::AppendRcode(out.why, answer.rcode);
    return;
  }
  dns::Decode(answer.message, out.message);
  if (out.message.malformed()) return void(out.why = "the answer is damaged");
  std::string asked;
  if (!dns::ParseName(name, asked)) return void(out.kind = Kind::kNoName);
  Collect(out, asked, type, most);
  out.kind = !out.records.empty() ? Kind::kRecords : answer.rcode == dns::kRcodeNxDomain ? Kind::kNoName : Kind::kNoRecords;
}

std::string NameText(Octets name) {
  std::string text;
  dns::AppendName(text, name, false);
  return text;
}

Task<Expected<std::vector<Address>>> FindAddresses(Resolver& resolver, std::string host, std::size_t most) {
  if (const std::optional<Address> literal = ParseAddress(host)) co_return std::vector<Address>{*literal};
  std::vector<Address> v6, v4;
  std::string why;
  for (const std::uint16_t type : {dns::kTypeAaaa, dns::kTypeA}) {
    const DnsAnswer answer = co_await resolver.Query(host, type);
    DnsReading reading;
    ReadAnswer(answer, host, type, most, reading);
    if (reading.kind == Kind::kLater) why = reading.why;
    for (const dns::Record* record : reading.records) {
      Address address;
      if (dns::GetAddress(reading.message, *record, address)) (type == dns::kTypeA ? v4 : v6).push_back(address);
    }
  }
  std::vector<Address> all;
  for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
    if (i < v6.size()) all.push_back(v6[i]);
    if (i < v4.size()) all.push_back(v4[i]);
  }
  if (all.size() > most) all.resize(most);
  if (!all.empty()) co_return all;
  co_return Fail(why.empty() ? "the host has no address" : "the DNS gives no answer: " + why, host);
}

}  // namespace glasspost::net
