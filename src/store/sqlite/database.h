// A connection to SQLite and its statements. Not thread-safe: one thread at a time has a Database and its queries.
// Errors stay: after the first one every further statement does nothing, so that a function may run to its end and its caller
// looks once, at failed(). ClearError begins anew.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "base/octets.h"
#include "store/result.h"
#include "store/sqlite/gathering_vfs.h"

namespace glasspost::store {

// Octets bound or read as a BLOB; strings are TEXT.
struct Blob {
  Octets octets;
};

class Database {
 public:
  enum class Use : std::uint8_t {
    kRead,
    kWrite,
    kWriteSynced,  // and each commit is synced (synchronous=FULL): it goes to the WAL at once (gathering_vfs.h)
  };

  Database() = default;
  ~Database() { Close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<void> Open(const std::string& path, const std::string& vfs, Use use);
  // Never checkpoints: after a failed fsync that would be a retry. Who wants it calls Checkpoint before.
  void Close();
  bool is_open() const { return handle_ != nullptr; }

  // One or more statements without arguments and rows (schema, pragmas).
  bool Execute(const char* sql);
  // One statement, to its end. `sql` is a literal: statements are kept by its address. A statement whose Query still lives is not
  // to be used again (an error).
  template <class... Args>
  bool Run(const char* sql, const Args&... args);
  std::int64_t changes() const { return sqlite3_changes64(handle_); }
  std::int64_t total_changes() const { return sqlite3_total_changes64(handle_); }
  std::int64_t last_id() const { return sqlite3_last_insert_rowid(handle_); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

  // SQLITE_CHECKPOINT_PASSIVE and so on. An error is kept as of a statement.
  bool Checkpoint(int mode);

  bool failed() const { return error_ != SQLITE_OK; }
  int error() const { return error_; }  // extended code
  Failure failure() const;
  void ClearError();
  void Fail(int code);  // keeps the first

  sqlite3* handle() { return handle_; }

 private:
  friend class Query;
  sqlite3_stmt* Take(const char* sql);

  std::unique_ptr<GatheringVfs> gathering_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<const void*, sqlite3_stmt*> statements_;
  int error_ = SQLITE_OK;
  std::string text_;
};

// A fault for an extended SQLite code.
Fault FaultOf(int code);
// An fsync that failed, or a file that is no sound database: final.
bool IsFinal(int code);

// Rows of a statement. What is bound, and what Text and BlobAt give, lives until the next Next or the end of the Query.
class Query {
 public:
  template <class... Args>
  Query(Database& db, const char* sql, const Args&... args) : db_(db) {
    if (db_.failed()) return;
    statement_ = db_.Take(sql);
    int at = 0;
    (Bind(++at, args), ...);
  }
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool Next();  // a row is there
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  Octets At(int column) const {  // of TEXT or BLOB
    const void* const octets = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(octets), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string Text(int column) const { return std::string(At(column)); }

 private:
  template <class T>
  void Bind(int at, const T& value) {
    if (statement_ == nullptr) return;
    int rc = SQLITE_OK;
    if constexpr (std::is_same_v<T, Blob>) {
      rc =
          sqlite3_bind_blob64(statement_, at, value.octets.data() ? value.octets.data() : "", value.octets.size(), SQLITE_STATIC);
    } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
      rc = sqlite3_bind_null(statement_, at);
    } else if constexpr (std::is_integral_v<T>) {
      rc = sqlite3_bind_int64(statement_, at, static_cast<sqlite3_int64>(value));
    } else {
      const std::string_view text = value;
      rc = sqlite3_bind_text64(statement_, at, text.data() ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    if (rc != SQLITE_OK) db_.Fail(rc);
  }

  Database& db_;
  sqlite3_stmt* statement_ = nullptr;
};

template <class... Args>
bool Database::Run(const char* sql, const Args&... args) {
  Query query(*this, sql, args...);
  while (query.Next()) {
  }
  return !failed();
}

}  // namespace glasspost::store
