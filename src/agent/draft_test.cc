#include "agent/draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/sha256.h"
#include "support/temporary_folder.h"
#include "wire/mime/structure.h"

namespace glasspost::agent {
namespace {

using testing::HasSubstr;
using Kind = smtp::MessageSource::Piece::Kind;

class Drawn final : public Randomness {
 public:
  void Fill(std::span<std::uint8_t> octets) override {
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(next_ = next_ * 31 + 7);
  }

 private:
  unsigned next_ = 1;
};

Draft Simple() {
  Draft draft;
  draft.from = {"Ada", "ada@a.test"};
  draft.to = {{"", "bob@b.test"}};
  draft.subject = "Hello";
  draft.text = "line one\nline two\n";
  draft.date = 1'772'438'400'000'000'000;
  return draft;
}

std::string Whole(ComposedMessage& message) {
  std::string all;
  while (true) {
    const auto piece = message.Read();
    EXPECT_NE(piece.kind, Kind::kFailed) << message.error();
    if (piece.kind != Kind::kOctets) break;
    all += piece.octets;
  }
  return all;
}

class DraftTest : public testing::Test {
 protected:
  std::string Compose(const Draft& draft) {
    auto made = ComposedMessage::Make(draft, randomness_);
    EXPECT_TRUE(made) << made.error().Text();
    const std::string all = Whole(**made);
    EXPECT_EQ((*made)->size(), all.size());
    (*made)->Rewind();
    EXPECT_EQ(Whole(**made), all);
    for (std::size_t at = 0, end; at < all.size(); at = end + 2) {
      end = all.find('\n', at);
      EXPECT_NE(end, std::string::npos) << "the last line has no end";
      if (end == std::string::npos) break;
      --end;
      EXPECT_EQ(all[end], '\r');
      EXPECT_LE(end - at, 78u);
    }
    return all;
  }
  std::string File(const std::string& name, const std::string& octets) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << octets;
    return path;
  }
  static std::string Sha256(const std::string& octets) {
    const auto digest = HashSha256(octets);
    return {digest.begin(), digest.end()};
  }
  Drawn randomness_;
  TemporaryFolder folder_;
};

TEST_F(DraftTest, PlainTextIsReadable) {
  const std::string all = Compose(Simple());
  EXPECT_THAT(
      all, HasSubstr("From: Ada <ada@a.test>\r\nTo: bob@b.test\r\nSubject: Hello\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n"));
  EXPECT_THAT(
      all,
      HasSubstr("Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nline one\r\nline two\r\n"));
  EXPECT_THAT(all, HasSubstr("@a.test>\r\n"));
}

TEST_F(DraftTest, TextComesBackWhateverItIs) {
  for (const std::string& text :
       {std::string("你好，世界\n再见\n"), std::string("mostly plain, with a ü\nand ") + std::string(2000, 'x') + "\n",
        std::string(".dot\n..\n.\n"), std::string("From here\n"), std::string("no line end"), std::string("bare\rreturn\n"),
        std::string("trailing \t \nend\n")}) {
    Draft draft = Simple();
    draft.text = text;
    std::string expected = WithCrlf(text);
    if (!expected.ends_with("\r\n")) expected += "\r\n";
    EXPECT_EQ(mime::ReadStructure(Compose(draft)).text, expected);
  }
  Draft draft = Simple();
  draft.text.clear();
  EXPECT_EQ(mime::ReadStructure(Compose(draft)).text, "");
}

TEST_F(DraftTest, HtmlAndTextAreAlternatives) {
  Draft draft = Simple();
  draft.html = "<p>Grüße</p>";
  const auto structure = mime::ReadStructure(Compose(draft));
  ASSERT_EQ(structure.parts.size(), 3u);
  EXPECT_EQ(structure.parts[0].type, "multipart/alternative");
  EXPECT_EQ(structure.parts[1].type, "text/plain");
  EXPECT_EQ(structure.parts[2].type, "text/html");
  draft.text.clear();
  EXPECT_EQ(mime::ReadStructure(Compose(draft)).parts.at(0).type, "text/html");
}

TEST_F(DraftTest, AttachmentsComeBackOctetByOctet) {
  std::string octets;
  for (int i = 0; i < 300'000; ++i) octets += static_cast<char>(i * 7 + i / 251);
  Draft draft = Simple();
  draft.attachments = {{File("报告.pdf", octets), {}, {}},
                       {File("empty.bin", ""), {}, {}},
                       {File("57", octets.substr(0, 57)), "two words.txt", {}}};
  const auto structure = mime::ReadStructure(Compose(draft));
  ASSERT_EQ(structure.parts.size(), 5u);
  EXPECT_EQ(structure.parts[0].type, "multipart/mixed");
  EXPECT_EQ(structure.parts[2].filename, "报告.pdf");
  EXPECT_EQ(structure.parts[2].type, "application/pdf");
  EXPECT_EQ(structure.parts[2].size, octets.size());
  EXPECT_EQ(std::string(structure.parts[2].sha256.begin(), structure.parts[2].sha256.end()), Sha256(octets));
  EXPECT_EQ(structure.parts[3].size, 0u);
  EXPECT_EQ(structure.parts[4].filename, "two words.txt");
  EXPECT_EQ(structure.parts[4].size, 57u);
}

TEST_F(DraftTest, SizesAroundALineAndAPiece) {
  for (const std::size_t size : {1u, 56u, 57u, 58u, 113u, 114u, 115u, 55'290u, 55'291u, 55'296u, 110'580u, 110'581u}) {
    Draft draft = Simple();
    const std::string octets(size, 'z');
    draft.attachments = {{File("f", octets), {}, {}}};
    EXPECT_EQ(mime::ReadStructure(Compose(draft)).parts.at(2).size, size);
  }
}

TEST_F(DraftTest, AFileThatChangesIsNoMessage) {
  Draft draft = Simple();
  draft.attachments = {{File("f", std::string(100'000, 'a')), {}, {}}};
  for (const std::size_t size : {99'999u, 100'001u, 0u}) {
    File("f", std::string(100'000, 'a'));
    auto made = ComposedMessage::Make(draft, randomness_);
    ASSERT_TRUE(made);
    File("f", std::string(size, 'a'));
    auto piece = (*made)->Read();
    while (piece.kind == Kind::kOctets) piece = (*made)->Read();
    EXPECT_EQ(piece.kind, Kind::kFailed);
    EXPECT_THAT((*made)->error(), HasSubstr("has changed"));
  }
  draft.attachments = {{folder_.path() + "/none", {}, {}}};
  EXPECT_THAT(ComposedMessage::Make(draft, randomness_).error().Text(), HasSubstr("none: cannot be read"));
  draft.attachments = {{folder_.path(), {}, {}}};
  EXPECT_THAT(ComposedMessage::Make(draft, randomness_).error().Text(), HasSubstr("is no file"));
}

TEST_F(DraftTest, AddressesInUtf8AreSaid) {
  Draft draft = Simple();
  EXPECT_FALSE((*ComposedMessage::Make(draft, randomness_))->utf8());
  draft.to = {{"李", "li@b.test"}};
  EXPECT_FALSE((*ComposedMessage::Make(draft, randomness_))->utf8());
  draft.to = {{"", "李@b.test"}};
  EXPECT_TRUE((*ComposedMessage::Make(draft, randomness_))->utf8());
}

TEST_F(DraftTest, TooMuchIsRefused) {
  Draft draft = Simple();
  draft.text.assign(DraftLimits::kText, 'x');
  EXPECT_TRUE(ComposedMessage::Make(draft, randomness_));
  draft.text += 'x';
  EXPECT_FALSE(ComposedMessage::Make(draft, randomness_));
  draft = Simple();
  draft.attachments.assign(DraftLimits::kAttachments, {File("f", "x"), {}, {}});
  EXPECT_TRUE(ComposedMessage::Make(draft, randomness_));
  draft.attachments.push_back(draft.attachments.front());
  EXPECT_FALSE(ComposedMessage::Make(draft, randomness_));
}

}  // namespace
}  // namespace glasspost::agent
