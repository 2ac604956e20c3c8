// The beginning of one side's line, before the end of which the other side spoke again: a line that is merely slow goes on where
// it broke off, one whose end was never sent does not, and what comes next is a line of its own. Which it is, the protocol says.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"
#include "wire/text/line_splitter.h"

namespace glasspost::text {

class BrokenLine {
 public:
  // `limit`: octets of it that are kept, as in the splitter.
  explicit BrokenLine(std::size_t limit) : limit_(limit) {}

  bool empty() const { return length_ == 0; }
  // Takes what the splitter has gathered of its line.
  void Keep(LineSplitter& splitter) {
    if (length_ == 0) text_.clear();
    Append(splitter.partial(), splitter.pending());
    splitter.Reset();
  }
  // As a line that has no end. The view is good until the next call of Keep or Join.
  Line Take() {
    Line line{.text = Octets(text_).substr(0, limit_), .crlf = true, .cut = true, .length = length_};
    length_ = 0;
    return line;
  }
  // `rest` goes on where this broke off: makes one line of both.
  void Join(Line& rest) {
    const bool cut = rest.cut || text_.size() < length_;
    const bool crlf = rest.crlf;
    Append(rest.text, rest.length);
    rest = Take();
    rest.cut = cut || text_.size() > limit_;
    rest.crlf = crlf;
  }
  void Clear() { length_ = 0; }
  std::size_t held() const { return text_.size(); }

 private:
  void Append(Octets text, std::uint64_t length) {
    const bool whole = text_.size() == length_;
    length_ += length;
    if (whole) text_.append(text.substr(0, limit_ + 2 - text_.size()));
  }

  std::size_t limit_;
  std::string text_;
  std::uint64_t length_ = 0;
};

}  // namespace glasspost::text
