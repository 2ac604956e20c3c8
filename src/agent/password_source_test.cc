#include "agent/password_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "support/temporary_folder.h"

namespace glasspost::agent {
namespace {

using Kind = PasswordSource::Kind;
using testing::HasSubstr;
using namespace std::chrono_literals;

std::string Get(Kind kind, const std::string& text, std::chrono::milliseconds patience = 10s) {
  Account account;
  account.address = "a@x.test";
  account.password = {kind, text};
  const auto got = ReadPassword(
      account, []() -> Expected<std::string> { return "typed"; }, patience);
  return got ? *got : "error: " + got.error().Text();
}

TEST(ReadPassword, FromEachPlace) {
  TemporaryFolder folder;
  const std::string file = folder / "p";
  std::ofstream(file) << "in a file\r\nand more\n";
  ::chmod(file.c_str(), 0600);
  ::setenv("GP_TEST_PASSWORD", "of the environment", 1);
  EXPECT_EQ(Get(Kind::kAsk, ""), "typed");
  EXPECT_EQ(Get(Kind::kStored, "here"), "here");
  EXPECT_EQ(Get(Kind::kEnvironment, "GP_TEST_PASSWORD"), "of the environment");
  EXPECT_EQ(Get(Kind::kEnvironment, "GP_TEST_NONE"), "error: $GP_TEST_NONE: is not set, and should be the password");
  EXPECT_EQ(Get(Kind::kFile, file), "in a file");
  EXPECT_EQ(Get(Kind::kCommand, "echo 'from a' command; echo more"), "from a command");
  ::chmod(file.c_str(), 0604);
  EXPECT_THAT(Get(Kind::kFile, file), HasSubstr("others may read or write this password"));
  EXPECT_THAT(Get(Kind::kFile, folder / "none"), HasSubstr("cannot be opened"));
}

TEST(ReadPassword, CommandsThatGiveNone) {
  EXPECT_EQ(Get(Kind::kCommand, "exit 3"), "error: exit 3: ended with status 3");
  EXPECT_EQ(Get(Kind::kCommand, "true"), "error: true: gives no password");
  EXPECT_EQ(Get(Kind::kCommand, "exec sleep 100", 50ms), "error: exec sleep 100: gave no password in time");
  EXPECT_EQ(Get(Kind::kCommand, "exec >&-; exec sleep 100", 50ms), "error: exec >&-; exec sleep 100: gave no password in time");
  EXPECT_THAT(Get(Kind::kCommand, "yes"), HasSubstr("too long for a password"));
  EXPECT_EQ(Get(Kind::kCommand, "head -c 4096 /dev/zero | tr '\\0' x").size(), 4096u);
  EXPECT_THAT(Get(Kind::kCommand, "head -c 4097 /dev/zero | tr '\\0' x"), HasSubstr("too long for a password"));
}

// A secret-tool that keeps what it is given in a file.
TEST(Keyring, BySecretTool) {
  TemporaryFolder folder;
  const std::string tool = folder / "secret-tool";
  std::ofstream(tool) << "#!/bin/sh\nprintf '%s|' \"$@\" >>" << folder.path() << "/said\ncase $1 in\n"
                      << "store) cat >" << folder.path() << "/kept;;\nlookup) cat " << folder.path() << "/kept;;\n"
                      << "clear) rm " << folder.path() << "/kept;;\nesac\n";
  ::chmod(tool.c_str(), 0700);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (folder.path() + ":" + before).c_str(), 1);
  Account account;
  account.address = "a@x.test";
  account.password = {Kind::kKeyring, {}};
  EXPECT_TRUE(KeepInKeyring(account, "s3cret"));
  EXPECT_EQ(Get(Kind::kKeyring, ""), "s3cret");
  EXPECT_TRUE(DropFromKeyring(account));
  EXPECT_THAT(Get(Kind::kKeyring, ""), HasSubstr("secret-tool: ended with status 1"));
  std::string said;
  std::getline(std::ifstream(folder / "said"), said);
  EXPECT_THAT(said, HasSubstr("store|--label|Glasspost: a@x.test|service|glasspost|account|a@x.test|lookup|service|"));
  ::setenv("PATH", "/nonexistent", 1);
  EXPECT_FALSE(KeepInKeyring(account, "s3cret")) << "there is no such tool";
  ::setenv("PATH", before.c_str(), 1);
}

}  // namespace
}  // namespace glasspost::agent
