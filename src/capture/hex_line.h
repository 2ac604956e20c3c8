// One line of a hex dump: what kind it is, and its runs of hex digits. Used by hex_dump.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "base/octets.h"

namespace glasspost::capture {

struct HexLine {
  enum class Kind : std::uint8_t {
    kData,
    kBoundary,  // blank, a label, a time: what follows is another packet
    kRepeat,    // "*": the line before it again, up to the next offset
    kComment,
  };
  Kind kind = Kind::kData;
  std::size_t number = 0;  // from 1
  Octets text;             // without line end
};

// The lines of a text (LF, CRLF). Where Wireshark prints more than the frame ("Reassembled TCP (300 bytes):"), these octets are
// taken out: they are no frame.
std::vector<HexLine> SplitHexLines(Octets text);

struct HexToken {
  enum class Kind : std::uint8_t {
    kEnd,
    kDigits,  // an even number of hex digits, or an offset that has an odd number
    kBar,     // | or >: a text column begins
    kOther,
  };
  Kind kind = Kind::kEnd;
  std::size_t column = 0;  // of its first octet
  std::size_t end = 0;     // behind its last
  std::size_t spaces = 0;  // white space before it; a tab counts as eight
  Octets digits;           // without 0x; also where `odd`
  bool prefixed = false;   // 0x before it
  bool odd = false;        // kOther only because the number of digits is odd
};
HexToken NextHexToken(Octets line, std::size_t at);

// Two digits an octet.
void AppendDigits(Octets digits, std::vector<std::uint8_t>& row);

// Whether the line from `at` on, after white space, is exactly the text column for the octets of `row`: what prints as it is, all
// else as a dot.
bool IsTextColumn(Octets line, std::size_t at, const std::vector<std::uint8_t>& row);
// Whether it is that, or nothing, or at least stands apart as a text column does.
bool MayBeTextColumn(Octets line, std::size_t at, const std::vector<std::uint8_t>& row);

}  // namespace glasspost::capture
