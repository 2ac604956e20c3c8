#include "capture/craft/value.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/unescape.h"
#include "wire/dns/constants.h"
#include "wire/dns/message.h"

namespace glasspost::capture {
namespace {

constexpr Octets kHexMark = "hex:";

std::optional<std::uint64_t> Digits(Octets text) {
  if (!StartsWithNoCase(text, "0x")) return ParseNumber(text);
  text.remove_prefix(2);
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v, 16);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return v;
}

// Of a number of DNS that has a name.
std::optional<std::uint64_t> Named(Field field, Octets text) {
  constexpr std::uint16_t kCodes = 16;  // of four bits
  switch (field) {
    case Field::kDnsQueryType:
    case Field::kDnsRecordType:
    case Field::kDnsRrsigType:
      if (const auto type = dns::ParseType(text)) return *type;
      return {};
    case Field::kDnsQueryClass:
    case Field::kDnsRecordClass:
      if (const auto klass = dns::ParseClass(text)) return *klass;
      return {};
    case Field::kDnsFlagRcode:
    case Field::kDnsFlagOpcode:
      for (std::uint16_t code = 0; code < kCodes; ++code) {
        std::string name;
        if (field == Field::kDnsFlagRcode)
          dns::AppendRcode(name, code);
        else
          dns::AppendOpcode(name, static_cast<std::uint8_t>(code));
        if (EqualsNoCase(name, text)) return code;
      }
      return {};
    default:
      return {};
  }
}

Expected<std::string> Mac(Octets text) {
  std::string octets;
  const bool shape = text.size() == 17;
  for (std::size_t i = 0; shape && i < text.size(); i += 3) {
    const int high = HexValue(text[i]), low = HexValue(text[i + 1]);
    if (high < 0 || low < 0 || (i > 0 && text[i - 1] != ':' && text[i - 1] != '-')) break;
    octets.push_back(static_cast<char>(high << 4 | low));
  }
  if (octets.size() != 6) return Fail("is no MAC address", std::string(text), "write it like 02:00:00:00:00:01");
  return octets;
}

Expected<std::string> IpAddress(std::uint16_t type, Octets text) {
  std::string octets;
  if (dns::ParseData(type, text, octets)) return octets;
  const bool v4 = type == dns::kTypeA;
  return Fail(v4 ? "is no IPv4 address" : "is no IPv6 address", std::string(text),
              v4 ? "write it like 192.0.2.1" : "write it like 2001:db8::1");
}

Expected<std::string> DnsName(Octets text) {
  std::string octets;
  if (dns::ParseName(text, octets)) return octets;
  return Fail("is no domain name", std::string(text), "labels of 1 to 63 characters with dots between them, 253 in all");
}

Expected<std::string> Parse(const Place& place, Octets text) {
  if (IsHex(text)) return FromHex(text.substr(kHexMark.size()));
  switch (place.kind) {
    case PlaceKind::kMac:
      return Mac(text);
    case PlaceKind::kIpv4:
      return IpAddress(dns::kTypeA, text);
    case PlaceKind::kIpv6:
      return IpAddress(dns::kTypeAaaa, text);
    case PlaceKind::kDnsName:
      return DnsName(text);
    case PlaceKind::kText:
    case PlaceKind::kOctets:
      return Unescape(text);
    default:
      return Fail("takes octets only", {}, "write them like hex:0a1b");
  }
}

constexpr std::array<std::string_view, kFieldCount> kNames = {
#define GLASSPOST_FIELD(id, abbreviation, en, zh) abbreviation,
#include "base/field_table.inc"
#undef GLASSPOST_FIELD
};

}  // namespace

bool IsHex(Octets text) { return StartsWithNoCase(text, kHexMark); }

Expected<std::uint64_t> NumberOf(const Place& place, Octets text) {
  auto value = Digits(text);
  if (!value) value = Named(place.field, text);
  const std::uint64_t most = LargestNumber(place), unit = place.number.unit;
  if (value && *value <= most && *value % unit == 0) return *value;
  const std::string range =
      unit == 1 ? fmt::format("a number from 0 to {}", most) : fmt::format("a multiple of {} from 0 to {}", unit, most);
  return Fail(value ? "does not fit" : "is no number", fmt::format("{}={}", Info(place.field).abbreviation, text),
              fmt::format("it takes {}, in decimal or as 0x{:x}", range, most));
}

Expected<std::string> OctetsOf(const Place& place, Octets text) {
  auto octets = Parse(place, text);
  const std::string where(Info(place.field).abbreviation);
  if (!octets) {
    Error error = octets.error();
    error.where = error.where.empty() ? where : where + "=" + error.where;
    return std::unexpected(error);
  }
  if (octets->size() > CraftLimits::kValue)
    return Fail("is too long", where, fmt::format("a value has at most {} octets", CraftLimits::kValue));
  if (!place.elastic && octets->size() != place.range.length)
    return Fail(fmt::format("has {} octets, not {}", place.range.length, octets->size()), where, "its length cannot change");
  return octets;
}

Expected<std::string> FromHex(Octets text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (high < 0 && (c == ' ' || c == ':' || c == '\n' || c == '\r' || c == '\t')) continue;
    const int nibble = HexValue(c);
    if (nibble < 0) return Fail("are no octets in hex", std::string(text), "write them like 0a1b or 0a 1b");
    if (high < 0) {
      high = nibble;
    } else {
      out.push_back(static_cast<char>(high << 4 | nibble));
      high = -1;
    }
  }
  if (high >= 0) return Fail("a hex digit is missing", std::string(text), "each octet has two");
  return out;
}

std::optional<Field> FieldNamed(Octets name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (EqualsNoCase(kNames[i], name)) return static_cast<Field>(i);
  return {};
}

std::string_view NearestField(Octets name) { return Nearest(name, kNames); }

}  // namespace glasspost::capture
