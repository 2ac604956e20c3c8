// What `glasspost mail` was asked for, and its actions; one file each, mail_ACTION.cc. All of them say what goes wrong and give
// the exit status.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/account_choice.h"
#include "cli/command_line.h"

namespace glasspost::cli {

class MailPlace;

struct MailOptions {
  AccountChoice choice;
  std::string in;  // a folder, an mbox, a file; or an account
  // list
  bool only_new = false, reverse = false;
  std::string search, sort = "number";
  std::uint64_t last = 0;  // messages; 0: all
  // read
  bool source = false, html = false, peek = false;
  std::string headers, part;
  // save: a folder; forward: addresses
  std::vector<std::string> to;
  // reply, forward
  bool all = false, print = false, no_quote = false;
  std::string from, subject, body, body_file;
  std::vector<std::string> cc, bcc, attach;
  // delete, reply with an editor
  bool yes = false;
};

struct MailCall {
  const CommandLine& line;
  const MailOptions& options;
  MailPlace& place;
  std::vector<std::string> words;  // behind the action
};

int ListMail(const MailCall& call);
int ReadMail(const MailCall& call);
int SaveMail(const MailCall& call);
int ReplyMail(const MailCall& call);
int ForwardMail(const MailCall& call);
int DeleteMail(const MailCall& call);

}  // namespace glasspost::cli
