#include "net/machine.h"

#include <gtest/gtest.h>

namespace glasspost::net {
namespace {

TEST(Machine, ResolvConf) {
  const ResolvConf conf = ParseResolvConf(
      "# made by hand\nnameserver 192.0.2.53\nnameserver 2001:db8::53 ; the second\nnameserver fe80::1%eth0\nnameserver "
      "nonsense\n"
      "domain old.test\nsearch a.test b.test\noptions ndots:2\n");
  ASSERT_EQ(conf.name_servers.size(), 3u);
  EXPECT_EQ(conf.name_servers[0].Text(), "192.0.2.53");
  EXPECT_EQ(conf.name_servers[1].Text(), "2001:db8::53");
  EXPECT_EQ(conf.name_servers[2].Text(), "fe80::1");
  EXPECT_EQ(conf.search, (std::vector<std::string>{"a.test", "b.test"}));
}

TEST(Machine, ResolvConfIsBounded) {
  std::string text, search = "search";
  for (std::size_t i = 0; i <= MachineLimits::kNameServers; ++i) text += "nameserver 192.0.2.1\n";
  for (std::size_t i = 0; i <= MachineLimits::kSearch; ++i) search += " a.test";
  const ResolvConf conf = ParseResolvConf(text + search);
  EXPECT_EQ(conf.name_servers.size(), MachineLimits::kNameServers);
  EXPECT_EQ(conf.search.size(), MachineLimits::kSearch);
}

TEST(Machine, DefaultRoutes) {
  const auto four = ParseRoutes4(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\nbroken\n");
  ASSERT_EQ(four.size(), 1u);
  EXPECT_EQ(four[0].interface, "eth0");
  EXPECT_EQ(four[0].address.Text(), "172.17.0.1");
  const auto six = ParseRoutes6(
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 "
      "00000001 "
      "00000000 00000003     eth0\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff "
      "00000001 "
      "00000000 00200200       lo\n");
  ASSERT_EQ(six.size(), 1u);
  EXPECT_EQ(six[0].address.Text(), "fe80::1");
}

TEST(Machine, ThisOneHasALoopback) {
  const Machine machine = DescribeMachine();
  EXPECT_FALSE(machine.host.empty());
  EXPECT_FALSE(machine.resolver.name_servers.empty());
  bool found = false;
  for (const Interface& i : machine.interfaces)
    for (const Interface::Network& n : i.addresses) found |= n.address.Text() == "127.0.0.1" && n.prefix == 8;
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace glasspost::net
