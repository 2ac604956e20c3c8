// Header fields as they are written: RFC 5322 §2.2.3's folding, RFC 2047's encoded words, RFC 2231's parameters. Whatever is
// given, one field comes of it: line ends and other controls in values are blanks. All text is UTF-8; octets that are not become
// U+FFFD. What is written is read back as it was by header.h and structure.h.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/octets.h"
#include "wire/mime/header.h"

namespace glasspost::mime {

struct ComposeLimits {
  static constexpr std::size_t kLine = 76;      // octets of a folded line, where there is a place to fold (RFC 2047 §2)
  static constexpr std::size_t kLongest = 998;  // of any line (RFC 5322 §2.1.1): a longer word is encoded, and so divided
};

// "Subject: …\r\n" (RFC 5322 §3.6.5): unstructured text.
void AppendTextField(std::string& out, Octets name, Octets text);

// "To: …\r\n": display names are atoms, quoted strings or encoded words; an address stands as it is, in UTF-8 too (RFC 6532), and
// the message needs SMTPUTF8 then. Nothing if there are no mailboxes.
void AppendAddressField(std::string& out, Octets name, std::span<const Mailbox> mailboxes);

// "Content-Type: text/plain; charset=utf-8\r\n". Values that are no tokens are quoted; those beyond ASCII, or too long for a
// line, are divided and encoded as RFC 2231 §3, §4 say.
struct FieldParameter {
  Octets name;
  Octets value;
};
void AppendParameterField(std::string& out, Octets name, Octets value, std::span<const FieldParameter> parameters);

// "Ada Lovelace <ada@a.test>" as a person or a header wrote it; nothing if there is no address in it, or more than one.
std::optional<Mailbox> ParseMailbox(Octets text);

}  // namespace glasspost::mime
