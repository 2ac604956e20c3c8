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
  const std::string text(domain);
  if (text.contains('\0')) return std::nullopt;  // it would end the name for the library
  std::string out = LowerCase(text);
  if (smtp::IsEightBit(text)) {
    char* ascii = nullptr;
    if (idn2_to_ascii_8z(text.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) return std::nullopt;
    out = LowerCase(ascii);
    idn2_free(ascii);
  }
  if (out.ends_with('.')) out.pop_back();
  const bool empty_label = out.empty() || out.starts_with('.') || out.ends_with('.') || out.contains("..");
  return empty_label ? std::nullopt : std::optional(std::move(out));
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
