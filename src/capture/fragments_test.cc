#include "capture/fragments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "capture/decoder.h"
#include "support/frame_builder.h"

namespace glasspost::capture {
namespace {

using namespace test;

struct Whole {
  DecodeResult result = DecodeResult::kOther;
  Packet packet;
};

// A capture of frames, decoded one after another.
class Capture {
 public:
  explicit Capture(const FragmentLimits& limits = {}) : decoder_(limits) {}
  Whole Add(const FrameOctets& octets, Timestamp time = 0, std::size_t cut = 0) {
    frames_.push_back(std::make_unique<FrameOctets>(octets));
    frames_.back()->resize(octets.size() - cut);
    frames_.back()->shrink_to_fit();
    RawFrame frame = AsFrame(*frames_.back(), LinkType::kRaw, frames_.size(), time);
    frame.wire_length = static_cast<std::uint32_t>(octets.size());
    Whole w;
    w.result = decoder_.Decode(frame, w.packet, memory_);
    return w;
  }
  const FragmentTable& table() const { return decoder_.fragments(); }

 private:
  Decoder decoder_;
  std::vector<std::unique_ptr<FrameOctets>> frames_;
  std::vector<std::vector<std::uint8_t>> memory_;
};

FrameOctets LongPayload(std::size_t n = 100) {
  FrameOctets p(n);
  std::iota(p.begin(), p.end(), std::uint8_t{1});
  return p;
}

struct Piece {
  std::size_t offset, length;
};

FrameOctets V4(const FrameOctets& datagram, Piece piece, std::uint16_t id = 1) {
  const FrameOctets part(datagram.begin() + static_cast<long>(piece.offset),
                         datagram.begin() + static_cast<long>(piece.offset + piece.length));
  const bool more = piece.offset + piece.length < datagram.size();
  return Ipv4(6, part, {.id = id, .fragment = static_cast<std::uint16_t>(piece.offset / 8 | (more ? 0x2000 : 0))});
}

FrameOctets V6(const FrameOctets& datagram, Piece piece, std::uint8_t next = 6) {
  const FrameOctets part(datagram.begin() + static_cast<long>(piece.offset),
                         datagram.begin() + static_cast<long>(piece.offset + piece.length));
  const bool more = piece.offset + piece.length < datagram.size();
  return Ipv6(44, Join({{next, 0}, Number16(static_cast<std::uint32_t>(piece.offset) | more), Number32(77), part}));
}

// 120 octets in four pieces.
const Piece kPieces[] = {{0, 32}, {32, 40}, {72, 40}, {112, 8}};

TEST(Fragments, AnyOrderGivesTheDatagram) {
  for (const bool v6 : {false, true}) {
    const FrameOctets datagram = Tcp({.payload = LongPayload()}, v6);
    std::vector<int> order = {0, 1, 2, 3};
    do {
      Capture capture;
      for (int i = 0; i < 4; ++i) {
        const Piece piece = kPieces[order[static_cast<std::size_t>(i)]];
        const Whole w = capture.Add(v6 ? V6(datagram, piece) : V4(datagram, piece));
        if (i < 3) {
          ASSERT_EQ(w.result, DecodeResult::kFragment);
          continue;
        }
        ASSERT_EQ(w.result, DecodeResult::kPacket);
        EXPECT_EQ(w.packet.frame, 4u);
        EXPECT_EQ(w.packet.fragments, 4);
        EXPECT_EQ(w.packet.fragment_overlap, 0);
        EXPECT_EQ(w.packet.ip_payload_length, 120u);
        EXPECT_EQ(w.packet.payload_length, 100u);
        EXPECT_EQ(w.packet.Payload(), AsOctets(LongPayload()));
        EXPECT_EQ(w.packet.source.Text(), v6 ? "2001:db8::1" : "192.0.2.1");
      }
      EXPECT_EQ(capture.table().pending(), 0u);
      EXPECT_EQ(capture.table().octets(), 0u);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(Fragments, DuplicatesAreCountedAndHarmless) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  Capture capture;
  for (const int i : {1, 1, 3, 3, 0, 0}) EXPECT_EQ(capture.Add(V4(datagram, kPieces[i])).result, DecodeResult::kFragment);
  const Whole w = capture.Add(V4(datagram, kPieces[2]));
  ASSERT_EQ(w.result, DecodeResult::kPacket);
  EXPECT_EQ(w.packet.fragments, 7);
  EXPECT_EQ(w.packet.fragment_overlap, 1);
  EXPECT_EQ(w.packet.Payload(), AsOctets(LongPayload()));
}

TEST(Fragments, OfOverlappingOctetsTheFirstStay) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  FrameOctets other = datagram;
  std::fill(other.begin() + 20, other.end(), 0xee);
  Capture capture;
  capture.Add(V4(datagram, {32, 40}));
  capture.Add(V4(other, {24, 64}));  // 24..32 and 72..88 are new
  capture.Add(V4(datagram, {0, 32}));
  const Whole w = capture.Add(V4(datagram, {80, 40}));
  ASSERT_EQ(w.result, DecodeResult::kPacket);
  EXPECT_EQ(w.packet.fragment_overlap, 2);
  FrameOctets expected = LongPayload();
  std::fill(expected.begin() + 4, expected.begin() + 12, 0xee);
  std::fill(expected.begin() + 52, expected.begin() + 68, 0xee);
  EXPECT_EQ(w.packet.Payload(), AsOctets(expected));
}

TEST(Fragments, TheFirstWordOnTheEndStands) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  Capture capture;
  capture.Add(V4(datagram, {112, 8}));
  const FrameOctets longer = Tcp({.payload = LongPayload(200)});
  EXPECT_EQ(capture.Add(V4(longer, {120, 40})).result, DecodeResult::kFragment);  // beyond the end
  EXPECT_EQ(capture.Add(V4(longer, {104, 40})).result, DecodeResult::kFragment);  // across it
  const Whole w = capture.Add(V4(datagram, {0, 104}));
  ASSERT_EQ(w.result, DecodeResult::kPacket);
  EXPECT_EQ(w.packet.payload_length, 100u);
  EXPECT_EQ(w.packet.fragment_overlap, 2);
}

TEST(Fragments, RandomPiecesGiveTheSame) {
  std::mt19937 random(2);
  const FrameOctets payload = LongPayload(700);
  const FrameOctets datagram = Tcp({.payload = payload});
  for (int round = 0; round < 300; ++round) {
    Capture capture;
    Whole w;
    int n = 0;
    while (w.result != DecodeResult::kPacket && ++n < 1000) {
      const std::size_t from = random() % 90 * 8, length = std::min<std::size_t>((1 + random() % 20) * 8, datagram.size() - from);
      w = capture.Add(V4(datagram, {from, length}));
    }
    ASSERT_EQ(w.result, DecodeResult::kPacket);
    ASSERT_EQ(w.packet.Payload(), AsOctets(payload));
    ASSERT_NE(w.packet.fragment_overlap, 2);
    ASSERT_EQ(w.packet.fragments, std::min(n, 255));
  }
}

TEST(Fragments, DatagramsAreKeptApart) {
  const FrameOctets a = Tcp({.source_port = 1, .payload = LongPayload()}), b = Tcp({.source_port = 2, .payload = LongPayload()});
  Capture capture;
  capture.Add(V4(a, {0, 64}, 1));
  capture.Add(V4(b, {0, 64}, 2));
  const Whole second = capture.Add(V4(b, {64, 56}, 2)), first = capture.Add(V4(a, {64, 56}, 1));
  ASSERT_EQ(second.result, DecodeResult::kPacket);
  ASSERT_EQ(first.result, DecodeResult::kPacket);
  EXPECT_EQ(second.packet.source_port, 2);
  EXPECT_EQ(first.packet.source_port, 1);
}

// The octets after the cut stand for nothing: they are counted and not invented.
TEST(Fragments, CutFragmentsGiveTheLengthWithoutTheOctets) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  Capture capture;
  capture.Add(V4(datagram, {64, 56}));
  const Whole w = capture.Add(V4(datagram, {0, 64}), 0, 24);
  ASSERT_EQ(w.result, DecodeResult::kPacket);
  EXPECT_EQ(w.packet.payload_length, 100u);
  EXPECT_EQ(w.packet.Payload(), AsOctets(LongPayload()).substr(0, 20));
}

TEST(Fragments, TheFirstFragmentsNextHeaderCounts) {
  const FrameOctets datagram = Join({{6, 0, 1, 4, 0, 0, 0, 0}, Tcp({.payload = LongPayload()}, true)});
  Capture capture;
  capture.Add(V6(datagram, {64, 64}, 17));
  const Whole w = capture.Add(V6(datagram, {0, 64}, 60));
  ASSERT_EQ(w.result, DecodeResult::kPacket);
  EXPECT_EQ(w.packet.Payload(), AsOctets(LongPayload()));
}

TEST(Fragments, InATunnelToo) {
  const FrameOctets datagram = Ipv4(6, Tcp({.payload = LongPayload()}));
  Capture capture;
  const auto part = [&](std::size_t from, std::size_t to) {
    return FrameOctets(datagram.begin() + static_cast<long>(from), datagram.begin() + static_cast<long>(to));
  };
  capture.Add(Ipv4(4, part(0, 80), {.fragment = 0x2000}));
  const Whole w = capture.Add(Ipv4(4, part(80, datagram.size()), {.fragment = 10}));
  ASSERT_EQ(w.result, DecodeResult::kPacket);
  EXPECT_EQ(w.packet.Payload(), AsOctets(LongPayload()));
  EXPECT_EQ(w.packet.fragments, 2);
}

TEST(Fragments, ImpossibleOnesAreDropped) {
  Capture capture;
  EXPECT_EQ(capture.Add(Ipv4(6, LongPayload(64), {.fragment = 0x1fff})).result, DecodeResult::kFragment);  // beyond 65,535
  EXPECT_EQ(capture.Add(Ipv4(6, {}, {.fragment = 0x2000})).result, DecodeResult::kFragment);
  EXPECT_EQ(capture.Add(Ipv4(6, LongPayload(7), {.fragment = 0x2001})).result, DecodeResult::kFragment);  // no multiple of 8
  EXPECT_EQ(capture.table().pending(), 0u);
}

TEST(Fragments, NoLengthReachesAroundTheEndOfNumbers) {
  const std::uint8_t octets[8] = {};
  for (const std::uint32_t length : {65528u, 65536u, 0xffff'fff8u}) {
    FragmentTable table;
    Datagram whole;
    EXPECT_FALSE(table.Add({}, {.data = octets, .offset = 8, .length = length, .captured = 8, .more = true}, whole));
    EXPECT_EQ(table.octets(), 0u) << length;
  }
}

TEST(Fragments, AgeIsBounded) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  const FragmentLimits limits;
  for (const Timestamp late : {0, 1}) {
    Capture capture;
    capture.Add(V4(datagram, {0, 64}), 1000);
    const Whole w = capture.Add(V4(datagram, {64, 56}), 1000 + limits.age + late);
    EXPECT_EQ(w.result, late == 0 ? DecodeResult::kPacket : DecodeResult::kFragment);
    EXPECT_EQ(capture.table().given_up(), static_cast<std::uint64_t>(late));
  }
}

TEST(Fragments, NumberOfDatagramsIsBounded) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  for (const int more : {0, 1}) {
    Capture capture({.datagrams = 3});
    for (int id = 1; id <= 3 + more; ++id) capture.Add(V4(datagram, {0, 64}, static_cast<std::uint16_t>(id)));
    EXPECT_EQ(capture.table().pending(), 3u);
    EXPECT_EQ(capture.Add(V4(datagram, {64, 56}, 1)).result, more == 0 ? DecodeResult::kPacket : DecodeResult::kFragment);
  }
}

TEST(Fragments, OctetsInAllAreBounded) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  for (const std::size_t less : {0, 1}) {
    Capture capture({.octets = 2 * 64 - less});
    capture.Add(V4(datagram, {0, 64}, 1));
    capture.Add(V4(datagram, {0, 64}, 2));
    EXPECT_EQ(capture.table().pending(), 2 - less);
    EXPECT_LE(capture.table().octets(), 2 * 64 - less);
  }
  Capture alone({.octets = 63});
  alone.Add(V4(datagram, {0, 64}));
  EXPECT_EQ(alone.table().pending(), 0u);
  EXPECT_EQ(alone.table().given_up(), 1u);
}

TEST(Fragments, StretchesAreBounded) {
  const FrameOctets datagram = Tcp({.payload = LongPayload()});
  for (const std::size_t more : {0, 1}) {
    Capture capture({.stretches = 3});
    for (std::size_t i = 0; i < 3 + more; ++i) capture.Add(V4(datagram, {16 * i, 8}));
    EXPECT_EQ(capture.table().pending(), 1 - more);
  }
}

}  // namespace
}  // namespace glasspost::capture
