#include "wire/dns/matching.h"

#include <gtest/gtest.h>

namespace glasspost::dns {
namespace {

Message Made(std::uint16_t id, std::uint16_t flags, Octets name, std::uint16_t type = kTypeA) {
  Message m;
  m.id = id;
  m.flags = flags;
  const bool added = name.empty() || m.AddQuestion(name, type);
  EXPECT_TRUE(added);
  return m;
}
Message Read(Octets wire) {
  Message m;
  Decode(wire, m);
  return m;
}

TEST(DnsMatching, IdentificationAndQuestion) {
  const Message query = Made(7, kFlagRd, "a.test");
  EXPECT_EQ(MatchAnswer(query, Made(7, kFlagQr, "A.Test")), Match::kAnswer);
  EXPECT_EQ(MatchAnswer(query, Made(8, kFlagQr, "a.test")), Match::kWrongId);
  EXPECT_EQ(MatchAnswer(query, Made(7, kFlagQr, "b.test")), Match::kWrongQuestion);
  EXPECT_EQ(MatchAnswer(query, Made(7, kFlagQr, "a.test", kTypeMx)), Match::kWrongQuestion);
  EXPECT_EQ(MatchAnswer(query, query), Match::kNoAnswer);
}

TEST(DnsMatching, OnlyARefusalMayLeaveTheQuestionOut) {
  const Message query = Made(7, kFlagRd, "a.test");
  EXPECT_EQ(MatchAnswer(query, Made(7, kFlagQr, {})), Match::kWrongQuestion);
  EXPECT_EQ(MatchAnswer(query, Made(7, kFlagQr | kRcodeNxDomain, {})), Match::kWrongQuestion);
  EXPECT_EQ(MatchAnswer(query, Made(7, kFlagQr | kRcodeFormErr, {})), Match::kAnswer);
  EXPECT_EQ(MatchAnswer(Made(7, 0, {}), Made(7, kFlagQr, {})), Match::kAnswer);  // nothing was asked
  Message two = Made(7, kFlagQr, "a.test");
  ASSERT_TRUE(two.AddQuestion("b.test", kTypeA));
  EXPECT_EQ(MatchAnswer(query, two), Match::kWrongQuestion);
}

TEST(DnsMatching, WhatCannotBeReadIsMatchedByItsIdentification) {
  std::string octets;
  ASSERT_TRUE(Encode(Made(7, kFlagQr, "b.test"), octets));
  const Message cut = Read(Octets(octets).substr(0, octets.size() - 1));
  ASSERT_TRUE(cut.malformed());
  EXPECT_EQ(MatchAnswer(Made(7, kFlagRd, "a.test"), cut), Match::kAnswer);
  EXPECT_EQ(MatchAnswer(Made(8, kFlagRd, "a.test"), cut), Match::kWrongId);
  EXPECT_EQ(MatchAnswer(cut, Made(7, kFlagQr, "a.test")), Match::kAnswer);
  EXPECT_EQ(MatchAnswer(Made(0, kFlagRd, "a.test"), Read("\x80")), Match::kNoAnswer);
  EXPECT_EQ(MatchAnswer(Made(0, kFlagRd, "a.test"), Read({})), Match::kNoAnswer);
}

}  // namespace
}  // namespace glasspost::dns
