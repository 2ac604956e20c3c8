// Values of Content-Type and Content-Disposition: a word and its parameters (RFC 2045 §5.1, RFC 2183), with the charset, language
// and continuations of RFC 2231, encoded words where they should not be (RFC 2047 §5 forbids them, everybody sends them) and raw
// octets.
#pragma once

#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::mime {

struct Parameter {
  std::string name;   // lower case, without "*"
  std::string value;  // UTF-8
};

struct ParameterizedValue {
  std::string word;  // "text/plain", "attachment": lower case, no blanks
  std::vector<Parameter> parameters;

  // The first of that name (lower case); nullptr if there is none.
  const std::string* Find(std::string_view name) const;
};

struct ParameterLimits {
  std::size_t value_octets = 16 * 1024;  // of the field value; the rest is not read. Stops endless continuations
  std::size_t parameters = 64;           // more are left out; stops quadratic gathering
};

// Reads what can be read; never fails. `value` may still be folded. `hint`: charset for raw octets, may be empty.
ParameterizedValue ParseParameters(Octets value, Octets hint = {}, const ParameterLimits& limits = {});

}  // namespace glasspost::mime
