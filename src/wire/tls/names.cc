#include "wire/tls/names.h"

#include <algorithm>
#include <iterator>

namespace glasspost::tls {
namespace {

struct Suite {
  std::uint16_t number;
  std::string_view name;
};
constexpr Suite kSuites[] = {
#define GLASSPOST_CIPHER(number, name) {number, name},
#include "wire/tls/cipher_suites.inc"
#undef GLASSPOST_CIPHER
};
static_assert(std::ranges::is_sorted(kSuites, std::ranges::less{}, &Suite::number), "binary search needs order");

std::string HexNumber(std::uint16_t v) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string s = "0x";
  for (int shift = 12; shift >= 0; shift -= 4) s.push_back(kDigits[(v >> shift) & 15]);
  return s;
}

}  // namespace

std::string VersionName(std::uint16_t version) {
  switch (version) {
    case 0x0002:
      return "SSLv2";
    case 0x0300:
      return "SSLv3";
    case 0x0301:
      return "TLSv1.0";
    case 0x0302:
      return "TLSv1.1";
    case 0x0303:
      return "TLSv1.2";
    case 0x0304:
      return "TLSv1.3";
    default:
      break;
  }
  // Drafts of TLS 1.3 carried their own number (draft-ietf-tls-tls13: 0x7f00 + draft).
  if ((version >> 8) == 0x7f && (version & 0xff) != 0) return "TLSv1.3-draft" + std::to_string(version & 0xff);
  if ((version >> 8) == 0xfb && (version & 0xff) != 0) return "TLSv1.3-fb" + std::to_string(version & 0xff);
  return HexNumber(version);
}

std::string CipherName(std::uint16_t suite) {
  const auto* at = std::ranges::lower_bound(kSuites, suite, {}, &Suite::number);
  return at != std::end(kSuites) && at->number == suite ? std::string(at->name) : HexNumber(suite);
}

std::string_view AlertName(std::uint8_t description) {
  switch (description) {
    case 0:
      return "close_notify";
    case 10:
      return "unexpected_message";
    case 20:
      return "bad_record_mac";
    case 21:
      return "decryption_failed";
    case 22:
      return "record_overflow";
    case 30:
      return "decompression_failure";
    case 40:
      return "handshake_failure";
    case 41:
      return "no_certificate";
    case 42:
      return "bad_certificate";
    case 43:
      return "unsupported_certificate";
    case 44:
      return "certificate_revoked";
    case 45:
      return "certificate_expired";
    case 46:
      return "certificate_unknown";
    case 47:
      return "illegal_parameter";
    case 48:
      return "unknown_ca";
    case 49:
      return "access_denied";
    case 50:
      return "decode_error";
    case 51:
      return "decrypt_error";
    case 60:
      return "export_restriction";
    case 70:
      return "protocol_version";
    case 71:
      return "insufficient_security";
    case 80:
      return "internal_error";
    case 86:
      return "inappropriate_fallback";
    case 90:
      return "user_canceled";
    case 100:
      return "no_renegotiation";
    case 109:
      return "missing_extension";
    case 110:
      return "unsupported_extension";
    case 111:
      return "certificate_unobtainable";
    case 112:
      return "unrecognized_name";
    case 113:
      return "bad_certificate_status_response";
    case 114:
      return "bad_certificate_hash_value";
    case 115:
      return "unknown_psk_identity";
    case 116:
      return "certificate_required";
    case 120:
      return "no_application_protocol";
    case 121:
      return "ech_required";
    default:
      return {};
  }
}

}  // namespace glasspost::tls
