#include "analysis/collector.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace glasspost::analysis {
namespace {

// Remembers what was written, in order.
class Written final : public Report {
 public:
  Wants wants() const override { return {}; }
  std::unique_ptr<Teller> NewTeller() const override { return nullptr; }
  void Write(std::uint64_t number, TextStore& text) override {
    std::string all;
    text.ForEachPiece([&](std::string_view piece) { all += piece; });
    lines.push_back(std::to_string(number) + ":" + all);
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

TEST(Collector, HoldsLongTextsInAFile) {
  Written report;
  Collector c(report);
  const std::string long_text(100'000, 'x');
  constexpr std::uint64_t kMany = 3 * Collector::kHeldText / 100'000;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    c.Decided(i);
    c.Add(Make(i, 1000 + i, long_text + std::to_string(i)));
  }
  c.Advance(1000, FlowTable::kNone);
  EXPECT_TRUE(report.lines.empty());
  c.Advance(FlowTable::kNone, FlowTable::kNone);
  ASSERT_EQ(report.lines.size(), kMany);
  for (std::uint64_t i = 1; i <= kMany; ++i)
    ASSERT_EQ(report.lines[i - 1], std::to_string(i) + ":" + long_text + std::to_string(i));
  EXPECT_TRUE(c.ok());
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
