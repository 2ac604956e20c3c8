#include "wire/sasl/server.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"
#include "base/hmac.h"
#include "base/sha256.h"
#include "wire/sasl/scram.h"

namespace glasspost::sasl {
namespace {

struct Offer {
  Mechanism mechanism;
  std::string_view name;
};
// The best first.
constexpr std::array<Offer, 4> kOffers = {{{Mechanism::kScram, "SCRAM-SHA-256"},
                                           {Mechanism::kCramMd5, "CRAM-MD5"},
                                           {Mechanism::kPlain, "PLAIN"},
                                           {Mechanism::kLogin, "LOGIN"}}};

constexpr std::size_t kNonceRandomOctets = 18;
constexpr std::size_t kSaltOctets = 16;

}  // namespace

std::string NamesOf(MechanismSet mechanisms) {
  std::string names;
  for (const Offer& offer : kOffers)
    if (mechanisms.Has(offer.mechanism)) (names += ' ') += offer.name;
  return names;
}

Mechanism ServerMechanism(Octets name) {
  for (const Offer& offer : kOffers)
    if (EqualsNoCase(offer.name, name)) return offer.mechanism;
  return Mechanism::kUnknown;
}

ServerExchange::ServerExchange(Mechanism mechanism, const ServerOptions& options, Randomness& randomness)
    : options_(&options), randomness_(&randomness), mechanism_(mechanism) {}

ServerExchange::~ServerExchange() {
  Wipe(password_);
  Wipe(digest_);
}

ServerExchange::State ServerExchange::Challenge(Octets plain, Due next) {
  challenge_ = EncodeBase64(plain);
  due_ = next;
  return state_ = State::kChallenge;
}

ServerExchange::State ServerExchange::Begin(std::optional<Octets> initial) {
  if (mechanism_ == Mechanism::kCramMd5) {
    // RFC 4954 §4: here the server speaks first.
    if (initial) return state_ = State::kMalformed;
    timestamp_ = "<" + Hex(AsBytes(randomness_->Draw(16))) + "@" + options_->host + ">";
    return Challenge(timestamp_, Due::kResponse);
  }
  due_ = mechanism_ == Mechanism::kLogin ? Due::kUserName : mechanism_ == Mechanism::kScram ? Due::kClientFirst : Due::kResponse;
  if (initial) return OnLine(*initial == "=" ? Octets{} : *initial);
  return Challenge(mechanism_ == Mechanism::kLogin ? Octets("Username:") : Octets{}, due_);
}

ServerExchange::State ServerExchange::OnLine(Octets line) {
  if (line == "*") return state_ = State::kCancelled;
  std::string plain;
  if (!line.empty()) {
    auto decoded = DecodeBase64(line);
    if (!decoded) return state_ = State::kMalformed;
    plain = std::move(*decoded);
  }
  const State state = Decoded(plain);
  Wipe(plain);
  return state;
}

ServerExchange::State ServerExchange::Decoded(Octets message) {
  switch (due_) {
    case Due::kUserName:
      return LoginName(message);
    case Due::kPassword:
      return LoginPassword(message);
    case Due::kClientFirst:
      return ScramFirst(message);
    case Due::kClientFinal:
      return ScramFinal(message);
    case Due::kServerSignatureSeen:
      // RFC 4954 §4: the client has nothing to add to the server's last word.
      return state_ = message.empty() ? State::kProven : State::kMalformed;
    case Due::kResponse:
      return mechanism_ == Mechanism::kPlain ? Plain(message) : CramResponse(message);
  }
  return state_ = State::kMalformed;
}

bool ServerExchange::SetUser(Octets name) {
  if (name.empty() || name.size() > ServerLimits::kUserOctets) return false;
  auto prepared = Prepare(name);
  if (!prepared || prepared->empty()) return false;
  user_ = std::move(*prepared);
  return true;
}

// RFC 4616 §2: [authzid] NUL authcid NUL passwd
ServerExchange::State ServerExchange::Plain(Octets message) {
  const std::size_t first = message.find('\0');
  const std::size_t second = first == Octets::npos ? first : message.find('\0', first + 1);
  if (second == Octets::npos) return state_ = State::kMalformed;
  const Octets authorization = message.substr(0, first);
  const Octets password = message.substr(second + 1);
  if (!SetUser(message.substr(first + 1, second - first - 1))) return state_ = State::kMalformed;
  // Nobody may act for another.
  if (!authorization.empty() && Prepare(authorization) != user_) return state_ = State::kRefused;
  return LoginPassword(password);
}

ServerExchange::State ServerExchange::LoginName(Octets name) {
  if (!SetUser(name)) return state_ = State::kMalformed;
  return Challenge("Password:", Due::kPassword);
}

ServerExchange::State ServerExchange::LoginPassword(Octets password) {
  if (password.empty() || password.size() > ServerLimits::kPasswordOctets || password.find('\0') != Octets::npos)
    return state_ = State::kMalformed;
  auto prepared = Prepare(password);
  // What cannot be prepared may have been stored as it is, by an import.
  password_ = prepared ? std::move(*prepared) : std::string(password);
  return state_ = State::kAskPassword;
}

ServerExchange::State ServerExchange::PasswordIs(bool right) {
  Wipe(password_);
  return state_ = right ? State::kProven : State::kRefused;
}

// RFC 2195 §2: user name, space, 32 hex digits.
ServerExchange::State ServerExchange::CramResponse(Octets message) {
  const std::size_t space = message.rfind(' ');
  if (space == Octets::npos || message.size() - space != 33 || !SetUser(message.substr(0, space)))
    return state_ = State::kMalformed;
  digest_ = message.substr(space + 1);
  for (char& c : digest_) c = ToLower(c);
  return state_ = State::kAskVerifiers;
}

ServerExchange::State ServerExchange::Verifiers(std::span<const std::string> verifiers) {
  return mechanism_ == Mechanism::kCramMd5 ? CramVerifiers(verifiers) : ScramVerifiers(verifiers);
}

ServerExchange::State ServerExchange::CramVerifiers(std::span<const std::string> verifiers) {
  // Of no account the digest is made too, so that it takes as long.
  std::string password = options_->made_up_salt_key;
  for (const std::string& text : verifiers) {
    const auto verifier = ParseVerifier(text);
    if (known_ || !verifier || !EqualsNoCase(verifier->scheme, "PLAIN")) continue;
    password = verifier->data;
    known_ = true;
  }
  const bool same = SameSecret(Hex(HmacMd5(password, timestamp_)), digest_);
  Wipe(password);
  Wipe(digest_);
  return state_ = same && known_ ? State::kProven : State::kRefused;
}

// RFC 5802 §7: gs2-header client-first-message-bare
ServerExchange::State ServerExchange::ScramFirst(Octets message) {
  const auto first = scram::ParseClientFirst(message);
  if (!first || first->nonce.size() > ServerLimits::kNonceOctets) return state_ = State::kMalformed;
  if (!SetUser(first->user)) return state_ = State::kMalformed;
  if (!first->authorization.empty() && Prepare(first->authorization) != user_) return state_ = State::kRefused;
  gs2_header_ = first->gs2_header;
  auth_message_ = first->bare;
  nonce_ = std::string(first->nonce) + EncodeBase64(randomness_->Draw(kNonceRandomOctets));
  return state_ = State::kAskVerifiers;
}

ServerExchange::State ServerExchange::ScramVerifiers(std::span<const std::string> verifiers) {
  for (const std::string& text : verifiers) {
    auto keys = ParseScramSha256(text);
    if (known_ || !keys) continue;
    keys_ = std::move(*keys);
    known_ = true;
  }
  if (!known_) {
    const Digest256 salt = HmacSha256(options_->made_up_salt_key, user_);
    keys_.iterations = options_->scram_iterations;
    keys_.salt = AsOctets(salt).substr(0, kSaltOctets);
    // A proof for these keys cannot be made: nobody knows the key of their hash.
    keys_.stored_key = HmacSha256(options_->made_up_salt_key, "stored key" + user_);
    keys_.server_key = HmacSha256(options_->made_up_salt_key, "server key" + user_);
  }
  const std::string server_first = "r=" + nonce_ + ",s=" + EncodeBase64(keys_.salt) + ",i=" + std::to_string(keys_.iterations);
  (auth_message_ += ',') += server_first;
  return Challenge(server_first, Due::kClientFinal);
}

ServerExchange::State ServerExchange::ScramFinal(Octets message) {
  const auto final = scram::ParseClientFinal(message);
  if (!final || final->channel_binding != gs2_header_ || final->nonce != nonce_ || final->proof.size() != 32)
    return state_ = State::kMalformed;
  (auth_message_ += ',') += final->without_proof;
  const Digest256 client_signature = HmacSha256(AsOctets(keys_.stored_key), auth_message_);
  std::string client_key = final->proof;
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ client_signature[i]);
  const Digest256 stored = HashSha256(client_key);
  Wipe(client_key);
  const bool good = SameSecret(AsOctets(stored), AsOctets(keys_.stored_key)) && known_;
  return state_ = good ? State::kAskWelcome : State::kRefused;
}

ServerExchange::State ServerExchange::Welcome(bool may) {
  if (!may) return state_ = State::kRefused;
  const Digest256 server_signature = HmacSha256(AsOctets(keys_.server_key), auth_message_);
  return Challenge("v=" + EncodeBase64(AsOctets(server_signature)), Due::kServerSignatureSeen);
}

}  // namespace glasspost::sasl
