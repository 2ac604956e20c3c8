#include "wire/pop3/grammar.h"

#include <gtest/gtest.h>

#include <map>

#include "wire/pop3/maildrop.h"
#include "wire/pop3/rules.h"

namespace glasspost::pop3 {
namespace {

TEST(Pop3Grammar, EveryCommandToOctetsAndBack) {
  for (int i = 1; i < kCommandCount; ++i) {
    const auto command = static_cast<Command>(i);
    for (const std::string argument : {"", "1", "1 10", "a@example.org"}) {
      const CommandLine line{command, Name(command), argument};
      const std::string octets = ToOctets(line);
      ASSERT_TRUE(octets.ends_with("\r\n"));
      const CommandLine back = ParseCommand(Octets(octets).substr(0, octets.size() - 2));
      EXPECT_EQ(back.command, command);
      EXPECT_EQ(back.verb, Name(command));
      EXPECT_EQ(back.argument, argument);
    }
  }
}

TEST(Pop3Grammar, CommandsAsPeopleTypeThem) {
  EXPECT_EQ(ParseCommand("retr 1").command, Command::kRetr);
  EXPECT_EQ(ParseCommand("  TOP  1   2 ").argument, "1   2");
  EXPECT_EQ(ParseCommand("PASS  a b ").argument, " a b ");  // spaces belong to the password
  EXPECT_EQ(ParseCommand("PASS\tsecret").argument, "secret");
  EXPECT_EQ(ParseCommand("PASS:secret").command, Command::kPass);
  EXPECT_EQ(ParseCommand("PASS:secret").argument, ":secret");
  EXPECT_EQ(ParseCommand("RETRY 1").command, Command::kUnknown);
  EXPECT_EQ(ParseCommand("RETRY 1").verb, "RETRY");
  EXPECT_EQ(ParseCommand("").verb, "");
  EXPECT_EQ(ParseCommand("\x16\x03\x01").command, Command::kUnknown);
}

TEST(Pop3Grammar, StatusLines) {
  EXPECT_EQ(ParseStatus("+OK").status, Status::kOk);
  EXPECT_EQ(ParseStatus("+ok 2 320").text, "2 320");
  EXPECT_EQ(ParseStatus("-ERR [IN-USE] locked").code, "IN-USE");
  EXPECT_EQ(ParseStatus("-ERR [IN-USE] locked").text, "[IN-USE] locked");
  EXPECT_EQ(ParseStatus("-ERR [IN-USE").code, "");
  EXPECT_EQ(ParseStatus("+").status, Status::kContinue);
  EXPECT_EQ(ParseStatus("+ dGVzdA==").text, "dGVzdA==");
  EXPECT_EQ(ParseStatus("+dGVzdA==").status, Status::kNone);
  EXPECT_EQ(ParseStatus("+dGVzdA==", true).text, "dGVzdA==");
  EXPECT_EQ(ParseStatus("-").status, Status::kNone);
  EXPECT_EQ(ParseStatus("").status, Status::kNone);
  for (const std::string_view line : {"+OK", "+OK ready", "-ERR [AUTH] no", "+ PDE4"})
    EXPECT_EQ(ToOctets(ParseStatus(line)), std::string(line) + "\r\n");
}

TEST(Pop3Grammar, ListingsAndSizes) {
  EXPECT_EQ(ParseListing("2 200")->number, 2u);
  EXPECT_EQ(ParseListing("2 200 more")->rest, "200");
  EXPECT_EQ(ParseListing("1 whqt")->rest, "whqt");
  EXPECT_FALSE(ParseListing("2"));
  EXPECT_FALSE(ParseListing("x 2"));
  EXPECT_FALSE(ParseListing("99999999999999999999 2"));
  EXPECT_EQ(PrintedSize("120 octets"), 120u);
  EXPECT_EQ(PrintedSize("message follows (120 bytes)"), 120u);
  EXPECT_FALSE(PrintedSize("2 messages (320 octets)"));
  EXPECT_FALSE(PrintedSize("99999999999999999999 octets"));
  EXPECT_FALSE(PrintedSize(""));
}

struct Collect {
  static constexpr bool kWanted = true;
  void operator()(Field field, OctetRange range, const FieldValue&) { found[field] = range; }
  std::map<Field, OctetRange> found;
};

TEST(Pop3Grammar, FieldsSayWhere) {
  Collect c;
  ParseCommand(" RETR  12", c);
  EXPECT_EQ(c.found.at(Field::kPopRequest), (OctetRange{0, 9}));
  EXPECT_EQ(c.found.at(Field::kPopRequestCommand), (OctetRange{1, 4}));
  EXPECT_EQ(c.found.at(Field::kPopRequestParameter), (OctetRange{7, 2}));
  Collect s;
  ParseStatus("-ERR no", s);
  EXPECT_EQ(s.found.at(Field::kPopResponseIndicator), (OctetRange{0, 4}));
  EXPECT_EQ(s.found.at(Field::kPopResponseDescription), (OctetRange{5, 2}));
  Collect d;
  ParseStatus("1 120", d);
  EXPECT_EQ(d.found.at(Field::kPopResponseData), (OctetRange{0, 5}));
  EXPECT_FALSE(d.found.contains(Field::kPopResponseIndicator));
}

TEST(Pop3Rules, StatesAndShapes) {
  EXPECT_TRUE(Allowed(Command::kUser, State::kAuthorization));
  EXPECT_FALSE(Allowed(Command::kUser, State::kTransaction));
  EXPECT_FALSE(Allowed(Command::kRetr, State::kAuthorization));
  EXPECT_TRUE(Allowed(Command::kQuit, State::kAuthorization));
  EXPECT_FALSE(Allowed(Command::kQuit, State::kUpdate));
  EXPECT_TRUE(Allowed(Command::kRetr, State::kUnknown));
  EXPECT_EQ(ShapeOf(Command::kList, false), Shape::kListing);
  EXPECT_EQ(ShapeOf(Command::kList, true), Shape::kSingle);
  EXPECT_EQ(ShapeOf(Command::kUidl, true), Shape::kSingle);
  EXPECT_EQ(ShapeOf(Command::kAuth, false), Shape::kListing);
  EXPECT_EQ(ShapeOf(Command::kTop, true), Shape::kText);
  EXPECT_EQ(ShapeOf(Command::kRetr, true), Shape::kMessage);
}

TEST(Pop3Maildrop, RemembersUpToItsLimit) {
  Maildrop m(2);
  m.OnList("1 10\n2 20\n3 30");
  EXPECT_EQ(m.SizeOf(2), 20u);
  EXPECT_FALSE(m.SizeOf(3));
  m.OnListOne("2 21");
  EXPECT_EQ(m.SizeOf(2), 21u);
}

TEST(Pop3Maildrop, ComparesOnlyWhatBelongsTogether) {
  Maildrop m(10);
  EXPECT_EQ(m.OnStat("2 30"), "");
  EXPECT_EQ(m.OnList("1 10\n2 20"), "");
  m.OnDeletions();
  EXPECT_EQ(m.OnList("2 20"), "");
  EXPECT_EQ(m.OnStat("1 21"), "STAT 1 message, 21 octets; LIST 1 message, 20 octets");
  EXPECT_EQ(m.OnList("1 18446744073709551615\n2 1"), "");  // a sum that does not fit is compared with nothing
  EXPECT_EQ(m.OnMessage(7, 5, 5, std::nullopt), "");
}

}  // namespace
}  // namespace glasspost::pop3
