#include "wire/sasl/sasl.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/redaction.h"
#include "wire/sasl/ntlm.h"

namespace glasspost::sasl {
namespace {

struct Named {
  std::string_view name;
  Mechanism mechanism;
};
constexpr Named kMechanisms[] = {
    {"PLAIN", Mechanism::kPlain},       {"LOGIN", Mechanism::kLogin},
    {"CRAM-MD5", Mechanism::kCramMd5},  {"DIGEST-MD5", Mechanism::kDigestMd5},
    {"XOAUTH2", Mechanism::kXoauth2},   {"OAUTHBEARER", Mechanism::kOauthBearer},
    {"NTLM", Mechanism::kNtlm},         {"GSSAPI", Mechanism::kGssapi},
    {"GSS-SPNEGO", Mechanism::kGssapi}, {"GS2-KRB5", Mechanism::kGssapi},
    {"EXTERNAL", Mechanism::kExternal}, {"ANONYMOUS", Mechanism::kAnonymous},
};

constexpr char kSeparator = '\x01';  // of XOAUTH2 and OAUTHBEARER

bool ContainsNoCase(Octets text, Octets word) {
  for (std::size_t i = 0; i + word.size() <= text.size(); ++i)
    if (EqualsNoCase(text.substr(i, word.size()), word)) return true;
  return false;
}

// The next piece up to `separator`, taken off the front of `rest`.
Octets TakeUntil(Octets& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const Octets piece = rest.substr(0, at);
  rest = at == Octets::npos ? Octets{} : rest.substr(at + 1);
  return piece;
}

// RFC 5802 §5.1: "=2C" is a comma and "=3D" an equals sign.
std::string SaslName(Octets text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Octets three = text.substr(i, 3);
    if (three == "=2C") {
      out.push_back(','), i += 2;
    } else if (three == "=3D") {
      out.push_back('='), i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct Directive {
  Octets key;
  Octets value;  // without quotes
};

// RFC 2831 §7.1: `key=value` or `key="value"`, by commas. Escapes inside of quotes are left as they stand.
bool TakeDirective(Octets& rest, Directive& out) {
  while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ')) rest.remove_prefix(1);
  const std::size_t equals = rest.find('=');
  if (equals == Octets::npos) return false;
  out.key = Trim(rest.substr(0, equals));
  rest.remove_prefix(equals + 1);
  if (rest.empty() || rest.front() != '"') {
    out.value = Trim(TakeUntil(rest, ','));
    return true;
  }
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size()) return false;
  out.value = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return true;
}

}  // namespace

Mechanism MechanismOf(Octets name) {
  for (const Named& n : kMechanisms)
    if (EqualsNoCase(n.name, name)) return n.mechanism;
  return StartsWithNoCase(name, "SCRAM-") ? Mechanism::kScram : Mechanism::kUnknown;
}

bool IsMechanismName(Octets name) {
  if (MechanismOf(name) != Mechanism::kUnknown) return true;
  const auto usual = [](char c) { return (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= 20 && std::ranges::all_of(name, usual);
}

bool IsUsualPrompt(Octets prompt) {
  while (!prompt.empty() && (prompt.back() == ':' || prompt.back() == ' ' || prompt.back() == '\0')) prompt.remove_suffix(1);
  for (const Octets usual : {"Username", "User Name", "User", "Password"})
    if (EqualsNoCase(prompt, usual)) return true;
  return false;
}

void SaslObserver::Reset() {
  active_ = ok_ = password_seen_ = after_gap_ = false;
  mechanism_ = Mechanism::kUnknown;
  prompt_ = Prompt::kNone;
  answers_ = 0;
  name_.clear(), user_.clear();
}

void SaslObserver::Begin(Octets mechanism, std::optional<Octets> initial, SaslStep& step, std::size_t length) {
  Reset();
  step.Clear();
  active_ = true;
  name_ = UpperCase(mechanism);
  mechanism_ = MechanismOf(name_);
  if (initial) Answer(*initial, step, length);
}

void SaslObserver::OnOutcome(bool ok) {
  active_ = false;
  ok_ = ok;
}

void SaslObserver::OnGap() {
  after_gap_ = true;
  prompt_ = Prompt::kNone;
}

void SaslObserver::OnChallenge(Octets text, SaslStep& step, std::size_t length) {
  step.Clear();
  step.shown_argument.assign(text);
  prompt_ = Prompt::kNone;
  if (text.empty() || text == "=") {
    step.content = SaslContent::kEmpty;
    return;
  }
  step.content = SaslContent::kChallenge;
  if (length != kWhole && length != text.size()) return;
  const auto plain = DecodeBase64(text);
  if (!plain) return;
  const Octets p = *plain;
  LearnLogin(p);
  step.content = ChallengeContent(p);
  const auto mask_value = [&](std::string_view word, std::size_t prefix) {
    SaySecret(step, word, p.substr(prefix));
    if (!show_secrets_) step.shown_argument = Mask(text);
  };
  if (const auto ntlm = ParseNtlm(p)) {
    Say(step, "target", ntlm->domain);
    step.decoded += ", challenge " + std::to_string(ntlm->server_challenge.size()) + " octets";
  } else if (mechanism_ == Mechanism::kScram && p.starts_with("v=")) {
    mask_value("server signature", 2);
  } else if (mechanism_ == Mechanism::kDigestMd5 && p.starts_with("rspauth=")) {
    mask_value("server's proof", 8);
  } else if (mechanism_ == Mechanism::kGssapi) {
    step.decoded = "token of " + std::to_string(p.size()) + " octets";
  } else {
    step.decoded = p;
  }
}

// What only LOGIN asks, where the mechanism's name is lost. Which step it is, the prompts say.
void SaslObserver::LearnLogin(Octets prompt) {
  if (mechanism_ != Mechanism::kUnknown || !name_.empty() || !IsUsualPrompt(prompt)) return;
  mechanism_ = Mechanism::kLogin;
  name_ = "LOGIN";
  active_ = after_gap_ = true;
}

SaslContent SaslObserver::ChallengeContent(Octets plain) {
  switch (mechanism_) {
    case Mechanism::kLogin:
      if (ContainsNoCase(plain, "pass"))
        prompt_ = Prompt::kPassword;
      else if (ContainsNoCase(plain, "user") || ContainsNoCase(plain, "name") || ContainsNoCase(plain, "login"))
        prompt_ = Prompt::kUser;
      else if (!after_gap_)
        prompt_ = answers_ == 0 ? Prompt::kUser : Prompt::kPassword;
      return prompt_ == Prompt::kUser       ? SaslContent::kUserPrompt
             : prompt_ == Prompt::kPassword ? SaslContent::kPasswordPrompt
                                            : SaslContent::kChallenge;
    case Mechanism::kXoauth2:
    case Mechanism::kOauthBearer:
      return SaslContent::kOutcome;
    case Mechanism::kScram:
      return plain.starts_with("v=") || plain.starts_with("e=") ? SaslContent::kOutcome : SaslContent::kChallenge;
    case Mechanism::kDigestMd5:
      return plain.starts_with("rspauth=") ? SaslContent::kOutcome : SaslContent::kChallenge;
    default:
      return SaslContent::kChallenge;
  }
}

void SaslObserver::OnResponse(Octets text, SaslStep& step, std::size_t length) {
  step.Clear();
  Answer(text, step, length);
}

void SaslObserver::Answer(Octets text, SaslStep& step, std::size_t length) {
  const bool whole = length == kWhole || length == text.size();
  if (whole && text == "*") {
    step.content = SaslContent::kCancel;
    step.shown_argument = "*";
    return;
  }
  if (whole && (text.empty() || text == "=")) {
    ++answers_;  // LOGIN: an empty user name is one too, what follows it is the password
    step.content = SaslContent::kEmpty;
    step.shown_argument.assign(text);
    return;
  }
  bool secret = true;
  const auto plain = whole ? DecodeBase64(text) : std::nullopt;
  const bool known = secrets_ != nullptr && plain && secrets_->Knows(*plain);
  if (plain) {
    Meaning(*plain, step, secret);
  } else {
    step.content = SecretContent();
    password_seen_ |= cleartext_password();
  }
  ++answers_;
  if ((!secret && !known) || show_secrets_) return step.shown_argument.assign(text), void();
  step.shown_argument = Mask(whole ? text.size() : length);
  RememberSent(text, plain && mechanism_ != Mechanism::kUnknown, length == kWhole);
}

// `understood`: the secrets in it are remembered already.
void SaslObserver::RememberSent(Octets text, bool understood, bool whole) const {
  if (secrets_ == nullptr) return;
  if (understood)
    secrets_->RememberBase64(text, whole);
  else
    secrets_->RememberText(text, whole);
}

void SaslObserver::SetUser(Octets name) {
  user_.assign(name);
  if (secrets_ != nullptr && !secrets_->Knows(name)) secrets_->SetUser(name);
}

void SaslObserver::SayUser(SaslStep& step) const {
  if (secrets_ != nullptr && secrets_->Knows(user_)) return SaySecret(step, "user", user_);
  Say(step, "user", user_);
}

SaslContent SaslObserver::SecretContent() const {
  switch (mechanism_) {
    case Mechanism::kPlain:
      return SaslContent::kCredentials;
    case Mechanism::kLogin:
      return SaslContent::kPassword;
    case Mechanism::kXoauth2:
    case Mechanism::kOauthBearer:
      return SaslContent::kToken;
    case Mechanism::kUnknown:
      return SaslContent::kUnknownAnswer;
    default:
      return SaslContent::kDigest;
  }
}

void SaslObserver::Meaning(Octets plain, SaslStep& step, bool& secret) {
  step.content = SecretContent();
  switch (mechanism_) {
    case Mechanism::kPlain:
      return Plain(plain, step);
    case Mechanism::kLogin:
      return Login(plain, step, secret);
    case Mechanism::kCramMd5:
      return CramMd5(plain, step);
    case Mechanism::kDigestMd5:
      return DigestMd5(plain, step, secret);
    case Mechanism::kScram:
      return Scram(plain, step, secret);
    case Mechanism::kXoauth2:
    case Mechanism::kOauthBearer:
      return OAuth(plain, step, secret);
    case Mechanism::kNtlm:
    case Mechanism::kGssapi:
      return Ntlm(plain, step, secret);
    case Mechanism::kExternal:
      step.content = SaslContent::kUserName;
      secret = false;
      SetUser(plain);
      return SayUser(step);
    case Mechanism::kAnonymous:
      step.content = SaslContent::kUserName;
      secret = false;
      return Say(step, "trace", plain);
    case Mechanism::kUnknown:
      return WholeSecret(plain, "answer", step);
  }
}

void SaslObserver::Plain(Octets plain, SaslStep& step) {
  password_seen_ = true;
  Octets rest = plain;
  const std::size_t first = rest.find('\0');
  const std::size_t second = first == Octets::npos ? first : rest.find('\0', first + 1);
  if (second == Octets::npos) return WholeSecret(plain, "credentials", step);
  const Octets acting = rest.substr(0, first);
  const Octets user = rest.substr(first + 1, second - first - 1);
  SetUser(user);
  SayUser(step);
  if (!acting.empty() && acting != user) Say(step, "acting for", acting);
  SaySecret(step, "password", rest.substr(second + 1));
}

// The order is fixed (first the user name, then the password); the server's prompt can only make an answer more secret.
void SaslObserver::Login(Octets plain, SaslStep& step, bool& secret) {
  const bool is_user = after_gap_ ? prompt_ == Prompt::kUser && user_.empty() : answers_ == 0 && prompt_ != Prompt::kPassword;
  if (is_user) {
    step.content = SaslContent::kUserName;
    secret = false;
    SetUser(plain);
    return SayUser(step);
  }
  password_seen_ = true;
  SaySecret(step, "password", plain);
}

void SaslObserver::CramMd5(Octets plain, SaslStep& step) {
  const std::size_t space = plain.rfind(' ');
  if (space == Octets::npos) return WholeSecret(plain, "digest", step);
  SetUser(plain.substr(0, space));
  SayUser(step);
  SaySecret(step, "digest", plain.substr(space + 1));
}

void SaslObserver::DigestMd5(Octets plain, SaslStep& step, bool& secret) {
  static constexpr std::string_view kShown[] = {"realm", "nonce", "cnonce", "nc", "qop", "digest-uri", "charset", "authzid"};
  Octets rest = plain;
  Directive d;
  bool any = false;
  secret = true;
  while (TakeDirective(rest, d)) {
    any = true;
    if (EqualsNoCase(d.key, "username")) {
      SetUser(d.value);
      SayUser(step);
      continue;
    }
    std::string_view shown;
    for (const std::string_view k : kShown)
      if (EqualsNoCase(d.key, k)) shown = k;
    if (!shown.empty())
      Say(step, shown, d.value);
    else
      SaySecret(step, EqualsNoCase(d.key, "response") ? "digest" : "value", d.value);
  }
  if (!any) WholeSecret(plain, "digest", step);
}

void SaslObserver::Scram(Octets plain, SaslStep& step, bool& secret) {
  // The client's first message begins with the GS2 header, the final one with the channel binding (RFC 5802 §7).
  const bool first = plain.starts_with("n,") || plain.starts_with("y,") || plain.starts_with("p=");
  if (!first && !plain.starts_with("c=")) return WholeSecret(plain, "proof", step);
  Octets rest = plain;
  if (first) {
    const Octets binding = TakeUntil(rest, ',');
    const Octets acting = TakeUntil(rest, ',');
    if (binding.starts_with("p=")) Say(step, "channel binding", binding.substr(2));
    if (acting.starts_with("a=")) Say(step, "acting for", SaslName(acting.substr(2)));
    secret = false;
  }
  while (!rest.empty()) {
    const Octets attribute = TakeUntil(rest, ',');
    const Octets key = attribute.substr(0, 2);
    const Octets value = attribute.substr(key.size());
    if (key == "n=" && first) {
      SetUser(SaslName(value));
      SayUser(step);
    } else if (key == "r=") {
      Say(step, "nonce", value);
    } else if (key == "c=" && !first) {
      Say(step, "channel binding", value);
    } else {
      secret = true;
      SaySecret(step, key == "p=" ? "proof" : "value", key == "p=" ? value : attribute);
    }
  }
}

void SaslObserver::OAuth(Octets plain, SaslStep& step, bool& secret) {
  if (plain == Octets(&kSeparator, 1)) {  // the answer to an error (RFC 7628 §3.2.3)
    step.content = SaslContent::kEmpty;
    secret = false;
    return;
  }
  password_seen_ = true;  // also where no token can be told apart: it is what this message is for
  Octets rest = plain;
  bool any = false;
  const auto user = [&](Octets name) {
    any = true;
    SetUser(SaslName(name));
    SayUser(step);
  };
  while (!rest.empty()) {
    Octets pair = TakeUntil(rest, kSeparator);
    if (pair.empty()) continue;
    if (pair.starts_with("n,") || pair.starts_with("y,") || pair.starts_with("p=")) {
      TakeUntil(pair, ',');
      const Octets acting = TakeUntil(pair, ',');
      if (acting.starts_with("a=")) user(acting.substr(2));
    } else if (StartsWithNoCase(pair, "user=")) {
      user(pair.substr(5));
    } else if (StartsWithNoCase(pair, "host=") || StartsWithNoCase(pair, "port=")) {
      any = true;
      Say(step, pair.starts_with('h') || pair.starts_with('H') ? "host" : "port", pair.substr(5));
    } else if (StartsWithNoCase(pair, "auth=")) {
      any = true;
      pair.remove_prefix(5);
      if (StartsWithNoCase(pair, "Bearer ")) pair.remove_prefix(7);
      SaySecret(step, "token", pair);
    } else {
      SaySecret(step, "value", pair);
    }
  }
  if (any) return;
  step.decoded.clear();
  WholeSecret(plain, "token", step);
}

void SaslObserver::Ntlm(Octets plain, SaslStep& step, bool& secret) {
  const auto m = ParseNtlm(plain);
  if (!m || m->type == 2) return WholeSecret(plain, "token", step);
  if (!m->user.empty()) {
    SetUser(m->user);
    SayUser(step);
  }
  if (!m->domain.empty()) Say(step, "domain", m->domain);
  if (!m->workstation.empty()) Say(step, "workstation", m->workstation);
  if (m->type == 1) {
    secret = false;
    if (step.decoded.empty()) step.decoded = "NTLM negotiation";
    return;
  }
  if (!step.decoded.empty()) step.decoded += ", ";
  step.decoded += "response " + Mask(m->lm_response + m->nt_response);
}

void SaslObserver::WholeSecret(Octets plain, std::string_view word, SaslStep& step) { SaySecret(step, word, plain); }

void SaslObserver::Say(SaslStep& step, std::string_view word, Octets value) const {
  if (!step.decoded.empty()) step.decoded += ", ";
  step.decoded.append(word).append(" \"").append(value).append("\"");
}

void SaslObserver::SaySecret(SaslStep& step, std::string_view word, Octets value) const {
  if (show_secrets_) return Say(step, word, value);
  if (secrets_ != nullptr) secrets_->Remember(value);
  if (!step.decoded.empty()) step.decoded += ", ";
  step.decoded.append(word).append(" ").append(Mask(value));
}

}  // namespace glasspost::sasl
