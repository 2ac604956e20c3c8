// Where fetched messages are kept: a Maildir, an mbox, or one file each. What Commit has said is on the disk, whatever happens to
// the power: only then may a message be deleted on the server. What was begun and not committed leaves nothing that a mail reader
// would show; only of an mbox a part may stay at its end if the program or the machine dies. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/octets.h"
#include "base/randomness.h"

namespace glasspost::agent {

enum class MailFormat : std::uint8_t {
  kMaildir,  // a folder with cur, new, tmp; line ends LF
  kMbox,     // one file, "From " lines between messages, those within quoted (mboxrd); line ends LF; locked while it is written
  kEml,      // a folder of NAME.eml, each octet as the server sent it
};

class MailWriter {
 public:
  virtual ~MailWriter() = default;  // what was not committed is taken away
  // One message at a time: Begin, Write …, then End or Abandon.
  virtual Expected<void> Begin() = 0;
  // Octets of the message as POP3 gives them, in any pieces: lines end in CRLF.
  virtual Expected<void> Write(Octets octets) = 0;
  // It is whole, and waits for Commit.
  virtual Expected<void> End() = 0;
  // All that were ended since the last one are on the disk, in these files, in their order. After an error none of them counts.
  virtual Expected<std::vector<std::string>> Commit() = 0;
  // What was begun and not ended.
  virtual void Abandon() = 0;
  // What was there before ended inside a message. It stays, as a message of its own.
  virtual bool found_torn() const { return false; }
  // So many may wait: together they cost the disk little more than one.
  virtual std::size_t most_waiting() const = 0;
};

struct MailWriterLimits {
  static constexpr std::size_t kBuffer = std::size_t{64} << 10;  // octets gathered for a write
  static constexpr std::size_t kWaiting = 64;                    // messages that are committed together: as many open files
  static constexpr int kLockSeconds = 30;                        // for an mbox that another program has
};

// Makes the folder or the file (only for its owner) if it is not there. `path` of a Maildir is the folder that has cur, new, tmp.
// The error says what stands in the way. What is passed in outlives the writer.
Expected<std::unique_ptr<MailWriter>> OpenMailWriter(MailFormat format, const std::string& path, const Clock& clock,
                                                     Randomness& randomness);

}  // namespace glasspost::agent
