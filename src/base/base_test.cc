#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/digits.h"
#include "base/escape.h"
#include "base/frame_list.h"
#include "base/redaction.h"
#include "base/sha256.h"

namespace glasspost {
namespace {

TEST(Base64, KnowsItsOwn) {
  for (const std::string s : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) EXPECT_EQ(DecodeBase64(EncodeBase64(s)), s);
  EXPECT_EQ(EncodeBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(DecodeBase64("VXNlcm5hbWU6"), "Username:");
  for (const char* bad : {"=", "Zg=", "Zg", "Z===", "Zm9v====", "Zm 9", "Zm9vYg=b"}) EXPECT_FALSE(DecodeBase64(bad)) << bad;
}

TEST(Escape, TerminalSeesNoControls) {
  EXPECT_EQ(ForTerminal("a\x1b[31mb\r\n"), "a\\x1b[31mb\\x0d\\x0a");
  EXPECT_EQ(ForTerminal("会议"), "会议");
  EXPECT_EQ(ForTerminal("\xff\xc0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(ForTerminal("\u202eabc"), "\\u{202e}abc");
}

TEST(Escape, JsonIsJson) {
  std::string out;
  AppendJsonString(out, Octets("a\"\\\n\0\xff会", 9));
  EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u0000\xef\xbf\xbd会\"");
}

TEST(Escape, JsonKeepsNoTerminalControls) {
  std::string out;
  AppendJsonString(out,
                   "a\xc2\x9b"
                   "b\xe2\x80\xae"
                   "c\xe2\x80\xa8");
  EXPECT_EQ(out, "\"a\\u009bb\\u202ec\\u2028\"");
}

TEST(Digits, AreThoseOfTheStandardLibrary) {
  const auto check = [](std::uint64_t value) {
    char text[2 * kMostDigits];
    const std::string got(text, PutNumber(text, value));
    ASSERT_EQ(got, std::to_string(value));
  };
  for (std::uint64_t value = 0; value < 200'000; ++value) check(value);
  for (std::uint64_t value = 1; value < 100'000'000; value = value * 9 / 8 + 1) check(value), check(100'000'000 - value);
  for (std::uint64_t power = 1, i = 0; i < 20; ++i, power *= 10) check(power - 1), check(power), check(power + 1);
  check(~std::uint64_t{0});
  char nine[9];
  for (const std::uint32_t value : {0u, 7u, 99'999'999u, 100'000'000u, 123'456'789u, 999'999'999u}) {
    const std::string digits = std::to_string(value);
    EXPECT_EQ(std::string(nine, PutNineDigits(nine, value)), std::string(9 - digits.size(), '0') + digits);
  }
}

TEST(Json, PlainIsWhatIsLeftAsItIs) {
  for (std::size_t size = 0; size <= 40; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(IsPlainJson(text));
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        text[at] = static_cast<char>(c);
        std::string json;
        AppendJsonString(json, text);
        const bool plain = c < 0x7f && json == '"' + text + '"';
        ASSERT_EQ(IsPlainJson(text), plain) << size << ' ' << at << ' ' << c;
      }
      text[at] = 'a';
    }
  }
}

// However they stand to each other and to the words that are looked at: each octet alone says what it is written as.
TEST(Json, EscapesAreTheSameWhereverTheyStand) {
  const auto inside = [](const std::string& text) {
    std::string json;
    AppendJsonString(json, text);
    return json.substr(1, json.size() - 2);
  };
  const std::string behind(9, 'z');
  for (std::size_t before = 0; before <= 17; ++before) {
    const std::string plain(before, 'a');
    for (int c = 0; c < 128; ++c) {
      for (const char next : {'a', ' ', '!', '"', '#', '[', '\\', ']', '~', '\x1f', '\x7f'}) {
        const std::string odd(1, static_cast<char>(c)), other(1, next);
        ASSERT_EQ(inside(plain + odd + other + behind), plain + inside(odd) + inside(other) + behind) << before << ' ' << c;
        ASSERT_EQ(inside(plain + odd + plain + other), plain + inside(odd) + plain + inside(other)) << before << ' ' << c;
      }
    }
  }
}

TEST(FrameList, GivesBackWhatWasAdded) {
  FrameList list;
  for (const std::uint64_t f : {7u, 7u, 5u, 4000000000u, 1u, 0u}) list.Add(f);
  std::vector<std::uint64_t> got;
  list.ForEach([&](std::uint64_t f) { got.push_back(f); });
  EXPECT_EQ(got, (std::vector<std::uint64_t>{7, 5, 4000000000u, 1}));
  EXPECT_EQ(list.first(), 7u);
}

TEST(FrameList, KeepsSoManyAndTheLast) {
  FrameList list;
  for (std::uint64_t f = 1; f <= FrameList::kMost; ++f) list.Add(f);
  const std::size_t memory = list.memory();
  std::size_t count = 0;
  std::uint64_t last = 0;
  const auto look = [&](std::uint64_t f) { ++count, last = f; };
  list.ForEach(look);
  EXPECT_EQ(count, FrameList::kMost);
  list.Add(FrameList::kMost + 1);
  list.Add(FrameList::kMost + 9);
  count = 0;
  list.ForEach(look);
  EXPECT_EQ(count, FrameList::kMost + 1);
  EXPECT_EQ(last, FrameList::kMost + 9);
  EXPECT_EQ(list.size(), FrameList::kMost + 2);
  EXPECT_EQ(list.memory(), memory);
}

TEST(Sha256, KnowsTheStandardsExample) {
  Sha256 h;
  h.Update("a");
  h.Update("bc");
  EXPECT_EQ(Hex(h.Finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Redaction, CountsOctets) { EXPECT_EQ(Mask("wonderland"), "*** (10 octets)"); }

}  // namespace
}  // namespace glasspost
