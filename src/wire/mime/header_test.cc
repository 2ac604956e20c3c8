#include "wire/mime/header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/mime/charset.h"
#include "wire/mime/date.h"
#include "wire/mime/encoded_word.h"
#include "wire/mime/parameter.h"

namespace glasspost::mime {
namespace {

TEST(Charset, KnowsThoseOfTheWorldsMail) {
  const struct {
    const char* charset;
    std::string octets;
    const char* utf8;
  } kRows[] = {
      {"GB2312", "\xd6\xd0\xce\xc4", "中文"},
      {"gb2312", "\xe9\x46", "镕"},  // not in GB2312, sent under its name all the same
      {"GBK", "\xd6\xd0\x80", "中€"},
      {"gb18030", "\x81\x39\xee\x39", "㐀"},
      {"big5", "\xa4\xa4\xa4\xe5", "中文"},
      {"big5", "\x87\x40", "䏰"},  // Hong Kong's supplement
      {"ISO-2022-JP", "\x1b$BF|K\\\x1b(B", "日本"},
      {"Shift_JIS", "\x93\xfa\x96\x7b", "日本"},
      {"shift_jis", "\x87\x40", "①"},  // NEC's characters, CP932
      {"EUC-JP", "\xc6\xfc\xcb\xdc", "日本"},
      {"EUC-KR", "\xc7\xd1\xb1\xb9", "한국"},
      {"ks_c_5601-1987", "\xc7\xd1\x8c\x63", "한똠"},
      {"KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
      {"koi8-u", "\xa4", "є"},
      {"windows-1250", "\x9a", "š"},
      {"windows-1251", "\xcf\xf0\xe8", "При"},
      {"windows-1252", "\x93\xe9\x94", "“é”"},
      {"windows-1253", "\xe1", "α"},
      {"windows-1254", "\xf0", "ğ"},
      {"windows-1255", "\xe0", "א"},
      {"windows-1256", "\xc7", "ا"},
      {"windows-1257", "\xe0", "ą"},
      {"windows-1258", "\xd0", "Đ"},
      {"cp1251", "\xcf", "П"},
      {"iso-8859-1", "caf\xe9 \x80", "café €"},  // browsers and mail programs mean windows-1252
      {"iso-8859-2", "\xb1", "ą"},
      {"iso-8859-5", "\xbf", "П"},
      {"iso-8859-7", "\xe1", "α"},
      {"iso-8859-8", "\xe0", "א"},
      {"iso-8859-9", "\xf0", "ğ"},
      {"iso-8859-15", "\xa4", "€"},
      {"tis-620", "\xa1", "ก"},
      {"utf-7", "+Zbk-", "方"},
      {"UTF-8", "会", "会"},
      {"utf8", "会\xff", "会\uFFFD"},
      {"us-ascii", "plain", "plain"},
      {"iso-8859-1", "会", "ä¼š"},  // it can be read so, and what the label says goes
  };
  for (const auto& row : kRows) {
    std::string out;
    EXPECT_TRUE(AppendAsUtf8(out, row.octets, row.charset)) << row.charset;
    EXPECT_EQ(out, row.utf8) << row.charset;
  }
}

TEST(Charset, WrongLabelsAndOctets) {
  std::string out = "before ";
  EXPECT_FALSE(AppendAsUtf8(out, "x", "no-such-charset"));
  EXPECT_FALSE(AppendAsUtf8(out, "x", ""));
  EXPECT_FALSE(AppendAsUtf8(out, "x", "../../etc/passwd"));
  EXPECT_FALSE(AppendAsUtf8(out, "x", "utf-8//TRANSLIT"));
  EXPECT_FALSE(AppendAsUtf8(out, "x", std::string(41, 'x')));
  EXPECT_EQ(out, "before ");
  EXPECT_TRUE(AppendAsUtf8(out, "\xd6\xd0\xff\xce", "gbk"));
  EXPECT_EQ(out, "before 中\uFFFD\uFFFD");
  // UTF-8 under another label that cannot read it.
  out.clear();
  EXPECT_TRUE(AppendAsUtf8(out, "日本", "iso-2022-jp"));
  EXPECT_EQ(out, "日本");
}

std::string Guess(Octets text, Octets hint = {}) {
  std::string out;
  AppendGuessed(out, text, hint);
  return out;
}

TEST(Charset, KeepsUtf8AroundAnIllFormedOctet) {
  EXPECT_EQ(Guess("实验报告\xff：附件"), "实验报告\uFFFD：附件");
  EXPECT_EQ(Guess("实验报告：附\xe4\xbb"), "实验报告：附\uFFFD\uFFFD");  // cut inside a character
  EXPECT_EQ(Guess("实验报告：附件 \x80", "gb2312"), "实验报告：附件 \uFFFD");
  EXPECT_EQ(Guess("été \xe9", "iso-8859-1"), "été \uFFFD");
  EXPECT_EQ(Guess("Привет \xcf"), "Привет \uFFFD");
  // Most of it is no UTF-8: what it is instead.
  EXPECT_EQ(Guess("\xc3\xa9 \xe9t\xe9 caf\xe9 na\xefve"), "Ã© été café naïve");
  EXPECT_EQ(Guess("\xd0\xa1\xb1\xa8\xb8\xe6"), "小报告");  // the first pair would be a letter of UTF-8
  EXPECT_EQ(Guess("\xc4\xb0\xc8\xb0\xba\xc3"), "陌劝好");  // the first two would be
}

TEST(Header, OneIllFormedOctetSpoilsOnlyItself) {
  HeaderDecoder decoder;
  decoder.Parse("Subject: 实验报告\xff：附件 =?utf-8?B?5rWL6K+V?=\r\nX-Mailer: Füchse \xfc\r\n");
  ASSERT_EQ(decoder.fields().size(), 2u);
  EXPECT_EQ(decoder.fields()[0].value, "实验报告\uFFFD：附件 测试");
  EXPECT_EQ(decoder.fields()[1].value, "Füchse \uFFFD");
}

TEST(Charset, GuessesRawOctets) {
  EXPECT_EQ(Guess("plain"), "plain");
  EXPECT_EQ(Guess("会议 é"), "会议 é");
  EXPECT_EQ(Guess("\xd6\xd0\xce\xc4 test"), "中文 test");
  EXPECT_EQ(Guess("\xe9t\xe9 le caf\xe9"), "été le café");
  EXPECT_EQ(Guess("G\xf6"
                  "del"),
            "Gödel");
  EXPECT_EQ(Guess("\xa4\xa4\xa4\xe5", "big5"), "中文");
  EXPECT_EQ(Guess("\xf0\xd2\xc9", "koi8-r"), "При");
  EXPECT_EQ(Guess("\xd6\xd0\xce\xc4", "utf-8"), "中文");  // the hint does not fit
  EXPECT_EQ(Guess("\xd6\xd0\xce\xc4", "no-such-one"), "中文");
  EXPECT_EQ(Guess("\x93q\x94"), "“q”");
}

TEST(EncodedWord, AsTheyShouldBe) {
  EXPECT_EQ(DecodeValue("=?gb2312?B?1tDOxA==?="), "中文");
  EXPECT_EQ(DecodeValue("=?GBK?Q?=D6=D0=CE=C4?="), "中文");
  EXPECT_EQ(DecodeValue("a =?utf-8?Q?b_=E4=BC=9A?= c =?utf-8?Q?d?="), "a b 会 c d");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?a?= =?utf-8?Q?b?="), "ab");
  EXPECT_EQ(DecodeValue("=?utf-8?B?5Lya?= =?gbk?B?1tDOxA==?="), "会中文");
  EXPECT_EQ(DecodeValue("=?iso-8859-1*de?Q?=FC?="), "ü");
  EXPECT_EQ(DecodeValue("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?="), "日本");
  EXPECT_EQ(DecodeValue("=?utf-8?B?\?="), "");
  EXPECT_EQ(DecodeValue("=?iso-8859-1?Q?_?="), " ");
  EXPECT_EQ(DecodeValue("no words"), "no words");
  EXPECT_EQ(DecodeValue(""), "");
}

TEST(EncodedWord, AsTheyAre) {
  EXPECT_EQ(DecodeValue("=?gb2312?b?1tDOxA?="), "中文");                  // padding missing
  EXPECT_EQ(DecodeValue("=?gb2312?B?1tA?= =?gb2312?B?zsQ=?="), "中文");   // and in the middle
  EXPECT_EQ(DecodeValue("=?gb2312?B?1tDO?= =?GB2312?B?xA==?="), "中文");  // a character over two words
  EXPECT_EQ(DecodeValue("=?gb2312?B?1tDOx?= =?gb2312?B?A==?="), "中文");  // a base64 group over two words
  EXPECT_EQ(DecodeValue("=?utf-8?Q?=E4=BC?= =?utf-8?Q?=9A?="), "会");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?=E4?==?utf-8?B?vJo=?="), "会");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?a b c?="), "a b c");  // blanks inside
  EXPECT_EQ(DecodeValue("=?utf-8?B?5L ya?="), "会");
  EXPECT_EQ(DecodeValue("=? utf-8 ?B?5Lya?="), "会");
  EXPECT_EQ(DecodeValue("=?UTF-8?q?a=20b?==?UTF-8?Q?c?="), "a bc");      // no blank between
  EXPECT_EQ(DecodeValue("x=?utf-8?B?5Lya?=y"), "x会y");                  // no blank around
  EXPECT_EQ(DecodeValue("\"=?utf-8?B?5Lya?=\" <a@b>"), "\"会\" <a@b>");  // in quotes
  EXPECT_EQ(DecodeValue("=?unknown-8bit?B?1tDOxA==?="), "中文");
  EXPECT_EQ(DecodeValue("=?us-ascii?Q?=D6=D0=CE=C4?="), "中文");
  EXPECT_EQ(DecodeValue("=?iso-2022-jp?B?5pel5pys?="), "日本");  // UTF-8 under a wrong name
  EXPECT_EQ(DecodeValue("=?utf-8?Q?what?now?="), "what?now");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?=4?= =?utf-8?Q?=zz=?="), "=4=zz=");
  EXPECT_EQ(DecodeValue("=?ISO-8859-1?B?\?==?ISO-8859-1?B?QQ==?="), "A");
  EXPECT_EQ(DecodeValue("\xd6\xd0 =?gbk?B?zsQ=?= \xd6\xd0"), "中 文 中");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?=00x?="), std::string("\0x", 2));
  EXPECT_EQ(DecodeValue(Octets("a\0=?utf-8?Q?b?=\0c", 17)), std::string("a\0b\0c", 5));
}

TEST(EncodedWord, WhatIsNoneStays) {
  for (const char* text : {"=?", "=?=", "=?utf-8", "=?utf-8?", "=?utf-8?B", "=?utf-8?B?", "=?utf-8?B?5Lya", "=?utf-8?B?5Lya?",
                           "=?utf-8?X?abc?=", "=?\?Q?a?=", "=?a b?Q?c?=", "=?\"?Q?a?=", "a=?b", "=?=?=?", "=?utf-8?QQ?a?="})
    EXPECT_EQ(DecodeValue(text), text);
  EXPECT_EQ(DecodeValue("=?utf-8?Q?never ended =?utf-8?Q?b?="), "=?utf-8?Q?never ended b");
  EXPECT_EQ(FirstWordCharset("x =?gbk?Q?a?="), "gbk");
  EXPECT_EQ(FirstWordCharset("x =?gbk?"), "");
}

TEST(EncodedWord, ManyBrokenOnesTakeLinearTime) {
  std::string hostile;
  while (hostile.size() < 256 * 1024) hostile += "=?utf-8?Q? ";
  EXPECT_EQ(DecodeValue(hostile), hostile);
  std::string marks = "=?utf-8?Q?";
  marks.append(256 * 1024, '?');
  EXPECT_EQ(DecodeValue(marks), marks);
}

TEST(EncodedWord, SpecialsInANameAreQuoted) {
  EXPECT_EQ(DecodeValue("=?utf-8?Q?Doe=2C_John?= <j@a>", ValueKind::kAddress), "\"Doe, John\" <j@a>");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?John?= <j@a>", ValueKind::kAddress), "John <j@a>");
  EXPECT_EQ(DecodeValue("\"=?utf-8?Q?Doe=2C_John?=\" <j@a>", ValueKind::kAddress), "\"Doe, John\" <j@a>");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?evil=40b=3E?= <j@a>", ValueKind::kAddress), "\"evil@b>\" <j@a>");
  EXPECT_EQ(DecodeValue("=?utf-8?Q?a=22b=5C?= <j@a>", ValueKind::kAddress), "\"a\\\"b\\\\\" <j@a>");
}

std::vector<std::pair<std::string, std::string>> Fields(Octets block) {
  HeaderDecoder d;
  d.Parse(block);
  std::vector<std::pair<std::string, std::string>> out;
  for (const HeaderField& f : d.fields()) out.emplace_back(f.name, f.value);
  return out;
}

TEST(Header, UnfoldsAndDecodes) {
  const auto f = Fields(
      "Received: from a\r\n\tby b;\r\n Mon\r\nSubject:  =?gb2312?B?1tDO?=\r\n =?gb2312?B?xA==?=  \r\nX-Empty:\r\nX-Name : v\r\n"
      "Message-ID: <=?utf-8?Q?a?=@b>\r\nTo: =?gbk?B?1tDOxA==?= <a@b>,\r\n c@d\r\n");
  ASSERT_EQ(f.size(), 6u);
  EXPECT_EQ(f[0], std::pair(std::string("Received"), std::string("from a\tby b; Mon")));
  EXPECT_EQ(f[1].second, "中文");
  EXPECT_EQ(f[2], std::pair(std::string("X-Empty"), std::string()));
  EXPECT_EQ(f[3], std::pair(std::string("X-Name"), std::string("v")));
  EXPECT_EQ(f[4].second, "<=?utf-8?Q?a?=@b>");
  EXPECT_EQ(f[5].second, "中文 <a@b>, c@d");
}

TEST(Header, ToleratesWhatIsNoField) {
  HeaderDecoder d;
  d.Parse("From someone Mon Nov 23 01:02:03 2026\r\n folded rubbish\r\nA: b\nno colon\n: no name\nna me: x\nC:d");
  ASSERT_EQ(d.fields().size(), 2u);
  EXPECT_EQ(d.fields()[0].value, "b");
  EXPECT_EQ(d.fields()[1].value, "d");
  EXPECT_EQ(d.malformed_lines(), 5u);
  EXPECT_EQ(d.strays().size(), 5u);
  d.Parse("A: b\r\n\r\nC: d\r\n");
  EXPECT_EQ(d.fields().size(), 1u);
  d.Parse("");
  EXPECT_TRUE(d.fields().empty());
  EXPECT_EQ(Fields("A: x\r\n \r\n y\r\n")[0].second, "x  y");
  EXPECT_EQ(Fields("A:\r\n x\r\n")[0].second, "x");
}

TEST(Header, EveryCutOfTheBlockIsReadWithoutHarm) {
  const std::string block =
      "Subject: =?gbk?Q?=D6=D0?=\r\n =?gbk?B?zsQ=?=\r\nFrom: \xd6\xd0 <a@b>\r\nContent-Type: text/plain; "
      "charset=\"gbk\"\r\n\r\nx";
  const auto whole = Fields(block);
  for (std::size_t i = 0; i <= block.size(); ++i) EXPECT_LE(Fields(block.substr(0, i)).size(), whole.size());
  EXPECT_EQ(whole.size(), 3u);
}

TEST(Header, SummaryTakesTheFirstAndAllReceived) {
  HeaderDecoder d;
  d.Parse(
      "Received: 1\r\nReceived: 2\r\nFROM: a@b\r\nFrom: second@b\r\nto: c\r\nCC: d\r\nReply-To: e\r\nSubject: one\r\nSubject: "
      "two\r\n"
      "Message-Id: <i>\r\nDate: today\r\nX-Mailer: Foxmail\r\nCcc: no\r\n");
  const HeaderSummary& s = d.summary();
  EXPECT_EQ(s.from, "a@b");
  EXPECT_EQ(s.to, "c");
  EXPECT_EQ(s.cc, "d");
  EXPECT_EQ(s.reply_to, "e");
  EXPECT_EQ(s.subject, "one");
  EXPECT_EQ(s.message_id, "<i>");
  EXPECT_EQ(s.date, "today");
  EXPECT_EQ(s.x_mailer, "Foxmail");
  EXPECT_EQ(s.received, (std::vector<Octets>{"1", "2"}));
  d.Parse("Subject:\r\n");
  EXPECT_EQ(d.summary().subject, "");
  EXPECT_FALSE(d.summary().from);
  EXPECT_TRUE(d.summary().received.empty());
}

TEST(Header, RawOctetsTakeTheMessagesCharset) {
  EXPECT_EQ(Fields("Subject: \xa4\xa4\xa4\xe5\r\nContent-Type: text/plain;\r\n charset=big5\r\n")[0].second, "中文");
  EXPECT_EQ(Fields("Subject: \xd6\xd0\xce\xc4\r\nContent-Type: text/plain; charset=us-ascii\r\n")[0].second, "中文");
  EXPECT_EQ(Fields("From: =?koi8-r?Q?=F0?= <a@b>\r\nSubject: \xf0\xd2\xc9\xd7\xc5\xd4\r\n")[1].second, "Привет");
  EXPECT_EQ(StatedCharset("Content-Type: text/plain; charset=\"GB2312\"\r\n"), "GB2312");
  EXPECT_EQ(StatedCharset("A: b\r\n"), "");
}

TEST(Header, FieldsAreBounded) {
  HeaderDecoder d(HeaderLimits{.fields = 3});
  d.Parse("A:1\r\nB:2\r\nC:3\r\n");
  EXPECT_EQ(d.fields().size(), 3u);
  EXPECT_FALSE(d.cut());
  d.Parse("A:1\r\nB:2\r\nC:3\r\nD:4\r\n");
  EXPECT_EQ(d.fields().size(), 3u);
  EXPECT_TRUE(d.cut());
}

struct Collected {
  static constexpr bool kWanted = true;
  std::vector<std::tuple<Field, std::size_t, std::size_t>>* rows;
  void operator()(Field field, OctetRange range, const FieldValue&) { rows->emplace_back(field, range.offset, range.length); }
};

TEST(Header, ReportsFieldsWithTheirOctets) {
  std::vector<std::tuple<Field, std::size_t, std::size_t>> rows;
  Collected visitor{&rows};
  ReportHeader("Subject : hello \r\nX-Foo:\r\n bar\r\n", 100, visitor);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0], std::tuple(Field::kImfFieldName, 100u, 7u));
  EXPECT_EQ(rows[1], std::tuple(Field::kImfSubject, 110u, 5u));
  EXPECT_EQ(rows[3], std::tuple(Field::kImfExtension, 127u, 3u));
  EXPECT_EQ(Info(Field::kImfSubject).abbreviation, "imf.subject");
  NoFields none;
  ReportHeader("A: b\r\n", 0, none);
}

TEST(Addresses, AreTakenApart) {
  const auto list = ParseAddresses(
      "a@b, \"Doe, \\\"J\\\" John\" <j@d>, =?gbk?B?1tDOxA==?= <z@w>, c@d (a (nested) comment), undisclosed: ;, Group: x@y, "
      "<@r1,@r2:k@l>;"
      "=?utf-8?Q?Doe=2C_Jane?= <q@r>, broken <p@q");
  ASSERT_EQ(list.size(), 8u);
  EXPECT_EQ(list[0].address, "a@b");
  EXPECT_EQ(list[1].name, "Doe, \"J\" John");
  EXPECT_EQ(list[1].address, "j@d");
  EXPECT_EQ(list[2].name, "中文");
  EXPECT_EQ(list[3].address, "c@d");
  EXPECT_EQ(list[3].name, "a (nested) comment");
  EXPECT_EQ(list[4].address, "x@y");
  EXPECT_EQ(list[5].address, "k@l");
  EXPECT_EQ(list[6].name, "Doe, Jane");
  EXPECT_EQ(list[7].address, "p@q");
  EXPECT_TRUE(ParseAddresses("").empty());
  EXPECT_TRUE(ParseAddresses(" , ; \"\" ( ").empty());
  EXPECT_EQ(ParseAddresses("a@b,c@d", 1).size(), 1u);
  EXPECT_EQ(ParseAddresses("a@b,c@d", 2).size(), 2u);
}

std::string Param(Octets value, std::string_view name) {
  const ParameterizedValue v = ParseParameters(value);
  const std::string* p = v.Find(name);
  return p == nullptr ? "(none)" : *p;
}

TEST(Parameters, OfAllKinds) {
  EXPECT_EQ(ParseParameters(" Text / Plain ; charset=x").word, "text/plain");
  EXPECT_EQ(ParseParameters("").word, "");
  EXPECT_EQ(Param("text/plain; Charset=\"UTF-8\"", "charset"), "UTF-8");
  EXPECT_EQ(Param("text/plain; charset=us-ascii (Plain text)", "charset"), "us-ascii");
  EXPECT_EQ(Param("attachment; filename=report (1).pdf", "filename"), "report (1).pdf");
  EXPECT_EQ(Param("text/plain (odd; comment); charset=us-ascii", "charset"), "us-ascii");
  EXPECT_EQ(Param("attachment; filename=\"a;b\\\"c\"; size=1", "filename"), "a;b\"c");
  EXPECT_EQ(Param("attachment; filename=a name.txt ;size=1", "filename"), "a name.txt");
  EXPECT_EQ(Param("attachment; filename=\"C:\\dir\\x.txt\"", "filename"), "C:\\dir\\x.txt");
  EXPECT_EQ(Param("attachment; filename*=utf-8'zh'%E4%BC%9A.txt", "filename"), "会.txt");
  EXPECT_EQ(Param("attachment; filename*=gbk''%D6%D0%CE%C4.txt; filename=x.txt", "filename"), "中文.txt");
  EXPECT_EQ(Param("attachment; filename=x.txt; filename*=gbk''%D6%D0%CE%C4.txt", "filename"), "中文.txt");
  EXPECT_EQ(Param("attachment; filename*1*=%BC%9A; filename*0*=utf-8''%E4; filename*2=\".txt\"", "filename"), "会.txt");
  EXPECT_EQ(Param("attachment; filename*0=\"a very \"; filename*1=\"long name\"", "filename"), "a very long name");
  EXPECT_EQ(Param("attachment; filename*0=a; filename*2=c", "filename"), "a");  // the second piece is missing
  EXPECT_EQ(Param("attachment; filename*=%D6%D0", "filename"), "中");           // no charset
  EXPECT_EQ(Param("attachment; filename*=nonsense''%D6%D0", "filename"), "中");
  EXPECT_EQ(Param("attachment; filename=\"=?gb2312?B?1tDOxA==?=.txt\"", "filename"), "中文.txt");
  EXPECT_EQ(Param("attachment; filename==?utf-8?B?5Lya?=", "filename"), "会");
  EXPECT_EQ(Param("attachment; filename=\"=?utf-8?B?5Lya?=\r\n =?utf-8?B?5Lya?=\"", "filename"), "会会");
  EXPECT_EQ(Param("attachment; filename=\"\xd6\xd0\xce\xc4.txt\"", "filename"), "中文.txt");
  EXPECT_EQ(Param("attachment; filename=\"会.txt\"", "filename"), "会.txt");
  EXPECT_EQ(Param("attachment; filename=\"never ended", "filename"), "never ended");
  EXPECT_EQ(Param("a; word; =x; b=1", "b"), "1");
  EXPECT_EQ(Param("a; b=1; b=2", "b"), "1");
  EXPECT_EQ(Param("a; b*9999999999999=1", "b*9999999999999"), "1");
}

TEST(Parameters, AreBounded) {
  ParameterLimits limits;
  limits.parameters = 2;
  EXPECT_EQ(ParseParameters("a; b=1; c=2", {}, limits).parameters.size(), 2u);
  EXPECT_EQ(ParseParameters("a; b=1; c=2; d=3", {}, limits).parameters.size(), 2u);
  limits.value_octets = 6;
  EXPECT_EQ(*ParseParameters("a; b=12", {}, limits).Find("b"), "1");
  EXPECT_EQ(*ParseParameters("a; b=1", {}, limits).Find("b"), "1");
}

std::int64_t Seconds(Octets text) {
  const auto d = ParseDate(text);
  return d ? d->time / 1'000'000'000 : -1;
}

TEST(Date, RightAndObsoleteForms) {
  EXPECT_EQ(Seconds("Mon, 23 Nov 2026 01:02:03 +0000"), 1795395723);
  EXPECT_EQ(Seconds("Mon, 23 Nov 2026 09:02:03 +0800 (CST)"), 1795395723);
  EXPECT_EQ(Seconds("23 nov 2026 01:02:03 GMT"), 1795395723);
  EXPECT_EQ(Seconds("Sun, 22 Nov 26 20:02:03 EST"), 1795395723);
  EXPECT_EQ(Seconds("Sun,22 Nov 2026 16:32:03 -0830"), 1795395723);
  EXPECT_EQ(Seconds("23-Nov-2026 01:02:03 +0000"), 1795395723);
  EXPECT_EQ(Seconds("Mon Nov 23 01:02:03 2026"), 1795395723);
  EXPECT_EQ(Seconds("Mon, 23 Nov 2026 01:02 +0000"), 1795395720);
  EXPECT_EQ(Seconds("Mon,\r\n 23 (the (nested) day) Nov 2026 01:02:03 +0000"), 1795395723);
  EXPECT_EQ(Seconds("1 Jan 1970 00:00:00 +0000"), 0);
  EXPECT_EQ(Seconds("Thu, 1 Jan 99 00:00:00 GMT"), 915148800);
  EXPECT_EQ(Seconds("1 Jan 100 00:00:00 GMT"), 946684800);
  EXPECT_EQ(Seconds("29 Feb 2024 23:59:60 +0000"), 1709251200);
  EXPECT_EQ(ParseDate("23 Nov 2026 01:02:03 -0530")->offset_minutes, -330);
  EXPECT_TRUE(ParseDate("23 Nov 2026 01:02:03 +0000")->zone_known);
  EXPECT_FALSE(ParseDate("23 Nov 2026 01:02:03 -0000")->zone_known);
  EXPECT_FALSE(ParseDate("23 Nov 2026 01:02:03")->zone_known);
  EXPECT_FALSE(ParseDate("23 Nov 2026 01:02:03 QQQ")->zone_known);
  for (const char* bad :
       {"", "Mon", "23 Nov", "23 Nov 2026", "0 Nov 2026 01:02:03", "31 Nov 2026 01:02:03", "29 Feb 2026 01:02:03",
        "23 Foo 2026 01:02:03", "23 Nov 20266 01:02:03", "23 Nov 2026 24:00:00", "23 Nov 2026 01:60:00", "23 Nov 2026 01:02:61",
        "23 Nov 1677 00:00:00", "23 Nov 2262 00:00:00", "(((((", "23 Nov 2026 1:2:3:4"})
    EXPECT_FALSE(ParseDate(bad)) << bad;
  EXPECT_TRUE(ParseDate("1 Jan 1678 00:00:00 +0000"));
  EXPECT_TRUE(ParseDate("31 Dec 2261 23:59:59 +0000"));
}

}  // namespace
}  // namespace glasspost::mime
