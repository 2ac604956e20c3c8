#include "wire/mime/hz.h"

#include <gtest/gtest.h>

#include "wire/mime/charset.h"
#include "wire/mime/encoded_word.h"
#include "wire/mime/structure.h"

namespace glasspost::mime {
namespace {

std::string Utf8(Octets text, Octets charset = "hz-gb-2312") {
  std::string out;
  AppendDecoded(out, text, charset);
  return out;
}

TEST(Hz, TheExampleOfTheRfc) {
  // RFC 1843 §4.
  EXPECT_EQ(Utf8("This sentence is in ASCII.\nThe next sentence is in GB.~{<:Ky2;S{#,NpJ)l6HK!#~}Bye.\n"),
            "This sentence is in ASCII.\nThe next sentence is in GB.己所不欲，勿施於人。Bye.\n");
}

TEST(Hz, Escapes) {
  EXPECT_EQ(GbOfHz("a~~b"), "a~b");
  EXPECT_EQ(GbOfHz("a~\nb~\r\nc"), "abc");
  EXPECT_EQ(GbOfHz("~{VPND~}"), "\xd6\xd0\xce\xc4");
  EXPECT_EQ(GbOfHz("~{~}"), "");
  EXPECT_EQ(Utf8("~{VPND~}", "HZ-GB-2312"), "中文");
}

TEST(Hz, ALineThatDoesNotGoBackToAscii) { EXPECT_EQ(Utf8("~{VPND\r\nplain"), "中文\r\nplain"); }

TEST(Hz, WhatHasNoMeaningIsReplaced) {
  EXPECT_EQ(Utf8("a~b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(Utf8("~"), "\xef\xbf\xbd");
  EXPECT_EQ(Utf8("~{VP N"), "中 \xef\xbf\xbd");
  EXPECT_EQ(Utf8("~{V"), "\xef\xbf\xbd");
}

TEST(Hz, OctetsOfEightBitsHaveNoMeaningAndSpoilNoneThatFollow) {
  EXPECT_EQ(Utf8("a\x81~{VPND~}"), "a\xef\xbf\xbd中文");
  EXPECT_EQ(Utf8("~{\x81VPND~}"), "\xef\xbf\xbd中文");
}

TEST(Hz, NeverLonger) {
  const std::string all = [] {
    std::string s;
    for (int a = 0; a < 256; ++a)
      for (const char* b : {"~", "{", "}", "\n", "V"}) (s += static_cast<char>(a)) += b;
    return s;
  }();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_LE(GbOfHz(all.substr(i)).size(), all.size() - i);
    EXPECT_LE(GbOfHz("~{" + all.substr(i)).size(), all.size() - i + 2);
  }
}

TEST(Hz, EncodedWordsAndBodies) {
  std::string subject;
  AppendDecodedValue(subject, "=?HZ-GB-2312?B?fntWUE5Efn0=?= x", ValueKind::kText, {});
  EXPECT_EQ(subject.substr(0, 6), "中文");
  subject.clear();
  AppendDecodedValue(subject, "=?hz-gb-2312?Q?=7E{VPND=7E}?=", ValueKind::kText, {});
  EXPECT_EQ(subject, "中文");
  const Structure s = ReadStructure("Content-Type: text/plain; charset=hz-gb-2312\r\n\r\n~{VPND~}!\r\n");
  EXPECT_EQ(s.text, "中文!\r\n");
}

}  // namespace
}  // namespace glasspost::mime
