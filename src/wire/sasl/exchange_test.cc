// Server and client of SASL against the published exchanges (RFC 7677 §3, RFC 2195 §2, RFC 4616 §4), against each other, and
// against those that lie.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/base64.h"
#include "base/hmac.h"
#include "base/sha256.h"
#include "support/known_randomness.h"
#include "wire/sasl/client.h"
#include "wire/sasl/scram.h"
#include "wire/sasl/server.h"
#include "wire/sasl/verifier.h"

namespace glasspost::sasl {
namespace {

using State = ServerExchange::State;
using Step = ClientExchange::Step;

ServerOptions Options() { return {.host = "mx.example.org", .made_up_salt_key = "key"}; }

std::string B64(std::string_view text) { return EncodeBase64(text); }

// RFC 7677 §3.
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";

TEST(Verifiers, AreParsed) {
  const auto v = ParseVerifier("{PLAIN}secret");
  ASSERT_TRUE(v);
  EXPECT_EQ(v->scheme, "PLAIN");
  EXPECT_EQ(v->data, "secret");
  for (const char* bad : {"", "secret", "{}secret", "{PLAIN", "PLAIN}x"}) EXPECT_FALSE(ParseVerifier(bad)) << bad;
  EXPECT_EQ(CheckPassword("{PLAIN}secret", "secret"), true);
  EXPECT_EQ(CheckPassword("{plain}secret", "Secret"), false);
  EXPECT_EQ(CheckPassword("{ARGON2ID}$argon2id$…", "secret"), std::nullopt);
}

TEST(Verifiers, ScramKeysAreThoseOfDovecot) {
  const std::string salt = *DecodeBase64(kSalt);
  const std::string verifier = MakeScramVerifier("pencil", salt, 4096);
  EXPECT_EQ(verifier,
            "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  EXPECT_EQ(CheckPassword(verifier, "pencil"), true);
  EXPECT_EQ(CheckPassword(verifier, "pencils"), false);
  EXPECT_TRUE(ParseScramSha256(verifier));
}

TEST(Verifiers, DamagedOnesAreNone) {
  const std::string good = MakeScramVerifier("x", "salt", 4096);
  ASSERT_TRUE(ParseScramSha256(good));
  for (std::size_t i = 15; i < good.size(); ++i) EXPECT_FALSE(ParseScramSha256(good.substr(0, i))) << i;
  EXPECT_FALSE(ParseScramSha256(good + ",x"));
  EXPECT_FALSE(ParseScramSha256("{SCRAM-SHA-256}0," + good.substr(20)));
  const std::string keys = good.substr(good.find(','));
  EXPECT_TRUE(ParseScramSha256("{SCRAM-SHA-256}1000000" + keys));
  EXPECT_FALSE(ParseScramSha256("{SCRAM-SHA-256}1000001" + keys));
  EXPECT_FALSE(ParseScramSha256("{SCRAM-SHA-1}4096" + keys));
}

// RFC 4013 §3.
TEST(Prepare, FollowsSaslprep) {
  EXPECT_EQ(Prepare("I\xc2\xadX"), "IX");
  EXPECT_EQ(Prepare("user"), "user");
  EXPECT_EQ(Prepare("USER"), "USER");
  EXPECT_EQ(Prepare("\xc2\xaa"), "a");
  EXPECT_EQ(Prepare("\xe2\x85\xa8"), "IX");
  EXPECT_EQ(Prepare("\x07"), std::nullopt);
  EXPECT_EQ(Prepare("a\xc2\xa0z"), "a z");
  EXPECT_EQ(Prepare("\xff"), std::nullopt);
  EXPECT_EQ(Prepare("密码"), "密码");
}

TEST(Scram, PublishedExchangeOfTheServer) {
  const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  // The server's part of a nonce is base64 here, so the published one cannot be had; the proofs are made for what it says.
  const auto first = scram::ParseClientFirst("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->user, "user");
  EXPECT_EQ(first->nonce, "rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(first->gs2_header, "n,,");
  // The arithmetic with the published numbers.
  const ScramKeys keys = DeriveScramKeys("pencil", *DecodeBase64(kSalt), 4096);
  const std::string nonce = "rOprNGfwEbeRWgbNEkqO" + server_nonce;
  const std::string auth = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=" + nonce + ",s=" + std::string(kSalt) + ",i=4096,c=biws,r=" + nonce;
  EXPECT_EQ(EncodeBase64(AsOctets(HmacSha256(AsOctets(keys.server_key), auth))), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  const std::string client_final = "c=biws,r=" + nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  const auto final = scram::ParseClientFinal(client_final);
  ASSERT_TRUE(final);
  EXPECT_EQ(final->channel_binding, "n,,");
  EXPECT_EQ(final->nonce, nonce);
  std::string key = final->proof;
  const Digest256 signature = HmacSha256(AsOctets(keys.stored_key), auth);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ signature[i]);
  EXPECT_EQ(HashSha256(key), keys.stored_key);
}

// One login, server against client; true: both are content.
bool Login(ClientMechanism mechanism, Mechanism server_mechanism, const Credentials& credentials,
           const std::vector<std::string>& verifiers) {
  test::CountingRandomness server_random(100), client_random;
  const ServerOptions options = Options();
  ServerExchange server(server_mechanism, options, server_random);
  ClientExchange client(mechanism, credentials, client_random);
  const auto initial = client.Initial();
  State state = server.Begin(initial ? std::optional<Octets>(*initial) : std::nullopt);
  for (int round = 0; round < 10; ++round) {
    switch (state) {
      case State::kChallenge: {
        if (client.OnChallenge(server.challenge()) != Step::kRespond) return false;
        const std::string line = client.response();
        state = server.OnLine(line);
        break;
      }
      case State::kAskPassword: {
        bool right = false;
        for (const auto& v : verifiers) right = right || CheckPassword(v, server.password()).value_or(false);
        state = server.PasswordIs(right);
        EXPECT_TRUE(server.password().empty()) << "not wiped";
        break;
      }
      case State::kAskVerifiers:
        state = server.Verifiers(verifiers);
        break;
      case State::kAskWelcome:
        state = server.Welcome(true);
        break;
      case State::kProven:
        return server.user() == credentials.user && client.Believes();
      default:
        return false;
    }
  }
  return false;
}

TEST(Exchange, EachMechanismLogsInAndRefuses) {
  const std::vector<std::string> verifiers = {"{ARGON2ID}x", MakeScramVerifier("wonder,land=", "saltsalt"),
                                              "{PLAIN}wonder,land="};
  const struct {
    ClientMechanism client;
    Mechanism server;
  } mechanisms[] = {{ClientMechanism::kPlain, Mechanism::kPlain},
                    {ClientMechanism::kLogin, Mechanism::kLogin},
                    {ClientMechanism::kCramMd5, Mechanism::kCramMd5},
                    {ClientMechanism::kScramSha256, Mechanism::kScram}};
  for (const auto& m : mechanisms) {
    SCOPED_TRACE(Name(m.client));
    EXPECT_TRUE(Login(m.client, m.server, {"al,i=ce", "wonder,land=", {}}, verifiers));
    EXPECT_FALSE(Login(m.client, m.server, {"al,i=ce", "wonderland", {}}, verifiers));
    EXPECT_FALSE(Login(m.client, m.server, {"al,i=ce", "wonder,land=", {}}, {}));
    EXPECT_FALSE(Login(m.client, m.server, {"al,i=ce", "wonder,land=", {}}, {"{ARGON2ID}x"}));
  }
}

TEST(Exchange, OfAccountsThatAreNoneNothingCanBeSeen) {
  const ServerOptions options = Options();
  const std::string first = B64("n,,n=bob,r=abcdef");
  std::string challenges[3];
  for (int i = 0; i < 3; ++i) {
    test::FixedRandomness random("same");
    ServerExchange server(Mechanism::kScram, options, random);
    ASSERT_EQ(server.Begin(first), State::kAskVerifiers);
    // No account; one without what SCRAM needs; again none.
    const std::vector<std::string> stored = i == 1 ? std::vector<std::string>{"{ARGON2ID}x"} : std::vector<std::string>{};
    ASSERT_EQ(server.Verifiers(stored), State::kChallenge);
    challenges[i] = *DecodeBase64(server.challenge());
    const auto parsed = scram::ParseServerFirst(challenges[i]);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->iterations, 4096u);
    EXPECT_EQ(parsed->salt.size(), 16u);
    const std::string proof = "c=biws,r=" + std::string(parsed->nonce) + ",p=" + B64(std::string(32, 'x'));
    EXPECT_EQ(server.OnLine(B64(proof)), State::kRefused);
  }
  EXPECT_EQ(challenges[0], challenges[1]);
  EXPECT_EQ(challenges[0], challenges[2]);
  test::FixedRandomness random("same");
  ServerExchange other(Mechanism::kScram, options, random);
  (void)other.Begin(B64("n,,n=carol,r=abcdef"));
  (void)other.Verifiers({});
  EXPECT_NE(*DecodeBase64(other.challenge()), challenges[0]) << "the salt is the same for everybody";
}

TEST(ServerExchange, WhatIsMalformed) {
  test::CountingRandomness random;
  const ServerOptions options = Options();
  const auto begin = [&](Mechanism m, std::optional<std::string> initial) {
    ServerExchange server(m, options, random);
    return server.Begin(initial ? std::optional<Octets>(*initial) : std::nullopt);
  };
  EXPECT_EQ(begin(Mechanism::kPlain, "!"), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, B64("alice")), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, "="), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("\0\0x", 3))), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("\0alice\0", 7))), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("\0alice\0x\0y", 10))), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("bob\0alice\0x", 11))), State::kRefused) << "acts for another";
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("alice\0alice\0x", 13))), State::kAskPassword);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("\0a\0", 3) + std::string(1024, 'x'))), State::kAskPassword);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string("\0a\0", 3) + std::string(1025, 'x'))), State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kPlain, B64(std::string(1, '\0') + std::string(513, 'u') + std::string("\0x", 2))),
            State::kMalformed);
  EXPECT_EQ(begin(Mechanism::kCramMd5, "="), State::kMalformed);
  for (const char* first : {"", "n,", "n,,", "n,,n=u", "n,,r=x,n=u", "p=tls-unique,,n=u,r=x", "n,,n=,r=x", "n,,n=u=,r=x",
                            "n,,n=u,r=", "n,,m=ext,n=u,r=x", "n,,n=u,r=x,m=ext", "x,,n=u,r=x"})
    EXPECT_EQ(begin(Mechanism::kScram, B64(first)), State::kMalformed) << first;
  EXPECT_EQ(begin(Mechanism::kScram, B64("n,a=other,n=u,r=x")), State::kRefused);
  EXPECT_EQ(begin(Mechanism::kScram, B64("n,,n=u,r=" + std::string(256, 'x'))), State::kAskVerifiers);
  EXPECT_EQ(begin(Mechanism::kScram, B64("n,,n=u,r=" + std::string(257, 'x'))), State::kMalformed);
  ServerExchange login(Mechanism::kLogin, options, random);
  EXPECT_EQ(login.Begin({}), State::kChallenge);
  EXPECT_EQ(login.challenge(), "VXNlcm5hbWU6");
  EXPECT_EQ(login.OnLine("*"), State::kCancelled);
}

TEST(ServerExchange, ScramHoldsTheClientToWhatItSaid) {
  const ServerOptions options = Options();
  const std::vector<std::string> verifiers = {MakeScramVerifier("pencil", "salt")};
  for (const char* wrong : {"c=eSws", "r=other", "p=", ""}) {
    test::CountingRandomness random;
    ServerExchange server(Mechanism::kScram, options, random);
    (void)server.Begin(B64("n,,n=user,r=abc"));
    (void)server.Verifiers(verifiers);
    const std::string server_first = *DecodeBase64(server.challenge());
    const std::string nonce(scram::ParseServerFirst(server_first)->nonce);
    std::string final = "c=biws,r=" + nonce + ",p=" + B64(std::string(32, 'p'));
    if (std::string_view(wrong).starts_with("c=")) final.replace(0, 6, wrong);
    if (std::string_view(wrong).starts_with("r=")) final = "c=biws,r=other,p=" + B64(std::string(32, 'p'));
    if (std::string_view(wrong) == "p=") final = "c=biws,r=" + nonce + ",p=" + B64("short");
    EXPECT_EQ(server.OnLine(B64(final)), *wrong == '\0' ? State::kRefused : State::kMalformed) << wrong;
  }
}

// Who may not be welcomed hears nothing that a wrong password would not have had him hear.
TEST(ServerExchange, ScramTellsNothingBeforeItMay) {
  const ServerOptions options = Options();
  test::CountingRandomness random(100), client_random;
  ServerExchange server(Mechanism::kScram, options, random);
  const Credentials credentials{"user", "pencil", {}};
  ClientExchange client(ClientMechanism::kScramSha256, credentials, client_random);
  (void)server.Begin(client.Initial());
  (void)server.Verifiers(std::vector<std::string>{MakeScramVerifier("pencil", "salt")});
  ASSERT_EQ(client.OnChallenge(server.challenge()), Step::kRespond);
  const std::string before = server.challenge();
  ASSERT_EQ(server.OnLine(client.response()), State::kAskWelcome);
  EXPECT_EQ(server.Welcome(false), State::kRefused);
  EXPECT_EQ(server.challenge(), before);
}

TEST(ClientExchange, DoesNotBelieveImpostors) {
  test::CountingRandomness random;
  const Credentials credentials{"user", "pencil", {}};
  ClientExchange client(ClientMechanism::kScramSha256, credentials, random);
  const std::string first = *DecodeBase64(*client.Initial());
  const std::string nonce = first.substr(first.find(",r=") + 3);
  EXPECT_FALSE(client.Believes()) << "235 before the server proved itself";
  {
    ClientExchange other(ClientMechanism::kScramSha256, credentials, random);
    (void)other.Initial();
    EXPECT_EQ(other.OnChallenge(B64("r=another,s=c2FsdA==,i=4096")), Step::kImpostor);
  }
  {
    test::CountingRandomness same;
    ClientExchange other(ClientMechanism::kScramSha256, credentials, same);
    (void)other.Initial();
    EXPECT_EQ(other.OnChallenge(B64("r=" + nonce + ",s=c2FsdA==,i=4096")), Step::kImpostor) << "nothing of its own";
    EXPECT_EQ(other.OnChallenge(B64("r=" + nonce + "x,s=c2FsdA==,i=1000001")), Step::kMalformed);
    EXPECT_EQ(other.OnChallenge(B64("r=" + nonce + "x,s=c2FsdA==,i=1")), Step::kMalformed) << "too cheap to guess";
  }
  EXPECT_EQ(client.OnChallenge(B64("r=" + nonce + "x,s=c2FsdA==,i=4096")), Step::kRespond);
  EXPECT_EQ(client.OnChallenge(B64("v=" + B64(std::string(32, 'x')))), Step::kImpostor);
  EXPECT_FALSE(client.Believes());
  EXPECT_EQ(client.OnChallenge("!"), Step::kMalformed);
}

// RFC 2195 §2, RFC 4616 §4.
TEST(ClientExchange, PublishedAnswers) {
  test::CountingRandomness random;
  const Credentials tim{"tim", "tanstaaftanstaaf", {}};
  ClientExchange cram(ClientMechanism::kCramMd5, tim, random);
  EXPECT_FALSE(cram.Initial());
  EXPECT_EQ(cram.OnChallenge("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"), Step::kRespond);
  EXPECT_EQ(cram.response(), "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
  ClientExchange plain(ClientMechanism::kPlain, tim, random);
  EXPECT_EQ(*DecodeBase64(*plain.Initial()), std::string("\0tim\0tanstaaftanstaaf", 21));
  EXPECT_EQ(plain.OnChallenge(""), Step::kMalformed) << "asked for more than there is";
  const Credentials oauth{"someuser@example.com", {}, "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"};
  ClientExchange token(ClientMechanism::kXoauth2, oauth, random);
  EXPECT_EQ(
      *token.Initial(),
      "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==");
  EXPECT_EQ(token.OnChallenge(B64("{\"status\":\"401\"}")), Step::kRespond);
  EXPECT_EQ(token.response(), "");
}

TEST(ChooseMechanism, TakesTheBestThatIsSafe) {
  const Credentials password{"u", "p", {}};
  const std::vector<std::string> all = {"LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2"};
  EXPECT_EQ(ChooseMechanism(all, password, true), ClientMechanism::kScramSha256);
  const std::vector<std::string> weak = {"LOGIN", "PLAIN", "CRAM-MD5"};
  EXPECT_EQ(ChooseMechanism(weak, password, true), ClientMechanism::kPlain);
  EXPECT_EQ(ChooseMechanism(weak, password, false), ClientMechanism::kCramMd5);
  const std::vector<std::string> plain = {"LOGIN", "PLAIN"};
  EXPECT_EQ(ChooseMechanism(plain, password, false), ClientMechanism::kNone);
  EXPECT_EQ(ChooseMechanism(all, {"u", {}, "token"}, true), ClientMechanism::kXoauth2);
  EXPECT_EQ(ChooseMechanism(all, {"u", {}, "token"}, false), ClientMechanism::kNone);
}

TEST(MechanismSet, NamesAndOffers) {
  const MechanismSet set = {Mechanism::kLogin, Mechanism::kPlain, Mechanism::kScram, Mechanism::kCramMd5};
  EXPECT_EQ(NamesOf(set), " SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN");
  EXPECT_EQ(NamesOf(set.WithoutPasswords()), " SCRAM-SHA-256 CRAM-MD5");
  EXPECT_EQ(ServerMechanism("scram-sha-256"), Mechanism::kScram);
  EXPECT_EQ(ServerMechanism("SCRAM-SHA-1"), Mechanism::kUnknown);
}

TEST(ClientMechanism, OnlyTheOneThatIsWanted) {
  const std::vector<std::string> offered = {"SCRAM-SHA-256", "LOGIN", "PLAIN"};
  Credentials credentials{"ada", "sesame", {}, ClientMechanism::kLogin};
  EXPECT_EQ(ChooseMechanism(offered, credentials, true), ClientMechanism::kLogin);
  EXPECT_EQ(ChooseMechanism(offered, credentials, false), ClientMechanism::kNone);
  credentials.only = ClientMechanism::kCramMd5;
  EXPECT_EQ(ChooseMechanism(offered, credentials, true), ClientMechanism::kNone);
  credentials.only = ClientMechanism::kScramSha256;
  EXPECT_EQ(ChooseMechanism(offered, credentials, false), ClientMechanism::kScramSha256);
  credentials.only = ClientMechanism::kNone;
  EXPECT_EQ(ChooseMechanism(offered, credentials, true), ClientMechanism::kScramSha256);
}

}  // namespace
}  // namespace glasspost::sasl
