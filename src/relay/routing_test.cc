#include "relay/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/journey.h"
#include "net/fixed_resolver.h"
#include "net/host_name.h"
#include "net/test_support.h"
#include "relay/destination.h"
#include "relay/next_id.h"
#include "wire/dns/message.h"

namespace glasspost::relay {
namespace {

using smtp::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

class RoutingTest : public testing::Test {
 protected:
  Itinerary Find(const std::string& domain) {
    return net_.Run(FindHops(resolver_, options_, FindRoute(options_, domain), domain, SystemRandomness()));
  }
  std::vector<std::string> Hops(const std::string& domain) {
    std::vector<std::string> hops;
    for (const Hop& hop : Find(domain).hops) hops.push_back(hop.host + " " + hop.endpoint.Text());
    return hops;
  }
  std::string Failure(const std::string& domain) {
    const Itinerary way = Find(domain);
    EXPECT_TRUE(way.hops.empty());
    return (way.failure.kind == Outcome::Kind::kRefused ? "refused " : "deferred ") + way.failure.enhanced;
  }
  void Mx(std::string_view name, std::string_view data) { ASSERT_TRUE(resolver_.Add(name, dns::kTypeMx, data)); }
  void A(std::string_view name, std::string_view data) { ASSERT_TRUE(resolver_.Add(name, dns::kTypeA, data)); }
  void Aaaa(std::string_view name, std::string_view data) { ASSERT_TRUE(resolver_.Add(name, dns::kTypeAaaa, data)); }

  net::test::Net net_;
  net::FixedResolver resolver_;
  RelayOptions options_{.host = "me.test", .own_names = {"also-me.test"}};
};

TEST_F(RoutingTest, MxByPreferenceAddressesInTurn) {
  Mx("a.test", "20 second.test.");
  Mx("a.test", "10 first.test.");
  A("first.test", "192.0.2.1");
  A("first.test", "192.0.2.2");
  Aaaa("first.test", "2001:db8::1");
  A("second.test", "192.0.2.3");
  EXPECT_THAT(Hops("a.test"), ElementsAre("first.test [2001:db8::1]:25", "first.test 192.0.2.1:25", "first.test 192.0.2.2:25",
                                          "second.test 192.0.2.3:25"));
  options_.family = Family::kIpv4;
  EXPECT_THAT(Hops("a.test"), ElementsAre("first.test 192.0.2.1:25", "first.test 192.0.2.2:25", "second.test 192.0.2.3:25"));
  options_.family = Family::kIpv6;
  EXPECT_THAT(Hops("a.test"), ElementsAre("first.test [2001:db8::1]:25"));
  options_.limits.hosts = 2;
  options_.family = Family::kAny;
  EXPECT_EQ(Hops("a.test").size(), 2u);
}

TEST_F(RoutingTest, EqualPreferenceIsShuffled) {
  for (const char* host : {"x.test", "y.test", "z.test"}) {
    Mx("a.test", "10 " + std::string(host) + ".");
    A(host, "192.0.2.1");
  }
  std::set<std::string> firsts;
  for (int i = 0; i < 200; ++i) firsts.insert(Find("a.test").hops.at(0).host);
  EXPECT_THAT(firsts, ElementsAre("x.test", "y.test", "z.test"));
}

TEST_F(RoutingTest, WithoutMxTheAddressCounts) {
  A("a.test", "192.0.2.7");
  EXPECT_THAT(Hops("a.test"), ElementsAre("a.test 192.0.2.7:25"));
}

TEST_F(RoutingTest, WithMxTheAddressDoesNotCount) {
  A("a.test", "192.0.2.7");
  Mx("a.test", "10 nowhere.test.");
  EXPECT_EQ(Failure("a.test"), "refused 5.4.4");
  resolver_.AddFailure("nowhere.test");
  EXPECT_EQ(Failure("a.test"), "deferred 4.4.3");
}

TEST_F(RoutingTest, NullMx) {
  A("a.test", "192.0.2.7");
  Mx("a.test", "0 .");
  EXPECT_EQ(Failure("a.test"), "refused 5.1.10");
}

TEST_F(RoutingTest, OwnNameCutsTheList) {
  Mx("a.test", "10 first.test.");
  Mx("a.test", "20 ALSO-me.test.");
  Mx("a.test", "20 peer.test.");
  Mx("a.test", "30 last.test.");
  for (const char* host : {"first.test", "also-me.test", "peer.test", "last.test"}) A(host, "192.0.2.1");
  EXPECT_THAT(Hops("a.test"), ElementsAre("first.test 192.0.2.1:25"));
  Mx("loop.test", "10 me.test.");
  Mx("loop.test", "20 last.test.");
  EXPECT_EQ(Failure("loop.test"), "refused 5.4.6");
  A("me.test", "192.0.2.9");
  EXPECT_EQ(Failure("me.test"), "refused 5.4.6");  // the implicit MX is we ourselves
}

TEST_F(RoutingTest, FailuresOfTheDns) {
  EXPECT_EQ(Failure("nowhere.test"), "refused 5.1.2");
  resolver_.AddFailure("dead.test");
  EXPECT_EQ(Failure("dead.test"), "deferred 4.4.3");
  Mx("bogus.test", "10 x.test.");
  resolver_.SetSecurity(net::DnsAnswer::Security::kBogus);
  EXPECT_EQ(Failure("bogus.test"), "deferred 4.4.3");
}

TEST_F(RoutingTest, Aliases) {
  ASSERT_TRUE(resolver_.Add("a.test", dns::kTypeCname, "b.test."));
  Mx("b.test", "10 c.test.");
  ASSERT_TRUE(resolver_.Add("c.test", dns::kTypeCname, "d.test."));
  A("d.test", "192.0.2.4");
  EXPECT_THAT(Hops("a.test"), ElementsAre("c.test 192.0.2.4:25"));
  ASSERT_TRUE(resolver_.Add("l1.test", dns::kTypeCname, "l2.test."));
  ASSERT_TRUE(resolver_.Add("l2.test", dns::kTypeCname, "l1.test."));
  EXPECT_EQ(Failure("l1.test").substr(0, 8), "refused ");
}

TEST_F(RoutingTest, AddressLiterals) {
  EXPECT_THAT(Hops("[192.0.2.1]"), ElementsAre("192.0.2.1 192.0.2.1:25"));
  EXPECT_THAT(Hops("[ipv6:2001:db8::1]"), ElementsAre("2001:db8::1 [2001:db8::1]:25"));
  EXPECT_EQ(Failure("[x-other:1]"), "refused 5.1.2");
  EXPECT_EQ(resolver_.queries(), 0u);
}

TEST_F(RoutingTest, RoutesTheLongestThatFits) {
  options_.routes = {{"*", {.host = "smart.test", .port = 587, .credentials = {}}},
                     {".b.test", {.host = "192.0.2.2", .port = 26, .credentials = {}}},
                     {"a.test", {.host = "", .tls = TlsPolicy::kRequired, .credentials = {}}}};
  A("smart.test", "192.0.2.5");
  Mx("a.test", "10 mx.a.test.");
  A("mx.a.test", "192.0.2.6");
  EXPECT_THAT(Hops("z.test"), ElementsAre("smart.test 192.0.2.5:587"));
  EXPECT_THAT(Hops("x.b.test"), ElementsAre("192.0.2.2 192.0.2.2:26"));
  EXPECT_THAT(Hops("b.test"), ElementsAre("smart.test 192.0.2.5:587"));
  EXPECT_THAT(Hops("a.test"), ElementsAre("mx.a.test 192.0.2.6:25"));
  EXPECT_EQ(Find("a.test").by.tls, TlsPolicy::kRequired);
  EXPECT_EQ(DestinationOf(options_, "u@Z.test"), "route:*");
  EXPECT_EQ(DestinationOf(options_, "u@x.B.test"), "route:.b.test");
  EXPECT_EQ(DestinationOf(options_, "u@A.test"), "a.test");
  // What the operator named and the DNS does not know may be a slip of today.
  options_.routes = {{"*", {.host = "gone.test", .credentials = {}}}};
  EXPECT_EQ(Failure("z.test"), "deferred 4.4.4");
}

TEST_F(RoutingTest, TheAnswerGoesIntoTheJourney) {
  resolver_.SetSecurity(net::DnsAnswer::Security::kSecure);
  Mx("a.test", "10 mx.test.");
  A("mx.test", "192.0.2.6");
  const Itinerary way = Find("a.test");
  EXPECT_TRUE(way.authentic);
  EXPECT_EQ(FindDetail(way.detail, "question"), "a.test. MX");
  EXPECT_EQ(FindDetail(way.detail, "security"), "secure");
  EXPECT_EQ(FindDetail(way.detail, "hosts"), "mx.test 192.0.2.6:25");
  dns::Message message;
  dns::Decode(FindDetail(way.detail, "answer"), message);
  EXPECT_EQ(message.records.size(), 1u);
}

TEST(Destination, Addresses) {
  EXPECT_EQ(*net::AsciiDomain("M\xc3\xbcnchen.Example."), "xn--mnchen-3ya.example");
  EXPECT_EQ(*net::AsciiDomain("\xc3\xbc.test\xe3\x80\x82"), "xn--tda.test") << "an ideographic full stop is a dot, too";
  for (const Octets none : {"", ".", "a..", "a..test", ".test", "\xc3\xbc..test", "\xc3\xbc.test.."})
    EXPECT_EQ(net::AsciiDomain(none), std::nullopt) << none;
  EXPECT_EQ(net::AsciiDomain(Octets("a\0.example", 10)), std::nullopt);
  EXPECT_EQ(net::AsciiDomain(Octets("\xc3\xbc\0.example", 11)), std::nullopt);
  EXPECT_EQ(SplitAddress("\"a b\\\"\"@X.test")->local, "a b\"");
  EXPECT_EQ(SplitAddress("a@x.test")->domain, "x.test");
  EXPECT_EQ(SplitAddress("postmaster"), std::nullopt);
  EXPECT_EQ(SplitAddress(""), std::nullopt);
  EXPECT_EQ(DestinationOf({}, "u@[192.0.2.1]"), "[192.0.2.1]");
}

TEST(NextId, ManyServersWords) {
  EXPECT_EQ(NextQueueId("Ok: queued as 4XyZ1234"), "4XyZ1234");
  EXPECT_EQ(NextQueueId("OK id=1tABcd-000123-4e"), "1tABcd-000123-4e");
  EXPECT_EQ(NextQueueId("7d3c1a2b Message accepted for delivery"), "7d3c1a2b");
  EXPECT_EQ(NextQueueId("ok 1700000000 qp 4711"), "4711");
  EXPECT_EQ(NextQueueId("<m@x> [InternalId=12345, Hostname=h] Queued mail for delivery"), "12345");
  EXPECT_EQ(NextQueueId("Ok"), "");
  EXPECT_EQ(NextQueueId("queued as " + std::string(100, '1')), "");
  EXPECT_EQ(NextQueueId("queued as soon as possible"), "");
}

}  // namespace
}  // namespace glasspost::relay
