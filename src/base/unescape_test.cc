#include "base/unescape.h"

#include <gtest/gtest.h>

namespace glasspost {
namespace {

TEST(Unescape, WhatIsMeant) {
  EXPECT_EQ(Unescape("plain").value_or("?"), "plain");
  EXPECT_EQ(Unescape("a\\r\\n\\t\\\\b").value_or("?"), "a\r\n\t\\b");
  EXPECT_EQ(Unescape("\\0\\x00\\xfF").value_or("?"), std::string("\0\0\xff", 3));
  EXPECT_EQ(Unescape("\\x41B").value_or("?"), "AB");
  EXPECT_EQ(Unescape("").value_or("?"), "");
}

TEST(Unescape, WhatIsNoEscapeIsNamed) {
  for (const Octets text : {"\\", "a\\q", "\\x", "\\x4", "\\x4g", "\\X41", "\\ "}) EXPECT_FALSE(Unescape(text)) << text;
  EXPECT_NE(Unescape("a\\q").error().Text().find("\\q"), std::string::npos);
}

}  // namespace
}  // namespace glasspost
