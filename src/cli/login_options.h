// The options by which one logs in, whatever is done then: `account`, `fetch`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "agent/account.h"
#include "base/error.h"

namespace glasspost::cli {

struct LoginOptions {
  std::string file;  // of accounts
  std::string user;
  std::string mechanism;
  std::string authorities;
  std::string name_server;
  std::string password_command;
  std::string password_variable;
  std::string password_file;
  bool no_verify = false;

  void AddLoginTo(CLI::App& app);
  // What was typed, put over what the account says.
  Expected<void> PutOver(agent::Account& account) const;
};

}  // namespace glasspost::cli
