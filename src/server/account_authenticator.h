// Who may log in, by the accounts of the store: looks up the account, has its verifiers checked by the pool, and stops an address
// from which too many logins failed. What is answered, and when, is the same whether there is such an account or not.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "server/authenticator.h"
#include "server/failed_logins.h"
#include "server/password_checker.h"
#include "wire/sasl/server.h"

namespace glasspost::server {

struct AuthenticatorOptions {
  std::string default_domain;  // of user names without one; empty: such names are nobody's
  // {PLAIN} verifiers may be used for what needs the password itself.
  bool cram_md5 = false;
  bool apop = false;
  FailedLoginLimits limits;
};

// What is worth offering: some account can use it (APOP stands beside the mechanisms).
struct LoginOffers {
  sasl::MechanismSet mechanisms;
  bool user_pass = false;
  bool apop = false;
};
// `schemes`: "{ARGON2ID}" …, of all accounts.
LoginOffers OffersFor(const std::vector<std::string>& schemes, const AuthenticatorOptions& options);

// The account that a user name means: the part behind its last '@' is the domain. Both empty: none.
store::AddressName AccountNameOf(const std::string& user, const std::string& default_domain);

class AccountAuthenticator final : public Authenticator {
 public:
  // Directory, checker and clock outlive it, and have answered all that it asked of them before it is destroyed.
  AccountAuthenticator(store::Directory& directory, PasswordChecker& checker, const Clock& clock, AuthenticatorOptions options);

  void CheckPassword(std::string user, std::string password, Address from,
                     std::move_only_function<void(LoginResult)> done) override;
  void FindVerifiers(std::string user, Address from, std::move_only_function<void(FoundVerifiers)> done) override;
  bool Blocked(const Address& from) override { return failed_.Blocked(from); }
  LoginResult::Kind NoteProof(const Address& from, bool good) override;

  // For what is asked from now on. Any thread.
  void SetOptions(AuthenticatorOptions options);

  // What accounts can use now; to be asked for again whenever an account or its verifiers have changed.
  void FindOffers(std::move_only_function<void(store::Result<LoginOffers>)> done);

  std::size_t addresses_with_failures() const { return failed_.addresses(); }

 private:
  LoginResult Decide(PasswordChecker::Outcome outcome, const store::Account& account, const Address& from);

  store::Directory& directory_;
  PasswordChecker& checker_;
  std::atomic<std::shared_ptr<const AuthenticatorOptions>> options_;
  FailedLogins failed_;
};

}  // namespace glasspost::server
