// EDNS options (RFC 6891 §6.1.2) and SvcParams (RFC 9460 §2) as text.
#include <algorithm>
#include <string_view>

#include "base/base64.h"
#include "wire/dns/message.h"
#include "wire/dns/text_util.h"

namespace glasspost::dns {
namespace {

// IANA "DNS EDNS0 Option Codes (OPT)"
constexpr std::string_view kOptionNames[] = {"",    "LLQ",    "UL",     "NSID",          "",        "DAU",   "DHU",     "N3U",
                                             "ECS", "EXPIRE", "COOKIE", "TCP-KEEPALIVE", "PADDING", "CHAIN", "KEY-TAG", "EDE"};
// IANA "DNS Service Parameter Keys (SvcParamKeys)"
constexpr std::string_view kParameterNames[] = {"mandatory", "alpn",     "no-default-alpn", "port", "ipv4hint",
                                                "ech",       "ipv6hint", "dohpath",         "ohttp"};

std::uint16_t At16(Octets o, std::size_t at) { return Load16(AsBytes(o).data() + at); }

// RFC 7871 §6: "192.0.2.0/24/0". False where it is not of that form.
bool AppendClientSubnet(std::string& out, Octets data) {
  if (data.size() < 4) return false;
  const std::uint16_t family = At16(data, 0);
  const auto source = static_cast<std::uint8_t>(data[2]), scope = static_cast<std::uint8_t>(data[3]);
  const Octets given = data.substr(4);
  const std::size_t full = family == 1 ? 4 : 16;
  if (family > 2 || given.size() > full || (family == 0 && !given.empty())) return false;
  std::uint8_t address[16] = {};
  std::copy(given.begin(), given.end(), address);
  if (family == 1) AppendIp4(out, address);
  if (family == 2) AppendIp6(out, address);
  if (family == 0) out += '0';
  out += '/';
  AppendNumber(out, source);
  out += '/';
  AppendNumber(out, scope);
  return true;
}

bool AppendExtendedError(std::string& out, Octets data) {
  if (data.size() < 2) return false;
  AppendNumber(out, At16(data, 0));
  if (data.size() > 2) {
    out += ' ';
    AppendQuoted(out, data.substr(2));
  }
  return true;
}

bool AppendAlgorithms(std::string& out, Octets data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i != 0) out += ' ';
    AppendNumber(out, static_cast<std::uint8_t>(data[i]));
  }
  return true;
}

// False where the option's octets have no form of their own: then they are told in hex.
bool AppendOption(std::string& out, std::uint16_t code, Octets data) {
  switch (code) {
    case 3:
      AppendQuoted(out, data);
      return true;  // RFC 5001
    case 5:
    case 6:
    case 7:
      return AppendAlgorithms(out, data);  // RFC 6975
    case 8:
      return AppendClientSubnet(out, data);
    case 9:  // RFC 7314
      if (data.size() != 4) return false;
      AppendNumber(out, Load32(AsBytes(data).data()));
      return true;
    case 11:  // RFC 7828, in tenths of a second
      if (data.size() != 2) return false;
      AppendNumber(out, At16(data, 0) / 10);
      out += '.';
      AppendNumber(out, At16(data, 0) % 10);
      out += " s";
      return true;
    case 12:  // RFC 7830
      AppendNumber(out, data.size());
      out += " octets";
      return true;
    case 15:
      return AppendExtendedError(out, data);  // RFC 8914
    default:
      return false;
  }
}

void AppendParameterName(std::string& out, std::uint16_t key) {
  if (key < std::size(kParameterNames)) {
    out += kParameterNames[key];
    return;
  }
  out += "key";
  AppendNumber(out, key);
}

// Identifiers, each behind its length. A comma or backslash within one is escaped for the list and again for the string
// (RFC 9460 §A.1).
bool AppendAlpn(std::string& out, Octets value) {
  std::string list;
  bool plain = true;
  while (!value.empty()) {
    const std::size_t size = static_cast<std::uint8_t>(value[0]);
    if (size == 0 || value.size() - 1 < size) return false;
    if (!list.empty()) list += ',';
    for (const char c : value.substr(1, size)) {
      if (c == ',' || c == '\\') list += '\\';
      if (c <= ' ' || c > '~' || c == ',' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')') plain = false;
      list += c;
    }
    value.remove_prefix(1 + size);
  }
  if (list.empty()) return false;
  plain ? void(out += list) : AppendQuoted(out, list);
  return true;
}

bool AppendHints(std::string& out, Octets value, std::size_t size) {
  if (value.empty() || value.size() % size != 0) return false;
  for (std::size_t at = 0; at < value.size(); at += size) {
    if (at != 0) out += ',';
    const std::uint8_t* p = AsBytes(value).data() + at;
    size == 4 ? AppendIp4(out, p) : AppendIp6(out, p);
  }
  return true;
}

bool AppendMandatory(std::string& out, Octets value) {
  if (value.empty() || value.size() % 2 != 0) return false;
  for (std::size_t at = 0; at < value.size(); at += 2) {
    if (at != 0) out += ',';
    AppendParameterName(out, At16(value, at));
  }
  return true;
}

// False where the value is not of its key's form.
bool AppendValue(std::string& out, std::uint16_t key, Octets value) {
  switch (key) {
    case 0:
      return AppendMandatory(out, value);
    case 1:
      return AppendAlpn(out, value);
    case 3:
      if (value.size() != 2) return false;
      AppendNumber(out, At16(value, 0));
      return true;
    case 4:
      return AppendHints(out, value, 4);
    case 5:
      out += EncodeBase64(value);
      return !value.empty();
    case 6:
      return AppendHints(out, value, 16);
    default:
      return false;
  }
}

}  // namespace

void AppendOptions(std::string& out, Octets data) {
  for (bool first = true; data.size() >= 4; first = false) {
    const std::uint16_t code = At16(data, 0);
    const Octets option = data.substr(4, At16(data, 2));
    if (!first) out += ", ";
    if (code < std::size(kOptionNames) && !kOptionNames[code].empty()) {
      out += kOptionNames[code];
    } else {
      out += "OPTION";
      AppendNumber(out, code);
    }
    const std::size_t before = out.size();
    if (!option.empty() || code == 12) out += ' ';
    const std::size_t start = out.size();
    if (!AppendOption(out, code, option)) {
      out.resize(start);
      AppendHex(out, option);
    }
    if (out.size() == start) out.resize(before);
    data.remove_prefix(4 + option.size());
  }
}

void AppendParameters(std::string& out, Octets data) {
  for (bool first = true; data.size() >= 4; first = false) {
    const std::uint16_t key = At16(data, 0);
    const Octets value = data.substr(4, At16(data, 2));
    if (!first) out += ' ';
    const std::size_t before = out.size();
    AppendParameterName(out, key);
    out += '=';
    const std::size_t start = out.size();
    if (value.empty()) {
      out.resize(start - 1);
    } else if (!AppendValue(out, key, value)) {
      // The generic form, where the key's own would not give the octets back (RFC 9460 §2.1).
      out.resize(before);
      if (key < std::size(kParameterNames) && key != 7) {
        out += "key";
        AppendNumber(out, key);
      } else {
        AppendParameterName(out, key);
      }
      out += '=';
      AppendQuoted(out, value);
    }
    data.remove_prefix(4 + value.size());
  }
}

}  // namespace glasspost::dns
