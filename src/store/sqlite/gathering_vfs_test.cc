// A commit goes to the WAL in one write and before its sync; what is read, spilled or too large comes out right all the same.
#include "store/sqlite/gathering_vfs.h"

#include <gtest/gtest.h>

#include "store/sqlite/database.h"
#include "support/recording_vfs.h"
#include "support/temporary_folder.h"

namespace glasspost::store {
namespace {

class Gathering : public testing::Test {
 protected:
  Gathering() {
    EXPECT_TRUE(db_.Open(path_, vfs_.name(), Database::Use::kWriteSynced));
    db_.Execute("PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a, b)");
    EXPECT_FALSE(db_.failed()) << db_.failure().text;
    vfs_.TakeRecord();
  }

  void Insert(int from, int to, std::size_t octets) {
    db_.Run("BEGIN");
    for (int i = from; i < to; ++i) db_.Run("INSERT INTO t VALUES(?, zeroblob(?))", i, octets);
    db_.Run("COMMIT");
  }
  // Rows that another connection sees, below the one that gathers.
  std::int64_t Rows() {
    Database other;
    EXPECT_TRUE(other.Open(path_, vfs_.name(), Database::Use::kRead));
    Query query(other, "SELECT count(*), sum(length(b)) FROM t");
    return query.Next() ? query.Int(0) : -1;
  }
  bool Sound() {
    Query query(db_, "PRAGMA integrity_check");
    return query.Next() && query.Text(0) == "ok";
  }

  TemporaryFolder folder_;
  RecordingVfs vfs_{"below"};
  const std::string path_ = folder_.path() + "/x.db";
  Database db_;
};

TEST_F(Gathering, WritesACommitAtOnceAndBeforeItsSync) {
  Insert(0, 10, 3000);
  ASSERT_FALSE(db_.failed()) << db_.failure().text;
  const std::vector<DiskEvent> record = vfs_.TakeRecord();
  std::vector<DiskEvent::Kind> kinds;
  for (const DiskEvent& event : record) kinds.push_back(event.kind);
  EXPECT_EQ(kinds, (std::vector{DiskEvent::Kind::kWrite, DiskEvent::Kind::kSync}));
  EXPECT_EQ(record.front().octets.size() % (24 + 4096), 0u);
  EXPECT_GE(record.front().octets.size(), 10 * std::size_t{4096});
  EXPECT_EQ(Rows(), 10);
}

TEST_F(Gathering, WritesMoreThanItGathers) {
  Insert(0, 1000, 3000);
  ASSERT_FALSE(db_.failed());
  EXPECT_EQ(Rows(), 1000);
  for (const DiskEvent& event : vfs_.TakeRecord()) EXPECT_LE(event.octets.size(), GatheringVfs::kGathered);
  EXPECT_TRUE(db_.Checkpoint(SQLITE_CHECKPOINT_TRUNCATE));
  Insert(1000, 1001, 3000);  // the WAL begins anew
  EXPECT_EQ(Rows(), 1001);
  EXPECT_TRUE(Sound());
}

// A cache of ten pages: what a transaction changed is written before its end and read again.
TEST_F(Gathering, ReadsWhatWasSpilled) {
  db_.Execute("PRAGMA cache_size=10");
  db_.Run("BEGIN");
  for (int i = 0; i < 300; ++i) db_.Run("INSERT INTO t VALUES(?, zeroblob(3000))", i);
  db_.Run("UPDATE t SET b = zeroblob(2000) WHERE a % 2 = 0");
  EXPECT_EQ(Rows(), 0);
  db_.Run("ROLLBACK");
  EXPECT_EQ(Rows(), 0);
  Insert(0, 300, 3000);
  db_.Run("UPDATE t SET b = zeroblob(2000) WHERE a % 2 = 0");
  ASSERT_FALSE(db_.failed()) << db_.failure().text;
  EXPECT_EQ(Rows(), 300);
  EXPECT_TRUE(Sound());
}

TEST_F(Gathering, AFullDiskFailsTheCommitThatMetIt) {
  Insert(0, 10, 3000);
  vfs_.FillDisk(true);
  Insert(10, 20, 3000);
  EXPECT_TRUE(db_.failed());
  EXPECT_EQ(db_.failure().fault, Fault::kFull);
  if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  db_.ClearError();
  vfs_.FillDisk(false);
  EXPECT_EQ(Rows(), 10);
  Insert(20, 25, 3000);
  ASSERT_FALSE(db_.failed()) << db_.failure().text;
  EXPECT_EQ(Rows(), 15);
  EXPECT_TRUE(Sound());
}

TEST_F(Gathering, ThereMustBeAVfsBelow) {
  Database other;
  EXPECT_FALSE(other.Open(path_, "none of this name", Database::Use::kWriteSynced));
}

}  // namespace
}  // namespace glasspost::store
