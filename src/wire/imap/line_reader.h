// Physical lines of an IMAP stream. As text::LineSplitter, and besides keeps the end of a line that is longer than the limit: the
// marker of a literal stands there, and without it the dialogue would be lost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::imap {

struct Line {
  Octets text;               // without the line end; a view into the input or into the reader, good until the next call
  Octets tail;               // the last octets of it, also when `text` is cut
  bool crlf = true;          // false: ended by a bare LF
  bool cut = false;          // longer than the limit, or partial: `text` holds its beginning
  bool partial = false;      // its end never came
  std::uint64_t length = 0;  // octets on the wire, line end included
};

inline constexpr std::size_t kTail = 64;  // more than any item name with a literal marker needs

class LineReader {
 public:
  explicit LineReader(std::size_t limit) : limit_(limit) {}

  // Takes octets off the front of `input`. True: `line` is filled, call again. False: all of `input` was taken.
  bool Next(Octets& input, Line& line) {
    if (input.empty()) return false;
    if (handed_out_) Reset();
    const void* at = std::memchr(input.data(), '\n', input.size());
    const std::size_t n =
        at == nullptr ? input.size() : static_cast<std::size_t>(static_cast<const char*>(at) - input.data()) + 1;
    if (at == nullptr || length_ > 0 || n > limit_ + 2) {
      Gather(input.substr(0, n));
      input.remove_prefix(n);
      if (at == nullptr) return false;
      handed_out_ = true;
      Fill(carry_, line);
      return true;
    }
    length_ = n;
    Fill(input.substr(0, n), line);
    length_ = 0;
    input.remove_prefix(n);
    return true;
  }

  // Octets of a line whose end has not come yet.
  std::uint64_t pending() const { return handed_out_ ? 0 : length_; }
  // The same line as far as it came.
  Line Partial() const {
    Line line;
    line.text = line.tail = Octets(carry_).substr(0, limit_);
    line.cut = line.partial = true;
    line.length = length_;
    return line;
  }
  std::size_t held() const { return carry_.size() + tail_.size(); }
  void Reset() {
    carry_.clear();
    tail_.clear();
    length_ = 0;
    handed_out_ = false;
  }

 private:
  void Fill(Octets whole, Line& line) {
    line.length = length_;
    line.cut = length_ > whole.size() || Trimmed(whole, line.crlf).size() > limit_;
    line.text = line.cut ? whole.substr(0, limit_) : Trimmed(whole, line.crlf);
    if (length_ > whole.size())
      line.tail = Trimmed(tail_, line.crlf);
    else
      line.tail = Trimmed(whole, line.crlf);
    if (line.tail.size() > kTail) line.tail.remove_prefix(line.tail.size() - kTail);
  }
  static Octets Trimmed(Octets t, bool& crlf) {
    t.remove_suffix(1);
    crlf = !t.empty() && t.back() == '\r';
    if (crlf) t.remove_suffix(1);
    return t;
  }
  void Gather(Octets piece) {
    length_ += piece.size();
    const std::size_t room = limit_ + 2 - carry_.size();
    if (piece.size() > room) {
      // From the first octet that finds no room the end is kept apart, with what stands before it.
      if (tail_.empty()) tail_.assign(carry_, carry_.size() - std::min(carry_.size(), kTail));
      const Octets end = piece.substr(piece.size() - std::min(piece.size(), kTail + 2));
      tail_.append(end);
      if (tail_.size() > kTail + 2) tail_.erase(0, tail_.size() - kTail - 2);
    }
    carry_.append(piece.substr(0, room));
  }

  std::size_t limit_;  // octets without the line end
  std::string carry_;
  std::string tail_;
  std::uint64_t length_ = 0;
  bool handed_out_ = false;  // carry_ was handed out and is stale
};

}  // namespace glasspost::imap
