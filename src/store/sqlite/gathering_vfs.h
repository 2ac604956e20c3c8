// A SQLite VFS over another one that writes a commit to the WAL at once. SQLite writes each page of it in two pieces, 24 octets
// and the page, one after the other; of a small commit these calls are a large part. Here pieces that follow each other are
// gathered until the WAL is synced, read, cut or closed, and go to the disk in the order in which they came.
//
// Only for a connection with synchronous=FULL or EXTRA, whose commits sync the WAL before anybody is told of them: without that
// sync another connection would look for pages that are not there yet. A write that fails is told by the call that made it
// necessary: a later write or the sync of the same commit, which then fails.
#pragma once

#include <sqlite3.h>

#include <string>

namespace glasspost::store {

class GatheringVfs {
 public:
  // Gathered at most: what a commit beyond that costs is not its calls. The ordinary VFS takes less than 128 KiB at once.
  static constexpr std::size_t kGathered = std::size_t{64} << 10;

  // Over the VFS of this name; empty: the default one. It is registered from its construction to its destruction and outlives
  // the connections that are opened on it, as the one below outlives it.
  explicit GatheringVfs(const std::string& base);
  ~GatheringVfs();
  GatheringVfs(const GatheringVfs&) = delete;
  GatheringVfs& operator=(const GatheringVfs&) = delete;

  const std::string& name() const { return name_; }  // no other has it; nor has any, if there is none below

 private:
  sqlite3_vfs* const base_;
  const std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace glasspost::store
