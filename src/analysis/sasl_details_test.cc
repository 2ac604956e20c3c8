#include "analysis/sasl_details.h"

#include <gtest/gtest.h>

namespace glasspost::analysis {
namespace {

std::string Zh(std::string_view decoded) { return SaslDetails(decoded, Language::kChinese); }

TEST(SaslDetails, OurWordsInChinese) {
  EXPECT_EQ(Zh("user \"alice@example.test\""), "用户 \"alice@example.test\"");
  EXPECT_EQ(Zh("user \"a\", acting for \"b\", password *** (10 octets)"), "用户 \"a\"，代表 \"b\"，口令 ***（10 个八位组）");
  EXPECT_EQ(Zh("password \"p\""), "口令 \"p\"");
  EXPECT_EQ(Zh("token of 120 octets"), "120 个八位组的令牌");
  EXPECT_EQ(Zh("target \"WIN\", challenge 8 octets"), "目标 \"WIN\"，质询 8 个八位组");
  EXPECT_EQ(Zh("NTLM negotiation"), "NTLM 协商");
  EXPECT_EQ(Zh("user \"a\", response *** (1 octet)"), "用户 \"a\"，回答 ***（1 个八位组）");
  EXPECT_EQ(SaslDetails("user \"a\", password *** (1 octet)", Language::kEnglish), "user \"a\", password *** (1 octet)");
}

TEST(SaslDetails, WhatThePeerWroteStays) {
  EXPECT_EQ(Zh("Username:"), "Username:");
  EXPECT_EQ(Zh("<1896.697170952@postoffice.example.net>"), "<1896.697170952@postoffice.example.net>");
  EXPECT_EQ(Zh("user name, please"), "user name, please");
  EXPECT_EQ(Zh("user \"open"), "user \"open");
  EXPECT_EQ(Zh("user \"a\", and more"), "user \"a\", and more");
  EXPECT_EQ(Zh(""), "");
  // Quotes and words inside a value are the value's.
  EXPECT_EQ(Zh("user \"the \"user\", he said\", password \"x\"y\""), "用户 \"the \"user\", he said\"，口令 \"x\"y\"");
}

TEST(SaslDetails, Masks) {
  EXPECT_EQ(MasksIn("*** (7 octets)", Language::kChinese), "***（7 个八位组）");
  EXPECT_EQ(MasksIn("mrose *** (1 octet)", Language::kChinese), "mrose ***（1 个八位组）");
  EXPECT_EQ(MasksIn("*** (x octets) *** (", Language::kChinese), "*** (x octets) *** (");
  EXPECT_EQ(MasksIn("*** (7 octets)", Language::kEnglish), "*** (7 octets)");
}

}  // namespace
}  // namespace glasspost::analysis
