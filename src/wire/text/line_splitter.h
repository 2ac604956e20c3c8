// Lines of a command stream (RFC 5321 §2.3.8): they end at LF; CRLF is the right end, a bare LF is remembered as a fault.
// Zero-copy: a line that lies whole in one input is a view into it; only a line that crosses inputs is gathered.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::text {

struct Line {
  Octets text;           // without the line end; a view into the input or into the splitter, good until the next call
  bool crlf = true;      // false: ended by a bare LF
  bool cut = false;      // longer than the limit: `text` holds the first `limit` octets, `length` counts all of them
  std::uint64_t length;  // octets on the wire, line end included
};

class LineSplitter {
 public:
  enum class Step { kMore, kLine };
  explicit LineSplitter(std::size_t limit) : limit_(limit) {}

  // Takes octets off the front of `input`. kLine: `line` is filled, call again. kMore: all of `input` was taken.
  Step Next(Octets& input, Line& line) {
    if (input.empty()) return Step::kMore;
    const void* at = std::memchr(input.data(), '\n', input.size());
    if (at == nullptr) {
      Gather(input);
      input = {};
      return Step::kMore;
    }
    const auto taken = static_cast<std::size_t>(static_cast<const char*>(at) - input.data()) + 1;
    if (done_) carry_.clear(), length_ = 0, done_ = false;
    line.crlf = taken > 1 ? input[taken - 2] == '\r' : length_ > 0 && last_ == '\r';
    if (length_ == 0 && taken <= limit_ + 2) {
      line.length = taken;
      line.text = input.substr(0, taken - 1);
      line.cut = false;
    } else {
      Gather(input.substr(0, taken));
      done_ = true;
      line.length = length_;
      line.cut = length_ > carry_.size();
      line.text = line.cut ? Octets(carry_) : Octets(carry_).substr(0, carry_.size() - 1);
    }
    if (line.crlf && !line.cut) line.text.remove_suffix(1);
    if (line.cut) line.text = line.text.substr(0, limit_);
    input.remove_prefix(taken);
    return Step::kLine;
  }

  // Octets of a line whose end has not come yet.
  std::uint64_t pending() const { return done_ ? 0 : length_; }
  Octets partial() const { return done_ ? Octets{} : Octets(carry_); }
  std::size_t held() const { return carry_.size(); }
  // Octets on the heap; Release gives them back if no line has begun. Lines that were handed out are gone then.
  std::size_t heap() const { return carry_.capacity() > kInside ? carry_.capacity() : 0; }
  void Release() {
    if (pending() != 0 || heap() == 0) return;
    std::string().swap(carry_);
    length_ = 0;
    done_ = false;
  }
  void Reset() {
    carry_.clear();
    length_ = 0;
    done_ = false;
  }

 private:
  void Gather(Octets piece) {
    if (done_) carry_.clear(), length_ = 0, done_ = false;
    length_ += piece.size();
    last_ = piece.back();
    const std::size_t room = limit_ + 2 - carry_.size();
    carry_.append(piece.substr(0, room));
  }

  static constexpr std::size_t kInside = 15;  // octets that a std::string holds without the heap

  std::size_t limit_;  // octets without the line end
  std::string carry_;
  std::uint64_t length_ = 0;
  char last_ = 0;      // that was gathered
  bool done_ = false;  // carry_ was handed out and is stale
};

}  // namespace glasspost::text
