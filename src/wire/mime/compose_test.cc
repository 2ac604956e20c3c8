#include "wire/mime/compose.h"

#include <gtest/gtest.h>

#include "wire/mime/structure.h"

namespace glasspost::mime {
namespace {

std::string Text(Octets text) {
  std::string out;
  AppendTextField(out, "Subject", text);
  return out;
}

// No line is longer than it may be, each field is one field, and the reader gives back what was written.
std::string ReadBack(const std::string& block) {
  std::size_t at = 0;
  while (at < block.size()) {
    const std::size_t end = block.find("\r\n", at);
    EXPECT_NE(end, std::string::npos);
    EXPECT_LE(end - at, ComposeLimits::kLongest);
    at = end + 2;
    if (at < block.size()) {
      EXPECT_EQ(block[at], ' ');
    }
  }
  for (const char c : block) EXPECT_LT(static_cast<std::uint8_t>(c), 0x80);
  HeaderDecoder decoder;
  decoder.Parse(block);
  EXPECT_EQ(decoder.fields().size(), 1u);
  return decoder.fields().empty() ? "" : std::string(decoder.fields()[0].value);
}

TEST(Compose, PlainTextStaysAsItIs) {
  EXPECT_EQ(Text("Hello there"), "Subject: Hello there\r\n");
  EXPECT_EQ(Text(""), "Subject:\r\n");
  EXPECT_EQ(Text("  begins with blanks"), "Subject: begins with blanks\r\n");
}

TEST(Compose, TextComesBackAsItWasWritten) {
  const std::string chinese = "你好，这是一封带附件的邮件";
  const std::string longest(300, 'x');
  std::string many;
  for (int i = 0; i < 40; ++i) many += "长长的主题 with words ";
  many.pop_back();
  const std::string texts[] = {"Grüße",
                               chinese,
                               chinese + " and plain " + chinese,
                               "plain " + chinese + " plain",
                               many,
                               longest,
                               "a =?UTF-8?B?eA==?= b",
                               "two  blanks",
                               "ü  ü",
                               "tail ü",
                               "😀",
                               "x " + longest + " y"};
  for (const std::string& text : texts) EXPECT_EQ(ReadBack(Text(text)), text);
}

TEST(Compose, NobodyCanAddAFieldOrALine) {
  EXPECT_EQ(ReadBack(Text("a\r\nBcc: x@a.test")), "a Bcc: x@a.test");
  EXPECT_EQ(ReadBack(Text("a\rb\nc\td\x01")), "a b c d");
  const Mailbox mailboxes[] = {{"A\r\nBcc: b", "a@a.test\r\nX: y"}};
  std::string out;
  AppendAddressField(out, "To", mailboxes);
  EXPECT_EQ(out.find("\r\n"), out.size() - 2) << out;
  EXPECT_EQ(ReadBack(Text("\xff"
                          "a")),
            "\xef\xbf\xbd"
            "a");
}

TEST(Compose, Addresses) {
  const std::vector<Mailbox> mailboxes{{"", "plain@a.test"},
                                       {"Ada Lovelace", "ada@a.test"},
                                       {"Lovelace, Ada \"Countess\"", "b@a.test"},
                                       {"张伟", "zhang@a.test"},
                                       {std::string(200, 'n'), "long@a.test"}};
  std::string out;
  AppendAddressField(out, "To", mailboxes);
  const auto read = ParseAddresses(Octets(out).substr(3));
  ASSERT_EQ(read.size(), mailboxes.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, mailboxes[i].name);
    EXPECT_EQ(read[i].address, mailboxes[i].address);
  }
  EXPECT_TRUE(out.starts_with("To: plain@a.test, Ada Lovelace <ada@a.test>, \"Lovelace,")) << out;
  out.clear();
  AppendAddressField(out, "Cc", {});
  EXPECT_EQ(out, "");
}

TEST(Compose, ManyAddressesAreFolded) {
  std::vector<Mailbox> mailboxes;
  for (int i = 0; i < 100; ++i) mailboxes.push_back({"", "recipient" + std::to_string(i) + "@example.test"});
  std::string out;
  AppendAddressField(out, "To", mailboxes);
  for (std::size_t at = 0, end; (end = out.find("\r\n", at)) != std::string::npos; at = end + 2)
    EXPECT_LE(end - at, ComposeLimits::kLine);
  EXPECT_EQ(ParseAddresses(Octets(out).substr(3)).size(), 100u);
}

TEST(Compose, NamesOfFiles) {
  for (const std::string& name : {std::string("a.txt"), std::string("two words.txt"), std::string("quote\".txt"),
                                  std::string("报告（最终版）.pdf"), std::string(300, 'n') + ".txt", std::string("a;b=c.txt"),
                                  std::string("it's 100%.txt"), std::string("语") + std::string(200, '*')}) {
    std::string message;
    const FieldParameter parameter[] = {{"filename", name}};
    AppendParameterField(message, "Content-Disposition", "attachment", parameter);
    for (std::size_t at = 0, end; (end = message.find("\r\n", at)) != std::string::npos; at = end + 2)
      EXPECT_LE(end - at, ComposeLimits::kLongest);
    message += "\r\nx\r\n";
    const Structure structure = ReadStructure(message);
    ASSERT_EQ(structure.parts.size(), 1u);
    EXPECT_EQ(structure.parts[0].filename, name) << message;
  }
}

TEST(Compose, OneMailbox) {
  EXPECT_EQ(ParseMailbox("Ada <ada@a.test>")->name, "Ada");
  EXPECT_EQ(ParseMailbox("ada@a.test")->address, "ada@a.test");
  EXPECT_FALSE(ParseMailbox("a@a.test, b@a.test"));
  EXPECT_FALSE(ParseMailbox(""));
}

}  // namespace
}  // namespace glasspost::mime
