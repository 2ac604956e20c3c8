// The server's side of an authentication (RFC 4422): PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-256 (RFC 5802,
// RFC 7677), the same for SMTP, POP3 and IMAP. It does no I/O and knows no accounts: it asks, and is told when the answer is
// there. Whether an account exists, or has what the mechanism needs, cannot be seen from outside: one that has not is led
// through the same dialogue with a salt of a keyed hash, and refused at its end.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "base/randomness.h"
#include "wire/sasl/sasl.h"
#include "wire/sasl/verifier.h"

namespace glasspost::sasl {

// Mechanisms that a server may offer.
class MechanismSet {
 public:
  constexpr MechanismSet() = default;
  constexpr MechanismSet(std::initializer_list<Mechanism> list) {
    for (const Mechanism m : list) Add(m);
  }
  constexpr void Add(Mechanism m) { bits_ |= Bit(m); }
  constexpr void Remove(Mechanism m) { bits_ = static_cast<std::uint16_t>(bits_ & ~Bit(m)); }
  constexpr bool Has(Mechanism m) const { return (bits_ & Bit(m)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  // Without those that hand the password to whoever listens.
  constexpr MechanismSet WithoutPasswords() const {
    MechanismSet set = *this;
    for (const Mechanism m : {Mechanism::kPlain, Mechanism::kLogin, Mechanism::kXoauth2, Mechanism::kOauthBearer}) set.Remove(m);
    return set;
  }

 private:
  static constexpr std::uint16_t Bit(Mechanism m) { return static_cast<std::uint16_t>(1u << static_cast<unsigned>(m)); }
  std::uint16_t bits_ = 0;
};

// " SCRAM-SHA-256 PLAIN LOGIN": the best first, a space before each, as EHLO's and CAPA's line want them.
std::string NamesOf(MechanismSet mechanisms);
// The mechanism of this name that a server here can do; kUnknown for any other (SCRAM-SHA-1 too).
Mechanism ServerMechanism(Octets name);

struct ServerOptions {
  std::string host = "localhost";  // in CRAM-MD5's challenge
  // Key of the hash that makes salts for accounts that are none. The same for as long as the accounts' salts are the same.
  std::string made_up_salt_key;
  // What is shown for them; the count that accounts are made with.
  unsigned scram_iterations = VerifierLimits::kLeastIterations;
};

struct ServerLimits {
  // Stops a name or a password from being as long as a line may be.
  static constexpr std::size_t kUserOctets = 512;
  static constexpr std::size_t kPasswordOctets = 1024;
  static constexpr std::size_t kNonceOctets = 256;  // of the client's part
};

// One authentication. The caller sends challenge(), feeds the client's lines, answers the questions. Lines and challenges are
// base64 without "334 ", "+ " and line end. Wipes what was secret when it ends.
class ServerExchange {
 public:
  enum class State : std::uint8_t {
    kChallenge,     // send challenge(); the client's next line is due
    kAskPassword,   // is password() the one of user()? → PasswordIs
    kAskVerifiers,  // what is stored for user()? → Verifiers
    kAskWelcome,    // the proof is good, and the client has not heard so yet: may it? → Welcome
    kProven,        // the client proved who it is; it is user() unless the caller has a reason to refuse
    kRefused,       // wrong password or no such account: nobody may say which
    kMalformed,     // no base64, or what the mechanism does not know
    kCancelled,     // "*"
  };

  // `options` and `randomness` outlive the exchange.
  ServerExchange(Mechanism mechanism, const ServerOptions& options, Randomness& randomness);
  ~ServerExchange();
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  // `initial`: the initial response in base64, "=" an empty one.
  State Begin(std::optional<Octets> initial);
  State OnLine(Octets line);
  // Answers to the questions. `verifiers`: all of the account, in Dovecot's notation; none if there is no such account.
  State PasswordIs(bool right);
  State Verifiers(std::span<const std::string> verifiers);
  // SCRAM's last word (RFC 5802 §5.1, "v=") would tell who guesses too often that he has guessed right. False: refused.
  State Welcome(bool may);

  State state() const { return state_; }
  Mechanism mechanism() const { return mechanism_; }
  const std::string& challenge() const { return challenge_; }
  const std::string& user() const { return user_; }
  const std::string& password() const { return password_; }

 private:
  enum class Due : std::uint8_t { kResponse, kUserName, kPassword, kClientFirst, kClientFinal, kServerSignatureSeen };

  State Challenge(Octets plain, Due next);
  State Plain(Octets message);
  State LoginName(Octets name);
  State LoginPassword(Octets password);
  State CramResponse(Octets message);
  State ScramFirst(Octets message);
  State ScramFinal(Octets message);
  State CramVerifiers(std::span<const std::string> verifiers);
  State ScramVerifiers(std::span<const std::string> verifiers);
  bool SetUser(Octets name);
  State Decoded(Octets message);

  const ServerOptions* options_;
  Randomness* randomness_;
  Mechanism mechanism_;
  State state_ = State::kMalformed;
  Due due_ = Due::kResponse;
  bool known_ = false;  // the account has what the mechanism needs
  std::string challenge_;
  std::string user_;
  std::string password_;
  std::string digest_;        // CRAM-MD5: what the client sent
  std::string timestamp_;     // CRAM-MD5: what it was to hash
  std::string nonce_;         // SCRAM: both parts
  std::string gs2_header_;    // SCRAM: what "c=" must repeat
  std::string auth_message_;  // SCRAM: its first two parts, later all
  ScramKeys keys_;
};

}  // namespace glasspost::sasl
