#include "server/secret_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace glasspost::server {
namespace {

TEST(SecretKey, StaysAsItWasMade) {
  const TemporaryFolder folder;
  const auto made = SecretKey(folder.path(), SystemRandomness());
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ(made->size(), 32u);
  struct stat about {};
  ASSERT_EQ(stat((folder / "secret.key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  const auto again = SecretKey(folder.path(), SystemRandomness());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *made);
  const TemporaryFolder other;
  EXPECT_NE(*SecretKey(other.path(), SystemRandomness()), *made);
}

TEST(SecretKey, OneThatIsNoneIsSaid) {
  for (const std::size_t octets : {0, 31, 33}) {
    const TemporaryFolder folder;
    std::ofstream(folder / "secret.key") << std::string(octets, 'x');
    const auto key = SecretKey(folder.path(), SystemRandomness());
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().where, folder / "secret.key");
  }
  EXPECT_FALSE(SecretKey("/nowhere/at/all", SystemRandomness()));
}

}  // namespace
}  // namespace glasspost::server
