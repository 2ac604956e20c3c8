#include "agent/providers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/ascii.h"
#include "base/escape.h"

namespace glasspost::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Ids(Octets asked) {
  std::vector<std::string> ids;
  for (const Provider* p : FindProviders(asked)) ids.push_back(p->id);
  return ids;
}

TEST(Providers, TheFileIsGood) {
  std::ifstream file(GLASSPOST_SOURCE_DIR "/src/agent/providers.toml");
  std::stringstream text;
  text << file.rdbuf();
  const auto read = ReadProviders(text.str(), "providers.toml");
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(read->size(), Providers().size()) << "the program has the file that is there";
  for (const Provider& p : *read) {
    SCOPED_TRACE(p.id);
    EXPECT_FALSE(p.smtp.empty() || p.imap.empty());
    EXPECT_NE(p.Best(Service::kSmtp), nullptr);
    EXPECT_EQ(p.Needs(Need::kNoPop3), p.pop3.empty());
    EXPECT_TRUE(p.pop3.empty() || p.pop3.front().tls != TlsKind::kNone) << "the best comes first";
    for (const Service service : kServices)
      for (const ServerAddress& server : p.At(service)) {
        const auto usual = UsualTls(service, server.port);
        if (server.tls == TlsKind::kImplicit && server.port != 994) {
          EXPECT_EQ(usual, TlsKind::kImplicit) << server.Text();
        }
        if (server.tls == TlsKind::kNone) {
          EXPECT_NE(usual, TlsKind::kImplicit) << server.Text();
        }
      }
    EXPECT_GE(p.catch_english.size(), 20u);
    EXPECT_GE(p.catch_chinese.size(), 20u);
    EXPECT_TRUE(IsUtf8(p.catch_chinese) && !p.catch_chinese.contains("  "));
    EXPECT_TRUE(p.source.starts_with("https://"));
    EXPECT_TRUE(p.year >= 2020 && p.year <= 2026);
  }
}

TEST(Providers, ThoseThatAreAskedForFirstAreThere) {
  const auto servers = [](const char* domain) {
    const Provider* p = FindByDomain(domain);
    if (p == nullptr) return std::string("none");
    std::string text;
    for (const Service s : kServices) text += p->At(s).empty() ? "- " : p->At(s).front().HostAndPort() + " ";
    return text;
  };
  EXPECT_EQ(servers("aliyun.com"), "pop3.aliyun.com:995 imap.aliyun.com:993 smtp.aliyun.com:465 ");
  EXPECT_EQ(servers("163.com"), "pop.163.com:995 imap.163.com:993 smtp.163.com:465 ");
  EXPECT_EQ(servers("126.com"), "pop.126.com:995 imap.126.com:993 smtp.126.com:465 ");
  EXPECT_EQ(servers("yeah.net"), "pop.yeah.net:995 imap.yeah.net:993 smtp.yeah.net:465 ");
  EXPECT_EQ(servers("sina.com"), "pop.sina.com:995 imap.sina.com:993 smtp.sina.com:465 ");
  EXPECT_EQ(servers("sohu.com"), "pop3.sohu.com:995 imap.sohu.com:993 smtp.sohu.com:465 ");
  EXPECT_EQ(servers("gmail.com"), "pop.gmail.com:995 imap.gmail.com:993 smtp.gmail.com:465 ");
  EXPECT_EQ(servers("hotmail.com"), "outlook.office365.com:995 outlook.office365.com:993 smtp-mail.outlook.com:587 ");
  EXPECT_EQ(servers("icloud.com"), "- imap.mail.me.com:993 smtp.mail.me.com:587 ");
  EXPECT_EQ(servers("sub.gmail.com"), "none");
}

TEST(Providers, ByAddressDomainAndName) {
  EXPECT_THAT(Ids("someone@VIP.163.com"), ElementsAre("163-vip"));
  EXPECT_THAT(Ids("live.com"), ElementsAre("hotmail"));
  EXPECT_THAT(Ids("a@msn.com"), ElementsAre("hotmail"));
  EXPECT_THAT(Ids("ymail.com"), ElementsAre("yahoo"));
  EXPECT_THAT(Ids("GMail"), ElementsAre("gmail"));
  EXPECT_THAT(Ids("outlook"), ElementsAre("hotmail", "office365"));
  EXPECT_THAT(Ids("搜狐"), ElementsAre("sohu"));
  EXPECT_THAT(Ids("pop.qq.com"), ElementsAre("qq", "foxmail"));
  EXPECT_THAT(Ids("qiye.163.com"), ElementsAre("netease-enterprise"));
  EXPECT_THAT(Ids("exma"), ElementsAre("exmail")) << "a part of a name";
  EXPECT_THAT(Ids("a@nowhere.example"), ElementsAre());
  EXPECT_THAT(Ids("a@gmail"), ElementsAre()) << "an address is no name";
  EXPECT_THAT(Ids(" "), ElementsAre());
}

TEST(Providers, FaultsOfAFileHaveTheirPlace) {
  const std::string good = R"([[provider]]
id = "x"
name = "X"
chinese = "X"
words = []
domains = ["x.test"]
pop3 = ["pop.x.test 995 implicit"]
smtp = ["smtp.x.test 465 implicit"]
needs = []
catch = { en = "none", zh = "无" }
source = { url = "https://x.test/", year = 2024 }
)";
  ASSERT_TRUE(ReadProviders(good, "f")) << ReadProviders(good, "f").error().Text();
  const auto fault = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto read = ReadProviders(text, "f");
    return read ? std::string("good") : read.error().Text();
  };
  EXPECT_EQ(fault("\"pop.x.test 995 implicit\"", "\"pop.x.test 995\""), "f:7:8: must be \"HOST PORT implicit|starttls|none\"");
  EXPECT_THAT(fault("995", "70000"), HasSubstr("f:7:8: "));
  EXPECT_EQ(fault("id = \"x\"\n", ""), "f:1:1: lacks \"id\"");
  EXPECT_THAT(fault("zh = \"无\"", "zz = \"无\""), HasSubstr("there is no \"zz\""));
  EXPECT_THAT(fault(", zh = \"无\"", ""), HasSubstr("lacks \"zh\""));
  EXPECT_THAT(fault("https:", "http:"), HasSubstr("needs an https URL"));
  EXPECT_THAT(fault("needs = []", "needs = [\"money\"]"), HasSubstr("there is no need \"money\""));
  EXPECT_THAT(fault("pop3 = [\"pop.x.test 995 implicit\"]\n", ""), HasSubstr("no-pop3"));
  EXPECT_THAT(fault("x.test\"]", "x.test\", \"x.test\"]"), HasSubstr("is there twice"));
  EXPECT_THAT(fault("id =", "id ="), "good");
  EXPECT_THAT(fault("id = \"x\"", "id = x"), HasSubstr("is no TOML"));
}

}  // namespace
}  // namespace glasspost::agent
