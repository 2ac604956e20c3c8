#include "agent/mbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glasspost::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Octets kMark = "From ada@a.test Mon Nov 23 08:15:30 2026";

std::vector<std::string> Split(Octets file, std::size_t chunk, std::size_t most = 100) {
  MboxSplitter splitter(most);
  for (std::size_t at = 0; at < file.size(); at += chunk) splitter.Feed(file.substr(at, chunk));
  splitter.Finish();
  std::vector<std::string> messages;
  for (const MboxMessage& m : splitter.messages()) messages.emplace_back(file.substr(m.offset, m.length));
  if (splitter.foreign()) messages.emplace_back("foreign");
  if (splitter.cut()) messages.emplace_back("cut");
  return messages;
}

std::string Unquote(Octets text, std::size_t chunk) {
  MboxUnquoter unquoter;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += chunk) unquoter.Append(out, text.substr(at, chunk));
  unquoter.Finish(out);
  return out;
}

TEST(Postmark, HasADate) {
  EXPECT_TRUE(IsPostmark(kMark));
  EXPECT_TRUE(IsPostmark("From - Mon Nov  3 8:15 2026"));                 // Thunderbird
  EXPECT_TRUE(IsPostmark("From 17@xxx Mon Nov 23 08:15:30 +0000 2026"));  // Takeout
  EXPECT_TRUE(IsPostmark("From a b@c.test  Mon Nov 23 08:15:30 CST 2026 remote from here"));
  for (const Octets line :
       {"From here on", "From ", "From", "from ada Mon Nov 23 08:15:30 2026", " From x Mon Nov 23 08:15:30 2026",
        "From x Mon Nov 23", "From x Mon Nov 123 08:15:30 2026", "From x Mon Nov 23 noon 2026", "From x monday Nov 23 08:15:30",
        "From x on Nov 23 08:15:30 2026", "From x Mon Nov 23 :15:30 2026"})
    EXPECT_FALSE(IsPostmark(line)) << line;
}

TEST(MboxSplitter, AnyChunking) {
  const std::string file = std::string(kMark) + "\nSubject: 1\n\nx\n\n" + std::string(kMark) + "\nSubject: 2\n\nFrom here\n\n\n" +
                           std::string(kMark) + "\n" + std::string(kMark) + "\r\nSubject: 4\r\n\r\ny\r\n\r\n" +
                           std::string(kMark) + "\nSubject: torn";
  for (std::size_t chunk = 1; chunk <= file.size(); ++chunk)
    EXPECT_THAT(Split(file, chunk),
                ElementsAre("Subject: 1\n\nx\n", "Subject: 2\n\nFrom here\n\n", "", "Subject: 4\r\n\r\ny\r\n", "Subject: torn"))
        << chunk;
}

TEST(MboxSplitter, EmptyLinesMayComeFirstAndNothingElse) {
  EXPECT_THAT(Split("\n\r\n" + std::string(kMark) + "\na\n", 7), ElementsAre("a\n"));
  EXPECT_THAT(Split("Subject: x\n\n" + std::string(kMark) + "\n", 7), ElementsAre("foreign"));
  EXPECT_THAT(Split("", 1), IsEmpty());
  EXPECT_THAT(Split(kMark, 3), ElementsAre(""));  // torn in its first line
}

TEST(MboxSplitter, AtTheLimit) {
  const std::string one = std::string(kMark) + "\nx\n\n";
  EXPECT_THAT(Split(one + one, 100, 2), ElementsAre("x\n", "x\n"));
  EXPECT_THAT(Split(one + one + one, 100, 2), ElementsAre("x\n", "x\n", "cut"));
}

TEST(MboxUnquoter, TakesOneMark) {
  const Octets quoted = ">From a\n>>>From b\nx >From c\n>From\n> From d\n>>\n>F\n\n>From ";
  for (std::size_t chunk = 1; chunk <= quoted.size(); ++chunk)
    EXPECT_EQ(Unquote(quoted, chunk), "From a\n>>From b\nx >From c\n>From\n> From d\n>>\n>F\n\nFrom ") << chunk;
  EXPECT_EQ(Unquote(">", 1), ">");
  EXPECT_EQ(Unquote("a\n>>Fro", 2), "a\n>>Fro");
  EXPECT_EQ(Unquote(std::string(100'000, '>') + "From x", 999), std::string(99'999, '>') + "From x");
}

}  // namespace
}  // namespace glasspost::agent
