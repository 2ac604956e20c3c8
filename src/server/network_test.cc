#include "server/network.h"

#include <gtest/gtest.h>

namespace glasspost::server {
namespace {

Address At(Octets text) { return ParseAddress(text).value(); }

TEST(Network, Contains) {
  const struct {
    const char* network;
    const char* address;
    bool within;
  } cases[] = {
      {"192.0.2.0/24", "192.0.2.255", true},
      {"192.0.2.0/24", "192.0.3.0", false},
      {"192.0.2.0/24", "192.0.1.255", false},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.128/25", "192.0.2.128", true},
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7/32", "192.0.2.6", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "192.0.2.1", true},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::", false},
      {"2001:db8::/33", "2001:db8:8000::", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ParseNetwork(c.network).value().Contains(At(c.address)), c.within) << c.network << " " << c.address;
}

TEST(Network, Text) {
  for (const char* text : {"192.0.2.0/24", "0.0.0.0/0", "192.0.2.1", "2001:db8::/32", "::/0", "::1"})
    EXPECT_EQ(ParseNetwork(text).value().Text(), text);
  EXPECT_EQ(ParseNetwork("192.0.2.1/32").value().Text(), "192.0.2.1");
}

TEST(Network, Mistakes) {
  for (const char* bad :
       {"", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "::/129", "192.0.2/24", "a/8", "192.0.2.0/24/8", "192.0.2.0 /24"})
    EXPECT_FALSE(ParseNetwork(bad)) << bad;
  EXPECT_EQ(ParseNetwork("192.0.2.1/24").error().remedy, "the network is 192.0.2.0/24");
  EXPECT_EQ(ParseNetwork("2001:db8::1/32").error().remedy, "the network is 2001:db8::/32");
}

TEST(Endpoint, Parsed) {
  for (const char* text : {"127.0.0.1:25", "[::1]:25", "[::]:65535", "0.0.0.0:0"})
    EXPECT_EQ(ParseEndpoint(text).value().Text(), text);
  EXPECT_EQ(ParseEndpoint("192.0.2.53", 53).value().Text(), "192.0.2.53:53");
  EXPECT_EQ(ParseEndpoint("2001:db8::53", 53).value().Text(), "[2001:db8::53]:53");
  EXPECT_EQ(ParseEndpoint("[2001:db8::53]", 53).value().Text(), "[2001:db8::53]:53");
  for (const char* bad : {"", ":25", "25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "::1:25", "[::1]",
                          "[::1]25", "[::1:25", "[127.0.0.1]:25", "host:25", "127.0.0.1:25 ", "*:25"})
    EXPECT_FALSE(ParseEndpoint(bad)) << bad;
  EXPECT_FALSE(ParseEndpoint("192.0.2.53:0", 53));
}

TEST(Address, Loopback) {
  for (const char* text : {"127.0.0.1", "127.255.0.3", "::1"}) EXPECT_TRUE(IsLoopback(At(text))) << text;
  for (const char* text : {"128.0.0.1", "::", "::2", "10.0.0.1", "0.0.0.0"}) EXPECT_FALSE(IsLoopback(At(text))) << text;
}

}  // namespace
}  // namespace glasspost::server
