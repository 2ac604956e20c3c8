// Who may log in: the accounts of the store and their verifiers, the same for SMTP and POP3.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/address.h"
#include "store/directory.h"

namespace glasspost::server {

struct LoginResult {
  enum class Kind : std::uint8_t {
    kAccepted,
    kRefused,   // wrong, or no such account: nobody may say which, and it takes as long
    kTryLater,  // too many wait for a slow hash, or the store failed
    kTooOften,  // too many failed from this address: not even looked at
  };
  Kind kind = Kind::kRefused;
  store::AccountId account = 0;  // kAccepted
  store::AddressName name;       // kAccepted: the account's
  store::MailboxId inbox = 0;    // kAccepted
};

// What was stored of the account that a user name means; no verifiers where there is none.
struct FoundVerifiers {
  std::vector<std::string> verifiers;
  store::AccountId account = 0;
  store::AddressName name;
  store::MailboxId inbox = 0;
};

// Any thread may call; completions come on any thread, never inside the call. A user name is an account's address, or its local
// part if one domain is served (or a default domain is configured).
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // `from`: the client, for the limit of failed logins an address.
  virtual void CheckPassword(std::string user, std::string password, Address from,
                             std::move_only_function<void(LoginResult)> done) = 0;
  virtual void FindVerifiers(std::string user, Address from, std::move_only_function<void(FoundVerifiers)> done) = 0;
  // Too many failed from this address lately.
  virtual bool Blocked(const Address& from) = 0;
  // A mechanism without a password ended: what becomes of it; counts a failure. Never kTryLater.
  virtual LoginResult::Kind NoteProof(const Address& from, bool good) = 0;
};

}  // namespace glasspost::server
