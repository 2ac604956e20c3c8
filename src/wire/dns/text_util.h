// Small writers of zone-file form that names, data, options and parameters share. Each appends to `out`, always plain ASCII.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::dns {

void AppendNumber(std::string& out, std::uint64_t number);
void AppendHex(std::string& out, Octets octets);  // "0A2F"
// "\010": one octet as master files write it (RFC 1035 §5.1)
void AppendEscaped(std::string& out, std::uint8_t octet);
// One <character-string> in quotes.
void AppendQuoted(std::string& out, Octets text);
// Without quotes: what a name's label would look like.
void AppendWord(std::string& out, Octets text);
void AppendBase32(std::string& out, Octets octets);  // base32hex without padding (RFC 4648 §7)
void AppendIp4(std::string& out, const std::uint8_t* octets);
void AppendIp6(std::string& out, const std::uint8_t* octets);  // RFC 5952
// "\# 4 0A000001" (RFC 3597 §5)
void AppendOpaque(std::string& out, Octets data);

// EDNS options as they lie in an OPT record's data: `COOKIE 0123456789ABCDEF, ECS 192.0.2.0/24/0`.
void AppendOptions(std::string& out, Octets data);
// SvcParams (RFC 9460 §2.1): `alpn=h2,h3 port=443`.
void AppendParameters(std::string& out, Octets data);

}  // namespace glasspost::dns
