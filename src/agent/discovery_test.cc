#include "agent/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "net/fixed_resolver.h"
#include "net/test_support.h"
#include "wire/dns/constants.h"

namespace glasspost::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Documents final : public net::Fetcher {
 public:
  net::Task<net::Fetched> Get(std::string url) override {
    asked.push_back(url);
    net::Fetched out;
    out.clear = url.starts_with("http:");
    out.url = url;
    const auto at = texts.find(url.substr(0, url.find('?')));
    if (at == texts.end())
      out.failure = "HTTP status 404";
    else
      out.body = at->second;
    co_return out;
  }
  std::map<std::string, std::string> texts;
  std::vector<std::string> asked;
};

class Servers final : public Prober {
 public:
  net::Task<Trial> Probe(Service, ServerAddress server) override {
    probed.push_back(server.HostAndPort());
    Trial trial;
    if (listening.contains(server.HostAndPort()))
      trial.result = Trial::Result::kOk;
    else
      trial.text = "nobody listens";
    if (listening.contains(server.HostAndPort()) || hosts.contains(server.host)) trial.address = "192.0.2.1:1";
    co_return trial;
  }
  std::set<std::string> listening, hosts;
  std::vector<std::string> probed;
};

class DiscoveryTest : public testing::Test {
 protected:
  void Srv(const std::string& label, const std::string& data) {
    ASSERT_TRUE(dns_.Add(label + "._tcp.example.test", dns::kTypeSrv, data));
  }
  std::string Find(const std::string& domain = "example.test", bool tools = true) {
    found_ = {};
    found_.servers = typed_;
    const AddressParts address{"bob", domain};
    const DiscoveryTools with{.resolver = dns_,
                              .randomness = SystemRandomness(),
                              .fetcher = tools ? &documents_ : nullptr,
                              .prober = tools ? &servers_ : nullptr,
                              .clear_http = clear_http_};
    net_.Run(Discover(address, with, found_));
    std::string text;
    for (const Service service : kServices) {
      const auto& s = found_.At(service);
      if (s)
        text += s->server.Text() + " by " + std::string(Name(s->origin)) + (s->foreign ? ", foreign" : "");
      else
        text += found_.Open(service) ? "open" : "absent";
      text += "; ";
    }
    return text;
  }

  net::test::Net net_;
  net::FixedResolver dns_;
  Documents documents_;
  Servers servers_;
  std::array<std::optional<FoundServer>, 3> typed_;
  bool clear_http_ = false;
  Discovery found_;
};

TEST_F(DiscoveryTest, TheDirectoryComesFirst) {
  EXPECT_EQ(Find("vip.163.com"),
            "pop.vip.163.com:995 (implicit) by directory; imap.vip.163.com:993 (implicit) by directory; "
            "smtp.vip.163.com:465 (implicit) by directory; ");
  EXPECT_EQ(Find("icloud.com"),
            "absent; imap.mail.me.com:993 (implicit) by directory; smtp.mail.me.com:587 (starttls) by directory; ");
  EXPECT_EQ(dns_.queries(), 0u);
  EXPECT_THAT(documents_.asked, IsEmpty());
}

TEST_F(DiscoveryTest, WhatWasTypedStays) {
  typed_[0] = FoundServer{{"my.test", 995, TlsKind::kImplicit}, Origin::kTyped, {}, false};
  EXPECT_THAT(Find("gmail.com"), testing::StartsWith("my.test:995 (implicit) by typed; imap.gmail.com"));
  typed_[2] = FoundServer{{"my.test", 465, TlsKind::kImplicit}, Origin::kTyped, {}, false};
  EXPECT_EQ(Find("gmail.com"), "my.test:995 (implicit) by typed; open; my.test:465 (implicit) by typed; ")
      << "nothing is looked for";
}

TEST_F(DiscoveryTest, SrvRecords) {
  Srv("_pop3s", "0 1 9950 pop.example.test.");
  Srv("_pop3", "0 1 110 other.example.test.");
  Srv("_imap", "0 1 143 mail.provider.test.");
  Srv("_imaps", "0 0 0 .");
  Srv("_submission", "0 1 587 mail.provider.test.");
  EXPECT_EQ(Find(),
            "pop.example.test:9950 (implicit) by srv; mail.provider.test:143 (starttls) by srv, foreign; "
            "mail.provider.test:587 (starttls) by srv, foreign; ");
  EXPECT_THAT(documents_.asked, IsEmpty());
  dns_.SetSecurity(net::DnsAnswer::Security::kSecure);
  EXPECT_THAT(Find(), testing::Not(HasSubstr("foreign"))) << "signed, so the domain says so itself";
}

TEST_F(DiscoveryTest, ADotIsNoService) {
  Srv("_pop3s", "0 0 0 .");
  Srv("_pop3", "0 0 0 .");
  Srv("_submissions", "0 1 465 smtp.example.test.");
  EXPECT_EQ(Find(), "absent; open; smtp.example.test:465 (implicit) by srv; ");
}

TEST_F(DiscoveryTest, TheFirstTargetThatAnswers) {
  Srv("_pop3s", "20 1 995 c.example.test.");
  Srv("_pop3s", "10 1 995 b.example.test.");
  Srv("_pop3s", "5 1 995 a.example.test.");
  servers_.listening = {"b.example.test:995"};
  EXPECT_THAT(Find(), HasSubstr("b.example.test:995"));
  EXPECT_THAT(servers_.probed, testing::Contains("a.example.test:995"));
  EXPECT_THAT(servers_.probed, testing::Not(testing::Contains("c.example.test:995")));
  EXPECT_THAT(Find("example.test", false), HasSubstr("a.example.test:995")) << "where nothing is tried";
}

std::string Document(const std::string& host, const std::string& socket = "SSL") {
  return "<clientConfig><emailProvider><incomingServer type=\"pop3\"><hostname>" + host + "</hostname><socketType>" + socket +
         "</socketType><username>%EMAILLOCALPART%</username></incomingServer><outgoingServer type=\"smtp\"><hostname>" + host +
         "</hostname><socketType>" + socket + "</socketType></outgoingServer></emailProvider></clientConfig>";
}

TEST_F(DiscoveryTest, DocumentsOfTheDomain) {
  const std::string first = "https://autoconfig.example.test/mail/config-v1.1.xml";
  const std::string second = "https://example.test/.well-known/autoconfig/mail/config-v1.1.xml";
  documents_.texts[second] = Document("mail.elsewhere.test");
  EXPECT_EQ(Find(), "mail.elsewhere.test:995 (implicit) by autoconfig; open; mail.elsewhere.test:465 (implicit) by autoconfig; ");
  EXPECT_THAT(documents_.asked, ElementsAre(first + "?emailaddress=bob%40example.test", second));
  EXPECT_EQ(found_.user, "bob");
  documents_.texts[first] = "<html>not here</html>";
  EXPECT_THAT(Find(), HasSubstr("mail.elsewhere.test")) << "the next one";
  documents_.texts[first] = Document("plain.example.test", "plain");
  EXPECT_THAT(Find(), HasSubstr("mail.elsewhere.test")) << "nothing unencrypted is taken from there";
}

TEST_F(DiscoveryTest, UnencryptedDocumentsOnlyWhenAskedFor) {
  const std::string clear = "http://autoconfig.example.test/mail/config-v1.1.xml";
  documents_.texts[clear] = Document("mail.elsewhere.test");
  EXPECT_EQ(Find(), "open; open; open; ");
  EXPECT_EQ(documents_.asked.size(), 2u);
  clear_http_ = true;
  EXPECT_THAT(Find(), HasSubstr("mail.elsewhere.test:995 (implicit) by autoconfig, foreign; "));
}

TEST_F(DiscoveryTest, CommonNames) {
  servers_.listening = {"pop3.example.test:110", "mail.example.test:465"};
  servers_.hosts = {"pop3.example.test"};
  EXPECT_EQ(Find(), "pop3.example.test:110 (starttls) by common-name; open; mail.example.test:465 (implicit) by common-name; ");
  EXPECT_THAT(servers_.probed, ElementsAre("pop.example.test:995", "pop3.example.test:995", "pop3.example.test:110",
                                           "smtp.example.test:465", "mail.example.test:465"))
      << "of a host that is not there one port is enough";
  servers_.probed.clear();
  EXPECT_EQ(Find("example.test", false), "open; open; open; ");
  EXPECT_THAT(servers_.probed, IsEmpty());
}

TEST_F(DiscoveryTest, WithoutDns) {
  for (const char* label : {"_pop3s", "_pop3"}) dns_.AddFailure(std::string(label) + "._tcp.example.test");
  documents_.texts["https://autoconfig.example.test/mail/config-v1.1.xml"] = Document("mail.example.test");
  EXPECT_THAT(Find(), HasSubstr("by autoconfig")) << "the next step";
  EXPECT_EQ(found_.steps[1].result, "no server answered");
  EXPECT_EQ(dns_.queries(), 1u) << "nobody waits for each question";
  EXPECT_EQ(Find("[192.0.2.1]"), "open; open; open; ");
}

TEST(ImpatientResolver, GivesUpUntilSomebodyElseAnswers) {
  net::test::Net net;
  net::FixedResolver dns;
  dns.AddFailure("down.test");
  ImpatientResolver resolver(dns);
  const auto ask = [&](const char* name) { return net.Run(resolver.Query(name, dns::kTypeA)).failure; };
  EXPECT_EQ(ask("down.test"), "no server answered");
  EXPECT_EQ(ask("up.test"), "") << "an answer begins anew";
  for (int i = 0; i < DiscoveryLimits::kSilence; ++i) EXPECT_EQ(ask("down.test"), "no server answered");
  const std::size_t before = dns.queries();
  EXPECT_EQ(ask("up.test"), "no name server answers");
  EXPECT_EQ(dns.queries(), before);
}

TEST(InOrder, ByPriorityThenWeight) {
  std::map<std::string, int> first;
  const std::vector<SrvTarget> targets = {{20, 100, 1, "last"}, {10, 0, 1, "zero"}, {10, 1, 1, "one"}, {10, 3, 1, "three"}};
  for (int i = 0; i < 2000; ++i) {
    const auto order = InOrder(targets, SystemRandomness());
    ASSERT_EQ(order.size(), 4u);
    ASSERT_EQ(order.back().host, "last");
    ++first[order.front().host];
  }
  // Of 5 equal draws one is 0, one is 1, three are 2 to 4.
  EXPECT_GT(first["three"], 1000);
  EXPECT_GT(first["one"], 250);
  EXPECT_GT(first["zero"], 250);
  EXPECT_THAT(InOrder({}, SystemRandomness()), IsEmpty());
}

}  // namespace
}  // namespace glasspost::agent
