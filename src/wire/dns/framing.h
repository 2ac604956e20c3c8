// DNS over TCP: each message behind its length in two octets (RFC 1035 §4.2.2, RFC 7766 §8). Zero-copy: a message that lies whole
// in one input is a view into it; only one that crosses inputs is gathered (at most 65535 octets).
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::dns {

struct Framed {
  Octets message;          // into the input or into the splitter, good until the next call
  std::size_t length = 0;  // octets of the whole message as its prefix says; more than `message` where a gap cut it short
};

class TcpSplitter {
 public:
  enum class Step { kMore, kMessage };

  // Takes octets off the front of `input`, in which PassOver left nothing of an earlier message. kMessage: `framed` is filled,
  // call again. kMore: all of `input` was taken.
  Step Next(Octets& input, Framed& framed) {
    if (done_) Reset();
    if (carry_.empty() && input.size() >= 2) {
      const std::size_t length = Load16(AsBytes(input).data());
      if (input.size() - 2 >= length) {
        framed = {input.substr(2, length), length};
        input.remove_prefix(2 + length);
        return Step::kMessage;
      }
    }
    Gather(input, 2);
    if (carry_.size() < 2) return Step::kMore;
    const std::size_t length = Load16(AsBytes(carry_).data());
    Gather(input, 2 + length);
    if (carry_.size() < 2 + length) return Step::kMore;
    framed = {Octets(carry_).substr(2), length};
    done_ = true;
    return Step::kMessage;
  }

  // Behind a gap, the rest of the message in which it lies is taken off the front of `input`: how many octets that were.
  std::size_t PassOver(Octets& input) {
    const std::size_t n = skip_ < input.size() ? static_cast<std::size_t>(skip_) : input.size();
    input.remove_prefix(n);
    skip_ -= n;
    return n;
  }

  // `length` octets are missing here. True: `framed` is what came of the message in which they lie.
  // Afterwards lost() tells whether it is still known where the next message begins.
  bool Gap(std::uint64_t length, Framed& framed) {
    if (done_) Reset();
    if (skip_ > 0) {
      lost_ = length > skip_;
      skip_ = lost_ ? 0 : skip_ - length;
      return false;
    }
    if (carry_.size() < 2) {
      carry_.clear();
      lost_ = true;
      return false;
    }
    const std::size_t whole = Load16(AsBytes(carry_).data());
    const std::size_t rest = whole + 2 - carry_.size();
    lost_ = length > rest;
    skip_ = lost_ ? 0 : rest - length;
    framed = {Octets(carry_).substr(2), whole};
    done_ = true;
    return true;
  }

  // What there is of a message whose end has not come; false where there is none.
  bool Partial(Framed& framed) const {
    if (done_ || carry_.size() < 2) return false;
    framed = {Octets(carry_).substr(2), Load16(AsBytes(carry_).data())};
    return true;
  }
  bool pending() const { return !done_ && !carry_.empty(); }
  // Octets of a message whose beginning was told, which are still to be passed over.
  bool skipping() const { return skip_ > 0; }

  std::size_t held() const { return carry_.size(); }
  bool lost() const { return lost_; }
  void set_lost(bool lost) { lost_ = lost; }

 private:
  void Reset() {
    carry_.clear();
    done_ = false;
  }
  void Gather(Octets& input, std::size_t size) {
    if (carry_.size() >= size) return;
    const Octets piece = input.substr(0, size - carry_.size());
    carry_ += piece;
    input.remove_prefix(piece.size());
  }

  std::string carry_;  // the two octets of length and what came of the message
  std::uint64_t skip_ = 0;
  bool done_ = false;  // carry_ was handed out and is stale
  bool lost_ = false;
};

}  // namespace glasspost::dns
