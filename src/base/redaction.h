// How a secret looks once it has left the observer: three stars and its octet count.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost {

inline std::string Mask(std::size_t octets) { return "*** (" + std::to_string(octets) + (octets == 1 ? " octet)" : " octets)"); }
inline std::string Mask(Octets secret) { return Mask(secret.size()); }
// The secret itself if it may be shown.
inline std::string Secret(Octets secret, bool show) { return show ? std::string(secret) : Mask(secret); }

}  // namespace glasspost
