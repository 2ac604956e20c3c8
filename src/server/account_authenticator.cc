#include "server/account_authenticator.h"

#include <memory>
#include <utility>

#include "base/ascii.h"

namespace glasspost::server {

LoginOffers OffersFor(const std::vector<std::string>& schemes, const AuthenticatorOptions& options) {
  LoginOffers offers;
  for (const std::string& scheme : schemes) {
    offers.user_pass = true;
    offers.mechanisms.Add(sasl::Mechanism::kPlain);
    offers.mechanisms.Add(sasl::Mechanism::kLogin);
    if (EqualsNoCase(scheme, "{SCRAM-SHA-256}")) offers.mechanisms.Add(sasl::Mechanism::kScram);
    if (!EqualsNoCase(scheme, "{PLAIN}")) continue;
    if (options.cram_md5) offers.mechanisms.Add(sasl::Mechanism::kCramMd5);
    offers.apop = options.apop;
  }
  return offers;
}

store::AddressName AccountNameOf(const std::string& user, const std::string& default_domain) {
  const std::size_t at = user.rfind('@');
  if (at == std::string::npos) {
    if (user.empty() || default_domain.empty()) return {};
    return {user, default_domain};
  }
  if (at == 0 || at + 1 == user.size()) return {};
  return {user.substr(0, at), user.substr(at + 1)};
}

AccountAuthenticator::AccountAuthenticator(store::Directory& directory, PasswordChecker& checker, const Clock& clock,
                                           AuthenticatorOptions options)
    : directory_(directory), checker_(checker), failed_(clock, options.limits) {
  options_ = std::make_shared<const AuthenticatorOptions>(std::move(options));
}

void AccountAuthenticator::SetOptions(AuthenticatorOptions options) {
  failed_.SetLimits(options.limits);
  options_ = std::make_shared<const AuthenticatorOptions>(std::move(options));
}

LoginResult AccountAuthenticator::Decide(PasswordChecker::Outcome outcome, const store::Account& account, const Address& from) {
  using enum PasswordChecker::Outcome;
  if (outcome == kBusy) return {.kind = LoginResult::Kind::kTryLater, .name = {}};
  const auto kind = NoteProof(from, outcome == kRight && account.id != 0);
  if (kind != LoginResult::Kind::kAccepted) return {.kind = kind, .name = {}};
  return {.kind = kind, .account = account.id, .name = account.name, .inbox = account.inbox};
}

void AccountAuthenticator::CheckPassword(std::string user, std::string password, Address from,
                                         std::move_only_function<void(LoginResult)> done) {
  store::AddressName name = AccountNameOf(user, options_.load()->default_domain);
  std::string text = name.Text();
  directory_.FindAccount(std::move(name), [this, text = std::move(text), password = std::move(password), from,
                                           done = std::move(done)](store::Result<store::Account> found) mutable {
    if (failed_.Blocked(from)) return done({.kind = LoginResult::Kind::kTooOften, .name = {}});
    if (!found && found.error().fault != store::Fault::kNotFound && found.error().fault != store::Fault::kInvalid)
      return done({.kind = LoginResult::Kind::kTryLater, .name = {}});
    // What both ways of answering need: at once, here on a thread of the store, or later.
    struct Login {
      store::Account account;
      std::move_only_function<void(LoginResult)> done;
    };
    auto login = std::make_shared<Login>(found ? std::move(*found) : store::Account{}, std::move(done));
    const auto outcome =
        checker_.Check(text, login->account.verifiers, std::move(password),
                       [this, from, login](PasswordChecker::Outcome later) { login->done(Decide(later, login->account, from)); });
    if (outcome) login->done(Decide(*outcome, login->account, from));
  });
}

void AccountAuthenticator::FindVerifiers(std::string user, Address from, std::move_only_function<void(FoundVerifiers)> done) {
  directory_.FindAccount(AccountNameOf(user, options_.load()->default_domain), [this, from, done = std::move(done)](
                                                                                   store::Result<store::Account> found) mutable {
    if (!found || failed_.Blocked(from)) return done({});
    done({.verifiers = std::move(found->verifiers), .account = found->id, .name = std::move(found->name), .inbox = found->inbox});
  });
}

// Also looks again whether the address is blocked: of many guesses at once it learns from no more than the limit.
LoginResult::Kind AccountAuthenticator::NoteProof(const Address& from, bool good) {
  if (failed_.Blocked(from)) return LoginResult::Kind::kTooOften;
  if (good) return LoginResult::Kind::kAccepted;
  failed_.Failed(from);
  return LoginResult::Kind::kRefused;
}

void AccountAuthenticator::FindOffers(std::move_only_function<void(store::Result<LoginOffers>)> done) {
  directory_.VerifierSchemes([this, done = std::move(done)](store::Result<std::vector<std::string>> schemes) mutable {
    if (!schemes) return done(std::unexpected(schemes.error()));
    done(OffersFor(*schemes, *options_.load()));
  });
}

}  // namespace glasspost::server
