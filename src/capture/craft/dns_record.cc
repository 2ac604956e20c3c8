#include "capture/craft/dns_record.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"

namespace glasspost::capture {
namespace {

constexpr std::uint32_t kMostSeconds = 0x7fffffff;  // RFC 2181 §8
constexpr std::size_t kMostCounted = 65'535;

std::optional<dns::Section> SectionOf(Field count) {
  switch (count) {
    case Field::kDnsCountQueries:
      return dns::Section::kQuestion;
    case Field::kDnsCountAnswers:
      return dns::Section::kAnswer;
    case Field::kDnsCountAuthority:
      return dns::Section::kAuthority;
    case Field::kDnsCountAdditional:
      return dns::Section::kAdditional;
    default:
      return {};
  }
}

Octets TakeWord(Octets& text) {
  text = Trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const Octets word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

}  // namespace

bool CountsRecords(Field field) { return SectionOf(field).has_value(); }

Expected<void> AddRecord(dns::Message& message, Field count, Octets text) {
  const std::string where = std::string(Info(count).abbreviation) + "=" + std::string(text);
  const auto section = SectionOf(count);
  if (!section) return Fail("counts no records", where);
  const bool question = *section == dns::Section::kQuestion;
  const std::string how =
      question ? "write it like 'example.test MX'" : "write it like 'example.test 3600 IN MX 10 mail.example.test'";
  Octets rest = text;
  std::string name;
  if (const Octets word = TakeWord(rest); !dns::ParseName(word, name)) return Fail("begins with no name", where, how);
  std::uint32_t ttl = kRecordTtl;
  std::uint16_t klass = dns::kClassIn;
  std::optional<std::uint16_t> type;
  while (!type) {
    const Octets word = TakeWord(rest);
    if (word.empty()) return Fail("says no type", where, how);
    type = dns::ParseType(word);
    if (type) break;
    const auto seconds = ParseNumber(word);
    const auto its_class = dns::ParseClass(word);
    if (question || !seconds || *seconds > kMostSeconds) {
      if (!its_class) return Fail(std::string(word) + " is no type, no class and no time to live", where, how);
      klass = *its_class;
    } else {
      ttl = static_cast<std::uint32_t>(*seconds);
    }
  }
  rest = Trim(rest);
  const auto all = question ? message.questions.size()
                            : static_cast<std::size_t>(std::ranges::count(message.records, *section, &dns::Record::section));
  if (all >= kMostCounted) return Fail("the section is full", where);
  if (question) {
    if (!rest.empty()) return Fail("a question has no data", where, how);
    message.AddQuestionOctets(name, *type, klass);
    return {};
  }
  std::string data;
  if (!dns::ParseData(*type, rest, data))
    return Fail("has data that its type does not", where, "RFC 3597 writes any: \\# 2 0a0b");
  if (!message.AddRecordOctets(*section, name, *type, klass, ttl, data)) return Fail("is too long", where);
  return {};
}

}  // namespace glasspost::capture
