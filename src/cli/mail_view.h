// A message as a person reads it on a terminal: the fields that matter, the text, what is attached. Escaped.
#pragma once

#include <string>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "cli/mail_place.h"

namespace glasspost::cli {

struct MailViewLimits {
  static constexpr std::size_t kRaw = std::size_t{64} << 10;  // octets shown of a message that cannot be taken apart
};

// Lines for a terminal: tabs become blanks, CR LF a line end, everything else is escaped. The last line is ended.
std::string TextForTerminal(Octets text);

// "From:    Ada <ada@a.test>": each field of the block, or those that a reader looks for.
std::string FieldsForTerminal(Octets header, bool all, const analysis::Style& style);

// What may be saved: parts that are attached, or no text; those of messages inside go with them.
std::vector<const mime::Part*> Attachments(const mime::Structure& structure);

// The text of a part as people read it, HTML as text; UTF-8, not escaped. Nothing if it is neither text nor a message.
std::optional<std::string> ReadablePart(const LoadedMessage& message, const mime::Part& part);

// The text to be read: every part of text that is not attached, of alternatives the plain one or (with `html`, or where there is
// no other) the HTML as text; not escaped. Of a message that cannot be taken apart the beginning of its body as it was sent.
struct BodyText {
  std::string text;
  bool cut = false;  // there is more of it
  bool raw = false;  // as it was sent
  bool from_html = false;
};
BodyText TextOf(const LoadedMessage& message, bool html);

}  // namespace glasspost::cli
