// Fields as lines for people: offset, octets in hex, label, Wireshark's name, value. Frames (hex_report) and DNS messages are
// told by it alike.
#pragma once

#include <string>
#include <string_view>

#include "analysis/language.h"
#include "analysis/style.h"
#include "base/field.h"

namespace glasspost::analysis {

inline constexpr std::size_t kFieldOctets = 8;  // of a field in a row
inline constexpr std::size_t kFieldHexWidth = kFieldOctets * 3 + 1;

// `hidden`: '*' for an octet that is not to be shown; empty: all are.
std::string HexOctets(Bytes octets, std::size_t most, std::string_view hidden = {});

// A value as people read it: addresses as addresses, identifiers and checksums in hex, counts in decimal, what has a name by its
// name. `length`: octets of the field.
std::string FieldValueText(Field field, const FieldValue& value, std::size_t length, Language language);
// What this value means, where the table of texts/dns.inc has words for it; empty otherwise.
std::string_view FieldMeaning(Field field, std::uint64_t value, Language language);

// 0: the header; then question, answer, authority, additional section.
std::string_view DnsSectionName(std::size_t number, Language language);

class FieldLines {
 public:
  // `style` outlives it.
  FieldLines(Language language, const Style& style) : language_(language), style_(style) {}

  std::string_view Label(Field field) const;
  // "  Domain Name System  (dns, 45 octets)"
  void Heading(std::string& out, std::string_view label, std::string_view name, std::size_t octets) const;
  // One field; `value` in words already. `all`: all of its octets, in as many rows as they need; else the first ones. `depth`: of
  // how many others it is a part.
  void Line(std::string& out, Field field, std::size_t offset, Bytes octets, std::string_view value, bool all = false,
            std::size_t depth = 0) const;

 private:
  Language language_;
  const Style& style_;
};

// Every field of a DNS message, whole ones before their parts; offsets begin with `offset`. A message that is not sound is told
// as far as it goes, and what is wrong with it.
void AppendDnsFields(std::string& out, Octets message, std::size_t offset, Language language, const Style& style);

}  // namespace glasspost::analysis
