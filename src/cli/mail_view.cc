#include "cli/mail_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/escape.h"
#include "wire/mime/date.h"
#include "wire/mime/html_text.h"

namespace glasspost::cli {
namespace {

constexpr std::size_t kTab = 8;  // columns
constexpr int kLabel = 9;        // columns of "Subject:" and a blank

void AppendLine(std::string& out, Octets line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t column = 0;
  while (true) {
    const std::size_t begin = out.size(), tab = std::min(line.find('\t'), line.size());
    AppendForTerminal(out, line.substr(0, tab));
    if (tab == line.size()) break;
    column += analysis::DisplayWidth(Octets(out).substr(begin));
    const std::size_t blanks = kTab - column % kTab;
    out.append(blanks, ' ');
    column += blanks;
    line.remove_prefix(tab + 1);
  }
  out += '\n';
}

std::string OnOneLine(Octets value) {
  std::string text(value);
  std::ranges::replace(text, '\t', ' ');  // where the field was folded
  return ForTerminal(text);
}

// The beginning of the message behind its first `begin` octets and an empty line, as it was sent.
void TakeRaw(const LoadedMessage& message, std::size_t begin, BodyText& body) {
  Octets rest = Octets(message.octets).substr(std::min(begin, message.octets.size()));
  if (begin > 0 && rest.starts_with('\r')) rest.remove_prefix(1);
  if (begin > 0 && rest.starts_with('\n')) rest.remove_prefix(1);
  body.text = rest.substr(0, MailViewLimits::kRaw);
  body.cut = message.cut || body.text.size() < rest.size();
}

bool Has(const std::vector<const mime::Part*>& parts, std::string_view type) {
  return std::ranges::any_of(parts, [&](const mime::Part* part) { return part->type == type; });
}

// What of the parts a reader sees: every text that is not attached, but of alternatives one (RFC 2046 §5.1.4): the plain one, or
// the HTML if that is wanted; else the last. `parts` begin with the entity; as deep as mime::MimeLimits lets them be.
std::vector<const mime::Part*> TextParts(std::span<const mime::Part> parts, bool html) {
  const mime::Part& entity = parts.front();
  if (!entity.multipart) {
    const bool shown = entity.type.starts_with("text/") && !entity.attachment;
    return shown ? std::vector{&entity} : std::vector<const mime::Part*>();
  }
  std::vector<const mime::Part*> all;
  const std::string_view wanted = html ? "text/html" : "text/plain";
  for (std::size_t at = 1; at < parts.size();) {
    std::size_t end = at + 1;
    while (end < parts.size() && parts[end].depth > parts[at].depth) ++end;
    std::vector<const mime::Part*> child = TextParts(parts.subspan(at, end - at), html);
    at = end;
    if (entity.type != "multipart/alternative")
      all.insert(all.end(), child.begin(), child.end());
    else if (!child.empty() && !Has(all, wanted))
      all = std::move(child);
  }
  return all;
}

}  // namespace

std::string TextForTerminal(Octets text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    AppendLine(out, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string FieldsForTerminal(Octets header, bool all, const analysis::Style& style) {
  mime::HeaderDecoder decoder;
  decoder.Parse(header);
  std::string out;
  const auto add = [&](Octets name, Octets value) {
    out += style.Cyan(ForTerminal(name) + ":");
    const std::size_t width = analysis::DisplayWidth(name) + 1;
    out.append(width < kLabel ? kLabel - width : 1, ' ');
    out += OnOneLine(value) + "\n";
  };
  const auto add_strays = [&] {
    if (decoder.fields().empty()) return;  // no header at all: it is all body
    for (const Octets line : decoder.strays()) out += OnOneLine(line) + "\n";
  };
  if (all) {
    for (const mime::HeaderField& field : decoder.fields()) add(field.name, field.value);
    add_strays();
    return out;
  }
  const mime::HeaderSummary& s = decoder.summary();
  const auto add_if = [&](Octets name, const std::optional<Octets>& value) {
    if (value) add(name, *value);
  };
  add_if("From", s.from);
  if (s.reply_to && s.reply_to != s.from) add("Reply-To", *s.reply_to);
  add_if("To", s.to);
  add_if("Cc", s.cc);
  if (s.date) {
    const auto parsed = mime::ParseDate(*s.date);
    const std::string here = parsed ? LocalTime(parsed->time) : std::string();
    add("Date", here.empty() ? std::string(*s.date) : fmt::format("{} ({})", here, *s.date));
  }
  add_if("Subject", s.subject);
  add_strays();  // they may have been meant as the body
  return out;
}

std::vector<const mime::Part*> Attachments(const mime::Structure& structure) {
  std::vector<const mime::Part*> found, messages;  // messages: those that the part lies in
  for (const mime::Part& part : structure.parts) {
    while (!messages.empty() && part.depth <= messages.back()->depth) messages.pop_back();
    if (part.multipart || !messages.empty()) continue;
    if (part.message) messages.push_back(&part);
    if (part.attachment || part.message || !part.type.starts_with("text/")) found.push_back(&part);
  }
  return found;
}

std::optional<std::string> ReadablePart(const LoadedMessage& message, const mime::Part& part) {
  if (part.message) {
    std::string text;
    mime::ReadPart(message.octets, part, [&](Octets piece) {
      text += piece;
      return true;
    });
    return text;
  }
  if (part.multipart || !(part.type.starts_with("text/") || part.type.starts_with("message/"))) return std::nullopt;
  std::string text = mime::PartText(message.octets, part);
  if (part.type != "text/html") return text;
  std::string plain;
  mime::AppendHtmlText(plain, text, mime::MimeLimits().text_octets);
  return plain;
}

BodyText TextOf(const LoadedMessage& message, bool html) {
  BodyText body;
  if (message.structure.parts.empty()) {
    body.raw = true;
    TakeRaw(message, message.header.size(), body);
    return body;
  }
  mime::RawField field;
  if (message.structure.text.empty() && !mime::FieldReader(message.header).Next(field)) {  // it has no header: all of it is text
    TakeRaw(message, 0, body);
    return body;
  }
  const std::vector<const mime::Part*> shown = TextParts(message.structure.parts, html);
  const std::size_t most = mime::MimeLimits().text_octets;
  const bool fits = std::ranges::all_of(shown, [&](const mime::Part* part) { return part->size <= most; });
  for (const mime::Part* const part : shown) {
    if (!fits || body.text.size() > most) break;
    if (!body.text.empty() && !body.text.ends_with('\n')) body.text += '\n';
    if (!body.text.empty()) body.text += '\n';
    body.text += ReadablePart(message, *part).value_or("");
    body.from_html |= part->type == "text/html";
  }
  body.cut = body.text.size() > most;
  if (body.text.find_first_not_of(" \t\r\n") == std::string::npos) {  // it is in a message inside, or too long to be held whole
    body.text = message.structure.text;
    body.cut = message.structure.text_cut;
    body.from_html = message.structure.text_from_html;
  }
  return body;
}

}  // namespace glasspost::cli
