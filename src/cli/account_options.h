// The options of `glasspost account`, and the account that they say.
#pragma once

#include <optional>
#include <string>

#include "agent/discovery.h"
#include "cli/command_line.h"
#include "cli/login_options.h"

namespace glasspost::cli {

struct AccountOptions : LoginOptions {
  std::string server[3];  // by Service, as typed
  std::string tls[3];
  std::string all_tls;
  std::string name;
  bool keyring = false;
  bool store_password = false;
  bool remove_fetched = false;
  bool no_test = false;
  bool clear_http = false;

  void AddTo(CommandLine& line);
  // Why they do not go together; empty: they do.
  std::string Contradiction(std::string_view action) const;
  // What was typed of the account: all but servers that are to be found. `servers` gets those that were typed.
  Expected<agent::Account> Typed(const std::string& address, agent::Discovery& servers) const;
  // The password stands in --password-file or is typed, and goes elsewhere.
  bool keeps_elsewhere() const { return keyring || store_password; }
};

}  // namespace glasspost::cli
