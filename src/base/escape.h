// What a peer sent, made safe for a terminal and for JSON. Nothing of a peer reaches either without passing here.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost {

// Appends `text` for a terminal: valid UTF-8 that prints stays; controls, invalid octets, bidirectional and invisible
// format characters become \xHH or \u{HHHH}. No line end passes.
void AppendForTerminal(std::string& out, Octets text);
inline std::string ForTerminal(Octets text) {
  std::string out;
  AppendForTerminal(out, text);
  return out;
}

// Appends `text` as a JSON string with its quotes (RFC 8259 §7). An octet that is no UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& out, Octets text);
// AppendJsonString would leave the text as it is.
bool IsPlainJson(Octets text);

// Octets of the UTF-8 sequence at the beginning of `text`, 0 if it is none (RFC 3629: no overlong forms, no surrogates).
std::size_t Utf8Length(Octets text, char32_t& code_point);
bool IsUtf8(Octets text);

}  // namespace glasspost
