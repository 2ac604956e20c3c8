#include "agent/mail_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "agent/mail_summary.h"
#include "agent/mail_writer.h"
#include "support/temporary_folder.h"

namespace glasspost::agent {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class MailFolder : public testing::Test {
 protected:
  void Put(const std::string& name, Octets octets) const {
    const fs::path path = folder.path() + "/" + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << octets;
  }
  void MakeMaildir() const {
    for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(folder.path() + "/" + part);
  }
  std::unique_ptr<MailSource> Open(const std::string& name = "") const {
    auto source = OpenMailFolder(folder.path() + name);
    EXPECT_TRUE(source) << source.error().Text();
    return source ? std::move(*source) : nullptr;
  }
  static std::string Whole(MailSource& source, std::size_t place) {
    std::string all;
    const auto read = source.Read(place, [&](Octets piece) -> Expected<void> {
      all += piece;
      return {};
    });
    EXPECT_TRUE(read) << read.error().Text();
    return all;
  }
  static std::vector<MailSummary> Summaries(MailSource& source) {
    std::vector<std::size_t> places(source.count());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::vector<MailSummary> all;
    MailSummarizer summarizer;
    const auto read = source.ReadHeads(places, [&](std::size_t, const MailEntry& entry, const MailHead& head) {
      all.push_back(summarizer.Summarize(entry, head));
    });
    EXPECT_TRUE(read);
    return all;
  }
  static std::vector<std::string> Subjects(MailSource& source) {
    std::vector<std::string> all;
    for (const MailSummary& s : Summaries(source)) all.push_back(s.subject);
    return all;
  }

  TemporaryFolder folder;
};

TEST_F(MailFolder, NumbersAreTheOrderOfDelivery) {
  MakeMaildir();
  Put("cur/1700000002.M5P1Q10.host:2,S", "Subject: d\n\n");
  Put("new/1700000002.M5P1Q9.host,S=12", "Subject: c\n\n");
  Put("cur/999999999.1_1.host:2,RS", "Subject: a\n\n");
  Put("new/1700000001.M9.host", "Subject: b\n\n");
  Put("tmp/1700000000.M1.host", "Subject: unfinished\n\n");
  const auto source = Open();
  EXPECT_THAT(Subjects(*source), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(source->Entry(2).id, "1700000002.M5P1Q9.host,S=12");
  EXPECT_EQ(source->Entry(1).arrived, 1'700'000'001'000'000'000);
  EXPECT_FALSE(source->Entry(1).seen);
  EXPECT_TRUE(source->Entry(0).answered && source->Entry(0).seen);
  EXPECT_EQ(source->Find("2"), 1u);
  EXPECT_EQ(source->Find("1700000002.M5P1Q10.host"), 3u);
  for (const char* none : {"0", "5", "-1", "", "18446744073709551616"}) EXPECT_EQ(source->Find(none), std::nullopt) << none;
}

TEST_F(MailFolder, MarkingKeepsNumberAndOtherFlags) {
  MakeMaildir();
  Put("new/1.a", "Subject: a\n\n");
  Put("cur/2.b:2,FT", "Subject: b\n\n");
  const auto source = Open();
  ASSERT_TRUE(source->Mark(0, MailSource::Flag::kSeen));
  ASSERT_TRUE(source->Mark(1, MailSource::Flag::kAnswered));
  ASSERT_TRUE(source->Mark(1, MailSource::Flag::kAnswered));
  EXPECT_TRUE(fs::exists(folder.path() + "/cur/1.a:2,S"));
  EXPECT_TRUE(fs::exists(folder.path() + "/cur/2.b:2,FRST"));
  EXPECT_FALSE(fs::exists(folder.path() + "/new/1.a"));
  EXPECT_THAT(Subjects(*Open()), ElementsAre("a", "b"));
}

TEST_F(MailFolder, AnotherProgramReadsMeanwhile) {
  MakeMaildir();
  Put("new/1.a", "Subject: a\n\n");
  Put("new/2.b", "Subject: b\n\n");
  const auto source = Open();
  fs::rename(folder.path() + "/new/1.a", folder.path() + "/cur/1.a:2,S");
  fs::remove(folder.path() + "/new/2.b");
  EXPECT_EQ(Whole(*source, 0), "Subject: a\n\n");
  EXPECT_TRUE(source->Mark(0, MailSource::Flag::kAnswered));
  EXPECT_TRUE(fs::exists(folder.path() + "/cur/1.a:2,RS"));
  EXPECT_FALSE(source->Read(1, [](Octets) { return Expected<void>(); }));
  EXPECT_THAT(Subjects(*source), ElementsAre("a"));
}

TEST_F(MailFolder, NothingButFilesIsOpened) {
  MakeMaildir();
  Put("secret", "Subject: outside\n\n");
  fs::create_symlink(folder.path() + "/secret", folder.path() + "/cur/1.link:2,S");
  ASSERT_EQ(::mkfifo((folder.path() + "/cur/2.pipe:2,S").c_str(), 0600), 0);
  fs::create_directories(folder.path() + "/cur/3.folder");
  Put("cur/.hidden", "Subject: hidden\n\n");
  Put("cur/4.line\nend:2,S", "Subject: odd name\n\n");
  Put("cur/5.empty", "");
  EXPECT_THAT(Subjects(*Open()), ElementsAre("odd name", ""));
  EXPECT_FALSE(OpenMailFolder(folder.path() + "/cur/2.pipe:2,S"));
  EXPECT_FALSE(OpenMailFolder(folder.path() + "/nothing"));
  fs::remove_all(folder.path() + "/cur");
  fs::create_symlink("/", folder.path() + "/cur");
  EXPECT_FALSE(OpenMailFolder(folder.path()));
}

// What is a file when the folder is looked at may be a link or a pipe when it is opened.
TEST_F(MailFolder, ReplacedMeanwhile) {
  MakeMaildir();
  Put("secret", "Subject: outside\n\n");
  Put("cur/1.a", "Subject: a\n\n");
  Put("cur/2.b", "Subject: b\n\n");
  const auto source = Open();
  fs::remove(folder.path() + "/cur/1.a");
  fs::create_symlink(folder.path() + "/secret", folder.path() + "/cur/1.a");
  fs::remove(folder.path() + "/cur/2.b");
  ASSERT_EQ(::mkfifo((folder.path() + "/cur/2.b").c_str(), 0600), 0);
  EXPECT_THAT(Subjects(*source), IsEmpty());
}

TEST_F(MailFolder, OneThatCannotBeReadHidesNoOther) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  MakeMaildir();
  Put("cur/1.a", "Subject: a\n\n");
  Put("cur/2.b", "Subject: b\n\n");
  fs::permissions(folder.path() + "/cur/1.a", fs::perms::none);
  const auto source = Open();
  std::size_t heads = 0;
  const auto read =
      source->ReadHeads(std::vector<std::size_t>{0, 1}, [&](std::size_t, const MailEntry&, const MailHead&) { ++heads; });
  EXPECT_FALSE(read);
  EXPECT_EQ(heads, 1u);
}

TEST_F(MailFolder, WhatMailWriterWroteIsReadBack) {
  class FixedClock final : public Clock {
   public:
    Timestamp Now() const override { return 1'772'438'400'123'456'789; }
    std::int64_t Steady() const override { return 0; }
  };
  const FixedClock clock;
  for (const MailFormat format : {MailFormat::kMaildir, MailFormat::kMbox, MailFormat::kEml}) {
    const std::string path = folder.path() + "/" + std::to_string(static_cast<int>(format));
    auto writer = OpenMailWriter(format, path, clock, SystemRandomness());
    ASSERT_TRUE(writer);
    const std::vector<std::string> messages = {"Subject: 1\r\n\r\nFrom x\r\n>From y\r\n\r\n", "Subject: 2\r\n\r\n", "\r\n>>\r\n"};
    for (const std::string& message : messages) {
      ASSERT_TRUE((*writer)->Begin() && (*writer)->Write(message) && (*writer)->End() && (*writer)->Commit());
    }
    const auto source = OpenMailFolder(path);
    ASSERT_TRUE(source);
    ASSERT_EQ((*source)->count(), messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      std::string expected = messages[i];
      if (format != MailFormat::kEml) std::erase(expected, '\r');
      EXPECT_EQ(Whole(**source, i), expected);
    }
  }
}

TEST_F(MailFolder, MboxHasItsFlagsInTheHeader) {
  const std::string mark = "From a@b.c Mon Nov 23 08:15:30 2026\n";
  Put("mbox",
      mark + "Subject: 1\n\n\n" + mark + "Subject: 2\nStatus: O\n\n\n" + mark + "Subject: 3\nStatus: RO\nX-Status: AF\n\n\n");
  const auto all = Summaries(*Open("/mbox"));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(all[0].flags_known && !all[0].seen);
  EXPECT_FALSE(all[1].seen);
  EXPECT_TRUE(all[2].seen && all[2].answered && all[2].flagged);
  EXPECT_FALSE(Open("/mbox")->Remove(std::vector<std::size_t>{0}));
}

TEST_F(MailFolder, FoldersOfFilesAndSingleOnes) {
  Put("m10.eml", "Subject: c\n\n");
  Put("m2.EML", "Subject: b\n\n");
  Put("m2.eml", "Subject: b2\n\nx");
  Put("notes.txt", "Subject: none\n\n");
  EXPECT_THAT(Subjects(*Open()), ElementsAre("b", "b2", "c"));
  const auto one = Open("/m2.eml");
  EXPECT_EQ(one->count(), 1u);
  EXPECT_EQ(Whole(*one, 0), "Subject: b2\n\nx");
  ASSERT_TRUE(Open()->Remove(std::vector<std::size_t>{0}));
  EXPECT_THAT(Subjects(*Open()), ElementsAre("b2", "c"));
}

TEST_F(MailFolder, LongHeadersAndParts) {
  MakeMaildir();
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "X: y\n";
  Put("cur/1.a", lines + "Subject: beyond\n\n");
  std::string fewer;
  for (int i = 0; i < 9'000; ++i) fewer += "X: of twenty octets\n";
  Put("cur/2.b", "Subject: b\n" + fewer + "From: Ada\n <ada@a.test>\n\nbody");
  const std::string mixed = "Subject: c\nContent-Type: Multipart/Mixed; boundary=b\n\n--b\n\n" + std::string(20'000, 'x');
  Put("cur/3.c", mixed + "\n--b\nContent-Type: image/png; name=x.png\n\nx\n--b--\n");
  Put("cur/4.d", mixed + "\n--b\n\nonly text\n--b--\n");
  Put("cur/5.e", mixed + std::string(MailSourceLimits::kBeginning, 'x') + "\n--b--\n");
  Put("cur/6.f", "Subject: f\nContent-Disposition: attachment; filename=a\n\nx");
  const auto all = Summaries(*Open());
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0].subject, "");
  EXPECT_EQ(all[1].from, "Ada");
  std::vector<bool> attached;
  for (const MailSummary& s : all) attached.push_back(s.attachment);
  EXPECT_THAT(attached, ElementsAre(false, false, true, false, true, true));
}

TEST_F(MailFolder, FieldsAreKeptAtTheirLimits) {
  MakeMaildir();
  const std::string at(1024, 's'), past = at.substr(1) + "\u00e9";
  Put("cur/1.a", "Subject: " + at + "\nFrom: " + at + "x <a@b.c>\n\n");
  Put("cur/2.b", "Subject: " + past + "\nTo: " + std::string(4090, 'x') + "@abcdefgh\n\n");
  const auto all = Summaries(*Open());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].subject, at);
  EXPECT_EQ(all[0].from, at);
  EXPECT_EQ(all[1].subject, at.substr(1));  // no half of a character
  EXPECT_TRUE(Matches(all[1], "XX@ABCDE") && !Matches(all[1], "@abcdef"));
}

TEST(ComesBefore, AsPeopleCount) {
  const std::vector<Octets> ordered = {"", "0", "1", "2", "10", "18446744073709551617", "a", "a1", "a2b", "a10", "b"};
  for (std::size_t i = 0; i < ordered.size(); ++i)
    for (std::size_t k = 0; k < ordered.size(); ++k)
      EXPECT_EQ(ComesBefore(ordered[i], ordered[k]), i < k) << ordered[i] << " " << ordered[k];
  EXPECT_NE(ComesBefore("a01", "a1"), ComesBefore("a1", "a01"));  // alike, but never the same
}

}  // namespace
}  // namespace glasspost::agent
