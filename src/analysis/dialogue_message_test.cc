#include "analysis/dialogue_message.h"

#include <gtest/gtest.h>

namespace glasspost::analysis {
namespace {

std::string Told(Octets octets, const MessageOctets& whole, bool truncated = false) {
  mime::HeaderDecoder header;
  const auto end = octets.find("\r\n\r\n");
  header.Parse(octets.substr(0, end + 2));
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

TEST(DialogueMessage, OneThatIsNotWholeSaysSo) {
  const std::string message = "Subject: x\r\n\r\nhalf";
  EXPECT_NE(Told(message, {}, true).find("│ not whole: parts of it are not in the capture\n"), std::string::npos);
  EXPECT_EQ(Told(message, {}).find("not whole"), std::string::npos);
}

}  // namespace
}  // namespace glasspost::analysis
