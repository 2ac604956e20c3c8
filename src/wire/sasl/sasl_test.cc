#include "wire/sasl/sasl.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/redaction.h"
#include "wire/sasl/ntlm.h"

namespace glasspost::sasl {
namespace {

using std::string_literals::operator""s;

std::string Utf16(std::string_view ascii) {
  std::string out;
  for (const char c : ascii) out += c, out += '\0';
  return out;
}

void PutBuffer(std::string& m, std::size_t where, std::string_view value) {
  const auto put = [&](std::size_t at, std::size_t v, int octets) {
    for (int i = 0; i < octets; ++i) m[at + static_cast<std::size_t>(i)] = static_cast<char>(v >> (8 * i));
  };
  put(where, value.size(), 2), put(where + 2, value.size(), 2), put(where + 4, m.size(), 4);
  m += value;
}

std::string NtlmType3(bool with_flags = true) {
  std::string m = "NTLMSSP\0\3\0\0\0"s;
  m.resize(with_flags ? 64 : 52);
  if (with_flags) m[60] = 1;
  PutBuffer(m, 28, Utf16("EXAMPLE"));
  PutBuffer(m, 36, Utf16("alice"));
  PutBuffer(m, 44, Utf16("DESK"));
  PutBuffer(m, 12, std::string(24, 'L'));
  PutBuffer(m, 20, std::string(24, 'N'));
  return m;
}

TEST(Sasl, PlainInTheCommand) {
  SaslObserver o;
  SaslStep s;
  const std::string text = EncodeBase64("\0alice\0wonderland"s);
  o.Begin("plain", text, s);
  EXPECT_EQ(s.content, SaslContent::kCredentials);
  EXPECT_EQ(s.shown_argument, Mask(text));
  EXPECT_EQ(s.decoded, "user \"alice\", password *** (10 octets)");
  EXPECT_EQ(o.mechanism_name(), "PLAIN");
  EXPECT_EQ(o.user_name(), "alice");
  EXPECT_TRUE(o.cleartext_password());
  EXPECT_TRUE(o.password_seen());
  EXPECT_TRUE(o.active());
  o.OnOutcome(true);
  EXPECT_FALSE(o.active());
  EXPECT_TRUE(o.ok());
}

TEST(Sasl, PlainShownWhenAskedFor) {
  SaslObserver o(true);
  SaslStep s;
  const std::string text = EncodeBase64("bob\0alice\0wonderland"s);
  o.Begin("PLAIN", text, s);
  EXPECT_EQ(s.shown_argument, text);
  EXPECT_EQ(s.decoded, "user \"alice\", acting for \"bob\", password \"wonderland\"");
}

TEST(Sasl, PlainMalformedIsAllSecret) {
  for (const std::string& plain : {"alice wonderland"s, "alice\0wonderland"s}) {
    SaslObserver o;
    SaslStep s;
    o.Begin("PLAIN", EncodeBase64(plain), s);
    EXPECT_EQ(s.decoded, "credentials " + Mask(plain.size()));
    EXPECT_EQ(s.shown_argument, Mask(EncodeBase64(plain)));
    EXPECT_EQ(o.user_name(), "");
  }
  SaslObserver o;
  SaslStep s;
  o.Begin("PLAIN", "AGFsaWNlAHdvbmRlcmxhb", s);  // no base64
  EXPECT_EQ(s.shown_argument, Mask(21));
  EXPECT_EQ(s.decoded, "");
  EXPECT_EQ(s.content, SaslContent::kCredentials);
  EXPECT_TRUE(o.password_seen());
}

TEST(Sasl, LoginByPrompts) {
  SaslObserver o;
  SaslStep s;
  o.Begin("LOGIN", std::nullopt, s);
  EXPECT_EQ(s.content, SaslContent::kNone);
  o.OnChallenge("VXNlcm5hbWU6", s);
  EXPECT_EQ(s.content, SaslContent::kUserPrompt);
  EXPECT_EQ(s.decoded, "Username:");
  EXPECT_EQ(s.shown_argument, "VXNlcm5hbWU6");
  o.OnResponse("YWxpY2U=", s);
  EXPECT_EQ(s.content, SaslContent::kUserName);
  EXPECT_EQ(s.shown_argument, "YWxpY2U=");
  EXPECT_EQ(s.decoded, "user \"alice\"");
  EXPECT_FALSE(o.password_seen());
  o.OnChallenge("UGFzc3dvcmQ6", s);
  EXPECT_EQ(s.content, SaslContent::kPasswordPrompt);
  o.OnResponse("d29uZGVybGFuZA==", s);
  EXPECT_EQ(s.content, SaslContent::kPassword);
  EXPECT_EQ(s.shown_argument, "*** (16 octets)");
  EXPECT_EQ(s.decoded, "password *** (10 octets)");
  EXPECT_TRUE(o.password_seen());
  EXPECT_EQ(o.user_name(), "alice");
}

TEST(Sasl, LoginUserNameInTheCommand) {
  SaslObserver o;
  SaslStep s;
  o.Begin("LOGIN", "YWxpY2U=", s);
  EXPECT_EQ(s.content, SaslContent::kUserName);
  EXPECT_EQ(s.shown_argument, "YWxpY2U=");
  o.OnChallenge("UGFzc3dvcmQ6", s);
  o.OnResponse("c2VjcmV0", s);
  EXPECT_EQ(s.decoded, "password *** (6 octets)");
}

TEST(Sasl, LoginNeverShowsASecondAnswer) {
  SaslObserver o;
  SaslStep s;
  o.Begin("LOGIN", "YWxpY2U=", s);
  o.OnChallenge("VXNlcm5hbWU6", s);  // asks for the user name although it was given
  o.OnResponse("c2VjcmV0", s);
  EXPECT_EQ(s.content, SaslContent::kPassword);
  EXPECT_EQ(s.shown_argument, "*** (8 octets)");
  // An empty user name counts as one.
  o.Begin("LOGIN", std::nullopt, s);
  o.OnResponse("", s);
  EXPECT_EQ(s.content, SaslContent::kEmpty);
  o.OnResponse("c2VjcmV0", s);
  EXPECT_EQ(s.content, SaslContent::kPassword);
}

TEST(Sasl, LoginAfterAGapTrustsOnlyThePrompt) {
  SaslObserver o;
  SaslStep s;
  o.Begin("LOGIN", std::nullopt, s);
  o.OnGap();
  o.OnResponse("c2VjcmV0", s);
  EXPECT_EQ(s.shown_argument, "*** (8 octets)");
  o.Begin("LOGIN", std::nullopt, s);
  o.OnGap();
  o.OnChallenge("VXNlcm5hbWU6", s);
  o.OnResponse("YWxpY2U=", s);
  EXPECT_EQ(s.content, SaslContent::kUserName);
}

TEST(Sasl, CramMd5) {
  SaslObserver o;
  SaslStep s;
  o.Begin("CRAM-MD5", std::nullopt, s);
  o.OnChallenge(EncodeBase64("<1896.697170952@postoffice.example.net>"), s);
  EXPECT_EQ(s.content, SaslContent::kChallenge);
  EXPECT_EQ(s.decoded, "<1896.697170952@postoffice.example.net>");
  const std::string text = EncodeBase64("tim tam b913a602c7eda7a495b4e6e7334d3890");
  o.OnResponse(text, s);
  EXPECT_EQ(s.content, SaslContent::kDigest);
  EXPECT_EQ(s.decoded, "user \"tim tam\", digest *** (32 octets)");
  EXPECT_EQ(s.shown_argument, Mask(text));
  EXPECT_FALSE(o.cleartext_password());
  EXPECT_FALSE(o.password_seen());
}

TEST(Sasl, DigestMd5) {
  SaslObserver o;
  SaslStep s;
  o.Begin("DIGEST-MD5", std::nullopt, s);
  o.OnResponse(EncodeBase64("charset=utf-8,username=\"chris\",realm=\"elwood.example\",nonce=\"OA6MG9tEQGm2hh\",nc=00000001,"
                            "response=d388dad90d4bbd760a152321f2143af7,qop=auth"),
               s);
  EXPECT_EQ(s.decoded,
            "charset \"utf-8\", user \"chris\", realm \"elwood.example\", nonce \"OA6MG9tEQGm2hh\", nc \"00000001\", "
            "digest *** (32 octets), qop \"auth\"");
  EXPECT_EQ(o.user_name(), "chris");
  o.OnChallenge(EncodeBase64("rspauth=ea40f60335c427b5527b84dbabcdfffd"), s);
  EXPECT_EQ(s.content, SaslContent::kOutcome);
  EXPECT_EQ(s.decoded, "server's proof *** (32 octets)");
}

TEST(Sasl, ScramExampleOfTheRfc) {
  SaslObserver o;
  SaslStep s;
  const std::string first = EncodeBase64("n,,n=us=2Cer,r=fyko+d2lbbFgONRv9qkxdawL");
  o.Begin("SCRAM-SHA-1", first, s);
  EXPECT_EQ(s.shown_argument, first);
  EXPECT_EQ(s.decoded, "user \"us,er\", nonce \"fyko+d2lbbFgONRv9qkxdawL\"");
  o.OnChallenge(EncodeBase64("r=fyko3rfc,s=QSXCR+Q6sek8bf92,i=4096"), s);
  EXPECT_EQ(s.decoded, "r=fyko3rfc,s=QSXCR+Q6sek8bf92,i=4096");
  const std::string final = EncodeBase64("c=biws,r=fyko3rfc,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  o.OnResponse(final, s);
  EXPECT_EQ(s.shown_argument, Mask(final));
  EXPECT_EQ(s.decoded, "channel binding \"biws\", nonce \"fyko3rfc\", proof *** (28 octets)");
  o.OnChallenge(EncodeBase64("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), s);
  EXPECT_EQ(s.content, SaslContent::kOutcome);
  EXPECT_EQ(s.decoded, "server signature *** (28 octets)");
  EXPECT_EQ(o.user_name(), "us,er");
  EXPECT_EQ(MechanismOf("scram-sha-256-plus"), Mechanism::kScram);
}

TEST(Sasl, OAuth) {
  SaslObserver o;
  SaslStep s;
  o.Begin("XOAUTH2", EncodeBase64("user=a@example.org\1auth=Bearer ya29.vF9dft4\1\1"), s);
  EXPECT_EQ(s.content, SaslContent::kToken);
  EXPECT_EQ(s.decoded, "user \"a@example.org\", token *** (12 octets)");
  EXPECT_TRUE(o.password_seen());
  o.OnChallenge(EncodeBase64("{\"status\":\"401\"}"), s);
  EXPECT_EQ(s.content, SaslContent::kOutcome);
  EXPECT_EQ(s.decoded, "{\"status\":\"401\"}");
  o.OnResponse("", s);
  EXPECT_EQ(s.content, SaslContent::kEmpty);
  o.Begin("OAUTHBEARER", EncodeBase64("n,a=a@example.org,\1host=mail.example.org\1port=143\1auth=Bearer vF9df\1\1"), s);
  EXPECT_EQ(s.decoded, "user \"a@example.org\", host \"mail.example.org\", port \"143\", token *** (5 octets)");
  o.OnResponse("AQ==", s);
  EXPECT_EQ(s.content, SaslContent::kEmpty);
  EXPECT_EQ(s.shown_argument, "AQ==");
}

TEST(Sasl, Ntlm) {
  SaslObserver o;
  SaslStep s;
  std::string one = "NTLMSSP\0\1\0\0\0"s;
  one.resize(32);
  PutBuffer(one, 16, "EXAMPLE");
  const std::string first = EncodeBase64(one);
  o.Begin("NTLM", first, s);
  EXPECT_EQ(s.shown_argument, first);
  EXPECT_EQ(s.decoded, "domain \"EXAMPLE\"");
  std::string two = "NTLMSSP\0\2\0\0\0"s;
  two.resize(48);
  two[20] = 1;
  PutBuffer(two, 12, Utf16("SRV"));
  o.OnChallenge(EncodeBase64(two), s);
  EXPECT_EQ(s.decoded, "target \"SRV\", challenge 8 octets");
  for (const bool flags : {true, false}) {
    const std::string three = EncodeBase64(NtlmType3(flags));
    o.OnResponse(three, s);
    EXPECT_EQ(s.shown_argument, Mask(three));
    EXPECT_EQ(s.decoded, "user \"alice\", domain \"EXAMPLE\", workstation \"DESK\", response *** (48 octets)");
    EXPECT_EQ(o.user_name(), "alice");
  }
}

TEST(Sasl, NtlmCutAnywhereNamesNothingOutside) {
  const std::string whole = NtlmType3();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto m = ParseNtlm(whole.substr(0, n));
    EXPECT_EQ(m.has_value(), n >= 12) << n;
    if (m && n < 64) {
      EXPECT_EQ(m->user + m->domain + m->workstation, "") << n;
    }
  }
  std::string bad = whole;
  bad[36 + 4] = bad[36 + 5] = bad[36 + 6] = bad[36 + 7] = '\xff';
  EXPECT_EQ(ParseNtlm(bad)->user, "");
}

TEST(Sasl, Utf16) {
  EXPECT_EQ(Utf8FromUtf16Le(Utf16("ab") + "x"), "ab");
  EXPECT_EQ(Utf8FromUtf16Le("\x2d\x4e\x87\x65"s), "中文");
  EXPECT_EQ(Utf8FromUtf16Le("\x3d\xd8\x00\xde"s), "😀");
  EXPECT_EQ(Utf8FromUtf16Le("\x3d\xd8"s), "\xef\xbf\xbd");
  EXPECT_EQ(Utf8FromUtf16Le("\x00\xde"s), "\xef\xbf\xbd");
}

TEST(Sasl, ExternalAnonymousGssapi) {
  SaslObserver o;
  SaslStep s;
  o.Begin("EXTERNAL", "YWxpY2U=", s);
  EXPECT_EQ(s.decoded, "user \"alice\"");
  EXPECT_EQ(s.shown_argument, "YWxpY2U=");
  o.Begin("EXTERNAL", "=", s);
  EXPECT_EQ(s.content, SaslContent::kEmpty);
  EXPECT_EQ(s.shown_argument, "=");
  o.Begin("ANONYMOUS", "c2lyaGM=", s);
  EXPECT_EQ(s.decoded, "trace \"sirhc\"");
  o.Begin("GSSAPI", "YII=", s);
  EXPECT_EQ(s.decoded, "token *** (2 octets)");
  EXPECT_EQ(s.shown_argument, "*** (4 octets)");
}

TEST(Sasl, UnknownMechanismIsSecret) {
  SaslObserver o;
  SaslStep s;
  o.Begin("XYMPKI", "YWxpY2U=", s);
  EXPECT_EQ(s.shown_argument, "*** (8 octets)");
  EXPECT_EQ(s.decoded, "answer *** (5 octets)");
  o.OnChallenge("not base64!", s);
  EXPECT_EQ(s.content, SaslContent::kChallenge);
  EXPECT_EQ(s.shown_argument, "not base64!");
  EXPECT_EQ(s.decoded, "");
}

TEST(Sasl, CancelEmptyAndCut) {
  SaslObserver o;
  SaslStep s;
  o.Begin("LOGIN", std::nullopt, s);
  o.OnResponse("*", s);
  EXPECT_EQ(s.content, SaslContent::kCancel);
  EXPECT_EQ(s.shown_argument, "*");
  // Cut: what is there could be read, but it is not the whole of it.
  o.Begin("LOGIN", "YWxpY2U=", s, 5000);
  EXPECT_EQ(s.shown_argument, "*** (5000 octets)");
  EXPECT_EQ(s.decoded, "");
  EXPECT_EQ(o.user_name(), "");
}

}  // namespace
}  // namespace glasspost::sasl
