#include "store/sqlite/database.h"

#include "store/sqlite/page_cache.h"

namespace glasspost::store {
namespace {

constexpr int kBusyMilliseconds = 5000;  // a person's sqlite3 on the file may hold it for a moment

// Before main: SQLite takes it before its first use only, and that may be a VFS of a test's.
[[maybe_unused]] const bool kConfigured = [] {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // a lock less on each allocation
  UseSparingPageCache();
  return true;
}();

}  // namespace

Fault FaultOf(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Fault::kFull;
    case SQLITE_IOERR:
      if (code == SQLITE_IOERR_SHMSIZE) return Fault::kFull;  // the -shm file cannot grow
      break;
    default:
      break;
  }
  return IsFinal(code) ? Fault::kBroken : Fault::kFailed;
}

bool IsFinal(int code) {
  const int primary = code & 0xff;
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

Result<void> Database::Open(const std::string& path, const std::string& vfs, Use use) {
  if (use == Use::kWriteSynced) gathering_ = std::make_unique<GatheringVfs>(vfs);
  const std::string& through = gathering_ ? gathering_->name() : vfs;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (use == Use::kRead ? 0 : SQLITE_OPEN_CREATE);
  const int rc = sqlite3_open_v2(path.c_str(), &handle_, flags, through.empty() ? nullptr : through.c_str());
  if (rc != SQLITE_OK) {
    Failure failure{FaultOf(rc), path + ": " + (handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(rc))};
    Close();
    return std::unexpected(std::move(failure));
  }
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return {};
}

void Database::Close() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
  gathering_.reset();
}

bool Database::Execute(const char* sql) {
  if (failed()) return false;
  const int rc = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) Fail(sqlite3_extended_errcode(handle_));
  return rc == SQLITE_OK;
}

bool Database::Checkpoint(int mode) {
  if (failed()) return false;
  const int rc = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, nullptr, nullptr);
  if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) Fail(sqlite3_extended_errcode(handle_));
  return rc == SQLITE_OK;
}

Failure Database::failure() const { return {FaultOf(error_), text_}; }

void Database::ClearError() {
  error_ = SQLITE_OK;
  text_.clear();
}

void Database::Fail(int code) {
  if (failed()) return;
  error_ = code == SQLITE_OK ? SQLITE_ERROR : code;
  text_ = sqlite3_errmsg(handle_);
}

sqlite3_stmt* Database::Take(const char* sql) {
  sqlite3_stmt*& kept = statements_[sql];
  if (kept == nullptr) {
    const int rc = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &kept, nullptr);
    if (rc != SQLITE_OK) Fail(rc);
  } else if (sqlite3_stmt_busy(kept) != 0) {
    Fail(SQLITE_MISUSE);
    return nullptr;
  }
  return kept;
}

Query::~Query() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
}

bool Query::Next() {
  if (db_.failed() || statement_ == nullptr) return false;
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc != SQLITE_DONE) db_.Fail(rc);
  return false;
}

}  // namespace glasspost::store
