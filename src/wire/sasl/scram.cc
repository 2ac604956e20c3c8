#include "wire/sasl/scram.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "wire/sasl/verifier.h"

namespace glasspost::sasl::scram {
namespace {

// "x=value" at the front, up to the comma; nothing where another letter stands.
std::optional<Octets> Take(Octets& text, char letter) {
  if (text.size() < 2 || text[0] != letter || text[1] != '=') return {};
  const std::size_t comma = text.find(',');
  const Octets value = text.substr(2, comma == Octets::npos ? comma : comma - 2);
  text.remove_prefix(comma == Octets::npos ? text.size() : comma + 1);
  return value;
}

std::optional<std::string> DecodeName(Octets name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '=') {
      out += name[i];
      continue;
    }
    const Octets code = name.substr(i + 1, 2);
    if (code != "2C" && code != "3D") return {};
    out += code == "2C" ? ',' : '=';
    i += 2;
  }
  return out;
}

bool IsNonce(Octets nonce) {
  for (const char c : nonce)
    if (c < '!' || c > '~' || c == ',') return false;
  return !nonce.empty();
}

// RFC 5802 §5.1: extensions that are not known are passed over; "m=" is one that must be understood.
bool AreExtensions(Octets text) {
  while (!text.empty()) {
    if (text.size() < 2 || !IsAlpha(text[0]) || text[0] == 'm' || text[1] != '=') return false;
    const std::size_t comma = text.find(',');
    text.remove_prefix(comma == Octets::npos ? text.size() : comma + 1);
  }
  return true;
}

}  // namespace

std::optional<ClientFirst> ParseClientFirst(Octets message) {
  ClientFirst first;
  // "n": no channel binding; "y": the client could, and believes that the server cannot, which is so.
  if (!message.starts_with("n,") && !message.starts_with("y,")) return {};
  Octets rest = message.substr(2);
  if (rest.starts_with("a=")) {
    const auto name = DecodeName(*Take(rest, 'a'));
    if (!name || name->empty()) return {};
    first.authorization = *name;
  } else if (rest.starts_with(',')) {
    rest.remove_prefix(1);
  } else {
    return {};
  }
  first.gs2_header = message.substr(0, message.size() - rest.size());
  first.bare = rest;
  const auto user = Take(rest, 'n');
  const auto nonce = Take(rest, 'r');
  if (!user || !nonce || !IsNonce(*nonce) || !AreExtensions(rest)) return {};
  const auto name = DecodeName(*user);
  if (!name) return {};
  first.user = *name;
  first.nonce = *nonce;
  return first;
}

std::optional<ServerFirst> ParseServerFirst(Octets message) {
  Octets rest = message;
  const auto nonce = Take(rest, 'r');
  const auto salt = Take(rest, 's');
  const auto iterations = Take(rest, 'i');
  if (!nonce || !salt || !iterations || !IsNonce(*nonce) || !AreExtensions(rest)) return {};
  auto octets = DecodeBase64(*salt);
  const auto count = ParseNumber(*iterations);
  if (!octets || octets->empty() || octets->size() > VerifierLimits::kMostSaltOctets) return {};
  if (!count || *count == 0 || *count > VerifierLimits::kMostIterations) return {};
  return ServerFirst{*nonce, std::move(*octets), static_cast<unsigned>(*count)};
}

std::optional<ClientFinal> ParseClientFinal(Octets message) {
  ClientFinal final;
  const std::size_t at = message.rfind(",p=");
  if (at == Octets::npos) return {};
  final.without_proof = message.substr(0, at);
  Octets rest = final.without_proof;
  const auto binding = Take(rest, 'c');
  const auto nonce = Take(rest, 'r');
  if (!binding || !nonce || !AreExtensions(rest)) return {};
  auto header = DecodeBase64(*binding);
  auto proof = DecodeBase64(message.substr(at + 3));
  if (!header || !proof) return {};
  final.channel_binding = std::move(*header);
  final.nonce = *nonce;
  final.proof = std::move(*proof);
  return final;
}

std::optional<ServerFinal> ParseServerFinal(Octets message) {
  ServerFinal final;
  Octets rest = message;
  if (Take(rest, 'e')) {
    final.error = true;
    return final;
  }
  const auto signature = Take(rest, 'v');
  if (!signature) return {};
  auto octets = DecodeBase64(*signature);
  if (!octets || !AreExtensions(rest)) return {};
  final.signature = std::move(*octets);
  return final;
}

std::string EncodeName(Octets name) {
  std::string out;
  for (const char c : name) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace glasspost::sasl::scram
