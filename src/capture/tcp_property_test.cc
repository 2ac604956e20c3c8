// TCP reassembly against a model: a dialogue is made, cut into segments, sent again, cut otherwise, brought into another order,
// thinned out; what is told must be what was sent, in an order in which it can have been sent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "capture/tcp_connection.h"
#include "capture/tcp_test_support.h"

namespace glasspost::capture {
namespace {

using Random = std::mt19937_64;

std::uint64_t Below(Random& random, std::uint64_t n) { return random() % n; }

struct Segment {
  Side side = 0;
  std::int64_t at = 0;
  std::string octets;
  std::int64_t ack = 0;
  std::uint8_t flags = kAck;
  bool lost = false;
};

struct Options {
  bool handshake = true;
  bool one_sided = false;
  std::uint32_t reorder = 0;  // how many places a packet may be moved
  std::uint64_t again = 0;    // per cent of the segments that are sent again, soon after
  std::uint64_t loss = 0;     // per cent of the data segments that are not in the capture
  std::uint32_t window = 64;  // the connection's
};

struct Dialogue {
  std::array<std::string, 2> streams;
  // For each octet: how much of the other stream its sender had when it first sent it.
  std::array<std::vector<std::int64_t>, 2> heard;
  std::vector<Segment> segments;  // as they were sent
  std::uint32_t base0 = 0, base1 = 0;
};

Dialogue MakeDialogue(Random& random, const Options& options) {
  Dialogue d;
  d.base0 =
      Below(random, 3) == 0 ? 0xffffff00u + static_cast<std::uint32_t>(Below(random, 300)) : static_cast<std::uint32_t>(random());
  d.base1 =
      Below(random, 3) == 0 ? 0xffffff00u + static_cast<std::uint32_t>(Below(random, 300)) : static_cast<std::uint32_t>(random());
  if (options.handshake) {
    d.segments.push_back({0, -1, "", 0, kSyn});
    d.segments.push_back({1, -1, "", 0, kSyn | kAck});
    d.segments.push_back({0, 0, "", 0, kAck});
  }
  const std::uint64_t turns = 2 + Below(random, 20);
  for (std::uint64_t turn = 0; turn < turns; ++turn) {
    const Side side = static_cast<Side>(Below(random, 2));
    const Side other = 1 - side;
    const auto heard = static_cast<std::int64_t>(d.streams[other].size());
    std::string text;
    for (std::uint64_t n = 1 + Below(random, Below(random, 4) == 0 ? 400 : 40); n != 0; --n) {
      text += static_cast<char>('a' + Below(random, 26));
    }
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t n = std::min<std::size_t>(text.size() - i, 1 + Below(random, 30));
      d.segments.push_back({side, static_cast<std::int64_t>(d.streams[side].size()), text.substr(i, n), heard});
      d.streams[side] += text.substr(i, n);
      d.heard[side].insert(d.heard[side].end(), n, heard);
      i += n;
      if (Below(random, 100) < options.again) {  // cut in another way, perhaps with what was sent before; not one octet alone
        const std::size_t from = d.streams[side].size() - std::min<std::size_t>(d.streams[side].size(), 2 + Below(random, 50));
        const std::size_t length = std::min<std::size_t>(d.streams[side].size() - from, 2 + Below(random, 60));
        d.segments.push_back({side, static_cast<std::int64_t>(from), d.streams[side].substr(from, length), heard});
      }
      if (Below(random, 3) == 0) {
        d.segments.push_back({other, heard, "", static_cast<std::int64_t>(d.streams[side].size())});
      }
    }
  }
  const auto size0 = static_cast<std::int64_t>(d.streams[0].size());
  const auto size1 = static_cast<std::int64_t>(d.streams[1].size());
  d.segments.push_back({0, size0, "", size1, kFin | kAck});
  d.segments.push_back({1, size1, "", size0 + 1, kFin | kAck});
  d.segments.push_back({0, size0 + 1, "", size1 + 1});
  for (Segment& s : d.segments) {
    s.lost = (!s.octets.empty() && Below(random, 100) < options.loss) || (options.one_sided && s.side == 1);
  }
  return d;
}

// Another order, in which no packet comes after one that was sent `reorder` packets later.
std::vector<Segment> Capture(Random& random, const Dialogue& d, const Options& options) {
  std::vector<std::pair<std::uint64_t, const Segment*>> keyed;
  std::uint64_t i = 0;
  for (const Segment& s : d.segments) {
    if (!s.lost) keyed.emplace_back(i + (options.reorder != 0 ? Below(random, options.reorder) : 0), &s), ++i;
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Segment> out;
  for (const auto& [key, s] : keyed) out.push_back(*s);
  return out;
}

// Checks while it records: a reply is not told before what it answers.
class Checker : public test::Record {
 public:
  // `slack`: a single octet that is lost is waited for as if it were a FIN, and declared a gap only when others follow.
  Checker(const Dialogue& d, bool one_sided, std::int64_t slack) : dialogue_(d), one_sided_(one_sided), slack_(slack) {}
  std::array<std::int64_t, 2> first{0, 0};  // stream position of what is told first (mid-stream)

  void OnTcpOctets(Side side, Octets octets, const Origin& origin) override {
    const std::size_t end = static_cast<std::size_t>(first[side]) + streams[side].size() + octets.size();
    if (!one_sided_ && end <= dialogue_.heard[side].size()) {
      const std::int64_t heard = dialogue_.heard[side][end - 1] - first[1 - side];
      EXPECT_GE(static_cast<std::int64_t>(streams[1 - side].size()) + slack_, heard)
          << "told too early: side " << side << " up to " << end;
    }
    test::Record::OnTcpOctets(side, octets, origin);
  }
  void OnTcpGap(Side side, std::uint64_t offset, std::uint64_t length, const Origin& origin) override {
    EXPECT_EQ(offset, streams[side].size());
    test::Record::OnTcpGap(side, offset, length, origin);
  }

 private:
  const Dialogue& dialogue_;
  bool one_sided_;
  std::int64_t slack_;
};

// The streams as far as the capture has them: '?' where no captured segment has the octet.
std::array<std::string, 2> Expected(const Dialogue& d, std::array<std::int64_t, 2>& first, bool handshake) {
  std::array<std::string, 2> out{std::string(d.streams[0].size(), '?'), std::string(d.streams[1].size(), '?')};
  std::array<std::int64_t, 2> lowest{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()};
  for (const Segment& s : d.segments) {
    if (s.lost) continue;
    if (!s.octets.empty()) out[s.side].replace(static_cast<std::size_t>(s.at), s.octets.size(), s.octets);
    lowest[s.side] = std::min(lowest[s.side], s.at);
  }
  for (Side side = 0; side < 2; ++side) {
    first[side] = handshake ? 0 : std::min<std::int64_t>(lowest[side], static_cast<std::int64_t>(out[side].size()));
    out[side].erase(0, static_cast<std::size_t>(first[side]));
  }
  return out;
}

void Run(std::uint64_t seed, const Options& options) {
  SCOPED_TRACE(seed);
  Random random(seed);
  const Dialogue d = MakeDialogue(random, options);
  std::array<std::int64_t, 2> first{};
  std::array<std::string, 2> expected = Expected(d, first, options.handshake);
  if (options.one_sided) expected[1].clear();
  for (int round = 0; round < 2; ++round) {
    Checker told(d, options.one_sided, options.loss != 0 ? 1 : 0);
    told.first = first;
    test::Wire w({.reorder_window = options.window});
    w.base0 = d.base0;
    w.base1 = d.base1;
    for (const Segment& s : Capture(random, d, options)) {
      Packet p = w.Make(s.side, s.at, s.ack, s.flags);
      test::Wire::SetOctets(p, s.octets);
      p.frame = ++w.frame;
      w.connection.Add(s.side, p, told);
    }
    w.connection.Flush({w.frame, 0}, told);
    for (Side side = 0; side < 2; ++side) EXPECT_EQ(told.streams[side], expected[side]) << "side " << side << " round " << round;
    EXPECT_EQ(w.budget.used, 0u);
    EXPECT_EQ(w.connection.fin_told(0), true);
    EXPECT_EQ(w.connection.fin_told(1), !options.one_sided);
    EXPECT_EQ(w.connection.closed(), !options.one_sided);
    EXPECT_EQ(std::count_if(told.lines.begin(), told.lines.end(), [](const auto& l) { return l.contains("conflict"); }), 0);
  }
}

// GLASSPOST_LONG in the environment: twenty times as many.
std::uint64_t Seeds(std::uint64_t usual) { return std::getenv("GLASSPOST_LONG") != nullptr ? usual * 20 : usual; }

void RunMany(std::uint64_t seeds, const Options& options) {
  seeds = Seeds(seeds);
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) Run(seed, options);
}

TEST(TcpProperty, InOrder) { RunMany(500, {}); }
TEST(TcpProperty, MidStream) { RunMany(500, {.handshake = false}); }
TEST(TcpProperty, AnyOrderWithinTheWindow) { RunMany(1000, {.reorder = 32}); }
TEST(TcpProperty, AnyOrderMidStream) { RunMany(1000, {.handshake = false, .reorder = 32}); }
TEST(TcpProperty, SentAgainAndCutOtherwise) { RunMany(1000, {.again = 30}); }
TEST(TcpProperty, SentAgainInAnyOrder) { RunMany(1000, {.reorder = 32, .again = 30}); }
TEST(TcpProperty, SentAgainInAnyOrderMidStream) { RunMany(1000, {.handshake = false, .reorder = 32, .again = 30}); }
TEST(TcpProperty, Lost) { RunMany(1000, {.loss = 10}); }
TEST(TcpProperty, LostAndSmallWindow) { RunMany(1000, {.loss = 10, .window = 4}); }
TEST(TcpProperty, LostInAnyOrder) { RunMany(1000, {.reorder = 32, .loss = 10}); }
TEST(TcpProperty, LostInAnyOrderSmallWindow) { RunMany(1000, {.reorder = 4, .loss = 30, .window = 8}); }
TEST(TcpProperty, MostIsLost) { RunMany(1000, {.loss = 80, .window = 8}); }
TEST(TcpProperty, OneDirection) { RunMany(1000, {.one_sided = true}); }
TEST(TcpProperty, OneDirectionInAnyOrder) { RunMany(1000, {.one_sided = true, .reorder = 32, .again = 20}); }
TEST(TcpProperty, OneDirectionLost) { RunMany(1000, {.one_sided = true, .reorder = 4, .loss = 10, .window = 8}); }

// However small the bounds: no octet in the wrong place, none twice, all of it contiguous, and the memory stays within them.
TEST(TcpProperty, TightBoundsLoseOctetsButInventNone) {
  for (std::uint64_t seed = 1; seed <= Seeds(1000) && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Options options{.reorder = 32, .again = 20, .loss = 5};
    const Dialogue d = MakeDialogue(random, options);
    test::Wire w({.held_octets = 1 + Below(random, 100), .held_segments = 1 + Below(random, 8)}, 1 + Below(random, 1000));
    w.base0 = d.base0;
    w.base1 = d.base1;
    for (const Segment& s : Capture(random, d, options)) {
      Packet p = w.Make(s.side, s.at, s.ack, s.flags);
      test::Wire::SetOctets(p, s.octets);
      w.Put(s.side, p);
      ASSERT_LE(w.budget.used, w.budget.limit);
      ASSERT_LE(w.connection.held_octets(), w.limits.held_octets);
    }
    w.Flush();
    for (Side side = 0; side < 2; ++side) {
      // Octets that come before a SYN that is captured late may have to be told before it is known where the stream begins.
      const std::uint32_t begins = w.connection.first_sequence(side) + (w.connection.syn_seen(side) ? 1 : 0);
      const std::size_t skipped = begins - (side == 0 ? d.base0 : d.base1);
      const std::string& told = w.told.streams[side];
      // A FIN that was acknowledged and given up before it came counts like an octet.
      ASSERT_LE(skipped + told.size(), d.streams[side].size() + 1);
      for (std::size_t i = 0; i < told.size(); ++i) {
        if (told[i] != '?') {
          ASSERT_EQ(told[i], d.streams[side][skipped + i]);
        }
      }
    }
    EXPECT_EQ(w.budget.used, 0u);
  }
}

}  // namespace
}  // namespace glasspost::capture
