#include "store/sqlite/gathering_vfs.h"

#include <atomic>
#include <cstdint>
#include <new>

namespace glasspost::store {
namespace {

sqlite3_vfs* Base(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

std::string NewName() {
  static std::atomic<std::uint64_t> last{0};
  return "gathering-" + std::to_string(++last);
}

// The WAL. The real file lies behind it in the memory that SQLite gives.
struct WalFile {
  sqlite3_file base;
  std::string gathered;
  sqlite3_int64 at;  // where the first of `gathered` belongs

  static WalFile& Of(sqlite3_file* file) { return *reinterpret_cast<WalFile*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&Of(file) + 1); }

  // What could not be written is given up: SQLite takes its transaction back.
  static int Flush(sqlite3_file* file) {
    WalFile& self = Of(file);
    if (self.gathered.empty()) return SQLITE_OK;
    const int rc =
        Real(file)->pMethods->xWrite(Real(file), self.gathered.data(), static_cast<int>(self.gathered.size()), self.at);
    self.gathered.clear();
    return rc;
  }
  static int Write(sqlite3_file* file, const void* octets, int count, sqlite3_int64 at) {
    WalFile& self = Of(file);
    const std::size_t size = static_cast<std::size_t>(count);
    const bool follows = at == self.at + static_cast<sqlite3_int64>(self.gathered.size());
    if (!follows || self.gathered.size() + size > GatheringVfs::kGathered) {
      if (const int rc = Flush(file); rc != SQLITE_OK) return rc;
    }
    if (size > GatheringVfs::kGathered) return Real(file)->pMethods->xWrite(Real(file), octets, count, at);
    if (self.gathered.empty()) self.at = at;
    self.gathered.append(static_cast<const char*>(octets), size);
    return SQLITE_OK;
  }
  static int Close(sqlite3_file* file) {
    const int flushed = Flush(file);
    const int closed = Real(file)->pMethods->xClose(Real(file));
    Of(file).~WalFile();
    return flushed != SQLITE_OK ? flushed : closed;
  }
  // Whatever looks at the file or leaves it in a certain state comes after what was written before.
  template <auto Method, class... Args>
  static int AfterWrites(sqlite3_file* file, Args... args) {
    if (const int rc = Flush(file); rc != SQLITE_OK) return rc;
    return (Real(file)->pMethods->*Method)(Real(file), args...);
  }
  template <auto Method, class... Args>
  static int Through(sqlite3_file* file, Args... args) {
    return (Real(file)->pMethods->*Method)(Real(file), args...);
  }
};

const sqlite3_io_methods* Methods() {
  using M = sqlite3_io_methods;
  static const M methods = [] {
    M m{};
    m.iVersion = 1;  // a WAL is neither mapped nor shared memory
    m.xClose = WalFile::Close;
    m.xRead = WalFile::AfterWrites<&M::xRead, void*, int, sqlite3_int64>;
    m.xWrite = WalFile::Write;
    m.xTruncate = WalFile::AfterWrites<&M::xTruncate, sqlite3_int64>;
    m.xSync = WalFile::AfterWrites<&M::xSync, int>;
    m.xFileSize = WalFile::AfterWrites<&M::xFileSize, sqlite3_int64*>;
    m.xLock = WalFile::Through<&M::xLock, int>;
    m.xUnlock = WalFile::Through<&M::xUnlock, int>;
    m.xCheckReservedLock = WalFile::Through<&M::xCheckReservedLock, int*>;
    m.xFileControl = WalFile::Through<&M::xFileControl, int, void*>;
    m.xSectorSize = WalFile::Through<&M::xSectorSize>;
    m.xDeviceCharacteristics = WalFile::Through<&M::xDeviceCharacteristics>;
    return m;
  }();
  return &methods;
}

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return Base(vfs)->xOpen(Base(vfs), name, file, flags, out_flags);
  auto* const wal = new (file) WalFile{};
  const int rc = Base(vfs)->xOpen(Base(vfs), name, WalFile::Real(file), flags, out_flags);
  if (rc == SQLITE_OK) {
    file->pMethods = Methods();
  } else {
    wal->~WalFile();
    file->pMethods = nullptr;  // nothing to close
  }
  return rc;
}

}  // namespace

GatheringVfs::GatheringVfs(const std::string& base)
    : base_(sqlite3_vfs_find(base.empty() ? nullptr : base.c_str())), name_(NewName()) {
  if (base_ == nullptr) return;
  vfs_ = *base_;  // what is not about files goes to it with itself as argument, which the ordinary one does not look at
  vfs_.pNext = nullptr;
  vfs_.szOsFile = static_cast<int>(sizeof(WalFile)) + base_->szOsFile;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = base_;
  vfs_.iVersion = 2;
  vfs_.xOpen = Open;
  vfs_.xDelete = [](sqlite3_vfs* v, const char* name, int sync) { return Base(v)->xDelete(Base(v), name, sync); };
  vfs_.xAccess = [](sqlite3_vfs* v, const char* name, int what, int* out) { return Base(v)->xAccess(Base(v), name, what, out); };
  vfs_.xFullPathname = [](sqlite3_vfs* v, const char* name, int size, char* out) {
    return Base(v)->xFullPathname(Base(v), name, size, out);
  };
  vfs_.xRandomness = [](sqlite3_vfs* v, int size, char* out) { return Base(v)->xRandomness(Base(v), size, out); };
  vfs_.xSleep = [](sqlite3_vfs* v, int us) { return Base(v)->xSleep(Base(v), us); };
  vfs_.xCurrentTime = [](sqlite3_vfs* v, double* out) { return Base(v)->xCurrentTime(Base(v), out); };
  vfs_.xGetLastError = [](sqlite3_vfs* v, int size, char* out) { return Base(v)->xGetLastError(Base(v), size, out); };
  vfs_.xCurrentTimeInt64 = [](sqlite3_vfs* v, sqlite3_int64* out) { return Base(v)->xCurrentTimeInt64(Base(v), out); };
  sqlite3_vfs_register(&vfs_, 0);
}

GatheringVfs::~GatheringVfs() {
  if (base_ != nullptr) sqlite3_vfs_unregister(&vfs_);
}

}  // namespace glasspost::store
