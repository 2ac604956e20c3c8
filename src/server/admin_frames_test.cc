#include "server/admin_frames.h"

#include <gtest/gtest.h>

#include <vector>

namespace glasspost::server {
namespace {

using State = FrameReader::State;

struct Taken {
  FrameType type;
  std::string content;
  bool operator==(const Taken&) const = default;
};

std::vector<Taken> Drain(FrameReader& reader) {
  std::vector<Taken> out;
  Frame frame;
  while (reader.Next(frame) == State::kDone) out.push_back({frame.type, std::string(frame.content)});
  return out;
}

std::string Stream() {
  std::string out;
  AppendFrame(out, FrameType::kJson, R"({"do":"ping"})");
  AppendFrame(out, FrameType::kOctets, std::string("\0\r\n.\xff", 5));
  AppendFrame(out, FrameType::kEnd, {});
  return out;
}

TEST(AdminFrames, AnyChunkingGivesTheSame) {
  const std::string stream = Stream();
  FrameReader whole(FrameLimits::kRequest);
  whole.Feed(stream);
  const auto expected = Drain(whole);
  ASSERT_EQ(expected.size(), 3u);
  EXPECT_EQ(expected[1].content, std::string("\0\r\n.\xff", 5));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader(FrameLimits::kRequest);
    reader.Feed(Octets(stream).substr(0, cut));
    auto got = Drain(reader);
    reader.Feed(Octets(stream).substr(cut));
    for (Taken& t : Drain(reader)) got.push_back(std::move(t));
    EXPECT_EQ(got, expected) << cut;
    EXPECT_EQ(reader.held(), 0u);
  }
  FrameReader bytes(FrameLimits::kRequest);
  std::vector<Taken> got;
  for (const char c : stream + "\x01") {
    bytes.Feed({&c, 1});
    for (Taken& t : Drain(bytes)) got.push_back(std::move(t));
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(bytes.held(), 1u);
}

State StateOf(std::size_t length, char type, std::size_t limit) {
  std::string head;
  for (int shift = 24; shift >= 0; shift -= 8) head.push_back(static_cast<char>(length >> shift & 0xff));
  head.push_back(type);
  FrameReader reader(limit);
  reader.Feed(head);
  Frame frame;
  return reader.Next(frame);
}

TEST(AdminFrames, LimitsHold) {
  EXPECT_EQ(StateOf(FrameLimits::kRequest, 'J', FrameLimits::kRequest), State::kMore);
  EXPECT_EQ(StateOf(FrameLimits::kRequest + 1, 'J', FrameLimits::kRequest), State::kBroken);
  EXPECT_EQ(StateOf(FrameLimits::kOctets, 'O', FrameLimits::kRequest), State::kMore);
  EXPECT_EQ(StateOf(FrameLimits::kOctets + 1, 'O', FrameLimits::kRequest), State::kBroken);
  EXPECT_EQ(StateOf(0, 'E', FrameLimits::kRequest), State::kDone);
  EXPECT_EQ(StateOf(1, 'E', FrameLimits::kRequest), State::kBroken);
  EXPECT_EQ(StateOf(1, 'X', FrameLimits::kRequest), State::kBroken);
  EXPECT_EQ(StateOf(0xffffffff, 'J', FrameLimits::kRequest), State::kBroken);
}

}  // namespace
}  // namespace glasspost::server
