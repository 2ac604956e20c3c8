#include "analysis/style.h"

#include <gtest/gtest.h>

namespace glasspost::analysis {
namespace {

std::string Wrapped(std::string_view text, std::size_t at, std::size_t columns) {
  std::string out;
  AppendWrapped(out, text, at, columns);
  return out;
}

TEST(Style, WrapsWords) {
  EXPECT_EQ(Wrapped("one two three four five six seven", 0, 20), "one two three four\nfive six seven");
  EXPECT_EQ(Wrapped("one two three four five six seven", 4, 24), "one two three four\n    five six seven");
  EXPECT_EQ(Wrapped("12345678901234567890", 0, 20), "12345678901234567890");
  EXPECT_EQ(Wrapped("a 12345678901234567890123", 0, 20), "a\n12345678901234567890123");  // a word is not torn
  EXPECT_EQ(Wrapped("one two three four five six seven", 0, 0), "one two three four five six seven");
  EXPECT_EQ(Wrapped("one two three four five six seven", 10, 20), "one two three four five six seven");  // no room
  EXPECT_EQ(Wrapped("", 0, 20), "");
}

TEST(Style, WrapsChineseAnywhereButAtItsMarks) {
  EXPECT_EQ(Wrapped("一二三四五六七八九十一二", 0, 20), "一二三四五六七八九十\n一二");
  EXPECT_EQ(Wrapped("一二三四五六七八九十，一二", 0, 20), "一二三四五六七八九\n十，一二");
  EXPECT_EQ(Wrapped("一二三四五六七八九（十）一", 0, 20), "一二三四五六七八九\n（十）一");
  EXPECT_EQ(Wrapped("一二三四五六七八 RFC 二", 0, 20), "一二三四五六七八 RFC\n二");
}

TEST(Style, WidthAndPadding) {
  EXPECT_EQ(DisplayWidth("邮件 a→"), 7u);
  EXPECT_EQ(PadRight("邮件", 6), "邮件  ");
  EXPECT_EQ(PadLeft("邮件", 6), "  邮件");
  EXPECT_EQ((Style{.colour = true}.Bold("x")), "\x1b[1mx\x1b[0m");
  EXPECT_EQ((Style{}.Bold("x")), "x");
}

TEST(Style, CutToWidth) {
  EXPECT_EQ(CutToWidth("subject", 7), "subject");
  EXPECT_EQ(CutToWidth("subject", 6), "subje…");
  EXPECT_EQ(CutToWidth("会议记录", 8), "会议记录");
  EXPECT_EQ(CutToWidth("会议记录", 7), "会议记…");
  EXPECT_EQ(CutToWidth("会议记录", 6), "会议…");  // no half of a wide character
  EXPECT_EQ(CutToWidth("会", 1), "…");
  EXPECT_EQ(CutToWidth("会", 0), "");
  EXPECT_EQ(CutToWidth("", 0), "");
  EXPECT_EQ(CutToWidth("a\xff"
                       "b",
                       2),
            "a…");
}

}  // namespace
}  // namespace glasspost::analysis
