// Runs tests/conversations/*.txt against the observers: whatever the pieces in which a dialogue comes, the same is told of it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "support/conversation_file.h"
#include "support/recording_sink.h"
#include "wire/observers.h"

namespace glasspost {
namespace {

using test::ConversationFile;
using test::RecordingSink;
using test::Step;

enum class Pieces { kLines, kOctets, kRuns };

void FeedStep(Observer& observer, const Step& step, Pieces pieces, std::uint64_t frame) {
  const Origin origin{frame, step.time};
  switch (step.kind) {
    case Step::Kind::kOctets:
      if (pieces != Pieces::kOctets) return observer.OnOctets(step.direction, step.octets, origin);
      for (std::size_t i = 0; i < step.octets.size(); ++i) {
        // A copy of its own for each octet: a view that is kept too long shows under the address sanitizer.
        const auto one = std::make_unique<char>(step.octets[i]);
        observer.OnOctets(step.direction, Octets(one.get(), 1), origin);
      }
      return;
    case Step::Kind::kGap:
      return observer.OnGap(step.direction, step.length, origin);
    case Step::Kind::kFin:
      return observer.OnFin(step.direction, origin);
    case Step::Kind::kTls:
      return observer.OnTlsEstablished(origin);
    case Step::Kind::kReset:
      return observer.OnEnd(origin, true);
  }
}

// The steps with all that a side says at a stretch made one.
std::vector<Step> Runs(const std::vector<Step>& steps) {
  std::vector<Step> runs;
  for (const Step& step : steps) {
    const bool joins = !runs.empty() && step.kind == Step::Kind::kOctets && runs.back().kind == Step::Kind::kOctets &&
                       runs.back().direction == step.direction;
    if (joins) {
      runs.back().octets += step.octets;
      runs.back().time = step.time;
    } else {
      runs.push_back(step);
    }
  }
  return runs;
}

void FeedSteps(const ConversationFile& file, const std::vector<Step>& steps, Pieces pieces, bool message_octets,
               RecordingSink& sink) {
  const ObserverOptions options{.show_secrets = file.show_secrets, .message_octets = message_octets};
  const std::unique_ptr<Observer> observer = MakeObserver(file.protocol, sink, options);
  ASSERT_NE(observer, nullptr) << "no observer for " << Name(file.protocol);
  if (file.mid_stream) observer->OnMidStream();
  if (file.client_only) observer->OnOneSided(Direction::kToServer);
  if (file.server_only) observer->OnOneSided(Direction::kToClient);
  std::uint64_t frame = 0;
  for (const Step& step : steps) FeedStep(*observer, step, pieces, ++frame);
  if (steps.empty() || steps.back().kind != Step::Kind::kReset)
    observer->OnEnd({frame + 1, steps.empty() ? kNoTime : steps.back().time}, false);
  for (const Direction d : {Direction::kToServer, Direction::kToClient})
    EXPECT_FALSE(sink.open(d)) << "a message was never ended";
}

void Feed(const ConversationFile& file, Pieces pieces, bool message_octets, RecordingSink& sink) {
  FeedSteps(file, pieces == Pieces::kRuns ? Runs(file.steps) : file.steps, pieces, message_octets, sink);
}

class Conversation : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conversation);

TEST_P(Conversation, IsToldTheSameInAnyPieces) {
  const Expected<ConversationFile> file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  std::vector<std::string> spans;
  struct {
    Pieces pieces;
    bool octets;
    const char* name;
  } const runs[] = {{Pieces::kLines, true, "line by line"},
                    {Pieces::kOctets, true, "octet by octet"},
                    {Pieces::kRuns, true, "in runs"},
                    {Pieces::kLines, false, "without message octets"}};
  for (const auto& run : runs) {
    SCOPED_TRACE(run.name);
    RecordingSink sink;
    ASSERT_NO_FATAL_FAILURE(Feed(*file, run.pieces, run.octets, sink));
    std::string why;
    EXPECT_TRUE(test::Meets(*file, sink, run.octets, why)) << why;
    if (spans.empty()) spans = sink.spans;
    EXPECT_EQ(sink.spans, spans) << "octet ranges depend on the pieces";
  }
}

std::vector<std::string> Told(const RecordingSink& sink) {
  std::vector<std::string> told = sink.exchanges;
  told.insert(told.end(), sink.spans.begin(), sink.spans.end());
  told.insert(told.end(), sink.findings.begin(), sink.findings.end());
  for (const auto& message : sink.messages) told.push_back(test::Text(message));
  return told;
}

TEST_P(Conversation, IsToldTheSameAtEverySplit) {
  constexpr std::size_t kSmall = 3000;  // octets; the work is their square
  const Expected<ConversationFile> file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const std::vector<Step> runs = Runs(file->steps);
  std::size_t octets = 0;
  for (const Step& step : runs) octets += step.octets.size();
  if (octets > kSmall) GTEST_SKIP() << octets << " octets";
  RecordingSink whole;
  ASSERT_NO_FATAL_FAILURE(FeedSteps(*file, runs, Pieces::kRuns, true, whole));
  const std::vector<std::string> expected = Told(whole);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (std::size_t at = 1; at < runs[r].octets.size(); ++at) {
      std::vector<Step> split = runs;
      Step rest = runs[r];
      rest.octets.erase(0, at);
      split[r].octets.resize(at);
      split.insert(split.begin() + static_cast<std::ptrdiff_t>(r) + 1, rest);
      RecordingSink sink;
      ASSERT_NO_FATAL_FAILURE(FeedSteps(*file, split, Pieces::kRuns, true, sink));
      ASSERT_EQ(Told(sink), expected) << "run " << r + 1 << " split after " << at << " octets";
    }
  }
}

std::vector<std::filesystem::path> ObserverFiles() {
  std::vector<std::filesystem::path> files = test::ConversationFiles();
  std::erase_if(files, [](const auto& path) {
    const auto file = test::ReadConversationFile(path);
    return file && !file->drives_observer;
  });
  return files;
}
INSTANTIATE_TEST_SUITE_P(Files, Conversation, ::testing::ValuesIn(ObserverFiles()),
                         [](const auto& of) { return test::TestName(of.param); });

TEST(ConversationFile, SaysWhereItIsWrong) {
  const auto bad = test::ParseConversation("x", "protocol: smtp\nC: HELO\nC? HELO\nexpect\n");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().where, "x:3");
  EXPECT_FALSE(test::ParseConversation("x", "C: HELO\nexpect\n"));
  EXPECT_FALSE(test::ParseConversation("x", "protocol: smtp\nC: HELO\n"));
}

TEST(ConversationFile, HoldsOddOctets) {
  const auto file = test::ParseConversation(
      "x",
      "protocol: pop3\nC\\: a\\x00\\r\\n\\\\\nC64: AAE=\nC\\*3: ab\nS gap 7\nwait 2.5\nC fin\nS:\nexpect\n1 greeting - | -\n");
  ASSERT_TRUE(file) << file.error().Text();
  ASSERT_EQ(file->steps.size(), 6u);
  EXPECT_EQ(file->steps[0].octets, std::string("a\0\r\n\\", 5));
  EXPECT_EQ(file->steps[1].octets, std::string("\0\1", 2));
  EXPECT_EQ(file->steps[2].octets, "ababab");
  EXPECT_EQ(file->steps[3].length, 7u);
  EXPECT_EQ(file->steps[4].time - file->steps[3].time, 2'501'000'000);
  EXPECT_EQ(file->steps[5].octets, "\r\n");
  EXPECT_EQ(test::Escape(file->steps[0].octets), "a\\0\\r\\n\\\\");
}

}  // namespace
}  // namespace glasspost
