// Messages that can be read: of a folder of this machine (mail_folder.h) or of a POP3 maildrop. Each has a number, from 1 on in
// the order in which they came, and where possible an id that stays the same while numbers move. One thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::agent {

struct MailEntry {
  std::uint64_t number = 0;
  std::string id;                // of a Maildir the file's name without its flags; the unique-id of POP3; empty: there is none
  Timestamp arrived = kNoTime;   // kNoTime: not known
  bool flags_known = false;      // where nobody keeps them they are all false
  bool flags_in_header = false;  // the message itself has them (Status, X-Status), as mbox programs write them
  bool seen = false;
  bool answered = false;
  bool flagged = false;  // as important
};

// The beginning of a message: its header and, of a multipart message, as much of the body as can be had cheaply.
struct MailHead {
  Octets octets;
  std::uint64_t size = 0;  // of the message as it is kept
  bool whole = false;      // `octets` are all of it
};

struct MailSourceLimits {
  static constexpr std::size_t kMessages = 1'000'000;               // of a folder; stops one without end
  static constexpr std::size_t kHeader = std::size_t{256} << 10;    // octets of a header block that are looked for its end
  static constexpr std::size_t kBeginning = std::size_t{64} << 10;  // octets of a multipart message that are looked at for parts
  static constexpr std::size_t kFirstRead = std::size_t{8} << 10;   // octets; most headers are shorter
  static constexpr std::size_t kPiece = std::size_t{256} << 10;     // octets handed out at a time
};

class MailSource {
 public:
  virtual ~MailSource() = default;

  virtual std::size_t count() const = 0;
  // What is wrong with it as a whole, though it can be read; empty: nothing is known.
  virtual std::string damage() const { return {}; }
  // By its place, which is its number less one, except in a maildrop that leaves numbers out.
  virtual MailEntry Entry(std::size_t place) const = 0;

  // In the order of `places`. A message that is gone meanwhile is left out; one that cannot be read too, but that is an error
  // once the others were handed out. Views live during the call.
  using OnHead = std::function<void(std::size_t place, const MailEntry& entry, const MailHead& head)>;
  virtual Expected<void> ReadHeads(std::span<const std::size_t> places, const OnHead& on_head) = 0;
  // The whole message in pieces, without what an mbox adds. An error of `sink` ends it and is given back.
  using Sink = std::function<Expected<void>(Octets)>;
  virtual Expected<void> Read(std::size_t place, const Sink& sink) = 0;

  // Where flags are kept, in a Maildir; nothing elsewhere.
  enum class Flag : std::uint8_t { kSeen, kAnswered, kPassed };  // the last: it was forwarded
  virtual Expected<void> Mark(std::size_t place, Flag flag) = 0;
  // For good; of a maildrop once its conversation has ended in order.
  virtual Expected<void> Remove(std::span<const std::size_t> places) = 0;

  // The place of the message of this number or, if `word` is no number of one, of this id.
  std::optional<std::size_t> Find(Octets word) const;
};

// Orders names as people count: "m2" before "m10".
bool ComesBefore(Octets a, Octets b);

}  // namespace glasspost::agent
