#include "server/data_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace glasspost::server {
namespace {

class DataFolder : public testing::Test {
 protected:
  void Make(const std::string& name, mode_t mode) {
    std::ofstream(folder_ / name) << "x";
    ASSERT_EQ(::chmod((folder_ / name).c_str(), mode), 0);
  }
  mode_t ModeOf(const std::string& path) {
    struct stat about = {};
    EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
    return about.st_mode & 0777;
  }

  TemporaryFolder folder_;
};

TEST_F(DataFolder, KeepsItsOwnFilesOnly) {
  for (const char* own : {"mail.db", "mail.db-wal", "conversations.db-shm", "lock"}) Make(own, 0664);
  for (const char* foreign : {"notes.txt", "mail.txt", "locks"}) Make(foreign, 0664);
  for (const char* name : {"tls", "photos"}) {
    ASSERT_EQ(::mkdir((folder_ / name).c_str(), 0700), 0);
    ASSERT_EQ(::chmod((folder_ / name).c_str(), 0755), 0);
  }
  ASSERT_EQ(::symlink((folder_ / "notes.txt").c_str(), (folder_ / "mail.db-link").c_str()), 0);
  ASSERT_TRUE(KeepToOwner(folder_.path()));
  for (const char* own : {"mail.db", "mail.db-wal", "conversations.db-shm", "lock"})
    EXPECT_EQ(ModeOf(folder_ / own), 0600u) << own;
  EXPECT_EQ(ModeOf(folder_ / "tls"), 0700u);
  for (const char* foreign : {"notes.txt", "mail.txt", "locks"}) EXPECT_EQ(ModeOf(folder_ / foreign), 0664u) << foreign;
  EXPECT_EQ(ModeOf(folder_ / "photos"), 0755u);
  EXPECT_EQ(OwnFiles(folder_.path())->size(), 6u);
}

TEST_F(DataFolder, LetsPassAndNothingElse) {
  Make("mail.db", 0664);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0700), 0);
  ASSERT_TRUE(LetPass(folder_.path()));
  EXPECT_EQ(ModeOf(folder_.path()), 0711u);
  EXPECT_EQ(ModeOf(folder_ / "mail.db"), 0664u);
}

TEST_F(DataFolder, ThatIsNotThere) {
  for (const auto& done : {LetPass(folder_ / "none"), KeepToOwner(folder_ / "none")}) {
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().Text(), testing::HasSubstr("none"));
  }
}

}  // namespace
}  // namespace glasspost::server
