// Octets as people type them, undone.
#pragma once

#include <string>

#include "base/ascii.h"
#include "base/error.h"
#include "base/octets.h"

namespace glasspost {

// 0 to 15; -1 for what is no hexadecimal digit.
constexpr int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  c = ToLower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// \r \n \t \0 \\ and \xHH; all else stands for itself. The error names what is no escape.
Expected<std::string> Unescape(Octets text);

}  // namespace glasspost
