#include "analysis/field_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/address.h"
#include "base/escape.h"
#include "capture/checksum.h"
#include "wire/dns/decoder.h"

namespace glasspost::analysis {
namespace {

struct Meaning {
  Field field;
  std::uint64_t value;
  std::string_view words[2];  // by Language
};
#define GLASSPOST_DNS_SECTION(en, zh)
#define GLASSPOST_DNS_RECORD(type, begins, en, zh)
constexpr Meaning kMeanings[] = {
#define GLASSPOST_DNS_MEANING(field, value, en, zh) {Field::field, value, {en, zh}},
#include "analysis/texts/dns.inc"
#undef GLASSPOST_DNS_MEANING
};
#undef GLASSPOST_DNS_SECTION

#define GLASSPOST_DNS_MEANING(field, value, en, zh)
// The header, then by dns::Section.
constexpr std::string_view kSections[][2] = {
#define GLASSPOST_DNS_SECTION(en, zh) {en, zh},
#include "analysis/texts/dns.inc"
#undef GLASSPOST_DNS_SECTION
};
#undef GLASSPOST_DNS_MEANING
#undef GLASSPOST_DNS_RECORD

bool Contains(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// A number of DNS by its name: "MX (15)"; empty where it has none.
std::string DnsNumber(Field field, std::uint64_t number) {
  std::string name;
  const auto small = static_cast<std::uint16_t>(number);
  switch (field) {
    case Field::kDnsId:
    case Field::kDnsFlags:
    case Field::kDnsEdnsFlags:
      return fmt::format("0x{:04x}", number);
    case Field::kDnsQueryType:
    case Field::kDnsRecordType:
    case Field::kDnsRrsigType:
      dns::AppendType(name, small);
      break;
    case Field::kDnsQueryClass:
    case Field::kDnsRecordClass:
      dns::AppendClass(name, small);
      break;
    case Field::kDnsFlagOpcode:
      dns::AppendOpcode(name, static_cast<std::uint8_t>(number));
      break;
    case Field::kDnsFlagRcode:
      dns::AppendRcode(name, small);
      break;
    default:
      return {};
  }
  return fmt::format("{} ({})", name, number);
}

std::string NumberText(Field field, std::uint64_t number, std::size_t length, Language language) {
  if (std::string text = DnsNumber(field, number); !text.empty()) return text;
  const std::string_view name = Info(field).abbreviation;
  if (name.ends_with("checksum.status")) {
    const auto status = static_cast<capture::ChecksumStatus>(number);
    return std::string(language == Language::kChinese ? capture::NameChinese(status) : capture::Name(status));
  }
  const bool hex = Contains(name, "checksum") || name.ends_with(".type") || name.ends_with(".etype") || name.ends_with("ip.id") ||
                   name == "ip.flags" || name == "tcp.flags" || name == "ip.dsfield" || Contains(name, "ident");
  return hex ? fmt::format("0x{:0{}x}", number, std::min<std::size_t>(std::max<std::size_t>(length, 1) * 2, 8))
             : fmt::format("{}", number);
}

// The fields of a message, in words: what the decoder tells is good only while it tells it.
struct DnsFieldList {
  static constexpr bool kWanted = true;
  struct Entry {
    Field field;
    OctetRange range;
    std::string value;
  };
  Language language;
  std::vector<Entry> entries;
  bool response = false;

  // In a query these bits mean nothing (RFC 1035 §4.1.1).
  static bool OfAnswers(Field field) {
    return field == Field::kDnsFlagAuthoritative || field == Field::kDnsFlagTruncated ||
           field == Field::kDnsFlagRecursionAvailable;
  }
  void operator()(Field field, OctetRange range, const FieldValue& value) {
    std::string text = FieldValueText(field, value, range.length, language);
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
      if (field == Field::kDnsFlagResponse) response = *number != 0;
      const std::string_view meaning = FieldMeaning(field, *number, language);
      if (!meaning.empty() && (response || !OfAnswers(field))) text += fmt::format(" ({})", meaning);
    }
    entries.push_back({field, range, std::move(text)});
  }
};

class DnsTeller {
 public:
  DnsTeller(std::string& out, Octets wire, std::size_t offset, Language language, const Style& style)
      : out_(out), wire_(wire), offset_(offset), language_(language), style_(style), lines_(language, style) {}

  void Tell() {
    dns::Message message;
    DnsFieldList list{language_, {}, false};
    dns::DecodeFields(wire_, wire_.size(), message, list);
    // Whole fields before their parts. The decoder tells some of them behind, when it knows their value.
    std::ranges::stable_sort(list.entries, [](const auto& a, const auto& b) {
      return a.range.offset != b.range.offset ? a.range.offset < b.range.offset : a.range.length > b.range.length;
    });
    Section(0);
    for (std::size_t i = 0; i < list.entries.size(); ++i) Entry(message, list.entries, i);
    if (!message.malformed()) return;
    std::string fault;
    dns::AppendFault(fault, message.fault);
    out_ += style_.Yellow((language_ == Language::kChinese ? "  消息有误：" : "  the message is broken: ") + fault) + "\n";
  }

 private:
  void Section(std::size_t number) {
    if (number == section_) return;
    section_ = number;
    out_.append("    ").append(style_.Bold(DnsSectionName(number, language_))).append("\n");
  }

  void Entry(const dns::Message& message, const std::vector<DnsFieldList::Entry>& entries, std::size_t i) {
    const auto& e = entries[i];
    if (e.field == Field::kDnsQuestion) Section(1);
    if (e.field == Field::kDnsRecord) {
      const auto record = std::ranges::find(message.records, e.range.offset, [](const dns::Record& r) { return r.wire.offset; });
      if (record != message.records.end()) Section(1 + static_cast<std::size_t>(record->section));
    }
    const auto ends_behind = [&](std::size_t end) { return end < e.range.offset + e.range.length || end <= e.range.offset; };
    std::erase_if(within_, ends_behind);
    // Bits of one octet are no parts of each other.
    const bool whole = i + 1 < entries.size() && entries[i + 1].range.offset < e.range.offset + e.range.length &&
                       entries[i + 1].range != e.range;
    const Bytes octets = AsBytes(wire_.substr(e.range.offset, e.range.length));
    lines_.Line(out_, e.field, offset_ + e.range.offset, octets, e.value, !whole, within_.size());
    if (whole) within_.push_back(e.range.offset + e.range.length);
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::string& out_;
  Octets wire_;
  std::size_t offset_;
  Language language_;
  const Style& style_;
  FieldLines lines_;
  std::size_t section_ = kNone;
  std::vector<std::size_t> within_;  // ends of the fields that the present one is a part of
};

}  // namespace

std::string_view DnsSectionName(std::size_t number, Language language) { return kSections[number][static_cast<int>(language)]; }

std::string HexOctets(Bytes octets, std::size_t most, std::string_view hidden) {
  std::string text;
  for (std::size_t i = 0; i < octets.size() && i < most; ++i) {
    if (i > 0) text += ' ';
    text += i < hidden.size() && hidden[i] == '*' ? "**" : fmt::format("{:02x}", octets[i]);
  }
  if (octets.size() > most) text += " …";
  return text;
}

std::string FieldValueText(Field field, const FieldValue& value, std::size_t length, Language language) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return NumberText(field, *number, length, language);
  if (const auto* bytes = std::get_if<Bytes>(&value)) {
    if (bytes->size() == 4) return Address::V4(bytes->data()).Text();
    if (bytes->size() == 16) return Address::V6(bytes->data()).Text();
    if (bytes->size() == 6) {
      const Bytes b = *bytes;
      return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4], b[5]);
    }
    return {};
  }
  if (const auto* text = std::get_if<Octets>(&value)) return ForTerminal(*text);
  return {};
}

std::string_view FieldMeaning(Field field, std::uint64_t value, Language language) {
  for (const Meaning& m : kMeanings)
    if (m.field == field && m.value == value) return m.words[static_cast<int>(language)];
  return {};
}

std::string_view FieldLines::Label(Field field) const {
  return language_ == Language::kChinese ? Info(field).label_zh : Info(field).label_en;
}

void FieldLines::Heading(std::string& out, std::string_view label, std::string_view name, std::size_t octets) const {
  const std::string_view word = language_ == Language::kChinese ? "个八位组" : octets == 1 ? "octet" : "octets";
  out += "  " + style_.Bold(label) + style_.Dim(fmt::format("  ({}, {} {})", name, octets, word)) + "\n";
}

void FieldLines::Line(std::string& out, Field field, std::size_t offset, Bytes octets, std::string_view value, bool all,
                      std::size_t depth) const {
  const std::size_t first = all ? std::min(octets.size(), kFieldOctets) : octets.size();
  const std::size_t shown = first > kFieldOctets ? kFieldOctets - 1 : kFieldOctets;  // room for the mark that there are more
  out += style_.Dim(fmt::format("    {:04x}  ", offset)) +
         style_.Cyan(PadRight(HexOctets(octets.subspan(0, first), shown), kFieldHexWidth)) + std::string(2 * depth, ' ');
  out.append(Label(field)).append(style_.Dim(fmt::format(" ({})", Info(field).abbreviation)));
  if (!value.empty()) out.append(": ").append(value);
  out += '\n';
  for (std::size_t at = first; at < octets.size(); at += kFieldOctets)
    out += style_.Dim(fmt::format("    {:04x}  ", offset + at)) +
           style_.Cyan(HexOctets(octets.subspan(at, std::min(kFieldOctets, octets.size() - at)), kFieldOctets)) + "\n";
}

void AppendDnsFields(std::string& out, Octets message, std::size_t offset, Language language, const Style& style) {
  DnsTeller(out, message, offset, language, style).Tell();
}

}  // namespace glasspost::analysis
