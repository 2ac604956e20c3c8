#include "net/host_name.h"

#include <idn2.h>
#include <unistd.h>

#include "base/ascii.h"
#include "wire/dns/address_text.h"
#include "wire/smtp/parameters.h"

namespace glasspost::net {
namespace {

std::string LowerCase(Octets text) {
  std::string out(text);
  for (char& c : out) c = ToLower(c);
  return out;
}

}  // namespace

std::optional<std::string> AsciiDomain(Octets domain) {
  if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
  if (domain.empty() || domain.contains('\0')) return std::nullopt;  // a NUL would end it for the library
  if (!smtp::IsEightBit(domain)) return LowerCase(domain);
  const std::string text(domain);
  char* ascii = nullptr;
  if (idn2_to_ascii_8z(text.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) return std::nullopt;
  std::string out = LowerCase(ascii);
  idn2_free(ascii);
  return out;
}

std::string ThisHost() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

std::optional<Address> ParseAddress(Octets text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (StartsWithNoCase(text, "IPv6:")) text.remove_prefix(5);
  std::string octets;
  if (dns::ParseIp4(text, octets)) return Address::V4(AsBytes(octets).data());
  if (dns::ParseIp6(text, octets)) return Address::V6(AsBytes(octets).data());
  return std::nullopt;
}

}  // namespace glasspost::net
