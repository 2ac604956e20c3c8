#include "wire/sasl/client.h"

#include <algorithm>

#include "base/base64.h"
#include "base/hmac.h"
#include "base/sha256.h"
#include "wire/sasl/scram.h"
#include "wire/sasl/verifier.h"

namespace glasspost::sasl {
namespace {

constexpr std::size_t kNonceRandomOctets = 18;
constexpr std::string_view kNames[] = {"", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2"};

std::string Prepared(const std::string& text) { return Prepare(text).value_or(text); }

}  // namespace

std::string_view Name(ClientMechanism mechanism) { return kNames[static_cast<std::size_t>(mechanism)]; }

ClientMechanism ChooseMechanism(std::span<const std::string> offered, const Credentials& credentials, bool passwords_allowed) {
  const auto has = [&](ClientMechanism m) { return std::find(offered.begin(), offered.end(), Name(m)) != offered.end(); };
  if (credentials.only != ClientMechanism::kNone) {
    const bool hashed = credentials.only == ClientMechanism::kScramSha256 || credentials.only == ClientMechanism::kCramMd5;
    return has(credentials.only) && (hashed || passwords_allowed) ? credentials.only : ClientMechanism::kNone;
  }
  if (!credentials.token.empty())
    return passwords_allowed && has(ClientMechanism::kXoauth2) ? ClientMechanism::kXoauth2 : ClientMechanism::kNone;
  if (has(ClientMechanism::kScramSha256)) return ClientMechanism::kScramSha256;
  // With TLS the password itself is safer than a digest that a false server could guess it from, and more servers know it.
  for (const ClientMechanism m : {ClientMechanism::kPlain, ClientMechanism::kLogin})
    if (passwords_allowed && has(m)) return m;
  return has(ClientMechanism::kCramMd5) ? ClientMechanism::kCramMd5 : ClientMechanism::kNone;
}

ClientExchange::ClientExchange(ClientMechanism mechanism, const Credentials& credentials, Randomness& randomness)
    : mechanism_(mechanism), credentials_(&credentials), randomness_(&randomness) {}

ClientExchange::~ClientExchange() { Wipe(response_); }

std::optional<std::string> ClientExchange::Initial() {
  switch (mechanism_) {
    case ClientMechanism::kPlain:
      Respond(std::string(1, '\0') + Prepared(credentials_->user) + std::string(1, '\0') + Prepared(credentials_->password),
              Due::kDone);
      return response_;
    case ClientMechanism::kXoauth2:
      Respond("user=" + credentials_->user + "\1auth=Bearer " + credentials_->token + "\1\1", Due::kFinal);
      return response_;
    case ClientMechanism::kScramSha256:
      nonce_ = EncodeBase64(randomness_->Draw(kNonceRandomOctets));
      first_bare_ = "n=" + scram::EncodeName(Prepared(credentials_->user)) + ",r=" + nonce_;
      Respond("n,," + first_bare_, Due::kFirst);
      return response_;
    default:
      return {};
  }
}

ClientExchange::Step ClientExchange::Respond(Octets plain, Due next) {
  response_ = EncodeBase64(plain);
  due_ = next;
  return Step::kRespond;
}

ClientExchange::Step ClientExchange::OnChallenge(Octets challenge) {
  const auto plain = challenge.empty() ? std::optional<std::string>(std::string()) : DecodeBase64(challenge);
  if (due_ == Due::kDone) return Step::kMalformed;
  switch (mechanism_) {
    case ClientMechanism::kLogin:
      // What the prompts say differs from server to server; their order does not.
      if (due_ == Due::kFirst) return Respond(credentials_->user, Due::kSecond);
      return Respond(credentials_->password, Due::kDone);
    case ClientMechanism::kCramMd5:
      if (!plain || plain->empty()) return Step::kMalformed;
      return Respond(credentials_->user + " " + Hex(HmacMd5(credentials_->password, *plain)), Due::kDone);
    case ClientMechanism::kXoauth2:
      // What was wrong, in JSON; an empty answer brings the reply.
      return Respond({}, Due::kDone);
    case ClientMechanism::kScramSha256:
      if (!plain) return Step::kMalformed;
      return due_ == Due::kFirst ? ScramFirst(*plain) : ScramFinal(*plain);
    default:
      return Step::kMalformed;
  }
}

ClientExchange::Step ClientExchange::ScramFirst(Octets challenge) {
  const auto first = scram::ParseServerFirst(challenge);
  if (!first || first->iterations < VerifierLimits::kLeastIterations) return Step::kMalformed;
  // RFC 5802 §5.1: it begins with ours, and is longer.
  if (!first->nonce.starts_with(nonce_) || first->nonce.size() == nonce_.size()) return Step::kImpostor;
  std::string final = "c=biws,r=" + std::string(first->nonce);
  const std::string auth_message = first_bare_ + "," + std::string(challenge) + "," + final;
  const Digest256 salted = Pbkdf2Sha256(Prepared(credentials_->password), first->salt, first->iterations);
  const Digest256 client_key = HmacSha256(AsOctets(salted), "Client Key");
  const Digest256 signature = HmacSha256(AsOctets(HashSha256(AsOctets(client_key))), auth_message);
  std::string proof(AsOctets(client_key));
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  const Digest256 server_key = HmacSha256(AsOctets(salted), "Server Key");
  server_signature_ = AsOctets(HmacSha256(AsOctets(server_key), auth_message));
  final += ",p=" + EncodeBase64(proof);
  return Respond(final, Due::kFinal);
}

ClientExchange::Step ClientExchange::ScramFinal(Octets challenge) {
  const auto final = scram::ParseServerFinal(challenge);
  if (!final) return Step::kMalformed;
  // An error it may say: the refusal follows.
  if (!final->error && !SameSecret(final->signature, server_signature_)) return Step::kImpostor;
  proven_ = !final->error;
  return Respond({}, Due::kDone);
}

bool ClientExchange::Believes() const { return mechanism_ != ClientMechanism::kScramSha256 || proven_; }

}  // namespace glasspost::sasl
