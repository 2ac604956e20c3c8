#include "base/redaction.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace glasspost {
namespace {

using std::string_literals::operator""s;

const std::string kPassword = "S3cretPw!xyz";

TEST(Mask, CountsOctets) {
  EXPECT_EQ(Mask(1), "*** (1 octet)");
  EXPECT_EQ(Mask("ab"), "*** (2 octets)");
  EXPECT_EQ(Secret("ab", true), "ab");
  EXPECT_EQ(Secret("ab", false), "*** (2 octets)");
}

TEST(Secrets, NothingSeenNothingMasked) {
  const Secrets s;
  EXPECT_TRUE(s.empty());
  EXPECT_EQ(s.Redacted("any text"), "any text");
  EXPECT_FALSE(s.Knows("any text"));
}

TEST(Secrets, ShownOnesAreNotRemembered) {
  Secrets s(true);
  s.Remember(kPassword);
  s.RememberText("PASS " + kPassword);
  EXPECT_TRUE(s.empty());
  EXPECT_EQ(s.Redacted(kPassword), kPassword);
}

TEST(Secrets, MaskedWhereverTheyStandInAnyCase) {
  Secrets s;
  s.Remember(kPassword);
  EXPECT_TRUE(s.Knows(kPassword));
  EXPECT_EQ(s.Redacted(kPassword), Mask(12));
  EXPECT_EQ(s.Redacted("alice/" + kPassword + ", alice/" + kPassword), "alice/" + Mask(12) + ", alice/" + Mask(12));
  EXPECT_EQ(s.Redacted("xS3CRETPW!XYZx"), "x" + Mask(12) + "x");
  EXPECT_EQ(s.Redacted("S3cretPw!xy"), "S3cretPw!xy");
}

TEST(Secrets, FoundAtEveryPlaceOfATextOfEveryLength) {
  for (const std::size_t length : {6u, 7u, 9u, 12u, 40u}) {
    Secrets s;
    std::string secret;
    for (std::size_t i = 0; i < length; ++i) secret.push_back(static_cast<char>('A' + (i * 7) % 26));
    s.Remember(secret);
    for (std::size_t before = 0; before < 20; ++before)
      for (std::size_t after = 0; after < 20; ++after)
        EXPECT_EQ(s.Redacted(std::string(before, '.') + secret + std::string(after, '.')),
                  std::string(before, '.') + Mask(length) + std::string(after, '.'));
  }
}

TEST(Secrets, MaskedInBase64AtEveryPlaceInAGroup) {
  Secrets s;
  s.Remember(kPassword);
  for (std::size_t before = 0; before < 7; ++before) {
    for (const std::string& after : {""s, "?"s, "and more"s}) {
      const std::string text = EncodeBase64(std::string(before, '\x01') + kPassword + after);
      EXPECT_EQ(s.Redacted("got <" + text + ">"), "got <" + Mask(text) + ">") << before << after;
    }
  }
}

TEST(Secrets, ShortOnesOnlyAsWholeWordsInTheirCase) {
  Secrets s;
  s.Remember("a");
  EXPECT_EQ(s.Redacted("a bad password \"a\", alice"), Mask(1) + " bad password \"" + Mask(1) + "\", alice");
  EXPECT_EQ(s.Redacted("A cat says: aa, a-a, a@b"), "A cat says: aa, a-a, a@b");
  s.Remember("12345");
  EXPECT_EQ(s.Redacted("12345 123456"), Mask(5) + " 123456");
  s.Remember("123456");
  EXPECT_EQ(s.Redacted("x123456x"), "x" + Mask(6) + "x");
}

TEST(Secrets, AMaskIsNotMaskedAgain) {
  Secrets s;
  s.Remember("octets");
  s.Remember("12");
  EXPECT_EQ(s.Redacted("six octets, *** (12 octets) and 12"), "six " + Mask(6) + ", *** (12 octets) and " + Mask(2));
}

TEST(Secrets, TheUsersNameIsToldThoughItIsThePassword) {
  Secrets s;
  s.SetUser("student@example.org");
  s.Remember("Student");
  s.Remember("student@example.org");
  EXPECT_TRUE(s.empty());
  s.Remember("student1");
  EXPECT_EQ(s.Redacted("student, student1"), "student, " + Mask(8));
}

TEST(Secrets, OfALongOneTheBeginningIsEnough) {
  Secrets s;
  const std::string fits(Secrets::kOctets, 'q'), token = std::string(Secrets::kOctets, 't') + "end-of-token";
  s.Remember(fits);
  s.Remember(token);
  EXPECT_EQ(s.Redacted("bad " + fits + "x."), "bad " + Mask(Secrets::kOctets) + "x.");
  EXPECT_EQ(s.Redacted("bad " + token + " token"), "bad " + Mask(token) + " token");
  EXPECT_FALSE(s.Knows(token));
}

TEST(Secrets, OfATornOneTheRestOfTheWordIsMasked) {
  Secrets s;
  s.Remember("S3cret", false);
  EXPECT_EQ(s.Redacted("bad S3cretPw!xyz here"), "bad " + Mask(12) + " here");
  Secrets none;
  none.Remember("S3cre", false);  // too little of it to go by
  EXPECT_TRUE(none.empty());
}

TEST(Secrets, ABeginningAtTheEndOfACutTextIsMasked) {
  Secrets s;
  s.Remember(kPassword);
  EXPECT_EQ(s.Redacted("bad S3cretP", true), "bad " + Mask(7));
  EXPECT_EQ(s.Redacted("bad S3cretP", false), "bad S3cretP");
  EXPECT_EQ(s.Redacted("bad S3cr", true), "bad " + Mask(Secrets::kTorn));
  EXPECT_EQ(s.Redacted("bad S3c", true), "bad S3c");
}

TEST(Secrets, TheOldestIsForgottenBeyondTheBound) {
  Secrets s;
  const auto password = [](std::size_t n) { return "password-" + std::to_string(100 + n); };
  for (std::size_t n = 0; n < Secrets::kMost; ++n) s.Remember(password(n));
  s.Remember(password(0));  // known: nothing has to go for it
  EXPECT_EQ(s.Redacted(password(0)), Mask(12));
  s.Remember(password(Secrets::kMost));
  EXPECT_EQ(s.Redacted(password(0)), password(0));
  for (std::size_t n = 1; n <= Secrets::kMost; ++n) EXPECT_EQ(s.Redacted(password(n)), Mask(12)) << n;
}

TEST(Secrets, HoldsNoMoreThanItsBounds) {
  Secrets s;
  EXPECT_EQ(s.Held(), 0u);
  for (std::size_t n = 0; n < Secrets::kMost; ++n) s.Remember(std::string(2 * Secrets::kOctets, 'x') + std::to_string(n));
  const std::size_t one = s.Held();  // they are known by the same beginning
  for (std::size_t n = 0; n < 3 * Secrets::kMost; ++n)
    s.Remember(std::to_string(100 + n) + std::string(2 * Secrets::kOctets, 'x'));
  EXPECT_GT(s.Held(), one);
  EXPECT_LT(s.Held(), Secrets::kMost * (Secrets::kOctets + 256) + 1024);
}

TEST(Secrets, TextIsRememberedWithItsLastWordAndWhatItsBase64Says) {
  const std::string credentials = EncodeBase64("\0alice\0"s + kPassword);
  for (const std::string& text :
       {kPassword, "alice " + kPassword, "\"" + kPassword + "\"", EncodeBase64(kPassword), credentials, "=" + credentials,
        credentials + " " + EncodeBase64("other"), "x " + credentials.substr(0, credentials.size() - 2), "PLAIN " + credentials,
        EncodeBase64("user=alice\1auth=Bearer " + kPassword + "\1\1")}) {
    Secrets s;
    s.RememberText(text);
    EXPECT_EQ(s.Redacted("<" + kPassword + ">"), "<" + Mask(12) + ">") << text;
    EXPECT_EQ(s.Redacted("alice"), "alice") << text;
  }
}

TEST(Secrets, MasksDoNotMakeATextGrowWithoutEnd) {
  Secrets s;
  s.Remember(".");
  s.Remember(kPassword);
  EXPECT_EQ(s.Redacted("a . b"), "a *** (1 octet) b");
  for (std::size_t n = 0; n < 3000; n += 7) {
    for (const std::string& text : {std::string(n, '.'), "first " + std::string(n, '.') + kPassword + " last"}) {
      const std::string told = s.Redacted(text, true);
      EXPECT_LE(told.size(), Secrets::Grown(text.size()));
      EXPECT_TRUE(told.find('.') == std::string::npos && told.find(kPassword) == std::string::npos) << told;
    }
  }
  // What does not fit any more is masked together, and what comes behind it with it.
  EXPECT_TRUE(s.Redacted(std::string(1000, '.') + " last").ends_with("octets)"));
  EXPECT_EQ(s.Redacted(". " + std::string(1000, 'x') + " ."), "*** (1 octet) " + std::string(1000, 'x') + " *** (1 octet)");
}

TEST(Secrets, PlacesAreThoseThatWouldBeMasked) {
  Secrets s;
  EXPECT_TRUE(s.Places("any text").empty());
  s.Remember(kPassword);
  s.Remember("abc");
  using Place = std::pair<std::size_t, std::size_t>;
  EXPECT_EQ(s.Places("abc " + kPassword + " abcd abc"), (std::vector<Place>{{0, 3}, {4, 12}, {22, 3}}));
}

TEST(Secrets, ManyShortOnesTakeLinearTime) {
  Secrets s;
  for (std::size_t i = 0; i < Secrets::kMost; ++i) s.Remember(std::string("b") + static_cast<char>('A' + i));
  std::string text;
  while (text.size() < 512 * 1024) text += "bA bC ";
  EXPECT_EQ(s.Places(text).size(), text.size() / 3);
  EXPECT_TRUE(s.Redacted(text).starts_with(Mask(2) + " " + Mask(2) + " "));
  // A long one behind all of them is not looked for again at each.
  s.Remember(kPassword);
  text += kPassword;
  EXPECT_EQ(s.Places(text).back(), std::pair(text.size() - kPassword.size(), kPassword.size()));
}

TEST(Secrets, Base64AsSentIsLookedForAsItIs) {
  Secrets s;
  const std::string sent = EncodeBase64("alice 0123456789abcdef");
  s.RememberBase64(sent);
  EXPECT_EQ(s.Redacted("not " + sent + "!"), "not " + Mask(sent) + "!");
  Secrets moved = std::move(s);
  EXPECT_TRUE(moved.Knows(sent));
}

TEST(Secrets, QuotesAroundOneDoNotHideIt) {
  Secrets s;
  s.Remember("\"" + kPassword + "\"");
  EXPECT_EQ(s.Redacted("'" + kPassword + "'"), "'" + Mask(12) + "'");
}

TEST(TornBase64, GivesWhatIsThere) {
  EXPECT_EQ(DecodeTornBase64("YWxpY2U="), "alice");
  EXPECT_EQ(DecodeTornBase64("YWxpY2U"), "alice");
  EXPECT_EQ(DecodeTornBase64("=YWxpY2U=="), "alice");
  EXPECT_EQ(DecodeTornBase64("YWxpY"), "ali");
  EXPECT_EQ(DecodeTornBase64("YW-xp"), "");
  EXPECT_EQ(DecodeTornBase64(""), "");
}

}  // namespace
}  // namespace glasspost
