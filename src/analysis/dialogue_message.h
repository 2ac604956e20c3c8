// A message told as three blocks: envelope, header, body.
#pragma once

#include <string>

#include "analysis/facts.h"
#include "analysis/language.h"
#include "analysis/style.h"

namespace glasspost::analysis {

// Lines for a terminal, each ended by LF. `octets`: the message itself, shown line by line; empty: only its structure and the
// beginning of its text.
std::string MessageBlocks(const MessageFacts& message, Octets octets, Language language, const Style& style);

}  // namespace glasspost::analysis
