// The fields of what a packet carries (SMTP, POP3, IMAP, DNS, TLS), and new values for them.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "capture/craft/place.h"

namespace glasspost::capture {

// In the order of the octets as the decoders tell them; ranges count from the payload's first octet. Of other protocols, none.
std::vector<Place> MessagePlaces(const Spoken& spoken, Octets payload);

// The payload with these octets at places[index], which is elastic. A message of DNS is encoded anew: names are compressed if
// they were, and every length follows (that before a message over TCP too, unless `keep_length`). The error says what stands
// against it: the message is broken, a length has no room. Of TLS, too, every length around it follows.
Expected<std::string> ReplaceInMessage(const Spoken& spoken, Octets payload, const std::vector<Place>& places, std::size_t index,
                                       Octets value, bool keep_length);

// The payload with one question or record more, in zone-file form, in the section whose count is places[index]: the last of it.
// Names are compressed, the count and the length before a message over TCP (unless `keep_length`) follow.
Expected<std::string> AddToMessage(Octets payload, const std::vector<Place>& places, std::size_t index, Octets record,
                                   bool keep_length);

}  // namespace glasspost::capture
