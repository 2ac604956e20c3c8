// A message told as three blocks: envelope, header, body.
#pragma once

#include <string>

#include "analysis/facts.h"
#include "analysis/language.h"
#include "analysis/style.h"

namespace glasspost::analysis {

// How much of it. Not full: the header's fields up to a length, the structure and the beginning of the text. Full: all fields,
// and each part of text, decoded, whole.
struct MessageOctets {
  bool full = false;
  bool live = false;  // it comes of a live connection, not of a capture
  Octets octets;      // the message, where it is told in full
  bool cut = false;   // it is larger than what is kept: `octets` is its beginning
};

// `1.2 image/png "logo.png", base64, 1234 octets`; what the sender wrote in it is not escaped.
std::string PartLine(const mime::Part& part, Language language);

// Lines for a terminal, each ended by LF.
std::string MessageBlocks(const MessageFacts& message, const MessageOctets& whole, Language language, const Style& style);

}  // namespace glasspost::analysis
