// Fetched mail as an mbox (agent/mail_writer.h): appended; a message that is not committed is cut off again. Locked as other
// programs do it: fcntl and flock, the file only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/mail_file.h"
#include "agent/mail_writer.h"
#include "base/sha256.h"

namespace glasspost::agent {

// What a postmark of ours begins with; the date follows.
inline constexpr Octets kPostmark = "From ";
inline constexpr Octets kPostmarkSender = "MAILER-DAEMON ";

class MboxWriter final : public MailWriter {
 public:
  // `clock` outlives it.
  MboxWriter(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}
  ~MboxWriter() override { Abandon(); }

  // Makes the file and the folder that it lies in.
  Expected<void> Prepare();
  Expected<void> Begin() override;
  Expected<void> Write(Octets octets) override;
  Expected<void> End() override;
  Expected<std::vector<std::string>> Commit() override;
  void Abandon() override;
  // What a program that is killed leaves here is seen by readers, and fetched again: no more than one.
  std::size_t most_waiting() const override { return 1; }
  bool found_torn() const override { return torn_; }

 private:
  Expected<std::string> EndOfBefore(const std::string& date);
  Expected<void> Put(Octets octets);
  Expected<void> TellPlace(bool whole);
  Expected<void> Quote(Octets text);
  // What of "From " was held back.
  void Release() { quoted_ += kPostmark.substr(0, std::exchange(held_, 0)); }

  static constexpr off_t kTail = 1024;  // octets of what is there that are looked at: a postmark is shorter
  const std::string path_;
  const Clock& clock_;
  MailFile file_;
  LineEnds ends_;
  off_t begin_ = -1;
  off_t place_ = 0;         // where its postmark begins
  std::uint64_t size_ = 0;  // from there
  Sha256 digest_;           // of that
  bool told_ = false;       // the log, where it begins
  std::string path_word_;
  std::string text_;
  std::string quoted_;
  std::size_t held_ = 0;     // octets of "From " at the beginning of a line, not written yet
  bool line_begins_ = true;  // only '>' have come of it, and what is held
  bool torn_ = false;
  bool ended_ = true;  // the last octet was a line end
};

}  // namespace glasspost::agent
