#include "wire/text/dot_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace glasspost::text {
namespace {

struct Result {
  std::string message;
  bool done = false;
  std::size_t taken = 0;
  std::vector<std::size_t> look_alikes;  // message octets before each
  DotScan scan;
};

// Feeds `input` cut at `cuts`, going on after look-alikes.
Result Decode(const std::string& input, std::size_t chunk) {
  Result r;
  DotDecoder d;
  d.Reset();
  for (std::size_t at = 0; at < input.size() && !r.done;) {
    const Octets piece = Octets(input).substr(at, chunk - at % chunk);
    const auto step = d.Feed(piece, [&](Octets o) { r.message += o; });
    at += step.taken;
    r.taken = at;
    r.done = step.done;
    if (step.look_alike) r.look_alikes.push_back(r.message.size());
    EXPECT_TRUE(step.taken > 0 || step.look_alike);
  }
  r.scan = d.scan();
  return r;
}

TEST(DotDecoder, EndsOnlyAtTheLoneDot) {
  const Result r = Decode("Subject: x\r\n\r\nhello\r\n..two\r\n...\r\n.\r\nQUIT\r\n", 1000);
  EXPECT_TRUE(r.done);
  EXPECT_EQ(r.message, "Subject: x\r\n\r\nhello\r\n.two\r\n..\r\n");
  EXPECT_EQ(r.taken, 36u);
  EXPECT_EQ(r.scan.message_octets, r.message.size());
  EXPECT_EQ(r.scan.wire_octets, r.taken);
  EXPECT_FALSE(r.scan.bare_cr || r.scan.bare_lf || r.scan.look_alike || r.scan.eight_bit);
  EXPECT_TRUE(Decode(".\r\n", 1000).done);
  EXPECT_EQ(Decode(".\r\n", 1).message, "");
}

TEST(DotDecoder, LookAlikesAreReportedAndDoNotEndIt) {
  for (const std::string odd : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r\n.\rx", "\r.\r\n", "\r.\rx", "\r.\n", "\n.\rx"}) {
    const std::string input = "a" + odd + "MAIL\r\n.\r\n";
    for (const std::size_t chunk : {1u, 2u, 3u, 1000u}) {
      const Result r = Decode(input, chunk);
      EXPECT_TRUE(r.done);
      EXPECT_EQ(r.taken, input.size());
      ASSERT_EQ(r.look_alikes.size(), 1u) << odd << chunk;
      EXPECT_TRUE(r.scan.look_alike);
      EXPECT_EQ(r.message.substr(0, r.look_alikes[0]), "a" + odd.substr(0, odd.find('.')));
    }
  }
}

TEST(DotDecoder, SeesWrongLineEndsAndEightBit) {
  EXPECT_TRUE(Decode("a\nb\r\n.\r\n", 100).scan.bare_lf);
  EXPECT_TRUE(Decode("a\rb\r\n.\r\n", 100).scan.bare_cr);
  EXPECT_TRUE(Decode("a\xc3\xa4\r\n.\r\n", 100).scan.eight_bit);
  EXPECT_FALSE(Decode("a\xc3\r\n.\r\n", 100).scan.bare_cr);
}

TEST(DotDecoder, MeasuresLongLines) {
  for (const std::size_t n : {64u, 65u, 127u, 998u, 999u, 5000u})
    for (const std::size_t chunk : {1u, 7u, 64u, 1448u, 100000u})
      EXPECT_EQ(Decode("x\r\n" + std::string(n, 'y') + "\r\nz\r\n.\r\n", chunk).scan.longest_line, n > 64 ? n : 0)
          << n << ' ' << chunk;
}

// Every chunking of random blocks full of line ends and dots gives the same, and the fast scan is the slow one.
TEST(DotDecoder, ChunkingDoesNotMatter) {
  std::mt19937 random(1);
  const std::string alphabet = "\r\n.ab\xe4";
  for (int round = 0; round < 3000; ++round) {
    std::string input;
    const std::size_t length = random() % 300;
    const unsigned spice = 1 + random() % 40;
    while (input.size() < length) {
      const unsigned x = random() % spice;
      if (x == 0)
        input += alphabet[random() % alphabet.size()];
      else if (x % 7 == 0)
        input += "\r\n";
      else if (x % 13 == 0)
        input += "\r\n..";
      else
        input += 'c';
    }
    const Result whole = Decode(input, 100000);
    for (const std::size_t chunk : {1u, 2u, 3u, 5u, 17u, 63u, 64u, 65u}) {
      const Result r = Decode(input, chunk);
      ASSERT_EQ(r.message, whole.message);
      ASSERT_EQ(r.taken, whole.taken);
      ASSERT_EQ(r.done, whole.done);
      ASSERT_EQ(r.look_alikes, whole.look_alikes);
      ASSERT_EQ(r.scan.eight_bit, whole.scan.eight_bit);
      ASSERT_EQ(r.scan.bare_cr, whole.scan.bare_cr);
      ASSERT_EQ(r.scan.bare_lf, whole.scan.bare_lf);
      ASSERT_EQ(r.scan.longest_line, whole.scan.longest_line);
    }
    DotScanState slow{.after_lf = true};
    const std::size_t passed = PassPlainOctetsSlowly(input, slow);
    std::vector<PassFunction> passes = PassFunctions();
    if (input.size() < 64) passes.clear();  // they want a whole step
    passes.push_back(PassPlainOctets);
    for (const PassFunction pass : passes) {
      DotScanState fast{.after_lf = true};
      ASSERT_EQ(pass(input, fast), passed) << round;
      ASSERT_EQ(fast.after_lf, slow.after_lf);
      ASSERT_EQ(fast.after_cr, slow.after_cr);
      ASSERT_EQ(fast.eight_bit, slow.eight_bit);
      ASSERT_EQ(fast.line_length, slow.line_length);
      ASSERT_EQ(fast.longest_line, slow.longest_line);
    }
  }
}

}  // namespace
}  // namespace glasspost::text
