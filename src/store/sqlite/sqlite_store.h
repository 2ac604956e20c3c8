// The store in a folder of SQLite files: mail.db (WAL, synchronous=FULL) and conversations.db (synchronous=OFF).
// One thread writes mail.db and commits many calls' work at once: a batch is what has gathered while the last one was on its way
// to the disk. A few threads read. The folder is locked for as long as the store is open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "store/store.h"

namespace glasspost::store {

struct SqliteOptions {
  int readers = 2;
  std::size_t batch_octets = 4 * 1024 * 1024;       // of one commit; what gathers beyond waits for the next
  std::size_t batch_changes = 4096;                 // likewise, so that completions are not held for long
  std::uint64_t checkpoint_pages = 4096;            // length of the WAL, in pages, at which it goes into the database
  std::size_t cache_kib = 64 * 1024;                // page cache of the writer
  std::size_t listing_octets = 16 * 1024 * 1024;    // listings of maildrops that are kept for the next session
  std::uint64_t reserve_octets = 64 * 1024 * 1024;  // of the disk, kept from new mail and conversations (free_space.h)
  ConversationBounds conversations;
  std::string vfs;            // SQLite VFS by name; empty: the default. For tests
  bool without_sync = false;  // no fsync at all: for the test that must then fail, and for what may be lost
};

// Makes the folder (0700) if it is not there, brings an older schema up to date, takes away what a crash left unfinished.
// The error says so if another process has the folder, or if a newer program wrote it.
Expected<std::unique_ptr<Store>> OpenSqliteStore(const std::string& folder, const SqliteOptions& options = {});

}  // namespace glasspost::store
