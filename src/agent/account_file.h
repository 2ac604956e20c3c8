// The accounts of a user, in a file that only that user may read: TOML, whole or not at all after a power loss. Who changes it
// holds the folder's lock meanwhile, so that two commands at once lose nothing of each other.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/account.h"
#include "base/error.h"

namespace glasspost::agent {

struct AccountLimits {
  static constexpr std::size_t kAccounts = 1000;                    // stops a file that is no list of accounts
  static constexpr std::size_t kFileOctets = std::size_t{1} << 20;  // as for all of TOML here
  static constexpr std::size_t kTextOctets = 4096;                  // of one value
};

// $XDG_CONFIG_HOME/glasspost/accounts.toml, otherwise below ~/.config; empty where neither is set.
std::string AccountsPath();

// Empty where there is no such file. Refused if others may read or write it, or it is another's. What is wrong in it is told with
// line and column.
Expected<std::vector<Account>> LoadAccounts(const std::string& path);
Expected<std::vector<Account>> ReadAccounts(Octets toml, const std::string& name);

// Under the lock: reads, lets `change` do it, writes. An error of `change` leaves the file as it was. The folder is made.
Expected<void> ChangeAccounts(const std::string& path, const std::function<Expected<void>(std::vector<Account>&)>& change);
std::string WriteAccounts(const std::vector<Account>& accounts);

// By address, case of the domain ignored; null: there is none.
const Account* FindAccount(const std::vector<Account>& accounts, Octets address);

}  // namespace glasspost::agent
