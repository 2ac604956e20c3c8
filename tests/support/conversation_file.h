// Reads tests/conversations/*.txt (the form is described in tests/conversations/README.md): one dialogue, what each side sent
// and what an observer must make of it. The same file drives any role: its head says which.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/origin.h"
#include "wire/exchange.h"

namespace glasspost::test {

struct Step {
  enum class Kind { kOctets, kGap, kFin, kTls, kReset };
  Kind kind = Kind::kOctets;
  Direction direction = Direction::kToServer;
  std::string octets;        // kOctets
  std::uint64_t length = 0;  // kGap
  Timestamp time = 0;
};

struct ConversationFile {
  std::string name;  // file name without ".txt"
  Protocol protocol = Protocol::kUnknown;
  std::string about;
  bool show_secrets = false;
  bool mid_stream = false;
  bool client_only = false;
  bool server_only = false;
  // Whom the file drives.
  bool drives_observer = true;
  bool drives_server = false;
  bool drives_client = false;
  // The server makes bare line ends CRLF; else it refuses a message with one.
  bool normalise = false;
  std::vector<Step> steps;
  // What is expected, by kind, in the order of the file ("findings" in any order).
  std::vector<std::string> exchanges;
  std::vector<std::string> messages;
  std::vector<std::string> findings;
  std::vector<std::string> turns;  // "tls-start", "protocol lmtp"
};

// All files of tests/conversations, sorted by name.
std::vector<std::filesystem::path> ConversationFiles();
// Of these the ones of `protocols` that drive this role.
std::vector<std::filesystem::path> FilesThatDrive(bool ConversationFile::*role, std::initializer_list<Protocol> protocols);
// A file's name as a test may have it.
std::string TestName(const std::filesystem::path& path);
Expected<ConversationFile> ReadConversationFile(const std::filesystem::path& path);
Expected<ConversationFile> ParseConversation(const std::string& name, const std::string& text);

// "\r\n" and other octets outside printable ASCII and UTF-8 as \r \n \t \0 \\ \xHH; one line.
std::string Escape(Octets octets);

}  // namespace glasspost::test
