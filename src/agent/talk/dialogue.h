// A conversation as those lead it who ask and wait for the answer: the plan of a whole transaction, a script. What is between
// them and the server is a Talker; in tests, answers that were written down.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/talk/session_state.h"
#include "base/error.h"
#include "wire/exchange.h"

namespace glasspost::agent::talk {

struct Answer {
  bool came = false;
  bool late = false;  // nothing came in time; neither: the connection ended
  Reply reply;
  std::string heard;  // its lines as they came, as far as they are kept
  bool ok() const {
    return came &&
           (reply.code != 0 ? reply.code / 100 == 2 : reply.status == "+OK" || reply.status == "OK" || reply.status == "PREAUTH");
  }
  // It asks for more.
  bool go_on() const { return came && (reply.code / 100 == 3 || reply.status == "+"); }
};

class Dialogue {
 public:
  virtual ~Dialogue() = default;
  virtual const SessionState& state() const = 0;
  virtual Answer Greeting() = 0;
  // A line as a person types it (IMAP: without a tag).
  virtual Answer Ask(const std::string& line) = 0;
  // All at once; as many answers as lines.
  virtual std::vector<Answer> AskAll(std::span<const std::string> lines) = 0;
  virtual bool ShakeHands() = 0;
  // The whole login; empty mechanism: the best that is offered.
  virtual Answer LogIn(const std::string& mechanism, const std::string& user) = 0;
  // After 354: the message, and the lone dot.
  virtual Answer SendMessage() = 0;
  // Orderly, or cut.
  virtual void End(bool cut) = 0;
};

}  // namespace glasspost::agent::talk
