// A record's data as the words of a master file (RFC 1035 §5.1): what the zone-file reader and ParseData share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"
#include "wire/dns/layout.h"

namespace glasspost::dns {

// Which word is wrong, and what should stand there. One past the last: it is missing. kEnd: it is one too many.
struct WordFault {
  std::size_t word = 0;
  Part expected = Part::kEnd;
  Field field{};
};

// Appends the data's octets, names completed with `origin` (see ParseName); false, and `out` as it was, with what is wrong in
// `fault`. Words are without their quotes, with their escapes.
bool ParseWords(std::uint16_t type, const std::vector<std::string>& words, Octets origin, std::string& out, WordFault& fault);

}  // namespace glasspost::dns
