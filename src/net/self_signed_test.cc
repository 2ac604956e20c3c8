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

TEST(SelfSigned, IsMadeAnewForAnotherNameAndWhenItRanOut) {
  const TemporaryFolder folder;
  const KeyPairFiles files{.certificate = folder / "cert.pem", .key = folder / "key.pem"};
  const auto ensure = [&](const std::string& name, int days) {
    const auto made = EnsureSelfSigned(files, {.names = {name, "localhost"}, .days = days}, SystemClock());
    EXPECT_TRUE(made);
    EXPECT_TRUE(TlsContext::ForServer({.pairs = {files}, .alpn = {}}));
    return made && *made;
  };
  EXPECT_TRUE(ensure("old.test", 1));
  EXPECT_FALSE(ensure("old.test", 1));
  EXPECT_FALSE(ensure("localhost", 1));  // it is for this one, too
  EXPECT_TRUE(ensure("new.test", 1));
  EXPECT_FALSE(ensure("new.test", 1));
  EXPECT_TRUE(ensure("127.0.0.9", -1));
  EXPECT_TRUE(ensure("127.0.0.9", 1));  // it had run out
  EXPECT_FALSE(ensure("127.0.0.9", 1));
}

TEST(SelfSigned, WhatCannotBeReadIsLeft) {
  const TemporaryFolder folder;
  const KeyPairFiles files{.certificate = folder / "cert.pem", .key = folder / "key.pem"};
  std::ofstream(files.certificate) << "of somebody";
  std::ofstream(files.key) << "else";
  const auto made = EnsureSelfSigned(files, {.names = {"a.test"}}, SystemClock());
  ASSERT_TRUE(made);
  EXPECT_FALSE(*made);
  EXPECT_EQ(Contents(files.certificate), "of somebody");
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
