// Where fetched messages are kept: a Maildir, an mbox, or one file each. What Commit has said is on the disk, whatever happens to
// the power: only then may a message be deleted on the server. What was begun and not committed leaves nothing that a mail reader
// would show; only of an mbox a part may stay at its end if the program or the machine dies. One thread.
//
// A PlaceLog is told where each message goes before anybody can see it there. Who wrote that down knows after a kill, as long as
// the machine ran on, what had come to its place (agent/mail_places.h), and need not fetch it again. A place is text without line
// ends, of words with one blank between them, paths with %XX for what is no printable character, a blank or a '%':
//   maildir FOLDER NAME              FOLDER/new/NAME, or what a reader made of it: FOLDER/cur/NAME, FOLDER/cur/NAME:…
//   eml FOLDER NAME                  FOLDER/NAME
//   mbox FILE BEGIN                  a message that is not whole yet will begin at this octet
//   mbox FILE BEGIN END SHA256       a whole one, with its postmark, and the digest of it
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

class PlaceLog {
 public:
  virtual ~PlaceLog() = default;
  // The message `nth` of those that wait for Commit, from 0 (as many as wait: the one that is being written), comes to `place`
  // next.
  virtual Expected<void> OnPlacing(std::size_t nth, Octets place) = 0;
  // Nothing that was said since the last Commit holds. False: it may still be read there.
  virtual bool OnWithdrawn() = 0;
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
  // From now on; null: nobody. It lives until another is set, or longer than the writer.
  void SetPlaceLog(PlaceLog* log) { log_ = log; }
  // What was there before ended inside a message. It stays, as a message of its own.
  virtual bool found_torn() const { return false; }
  // So many may wait: together they cost the disk little more than one.
  virtual std::size_t most_waiting() const = 0;

 protected:
  PlaceLog* log_ = nullptr;
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
