// What TOP sends of a message (RFC 1939 §7): the header, the empty line behind it, and so many lines of the body.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/octets.h"

namespace glasspost::pop3 {

class TopCutter {
 public:
  TopCutter() = default;
  explicit TopCutter(std::uint64_t body_lines) : lines_(body_lines) {}

  // How many octets from the front of the message's next octets belong to it. Lines end at LF.
  std::size_t Take(Octets message) {
    std::size_t at = 0;
    while (at < message.size() && !done_) {
      const void* found = std::memchr(message.data() + at, '\n', message.size() - at);
      const std::size_t end = found ? static_cast<std::size_t>(static_cast<const char*>(found) - message.data()) : message.size();
      blank_ = blank_ && (end == at || (end == at + 1 && message[at] == '\r' && !after_cr_));
      if (!found) {
        after_cr_ = true;  // if the line is blank so far, this was its CR
        return message.size();
      }
      EndLine();
      at = end + 1;
    }
    return at;
  }
  bool done() const { return done_; }

 private:
  void EndLine() {
    if (header_ && blank_) {
      header_ = false;
      done_ = lines_ == 0;
    } else if (!header_) {
      done_ = --lines_ == 0;
    }
    blank_ = true, after_cr_ = false;
  }

  std::uint64_t lines_ = 0;
  bool header_ = true;
  bool blank_ = true;      // nothing but a CR in the line so far
  bool after_cr_ = false;  // and that CR was seen
  bool done_ = false;
};

}  // namespace glasspost::pop3
