#include "capture/tcp_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace glasspost::capture {
namespace {

using List = std::vector<std::uint8_t>;

TEST(TcpOptions, ReadsThoseOfAHandshake) {
  const List list = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 7, 1, 3, 3, 14};
  const TcpOptions o = ParseTcpOptions(list);
  EXPECT_EQ(o.maximum_segment_size, 1460);
  EXPECT_EQ(o.window_scale, 14);
  EXPECT_TRUE(o.sack_permitted);
  EXPECT_EQ(o.timestamps, (TcpOptions::Timestamps{256, 7}));
  EXPECT_FALSE(o.malformed);
}

TEST(TcpOptions, ReadsSelectiveAcknowledgements) {
  const List list = {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
  const TcpOptions o = ParseTcpOptions(list);
  ASSERT_EQ(o.sack_blocks, 2);
  EXPECT_EQ(o.sack[1], (TcpOptions::SackBlock{3, 4}));
}

TEST(TcpOptions, StopsAtTheEndAndPassesTheUnknown) {
  const TcpOptions o = ParseTcpOptions(List{30, 4, 9, 9, 0, 2, 4, 5, 0xb4});
  EXPECT_FALSE(o.maximum_segment_size);
  EXPECT_FALSE(o.malformed);
  EXPECT_FALSE(ParseTcpOptions({}).malformed);
}

TEST(TcpOptions, WrongLengthsAreSaidAndLeftOut) {
  for (const List& bad : {List{2, 3, 5}, List{2, 4, 5}, List{2, 1}, List{2}, List{3, 4, 1, 1}, List{4, 3, 0},
                          List{5, 9, 0, 0, 0, 0, 0, 0, 0}, List{8, 9, 0, 0, 0, 0, 0, 0, 0}, List{2, 0}}) {
    const TcpOptions o = ParseTcpOptions(bad);
    EXPECT_TRUE(o.malformed);
    EXPECT_FALSE(o.maximum_segment_size || o.window_scale || o.timestamps || o.sack_permitted || o.sack_blocks > 0);
  }
  const TcpOptions before = ParseTcpOptions(List{3, 3, 7, 2, 40});
  EXPECT_TRUE(before.malformed);
  EXPECT_EQ(before.window_scale, 7);
}

TEST(TcpOptions, EveryCutIsHarmless) {
  const List list = {2, 4, 5, 0xb4, 1, 3, 3, 7, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2};
  for (std::size_t n = 0; n <= list.size(); ++n) {
    const List cut(list.begin(), list.begin() + static_cast<long>(n));
    const TcpOptions o = ParseTcpOptions(cut);
    EXPECT_EQ(o.maximum_segment_size.has_value(), n >= 4);
    EXPECT_EQ(o.sack_blocks, n == list.size() ? 1 : 0);
  }
}

}  // namespace
}  // namespace glasspost::capture
