// Quoted-printable (RFC 2045 §6.7): text with octets above 127, or with lines that are too long, in lines of at most 76 ASCII
// characters.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::mime {

// Streams; any chunking gives the same text. CRLF in is CRLF out, and a bare CR or LF is encoded.
class QuotedPrintableEncoder {
 public:
  void Append(std::string& out, Octets input);
  // What was held back.
  void Finish(std::string& out);

 private:
  void Put(std::string& out, char c, bool encode);
  void FlushBlank(std::string& out, bool at_line_end);

  std::size_t column_ = 0;
  char blank_ = 0;  // a space or tab that may stand at the line's end
  bool cr_ = false;
};

std::string QuotedPrintable(Octets text);

}  // namespace glasspost::mime
