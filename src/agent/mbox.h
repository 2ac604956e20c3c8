// The form of an mbox file (RFC 4155, with mboxrd's quoting): where its messages lie, and how they read. Streams; any chunking of
// the octets gives the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"
#include "wire/text/line_splitter.h"

namespace glasspost::agent {

// "From ada@a.test Mon Nov 23 08:15:30 2026": the line, without its end, that stands before each message. A line of text that
// begins with "From " has no such date.
bool IsPostmark(Octets line);

// The beginning of such a line, at the end of what somebody was writing.
bool IsTornPostmark(Octets line);

struct MboxMessage {
  std::uint64_t offset = 0;  // behind the postmark's line
  std::uint64_t length = 0;  // without the empty line that ends it
};

class MboxSplitter {
 public:
  // `most` messages; further ones are left out.
  explicit MboxSplitter(std::size_t most) : most_(most), lines_(kLine) {}

  void Feed(Octets octets);
  void Finish();

  // No postmark comes first: it is something else. There are no messages then.
  bool foreign() const { return foreign_; }
  bool cut() const { return cut_; }  // more than `most`
  // The last message does not end in an empty line (RFC 4155): what appended it may have been interrupted. A postmark of which
  // only a beginning is there is no line of the message before it.
  bool torn() const { return torn_; }
  const std::vector<MboxMessage>& messages() const { return messages_; }

 private:
  static constexpr std::size_t kLine = 512;  // octets of a line that are looked at

  void OnLine(Octets text, std::uint64_t length);
  void EndMessage();

  const std::size_t most_;
  text::LineSplitter lines_;
  std::vector<MboxMessage> messages_;
  std::uint64_t at_ = 0;          // where the line begins
  std::uint64_t last_empty_ = 0;  // octets of the line before, if it is empty; else 0
  bool open_ = false;
  bool foreign_ = false;
  bool torn_ = false;
  bool cut_ = false;
};

// Takes one '>' from each line of ">…>From ".
class MboxUnquoter {
 public:
  void Append(std::string& out, Octets octets);
  // What was held back.
  void Finish(std::string& out);

 private:
  static constexpr Octets kFrom = "From ";
  enum class State : std::uint8_t { kLineStart, kMarks, kInside };

  void Take(std::string& out, char c);
  void Release(std::string& out);

  State state_ = State::kLineStart;
  std::size_t matched_ = 0;  // octets of "From " held after the marks, of which one is held too
};

}  // namespace glasspost::agent
