#include "cli/sendmail_message.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "wire/mime/compose.h"
#include "wire/mime/header.h"

namespace glasspost::cli {
namespace {

// RFC 5322 §2.2: a name of printable ASCII, a colon; blanks before that are obsolete (§4.5.8), and read.
bool IsField(Octets line) {
  std::size_t at = 0;
  while (at < line.size() && line[at] > ' ' && line[at] < '\x7f' && line[at] != ':') ++at;
  if (at == 0) return false;
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  return at < line.size() && line[at] == ':';
}

bool IsDropped(Octets name) {
  for (const std::string_view dropped : {"Bcc", "Resent-Bcc", "Return-Path", "Content-Length"})
    if (EqualsNoCase(name, dropped)) return true;
  return false;
}

}  // namespace

SendmailHead::State SendmailHead::TakeLine(Octets line) {
  if (done_) return State::kEnded;
  const bool first = !std::exchange(any_line_, true);
  // The line that mailboxes put before a message.
  if (first && (line.starts_with("From ") || line.starts_with(">From "))) return State::kMore;
  Octets text = line;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.empty()) return done_ = true, State::kEnded;
  const bool continues = (text.front() == ' ' || text.front() == '\t') && !fields_.empty();
  if (!continues && !IsField(text)) {
    first_line_ = line;
    return done_ = true, State::kEnded;
  }
  if (fields_.size() + line.size() > SendmailHeadLimits::kHeader) return State::kTooLong;
  fields_ += line;
  if (!line.ends_with('\n')) fields_ += '\n';
  return State::kMore;
}

std::string SendmailHead::Text(const std::string& from) const {
  std::string out;
  bool dropping = false;
  for (Octets rest = fields_; !rest.empty();) {
    const Octets line = rest.substr(0, rest.find('\n') + 1);
    rest.remove_prefix(line.size());
    if (line.front() != ' ' && line.front() != '\t') dropping = IsDropped(Trim(line.substr(0, line.find(':'))));
    if (!dropping) out += line;
  }
  if (!has_from()) out += from;
  return out + "\n";
}

std::vector<std::string> SendmailHead::Recipients() const {
  std::vector<std::string> plain, resent;
  mime::FieldReader reader(fields_);
  mime::RawField field;
  while (reader.Next(field)) {
    Octets name = field.name;
    const bool again = StartsWithNoCase(name, "Resent-");
    if (again) name.remove_prefix(7);
    if (!EqualsNoCase(name, "To") && !EqualsNoCase(name, "Cc") && !EqualsNoCase(name, "Bcc")) continue;
    std::string value;
    mime::AppendUnfolded(value, field.value);
    std::vector<std::string>& to = again ? resent : plain;
    for (const mime::Mailbox& mailbox : mime::ParseAddresses(value, SendmailHeadLimits::kRecipients + 1)) {
      const std::string& who = mailbox.address.empty() ? mailbox.name : mailbox.address;  // "bob" alone is a user here
      if (!who.empty() && std::ranges::find(to, who) == to.end()) to.push_back(who);
    }
  }
  return resent.empty() ? plain : resent;
}

bool SendmailHead::has_from() const {
  mime::FieldReader reader(fields_);
  mime::RawField field;
  while (reader.Next(field))
    if (EqualsNoCase(field.name, "From")) return true;
  return false;
}

std::string FromField(const std::string& full_name, const std::string& address) {
  std::string field;
  const mime::Mailbox from{.name = full_name, .address = address};
  mime::AppendAddressField(field, "From", std::span(&from, 1));
  std::erase(field, '\r');  // as its other lines end
  return field;
}

}  // namespace glasspost::cli
