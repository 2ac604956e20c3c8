// HZ (RFC 1843): GB 2312 in seven bits, the charset "hz-gb-2312". Pure.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::mime {

// The same text as GB 2312 with its eighth bits (EUC-CN). What HZ has no meaning for becomes an octet that GB 2312 has none for
// either, so that it is told as what it is. Never longer than `text`.
std::string GbOfHz(Octets text);

}  // namespace glasspost::mime
