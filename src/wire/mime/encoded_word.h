// Encoded words in header values (RFC 2047) and raw 8-bit text (RFC 6532 and what came before it), as UTF-8.
// Tolerant: wrong case, missing padding, blanks inside, no blank between words, characters or base64 groups split over
// adjacent words, a language (RFC 2231 §5), unknown charsets. What is no encoded word stays as it is.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::mime {

enum class ValueKind : std::uint8_t {
  kText,     // Subject, Comments, X-…
  kAddress,  // From, To …: a decoded word that holds characters special there is put in quotes, so that "Doe, John" stays one
             // name
};

// True if DecodeValue would change anything: "=?" or an octet over 127 is in it.
bool NeedsDecoding(Octets value);

// Appends the unfolded `value` decoded. `hint`: a charset named elsewhere in the message, for raw octets; may be empty.
void AppendDecodedValue(std::string& out, Octets value, ValueKind kind = ValueKind::kText, Octets hint = {});

inline std::string DecodeValue(Octets value, ValueKind kind = ValueKind::kText, Octets hint = {}) {
  std::string out;
  AppendDecodedValue(out, value, kind, hint);
  return out;
}

// The charset of the first encoded word in `text`; empty if there is none. A view into `text`.
Octets FirstWordCharset(Octets text);

}  // namespace glasspost::mime
