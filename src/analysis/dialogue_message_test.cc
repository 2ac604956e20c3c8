#include "analysis/dialogue_message.h"

#include <gtest/gtest.h>

namespace glasspost::analysis {
namespace {

std::string Told(Octets octets, const MessageOctets& whole, bool truncated = false) {
  mime::HeaderDecoder header;
  const auto end = octets.find("\r\n\r\n");
  header.Parse(octets.substr(0, end == Octets::npos ? end : end + 2));
  const mime::Structure structure = mime::ReadStructure(octets);
  const Envelope envelope;
  MessageFacts facts;
  facts.envelope = &envelope;
  facts.header = &header;
  facts.structure = &structure;
  facts.size = octets.size();
  facts.sha256 = std::string(64, 'a');
  facts.truncated = truncated;
  return MessageBlocks(facts, whole, Language::kEnglish, Style{});
}

TEST(DialogueMessage, OneThatIsTooLargeIsShownAsItWasSentAsFarAsItIsKept) {
  const std::string message = "Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na =3D b\r\nthe rest\r\n";
  const std::string whole = Told(message, {.full = true, .octets = message});
  EXPECT_NE(whole.find("│ a = b\n"), std::string::npos);
  EXPECT_EQ(whole.find("the rest is too large"), std::string::npos);
  const std::string cut = Told(message, {.full = true, .octets = Octets(message).substr(0, message.size() - 10), .cut = true});
  EXPECT_NE(cut.find("│ a =3D b\n"), std::string::npos);
  EXPECT_NE(cut.find("the rest is too large to be shown"), std::string::npos);
  EXPECT_EQ(cut.find("│ the rest\n"), std::string::npos);
}

TEST(DialogueMessage, ALongFieldIsCutBetweenCharacters) {
  // 200 octets are shown: "a" and 66 characters of three octets, and one octet of the next.
  std::string value = "a";
  for (int i = 0; i < 70; ++i) value += "件";
  const std::string message = "Subject: " + value + "\r\n\r\nx\r\n";
  const std::string cut = Told(message, {});
  EXPECT_NE(cut.find("Subject: " + value.substr(0, 199) + " …\n"), std::string::npos);
  EXPECT_NE(Told(message, {.full = true, .octets = message}).find("Subject: " + value + "\n"), std::string::npos);
}

TEST(DialogueMessage, LinesThatAreNoFieldsAreShown) {
  const std::string message = "Subject: x\r\nhello\r\n\tthere\r\n";
  const std::string told = Told(message, {});
  EXPECT_NE(told.find("│ Subject: x\n"), std::string::npos);
  EXPECT_NE(told.find("the empty line before it is missing):\n         │ hello\n         │  there\n"), std::string::npos) << told;
  EXPECT_EQ(Told("Subject: x\r\n\r\nhello\r\n", {}).find("no header fields"), std::string::npos);
  std::string many;
  for (int i = 0; i < 9; ++i) many += "line\r\n";
  EXPECT_NE(Told(many, {}).find("… (--full shows all of it)"), std::string::npos);
  EXPECT_EQ(Told(many, {.full = true, .octets = many}).find("…"), std::string::npos);
}

TEST(DialogueMessage, WhatIsNotTakenApartSaysSo) {
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (std::size_t i = 0; i < mime::MimeLimits{}.parts; ++i) message += "--b\r\n\r\nx\r\n";
  EXPECT_NE(Told(message, {}).find("too large or too deeply nested"), std::string::npos);
}

TEST(DialogueMessage, OneThatIsNotWholeSaysSo) {
  const std::string message = "Subject: x\r\n\r\nhalf";
  EXPECT_NE(Told(message, {}, true).find("│ not whole: parts of it are not in the capture\n"), std::string::npos);
  EXPECT_EQ(Told(message, {}).find("not whole"), std::string::npos);
}

}  // namespace
}  // namespace glasspost::analysis
