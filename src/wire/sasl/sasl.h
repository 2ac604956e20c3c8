// SASL (RFC 4422) as a listener reads it: what each base64 step of SMTP's, POP3's and IMAP's authentication means, and what of it
// may be shown. User names, mechanisms and challenges are always told; passwords, tokens and everything that a password can be
// guessed from (digests, proofs) become Mask(), and their base64 with them. Mechanisms: PLAIN (RFC 4616), LOGIN, CRAM-MD5
// (RFC 2195), DIGEST-MD5 (RFC 2831), SCRAM (RFC 5802, RFC 7677), XOAUTH2, OAUTHBEARER (RFC 7628), NTLM, GSSAPI (RFC 4752),
// EXTERNAL, ANONYMOUS (RFC 4505). Of a mechanism that is not known, all that the client sends is taken for secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "base/redaction.h"
#include "wire/exchange.h"

namespace glasspost::sasl {

enum class Mechanism : std::uint8_t {
  kUnknown,
  kPlain,
  kLogin,
  kCramMd5,
  kDigestMd5,
  kScram,  // all hash functions, with and without -PLUS
  kXoauth2,
  kOauthBearer,
  kNtlm,
  kGssapi,  // GSSAPI, GSS-SPNEGO, GS2-KRB5
  kExternal,
  kAnonymous,
};
// Without regard to case.
Mechanism MechanismOf(Octets name);
// May `name`, which stands where a mechanism should, be told? A known one may, and what is written as the registry writes them
// (RFC 4422 §3.1: up to 20 capitals, digits, hyphens, underscores). Anything else may be a secret whose mechanism was forgotten.
bool IsMechanismName(Octets name);
// What LOGIN's servers ask with: "Username:", "Password:" and the like.
bool IsUsualPrompt(Octets prompt);
// Does the mechanism hand the password (or a bearer token) itself to whoever listens?
constexpr bool SendsPassword(Mechanism m) {
  return m == Mechanism::kPlain || m == Mechanism::kLogin || m == Mechanism::kXoauth2 || m == Mechanism::kOauthBearer;
}

// What one step says. The peer's octets, with secrets masked; not escaped.
struct SaslStep {
  SaslContent content = SaslContent::kNone;
  std::string shown_argument;  // takes the place of the base64 in the line: the text as it was, or Mask() of it
  std::string decoded;         // what it means: `user "alice", password *** (10 octets)`; empty where nothing was decoded
  void Clear() {
    content = SaslContent::kNone;
    shown_argument.clear(), decoded.clear();
  }
};

// One conversation's authentication, step by step. Fed with the texts of the lines (without verb, "334 ", "+ " and line end).
// `length`: how long the text really was where only its beginning is given (a line over the limit); such a text from the client
// is taken for secret.
class SaslObserver {
 public:
  // `secrets`: where what was secret is remembered; outlives the observer. May be null.
  explicit SaslObserver(bool show_secrets = false, Secrets* secrets = nullptr) : show_secrets_(show_secrets), secrets_(secrets) {}

  static constexpr std::size_t kWhole = static_cast<std::size_t>(-1);
  // The command: `initial` is the initial response, "=" an empty one (RFC 4954 §4); its step is filled in.
  void Begin(Octets mechanism, std::optional<Octets> initial, SaslStep& step, std::size_t length = kWhole);
  void OnChallenge(Octets text, SaslStep& step, std::size_t length = kWhole);
  void OnResponse(Octets text, SaslStep& step, std::size_t length = kWhole);
  // The server's verdict; the exchange is over.
  void OnOutcome(bool ok);
  // Steps may be missing: what is not told by the server's last prompt is secret.
  void OnGap();
  // Forgets everything.
  void Reset();

  bool active() const { return active_; }
  bool ok() const { return ok_; }
  Mechanism mechanism() const { return mechanism_; }
  // Upper case, as the client wrote it otherwise.
  const std::string& mechanism_name() const { return name_; }
  // Empty while unknown.
  const std::string& user_name() const { return user_; }
  bool cleartext_password() const { return SendsPassword(mechanism_); }
  // The password or token itself has been seen.
  bool password_seen() const { return password_seen_; }

 private:
  void Answer(Octets text, SaslStep& step, std::size_t length);
  void Meaning(Octets plain, SaslStep& step, bool& secret);
  void Plain(Octets plain, SaslStep& step);
  void Login(Octets plain, SaslStep& step, bool& secret);
  void CramMd5(Octets plain, SaslStep& step);
  void DigestMd5(Octets plain, SaslStep& step, bool& secret);
  void Scram(Octets plain, SaslStep& step, bool& secret);
  void OAuth(Octets plain, SaslStep& step, bool& secret);
  void Ntlm(Octets plain, SaslStep& step, bool& secret);
  void WholeSecret(Octets plain, std::string_view word, SaslStep& step);
  SaslContent SecretContent() const;
  void LearnLogin(Octets prompt);
  SaslContent ChallengeContent(Octets plain);
  // `name "value"`, or `name *** (N octets)` for a secret.
  void Say(SaslStep& step, std::string_view word, Octets value) const;
  void SaySecret(SaslStep& step, std::string_view word, Octets value) const;
  void SetUser(Octets name);
  // As Say, but a name that is known to be a secret was meant as one.
  void SayUser(SaslStep& step) const;
  void RememberSent(Octets text, bool understood, bool whole) const;

  enum class Prompt : std::uint8_t { kNone, kUser, kPassword };

  bool show_secrets_;
  Secrets* secrets_;
  bool active_ = false;
  bool ok_ = false;
  bool password_seen_ = false;
  bool after_gap_ = false;
  Mechanism mechanism_ = Mechanism::kUnknown;
  Prompt prompt_ = Prompt::kNone;  // LOGIN: what the server asked for last
  unsigned answers_ = 0;           // responses so far
  std::string name_;
  std::string user_;
};

}  // namespace glasspost::sasl
