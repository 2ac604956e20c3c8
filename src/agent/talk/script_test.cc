#include "agent/talk/script.h"

#include <gtest/gtest.h>

namespace glasspost::agent::talk {
namespace {

Reply Smtp(int code, std::string text, std::string enhanced = {}) {
  Reply reply;
  reply.code = code;
  reply.text = std::move(text);
  reply.enhanced = std::move(enhanced);
  return reply;
}

Reply Status(std::string status, std::string text) {
  Reply reply;
  reply.status = std::move(status);
  reply.text = std::move(text);
  return reply;
}

bool Matches(Octets pattern, const Reply& reply) {
  const auto parsed = Pattern::Parse(pattern);
  EXPECT_TRUE(parsed.has_value()) << pattern;
  return parsed && parsed->Matches(reply);
}

TEST(Pattern, Codes) {
  EXPECT_TRUE(Matches("250", Smtp(250, "Ok")));
  EXPECT_TRUE(Matches("2..", Smtp(221, "Bye")));
  EXPECT_TRUE(Matches("45.", Smtp(451, "no")));
  EXPECT_FALSE(Matches("250", Smtp(251, "Ok")));
  EXPECT_FALSE(Matches("5..", Smtp(250, "500 is no code here")));
}

TEST(Pattern, Statuses) {
  EXPECT_TRUE(Matches("+OK", Status("+OK", "ready")));
  EXPECT_FALSE(Matches("-ERR", Status("+OK", "-ERR")));
  EXPECT_TRUE(Matches("NO", Status("NO", "a1 NO it is not")));
  EXPECT_TRUE(Matches("+", Status("+", "")));
}

TEST(Pattern, LinesWithStars) {
  const Reply hello = Smtp(250, "me\nPIPELINING\nSIZE 1000");
  EXPECT_TRUE(Matches("250 SIZE *", hello));
  EXPECT_TRUE(Matches("*PIPE?INING", hello));
  EXPECT_FALSE(Matches("PIPELINING", hello));  // a whole line
  EXPECT_TRUE(Matches("250 2.1.0 Ok", Smtp(250, "Ok", "2.1.0")));
  EXPECT_TRUE(Matches("+OK 3 *", Status("+OK", "3 1000")));
  EXPECT_FALSE(Matches(std::string(20, '*') + "b", Smtp(250, std::string(2000, 'a'))));
}

TEST(Pattern, LinesAsTheyCame) {
  const auto pattern = Pattern::Parse("Subject: *");
  ASSERT_TRUE(pattern.has_value());
  const Reply retr = Status("+OK", "120 octets");  // the message is no part of it
  EXPECT_FALSE(pattern->Matches(retr));
  EXPECT_TRUE(pattern->Matches(retr, "+OK 120 octets\nSubject: x\n"));
}

TEST(Pattern, RegularExpressions) {
  const Reply hello = Smtp(250, "me\nSIZE 1000");
  EXPECT_TRUE(Matches("/^250 SIZE \\d+$/", hello));
  EXPECT_FALSE(Matches("/^250 size/", hello));
  EXPECT_TRUE(Matches("/^250 size/i", hello));
  EXPECT_FALSE(Pattern::Parse("/(/").has_value());
  EXPECT_FALSE(Pattern::Parse("/x/g").has_value());
  // One that would try for ever gives up.
  EXPECT_FALSE(Matches("/^250 (a+)+$/", Smtp(250, std::string(5000, 'a') + "b")));
}

TEST(Pattern, Bounds) {
  EXPECT_TRUE(Pattern::Parse(std::string(PatternLimits::kOctets, 'x')).has_value());
  EXPECT_FALSE(Pattern::Parse(std::string(PatternLimits::kOctets + 1, 'x')).has_value());
  EXPECT_FALSE(Pattern::Parse("").has_value());
}

TEST(Script, EveryKindOfLine) {
  const auto steps = ParseScript(
      "# remark\n\n> EHLO me\r\n>>NOOP\n< 250\nraw A\\r\\n\\x41\\0\n:b64 \\0ada\\0x\nauth plain ada\nauth ada@b.test\nbdat /a b "
      "LAST\n"
      "wait 0.5\nclose\n>\n",
      "s");
  ASSERT_TRUE(steps.has_value());
  ASSERT_EQ(steps->size(), 11u);
  const auto& s = *steps;
  EXPECT_EQ(s[0].kind, Step::Kind::kSend);
  EXPECT_EQ(s[0].text, "EHLO me");
  EXPECT_EQ(s[0].line, 3u);
  EXPECT_EQ(s[1].kind, Step::Kind::kSendAhead);
  EXPECT_EQ(s[1].text, "NOOP");
  EXPECT_EQ(s[2].kind, Step::Kind::kExpect);
  EXPECT_EQ(s[3].text, std::string("A\r\nA\0", 5));
  EXPECT_EQ(s[4].text, std::string("\0ada\0x", 6));
  EXPECT_EQ(s[5].text, "PLAIN");
  EXPECT_EQ(s[5].user, "ada");
  EXPECT_EQ(s[6].text, "");
  EXPECT_EQ(s[6].user, "ada@b.test");
  EXPECT_EQ(s[7].text, "/a b");
  EXPECT_TRUE(s[7].last);
  EXPECT_EQ(s[8].seconds, 0.5);
  EXPECT_EQ(s[9].kind, Step::Kind::kClose);
  EXPECT_EQ(s[10].text, "");
}

TEST(Script, MistakesNameTheirLine) {
  for (const Octets bad : {"frob", "raw", "raw \\q", "raw \\x4", "wait -1", "wait nan", "wait 3601", "< ", "bdat", "! x"}) {
    const auto steps = ParseScript("> NOOP\n" + std::string(bad) + "\n", "s");
    ASSERT_FALSE(steps.has_value()) << bad;
    EXPECT_EQ(steps.error().where, "s, line 2") << bad;
  }
}

TEST(Script, Bounds) {
  const std::string longest = "> " + std::string(ScriptLimits::kLine - 2, 'x');
  EXPECT_TRUE(ParseScript(longest, "s").has_value());
  EXPECT_FALSE(ParseScript(longest + "x", "s").has_value());
  std::string lines;
  for (std::size_t i = 0; i < ScriptLimits::kLines; ++i) lines += "> x\n";
  EXPECT_TRUE(ParseScript(lines, "s").has_value());
  EXPECT_FALSE(ParseScript(lines + "> x\n", "s").has_value());
  std::string octets;
  for (std::size_t i = 0; i < 16; ++i) octets += "#" + std::string(ScriptLimits::kOctets / 16 - 2, 'x') + "\n";
  EXPECT_TRUE(ParseScript(octets, "s").has_value());
  EXPECT_FALSE(ParseScript(octets + "\n", "s").has_value());
  EXPECT_TRUE(ParseCommand("b64 " + std::string(ScriptLimits::kBase64, 'x')).has_value());
  EXPECT_FALSE(ParseCommand("b64 " + std::string(ScriptLimits::kBase64 + 1, 'x')).has_value());
}

}  // namespace
}  // namespace glasspost::agent::talk
