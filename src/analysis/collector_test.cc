#include "analysis/collector.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace glasspost::analysis {
namespace {

// Remembers what was written, in order.
class Written final : public Report {
 public:
  Wants wants() const override { return {}; }
  std::unique_ptr<Teller> NewTeller() const override { return nullptr; }
  void Write(std::uint64_t number, Octets note, TextStore& text) override {
    std::string all;
    text.ForEachPiece([&](std::string_view piece) { all += piece; });
    lines.push_back(std::to_string(number) + ":" + all + std::string(note));
  }
  std::vector<std::string> lines;
};

Told Make(std::uint64_t first, std::uint64_t last, std::string text) {
  Told t;
  t.first_frame = first;
  t.last_frame = last;
  t.text.Append(text);
  return t;
}

TEST(Collector, NumbersByFirstPacketAndWritesByLast) {
  Written report;
  Collector c(report);
  for (const std::uint64_t f : {3u, 1u, 2u}) c.Decided(f);
  c.Add(Make(1, 30, "a"));
  c.Add(Make(2, 10, "b"));
  c.Add(Make(3, 20, "c"));
  c.Advance(FlowTable::kNone, FlowTable::kNone);
  EXPECT_EQ(report.lines, (std::vector<std::string>{"2:b", "3:c", "1:a"}));
  EXPECT_EQ(c.written(), 3u);
}

TEST(Collector, WaitsForOlderConversationsThatAreOpen) {
  Written report;
  Collector c(report);
  c.Decided(1);
  c.Decided(5);
  c.Add(Make(5, 20, "b"));
  c.Advance(10, FlowTable::kNone);  // conversation 1 is open, its last packet so far is frame 10
  EXPECT_TRUE(report.lines.empty());
  c.Add(Make(1, 15, "a"));
  c.Advance(16, FlowTable::kNone);
  EXPECT_EQ(report.lines, (std::vector<std::string>{"1:a"}));
  c.Advance(20, FlowTable::kNone);
  EXPECT_EQ(report.lines.size(), 1u);  // one that ends in frame 20 may still come
  c.Advance(21, FlowTable::kNone);
  EXPECT_EQ(report.lines.size(), 2u);
}

TEST(Collector, WaitsForOlderFlowsThatMayTurnOutToBeMail) {
  Written report;
  Collector c(report);
  c.Decided(5);
  c.Add(Make(5, 20, "b"));
  c.Advance(FlowTable::kNone, 3);  // the flow that began in frame 3 may become number 1
  EXPECT_TRUE(report.lines.empty());
  c.Decided(3);
  c.Advance(21, FlowTable::kNone);
  EXPECT_EQ(report.lines, (std::vector<std::string>{"2:b"}));
}

TEST(Collector, NumbersGoOnWhenNothingIsOpen) {
  Written report;
  Collector c(report);
  for (const std::uint64_t f : {1u, 70u, 71u, 600u}) {
    c.Decided(f);
    c.Add(Make(f, f, "x"));
    c.Advance(FlowTable::kNone, FlowTable::kNone);
  }
  EXPECT_EQ(report.lines, (std::vector<std::string>{"1:x", "2:x", "3:x", "4:x"}));
}

TEST(Collector, HoldsLongTextsInAFile) {
  Written report;
  Collector c(report);
  const std::string long_text(100'000, 'x');
  const std::uint64_t many = 3 * WaitingLimits().octets / 100'000;
  for (std::uint64_t i = 1; i <= many; ++i) {
    c.Decided(i);
    c.Add(Make(i, 1000 + i, long_text + std::to_string(i)));
  }
  c.Advance(1000, FlowTable::kNone);
  EXPECT_TRUE(report.lines.empty());
  c.Advance(FlowTable::kNone, FlowTable::kNone);
  ASSERT_EQ(report.lines.size(), many);
  for (std::uint64_t i = 1; i <= many; ++i)
    ASSERT_EQ(report.lines[i - 1], std::to_string(i) + ":" + long_text + std::to_string(i));
  EXPECT_TRUE(c.ok());
}

TEST(Collector, OneOldConversationHoldsUpAnyNumberOfOthers) {
  constexpr std::uint64_t kOthers = 5000;
  Written report;
  Collector c(report, {.octets = 20'000, .conversations = 300, .read_octets = 64});
  c.Decided(1);
  for (std::uint64_t i = 2; i <= kOthers; ++i) {
    const std::uint64_t last = kOthers + (i * 7919) % kOthers;  // in no order
    c.Decided(i);
    Told t = Make(i, last, "text " + std::to_string(last));
    t.note = " note " + std::to_string(i);
    c.Add(std::move(t));
    if (i % 100 == 0) c.Advance(50, i + 1);
  }
  EXPECT_TRUE(report.lines.empty());
  c.Advance(FlowTable::kNone, FlowTable::kNone);
  ASSERT_EQ(report.lines.size(), kOthers - 1);
  std::uint64_t before = 0;
  for (const std::string& line : report.lines) {
    unsigned long number = 0, last = 0, noted = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lu:text %lu note %lu", &number, &last, &noted), 3) << line;
    EXPECT_EQ(number, noted);
    EXPECT_EQ(last, kOthers + (number * 7919) % kOthers);
    EXPECT_LT(before, last);
    before = last;
  }
  EXPECT_TRUE(c.ok());
}

TEST(WaitingTexts, GoToTheFileAtTheLimit) {
  const auto add = [](WaitingTexts& w, std::uint64_t last, std::size_t octets) {
    WaitingText text{last, last, {}, {}};
    text.text.Append(std::string(octets, 'x'));
    w.Add(std::move(text));
  };
  WaitingTexts by_octets({.octets = 1000, .conversations = 100, .read_octets = 16});
  add(by_octets, 1, 400);
  add(by_octets, 2, 600);
  EXPECT_EQ(by_octets.runs(), 0u);
  add(by_octets, 3, 1);
  EXPECT_EQ(by_octets.runs(), 1u);
  WaitingTexts by_count({.octets = 1000, .conversations = 2, .read_octets = 16});
  add(by_count, 1, 1);
  add(by_count, 2, 1);
  EXPECT_EQ(by_count.runs(), 0u);
  add(by_count, 3, 1);
  EXPECT_EQ(by_count.runs(), 1u);
  add(by_count, 0, 0);
  for (std::uint64_t last = 0; last < 4; ++last) EXPECT_EQ(by_count.Take().last_frame, last);
  EXPECT_TRUE(by_count.empty());
  EXPECT_EQ(by_count.runs(), 0u);
}

TEST(FrameRanks, CountsWhatWasMarkedBefore) {
  FrameRanks ranks;
  std::vector<std::uint64_t> marked;
  for (std::uint64_t f = 1; f < 5000; f += 1 + f % 37) marked.push_back(f);
  for (auto it = marked.rbegin(); it != marked.rend(); ++it) ranks.Mark(*it);
  std::vector<std::uint64_t> told;
  for (const std::uint64_t before : {1u, 2u, 63u, 64u, 65u, 511u, 512u, 513u, 1024u, 3000u, 100'000u})
    ranks.Settle(before, [&](std::uint64_t rank, std::uint64_t frame) {
      told.push_back(frame);
      EXPECT_EQ(rank, told.size());
    });
  EXPECT_EQ(told, marked);
  for (std::size_t i = 0; i < marked.size(); ++i) EXPECT_EQ(ranks.RankOf(marked[i]), i + 1);
  // Nothing was left open, but what comes later is marked all the same.
  ranks.Settle(~std::uint64_t{0}, [&](std::uint64_t, std::uint64_t) { ADD_FAILURE(); });
  ranks.Mark(200'000);
  ranks.Settle(~std::uint64_t{0}, [&](std::uint64_t rank, std::uint64_t frame) {
    EXPECT_EQ(rank, marked.size() + 1);
    EXPECT_EQ(frame, 200'000u);
  });
  EXPECT_EQ(ranks.RankOf(200'000), marked.size() + 1);
}

TEST(TextStore, KeepsEverythingBeyondItsMemory) {
  TextStore a, b;
  std::string expected;
  for (int i = 0; expected.size() < 3 * TextStore::kInMemory; ++i) {
    const std::string piece = "piece " + std::to_string(i) + "\n";
    expected += piece;
    a.Append(piece);
  }
  EXPECT_TRUE(a.in_file());
  EXPECT_LE(a.memory().size(), TextStore::kInMemory);
  b.Append("head ");
  b.Append(std::move(a));
  b.Append(" tail");
  std::string got;
  b.ForEachPiece([&](std::string_view piece) { got += piece; });
  EXPECT_EQ(got, "head " + expected + " tail");
  EXPECT_EQ(b.size(), got.size());
  EXPECT_TRUE(b.ok());
}

}  // namespace
}  // namespace glasspost::analysis
