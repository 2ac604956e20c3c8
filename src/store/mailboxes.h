// Mailboxes: a tree an account, with what IMAP needs of them (RFC 9051 §2.3.1: UIDs and UIDVALIDITY; RFC 7162: MODSEQ), and the
// maildrop that POP3 sees of an account's INBOX.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/receiver.h"

namespace glasspost::store {

// System flags (RFC 9051 §2.3.2) as bits.
inline constexpr std::uint32_t kSeen = 1, kAnswered = 2, kFlagged = 4, kDeleted = 8, kDraft = 16;
// Beside them, set when a message is laid down and never changed or shown: it came with SMTPUTF8, and its header (or the prefix)
// holds octets above 127, so that it is only for clients that can take that (RFC 6856 §2, RFC 6855 §3).
inline constexpr std::uint32_t kUtf8Header = 1u << 31;

struct MailboxInfo {
  MailboxId id = 0;
  MailboxId parent = 0;  // 0: at the top
  std::string name;      // of this level
  std::uint32_t uidvalidity = 0;
  std::uint32_t uidnext = 1;
  std::uint64_t modseq = 0;  // the highest
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
};

struct MailboxMessage {
  std::uint32_t uid = 0;
  MessageId message = 0;
  std::uint64_t size = 0;  // with the prefix
  std::uint32_t flags = 0;
  std::uint64_t modseq = 0;
  Timestamp internaldate = 0;
};

// A maildrop as it was when it was opened. `items` does not change and is shared; uid order is the order of POP3's numbers.
struct MaildropItem {
  std::uint32_t uid = 0;
  bool utf8_header = false;  // kUtf8Header
  MessageId message = 0;
  std::uint64_t size = 0;
};
static_assert(sizeof(MaildropItem) == 24);  // of a million at once (MailboxLimits)
struct Maildrop {
  MailboxId mailbox = 0;
  std::uint32_t uidvalidity = 0;
  std::shared_ptr<const std::vector<MaildropItem>> items;
  std::uint64_t octets = 0;
};

// Octets of messages, prefix first, as they go on the wire before dot-stuffing.
struct ReadPiece {
  std::uint32_t uid = 0;
  std::size_t begin = 0, end = 0;  // in `octets`
  bool last = false;               // the message ends here
};
struct ReadAnswer {
  std::string octets;
  std::vector<ReadPiece> pieces;
};
struct ReadRequest {
  MailboxId mailbox = 0;
  std::uint32_t uid = 0;
  std::uint64_t offset = 0;
  std::size_t length = MessageLimits::kChunk;
  bool ahead = false;      // if this message ends within `length`, whole messages after it, as far as they fit too
  ReadAnswer memory = {};  // of an answer that is done with: the next one is put there, what was in it is gone
};

enum class FlagChange : std::uint8_t { kReplace, kAdd, kRemove };

struct MailboxLimits {
  static constexpr std::size_t kMailboxes = 10'000;    // of an account
  static constexpr int kDepth = 32;                    // of the tree
  static constexpr std::size_t kPage = 10'000;         // messages that a listing gives at once
  static constexpr std::size_t kUids = 100'000;        // of one call that changes or deletes
  static constexpr std::size_t kMaildrop = 1'000'000;  // messages that a maildrop shows, the oldest; 24 MB of memory
};

class Mailboxes {
 public:
  virtual ~Mailboxes() = default;

  // POP3. Opening takes the lock or answers kInUse; the lock ends with Release, with the time of the lease, or with the program.
  virtual void OpenMaildrop(AccountId account, Lease lease, Timestamp now, Done<Maildrop> done) = 0;
  virtual void RenewMaildrop(MailboxId mailbox, Lease lease, Done<void> done) = 0;  // kLeaseLost
  // Deletes all of `uids` (one transaction, with the events) and gives the lock back; kLeaseLost deletes nothing.
  virtual void UpdateMaildrop(MailboxId mailbox, std::string owner, std::vector<std::uint32_t> uids,
                              std::vector<JourneyEvent> events, Done<void> done) = 0;
  // Gives the lock back, whoever had it last; at once.
  virtual void ReleaseMaildrop(MailboxId mailbox, const std::string& owner) = 0;

  virtual void Read(ReadRequest request, Done<ReadAnswer> done) = 0;
  // A message by itself, without any prefix: for relay. An empty answer is past the end.
  virtual void ReadMessage(MessageId message, std::uint64_t offset, std::size_t length, Done<std::string> done) = 0;

  virtual void ListMailboxes(AccountId account, Done<std::vector<MailboxInfo>> done) = 0;
  virtual void CreateMailbox(AccountId account, MailboxId parent, std::string name, Timestamp now, Done<MailboxInfo> done) = 0;
  virtual void RenameMailbox(MailboxId mailbox, MailboxId parent, std::string name, Done<void> done) = 0;
  virtual void DeleteMailbox(MailboxId mailbox, Done<void> done) = 0;  // INBOX and one with children: kInvalid, kNotEmpty
  virtual void ListMessages(MailboxId mailbox, std::uint32_t after_uid, Done<std::vector<MailboxMessage>> done) = 0;
  // Gives the new MODSEQ; messages that are gone are passed over.
  virtual void SetFlags(MailboxId mailbox, std::vector<std::uint32_t> uids, FlagChange change, std::uint32_t flags,
                        Done<std::uint64_t> done) = 0;
  virtual void Expunge(MailboxId mailbox, std::vector<std::uint32_t> uids, std::vector<JourneyEvent> events, Done<void> done) = 0;
};

}  // namespace glasspost::store
