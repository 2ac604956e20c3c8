// Rows of mailboxes, within a transaction of the writer.
#pragma once

#include <string_view>

#include "store/mailboxes.h"
#include "store/sqlite/database.h"

namespace glasspost::store {

// The name is free and the parent is there. Its UIDVALIDITY is larger than that of any mailbox before (RFC 9051 §2.3.1.1).
MailboxInfo InsertMailbox(Database& db, AccountId account, MailboxId parent, std::string_view name, Timestamp now);

}  // namespace glasspost::store
