#include "net/self_signed.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "net/test_support.h"

namespace glasspost::net {
namespace {

using namespace test;

std::string Contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SelfSigned, IsMadeOnceAndForItsOwnerAlone) {
  const TemporaryFolder folder;
  const KeyPairFiles files{.certificate = folder / "cert.pem", .key = folder / "key.pem"};
  const SelfSignedOptions options{.names = {"localhost.test", "mail.localhost.test", "127.0.0.1", "::1"}};
  auto made = EnsureSelfSigned(files, options, SystemClock());
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_TRUE(*made);
  for (const std::string& file : {files.certificate, files.key}) {
    struct stat status {};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << file;
    EXPECT_FALSE(std::filesystem::exists(file + ".new"));
  }
  const std::string before = Contents(files.certificate);
  made = EnsureSelfSigned(files, options, SystemClock());
  ASSERT_TRUE(made);
  EXPECT_FALSE(*made);
  EXPECT_EQ(Contents(files.certificate), before);
  EXPECT_TRUE(TlsContext::ForServer({.pairs = {files}, .alpn = {}}));
  // A key without its certificate is of no use: both are made anew.
  std::filesystem::remove(files.certificate);
  made = EnsureSelfSigned(files, options, SystemClock());
  ASSERT_TRUE(made);
  EXPECT_TRUE(*made);
  EXPECT_TRUE(TlsContext::ForServer({.pairs = {files}, .alpn = {}}));
}

TEST(SelfSigned, SaysWhyNot) {
  const TemporaryFolder folder;
  const KeyPairFiles nowhere{.certificate = folder / "no/cert.pem", .key = folder / "no/key.pem"};
  const auto made = EnsureSelfSigned(nowhere, {.names = {"a.test"}}, SystemClock());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().where, nowhere.key);
  const KeyPairFiles files{.certificate = folder / "cert.pem", .key = folder / "key.pem"};
  EXPECT_FALSE(EnsureSelfSigned(files, {.names = {}}, SystemClock()));
  EXPECT_FALSE(EnsureSelfSigned(files, {.names = {"a.test,DNS:bank.example"}}, SystemClock()));
  EXPECT_FALSE(std::filesystem::exists(files.key));
}

}  // namespace
}  // namespace glasspost::net
