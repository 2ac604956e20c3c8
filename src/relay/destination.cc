#include "relay/destination.h"

#include <idn2.h>

#include "base/ascii.h"
#include "wire/dns/address_text.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/parameters.h"

namespace glasspost::relay {
namespace {

std::string LowerCase(Octets text) {
  std::string out(text);
  for (char& c : out) c = ToLower(c);
  return out;
}

std::string Unquoted(Octets local) {
  if (local.size() < 2 || local.front() != '"' || local.back() != '"') return std::string(local);
  std::string out;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && i + 2 < local.size()) ++i;
    out += local[i];
  }
  return out;
}

}  // namespace

std::optional<std::string> AsciiDomain(Octets domain) {
  if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
  if (domain.empty()) return std::nullopt;
  if (!smtp::IsEightBit(domain)) return LowerCase(domain);
  const std::string text(domain);
  char* ascii = nullptr;
  if (idn2_to_ascii_8z(text.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) return std::nullopt;
  std::string out = LowerCase(ascii);
  idn2_free(ascii);
  return out;
}

std::optional<store::AddressName> SplitAddress(Octets text) {
  const std::string brackets = "<" + std::string(text) + ">";
  Octets rest = brackets;
  smtp::Path path;
  if (smtp::ParsePath(rest, path) != smtp::Fault::kNone || !rest.empty() || path.domain.empty()) return std::nullopt;
  std::optional<std::string> domain = AsciiDomain(path.domain);
  if (!domain) return std::nullopt;
  return store::AddressName{Unquoted(path.local_part), std::move(*domain)};
}

std::optional<Address> ParseAddress(Octets text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (StartsWithNoCase(text, "IPv6:")) text.remove_prefix(5);
  std::string octets;
  if (dns::ParseIp4(text, octets)) return Address::V4(AsBytes(octets).data());
  if (dns::ParseIp6(text, octets)) return Address::V6(AsBytes(octets).data());
  return std::nullopt;
}

const Route* FindRoute(const RelayOptions& options, Octets domain) {
  const Route* best = nullptr;
  for (const Route& route : options.routes) {
    const Octets name = route.domain;
    const bool below =
        name.starts_with('.') && domain.size() > name.size() && EqualsNoCase(domain.substr(domain.size() - name.size()), name);
    if (name != "*" && !below && !EqualsNoCase(name, domain)) continue;
    // "*" is one octet, and so less than any other that fits; of "a.b" and ".a.b" only one can fit.
    if (best == nullptr || name.size() > best->domain.size()) best = &route;
  }
  return best;
}

std::string DestinationOf(const RelayOptions& options, Octets recipient) {
  const std::optional<store::AddressName> name = SplitAddress(recipient);
  if (!name) return {};
  const Route* const route = FindRoute(options, name->domain);
  return route != nullptr && !route->to.host.empty() ? "route:" + route->domain : name->domain;
}

}  // namespace glasspost::relay
