// Which account a command speaks for, and how: one of the file, or a server that was typed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/account.h"
#include "cli/agent_world.h"
#include "cli/command_line.h"
#include "cli/login_options.h"
#include "cli/shown_conversation.h"

namespace glasspost::cli {

// The options that `send` and `fetch` have in common.
struct AccountChoice : LoginOptions {
  std::string address;  // of the account; empty: the only one
  std::string server;   // "smtp://HOST:PORT" instead of the account's, or of no account
  std::string tls;
  bool show = false;
  bool show_secrets = false;
  bool full = false;
  std::string save;
  unsigned timeout = 60;  // seconds, of each wait

  void AddTo(CommandLine& line);
  // The account with what was typed put over it. An error says what is missing.
  Expected<agent::Account> Choose(agent::Service service, const CommandLine& line) const;
  // The password is read (or asked for) only if there is a user to log in as.
  Expected<std::optional<sasl::Credentials>> Login(const agent::Account& account, const CommandLine& line) const;
  Expected<std::unique_ptr<ShownConversation>> Show(Protocol protocol, const CommandLine& line) const;
  agent::TrialLimits limits() const;
};

}  // namespace glasspost::cli
