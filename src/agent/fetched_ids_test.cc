#include "agent/fetched_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/temporary_folder.h"

namespace glasspost::agent {
namespace {

class FetchedIdsTest : public testing::Test {
 protected:
  FetchedIds Open() {
    auto opened = FetchedIds::Open(path());
    EXPECT_TRUE(opened) << opened.error().Text();
    return std::move(*opened);
  }
  std::string path() const { return folder_.path() + "/state/ada@a.test"; }
  static bool Add(FetchedIds& ids, Octets id, std::int64_t seconds) {
    ids.Add(id, seconds);
    return ids.Sync().has_value();
  }
  std::string Text() const {
    std::ifstream in(path(), std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  TemporaryFolder folder_;
};

TEST_F(FetchedIdsTest, WhatWasAddedIsKnownTheNextTime) {
  {
    FetchedIds ids = Open();
    EXPECT_FALSE(ids.When("1.1"));
    EXPECT_TRUE(Add(ids, "1.1", 100));
    EXPECT_TRUE(Add(ids, "!~", 200));
  }
  FetchedIds ids = Open();
  EXPECT_EQ(ids.When("1.1"), 100);
  EXPECT_EQ(ids.When("!~"), 200);
  EXPECT_EQ(ids.size(), 2u);
}

TEST_F(FetchedIdsTest, ALineThatWasCutOffIsNoMessage) {
  {
    FetchedIds ids = Open();
    EXPECT_TRUE(Add(ids, "whole", 100));
  }
  std::ofstream(path(), std::ios::app | std::ios::binary) << "cut 12";
  {
    FetchedIds ids = Open();
    EXPECT_FALSE(ids.When("cut"));
    EXPECT_TRUE(Add(ids, "next", 7));
  }
  FetchedIds ids = Open();
  EXPECT_EQ(ids.When("whole"), 100);
  EXPECT_EQ(ids.When("next"), 7);
}

TEST_F(FetchedIdsTest, ATornNumberIsNoTime) {
  {
    FetchedIds ids = Open();
    EXPECT_TRUE(Add(ids, "whole", 100));
  }
  std::ofstream(path(), std::ios::app | std::ios::binary) << "u1 17";  // 1795450000, but for the power
  {
    FetchedIds ids = Open();
    EXPECT_FALSE(ids.When("u1"));
  }
  EXPECT_EQ(Text(), "whole 100\n");
  FetchedIds ids = Open();
  EXPECT_FALSE(ids.When("u1"));
  EXPECT_EQ(ids.size(), 1u);
}

TEST_F(FetchedIdsTest, AnotherFileIsLeftAsItIs) {
  { FetchedIds ids = Open(); }
  const std::string mail = "From MAILER-DAEMON Mon Nov 23\nSubject: x\n\nword 12\n";
  std::ofstream(path(), std::ios::binary) << mail;
  bool busy = true;
  const auto opened = FetchedIds::Open(path(), &busy);
  ASSERT_FALSE(opened);
  EXPECT_FALSE(busy);
  EXPECT_NE(opened.error().Text().find("is no list"), std::string::npos);
  EXPECT_EQ(Text(), mail);
}

TEST_F(FetchedIdsTest, WhatIsNoIdIsNotKept) {
  FetchedIds ids = Open();
  for (const std::string& id :
       {std::string(), std::string("two words"), std::string("line\nend"), std::string("\xff"), std::string(256, 'x')}) {
    EXPECT_TRUE(Add(ids, id, 1));
    EXPECT_FALSE(ids.When(id));
  }
  EXPECT_TRUE(Add(ids, std::string(255, 'x'), 1));
  EXPECT_EQ(ids.size(), 1u);
}

TEST_F(FetchedIdsTest, WhatIsNotSyncedIsNotKnown) {
  {
    FetchedIds ids = Open();
    ids.Add("a", 1);
    ids.Add("b", 2);
    EXPECT_FALSE(ids.When("a"));
    EXPECT_TRUE(ids.Sync());
    EXPECT_EQ(ids.When("b"), 2);
    ids.Add("c", 3);
  }
  EXPECT_EQ(Text(), "a 1\nb 2\n");
}

TEST_F(FetchedIdsTest, OneAtATimeAlsoAfterRetain) {
  FetchedIds ids = Open();
  bool busy = false;
  EXPECT_FALSE(FetchedIds::Open(path(), &busy));
  EXPECT_TRUE(busy);
  EXPECT_FALSE(FetchedIds::Open("/proc/x/ids", &busy));
  EXPECT_FALSE(busy) << "trying again later would not help";
  EXPECT_TRUE(Add(ids, "a", 1));
  EXPECT_TRUE(Add(ids, "b", 2));
  EXPECT_TRUE(ids.Retain([](Octets id) { return id == "b"; }, FetchedIds::kUnseen + 1));
  EXPECT_TRUE(ids.When("a"));  // listed again tomorrow, perhaps
  EXPECT_TRUE(ids.Retain([](Octets id) { return id == "b"; }, FetchedIds::kUnseen + 2));
  EXPECT_EQ(Text(), "b 2\n");
  EXPECT_FALSE(FetchedIds::Open(path()));
  EXPECT_TRUE(Add(ids, "c", 3));
  EXPECT_EQ(Text(), "b 2\nc 3\n");
  EXPECT_FALSE(ids.When("a"));
}

}  // namespace
}  // namespace glasspost::agent
