#include "wire/smtp/grammar.h"

#include <gtest/gtest.h>

#include <vector>

namespace glasspost::smtp {
namespace {

Command Parse(Octets line) {
  Command command;
  ParseCommand(line, command);
  return command;
}

TEST(SmtpCommand, KnowsItsVerbs) {
  for (int i = 1; i <= static_cast<int>(Verb::kXforward); ++i) {
    const auto verb = static_cast<Verb>(i);
    EXPECT_EQ(VerbOf(Name(verb)), verb) << Name(verb);
  }
  EXPECT_EQ(VerbOf("eHlO"), Verb::kEhlo);
  EXPECT_EQ(VerbOf("starttls"), Verb::kStartTls);
  for (const char* word : {"", "EHL", "EHLOO", "MAIL:", ".", "*", "STARTTLSX", "\xc5HLO"})
    EXPECT_EQ(VerbOf(word), Verb::kUnknown) << word;
}

TEST(SmtpCommand, VerdictOnLines) {
  const struct {
    const char* line;
    Fault fault;
  } kLines[] = {
      {"EHLO client.example.net", Fault::kNone},
      {"EHLO [192.0.2.1]", Fault::kNone},
      {"EHLO [IPv6:2001:db8::1]", Fault::kNone},
      {"EHLO", Fault::kMissingArgument},
      {"EHLO a b", Fault::kUnexpectedArgument},
      {"EHLO under_score", Fault::kBadDomain},
      {"EHLO -a.example", Fault::kBadDomain},
      {"EHLO [256.0.2.1]", Fault::kBadDomain},
      {"MAIL FROM:<a@example.net>", Fault::kNone},
      {"mail from:<>", Fault::kNone},
      {"MAIL FROM:<a@example.net> SIZE=10 BODY=8BITMIME", Fault::kNone},
      {"MAIL FROM:<a@example.net> RET=HDRS ENVID=QQ+2B314 AUTH=<>", Fault::kNone},
      {"MAIL FROM:<\"a b\\\"c\"@example.net>", Fault::kNone},
      {"MAIL FROM:<@one,@two:a@example.net>", Fault::kNone},
      {"MAIL FROM:<用户@例子.test> SMTPUTF8", Fault::kNone},
      {"MAIL FROM:<a@example.net> BY=120;R MT-PRIORITY=-3", Fault::kNone},
      {"MAIL FROM: <a@example.net>", Fault::kSpaceAfterColon},
      {"MAIL FROM:a@example.net", Fault::kNoAngleBrackets},
      {"MAIL FROM:<a@example.net", Fault::kUnclosedBracket},
      {"MAIL <a@example.net>", Fault::kMissingFromOrTo},
      {"MAIL FROM:", Fault::kMissingArgument},
      {"MAIL FROM:<a..b@example.net>", Fault::kBadLocalPart},
      {"MAIL FROM:<a@>", Fault::kBadDomain},
      {"MAIL FROM:<a@example.net>  SIZE=1", Fault::kBadParameter},
      {"MAIL FROM:<a@example.net> SIZE=1 size=2", Fault::kDuplicateParameter},
      {"MAIL FROM:<a@example.net> SIZE=-1", Fault::kBadParameterValue},
      {"MAIL FROM:<a@example.net> BODY=9BIT", Fault::kBadParameterValue},
      {"MAIL FROM:<a@example.net> NOTIFY=NEVER", Fault::kBadParameterValue},
      {"MAIL FROM:<a@example.net> =x", Fault::kBadParameter},
      {"RCPT TO:<Postmaster>", Fault::kNone},
      {"RCPT TO:<b@[192.0.2.7]>", Fault::kNone},
      {"RCPT TO:<b@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@example.org", Fault::kNone},
      {"RCPT TO:<>", Fault::kBadLocalPart},
      {"RCPT TO:<b@example.org> NOTIFY=NEVER,DELAY", Fault::kBadParameterValue},
      {"DATA", Fault::kNone},
      {"DATA now", Fault::kUnexpectedArgument},
      {" DATA", Fault::kLeadingSpace},
      {"BDAT 0 LAST", Fault::kNone},
      {"BDAT 86", Fault::kNone},
      {"BDAT", Fault::kBadChunkSize},
      {"BDAT -1", Fault::kBadChunkSize},
      {"BDAT 4611686018427387904", Fault::kNone},
      {"BDAT 4611686018427387905", Fault::kBadChunkSize},
      {"BDAT 99999999999999999999", Fault::kBadChunkSize},
      {"BDAT 5 X", Fault::kBadParameter},
      {"AUTH PLAIN AGEAYg==", Fault::kNone},
      {"AUTH LOGIN", Fault::kNone},
      {"AUTH EXTERNAL =", Fault::kNone},
      {"AUTH", Fault::kMissingArgument},
      {"AUTH PLAIN not-base64", Fault::kBadParameterValue},
      {"AUTH PLA!N", Fault::kBadMechanism},
      {"QUIT", Fault::kNone},
      {"VRFY", Fault::kMissingArgument},
      {"XYZZY", Fault::kUnknownVerb},
      {"", Fault::kUnknownVerb},
      {"NOOP \x07", Fault::kBadOctet},
      {"NOOP \xff", Fault::kBadOctet},
  };
  for (const auto& [line, fault] : kLines) EXPECT_EQ(Text(Parse(line).fault), Text(fault)) << line;
}

TEST(SmtpCommand, LengthsAtTheLimitAndPast) {
  const auto path = [](std::size_t local, std::size_t domain) {
    // Labels of one letter, so that only the length is tried.
    std::string d;
    while (d.size() + 2 <= domain) d += "a.";
    d.resize(domain, 'a');
    if (!d.empty() && d.back() == '.') d.back() = 'a';
    return "MAIL FROM:<" + std::string(local, 'x') + "@" + d + ">";
  };
  EXPECT_EQ(Parse(path(64, 100)).fault, Fault::kNone);
  EXPECT_EQ(Parse(path(65, 100)).fault, Fault::kLocalPartTooLong);
  EXPECT_EQ(Parse(path(10, 243)).fault, Fault::kNone);  // 256 octets with the brackets
  EXPECT_EQ(Parse(path(10, 244)).fault, Fault::kPathTooLong);
  std::string many = "MAIL FROM:<>";
  for (int i = 0; i < 32; ++i) many += " P" + std::to_string(i);
  EXPECT_EQ(Parse(many).fault, Fault::kNone);
  const Command one_more = Parse(many + " X");
  EXPECT_EQ(one_more.fault, Fault::kTooManyParameters);
  EXPECT_EQ(one_more.parameters.size(), 32u);
}

TEST(SmtpCommand, PartsOfAPath) {
  const Command c = Parse("RCPT TO:<@a.example,@b.example:\"x@y>z\"@[IPv6:2001:db8::1]> ORCPT=rfc822;x NOTIFY=NEVER");
  EXPECT_TRUE(c.strict_ok()) << Text(c.fault);
  EXPECT_EQ(c.path.source_route, "@a.example,@b.example");
  EXPECT_EQ(c.path.local_part, "\"x@y>z\"");
  EXPECT_EQ(c.path.domain, "[IPv6:2001:db8::1]");
  EXPECT_TRUE(c.path.address_literal());
  ASSERT_EQ(c.parameters.size(), 2u);
  ASSERT_NE(c.Find("notify"), nullptr);
  EXPECT_EQ(c.Find("notify")->value, "NEVER");
  EXPECT_TRUE(Parse("MAIL FROM:<>").path.null());
  EXPECT_TRUE(Parse("RCPT TO:<postMaster>").path.postmaster());
  const Command bare = Parse("MAIL FROM:a@example.net SIZE=3");
  EXPECT_EQ(bare.path.text, "a@example.net");
  EXPECT_EQ(bare.Find("SIZE")->value, "3");
}

TEST(SmtpCommand, ThereAndBack) {
  for (const char* line :
       {"EHLO client.example.net", "LHLO [192.0.2.1]", "MAIL FROM:<>", "MAIL FROM:<a@example.net> SIZE=10 SMTPUTF8",
        "RCPT TO:<\"a b\"@example.org> NOTIFY=SUCCESS,FAILURE", "DATA", "BDAT 86 LAST", "BDAT 0", "RSET", "VRFY a b", "QUIT",
        "STARTTLS", "AUTH PLAIN AGEAYg==", "AUTH LOGIN", "NOOP", "NOOP x", "ETRN example.org", "XCLIENT NAME=a", "XYZZY now"}) {
    std::string out;
    AppendCommand(out, Parse(line));
    EXPECT_EQ(out, std::string(line) + "\r\n");
  }
}

TEST(SmtpCommand, LooksLikeOneAfterLoss) {
  for (const char* line : {"MAIL FROM:<a@b>", "rcpt to:<a@b>", "QUIT", "DATA", "BDAT 10", "BDAT 10 LAST", "EHLO x", "AUTH PLAIN",
                           "NOOP", "RSET", "HELP", "HELP DATA", "STARTTLS"})
    EXPECT_TRUE(LooksLikeCommand(line)) << line;
  for (const char* line : {"", ".", "Mail from the front", "Help me with this", "Data is here", "quit smoking", "EHLO a b",
                           "From: a@b", "BDAT x", "BDAT 10 MORE", "Auth me please now", "STARTTLS now", "XCLIENT"})
    EXPECT_FALSE(LooksLikeCommand(line)) << line;
}

TEST(SmtpCommand, Xtext) {
  EXPECT_EQ(DecodeXtext("a+2Bb+3Dc"), "a+b=c");
  EXPECT_EQ(EncodeXtext("a+b=c d\x80"), "a+2Bb+3Dc+20d+80");
  EXPECT_EQ(DecodeXtext(EncodeXtext("\r\n\xff+ ")), "\r\n\xff+ ");
  EXPECT_TRUE(LooksLikeAnswer("YWxpY2U="));
  EXPECT_TRUE(LooksLikeAnswer("*"));
  EXPECT_FALSE(LooksLikeAnswer("QUIT now"));
  for (const char* bad : {"+", "+2", "+2b", "a b", "a=b", "\x80"}) EXPECT_FALSE(DecodeXtext(bad)) << bad;
}

struct Seen {
  static constexpr bool kWanted = true;
  struct One {
    Field field;
    OctetRange range;
  };
  std::vector<One>* seen;
  void operator()(Field field, OctetRange range, const FieldValue&) const { seen->push_back({field, range}); }
};

TEST(SmtpCommand, TellsItsFields) {
  const std::string line = "MAIL FROM:<a@example.net> SIZE=10";
  std::vector<Seen::One> seen;
  Seen visitor{&seen};
  ReportCommand(line, Parse(line), 100, visitor);
  const auto find = [&](Field field) {
    for (const auto& one : seen)
      if (one.field == field) return one.range;
    return OctetRange{};
  };
  EXPECT_EQ(find(Field::kSmtpReqCommand), (OctetRange{100, 4}));
  EXPECT_EQ(find(Field::kSmtpReqParameter), (OctetRange{105, 28}));
  EXPECT_EQ(find(Field::kSmtpPath), (OctetRange{111, 13}));
  EXPECT_EQ(find(Field::kSmtpLocalPart), (OctetRange{111, 1}));
  EXPECT_EQ(find(Field::kSmtpPathDomain), (OctetRange{113, 11}));
  EXPECT_EQ(find(Field::kSmtpEsmtpParameter), (OctetRange{126, 4}));
  EXPECT_EQ(find(Field::kSmtpEsmtpValue), (OctetRange{131, 2}));
  EXPECT_EQ(Info(Field::kSmtpReqParameter).abbreviation, "smtp.req.parameter");
  seen.clear();
  const std::string chunk = "BDAT 86 LAST";
  ReportCommand(chunk, Parse(chunk), 0, visitor);
  EXPECT_EQ(find(Field::kSmtpChunkSize), (OctetRange{5, 2}));
  EXPECT_EQ(find(Field::kSmtpChunkLast), (OctetRange{8, 4}));
}

TEST(SmtpCommand, AddressLiterals) {
  for (const char* good :
       {"[192.0.2.1]", "[0.0.0.0]", "[IPv6:::]", "[IPv6:::1]", "[ipv6:2001:db8::1]", "[IPv6:1:2:3:4:5:6:7:8]", "[IPv6:1::]",
        "[IPv6:1:2:3:4:5:6:7::]", "[IPv6:::ffff:192.0.2.1]", "[IPv6:1:2:3:4:5:6:192.0.2.1]", "[x-tag:content]"})
    EXPECT_TRUE(IsAddressLiteral(good)) << good;
  for (const char* bad : {"[]",
                          "[192.0.2.256]",
                          "[192.0.2]",
                          "[192.0.2.1.1]",
                          "[192..2.1]",
                          "[IPv6:]",
                          "[IPv6::]",
                          "[IPv6:1::2::3]",
                          "[IPv6::::]",
                          "[IPv6:1:2:3:4:5:6:7]",
                          "[IPv6:1:2:3:4:5:6:7:8:9]",
                          "[IPv6:1:2:3:4:5:6:7:8::]",
                          "[IPv6:12345::]",
                          "[IPv6:g::]",
                          "[IPv6:192.0.2.1::]",
                          "[IPv6:1:2:3:4:5:6:7:192.0.2.1]",
                          "[IPv6:1:]",
                          "[IPv6::1]",
                          "[:x]",
                          "[x:]",
                          "[x-:y]",
                          "[x:a b]",
                          "[x:[]"})
    EXPECT_FALSE(IsAddressLiteral(bad)) << bad;
}

}  // namespace
}  // namespace glasspost::smtp
