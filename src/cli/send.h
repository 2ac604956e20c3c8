// glasspost send: writes a message and submits it to a server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/account.h"
#include "agent/draft.h"
#include "cli/account_choice.h"
#include "cli/command_line.h"

namespace glasspost::cli {

// The words behind "send"; the exit status (see `glasspost help send`).
int RunSend(const std::vector<std::string>& words);

// What is sent, whichever way it came to be.
struct Outgoing {
  std::unique_ptr<agent::ComposedMessage> composed;
  std::string text;  // or whole
  std::vector<mime::Mailbox> recipients;
  std::string reverse_path;
  std::string message_id;
  std::uint64_t size = 0;
  bool eight_bit = false;
  bool utf8 = false;
};
Outgoing OutgoingOf(std::unique_ptr<agent::ComposedMessage> composed, const agent::Draft& draft,
                    std::vector<mime::Mailbox> recipients);

// Logs in and sends it, as `glasspost send` does, and tells what came of it; the exit status.
int SendOutgoing(const CommandLine& line, const AccountChoice& choice, agent::Account account, Outgoing message);

// All of a file, "-" for standard input; no more than `most` octets.
Expected<std::string> ReadAll(const std::string& file, std::size_t most);
// Of `option`'s values. The error names the one that is no address.
Expected<std::vector<mime::Mailbox>> Mailboxes(const std::vector<std::string>& texts, const char* option);

}  // namespace glasspost::cli
