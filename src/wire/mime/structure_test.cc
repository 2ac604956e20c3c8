#include "wire/mime/structure.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/base64.h"
#include "base/sha256.h"
#include "wire/mime/gmime_tree.h"
#include "wire/mime/html_text.h"
#include "wire/mime/outline.h"

namespace glasspost::mime {
namespace {

std::string DigestOf(Octets octets) {
  Sha256 h;
  h.Update(octets);
  return Hex(h.Finish());
}

std::string Shape(const Structure& s) {
  std::string out;
  for (const Part& p : s.parts) out += (out.empty() ? "" : " ") + p.number + ":" + p.type + (p.attachment ? "!" : "");
  return out;
}
std::string Shape(Octets message) { return Shape(ReadStructure(message)); }

std::string Crlf(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

const std::string kMail = Crlf(
    "From: a@b\nSubject: =?gb2312?B?1tDOxA==?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n "
    "boundary=\"outer\"\n\npreamble\n"
    "--outer\nContent-Type: multipart/alternative; boundary=inner\n\n"
    "--inner\nContent-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: base64\n\n1tDOxA0K\n"
    "--inner\nContent-Type: text/html; charset=utf-8\n\n<p>html</p>\n--inner--\n\n"
    "--outer\nContent-Type: application/octet-stream; name=\"=?gbk?B?1tDOxA==?=.bin\"\nContent-Transfer-Encoding: base64\n"
    "Content-Disposition: attachment; filename*=gbk''%D6%D0%CE%C4.bin\n\nAAECAwQF\nBgcICQ==\n"
    "--outer\nContent-Type: image/png; name=\"\xd6\xd0.png\"\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\n c=20\n"
    "--outer\nContent-Type: message/rfc822\n\nSubject: inside\nContent-Type: text/plain\n\ninner text\n"
    "--outer--\ntrailer\n");

TEST(Structure, TellsPartsNamesSizesAndDigests) {
  const Structure s = ReadStructure(kMail);
  EXPECT_EQ(s.problem, MimeProblem::kNone);
  EXPECT_EQ(Shape(s),
            "0:multipart/mixed 1:multipart/alternative 1.1:text/plain 1.2:text/html 2:application/octet-stream! 3:image/png! "
            "4:message/rfc822 4.1:text/plain");
  const Part& bin = s.parts[4];
  EXPECT_EQ(bin.filename, "中文.bin");
  EXPECT_EQ(bin.disposition, "attachment");
  EXPECT_EQ(bin.encoding, "base64");
  EXPECT_EQ(bin.size, 10u);
  EXPECT_EQ(Hex(bin.sha256), DigestOf(Octets("\0\1\2\3\4\5\6\7\10\11", 10)));
  EXPECT_EQ(Octets(kMail).substr(bin.content.offset, bin.content.length), "AAECAwQF\r\nBgcICQ==");
  const Part& png = s.parts[5];
  EXPECT_EQ(png.filename, "中.png");
  EXPECT_EQ(png.disposition, "");
  EXPECT_EQ(Hex(png.sha256), DigestOf("a=b c "));
  const Part& message = s.parts[6];
  EXPECT_TRUE(message.message);
  const std::string inside = "Subject: inside\r\nContent-Type: text/plain\r\n\r\ninner text";
  EXPECT_EQ(message.size, inside.size());
  EXPECT_EQ(Hex(message.sha256), DigestOf(inside));
  EXPECT_EQ(s.text, "中文\r\n");
  EXPECT_FALSE(s.text_from_html || s.text_cut);
  EXPECT_EQ(s.parts[0].size, 0u);
}

TEST(Structure, TextOfAPart) {
  const Structure s = ReadStructure(kMail);
  EXPECT_EQ(PartText(kMail, s.parts[2]), "中文\r\n");  // base64, GBK
  const std::string quoted =
      "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<meta "
      "charset=3Dgb2312>=D6=D0=\r\n=CE=C4\r\n";
  EXPECT_EQ(PartText(quoted, ReadStructure(quoted).parts[0]), "<meta charset=gb2312>中文\r\n");
  const std::string plain = "Subject: x\r\n\r\nline\r\n";
  EXPECT_EQ(PartText(plain, ReadStructure(plain).parts[0]), "line\r\n");
}

TEST(Structure, OctetsOfAPart) {
  const Structure s = ReadStructure(kMail);
  for (const std::size_t i : {4, 5, 6}) {  // base64, quoted-printable, a message
    std::string octets;
    ReadPart(kMail, s.parts[i], [&](Octets piece) {
      octets += piece;
      return true;
    });
    EXPECT_EQ(octets.size(), s.parts[i].size);
    EXPECT_EQ(DigestOf(octets), Hex(s.parts[i].sha256));
  }
  const std::string large = "Subject: x\r\n\r\n" + std::string(100'000, 'x');
  int pieces = 0;
  ReadPart(large, ReadStructure(large).parts[0], [&](Octets) { return ++pieces < 2; });
  EXPECT_EQ(pieces, 2);
}

TEST(Structure, DescribesTheHeader) {
  const auto fields = DescribeHeader(Octets(kMail).substr(0, kMail.find("\r\n\r\n") + 2));
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[1].second, "中文");
  EXPECT_EQ(fields[3].second, "multipart/mixed; boundary=\"outer\"");
}

TEST(Structure, SinglePartMessages) {
  const Structure s = ReadStructure("Subject: x\r\n\r\nbody\r\n");
  EXPECT_EQ(Shape(s), "1:text/plain");
  EXPECT_EQ(s.text, "body\r\n");
  EXPECT_EQ(s.parts[0].size, 6u);
  EXPECT_EQ(s.parts[0].encoding, "7bit");
  EXPECT_EQ(Shape("Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"),
            "1:application/pdf!");
  EXPECT_EQ(Shape("Content-Disposition: attachment\r\n\r\nx"), "1:text/plain!");
  EXPECT_EQ(ReadStructure("Subject: x\r\n\r\n").text, "");
  EXPECT_EQ(Shape("Subject: x"), "1:text/plain");
  EXPECT_EQ(Shape(""), "1:text/plain");
  EXPECT_EQ(Shape("\r\n"), "1:text/plain");
  EXPECT_EQ(Shape("nothing like a header\r\n\r\ntext"), "1:text/plain");
  EXPECT_EQ(ReadStructure("nothing like a header\r\n\r\ntext").text, "text");
}

TEST(Structure, BrokenBoundaries) {
  // No end boundary: the last part goes to the message's end.
  const Structure open = ReadStructure("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n");
  EXPECT_EQ(Shape(open), "0:multipart/mixed 1:text/plain 2:text/plain");
  EXPECT_EQ(open.parts[1].size, 3u);
  EXPECT_EQ(open.parts[2].size, 5u);
  EXPECT_EQ(Shape("Content-Type: multipart/mixed; boundary=b\r\n\r\nno boundary at all\r\n"), "0:multipart/mixed");
  EXPECT_EQ(Shape("Content-Type: multipart/mixed; boundary=b\n\n--bb\n\nx\n--b\t \n\ny\n--b--x\n"),
            "0:multipart/mixed 1:text/plain");
  // The inner one is never ended: the outer one's boundary ends it.
  EXPECT_EQ(Shape("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; "
                  "boundary=b\n\n--b\n\nx\n--a\n\ny\n--a--\n"),
            "0:multipart/mixed 1:multipart/mixed 1.1:text/plain 2:text/plain");
  EXPECT_EQ(Shape("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nbody\n--b--\n"),
            "0:multipart/digest 1:message/rfc822 1.1:text/plain");
  EXPECT_EQ(ReadStructure("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nbody\n--b--\n").parts[1].size, 16u);
}

// GMime reads a Content-Type as sent for what it builds, unfolded and decoded for the rest: the outline must follow it in both.
TEST(Outline, FollowsGMimeThroughOddContentTypes) {
  const std::string_view part = "\n\n--a b\n\nSubject: x\n\nbody\n--a b--\n";
  struct Case {
    std::string type;
    std::string shape;
  };
  for (const auto& [type, shape] : {
           Case{"multipart/dig\rest; boundary=\"a b\"", "0:multipart/digest 1:message/rfc822 1.1:text/plain"},
           Case{"multipart/digest\rx; boundary=\"a b\"", "0:multipart/digestx 1:text/plain"},
           Case{"multipart/digest; boundary=\"a\r\n b\"", "0:multipart/digest 1:message/rfc822 1.1:text/plain"},
           Case{"multipart/mixed; boundary=\"a\n b\"", "0:multipart/mixed 1:text/plain"},
           Case{"multipart/mixed; boundary=\"\ra b\"", "0:multipart/mixed 1:text/plain"},
           Case{"multipart/mixed; bound\rary=\"a b\"", "0:multipart/mixed 1:text/plain"},
           Case{"multipart/mixed; boundary=\"=?utf-8?q?a_b?=\"", "0:multipart/mixed 1:text/plain"},
           Case{"multi\rpart/mixed; boundary=\"a b\"", "1:multipart/mixed"},
           Case{"message/rfc822\rx", "1:message/rfc822x 1.1:text/plain"},
           Case{"message/rfc\r822", "1:message/rfc822"},
           Case{"multipart/mixed; boundary*=a%20b%0D", "0:multipart/mixed"},
           Case{"multipart/mixed; boundary*=a%20b%0A", "0:multipart/mixed"},
       }) {
    const std::string mail = "Content-Type: " + type + std::string(part);
    EXPECT_EQ(Shape(mail), shape) << type;
    EXPECT_EQ(OutlineOf(mail).entities.size(), ReadTree(mail, 100, 100).size()) << type;
  }
}

TEST(Outline, DefaultsInADigest) {
  // What cannot be read is a message there, like what is not said; octet-stream in plain words is none.
  for (const auto& [field, message] : {std::pair("", true), std::pair("Content-Type: application\n", true),
                                       std::pair("Content-Type: application/octet-stream\n", false),
                                       std::pair("Content-Type: (c \\) (d)) APPLICATION / octet-stream; x=y\n", false)}) {
    const std::string mail = "Content-Type: multipart/digest; boundary=a\n\n--a\n" + std::string(field) +
                             "\nContent-Type: multipart/t; boundary=a\n\n--a\n\nx\n";
    const Outline outline = OutlineOf(mail);
    const auto nodes = ReadTree(mail, 100, 100);
    ASSERT_TRUE(outline.entities.size() == 4 && nodes.size() == 4) << field;
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(outline.entities[i].depth, nodes[i].depth + 1) << field << i;
    EXPECT_EQ(outline.entities[1].message, message) << field;
  }
  // A NUL ends the field for GMime, also within a comment.
  const std::string nul("Content-Type: multipart/digest; boundary=a\n\n--a\nContent-Type: (\0)/x\n\n\n", 70);
  EXPECT_EQ(OutlineOf(nul).entities.size(), ReadTree(nul, 100, 100).size());
  // A boundary with a line end in it is no line's: the one of the digest is.
  const std::string both =
      "Content-Type: multipart/digest; boundary=a\n\n--a\nContent-Type: multipart/t; boundary*=a%0A\n--a\n\nSubject: x\n\ny\n";
  EXPECT_EQ(OutlineOf(both).entities.size(), ReadTree(both, 100, 100).size());
}

TEST(Tree, LeavesNoMemoryBehind) {
  const std::string mail = "Content-Type: text/plain\n\nx\n";
  constexpr std::size_t kTimes = 10'000;
  const auto read = [&] {
    for (std::size_t i = 0; i < kTimes; ++i) ReadTree(mail, 10, 10);
  };
  read();
  const std::size_t before = mallinfo2().uordblks;
  read();
  EXPECT_LT(mallinfo2().uordblks, before + kTimes);
}

// A part's header that ends at a boundary, without the empty line: the boundary may be the one that the header has just said.
TEST(Structure, ABoundaryBeyondTheLimitIsAProblem) {
  for (const std::size_t length : {1000u, 1001u}) {
    const std::string boundary(length, 'b');
    const std::string mail = "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n\nx\n";
    const Outline outline = OutlineOf(mail);
    EXPECT_EQ(outline.problem, length == 1000 ? MimeProblem::kNone : MimeProblem::kHeaderTooLarge);
    EXPECT_EQ(outline.entities.size(), length == 1000 ? 2u : 1u);
  }
}

TEST(Outline, BoundaryEndsTheHeaderThatSaysIt) {
  const std::string head = "Content-Type: multipart/mixed; boundary=a\n";
  const std::string mail = head + "\n--a\n" + head + "--a\n\ntext\n--a--\n";
  const Outline outline = OutlineOf(mail);
  ASSERT_EQ(outline.entities.size(), 3u);
  EXPECT_TRUE(outline.entities[1].multipart && outline.entities[1].delimited_end);
  EXPECT_EQ(outline.entities[2].depth, 3);
  ASSERT_EQ(outline.boundaries.size(), 3u);
  EXPECT_EQ(outline.boundaries[1].entity, 1u);
  const auto nodes = ReadTree(mail, 10, 10);
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(nodes[2].depth, 2u);
  // Another boundary is that of the multipart around it.
  const std::string other = head + "\n--a\nContent-Type: multipart/mixed; boundary=b\n--a\n\ntext\n--a--\n";
  ASSERT_EQ(OutlineOf(other).entities.size(), 3u);
  EXPECT_EQ(OutlineOf(other).entities[2].depth, 2);
}

TEST(Structure, EncodingsWithFaults) {
  const auto decoded = [](const std::string& encoding, const std::string& body) {
    return ReadStructure("Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + body).text;
  };
  EXPECT_EQ(decoded("base64", "QUJDRA=="), "ABCD");
  EXPECT_EQ(decoded("base64", "QUJDRA"), "ABCD");  // padding missing
  EXPECT_EQ(decoded("base64", "QUJDREU"), "ABCDE");
  EXPECT_EQ(decoded("BASE64", "QU JD\r\n!RA=="), "ABCD");
  EXPECT_EQ(decoded("quoted-printable", "a=3Db=\r\nc=ZZ"), "a=bc=ZZ");
  EXPECT_EQ(decoded("8bit", "\xd6\xd0\xce\xc4"), "中文");
  EXPECT_EQ(decoded("x-nonsense", "QUJD"), "QUJD");
}

TEST(Structure, TheBestTextIsRead) {
  const std::string both =
      "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b\n\nplain\n--b--\n";
  EXPECT_EQ(ReadStructure(both).text, "plain");
  const Structure html =
      ReadStructure("Content-Type: text/html; charset=gbk\r\n\r\n<title>t</title><p>\xd6\xd0\xce\xc4<br>x &amp; y");
  EXPECT_TRUE(html.text_from_html);
  EXPECT_EQ(html.text, "中文\nx & y");
  EXPECT_EQ(ReadStructure("Content-Type: text/html\r\n\r\n<meta charset='big5'>\xa4\xa4\xa4\xe5").text, "中文");
  // A blank plain text beside the real HTML one; an attached text is no body.
  EXPECT_EQ(ReadStructure("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\nreal\n--b\n"
                          "Content-Disposition: attachment; filename=a.txt\n\nattached\n--b--\n")
                .text,
            "real");
  EXPECT_EQ(ReadStructure("Content-Type: message/rfc822\n\nSubject: x\n\ninside\n").text, "inside\n");
}

TEST(Structure, TextIsBounded) {
  StructureOptions options;
  options.limits.text_octets = 6;
  const std::string head = "Content-Type: text/plain; charset=utf-8\n\n";
  EXPECT_EQ(ReadStructure(head + "中文", options).text, "中文");
  EXPECT_FALSE(ReadStructure(head + "中文", options).text_cut);
  EXPECT_TRUE(ReadStructure(head + "中文x", options).text_cut);
  EXPECT_EQ(ReadStructure(head + "a中文", options).text, "a中");
  EXPECT_TRUE(ReadStructure(head + "a中文", options).text_cut);
}

std::string Nested(std::size_t depth) {
  // depth - 1 multiparts and a leaf.
  std::string m;
  for (std::size_t i = 1; i < depth; ++i)
    m += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "x\n\n--b" + std::to_string(i) + "x\n";
  return m + "\nleaf\n";
}
std::string NestedMessages(std::size_t depth) {
  std::string m;
  for (std::size_t i = 1; i < depth; ++i) m += "Content-Type: message/rfc822\n\n";
  return m + "A: b\n\nleaf\n";
}
std::string Flat(std::size_t parts) {
  std::string m = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (std::size_t i = 1; i < parts; ++i) m += "--b\n\nx\n";
  return m + "--b--\n";
}

TEST(Structure, DepthPartsHeadersAndSizeAreBounded) {
  const MimeLimits limits;
  EXPECT_EQ(ReadStructure(Nested(limits.depth)).parts.size(), limits.depth);
  EXPECT_EQ(ReadStructure(Nested(limits.depth + 1)).problem, MimeProblem::kTooDeep);
  EXPECT_TRUE(ReadStructure(Nested(limits.depth + 1)).parts.empty());
  EXPECT_EQ(ReadStructure(NestedMessages(limits.depth)).parts.size(), limits.depth);
  EXPECT_EQ(ReadStructure(NestedMessages(limits.depth + 1)).problem, MimeProblem::kTooDeep);
  EXPECT_EQ(ReadStructure(Nested(100'000)).problem, MimeProblem::kTooDeep);
  EXPECT_EQ(ReadStructure(NestedMessages(100'000)).problem, MimeProblem::kTooDeep);

  EXPECT_EQ(ReadStructure(Flat(limits.parts)).parts.size(), limits.parts);
  EXPECT_EQ(ReadStructure(Flat(limits.parts + 1)).problem, MimeProblem::kTooManyParts);

  const auto header = [](std::size_t octets) { return "A: " + std::string(octets - 4, 'x') + "\n"; };
  EXPECT_EQ(ReadStructure(header(limits.header_octets) + "\nbody").problem, MimeProblem::kNone);
  EXPECT_EQ(ReadStructure(header(limits.header_octets + 1) + "\nbody").problem, MimeProblem::kHeaderTooLarge);
  EXPECT_EQ(ReadStructure(header(limits.header_octets) + "B: c\n\nbody").problem, MimeProblem::kHeaderTooLarge);
  EXPECT_EQ(ReadStructure(header(limits.header_octets + 1)).problem, MimeProblem::kHeaderTooLarge);
  const auto part = [](std::size_t value) {
    return "Content-Type: multipart/mixed; boundary=b\n\n--b\nA: " + std::string(value, 'x') + "\n\nbody\n--b--\n";
  };
  EXPECT_EQ(ReadStructure(part(limits.field_octets)).problem, MimeProblem::kNone);
  EXPECT_EQ(ReadStructure(part(limits.field_octets + 1)).problem, MimeProblem::kHeaderTooLarge);

  StructureOptions small;
  small.limits.message_octets = 100;
  EXPECT_EQ(ReadStructure("A: b\n\n" + std::string(94, 'x'), small).problem, MimeProblem::kNone);
  EXPECT_EQ(ReadStructure("A: b\n\n" + std::string(95, 'x'), small).problem, MimeProblem::kTooLarge);
  EXPECT_EQ(Name(MimeProblem::kTooLarge), "too-large");
}

TEST(Structure, EveryCutIsReadWithoutHarm) {
  for (std::size_t i = 0; i <= kMail.size(); ++i) {
    const Structure s = ReadStructure(Octets(kMail).substr(0, i));
    ASSERT_FALSE(s.parts.empty());
    for (const Part& p : s.parts) ASSERT_LE(p.content.offset + p.content.length, i);
  }
}

TEST(Structure, ThreadsReadAtOnce) {
  std::vector<std::string> messages;
  for (int i = 0; i < 8; ++i) {
    std::string m = kMail;
    m.insert(m.find("preamble"), std::string(static_cast<std::size_t>(i), 'p'));
    messages.push_back(std::move(m));
  }
  std::vector<std::string> alone, together(messages.size());
  for (const std::string& m : messages) alone.push_back(Shape(m) + ReadStructure(m).text + ReadStructure(m).parts[4].filename);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < messages.size(); ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 50; ++n) {
        const Structure s = ReadStructure(messages[i]);
        together[i] = Shape(s) + s.text + s.parts[4].filename;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(alone, together);
}

TEST(SafeFilename, LeavesNothingHarmful) {
  const auto safe = [](const char* name, const char* type = "application/pdf") {
    Part p;
    p.filename = name;
    p.type = type;
    p.number = "2";
    return SafeFilename(p);
  };
  EXPECT_EQ(safe("报告.pdf"), "报告.pdf");
  EXPECT_EQ(safe("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe("C:\\dir\\x.txt"), "x.txt");
  EXPECT_EQ(safe(".bashrc"), "bashrc");
  EXPECT_EQ(safe(".."), "part-2.pdf");
  EXPECT_EQ(safe("-rf"), "rf");
  EXPECT_EQ(safe("a-b (1).pdf"), "a-b (1).pdf");
  EXPECT_EQ(safe("dir/"), "part-2.pdf");
  EXPECT_EQ(safe("", "message/rfc822"), "part-2.eml");
  EXPECT_EQ(safe("", "x/y"), "part-2.bin");
  EXPECT_EQ(safe("a\nb\x1b[0m:c?"), "a_b_[0m_c_");
  EXPECT_EQ(safe("gpj\u202eexe.txt"), "gpj_exe.txt");
  EXPECT_EQ(safe("x\xff.txt"), "x_.txt");
  EXPECT_EQ(safe(std::string(200, 'a').c_str()).size(), 200u);
  EXPECT_EQ(safe(std::string(201, 'a').c_str()).size(), 200u);
  EXPECT_EQ(safe((std::string(199, 'a') + "中").c_str()).size(), 199u);
}

std::string Html(Octets html, std::size_t limit = 1000) {
  std::string out;
  AppendHtmlText(out, html, limit);
  return out;
}

TEST(HtmlText, KeepsTheWords) {
  EXPECT_EQ(Html("<html><head><style>p{}</style><script>if (a</b>) x</script></head><body>a\n  b<p>c</p><div>d</div></body>"),
            "a b\n\nc\n\nd");
  EXPECT_EQ(Html("a<!-- <b>no</b> -->b<br/>c"), "ab\nc");
  EXPECT_EQ(Html("1 < 2 &lt;b&gt; &#20013;&#x6587; &unknown; & &nbsp;&#xd800;"), "1 < 2 <b> 中文 &unknown; & \u00a0\uFFFD");
  EXPECT_EQ(Html("<table><tr><td>a</td><td>b</td></tr></table>"), "a b");
  EXPECT_EQ(Html("<pre>a\n  b</pre>"), "a\n  b");
  EXPECT_EQ(Html("<"), "<");
  EXPECT_EQ(Html("<b"), "");
  EXPECT_EQ(Html("<!--"), "");
  EXPECT_EQ(Html("<script>never ended"), "");
}

TEST(HtmlText, SaysWhereLinksLead) {
  EXPECT_EQ(Html("<a href=\"x>y\">link</a>"), "link[1]\n\n[1] x>y");
  EXPECT_EQ(Html("a <a class=b HREF = 'http://e.test/?a=1&amp;b=2'>bank</a> c, <a href=http://e.test/?a=1&b=2>again</a>"),
            "a bank[1] c, again[1]\n\n[1] http://e.test/?a=1&b=2");
  EXPECT_EQ(Html("<a href=\"https://a.test\">https://a.test</a> <a href=\"https://a.test\">a.test</a> <a "
                 "href=\"mailto:b@a.test\">b@a.test</a>"),
            "https://a.test a.test b@a.test");
  EXPECT_EQ(Html("<a href=\"https://evil.test\">https://a.test</a>"), "https://a.test[1]\n\n[1] https://evil.test");
  EXPECT_EQ(Html("<p>x</p><a href=\"h&#10;ttp://\n i\"><img src=y></a>"), "x\n\n[1]\n\n[1] http://i");
  EXPECT_EQ(Html("<a href='1'>a<a href='2'>b"), "a[1]b[2]\n\n[1] 1\n[2] 2");
  EXPECT_EQ(Html("<a href='#top'>a</a><a name='x'>b</a><a href=''>c</a><a href>d</a></a>"), "abcd");
  EXPECT_EQ(Html("<a data-href='1' href='2'>a</a>"), "a[1]\n\n[1] 2");
  EXPECT_EQ(Html("<a =href='2'>a</a><a href='never ended"), "a[1][2]\n\n[1] 2\n[2] neverended");
  EXPECT_EQ(Html("<a href='2'>a</a>", 9), "a[1]\n\n[1]");
  const std::string longest = "<a href='" + std::string(2001, 'x') + "'>a</a>";
  EXPECT_EQ(Html(longest, 4000), "a[1]\n\n[1] " + std::string(2000, 'x') + "…");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "<a href='" + std::to_string(i) + "'>t</a>";
  const std::string text = Html(many, 100'000);
  EXPECT_NE(text.find("t[1000]t\n\n[1] 0\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n[1000] 999"));
}

TEST(HtmlText, IsBounded) {
  std::string out;
  EXPECT_TRUE(AppendHtmlText(out, "abc", 3));
  EXPECT_FALSE(AppendHtmlText(out, "abcd", 3));
  EXPECT_EQ(out, "abcabc");
  EXPECT_EQ(Html("中文", 5), "中");
  EXPECT_EQ(Html("中文", 6), "中文");
}

struct Collected {
  static constexpr bool kWanted = true;
  std::vector<std::pair<Field, OctetRange>>* rows;
  void operator()(Field field, OctetRange range, const FieldValue&) { rows->emplace_back(field, range); }
};

TEST(Structure, ReportsFieldsWithTheirOctets) {
  const std::string m =
      "A: b\nContent-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b\nSubject: x\n\ntwo\n--b--\ntrailer\n";
  std::vector<std::pair<Field, OctetRange>> rows;
  Collected visitor{&rows};
  ReportMessage(m, 1000, visitor);
  const auto text = [&](Field field) {
    std::string all;
    for (const auto& [f, range] : rows)
      if (f == field) all += "[" + m.substr(range.offset - 1000, range.length) + "]";
    return all;
  };
  EXPECT_EQ(text(Field::kMimePart), "[one][two]");
  EXPECT_EQ(text(Field::kMimePreamble), "[pre\n]");
  EXPECT_EQ(text(Field::kMimeFirstBoundary), "[--b\n]");
  EXPECT_EQ(text(Field::kMimeBoundary), "[--b\n]");
  EXPECT_EQ(text(Field::kMimeLastBoundary), "[--b--\n]");
  EXPECT_EQ(text(Field::kMimeTrailer), "[trailer\n]");
  EXPECT_EQ(text(Field::kImfSubject), "[x]");
  rows.clear();
  ReportMessage("A: b\r\n\r\nbody", 0, visitor);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2], std::pair(Field::kImfMessageText, OctetRange{8, 4}));
}

}  // namespace
}  // namespace glasspost::mime
