// What of a POP3 conversation file the server and the client session need: the maildrop that its server shows, and its replies,
// read with the grammar and rules that all roles share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/conversation_file.h"
#include "wire/pop3/grammar.h"

namespace glasspost::test {

// One reply as far as every server must give it: status, response code, numbers and lists, messages; not the words.
struct Pop3Reply {
  pop3::Command command = pop3::Command::kUnknown;  // kUnknown too for the greeting and for answers to challenges
  std::string argument;
  std::string said;     // "+OK 2 48", "-ERR [IN-USE]", "+", "+OK\n1 120\n2 200"
  std::string text;     // what the file's server said in words
  std::string message;  // of RETR and TOP, dots un-stuffed
};

// Replies in `octets` of a server to these lines of a client. `broken`: what is left over, or is no reply.
std::vector<Pop3Reply> ParsePop3Replies(const std::vector<std::string>& client_lines, Octets octets, std::string& broken);

struct Pop3Dialogue {
  std::vector<std::string> client_lines;  // without CRLF; what has no end is left out
  std::vector<Pop3Reply> replies;         // from the greeting on
  struct Message {
    std::uint64_t octets = 0;
    std::string id;
    std::string content;
  };
  std::map<std::uint64_t, Message> messages;  // by number, as the server shows them
  std::string user;
  std::string password;
  bool stls = false;
};
Pop3Dialogue ReadPop3Dialogue(const ConversationFile& file);

}  // namespace glasspost::test
