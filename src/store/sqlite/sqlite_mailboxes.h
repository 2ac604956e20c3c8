// Mailboxes and maildrops in mail.db.
#pragma once

#include "store/mailboxes.h"
#include "store/sqlite/engine.h"

namespace glasspost::store {

class SqliteMailboxes final : public Mailboxes {
 public:
  explicit SqliteMailboxes(Engine& engine) : engine_(engine) {}

  void OpenMaildrop(AccountId account, Lease lease, Timestamp now, Done<Maildrop> done) override;
  void RenewMaildrop(MailboxId mailbox, Lease lease, Done<void> done) override;
  void UpdateMaildrop(MailboxId mailbox, std::string owner, std::vector<std::uint32_t> uids, std::vector<JourneyEvent> events,
                      Done<void> done) override;
  void ReleaseMaildrop(MailboxId mailbox, const std::string& owner) override;
  void Read(ReadRequest request, Done<ReadAnswer> done) override;
  void ReadMessage(MessageId message, std::uint64_t offset, std::size_t length, Done<std::string> done) override;
  void ListMailboxes(AccountId account, Done<std::vector<MailboxInfo>> done) override;
  void CreateMailbox(AccountId account, MailboxId parent, std::string name, Timestamp now, Done<MailboxInfo> done) override;
  void RenameMailbox(MailboxId mailbox, MailboxId parent, std::string name, Done<void> done) override;
  void DeleteMailbox(MailboxId mailbox, Done<void> done) override;
  void ListMessages(MailboxId mailbox, std::uint32_t after_uid, Done<std::vector<MailboxMessage>> done) override;
  void SetFlags(MailboxId mailbox, std::vector<std::uint32_t> uids, FlagChange change, std::uint32_t flags,
                Done<std::uint64_t> done) override;
  void Expunge(MailboxId mailbox, std::vector<std::uint32_t> uids, std::vector<JourneyEvent> events, Done<void> done) override;

 private:
  Engine& engine_;
};

}  // namespace glasspost::store
