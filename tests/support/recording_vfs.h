// A SQLite VFS over the ordinary one that records what the disk was told, in order: creations, writes, truncations, syncs,
// deletions and syncs of the folder. A file that was there before counts as synced. From a record and a point in it, PowerCut
// makes the files as a power cut at that point may leave them. The VFS can also act a full disk and a sync that fails. It is for
// tests, and outlives the stores that are opened on it.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace glasspost {

struct DiskEvent {
  enum class Kind : std::uint8_t { kCreate, kWrite, kTruncate, kSync, kDelete, kFolderSync, kMark, kFailedSync };
  Kind kind = Kind::kMark;
  int file = 0;           // a number for the file itself; a name that is deleted and made again names another
  std::string name;       // kCreate, kDelete; kMark: the tester's text
  std::uint64_t at = 0;   // kWrite: offset; kTruncate: the new size
  std::string octets;     // kWrite
  std::int64_t time = 0;  // nanoseconds of the monotonic clock, never less than that of the event before
};

class RecordingVfs {
 public:
  explicit RecordingVfs(std::string name);
  ~RecordingVfs();
  RecordingVfs(const RecordingVfs&) = delete;

  const std::string& name() const { return name_; }
  void Mark(std::string text);  // between the disk's events, in the order of time
  std::vector<DiskEvent> TakeRecord();

  // Every write answers SQLITE_FULL: where nothing is overwritten in place (a snapshot, a quota), and so that no small change
  // that fits into the WAL as it is makes the disk look free.
  void FillDisk(bool full) { full_ = full; }
  void FailNextSync() { fail_syncs_ = 1; }                   // that one only
  void FailNextDatabaseSync() { fail_database_syncs_ = 1; }  // the next of a database itself, which a checkpoint asks for
  std::uint64_t failed_syncs() const { return failed_syncs_; }
  std::uint64_t syncs() const { return syncs_; }
  std::uint64_t writes() const { return writes_; }

 private:
  friend struct RecordingFile;
  void Add(DiskEvent event);
  void AddLocked(DiskEvent event);
  void AddWhatIsThere(int number, const char* path);

  const std::string name_;
  sqlite3_vfs* const base_;
  sqlite3_vfs vfs_{};
  std::mutex mutex_;
  std::vector<DiskEvent> record_;
  std::map<std::string, int> files_;
  int last_file_ = 0;
  std::atomic<bool> full_ = false;
  std::atomic<int> fail_syncs_ = 0, fail_database_syncs_ = 0;
  std::atomic<std::uint64_t> failed_syncs_ = 0, syncs_ = 0, writes_ = 0;
};

// What of the writes that were not synced is on the disk after the cut.
enum class Unsynced : std::uint8_t { kLost, kKept, kSomeWrites, kSomeSectors };

// Goes through a record and makes the files as a power cut may leave them: synced octets are there; of later writes what
// `unsynced` says, sectors being 512 octets; names that the folder was not synced for may be there or not. The record outlives
// it.
class PowerCutter {
 public:
  explicit PowerCutter(const std::vector<DiskEvent>& record) : record_(record) {}

  // The first `events` of the record are done; never fewer than before.
  void Advance(std::size_t events);
  // Files by name.
  std::map<std::string, std::string> Cut(Unsynced unsynced, std::mt19937& random) const;

 private:
  struct File {
    std::string synced;
    std::vector<const DiskEvent*> pending;
  };
  struct Name {
    int synced = 0;  // number of the file that the name surely had; 0 none
    std::vector<int> pending;
  };
  void Do(const DiskEvent& event);

  const std::vector<DiskEvent>& record_;
  std::size_t done_ = 0;
  std::map<int, File> files_;
  std::map<std::string, Name> names_;
};

// One cut.
std::map<std::string, std::string> PowerCut(const std::vector<DiskEvent>& record, std::size_t events, Unsynced unsynced,
                                            std::mt19937& random);

}  // namespace glasspost
