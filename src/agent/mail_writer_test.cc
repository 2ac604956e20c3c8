#include "agent/mail_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/mail_places.h"
#include "support/temporary_folder.h"

namespace glasspost::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kNow = 1'772'438'400'123'456'789;

class FixedClock final : public Clock {
 public:
  Timestamp Now() const override { return kNow; }
  std::int64_t Steady() const override { return 0; }
};

std::string Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

std::vector<std::string> Files(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

class MailWriterTest : public testing::Test {
 protected:
  void Open(MailFormat format, const std::string& name) {
    path_ = folder_.path() + "/" + name;
    auto opened = OpenMailWriter(format, path_, clock_, SystemRandomness());
    ASSERT_TRUE(opened) << opened.error().Text();
    writer_ = std::move(*opened);
  }
  std::string Keep(const std::string& octets, std::size_t piece = 0) {
    EXPECT_TRUE(writer_->Begin());
    for (std::size_t at = 0; at < octets.size(); at += piece == 0 ? octets.size() : piece)
      EXPECT_TRUE(writer_->Write(Octets(octets).substr(at, piece == 0 ? octets.size() : piece)));
    EXPECT_TRUE(writer_->End());
    const auto kept = writer_->Commit();
    EXPECT_TRUE(kept) << kept.error().Text();
    return kept && !kept->empty() ? kept->front() : "";
  }
  FixedClock clock_;
  TemporaryFolder folder_;
  std::string path_;
  std::unique_ptr<MailWriter> writer_;
};

TEST_F(MailWriterTest, MaildirHasWhatWasCommitted) {
  Open(MailFormat::kMaildir, "a/b/Maildir");
  const std::string first = Keep("Subject: x\r\n\r\nbody\r\n");
  EXPECT_TRUE(first.starts_with(path_ + "/new/1772438400.M123456P")) << first;
  EXPECT_TRUE(first.ends_with(",S=17")) << first;
  EXPECT_EQ(Read(first), "Subject: x\n\nbody\n");
  EXPECT_NE(Keep("same time\r\n"), first);
  EXPECT_EQ(Files(path_ + "/new").size(), 2u);
  EXPECT_THAT(Files(path_ + "/tmp"), IsEmpty());
  struct stat status {};
  ASSERT_EQ(::stat(first.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(MailWriterTest, WhatIsNotCommittedLeavesNothing) {
  for (const MailFormat format : {MailFormat::kMaildir, MailFormat::kEml}) {
    Open(format, format == MailFormat::kMaildir ? "m" : "e");
    EXPECT_TRUE(writer_->Begin());
    EXPECT_TRUE(writer_->Write("half"));
    writer_->Abandon();
    EXPECT_TRUE(writer_->Begin());
    EXPECT_TRUE(writer_->Write("half"));
    writer_.reset();
    if (format == MailFormat::kMaildir) {
      EXPECT_THAT(Files(path_ + "/tmp"), IsEmpty());
      EXPECT_THAT(Files(path_ + "/new"), IsEmpty());
    } else {
      EXPECT_THAT(Files(path_), IsEmpty());
    }
  }
  Open(MailFormat::kMbox, "mbox");
  Keep("one\r\n");
  const std::string before = Read(path_);
  EXPECT_TRUE(writer_->Begin());
  EXPECT_TRUE(writer_->Write(std::string(200'000, 'x')));
  writer_->Abandon();
  EXPECT_EQ(Read(path_), before);
}

TEST_F(MailWriterTest, ManyAreCommittedTogetherOrNot) {
  for (const MailFormat format : {MailFormat::kMaildir, MailFormat::kEml}) {
    Open(format, format == MailFormat::kMaildir ? "m" : "e");
    const std::string folder = format == MailFormat::kMaildir ? path_ + "/new" : path_;
    const auto put = [&](int number) {
      EXPECT_TRUE(writer_->Begin());
      EXPECT_TRUE(writer_->Write(std::to_string(number)));
      EXPECT_TRUE(writer_->End());
    };
    for (int i = 0; i < 5; ++i) put(i);
    EXPECT_TRUE(writer_->Begin());  // and one that is not whole
    EXPECT_TRUE(writer_->Write("half"));
    const auto names = writer_->Commit();
    ASSERT_TRUE(names);
    ASSERT_EQ(names->size(), 5u);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(Read((*names)[static_cast<std::size_t>(i)]), std::to_string(i));
    writer_->Abandon();
    EXPECT_EQ(Files(folder).size(), 5u);
    put(6);
    writer_.reset();  // nobody committed it
    EXPECT_EQ(Files(folder).size(), 5u);
    if (format == MailFormat::kMaildir) {
      EXPECT_THAT(Files(path_ + "/tmp"), IsEmpty());
    }
  }
}

TEST_F(MailWriterTest, NothingIsCommittedIfOneCannotBe) {
  Open(MailFormat::kMaildir, "m");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(writer_->Begin());
    EXPECT_TRUE(writer_->Write("x"));
    EXPECT_TRUE(writer_->End());
  }
  std::filesystem::remove(path_ + "/tmp/" + Files(path_ + "/tmp").back());
  EXPECT_FALSE(writer_->Commit());
  EXPECT_THAT(Files(path_ + "/new"), IsEmpty());
  EXPECT_THAT(Files(path_ + "/tmp"), IsEmpty());
}

TEST_F(MailWriterTest, EmlIsOctetByOctet) {
  Open(MailFormat::kEml, "files");
  const std::string octets = "Subject: x\r\n\r\nbare\rcr \xff\r\nno end";
  const std::string path = Keep(octets, 3);
  EXPECT_TRUE(path.ends_with(".eml"));
  EXPECT_EQ(Read(path), octets);
}

TEST_F(MailWriterTest, PiecesMakeNoDifference) {
  const std::string octets = "a\r\nb\rc\r\r\n>From x\r\nFrom y\r\n>>From z\r\nFro\r\n>\r\n\r\nend\r";
  for (const MailFormat format : {MailFormat::kMaildir, MailFormat::kMbox}) {
    std::string whole;
    for (std::size_t piece = 0; piece < 5; ++piece) {
      const std::string name = std::to_string(static_cast<int>(format)) + std::to_string(piece);
      Open(format, name);
      const std::string told = Read(Keep(octets, piece));
      if (piece == 0) whole = told;
      EXPECT_EQ(told, whole);
    }
  }
}

TEST_F(MailWriterTest, MboxQuotesAndSeparates) {
  Open(MailFormat::kMbox, "folder/mbox");
  Keep("Subject: 1\r\n\r\nFrom here\r\n>From there\r\nno From\r\n");
  Keep("Subject: 2\r\n\r\nno line end");
  EXPECT_EQ(Read(path_),
            "From MAILER-DAEMON Mon Mar  2 08:00:00 2026\nSubject: 1\n\n>From here\n>>From there\nno From\n\n"
            "From MAILER-DAEMON Mon Mar  2 08:00:00 2026\nSubject: 2\n\nno line end\n\n");
  std::ofstream(path_, std::ios::binary | std::ios::app) << "somebody's rest";
  Keep("Subject: 3\r\n\r\n");
  EXPECT_THAT(Read(path_), HasSubstr("somebody's rest\n\nFrom MAILER-DAEMON"));
}

// A kill right behind Commit, or before it: what the log was told of is what is there.
TEST_F(MailWriterTest, PlacesAreToldBeforeTheyAreTaken) {
  struct Log final : PlaceLog {
    Expected<void> OnPlacing(std::size_t nth, Octets place) override {
      EXPECT_EQ(nth, fresh++ % 3);
      places.emplace_back(place);
      if (!place.starts_with("mbox")) {  // which is locked now
        EXPECT_EQ(*PlacesKept(places), places.size() - 1) << place;
      }
      if (places.size() == most) return Fail("no room", "log");
      return {};
    }
    bool OnWithdrawn() override { return places.clear(), fresh = 0, true; }
    std::vector<std::string> places;
    std::size_t fresh = 0, most = 100;
  } log;
  for (const MailFormat format : {MailFormat::kMaildir, MailFormat::kEml, MailFormat::kMbox}) {
    Open(format, "a %" + std::to_string(static_cast<int>(format)) + "\n");
    writer_->SetPlaceLog(&log);
    log.OnWithdrawn();
    const auto put = [&](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(writer_->Begin());
        EXPECT_TRUE(writer_->Write("Subject: " + std::to_string(i) + "\r\n"));
        EXPECT_TRUE(writer_->End());
      }
    };
    const std::size_t count = std::min<std::size_t>(writer_->most_waiting(), 3);
    put(count);
    EXPECT_TRUE(writer_->Commit());
    EXPECT_EQ(log.places.size(), count);
    EXPECT_EQ(*PlacesKept(log.places), count);
    log.OnWithdrawn();
    log.most = count;
    put(count);
    EXPECT_FALSE(writer_->Commit());
    EXPECT_THAT(log.places, IsEmpty()) << "taken back";
    log.most = 100;
    writer_.reset();
  }
  EXPECT_EQ(*PlacesKept({"", "eml", "maildir / ..", "mbox / 1", "no /tmp x"}), 0u);
}

// The part of a large one that is in the mbox early is cut off, wherever the kill came.
TEST_F(MailWriterTest, APartOfALargeMessageIsNoMessage) {
  struct Log final : PlaceLog {
    Expected<void> OnPlacing(std::size_t, Octets place) override { return places.emplace_back(place), Expected<void>(); }
    bool OnWithdrawn() override { return true; }
    std::vector<std::string> places;
  } log;
  Open(MailFormat::kMbox, "mbox");
  Keep("one\r\n");
  const std::string before = Read(path_);
  writer_->SetPlaceLog(&log);
  EXPECT_TRUE(writer_->Begin());
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(writer_->Write("x\r\n\r\n\r\n"));
  const std::string part = Read(path_);
  EXPECT_GT(part.size(), before.size());
  EXPECT_TRUE(part.ends_with("x"));
  EXPECT_EQ(log.places.size(), 1u);
  writer_->Abandon();
  std::ofstream(path_, std::ios::binary) << part;  // as a kill leaves it
  EXPECT_EQ(*PlacesKept(log.places), 0u);
  EXPECT_EQ(Read(path_), before);
}

// Each octet is looked at once, whatever stands there.
TEST_F(MailWriterTest, LinesOfMarksCostNothing) {
  Open(MailFormat::kMbox, "mbox");
  const std::string marks(3'000'000, '>');
  Keep("a\r\n" + marks + "From x\r\n" + marks + "\r\nFrom", 65'536);
  const std::string told = Read(path_);
  EXPECT_THAT(told, HasSubstr("a\n" + marks + ">From x\n" + marks + "\nFrom\n\n"));
}

TEST_F(MailWriterTest, WhatStandsInTheWayIsSaid) {
  std::ofstream(folder_.path() + "/file") << "x";
  for (const MailFormat format : {MailFormat::kMaildir, MailFormat::kEml}) {
    const auto opened = OpenMailWriter(format, folder_.path() + "/file/below", clock_, SystemRandomness());
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().Text(), HasSubstr("cannot be made"));
  }
  const auto opened = OpenMailWriter(MailFormat::kMbox, folder_.path(), clock_, SystemRandomness());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().Text(), HasSubstr("is a folder"));
}

}  // namespace
}  // namespace glasspost::agent
