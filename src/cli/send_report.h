// What became of messages that were sent: a line (or JSON) for each, and the exit status in the end.
#pragma once

#include <vector>

#include "cli/command_line.h"
#include "cli/outgoing.h"

namespace glasspost::cli {

class SendReport {
 public:
  explicit SendReport(const CommandLine& line) : line_(line) {}  // outlives it

  // One outcome for each recipient of the message.
  void Tell(const Outgoing& message, const std::vector<smtp::Outcome>& outcomes);
  // Something else went wrong, and was said. The first status stays.
  void Note(int status);
  // Some message was sent whole and not answered.
  bool in_doubt() const { return in_doubt_; }
  // The exit status, as sysexits.h has it.
  int Finish() const;

 private:
  const CommandLine& line_;
  int status_ = 0;
  bool in_doubt_ = false;
};

}  // namespace glasspost::cli
