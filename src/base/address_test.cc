#include "base/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

namespace glasspost {
namespace {

Address FromText(const char* text) {
  Address a;
  EXPECT_EQ(inet_pton(AF_INET6, text, a.octets.data()), 1) << text;
  return a;
}

TEST(Address, V4IsDottedDecimal) {
  const std::uint8_t p[] = {10, 132, 254, 9};
  EXPECT_EQ(Address::V4(p).Text(), "10.132.254.9");
  EXPECT_EQ(FromText("::ffff:192.0.2.255").Text(), "192.0.2.255");
}

// RFC 5952 §4: the one form of each address.
TEST(Address, V6IsCanonical) {
  const std::pair<const char*, const char*> kCases[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"0:1:2:3:4:5:0:0", "0:1:2:3:4:5::"},
      {"fe80::0204:61ff:fe9d:f156", "fe80::204:61ff:fe9d:f156"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& [in, out] : kCases) EXPECT_EQ(FromText(in).Text(), out);
}

TEST(Address, TextIsReadBackAsTheSameAddress) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    Address a;
    for (auto& o : a.octets) o = random() % 3 ? 0 : static_cast<std::uint8_t>(random());
    if (!a.is_v4()) {
      ASSERT_EQ(FromText(a.Text().c_str()), a);
    }
  }
}

TEST(Endpoint, HasItsPortAndV6Brackets) {
  const std::uint8_t p[] = {220, 181, 12, 101};
  EXPECT_EQ((Endpoint{Address::V4(p), 110}).Text(), "220.181.12.101:110");
  EXPECT_EQ((Endpoint{FromText("2001:db8::1"), 65535}).Text(), "[2001:db8::1]:65535");
  std::string out = "x";
  Endpoint{FromText("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 0}.AppendText(out);
  EXPECT_EQ(out, "x[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:0");
}

}  // namespace
}  // namespace glasspost
