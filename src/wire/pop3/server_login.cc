// AUTHORIZATION: USER and PASS, APOP, AUTH (RFC 5034), STLS, CAPA, LANG.
#include "base/hmac.h"
#include "wire/pop3/apop.h"
#include "wire/pop3/server_session.h"
#include "wire/sasl/verifier.h"

namespace glasspost::pop3 {
namespace {

constexpr std::string_view kAuthCode = "AUTH";           // RFC 3206 §4
constexpr std::string_view kTemporaryCode = "SYS/TEMP";  // RFC 3206 §4
constexpr std::string_view kPermanentCode = "SYS/PERM";  // RFC 3206 §4
constexpr std::string_view kInUseCode = "IN-USE";        // RFC 2449 §8.1.1

}  // namespace

sasl::MechanismSet ServerSession::Mechanisms() const {
  return PasswordMayTravel() ? options_.mechanisms : options_.mechanisms.WithoutPasswords();
}

// Whether there is such an account is never said (RFC 1939 §13).
void ServerSession::User(Octets name) {
  if (!options_.user_pass) return Mistake(Text::kNotOffered);
  if (!PasswordMayTravel()) return Mistake(Text::kTlsFirst);
  user_.assign(name);
  Ok(Text::kSendPassword);
}

void ServerSession::Pass(Octets password) {
  if (!options_.user_pass) return Mistake(Text::kNotOffered);
  if (!PasswordMayTravel()) return Mistake(Text::kTlsFirst);
  if (user_.empty()) return Mistake(Text::kUserFirst);
  asked_ = Asked::kLogin;
  proven_ = true;
  handler_.CheckPassword(user_, password);
}

void ServerSession::Apop(Octets argument) {
  if (challenge_.empty()) return Mistake(Text::kNotOffered);
  const std::size_t space = argument.find_last_of(" \t");  // the digest has none, a name may
  if (space == Octets::npos) return Mistake(Text::kNeedsArgument);
  user_.assign(Trim(argument.substr(0, space)));
  digest_.assign(argument.substr(space + 1));
  asked_ = Asked::kVerifiers;
  handler_.FindVerifiers(user_);
}

void ServerSession::Auth(Octets argument) {
  if (argument.empty()) {  // not in RFC 5034, but known to clients: the mechanisms
    Ok(Text::kMechanisms);
    std::string names = sasl::NamesOf(Mechanisms());
    for (std::size_t at = 0; at < names.size();) {
      const std::size_t end = std::min(names.find(' ', at + 1), names.size());
      output_.append(names, at + 1, end - at - 1).append("\r\n");
      at = end;
    }
    output_ += ".\r\n";
    return;
  }
  const std::size_t space = argument.find_first_of(" \t");
  const sasl::Mechanism mechanism = sasl::ServerMechanism(argument.substr(0, space));
  if (!Mechanisms().Has(mechanism)) return Mistake(options_.mechanisms.Has(mechanism) ? Text::kTlsFirst : Text::kNoMechanism);
  std::optional<Octets> initial;
  if (space != Octets::npos) initial = Trim(argument.substr(space));
  sasl_ = std::make_unique<sasl::ServerExchange>(mechanism, options_.sasl, randomness_);
  AfterSasl(sasl_->Begin(initial));
}

void ServerSession::AfterSasl(sasl::ServerExchange::State state) {
  using enum sasl::ServerExchange::State;
  switch (state) {
    case kChallenge:
      output_.append("+ ").append(sasl_->challenge()).append("\r\n");
      return;
    case kAskPassword:
      asked_ = Asked::kLogin;
      proven_ = true;
      return handler_.CheckPassword(sasl_->user(), sasl_->password());
    case kAskVerifiers:
      asked_ = Asked::kVerifiers;
      return handler_.FindVerifiers(sasl_->user());
    case kAskWelcome:
      return AfterSasl(sasl_->Welcome(handler_.MayWelcome()));
    case kProven:
    case kRefused:
      asked_ = Asked::kLogin;
      proven_ = state == kProven;
      return handler_.Proven(sasl_->user(), proven_);
    case kCancelled:  // RFC 5034 §4
      return sasl_.reset(), Mistake(Text::kCancelled);
    case kMalformed:
      return sasl_.reset(), Mistake(Text::kBadAnswer);
  }
}

void ServerSession::VerifiersFound(std::span<const std::string> verifiers) {
  if (asked_ != Asked::kVerifiers) return;
  asked_ = Asked::kNothing;
  if (sasl_) return AfterSasl(sasl_->Verifiers(verifiers));
  proven_ = false;
  bool known = false;
  for (const std::string& text : verifiers) {
    const auto verifier = sasl::ParseVerifier(text);
    if (!verifier || !EqualsNoCase(verifier->scheme, "PLAIN")) continue;
    known = true;
    proven_ = proven_ || SameSecret(ApopDigest(challenge_, verifier->data), digest_);
  }
  // As much work where there is no account.
  if (!known) SameSecret(ApopDigest(challenge_, challenge_), digest_);
  digest_.clear();
  asked_ = Asked::kLogin;
  handler_.Proven(user_, proven_);
}

void ServerSession::LoginDecided(LoginOutcome outcome) {
  if (asked_ != Asked::kLogin) return;
  asked_ = Asked::kNothing;
  sasl_.reset();
  std::string().swap(user_);
  if (outcome == LoginOutcome::kAccepted && !proven_) outcome = LoginOutcome::kRefused;
  switch (outcome) {
    case LoginOutcome::kAccepted:
      asked_ = Asked::kMaildrop;
      return handler_.OpenMaildrop();
    case LoginOutcome::kTemporary:
      return Err(Text::kLoginLater, kTemporaryCode);
    case LoginOutcome::kPermanent:
      return Err(Text::kLoginDenied, kPermanentCode);
    case LoginOutcome::kRefused:
      break;
  }
  const bool enough = ++failed_logins_ >= options_.limits.failed_logins;
  Err(enough ? Text::kTooManyLogins : Text::kLoginFailed, kAuthCode);
  if (enough) Close();
}

void ServerSession::MaildropOpened(MaildropOutcome outcome, const MaildropView* view) {
  if (asked_ != Asked::kMaildrop) return;
  asked_ = Asked::kNothing;
  if (outcome == MaildropOutcome::kInUse) return Err(Text::kInUse, kInUseCode);
  if (outcome == MaildropOutcome::kPermanent) return Err(Text::kLoginDenied, kPermanentCode);
  if (outcome == MaildropOutcome::kTemporary || view == nullptr) return Err(Text::kLoginLater, kTemporaryCode);
  view_ = view;
  total_octets_ = 0;
  for (std::uint32_t i = 0; i < view->count(); ++i) total_octets_ += view->OctetsOf(i);
  state_ = State::kTransaction;
  std::string().swap(challenge_);
  Ok(Text::kLoggedIn);
}

// Until TlsStarted all input is dropped, so that nothing said before the handshake counts after it (RFC 2595 §4).
void ServerSession::Stls() {
  if (tls_) return Mistake(Text::kTlsAlready);
  if (!options_.stls || utf8_) return Mistake(Text::kNotOffered);  // not after UTF8 (RFC 6856 §2.1)
  Ok(Text::kBeginTls);
  end_ = End::kTls;
}

void ServerSession::TlsStarted() {
  if (end_ != End::kTls) return;
  end_ = End::kOpen;
  tls_ = true;
  lines_.Reset();
  skip_line_ = false;
  commands_ = 0;
  language_ = ReplyLanguage::kEnglish;  // what was agreed in the clear counts no more
}

void ServerSession::Capa() {
  Ok(Text::kCapabilities);
  output_ += "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n";
  output_.append("EXPIRE ").append(options_.expire).append("\r\n");
  if (state_ == State::kAuthorization) {
    if (options_.user_pass && PasswordMayTravel()) output_ += "USER\r\n";
    if (!Mechanisms().empty()) output_.append("SASL").append(sasl::NamesOf(Mechanisms())).append("\r\n");
    if (options_.stls && !tls_ && !utf8_) output_ += "STLS\r\n";
  }
  output_ += "UTF8 USER\r\nLANG\r\n";
  if (!options_.implementation.empty()) output_.append("IMPLEMENTATION ").append(options_.implementation).append("\r\n");
  output_ += ".\r\n";
}

// RFC 6856 §3: tags are matched by their beginning, "*" is the server's own choice.
void ServerSession::Lang(Octets tag) {
  if (tag.empty()) {
    Ok(Text::kLanguages);
    output_ += "en English\r\nzh 中文\r\n.\r\n";
    return;
  }
  const Octets primary = tag.substr(0, tag.find('-'));
  if (tag == "*" || EqualsNoCase(primary, "en")) {
    language_ = ReplyLanguage::kEnglish;
  } else if (EqualsNoCase(primary, "zh")) {
    language_ = ReplyLanguage::kChinese;
  } else {
    return Mistake(Text::kNoLanguage);
  }
  output_.append("+OK ").append(language_ == ReplyLanguage::kChinese ? "zh " : "en ");
  output_.append(TextOf(Text::kLanguageSet, language_)).append("\r\n");
}

}  // namespace glasspost::pop3
