#include "agent/mail_summary.h"

#include <algorithm>

#include "base/ascii.h"
#include "wire/mime/date.h"
#include "wire/mime/outline.h"
#include "wire/mime/parameter.h"

namespace glasspost::agent {
namespace {

// Octets of a field that are kept: 100,000 recipients, or a subject like a book, say no more in a list by being longer.
constexpr std::size_t kAddressOctets = 4096, kTextOctets = 1024;

// What an entity's own header says of it.
struct EntityKind {
  bool named = false;  // it is an attachment, or has a file's name
  bool mixed = false;
};

EntityKind KindOf(Octets header) {
  EntityKind kind;
  mime::FieldReader reader(header);
  mime::RawField field;
  while (reader.Next(field)) {
    const bool disposition = EqualsNoCase(field.name, "Content-Disposition");
    if (!disposition && !EqualsNoCase(field.name, "Content-Type")) continue;
    const mime::ParameterizedValue value = mime::ParseParameters(field.value);
    const std::string* const name = value.Find(disposition ? "filename" : "name");
    kind.named |= (disposition && value.word == "attachment") || (name != nullptr && !name->empty());
    kind.mixed |= !disposition && value.word == "multipart/mixed";
  }
  return kind;
}

bool HasAttachment(const MailHead& head, Octets header) {
  const EntityKind root = KindOf(header);
  if (root.named) return true;
  const mime::Outline outline = mime::OutlineOf(head.octets);
  for (std::size_t i = 1; i < outline.entities.size(); ++i) {
    const mime::Entity& entity = outline.entities[i];
    if (!entity.multipart && KindOf(head.octets.substr(entity.header.offset, entity.header.length)).named) return true;
  }
  // What lies beyond the beginning: a text and something else, in all likelihood.
  return !head.whole && root.mixed;
}

bool ContainsNoCase(Octets text, Octets wanted) {
  return std::ranges::search(text, wanted, [](char a, char b) { return ToUpper(a) == ToUpper(b); }).begin() != text.end();
}

std::string Kept(Octets value, std::size_t most) {
  std::size_t n = std::min(value.size(), most);
  while (n < value.size() && n > 0 && (static_cast<std::uint8_t>(value[n]) & 0xc0) == 0x80) --n;
  return std::string(value.substr(0, n));
}

// R has been read, O is old; X-Status A answered, F flagged.
void TakeStatus(const mime::HeaderDecoder& decoder, MailSummary& summary) {
  for (const mime::HeaderField& field : decoder.fields()) {
    const bool status = EqualsNoCase(field.name, "Status");
    if (!status && !EqualsNoCase(field.name, "X-Status")) continue;
    summary.seen |= status && field.value.contains('R');
    summary.answered |= !status && field.value.contains('A');
    summary.flagged |= !status && field.value.contains('F');
  }
}

}  // namespace

MailSummary MailSummarizer::Summarize(const MailEntry& entry, const MailHead& head) {
  scan_.Reset({.digest = false, .journey = false, .limits = {}});
  scan_.OnOctets(head.octets);
  decoder_.Parse(scan_.header());
  const mime::HeaderSummary& fields = decoder_.summary();
  MailSummary summary;
  if (fields.from) {
    const std::string value = Kept(*fields.from, kAddressOctets);
    const auto authors = mime::ParseAddresses(value, 1);
    if (!authors.empty()) summary.from = authors.front().name.empty() ? authors.front().address : authors.front().name;
    summary.from = Kept(summary.from.empty() ? value : summary.from, kTextOctets);
  }
  for (const auto& field : {fields.from, fields.to, fields.cc})
    if (field) summary.addresses += Kept(*field, kAddressOctets) + "\n";
  if (fields.subject) summary.subject = Kept(*fields.subject, kTextOctets);
  if (fields.message_id) summary.message_id = Kept(Trim(*fields.message_id), kTextOctets);
  const auto date = fields.date ? mime::ParseDate(*fields.date) : std::nullopt;
  summary.date = date ? date->time : entry.arrived;
  summary.attachment = HasAttachment(head, scan_.header());
  summary.flags_known = entry.flags_known || entry.flags_in_header;
  summary.seen = entry.seen;
  summary.answered = entry.answered;
  summary.flagged = entry.flagged;
  if (entry.flags_in_header) TakeStatus(decoder_, summary);
  return summary;
}

bool Matches(const MailSummary& summary, Octets text) {
  return ContainsNoCase(summary.subject, text) || ContainsNoCase(summary.addresses, text);
}

}  // namespace glasspost::agent
