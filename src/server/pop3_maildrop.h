// A maildrop as one POP3 session has it open: its messages frozen (RFC 1939 §8), its lock, which it renews for as long as it
// lives and gives back at its end whatever that end is, what was read ahead of it, and what the journeys are to hear.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/journey.h"
#include "net/deadlines.h"
#include "store/store.h"
#include "wire/pop3/server_handler.h"

namespace glasspost::server {

struct Pop3MaildropLimits {
  // How long the lock would hold if the program died; renewed after a third of it.
  static constexpr std::chrono::seconds kLease{300};
  // What was read ahead, and events not yet written, are given up by a session that did nothing for so long (at most twice it).
  static constexpr std::chrono::seconds kIdle{3};
  // Read at once: of the first message, and of those that follow it one after the other.
  static constexpr std::size_t kFirstRead = std::size_t{32} << 10;
  static constexpr std::size_t kRead = std::size_t{128} << 10;
  // Fetched messages of which the journeys hear at once.
  static constexpr std::size_t kEvents = 256;
};

class Pop3Maildrop final : public pop3::MaildropView, private net::Deadline {
 public:
  // Of whom, and in which conversation: for the journeys.
  struct Reader {
    std::string account;  // its address
    std::uint64_t conversation = 0;
  };
  // Makes the lease with which the maildrop is to be opened; `owner` is unique.
  static store::Lease LeaseFor(const Clock& clock, std::string owner);

  // `drop` was opened with this owner. Store and deadlines outlive it.
  Pop3Maildrop(store::Store& store, net::Deadlines& deadlines, store::Maildrop drop, std::string owner, Reader reader);
  ~Pop3Maildrop() override;  // gives the lock back

  std::uint32_t count() const override { return static_cast<std::uint32_t>(drop_.items->size()); }
  std::uint64_t OctetsOf(std::uint32_t index) const override { return (*drop_.items)[index].size; }
  void AppendUniqueId(std::uint32_t index, std::string& out) const override;
  bool NeedsUtf8(std::uint32_t index) const override { return (*drop_.items)[index].utf8_header; }

  // A piece of a message, if it is there already; good until the next call.
  struct Piece {
    Octets octets;
    bool last = false;
  };
  std::optional<Piece> Find(std::uint32_t index, std::uint64_t offset, std::size_t most);
  // What to ask of the store so that Find finds it, and what it answered. False: the store has no more of this message.
  store::ReadRequest RequestFor(std::uint32_t index, std::uint64_t offset);
  bool TakeAnswer(store::ReadAnswer answer);
  // The whole message is on its way to the client; what was on its way is out, as far as we can see. The journeys hear of a
  // message once a session.
  void NoteFetched(std::uint32_t index);
  void NoteSent();

  // Deletes these and gives the lock back; `done` comes after the commit, on a thread of the store.
  void Delete(std::span<const std::uint32_t> indexes, store::Done<void> done);
  // Gives the lock back.
  void Release();

  // Octets on the heap that belong to it alone.
  std::size_t kept() const;

 private:
  struct Fetch {
    std::uint32_t index;
    Timestamp time;
  };
  void OnDeadline() override;
  store::JourneyEvent Event(JourneyKind kind, std::uint32_t index, Timestamp time) const;
  void TellFetched();
  void DropRead();

  store::Store& store_;
  net::Deadlines& deadlines_;
  store::Maildrop drop_;
  std::string owner_;
  Reader reader_;
  std::int64_t renew_at_;
  store::ReadAnswer read_;
  std::uint64_t read_offset_ = 0;  // of the first piece
  std::uint32_t next_ = 0;         // the message after the last that was given whole
  bool used_ = false;              // since the last look
  bool held_ = true;
  std::vector<bool> fetched_;  // empty: none
  std::vector<Fetch> untold_;
  std::size_t sent_ = 0;  // of untold_
};

}  // namespace glasspost::server
