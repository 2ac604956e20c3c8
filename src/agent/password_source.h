// Where an account's password comes from when it is needed: a command, the environment, a file, the desktop's keyring, the
// account's own entry. What is typed is asked for by who has the terminal.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "agent/account.h"
#include "base/error.h"

namespace glasspost::agent {

struct PasswordLimits {
  static constexpr std::size_t kOctets = 4096;       // stops a command or file that gives no password
  static constexpr std::chrono::seconds kTime{120};  // a keyring may ask somebody to unlock it
};

// `ask`: for PasswordSource::kAsk. Blocks. An error names the source, never what it gave.
Expected<std::string> ReadPassword(const Account& account, const std::function<Expected<std::string>()>& ask,
                                   std::chrono::milliseconds patience = PasswordLimits::kTime);

// Keeps it in the desktop's keyring, or takes it out there.
Expected<void> KeepInKeyring(const Account& account, const std::string& password);
Expected<void> DropFromKeyring(const Account& account);

}  // namespace glasspost::agent
