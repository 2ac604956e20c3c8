#include "server/admin_names.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/escape.h"
#include "server/smtp_envelope.h"
#include "wire/smtp/grammar.h"

namespace glasspost::server {
namespace {

constexpr std::size_t kDomainOctets = 255;  // RFC 5321 §4.5.3.1.2
constexpr std::size_t kLabelOctets = 63;    // RFC 1035 §2.3.4

std::string Lower(Octets text) {
  std::string out(text);
  for (char& c : out) c = ToLower(c);
  return out;
}

bool LabelsFit(Octets domain) {
  while (!domain.empty()) {
    const std::size_t dot = std::min(domain.find('.'), domain.size());
    if (dot == 0 || dot > kLabelOctets) return false;
    domain.remove_prefix(std::min(dot + 1, domain.size()));
  }
  return true;
}

}  // namespace

Expected<std::string> ParseDomainName(Octets text) {
  if (text.empty()) return Fail("no domain is given", {}, "as in example.org");
  if (text.find('@') != Octets::npos)
    return Fail("is an address, not a domain", ForTerminal(text), "leave out what stands before @");
  if (text.front() == '[') return Fail("is an address literal, not a domain", ForTerminal(text));
  if (!smtp::IsDomain(text) || text.size() > kDomainOctets || !LabelsFit(text))
    return Fail("is not a domain's name", ForTerminal(text), "letters, digits, hyphens and dots, as in mail.example.org");
  if (const std::size_t dot = text.rfind('.'); std::ranges::all_of(text.substr(dot == Octets::npos ? 0 : dot + 1), IsDigit))
    return Fail("is an IP address, not a domain", ForTerminal(text),
                "as in example.org");  // no top level is a number (RFC 1123 §2.1)
  return Lower(text);
}

Expected<store::AddressName> ParseAddressName(Octets text) {
  std::string bracketed = text.starts_with('<') ? std::string(text) : "<" + std::string(text) + ">";
  Octets rest = bracketed;
  smtp::Path path;
  const smtp::Fault fault = smtp::ParsePath(rest, path);
  const std::string shown = ForTerminal(text);
  if (text.find('@') == Octets::npos) return Fail("is not an address: it has no domain", shown, "as in user@example.org");
  if (fault != smtp::Fault::kNone) return Fail("is not an address: " + std::string(smtp::Text(fault)), shown);
  if (!rest.empty() || !path.source_route.empty() || path.domain.empty()) return Fail("is not an address", shown);
  if (path.address_literal()) return Fail("is of an address literal, not of a domain", shown);
  if (!LabelsFit(path.domain)) return Fail("is not an address: its domain is no domain's name", shown);
  return AddressOf(path, {});
}

Expected<store::AddressName> ParseAliasName(Octets text) {
  if (!text.starts_with('@')) return ParseAddressName(text);
  auto domain = ParseDomainName(text.substr(1));
  if (!domain) return std::unexpected(std::move(domain.error()));
  return store::AddressName{{}, *std::move(domain)};
}

}  // namespace glasspost::server
