#include "wire/smtp/reply.h"

#include <gtest/gtest.h>

namespace glasspost::smtp {
namespace {

using Step = ReplyAssembler::Step;

TEST(SmtpReply, Lines) {
  ReplyLine line;
  ASSERT_TRUE(ParseReplyLine("250-mx.example.org", line));
  EXPECT_EQ(line.code, 250);
  EXPECT_TRUE(line.more);
  EXPECT_EQ(line.text, "mx.example.org");
  ASSERT_TRUE(ParseReplyLine("354", line));
  EXPECT_FALSE(line.more);
  EXPECT_TRUE(line.text.empty());
  ASSERT_TRUE(ParseReplyLine("250ok", line));
  EXPECT_FALSE(line.separator);
  EXPECT_EQ(line.text, "ok");
  for (const char* bad : {"", "25", "2500", "abc", " 250 ok", "+OK", "2 50"}) EXPECT_FALSE(ParseReplyLine(bad, line)) << bad;
}

TEST(SmtpReply, EnhancedCodes) {
  EXPECT_EQ(EnhancedCode(250, "2.1.5 Ok"), "2.1.5");
  EXPECT_EQ(EnhancedCode(550, "5.10.234"), "5.10.234");
  for (const char* none :
       {"", "Ok", "4.1.5 other class", "2.1", "2.1.", "2.1.5.9 x", "2..1 x", "2.1.5x", "2.1234.5 x", "2.1.1234 x"})
    EXPECT_TRUE(EnhancedCode(250, none).empty()) << none;
  EXPECT_TRUE(EnhancedCode(354, "3.1.1 x").empty());
  EXPECT_EQ(WithoutEnhancedCode("2.1.5 Ok", "2.1.5"), "Ok");
  EXPECT_EQ(WithoutEnhancedCode("2.1.5", "2.1.5"), "");
}

TEST(SmtpReply, Assembles) {
  ReplyAssembler assembler;
  EXPECT_EQ(assembler.Add("250-2.1.0 one"), Step::kMore);
  EXPECT_EQ(assembler.Add("nonsense"), Step::kNoReply);
  EXPECT_EQ(assembler.Add("251-2.1.0 two"), Step::kMore);
  EXPECT_EQ(assembler.Add("250 2.1.0 three"), Step::kDone);
  EXPECT_EQ(assembler.reply().code, 250);
  EXPECT_EQ(assembler.reply().enhanced, "2.1.0");
  EXPECT_EQ(assembler.reply().lines, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(assembler.reply().codes_differ);
  EXPECT_EQ(assembler.Add("354 go"), Step::kDone);
  EXPECT_FALSE(assembler.reply().codes_differ);
  EXPECT_EQ(assembler.reply().lines, std::vector<std::string>{"go"});
}

TEST(SmtpReply, BoundsAtTheLimitAndPast) {
  ReplyAssembler lines({.lines = 2, .octets = 1000});
  EXPECT_EQ(lines.Add("250-a"), Step::kMore);
  EXPECT_EQ(lines.Add("250-b"), Step::kMore);
  EXPECT_FALSE(lines.reply().cut);
  EXPECT_EQ(lines.Add("250 c"), Step::kDone);
  EXPECT_TRUE(lines.reply().cut);
  EXPECT_EQ(lines.reply().lines.size(), 2u);
  ReplyAssembler octets({.lines = 10, .octets = 10});
  EXPECT_EQ(octets.Add("250-a"), Step::kMore);
  EXPECT_EQ(octets.Add("250 b"), Step::kDone);
  EXPECT_FALSE(octets.reply().cut);
  EXPECT_EQ(octets.Add("250-a"), Step::kMore);
  EXPECT_EQ(octets.Add("250 bc"), Step::kDone);
  EXPECT_TRUE(octets.reply().cut);
}

TEST(SmtpReply, ThereAndBack) {
  ReplyValue value{.code = 250, .enhanced = "2.1.0", .lines = {"one", "two\r\n221 Bye"}};
  std::string out;
  AppendReply(out, value);
  EXPECT_EQ(out, "250-2.1.0 one\r\n250 2.1.0 two221 Bye\r\n");
  out.clear();
  AppendReply(out, {.code = 354, .enhanced = {}, .lines = {"go"}});
  EXPECT_EQ(out, "354 go\r\n");
}

}  // namespace
}  // namespace glasspost::smtp
