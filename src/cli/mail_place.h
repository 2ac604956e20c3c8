// Where `glasspost mail` finds messages: a folder of this machine, or the POP3 maildrop of an account or a server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/mail_source.h"
#include "cli/mail_options.h"
#include "wire/mime/structure.h"

namespace glasspost::cli {

class MailPlace {
 public:
  // Says what is wrong and gives the exit status, if it cannot be opened.
  static std::expected<std::unique_ptr<MailPlace>, int> Open(const CommandLine& line, const MailOptions& options);
  explicit MailPlace(const CommandLine& line) : line_(line) {}  // outlives it
  virtual ~MailPlace() = default;

  virtual agent::MailSource& source() = 0;
  virtual const std::string& account() const = 0;  // the address; empty: it is a folder, or a server without account
  // The exit status for an error that the source gave.
  virtual int StatusOfError() const = 0;
  // Ends the conversation, if there is one; says what goes wrong. An exit status, 0 if all is well.
  virtual int Close() = 0;

  // Says what goes wrong, and gives an exit status if something does.
  int Failed(const Error& error) const;

 protected:
  const CommandLine& line_;
};

// The message of this number or unique-id; nothing after having said that there is none.
std::optional<std::size_t> FindMessage(const MailCall& call, const std::string& word);

// A message in memory, up to what the reading of its structure takes.
struct LoadedMessage {
  std::string octets;
  std::uint64_t size = 0;
  bool cut = false;           // `octets` are its beginning
  std::string header;         // block
  mime::Structure structure;  // no parts where it is cut, or too deep to be taken apart
};
Expected<LoadedMessage> LoadMessage(agent::MailSource& source, std::size_t place);

// "2026-11-23 09:15", as the clock on the wall here shows it; empty for kNoTime.
std::string LocalTime(Timestamp time);

}  // namespace glasspost::cli
