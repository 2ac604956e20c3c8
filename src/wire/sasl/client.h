// The client's side of an authentication (RFC 4422): PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256 and XOAUTH2, the same for SMTP, POP3
// and IMAP. With SCRAM the server has to prove itself too: who says "235" without it is not believed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "base/randomness.h"
#include "wire/sasl/sasl.h"

namespace glasspost::sasl {

enum class ClientMechanism : std::uint8_t { kNone, kScramSha256, kCramMd5, kPlain, kLogin, kXoauth2 };
std::string_view Name(ClientMechanism mechanism);

struct Credentials {
  std::string user;
  std::string password;
  std::string token;                              // OAuth 2 access token; then `password` is not used
  ClientMechanism only = ClientMechanism::kNone;  // if it is set, this one or none
};

// The best of those that the server offers. Without `passwords_allowed` (no TLS) none that hands over the password or token.
ClientMechanism ChooseMechanism(std::span<const std::string> offered, const Credentials& credentials, bool passwords_allowed);

class ClientExchange {
 public:
  enum class Step : std::uint8_t {
    kRespond,    // send response()
    kImpostor,   // the server does not know what it should, or answers for another nonce: cancel and believe nothing
    kMalformed,  // cancel
  };
  // `credentials` and `randomness` outlive the exchange.
  ClientExchange(ClientMechanism mechanism, const Credentials& credentials, Randomness& randomness);
  ~ClientExchange();
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;

  // The initial response in base64; nothing where the server speaks first. Called once, first.
  std::optional<std::string> Initial();
  // The server's challenge in base64 without "334 " or "+ ".
  Step OnChallenge(Octets challenge);
  const std::string& response() const { return response_; }  // base64; "" for an empty one
  // The server says that all is well. False: it has not proven itself (SCRAM).
  bool Believes() const;
  ClientMechanism mechanism() const { return mechanism_; }

 private:
  enum class Due : std::uint8_t { kFirst, kSecond, kFinal, kDone };

  Step Respond(Octets plain, Due next);
  Step ScramFirst(Octets challenge);
  Step ScramFinal(Octets challenge);

  ClientMechanism mechanism_;
  const Credentials* credentials_;
  Randomness* randomness_;
  Due due_ = Due::kFirst;
  bool proven_ = false;
  std::string response_;
  std::string nonce_;
  std::string first_bare_;
  std::string server_signature_;
};

}  // namespace glasspost::sasl
