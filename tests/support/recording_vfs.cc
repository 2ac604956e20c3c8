#include "support/recording_vfs.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace glasspost {

// The ordinary VFS's file lies behind it in the memory that SQLite gives.
struct RecordingFile {
  sqlite3_file base;
  RecordingVfs* vfs;
  int number;
  bool recorded;     // not for temporary files
  bool folder_sync;  // the first sync syncs the folder too, as SQLite does it for a journal
  bool database;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }

  static RecordingFile& Of(sqlite3_file* file) { return *reinterpret_cast<RecordingFile*>(file); }
  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags);
  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder);
  static int Write(sqlite3_file* file, const void* octets, int count, sqlite3_int64 at);
  static int Truncate(sqlite3_file* file, sqlite3_int64 size);
  static int Sync(sqlite3_file* file, int flags);
  static const sqlite3_io_methods* Methods();
};

namespace {

RecordingVfs& Owner(sqlite3_vfs* vfs) { return *static_cast<RecordingVfs*>(vfs->pAppData); }
sqlite3_vfs* Base() { return sqlite3_vfs_find("unix"); }
std::string BaseName(const char* path) { return std::filesystem::path(path).filename().string(); }

}  // namespace

int RecordingFile::Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  RecordingVfs& owner = Owner(vfs);
  RecordingFile& self = Of(file);
  const bool there = name != nullptr && std::filesystem::exists(name);
  const int rc = owner.base_->xOpen(owner.base_, name, self.real(), flags, out_flags);
  file->pMethods = nullptr;
  if (rc != SQLITE_OK) return rc;
  self.vfs = &owner;
  self.recorded = name != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0;
  const bool journal = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  self.folder_sync = journal && (flags & SQLITE_OPEN_CREATE) != 0;
  self.database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  self.number = 0;
  if (self.recorded) {
    const std::lock_guard lock(owner.mutex_);
    int& number = owner.files_[BaseName(name)];
    if (!there || number == 0) {
      number = ++owner.last_file_;
      owner.AddLocked({DiskEvent::Kind::kCreate, number, BaseName(name), 0, {}});
      if (there) owner.AddWhatIsThere(number, name);
    }
    self.number = number;
  }
  file->pMethods = Methods();
  return SQLITE_OK;
}

int RecordingFile::Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  RecordingVfs& owner = Owner(vfs);
  const int rc = owner.base_->xDelete(owner.base_, name, sync_folder);
  if (rc != SQLITE_OK) return rc;
  const std::lock_guard lock(owner.mutex_);
  if (const auto at = owner.files_.find(BaseName(name)); at != owner.files_.end()) {
    owner.AddLocked({DiskEvent::Kind::kDelete, at->second, BaseName(name), 0, {}});
    owner.files_.erase(at);
  }
  if (sync_folder != 0) owner.AddLocked({DiskEvent::Kind::kFolderSync, 0, {}, 0, {}});
  return rc;
}

int RecordingFile::Write(sqlite3_file* file, const void* octets, int count, sqlite3_int64 at) {
  RecordingFile& self = Of(file);
  if (self.vfs->full_) return SQLITE_FULL;
  const int rc = self.real()->pMethods->xWrite(self.real(), octets, count, at);
  ++self.vfs->writes_;
  if (rc == SQLITE_OK && self.recorded) {
    self.vfs->Add({DiskEvent::Kind::kWrite,
                   self.number,
                   {},
                   static_cast<std::uint64_t>(at),
                   std::string(static_cast<const char*>(octets), static_cast<std::size_t>(count))});
  }
  return rc;
}

int RecordingFile::Truncate(sqlite3_file* file, sqlite3_int64 size) {
  RecordingFile& self = Of(file);
  const int rc = self.real()->pMethods->xTruncate(self.real(), size);
  if (rc == SQLITE_OK && self.recorded) {
    self.vfs->Add({DiskEvent::Kind::kTruncate, self.number, {}, static_cast<std::uint64_t>(size), {}});
  }
  return rc;
}

int RecordingFile::Sync(sqlite3_file* file, int flags) {
  RecordingFile& self = Of(file);
  ++self.vfs->syncs_;
  if (self.vfs->fail_syncs_.exchange(0) > 0 || (self.database && self.vfs->fail_database_syncs_.exchange(0) > 0)) {
    ++self.vfs->failed_syncs_;
    if (self.recorded) self.vfs->Add({DiskEvent::Kind::kFailedSync, self.number, {}, 0, {}});
    return SQLITE_IOERR_FSYNC;
  }
  static_cast<void>(flags);  // the real files lie in memory and need no sync
  if (!self.recorded) return SQLITE_OK;
  self.vfs->Add({DiskEvent::Kind::kSync, self.number, {}, 0, {}});
  if (std::exchange(self.folder_sync, false)) self.vfs->Add({DiskEvent::Kind::kFolderSync, 0, {}, 0, {}});
  return SQLITE_OK;
}

// Everything else goes through.
const sqlite3_io_methods* RecordingFile::Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = [](sqlite3_file* f) { return Of(f).real()->pMethods->xClose(Of(f).real()); };
    m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
      return Of(f).real()->pMethods->xRead(Of(f).real(), to, n, at);
    };
    m.xWrite = Write;
    m.xTruncate = Truncate;
    m.xSync = Sync;
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return Of(f).real()->pMethods->xFileSize(Of(f).real(), size); };
    m.xLock = [](sqlite3_file* f, int lock) { return Of(f).real()->pMethods->xLock(Of(f).real(), lock); };
    m.xUnlock = [](sqlite3_file* f, int lock) { return Of(f).real()->pMethods->xUnlock(Of(f).real(), lock); };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return Of(f).real()->pMethods->xCheckReservedLock(Of(f).real(), out);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return Of(f).real()->pMethods->xFileControl(Of(f).real(), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return Of(f).real()->pMethods->xSectorSize(Of(f).real()); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) { return Of(f).real()->pMethods->xDeviceCharacteristics(Of(f).real()); };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return Of(f).real()->pMethods->xShmMap(Of(f).real(), page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int at, int n, int flags) {
      return Of(f).real()->pMethods->xShmLock(Of(f).real(), at, n, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { Of(f).real()->pMethods->xShmBarrier(Of(f).real()); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) { return Of(f).real()->pMethods->xShmUnmap(Of(f).real(), remove); };
    return m;
  }();
  return &methods;
}

RecordingVfs::RecordingVfs(std::string name) : name_(std::move(name)), base_(Base()) {
  vfs_ = *base_;
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(RecordingFile)) + base_->szOsFile;
  vfs_.xOpen = RecordingFile::Open;
  vfs_.xDelete = RecordingFile::Delete;
  vfs_.xAccess = [](sqlite3_vfs*, const char* n, int flags, int* out) { return Base()->xAccess(Base(), n, flags, out); };
  vfs_.xFullPathname = [](sqlite3_vfs*, const char* n, int size, char* out) {
    return Base()->xFullPathname(Base(), n, size, out);
  };
  sqlite3_vfs_register(&vfs_, 0);
}

RecordingVfs::~RecordingVfs() { sqlite3_vfs_unregister(&vfs_); }

void RecordingVfs::Mark(std::string text) { Add({DiskEvent::Kind::kMark, 0, std::move(text), 0, {}}); }

void RecordingVfs::Add(DiskEvent event) {
  const std::lock_guard lock(mutex_);
  AddLocked(std::move(event));
}

void RecordingVfs::AddLocked(DiskEvent event) {
  event.time = std::chrono::steady_clock::now().time_since_epoch().count();
  record_.push_back(std::move(event));
}

void RecordingVfs::AddWhatIsThere(int number, const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::string octets{std::istreambuf_iterator<char>(in), {}};
  if (!octets.empty()) AddLocked({DiskEvent::Kind::kWrite, number, {}, 0, std::move(octets)});
  AddLocked({DiskEvent::Kind::kSync, number, {}, 0, {}});
  AddLocked({DiskEvent::Kind::kFolderSync, 0, {}, 0, {}});
}

std::vector<DiskEvent> RecordingVfs::TakeRecord() {
  const std::lock_guard lock(mutex_);
  return std::exchange(record_, {});
}

namespace {

constexpr std::size_t kSector = 512;

void Put(std::string& file, std::uint64_t at, std::string_view octets) {
  if (file.size() < at + octets.size()) file.resize(at + octets.size());
  octets.copy(file.data() + at, octets.size());
}

void PutSomeSectors(std::string& file, const DiskEvent& write, std::mt19937& random) {
  for (std::uint64_t from = write.at; from < write.at + write.octets.size();) {
    const std::uint64_t to = std::min(write.at + write.octets.size(), (from / kSector + 1) * kSector);
    if (random() % 2 == 0) Put(file, from, std::string_view(write.octets).substr(from - write.at, to - from));
    from = to;
  }
}

void Apply(std::string& file, const DiskEvent& event) {
  if (event.kind == DiskEvent::Kind::kWrite) Put(file, event.at, event.octets);
  if (event.kind == DiskEvent::Kind::kTruncate) file.resize(event.at);
}

}  // namespace

void PowerCutter::Do(const DiskEvent& event) {
  switch (event.kind) {
    case DiskEvent::Kind::kCreate:
      names_[event.name].pending.push_back(event.file);
      break;
    case DiskEvent::Kind::kDelete:
      names_[event.name].pending.push_back(0);
      break;
    case DiskEvent::Kind::kWrite:
    case DiskEvent::Kind::kTruncate:
      files_[event.file].pending.push_back(&event);
      break;
    case DiskEvent::Kind::kSync: {
      File& file = files_[event.file];
      for (const DiskEvent* pending : std::exchange(file.pending, {})) Apply(file.synced, *pending);
      break;
    }
    case DiskEvent::Kind::kFolderSync:
      for (auto& [name, state] : names_) {
        if (!state.pending.empty()) state.synced = std::exchange(state.pending, {}).back();
      }
      break;
    case DiskEvent::Kind::kFailedSync:  // the system takes its pages for clean, and a later sync no longer writes them
      files_[event.file].pending.clear();
      break;
    case DiskEvent::Kind::kMark:
      break;
  }
}

void PowerCutter::Advance(std::size_t events) {
  for (; done_ < events; ++done_) Do(record_[done_]);
}

std::map<std::string, std::string> PowerCutter::Cut(Unsynced unsynced, std::mt19937& random) const {
  const auto content = [&](const File& state) {
    std::string file = state.synced;
    for (const DiskEvent* event : state.pending) {
      const bool write = event->kind == DiskEvent::Kind::kWrite;
      if (unsynced == Unsynced::kLost || (unsynced != Unsynced::kKept && !write && random() % 2 == 0)) continue;
      if (unsynced == Unsynced::kSomeWrites && write && random() % 2 == 0) continue;
      if (unsynced == Unsynced::kSomeSectors && write) {
        PutSomeSectors(file, *event, random);
      } else {
        Apply(file, *event);
      }
    }
    return file;
  };
  std::map<std::string, std::string> left;
  for (const auto& [name, state] : names_) {
    int number = state.synced;
    std::size_t done = random() % (state.pending.size() + 1);
    if (unsynced == Unsynced::kLost) done = 0;
    if (unsynced == Unsynced::kKept) done = state.pending.size();
    if (done > 0) number = state.pending[done - 1];
    if (number == 0) continue;
    const auto file = files_.find(number);
    left[name] = file == files_.end() ? std::string() : content(file->second);
  }
  return left;
}

std::map<std::string, std::string> PowerCut(const std::vector<DiskEvent>& record, std::size_t events, Unsynced unsynced,
                                            std::mt19937& random) {
  PowerCutter cutter(record);
  cutter.Advance(events);
  return cutter.Cut(unsynced, random);
}

}  // namespace glasspost
