#include "wire/mime/quoted_printable.h"

#include <gtest/gtest.h>

namespace glasspost::mime {
namespace {

TEST(QuotedPrintable, LinesBlanksAndOddOctets) {
  EXPECT_EQ(QuotedPrintable("a=b \r\nx\t\r\n"), "a=3Db=20\r\nx=09\r\n");
  EXPECT_EQ(QuotedPrintable("bare\nlf and\rcr"), "bare=0Alf and=0Dcr");
  EXPECT_EQ(QuotedPrintable("end "), "end=20");
  EXPECT_EQ(QuotedPrintable("\xc3\xa4"), "=C3=A4");
  const std::string encoded = QuotedPrintable(std::string(200, 'x'));
  EXPECT_EQ(encoded.find("=\r\n"), 75u);
}

TEST(QuotedPrintable, ChunkingDoesNotMatter) {
  const std::string text = "a \r\n\r\r\n \xff=\t\n" + std::string(90, ' ') + "\r\nz";
  const std::string whole = QuotedPrintable(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    QuotedPrintableEncoder encoder;
    std::string out;
    encoder.Append(out, std::string_view(text).substr(0, cut));
    encoder.Append(out, std::string_view(text).substr(cut));
    encoder.Finish(out);
    ASSERT_EQ(out, whole) << cut;
  }
}

}  // namespace
}  // namespace glasspost::mime
