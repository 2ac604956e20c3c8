#include "wire/sasl/secrets.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace glasspost::sasl {
namespace {

using std::string_literals::operator""s;

constexpr SecretWord kWords[] = {{"PASS"}, {"PASSWORD"}, {"AUTH", 1}, {"LOGIN", 1}};

std::string Told(const std::string& line, bool due = false) {
  Secrets secrets;
  const std::size_t at = due ? FindDueSecret(line, kWords) : FindSlip(line, kWords);
  return at == Octets::npos ? line : HideFrom(line, at, line.size(), secrets);
}

TEST(Slips, TheWordIsToldAndWhatFollowsMasked) {
  EXPECT_EQ(Told("PASS secret"), "PASS *** (6 octets)");
  EXPECT_EQ(Told("XPASS secret"), "XPASS *** (6 octets)");
  EXPECT_EQ(Told("password two words"), "password *** (9 octets)");
  EXPECT_EQ(Told("PASS:secret"), "PASS *** (7 octets)");
  EXPECT_EQ(Told("PASS\tsecret"), "PASS\t*** (6 octets)");
  EXPECT_EQ(Told("C: PASS secret"), "C: PASS *** (6 octets)");
  EXPECT_EQ(Told(">AUTH PLAIN abc"), ">AUTH PLAIN *** (3 octets)");
  EXPECT_EQ(Told("AUTH=PLAIN abc"), "AUTH *** (10 octets)");
  EXPECT_EQ(Told("a UID LOGIN alice secret more"), "a UID LOGIN alice *** (11 octets)");
  EXPECT_EQ(Told("LOGIN secret"), "LOGIN *** (6 octets)");
}

TEST(Slips, OneSlipOfAFingerIsTheWordStill) {
  for (const char* typed : {"PAS", "PASSS", "PSAS", "PAWS", "APSS", "PASA"})
    EXPECT_EQ(Told(typed + " secret"s), typed + " *** (6 octets)"s) << typed;
  EXPECT_EQ(Told("AUHT PLAIN abc"), "AUHT PLAIN *** (3 octets)");
  EXPECT_EQ(Told("a LGOIN alice secret"), "a LGOIN alice *** (6 octets)");
  EXPECT_EQ(Told("PS secret"), "PS secret");
  EXPECT_EQ(Told("PQSX secret"), "PQSX secret");
  EXPECT_EQ(Told("these are pas words"), "these are pas words");  // only a verb can be a mistyped one
}

TEST(Slips, AWordThatHoldsOneIsASecretItself) {
  EXPECT_EQ(Told("mypass123"), "*** (9 octets)");
  EXPECT_EQ(Told("AUTHPLAINabc abc"), "*** (16 octets)");
  EXPECT_EQ(Told("x " + EncodeBase64("\0alice\0secret"s)), "x *** (20 octets)");
  EXPECT_EQ(Told(EncodeBase64("no separators in it")), EncodeBase64("no separators in it"));
}

TEST(Slips, NothingIsHiddenElsewhere) {
  for (const char* line : {"", " ", "XTND XMIT", "Subject: a word about it", "one two three PASS secret"})
    EXPECT_EQ(Told(line), line);
}

TEST(Slips, AWordAloneSaysThatTheSecretMayFollow) {
  EXPECT_EQ(FindSlip("PASS", kWords), 4u);
  EXPECT_EQ(FindSlip("AUTH  ", kWords), 6u);
  EXPECT_EQ(FindSlip("XTND", kWords), Octets::npos);
  EXPECT_EQ(Told("PASS"), "PASS");
  EXPECT_EQ(FindSlip("XAUTH PLAIN", kWords), 11u);
  EXPECT_EQ(Told("XAUTH PLAIN"), "XAUTH PLAIN");
}

TEST(Slips, WhereASecretIsDueAllOfTheLineIsOne) {
  EXPECT_EQ(Told("alice secret", true), "*** (12 octets)");
  EXPECT_EQ(Told("mypass123", true), "*** (9 octets)");
  EXPECT_EQ(Told("PAS secret", true), "*** (10 octets)");
  EXPECT_EQ(Told("PASSWORD secret", true), "PASSWORD *** (6 octets)");
  EXPECT_EQ(Told("LOGIN alice secret", true), "LOGIN *** (12 octets)");
  EXPECT_EQ(Told("", true), "");
}

TEST(Slips, WhatWasHiddenIsRemembered) {
  Secrets secrets;
  const std::string line = "AUHT PLAIN " + EncodeBase64("\0alice\0wonderland"s);
  HideFrom(line, FindSlip(line, kWords), line.size(), secrets);
  EXPECT_EQ(secrets.Redacted("alice, wonderland"), "alice, *** (10 octets)");
  Secrets shown(true);
  EXPECT_EQ(HideFrom(line, 5, line.size(), shown), line);
}

Exchange Echo() {
  Exchange e;
  e.has_request = e.has_reply = true;
  e.request.tag = "wonderland";
  e.request.argument = "to wonderland";
  e.reply.text = "wonderland is no place";
  e.reply.decoded = "wonderland";
  e.more_replies.emplace_back().text = "no wonderland";
  return e;
}

TEST(Redact, AllTextsOfAnExchange) {
  Secrets secrets;
  Exchange e = Echo();
  Redact(e, secrets, false);
  EXPECT_EQ(e.reply.text, Echo().reply.text);
  secrets.Remember("wonderland");
  Redact(e, secrets, false);
  EXPECT_EQ(e.request.tag, Mask(10));
  EXPECT_EQ(e.request.argument, "to " + Mask(10));
  EXPECT_EQ(e.reply.text, Mask(10) + " is no place");
  EXPECT_EQ(e.reply.decoded, Mask(10));
  EXPECT_EQ(e.more_replies[0].text, "no " + Mask(10));
}

TEST(Redact, NotWhatTheObserverComposed) {
  Secrets secrets;
  secrets.Remember("wonderland");
  Exchange e = Echo();
  Redact(e, secrets, true);
  EXPECT_EQ(e.request.argument, "to wonderland");
}

TEST(Redact, TheUsualPromptsAreToldThoughOneIsThePassword) {
  Secrets secrets;
  secrets.Remember("Password");
  Exchange e;
  e.reply.sasl = SaslContent::kPasswordPrompt;
  e.reply.text = EncodeBase64("Password:");
  e.reply.decoded = "Password:";
  Redact(e, secrets, true);
  EXPECT_EQ(e.reply.decoded, "Password:");
  EXPECT_EQ(e.reply.text, EncodeBase64("Password:"));
  e.reply.decoded = "Password (not Password):";
  Redact(e, secrets, true);
  EXPECT_EQ(e.reply.decoded, Mask(8) + " (not " + Mask(8) + "):");
  EXPECT_EQ(e.reply.text, Mask(EncodeBase64("Password:")));
}

TEST(Redact, Envelopes) {
  Secrets secrets;
  secrets.Remember("wonderland");
  Envelope e{true, true, "wonderland@a", {"b@c", "wonderland@d"}};
  Redact(e, secrets);
  EXPECT_EQ(e.reverse_path, Mask(10) + "@a");
  EXPECT_EQ(e.forward_paths[0], "b@c");
  EXPECT_EQ(e.forward_paths[1], Mask(10) + "@d");
}

}  // namespace
}  // namespace glasspost::sasl
