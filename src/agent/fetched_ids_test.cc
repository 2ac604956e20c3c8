#include "agent/fetched_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/sha256.h"
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

// What a killed process left: `text` behind the boot's line, and these files in a folder of .eml.
class FetchedIdsKilledTest : public FetchedIdsTest {
 protected:
  std::string ComingPath() const { return path() + FetchedIds::kComing; }
  std::string mail() const { return folder_.path() + "/mail"; }
  void Leave(const std::string& text, const std::vector<std::string>& files = {}) {
    { FetchedIds ids = Open(); }
    if (head_.empty()) {
      FetchedIds ids = Open();
      EXPECT_TRUE(ids.Announce("x", 1, "eml /nowhere x"));
      std::ifstream in(ComingPath());
      std::getline(in, head_);
      head_ += '\n';
      EXPECT_TRUE(ids.Withdraw());
    }
    EXPECT_TRUE(head_.starts_with("glasspost coming ")) << head_;
    std::filesystem::create_directories(mail() + "/new");
    std::filesystem::create_directories(mail() + "/cur");
    for (const std::string& name : files) std::ofstream(mail() + "/" + name) << "x";
    std::ofstream(ComingPath(), std::ios::binary) << head_ << text;
  }
  std::string Line(const std::string& id, const std::string& name, const std::string& kind = "eml") const {
    return id + " 7 " + kind + " " + mail() + " " + name + "\n";
  }
  std::size_t Known() {
    const FetchedIds ids = Open();
    return ids.size();
  }
  std::string head_;
};

TEST_F(FetchedIdsKilledTest, WhatCameToItsPlaceIsKnown) {
  Leave(Line("a", "1") + Line("b", "2") + Line("c", "3"), {"1", "2"});
  {
    const FetchedIds ids = Open();
    EXPECT_EQ(ids.When("a"), 7);
    EXPECT_EQ(ids.When("b"), 7);
    EXPECT_FALSE(ids.When("c"));
  }
  EXPECT_EQ(Text(), "a 7\nb 7\n");
  EXPECT_FALSE(std::filesystem::exists(ComingPath()));
  Leave(Line("d", "3") + Line("e", "4") + Line("f", "5"), {"4", "5"});  // 3 was taken away by its reader
  EXPECT_EQ(Known(), 5u);
}

TEST_F(FetchedIdsKilledTest, AMaildirMayHaveBeenRead) {
  Leave(Line("a", "1", "maildir") + Line("b", "2,S=1", "maildir") + Line("c", "3", "maildir"), {"cur/2,S=1:2,S", "cur/33"});
  const FetchedIds ids = Open();
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_FALSE(ids.When("c"));
}

TEST_F(FetchedIdsKilledTest, AnotherBootIsNoWitness) {
  Leave("", {"1"});
  head_[head_.size() - 2] ^= 1;
  Leave(Line("a", "1"));
  EXPECT_EQ(Known(), 0u);
  EXPECT_FALSE(std::filesystem::exists(ComingPath()));
}

TEST_F(FetchedIdsKilledTest, TornAndForeignLinesAreNone) {
  const std::string first = Line("a", "1");
  for (const std::string& rest : std::vector<std::string>{
           Line("b", "2").substr(0, Line("b", "2").size() - 1), std::string(40, '\0') + "\n" + Line("b", "2"),
           "b\n" + Line("b", "2"), "b 7 \n" + Line("c", "3"), "b 7 eml " + mail() + " ../1\n", "b 7 eml relative 2\n",
           "b 7 eml /%zz 2\n", "b 7 mbox " + mail() + "/1 0 1 0\n", "b 7 mbox " + mail() + "/1 0 99999999999999999999 0\n",
           "b x eml " + mail() + " 2\n", Line(std::string(256, 'b'), "2")}) {
    std::filesystem::remove(path());
    Leave(first + rest, {"1", "2"});
    EXPECT_EQ(Known(), 1u) << rest;
  }
  const std::string longest(FetchedIds::kIdOctets, 'b');
  Leave(Line(longest, "2"));
  EXPECT_EQ(Known(), 2u);
  Leave(std::string(FetchedIds::kComingOctets, 'x'));  // none of ours: stays as it is, and is not used
  {
    FetchedIds ids = Open();
    EXPECT_TRUE(ids.Announce("y", 1, "eml /nowhere y"));
    EXPECT_TRUE(ids.Withdraw());
  }
  EXPECT_GT(std::filesystem::file_size(ComingPath()), FetchedIds::kComingOctets);
}

TEST_F(FetchedIdsKilledTest, WhatIsRememberedOrTakenBackIsNotComing) {
  Leave("", {"1"});
  FetchedIds ids = Open();
  EXPECT_TRUE(ids.Announce("a", 7, "eml " + mail() + " 1"));
  EXPECT_TRUE(ids.Withdraw());
  EXPECT_TRUE(ids.Announce("b", 7, std::string(FetchedIds::kPlaceOctets + 1, 'x')));
  EXPECT_EQ(std::filesystem::file_size(ComingPath()), 0u);
  EXPECT_TRUE(ids.Announce("b", 7, "eml " + mail() + " 1"));
  EXPECT_GT(std::filesystem::file_size(ComingPath()), 0u);
  EXPECT_TRUE(Add(ids, "b", 7));
  EXPECT_EQ(std::filesystem::file_size(ComingPath()), 0u);
  EXPECT_FALSE(ids.When("a"));
}

// Every cut of a message that goes to an mbox: it is there in full, or nothing of it is.
TEST_F(FetchedIdsKilledTest, AnMboxHasTheWholeMessageOrNothing) {
  const std::string before = "From MAILER-DAEMON Mon Mar  2 08:00:00 2026\nSubject: 1\n\n\n";
  const std::string next = "From MAILER-DAEMON Mon Mar  2 08:00:00 2026\nSubject: 2\n\nbody\n\n";
  const std::string place = "a 7 mbox " + mail() + "/box " + std::to_string(before.size());
  const std::string whole = place + " " + std::to_string(before.size() + next.size()) + " " + Hex(HashSha256(next)) + "\n";
  const auto octets = [&] {
    std::ifstream in(mail() + "/box", std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  };
  for (std::size_t cut = 0; cut <= next.size(); ++cut) {
    for (const bool ended : {false, true}) {
      std::filesystem::remove(path());
      Leave(ended ? place + "\n" + whole : place + "\n");
      std::ofstream(mail() + "/box", std::ios::binary) << before << next.substr(0, cut);
      EXPECT_EQ(Known(), ended && cut == next.size() ? 1u : 0u) << cut;
      const bool ends = next.substr(0, cut).ends_with("\n\n");  // may be anybody's
      EXPECT_EQ(octets(), ends ? before + next.substr(0, cut) : before) << cut;
    }
  }
  for (const std::string& others : std::vector<std::string>{"From bob@a.test Mon Mar  2 08:00:00 2026\n\nx",
                                                            "\n\nFrom bob@a.test Mon Mar  2 08:00:00 2026\n\nx"}) {
    std::filesystem::remove(path());
    Leave(place + "\n" + whole);
    const std::string text = before + (others.starts_with('F') ? "" : next.substr(0, 40)) + others;
    std::ofstream(mail() + "/box", std::ios::binary) << text;
    EXPECT_EQ(Known(), 0u);
    EXPECT_EQ(octets(), text);
  }
}

}  // namespace
}  // namespace glasspost::agent
