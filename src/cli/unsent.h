// What a person has just typed, as a file of theirs from before it is sent until it is: it is in no other place, and whatever
// comes in between (a server that refuses, an interruption, a power cut) must not take it away.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/mail_save.h"
#include "cli/outgoing.h"

namespace glasspost::cli {

class Unsent {
 public:
  explicit Unsent(const CommandLine& line) : line_(line) {}  // outlives it
  ~Unsent() { Tell(); }
  Unsent(const Unsent&) = delete;
  Unsent& operator=(const Unsent&) = delete;

  // On the disk when this returns, for its owner alone, under a name of its own in unsent/ of the state folder; who gets a blind
  // copy is written there. What stands in the way is said. Once.
  void Hold(const Outgoing& message);
  // What became of it, one outcome each recipient. Once all of them have it the file goes.
  void Told(const Outgoing& message, const std::vector<smtp::Outcome>& outcomes);
  // Where the message is and how it can be sent, unless it was. Once.
  void Tell();

 private:
  Expected<void> Write(const Outgoing& message);
  std::string Command() const;

  const CommandLine& line_;
  bool held_ = false;
  std::string path_;                 // empty: there is nothing
  std::vector<std::string> missed_;  // of several recipients; empty: nobody has it
};

}  // namespace glasspost::cli
