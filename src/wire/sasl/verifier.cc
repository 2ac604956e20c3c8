#include "wire/sasl/verifier.h"

#include <glib.h>

#include <charconv>
#include <string>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"

namespace glasspost::sasl {
namespace {

Octets AsText(const Digest256& digest) { return AsOctets(digest); }

bool TakeDigest(Octets text, Digest256& digest) {
  const auto octets = DecodeBase64(text);
  if (!octets || octets->size() != digest.size()) return false;
  std::memcpy(digest.data(), octets->data(), digest.size());
  return true;
}

Octets TakePart(Octets& text) {
  const std::size_t comma = text.find(',');
  const Octets part = text.substr(0, comma);
  text.remove_prefix(comma == Octets::npos ? text.size() : comma + 1);
  return part;
}

// RFC 3454 table B.1: commonly mapped to nothing.
bool MapsToNothing(gunichar c) {
  return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) || (c >= 0x200b && c <= 0x200d) || c == 0x2060 ||
         (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

// RFC 4013 §2.3, by what the characters are.
bool IsProhibited(gunichar c) {
  if (c < 0x20 || c == 0x7f || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000) return true;
  if ((c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef)) return true;
  if ((c >= 0x2ff0 && c <= 0x2ffb) || (c >= 0xfff9 && c <= 0xfffd) || (c >= 0xe0001 && c <= 0xe007f)) return true;
  switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return true;
    default:
      return false;
  }
}

// What cannot be prepared may have been stored as it is, by an import.
std::string Prepared(Octets password) { return Prepare(password).value_or(std::string(password)); }

bool IsPlain(Octets text) {
  for (const char c : text)
    if (static_cast<std::uint8_t>(c) < ' ' || static_cast<std::uint8_t>(c) > '~') return false;
  return true;
}

}  // namespace

std::optional<Verifier> ParseVerifier(Octets text) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == Octets::npos || end == 1) return {};
  return Verifier{text.substr(1, end - 1), text.substr(end + 1)};
}

std::optional<ScramKeys> ParseScramSha256(Octets text) {
  const auto verifier = ParseVerifier(text);
  if (!verifier || !EqualsNoCase(verifier->scheme, "SCRAM-SHA-256")) return {};
  Octets rest = verifier->data;
  const auto iterations = ParseNumber(TakePart(rest));
  const auto salt = DecodeBase64(TakePart(rest));
  ScramKeys keys;
  if (!iterations || *iterations == 0 || *iterations > VerifierLimits::kMostIterations) return {};
  if (!salt || salt->empty() || salt->size() > VerifierLimits::kMostSaltOctets) return {};
  if (!TakeDigest(TakePart(rest), keys.stored_key) || !TakeDigest(TakePart(rest), keys.server_key) || !rest.empty()) return {};
  keys.iterations = static_cast<unsigned>(*iterations);
  keys.salt = *salt;
  return keys;
}

ScramKeys DeriveScramKeys(Octets password, Octets salt, unsigned iterations) {
  const Digest256 salted = Pbkdf2Sha256(password, salt, iterations);
  ScramKeys keys{.iterations = iterations, .salt = std::string(salt)};
  keys.stored_key = HashSha256(AsText(HmacSha256(AsText(salted), "Client Key")));
  keys.server_key = HmacSha256(AsText(salted), "Server Key");
  return keys;
}

std::string MakeScramVerifier(Octets password, Octets salt, unsigned iterations) {
  const ScramKeys keys = DeriveScramKeys(Prepared(password), salt, iterations);
  return "{SCRAM-SHA-256}" + std::to_string(iterations) + "," + EncodeBase64(salt) + "," + EncodeBase64(AsText(keys.stored_key)) +
         "," + EncodeBase64(AsText(keys.server_key));
}

std::optional<bool> CheckPassword(Octets text, Octets password) {
  const auto verifier = ParseVerifier(text);
  if (!verifier) return {};
  if (EqualsNoCase(verifier->scheme, "PLAIN")) return SameSecret(Prepared(verifier->data), Prepared(password));
  if (!EqualsNoCase(verifier->scheme, "SCRAM-SHA-256")) return {};
  const auto keys = ParseScramSha256(text);
  if (!keys) return false;
  return SameSecret(AsText(DeriveScramKeys(Prepared(password), keys->salt, keys->iterations).stored_key),
                    AsText(keys->stored_key));
}

std::optional<std::string> Prepare(Octets text) {
  if (IsPlain(text)) return std::string(text);
  if (!IsUtf8(text) || text.find('\0') != Octets::npos) return {};
  std::string mapped;
  for (const char* at = text.data(); at < text.data() + text.size(); at = g_utf8_next_char(at)) {
    gunichar c = g_utf8_get_char(at);
    if (MapsToNothing(c)) continue;
    if (g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR) c = ' ';
    char octets[6];
    mapped.append(octets, static_cast<std::size_t>(g_unichar_to_utf8(c, octets)));
  }
  char* const normalised = g_utf8_normalize(mapped.data(), static_cast<gssize>(mapped.size()), G_NORMALIZE_NFKC);
  if (normalised == nullptr) return {};
  std::string out = normalised;
  g_free(normalised);
  for (const char* at = out.data(); at < out.data() + out.size(); at = g_utf8_next_char(at))
    if (IsProhibited(g_utf8_get_char(at))) return {};
  return out;
}

}  // namespace glasspost::sasl
