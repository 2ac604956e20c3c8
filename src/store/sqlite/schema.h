// The schema of mail.db and the steps from each version to the next. PRAGMA user_version holds the version.
#pragma once

#include "store/sqlite/database.h"

namespace glasspost::store {

inline constexpr int kSchemaVersion = 1;

// Brings the database up to date, each step in a transaction of its own; kInvalid if a newer program wrote it.
Result<void> Migrate(Database& db);
// For the test of migrations: the steps up to `version` only.
Result<void> MigrateTo(Database& db, int version);

}  // namespace glasspost::store
