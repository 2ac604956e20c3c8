#include "wire/dns/constants.h"

#include <charconv>

#include "base/ascii.h"
#include "wire/dns/layout.h"

namespace glasspost::dns {
namespace {

// RFC 6895 §2.3; the empty ones are not assigned.
constexpr std::string_view kRcodes[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",   "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",  "DSOTYPENI",
                                        "",         "",        "",         "",         "BADVERS",  "BADKEY",
                                        "BADTIME",  "BADMODE", "BADNAME",  "BADALG",   "BADTRUNC", "BADCOOKIE"};
constexpr std::string_view kOpcodes[] = {"QUERY", "IQUERY", "STATUS", "", "NOTIFY", "UPDATE", "DSO"};

struct ClassName {
  std::uint16_t number;
  std::string_view name;
};
constexpr ClassName kClasses[] = {{1, "IN"}, {2, "CS"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}};

void AppendNumber(std::string& out, std::uint32_t number) {
  char digits[10];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

std::optional<std::uint16_t> ParseNumbered(Octets name, Octets prefix) {
  if (!StartsWithNoCase(name, prefix)) return {};
  const auto number = ParseNumber(name.substr(prefix.size()));
  if (!number || *number > 0xffff) return {};
  return static_cast<std::uint16_t>(*number);
}

}  // namespace

void AppendType(std::string& out, std::uint16_t type) {
  if (const TypeInfo* info = FindType(type)) {
    out += info->name;
    return;
  }
  out += "TYPE";
  AppendNumber(out, type);
}

void AppendClass(std::string& out, std::uint16_t klass) {
  for (const ClassName& c : kClasses) {
    if (c.number != klass) continue;
    out += c.name;
    return;
  }
  out += "CLASS";
  AppendNumber(out, klass);
}

void AppendOpcode(std::string& out, std::uint8_t opcode) {
  if (opcode < std::size(kOpcodes) && !kOpcodes[opcode].empty()) {
    out += kOpcodes[opcode];
    return;
  }
  out += "OPCODE";
  AppendNumber(out, opcode);
}

void AppendRcode(std::string& out, std::uint16_t rcode) {
  if (rcode < std::size(kRcodes) && !kRcodes[rcode].empty()) {
    out += kRcodes[rcode];
    return;
  }
  out += "RCODE";
  AppendNumber(out, rcode);
}

std::optional<std::uint16_t> ParseType(Octets name) {
  if (const TypeInfo* info = FindTypeByName(name)) return info->number;
  return ParseNumbered(name, "TYPE");
}

std::optional<std::uint16_t> ParseClass(Octets name) {
  for (const ClassName& c : kClasses)
    if (EqualsNoCase(c.name, name)) return c.number;
  return ParseNumbered(name, "CLASS");
}

}  // namespace glasspost::dns
