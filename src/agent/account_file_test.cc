#include "agent/account_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "support/temporary_folder.h"

namespace glasspost::agent {
namespace {

using testing::HasSubstr;

Account Example(const std::string& address) {
  Account a;
  a.address = address;
  a.name = "Bob \"the\" 编辑";
  a.user = address;
  a.pop3 = ServerAddress{"pop.example.test", 995, TlsKind::kImplicit};
  a.smtp = ServerAddress{"2001:db8::1", 587, TlsKind::kStartTls};
  a.password = {PasswordSource::Kind::kCommand, "pass show \"mail\" \\ x"};
  a.keep = false;
  a.mechanism = sasl::ClientMechanism::kScramSha256;
  a.authorities = "/etc/ca.pem";
  return a;
}

std::string Fault(const std::string& toml) {
  const auto read = ReadAccounts(toml, "f");
  return read ? "good" : read.error().Text();
}

TEST(AccountFile, ComesBackAsItWas) {
  std::vector<Account> accounts = {Example("a@x.test"), Example("b@x.test"), Example("c@x.test")};
  accounts[1].password = {PasswordSource::Kind::kAsk, {}};
  accounts[1].verify = false;
  accounts[1].imap = ServerAddress{"imap.example.test", 143, TlsKind::kNone};
  accounts[2].password = {PasswordSource::Kind::kStored, "geheim\x7f"};
  const auto read = ReadAccounts(WriteAccounts(accounts), "f");
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(*read, accounts);
  EXPECT_NE(FindAccount(accounts, "b@X.TEST"), nullptr);
  EXPECT_EQ(FindAccount(accounts, "B@x.test"), nullptr);
}

TEST(AccountFile, FaultsHaveLineAndColumn) {
  EXPECT_EQ(Fault(""), "good");
  EXPECT_THAT(Fault("[[account]\n"), HasSubstr("f:1:"));
  EXPECT_THAT(Fault("account = 1\n"), HasSubstr("f:1:1: only [[account]] can stand here"));
  const std::string head = "[[account]]\naddress = \"a@x.test\"\n";
  EXPECT_EQ(Fault(head), "f:1:1: has no server");
  const std::string good = head + "pop3 = { host = \"h\", port = 995, tls = \"implicit\" }\n";
  EXPECT_EQ(Fault(good), "good");
  EXPECT_EQ(Fault(good + "usr = \"x\"\n"), "f:4:1: there is no \"usr\" of an account (did you mean user?)");
  EXPECT_EQ(Fault(good + "keep = 1\n"), "f:4:8: must be true or false, not a whole number");
  EXPECT_EQ(Fault(good + "smtp = { host = \"h\", port = 65536 }\n"), "f:4:29: must be a port, 1 to 65535");
  EXPECT_EQ(Fault(good + "smtp = { host = \"h\", tls = \"ssl\" }\n"), "f:4:28: must be \"implicit\", \"starttls\" or \"none\"");
  EXPECT_EQ(Fault(good + "mechanism = \"NTLM\"\n"),
            "f:4:13: is no mechanism (auto, SCRAM-SHA-256, CRAM-MD5, PLAIN, LOGIN or XOAUTH2)");
  EXPECT_THAT(Fault(good + "password = { command = \"a\", file = \"b\" }\n"), HasSubstr("f:4:12: must be a table of one"));
  EXPECT_THAT(Fault(good + "password = { keyring = false }\n"), HasSubstr("must be true"));
  EXPECT_THAT(Fault(good + good), HasSubstr("f:4:1: a@x.test is there twice"));
  EXPECT_THAT(Fault("[[account]]\naddress = \"nobody\"\npop3 = { host = \"h\" }\n"), HasSubstr("f:2:11: is no address"));
  EXPECT_THAT(Fault(good + "name = \"" + std::string(AccountLimits::kTextOctets + 1, 'x') + "\"\n"), HasSubstr("is too long"));
  EXPECT_EQ(Fault(good + "name = \"" + std::string(AccountLimits::kTextOctets, 'x') + "\"\n"), "good");
  EXPECT_THAT(Fault(good + "user = \"a\\nQUIT\"\n"), HasSubstr("must stand on one line"));
}

TEST(AccountFile, SoManyAndNoMore) {
  std::string text;
  for (std::size_t i = 0; i < AccountLimits::kAccounts; ++i)
    text += "[[account]]\naddress = \"a" + std::to_string(i) + "@x.test\"\npop3 = { host = \"h\" }\n";
  EXPECT_EQ(Fault(text), "good");
  EXPECT_THAT(Fault(text + "[[account]]\naddress = \"z@x.test\"\npop3 = { host = \"h\" }\n"), HasSubstr("too many accounts"));
}

TEST(AccountFile, IsTheOwnersAlone) {
  TemporaryFolder folder;
  const std::string path = folder / "new/accounts.toml";
  const auto add = [&](const std::string& address) {
    return ChangeAccounts(path, [&](std::vector<Account>& accounts) -> Expected<void> {
      accounts.push_back(Example(address));
      return {};
    });
  };
  EXPECT_TRUE(LoadAccounts(path)->empty()) << "no file is no account";
  ASSERT_TRUE(add("a@x.test"));
  struct stat about = {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((folder / "new").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto refused = LoadAccounts(path);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().Text(), HasSubstr("chmod 600"));
  EXPECT_FALSE(add("b@x.test"));
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(LoadAccounts(path)->size(), 1u);
  const auto unchanged = ChangeAccounts(path, [](std::vector<Account>& accounts) -> Expected<void> {
    accounts.clear();
    return Fail("no");
  });
  EXPECT_FALSE(unchanged);
  EXPECT_EQ(LoadAccounts(path)->size(), 1u);
  std::ofstream(path + ".new") << "left by one who was interrupted";
  ASSERT_TRUE(add("b@x.test"));
  EXPECT_EQ(LoadAccounts(path)->size(), 2u);
  EXPECT_NE(::access((path + ".new").c_str(), F_OK), 0);
}

TEST(AccountFile, TwoAtOnceLoseNothing) {
  TemporaryFolder folder;
  const std::string path = folder / "accounts.toml";
  const auto some = [&](const std::string& name) {
    for (int i = 0; i < 10; ++i) {
      const auto added = ChangeAccounts(path, [&](std::vector<Account>& accounts) -> Expected<void> {
        accounts.push_back(Example(name + std::to_string(i) + "@x.test"));
        return {};
      });
      EXPECT_TRUE(added);
    }
  };
  std::jthread other([&] { some("a"); });
  some("b");
  other.join();
  EXPECT_EQ(LoadAccounts(path)->size(), 20u);
}

}  // namespace
}  // namespace glasspost::agent
