// Names of TLS numbers: protocol versions, cipher suites (IANA's registry), alerts (RFC 8446 §6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace glasspost::tls {

// "TLSv1.3", "TLSv1.2" … "SSLv2"; "0x7f1c" for a version without a name.
std::string VersionName(std::uint16_t version);
// "TLS_AES_256_GCM_SHA384"; "0x1a1a" for a suite without a name.
std::string CipherName(std::uint16_t suite);
// "handshake_failure"; empty if the number has no name.
std::string_view AlertName(std::uint8_t description);

// Numbers that clients offer only to keep servers honest (RFC 8701): 0x0A0A, 0x1A1A … 0xFAFA.
constexpr bool IsGrease(std::uint16_t v) { return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff); }

}  // namespace glasspost::tls
