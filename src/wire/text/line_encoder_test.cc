#include "wire/text/line_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/text/line_end_scan.h"

namespace glasspost::text {
namespace {

// One octet at a time, by the words of the header.
std::string Slowly(Octets input, bool stuff) {
  std::string out;
  bool start = true;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const char c = input[i];
    if (c == '\r' || c == '\n') {
      if (c == '\r' && i + 1 < input.size() && input[i + 1] == '\n') ++i;
      out += "\r\n";
      start = true;
      continue;
    }
    if (start && c == '.' && stuff) out += '.';
    out += c;
    start = false;
  }
  if (!start) out += "\r\n";
  return out;
}

bool SlowlyBare(Octets input) {
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (input[i] == '\n' && (i == 0 || input[i - 1] != '\r')) return true;
    if (input[i] == '\r' && (i + 1 == input.size() || input[i + 1] != '\n')) return true;
  }
  return false;
}

// All texts of up to seven octets of the four that matter, in every two pieces.
TEST(LineEncoder, AllShortTextsAtEverySplit) {
  static constexpr char kLetters[] = {'\r', '\n', '.', 'x'};
  for (std::size_t length = 0; length <= 7; ++length) {
    for (unsigned n = 0; n < 1u << (2 * length); ++n) {
      std::string text;
      for (std::size_t i = 0; i < length; ++i) text += kLetters[n >> (2 * i) & 3];
      for (std::size_t at = 0; at <= length; ++at) {
        for (const bool stuff : {true, false}) {
          LineEncoder encoder(stuff);
          std::string out;
          encoder.Append(out, Octets(text).substr(0, at));
          encoder.Append(out, Octets(text).substr(at));
          encoder.Finish(out);
          ASSERT_EQ(out, Slowly(text, stuff)) << n << " of " << length << " split after " << at;
        }
        LineEndScan scan;
        scan.Take(Octets(text).substr(0, at));
        scan.Take(Octets(text).substr(at));
        scan.Finish();
        ASSERT_EQ(scan.bare(), SlowlyBare(text)) << n << " of " << length << " split after " << at;
      }
    }
  }
}

TEST(LineEncoder, LongTexts) {
  std::string text;
  unsigned seed = 1;
  for (int i = 0; i < 20'000; ++i) {
    seed = seed * 1103515245 + 12345;
    const unsigned dice = seed >> 16 & 63;
    text += dice == 0 ? "\n" : dice == 1 ? "\r" : dice < 6 ? "\r\n" : dice < 10 ? "." : "plain text";
  }
  for (const std::size_t piece : {text.size(), std::size_t{1}, std::size_t{100}, std::size_t{4096}}) {
    LineEncoder encoder(true);
    LineEndScan scan;
    std::string out;
    for (Octets rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      encoder.Append(out, rest.substr(0, piece));
      scan.Take(rest.substr(0, piece));
    }
    encoder.Finish(out);
    EXPECT_EQ(out, Slowly(text, true));
    EXPECT_TRUE(scan.bare());
  }
}

TEST(LineEndScan, MeasuresLinesAndSeesEightBits) {
  LineEndScan scan;
  scan.Take(std::string(65, 'x') + "\r\n.\r\n" + std::string(64, 'y') + "\r\n");
  EXPECT_EQ(scan.longest_line(), 65u);
  EXPECT_FALSE(scan.eight_bit());
  scan.Take("\xe4\r\n");
  EXPECT_TRUE(scan.eight_bit());
  EXPECT_FALSE(scan.bare());
}

}  // namespace
}  // namespace glasspost::text
