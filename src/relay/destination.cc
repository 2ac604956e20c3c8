#include "relay/destination.h"

#include "base/ascii.h"
#include "net/host_name.h"
#include "wire/smtp/grammar.h"

namespace glasspost::relay {
namespace {

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

std::optional<store::AddressName> SplitAddress(Octets text) {
  const std::string brackets = "<" + std::string(text) + ">";
  Octets rest = brackets;
  smtp::Path path;
  if (smtp::ParsePath(rest, path) != smtp::Fault::kNone || !rest.empty() || path.domain.empty()) return std::nullopt;
  std::optional<std::string> domain = net::AsciiDomain(path.domain);
  if (!domain) return std::nullopt;
  return store::AddressName{Unquoted(path.local_part), std::move(*domain)};
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
