#include "net/fixed_resolver.h"

#include "wire/dns/constants.h"
#include "wire/dns/message.h"

namespace glasspost::net {
namespace {

constexpr int kMostAliases = 8;  // stops a loop of CNAMEs

// In zone-file form, as AddRecord wants it.
std::string Text(Octets name) {
  std::string text;
  dns::AppendName(text, name, true);
  return text;
}

}  // namespace

bool FixedResolver::Add(std::string_view name, std::uint16_t type, std::string_view data, std::uint32_t ttl) {
  Row row{.name = {}, .type = type, .data = {}, .ttl = ttl};
  if (!dns::ParseName(name, row.name) || !dns::ParseData(type, data, row.data)) return false;
  rows_.push_back(std::move(row));
  return true;
}

void FixedResolver::AddFailure(std::string_view name) {
  std::string octets;
  if (dns::ParseName(name, octets)) failures_.push_back(std::move(octets));
}

DnsAnswer FixedResolver::Answer(std::string_view name, std::uint16_t type) const {
  DnsAnswer answer;
  answer.rcode = dns::kRcodeServFail;
  std::string asked;
  if (!dns::ParseName(name, asked)) return answer.failure = "no domain name", answer;
  for (const std::string& f : failures_)
    if (dns::SameName(f, asked)) return answer.failure = "no server answered", answer;
  dns::Message message;
  message.flags = dns::kFlagQr | dns::kFlagRd | dns::kFlagRa;
  message.AddQuestion(name, type);
  bool exists = false;
  bool alias = true;
  for (int hops = 0; alias && hops < kMostAliases; ++hops) {
    alias = exists = false;
    std::string next;
    for (const Row& row : rows_) {
      if (!dns::SameName(row.name, asked)) continue;
      exists = true;
      const bool here = row.type == type;
      if (!here && row.type != dns::kTypeCname) continue;
      message.AddRecord(dns::Section::kAnswer, Text(row.name), row.type, dns::kClassIn, row.ttl, row.data);
      if (!here) alias = true, next = row.data;
    }
    if (alias) asked = std::move(next);
  }
  answer.rcode = exists ? dns::kRcodeNoError : dns::kRcodeNxDomain;
  message.SetRcode(static_cast<std::uint8_t>(answer.rcode));
  answer.security = security_;
  if (!dns::Encode(message, answer.message)) answer.failure = "the answer is too large";
  return answer;
}

Task<DnsAnswer> FixedResolver::Query(std::string name, std::uint16_t type) {
  ++queries_;
  co_return Answer(name, type);
}

}  // namespace glasspost::net
