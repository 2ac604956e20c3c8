#include "wire/smtp/rules.h"

#include <gtest/gtest.h>

namespace glasspost::smtp {
namespace {

TEST(SmtpRules, OrderOfATransaction) {
  State s = State::kConnected;
  EXPECT_FALSE(MayCome(Verb::kEhlo, s));
  s = State::kGreeted;
  EXPECT_FALSE(MayCome(Verb::kMail, s));
  EXPECT_TRUE(MayCome(Verb::kNoop, s));
  s = Next(s, Verb::kEhlo, 250);
  EXPECT_EQ(s, State::kReady);
  EXPECT_FALSE(MayCome(Verb::kRcpt, s));
  s = Next(s, Verb::kMail, 250);
  EXPECT_EQ(s, State::kMail);
  EXPECT_FALSE(MayCome(Verb::kData, s));
  EXPECT_FALSE(MayCome(Verb::kMail, s));
  EXPECT_EQ(Next(s, Verb::kRcpt, 550), State::kMail);
  s = Next(s, Verb::kRcpt, 251);
  EXPECT_EQ(s, State::kRcpt);
  EXPECT_EQ(Next(s, Verb::kEhlo, 501), State::kRcpt);
  s = Next(s, Verb::kData, 354);
  EXPECT_EQ(s, State::kData);
  EXPECT_EQ(Next(s, Verb::kDataBlock, 250), State::kReady);
  EXPECT_EQ(Next(s, Verb::kDataBlock, 554), State::kReady);
  EXPECT_EQ(Next(State::kReady, Verb::kQuit, 221), State::kQuit);
  EXPECT_EQ(Next(State::kRcpt, Verb::kRset, 250), State::kReady);
  EXPECT_EQ(Next(State::kGreeted, Verb::kRset, 250), State::kGreeted);
  EXPECT_EQ(Next(State::kRcpt, Verb::kNoop, 421), State::kQuit);
}

TEST(SmtpRules, ChunksAuthenticationTls) {
  EXPECT_EQ(Next(State::kRcpt, Verb::kBdat, 250), State::kChunks);
  EXPECT_TRUE(MayCome(Verb::kBdat, State::kChunks));
  EXPECT_FALSE(MayCome(Verb::kData, State::kChunks));
  EXPECT_EQ(Next(State::kChunks, Verb::kBdat, 250, true), State::kReady);
  EXPECT_EQ(Next(State::kChunks, Verb::kBdat, 552, true), State::kReady);
  EXPECT_EQ(Next(State::kRcpt, Verb::kBdat, 501, true), State::kRcpt);
  EXPECT_EQ(Next(State::kReady, Verb::kAuth, 334), State::kAuthenticating);
  EXPECT_TRUE(MayCome(Verb::kAuthAnswer, State::kAuthenticating));
  EXPECT_EQ(Next(State::kAuthenticating, Verb::kAuthAnswer, 535), State::kReady);
  EXPECT_EQ(Next(State::kReady, Verb::kStartTls, 220), State::kTls);
  EXPECT_EQ(Next(State::kReady, Verb::kStartTls, 454), State::kReady);
  EXPECT_EQ(Next(State::kReady, Verb::kXclient, 220), State::kGreeted);
  EXPECT_EQ(NextPresumed(State::kRcpt, Verb::kData), State::kData);
  EXPECT_EQ(NextPresumed(State::kRcpt, Verb::kBdat, true), State::kReady);
  EXPECT_EQ(NextPresumed(State::kReady, Verb::kAuth), State::kReady);
}

TEST(SmtpRules, WhichReplyAnswersWhat) {
  const struct {
    Verb verb;
    int code;
    bool may;
  } kCases[] = {
      {Verb::kMail, 250, true},     {Verb::kMail, 251, false},     {Verb::kMail, 552, true},  {Verb::kMail, 354, false},
      {Verb::kRcpt, 251, true},     {Verb::kRcpt, 450, true},      {Verb::kRcpt, 221, false}, {Verb::kData, 354, true},
      {Verb::kData, 250, false},    {Verb::kData, 503, true},      {Verb::kQuit, 221, true},  {Verb::kQuit, 250, false},
      {Verb::kAuth, 334, true},     {Verb::kAuth, 235, true},      {Verb::kAuth, 250, false}, {Verb::kAuthAnswer, 535, true},
      {Verb::kStartTls, 220, true}, {Verb::kStartTls, 250, false}, {Verb::kHelp, 214, true},  {Verb::kVrfy, 252, true},
      {Verb::kEhlo, 250, true},     {Verb::kEhlo, 421, true},      {Verb::kEhlo, 220, false}, {Verb::kDataBlock, 452, true},
      {Verb::kEtrn, 253, true},     {Verb::kMail, 0, false},
  };
  for (const auto& [verb, code, may] : kCases) EXPECT_EQ(MayAnswer(verb, code), may) << Name(verb) << " " << code;
}

// Every row can be reached, names its clause and has an answer that says yes.
TEST(SmtpRules, TableIsSound) {
  for (const Rule& rule : kRules) {
    EXPECT_TRUE(rule.rfc.starts_with("RFC ")) << Name(rule.verb);
    bool somewhere = false;
    for (int s = 0; s < kStateCount; ++s) somewhere |= rule.in.Has(static_cast<State>(s));
    EXPECT_TRUE(somewhere) << Name(rule.verb);
    EXPECT_FALSE(rule.in.Has(State::kConnected)) << Name(rule.verb);
    EXPECT_FALSE(rule.in.Has(State::kTls)) << Name(rule.verb);
    EXPECT_TRUE(rule.verb == Verb::kUnknown || rule.success[0] != 0 || rule.go_on != 0) << Name(rule.verb);
    for (const std::uint16_t code : rule.success) EXPECT_TRUE(code == 0 || code / 100 == 2);
    for (const std::uint16_t code : rule.refused) EXPECT_TRUE(code == 0 || code / 100 >= 4);
  }
}

}  // namespace
}  // namespace glasspost::smtp
