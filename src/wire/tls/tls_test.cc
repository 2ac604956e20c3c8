// TLS made by hand: what is recognised, what is told of a handshake, and what lies about itself.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <functional>
#include <memory>

#include "wire/tls/dissect.h"
#include "wire/tls/observer.h"

namespace glasspost::tls {
namespace {

using namespace std::string_literals;

std::string U(std::size_t octets, std::size_t v) {
  std::string s;
  for (std::size_t i = octets; i-- > 0;) s.push_back(static_cast<char>(v >> (8 * i)));
  return s;
}
std::string Vec(std::size_t octets, const std::string& body) { return U(octets, body.size()) + body; }
std::string Record(int type, const std::string& body, int version = 0x0303) {
  return U(1, static_cast<std::size_t>(type)) + U(2, static_cast<std::size_t>(version)) + Vec(2, body);
}
std::string Message(int type, const std::string& body) { return U(1, static_cast<std::size_t>(type)) + Vec(3, body); }
std::string Extension(int type, const std::string& body) { return U(2, static_cast<std::size_t>(type)) + Vec(2, body); }

std::string ClientHelloMessage(const std::string& extensions,
                               const std::string& suites = U(2, 0x2a2a) + U(2, 0x1302) + U(2, 0xc030)) {
  return Message(1,
                 U(2, 0x0303) + std::string(32, 'r') + Vec(1, "session") + Vec(2, suites) + Vec(1, "\0"s) + Vec(2, extensions));
}
std::string ServerName(const std::string& name) { return Extension(0, Vec(2, "\0"s + Vec(2, name))); }
std::string Alpn(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& n : names) list += Vec(1, n);
  return Extension(16, Vec(2, list));
}
std::string FullHello() {
  return ClientHelloMessage(ServerName("mail.example.org") + Alpn({"\x5a\x5a", "smtp", "h2"}) +
                            Extension(43, Vec(1, U(2, 0xfafa) + U(2, 0x0304) + U(2, 0x0303))) + Extension(0x1a1a, ""));
}
std::string ServerHelloMessage(int version, int suite, const std::string& extensions,
                               const std::string& random = std::string(32, 'R')) {
  return Message(2, U(2, static_cast<std::size_t>(version)) + random + Vec(1, "") + U(2, static_cast<std::size_t>(suite)) +
                        U(1, 0) + (extensions.empty() ? "" : Vec(2, extensions)));
}
std::string ServerHello13() { return ServerHelloMessage(0x0303, 0x1302, Extension(43, U(2, 0x0304))); }
std::string ServerHello12() { return ServerHelloMessage(0x0303, 0xc030, Alpn({"smtp"})); }

std::string MakeCertificate(const char* common_name, const char* names, const char* until) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> x(X509_new(), X509_free);
  X509_set_version(x.get(), 2);
  ASN1_TIME_set_string(X509_getm_notBefore(x.get()), "20240101000000Z");
  ASN1_TIME_set_string(X509_getm_notAfter(x.get()), until);
  X509_set_pubkey(x.get(), key.get());
  X509_NAME* name = X509_get_subject_name(x.get());
  const auto add = [&](const char* type, const char* text) {
    X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  add("O", "邮件");
  add("CN", common_name);
  X509_set_issuer_name(x.get(), name);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
  X509_add_ext(x.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(x.get(), key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int n = i2d_X509(x.get(), &der);
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(n));
  OPENSSL_free(der);
  return out;
}

struct Sink : TlsSink {
  std::string plain[2];
  int gaps = 0, encrypted = 0;
  std::vector<std::string> findings;
  void OnPlainOctets(Direction d, Octets o, const Origin&) override { plain[Index(d)] += o; }
  void OnPlainGap(Direction, const Origin&) override { ++gaps; }
  void OnEncrypted(const Origin&) override { ++encrypted; }
  void OnFinding(const Finding& f) override { findings.push_back(f.detail); }
};

constexpr Direction kC = Direction::kToServer;
constexpr Direction kS = Direction::kToClient;
struct Piece {
  Direction direction;
  std::string octets;
};

std::string Told(const TlsInfo& i) {
  std::string t = i.version + "|" + i.cipher + "|" + i.sni + "|" + i.alpn_chosen + "|" + i.alert + "|";
  for (const auto& a : i.alpn) t += a + ",";
  for (const auto& v : i.versions_offered) t += v + ",";
  for (const auto& c : i.certificates) t += c.subject + "/" + c.issuer + "/" + std::to_string(c.not_after) + ",";
  for (const bool b : {i.client_hello_seen, i.server_hello_seen, i.retried, i.encrypted, i.malformed, i.swapped})
    t += b ? '1' : '0';
  return t + std::to_string(i.records);
}

TlsInfo Observe(const std::vector<Piece>& pieces, std::size_t chunk = 0, Sink* sink = nullptr, const TlsLimits& limits = {}) {
  TlsObserver observer(sink, nullptr, limits);
  Timestamp t = 1000;
  for (const Piece& p : pieces)
    for (std::size_t at = 0; at < p.octets.size(); at += chunk == 0 ? p.octets.size() : chunk)
      observer.OnOctets(p.direction, Octets(p.octets).substr(at, chunk == 0 ? Octets::npos : chunk), Origin{1, t++});
  observer.OnEnd(Origin{2, t}, false);
  return observer.info();
}

TEST(Tls, IsRecognisedInRecordsThatAreShorterThanAMessagesHeader) {
  const std::string hello = FullHello();
  for (const std::size_t each : {1u, 2u, 3u}) {
    std::string records;
    for (std::size_t at = 0; at < hello.size(); at += each) records += Record(22, hello.substr(at, each), 0x0301);
    const std::size_t enough = kRecordHeader + each + 3;
    for (std::size_t n = 0; n <= enough; ++n)
      EXPECT_EQ(LooksLikeTls(Octets(records).substr(0, n)), n < enough ? Likeness::kMore : Likeness::kYes) << each << " " << n;
    EXPECT_LE(enough, kEnoughToTell);
    const TlsInfo info = Observe({{Direction::kToServer, records}});
    EXPECT_TRUE(info.client_hello_seen && !info.malformed) << each;
    records[kRecordHeader + each] = 23;  // what follows is no handshake
    EXPECT_EQ(LooksLikeTls(records), Likeness::kNo);
  }
  EXPECT_EQ(LooksLikeTls(Record(22, "", 0x0301)), Likeness::kNo);
}

TEST(Tls, IsRecognisedByItsFirstOctets) {
  const std::string hello = Record(22, FullHello(), 0x0301);
  for (std::size_t n = 0; n < hello.size(); ++n)
    EXPECT_EQ(LooksLikeTls(Octets(hello).substr(0, n)), n < 7 ? Likeness::kMore : Likeness::kYes) << n;
  EXPECT_EQ(LooksLikeTls(Record(22, ServerHello12())), Likeness::kYes);
  EXPECT_EQ(LooksLikeTls(Record(21, "\x02\x28")), Likeness::kYes);
  for (const std::string& no :
       {"220 mail ESMTP\r\n"s, "EHLO x\r\n"s, "* OK IMAP\r\n"s, "\x16\x02\x01\x00\x40\x01\x00"s, "\x16\x03\x05\x00\x40\x01\x00"s,
        "\x16\x03\x01\xff\xff\x01\x00"s, "\x16\x03\x01\x00\x40\x05\x00"s, "\x16\x03\x01\x00\x40\x01\x09"s,
        "\x16\x03\x01\x00\x03\x01\x00\x00\x17"s, "\x15\x03\x01\x00\x02\x07\x00"s, "\x17\x03\x03\x00\x20"s, "\x80\x2e\x02"s})
    EXPECT_EQ(LooksLikeTls(no), Likeness::kNo) << no;
}

std::string Ssl2Hello() {
  const std::string body =
      "\x01"s + U(2, 0x0301) + U(2, 6) + U(2, 0) + U(2, 16) + "\x00\x00\x2f\x01\x00\x80"s + std::string(16, 'c');
  return U(2, 0x8000 | body.size()) + body;
}

TEST(Tls, Ssl2HelloIsRecognisedAndTold) {
  const std::string hello = Ssl2Hello();
  EXPECT_EQ(LooksLikeTls(hello), Likeness::kYes);
  EXPECT_EQ(LooksLikeTls(Octets(hello).substr(0, 10)), Likeness::kMore);
  for (const std::size_t chunk : {0, 1, 3, 11}) {
    const TlsInfo i = Observe({{kC, hello}, {kS, Record(22, ServerHello12())}}, static_cast<std::size_t>(chunk));
    EXPECT_TRUE(i.client_hello_seen && i.ssl2_hello && i.server_hello_seen && !i.malformed);
    EXPECT_EQ(i.versions_offered, std::vector<std::string>{"TLSv1.0"});
    EXPECT_EQ(i.suites_offered, std::vector<std::uint16_t>{0x002f});
  }
  std::string lies = hello;
  lies[6] = 7;  // suites are no longer threes
  EXPECT_EQ(LooksLikeTls(lies), Likeness::kNo);
}

TEST(Tls, Version13IsToldAsFarAsItIsInTheClear) {
  const std::vector<Piece> dialogue = {{kC, Record(22, FullHello(), 0x0301)},
                                       {kS, Record(22, ServerHello13()) + Record(20, "\x01") + Record(23, std::string(900, 'x'))},
                                       {kC, Record(20, "\x01") + Record(23, std::string(80, 'y'))}};
  Sink sink;
  const TlsInfo i = Observe(dialogue, 0, &sink);
  EXPECT_EQ(i.start, 1000);
  EXPECT_EQ(i.version, "TLSv1.3");
  EXPECT_EQ(i.cipher, "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(i.sni, "mail.example.org");
  EXPECT_EQ(i.alpn, (std::vector<std::string>{"smtp", "h2"}));
  EXPECT_EQ(i.versions_offered, (std::vector<std::string>{"TLSv1.3", "TLSv1.2"}));
  EXPECT_EQ(i.suites_offered, (std::vector<std::uint16_t>{0x1302, 0xc030}));
  EXPECT_TRUE(i.encrypted && !i.malformed && !i.swapped);
  EXPECT_EQ(i.records, 6u);
  EXPECT_EQ(sink.encrypted, 1);
  for (std::size_t chunk = 1; chunk < 40; ++chunk) EXPECT_EQ(Told(Observe(dialogue, chunk)), Told(i)) << chunk;
}

std::vector<Piece> Dialogue12(std::size_t fragment) {
  const std::string leaf = MakeCertificate(
      "mail.example.org", "DNS:mail.example.org,DNS:*.example.org,IP:192.0.2.1,IP:2001:db8::7", "99991231235959Z");
  const std::string root = MakeCertificate("Root", "email:ca@example.org", "20300101000000Z");
  const std::string messages = ServerHello12() + Message(11, Vec(3, Vec(3, leaf) + Vec(3, root))) + Message(14, "");
  std::string flight;
  for (std::size_t at = 0; at < messages.size(); at += fragment) flight += Record(22, messages.substr(at, fragment));
  return {
      {kC, Record(22, FullHello(), 0x0301)},
      {kS, flight},
      {kC, Record(22, Message(16, "key")) + Record(20, "\x01") + Record(22, "\xf0 encrypted finished")},
      {kS, Record(20, "\x01") + Record(22, "\x99 encrypted finished") + Record(23, "data") + Record(21, "\x01\x00 and more")}};
}

TEST(Tls, Version12TellsItsCertificates) {
  const auto dialogue = Dialogue12(16384);
  const TlsInfo i = Observe(dialogue);
  EXPECT_EQ(i.version, "TLSv1.2");
  EXPECT_EQ(i.cipher, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
  EXPECT_EQ(i.alpn_chosen, "smtp");
  ASSERT_EQ(i.certificates.size(), 2u);
  EXPECT_EQ(i.certificates[0].subject, "CN=mail.example.org,O=邮件");
  EXPECT_EQ(i.certificates[0].common_name, "mail.example.org");
  EXPECT_EQ(i.certificates[0].issuer, "CN=mail.example.org,O=邮件");
  EXPECT_EQ(i.certificates[0].names,
            (std::vector<std::string>{"mail.example.org", "*.example.org", "192.0.2.1", "2001:db8:0:0:0:0:0:7"}));
  EXPECT_EQ(i.certificates[0].not_before, 1704067200);
  EXPECT_EQ(i.certificates[0].not_after, 253402300799);
  EXPECT_EQ(i.certificates[1].names, std::vector<std::string>{"ca@example.org"});
  EXPECT_TRUE(i.encrypted && !i.malformed);
  EXPECT_EQ(i.alert, "");
  for (const std::size_t chunk : {1, 2, 5, 7, 100, 1461}) EXPECT_EQ(Told(Observe(dialogue, chunk)), Told(i)) << chunk;
  for (const std::size_t fragment : {1, 3, 4, 5, 64, 700}) {
    const auto fragmented = Dialogue12(fragment);
    const TlsInfo f = Observe(fragmented, 1000);
    ASSERT_EQ(f.certificates.size(), 2u) << fragment;
    EXPECT_EQ(f.certificates[0].names, i.certificates[0].names);
    EXPECT_FALSE(f.malformed);
  }
}

TEST(Tls, EveryTwoWaySplitTellsTheSame) {
  std::string server = Record(22, ServerHello13()) + Record(23, "abc");
  const std::string client = Record(22, FullHello());
  const std::string want = Told(Observe({{kC, client}, {kS, server}}));
  for (std::size_t n = 1; n < client.size(); ++n)
    EXPECT_EQ(Told(Observe({{kC, client.substr(0, n)}, {kC, client.substr(n)}, {kS, server}})), want) << n;
  for (std::size_t n = 1; n < server.size(); ++n)
    EXPECT_EQ(Told(Observe({{kC, client}, {kS, server.substr(0, n)}, {kS, server.substr(n)}})), want) << n;
}

TEST(Tls, SidesAreDecidedByTheClientHello) {
  const TlsInfo i = Observe({{kS, Record(22, FullHello())}, {kC, Record(22, ServerHello13()) + Record(21, "\x02\x28")}});
  EXPECT_TRUE(i.swapped);
  EXPECT_EQ(i.version, "TLSv1.3");
}

TEST(Tls, RetryIsNoServerHello) {
  const std::string retry(reinterpret_cast<const char*>(kRetryRandom), sizeof kRetryRandom);
  TlsInfo i =
      Observe({{kC, Record(22, FullHello())},
               {kS, Record(22, ServerHelloMessage(0x0303, 0x1301, Extension(43, U(2, 0x0304)), retry)) + Record(20, "\x01")},
               {kC, Record(20, "\x01") + Record(22, FullHello())}});
  EXPECT_TRUE(i.retried && !i.server_hello_seen && !i.malformed);
  i = Observe({{kC, Record(22, FullHello())},
               {kS, Record(22, ServerHelloMessage(0x0303, 0x1301, Extension(43, U(2, 0x0304)), retry)) + Record(20, "\x01")},
               {kC, Record(20, "\x01") + Record(22, FullHello())},
               {kS, Record(22, ServerHello13()) + Record(23, "x")}});
  EXPECT_TRUE(i.retried && i.server_hello_seen && !i.malformed);
  EXPECT_EQ(i.cipher, "TLS_AES_256_GCM_SHA384");
}

TEST(Tls, AlertsAreNamed) {
  EXPECT_EQ(Observe({{kC, Record(22, FullHello())}, {kS, Record(21, "\x02\x28")}}).alert, "fatal handshake_failure");
  EXPECT_EQ(Observe({{kC, Record(22, FullHello())}, {kS, Record(21, "\x02\xfe")}}).alert, "fatal 254");
  EXPECT_EQ(Observe({{kC, Record(22, FullHello())}, {kS, Record(21, "\x01\x70") + Record(21, "\x02\x46")}}).alert,
            "fatal protocol_version");
}

TEST(Tls, LiesAreMalformedAndNothingIsInvented) {
  // Each length of the ClientHello, made one too long.
  const std::string hello = FullHello();
  for (const std::size_t at : {38u, 46u, 54u, 56u, 60u, 62u, 65u}) {
    std::string lie = hello;
    lie[at] = static_cast<char>(0x7f);
    Sink sink;
    const TlsInfo i = Observe({{kC, Record(22, lie)}}, 0, &sink);
    EXPECT_TRUE(i.client_hello_seen) << at;
    EXPECT_TRUE(i.malformed) << at;
  }
  // Every truncation of the hello within a message whose own length is right.
  const std::string body = hello.substr(4);
  for (std::size_t n = 0; n < body.size(); ++n) {
    ClientHello h;
    NoFields none;
    // A hello without extensions is whole (RFC 5246): just before the block's length.
    const std::size_t without = 2 + 32 + 8 + 8 + 2;
    EXPECT_EQ(ParseClientHello(AsBytes(body).first(n), 0, h, none), n == without) << n;
  }
  EXPECT_TRUE(Observe({{kC, Record(22, "\x63\x00\x00\x01x"s)}}).malformed);
  EXPECT_TRUE(Observe({{kC, Record(22, FullHello()) + "no record here"}}).malformed);
  Sink sink;
  const TlsInfo i = Observe({{kC, Record(22, FullHello())}, {kS, Record(22, Message(11, Vec(3, Vec(3, "no DER"))))}}, 0, &sink);
  EXPECT_TRUE(i.malformed && i.certificates.empty());
  EXPECT_EQ(sink.findings, std::vector<std::string>{"X.509 certificate"});
}

TEST(Tls, LimitsHold) {
  TlsLimits limits;
  const std::string hello = FullHello();
  limits.handshake_message = hello.size() - 4;
  EXPECT_TRUE(Observe({{kC, Record(22, hello)}}, 0, nullptr, limits).client_hello_seen);
  limits.handshake_message = hello.size() - 5;
  for (const std::size_t chunk : {0, 1, 7}) {
    const TlsInfo i = Observe({{kC, Record(22, hello) + Record(22, Message(16, ""))}, {kS, Record(22, ServerHello12())}},
                              static_cast<std::size_t>(chunk), nullptr, limits);
    EXPECT_TRUE(!i.client_hello_seen && i.server_hello_seen && !i.malformed);
  }
  limits = {};
  limits.certificates = 1;
  EXPECT_EQ(Observe(Dialogue12(16384), 0, nullptr, limits).certificates.size(), 1u);
  RecordHeader h;
  EXPECT_TRUE(ParseRecordHeader(AsBytes("\x17\x03\x03"s + U(2, kMaxRecordBody)), h));
  EXPECT_FALSE(ParseRecordHeader(AsBytes("\x17\x03\x03"s + U(2, kMaxRecordBody + 1)), h));
  std::string names;
  for (int n = 0; n < 40; ++n) names += Vec(1, "p" + std::to_string(n));
  EXPECT_EQ(Observe({{kC, Record(22, ClientHelloMessage(Extension(16, Vec(2, names))))}}).alpn.size(), kMaxAlpn);
  EXPECT_EQ(Observe({{kC, Record(22, ClientHelloMessage(ServerName(std::string(256, 'n'))))}}).sni.size(), kMaxServerName);
  EXPECT_EQ(Observe({{kC, Record(22, ClientHelloMessage("", std::string(2 * 513, '\x01')))}}).suites_offered.size(), kMaxSuites);
  TlsLimits few;
  few.handshake_messages = 1;
  EXPECT_FALSE(Observe({{kS, Record(22, Message(0, "") + ServerHello12())}}, 0, nullptr, few).server_hello_seen);
  few.handshake_messages = 2;
  EXPECT_TRUE(Observe({{kS, Record(22, Message(0, "") + ServerHello12())}}, 0, nullptr, few).server_hello_seen);
}

TEST(Tls, NamesOfACertificateAreBounded) {
  for (const std::size_t n : {kMaxCertificateNames, kMaxCertificateNames + 1}) {
    std::string names;
    for (std::size_t i = 0; i < n; ++i) names += (i > 0 ? ",DNS:" : "DNS:") + std::to_string(i);
    CertificateInfo info;
    ASSERT_TRUE(ParseCertificate(AsBytes(MakeCertificate("many", names.c_str(), "20300101000000Z")), info));
    EXPECT_EQ(info.names.size(), kMaxCertificateNames);
    EXPECT_EQ(info.names.back(), std::to_string(kMaxCertificateNames - 1));
  }
  std::string versions;
  for (std::size_t i = 0; i <= kMaxVersions; ++i) versions += U(2, 0x0301);
  EXPECT_EQ(Observe({{kC, Record(22, ClientHelloMessage(Extension(43, Vec(1, versions))))}}).versions_offered.size(),
            kMaxVersions);
}

TEST(Tls, GapInsideARecordCostsThatRecordOnly) {
  const std::string hello = Record(22, FullHello());
  TlsObserver observer;
  observer.OnOctets(kC, Octets(hello).substr(0, 20), Origin{1, 1});
  observer.OnGap(kC, 30, Origin{2, 2});
  observer.OnOctets(kC, Octets(hello).substr(50), Origin{3, 3});
  EXPECT_FALSE(observer.info().client_hello_seen);
  observer.OnOctets(kC, hello, Origin{4, 4});
  EXPECT_TRUE(observer.info().client_hello_seen);
  // A gap over a header: taken up at the next input that begins like a record.
  observer.OnGap(kS, 10, Origin{5, 5});
  observer.OnOctets(kS, "the middle of something", Origin{6, 6});
  observer.OnOctets(kS, Record(22, ServerHello12()), Origin{7, 7});
  EXPECT_TRUE(observer.info().server_hello_seen);
  EXPECT_FALSE(observer.info().malformed);
}

struct Reverser : Decryptor {
  std::string out;
  std::vector<std::pair<Direction, std::size_t>> records;
  int lost = 0;
  Octets OnRecord(Direction d, Octets record, const Origin&) override {
    records.emplace_back(d, record.size());
    if (record[0] != 23) return {};
    out.assign(record.rbegin(), record.rend() - 5);
    return out;
  }
  void OnLostRecord(Direction, bool) override { ++lost; }
};

TEST(Tls, DecryptorGetsEveryRecordAndGivesPlainOctets) {
  for (const std::size_t chunk : {1, 4, 1000}) {
    Sink sink;
    Reverser reverser;
    TlsObserver observer(&sink, &reverser);
    const std::string server = Record(22, FullHello()) + Record(20, "\x01") + Record(23, "OLHE") + Record(23, "\n\r");
    for (std::size_t at = 0; at < server.size(); at += chunk)
      observer.OnOctets(kS, Octets(server).substr(at, chunk), Origin{1, 1});
    EXPECT_EQ(sink.plain[Index(kS)], "EHLO\r\n");
    EXPECT_EQ(reverser.records.size(), 4u);
    EXPECT_EQ(reverser.records[3], (std::pair{kC, std::size_t{7}}));  // by role: the ClientHello decided
    EXPECT_TRUE(observer.info().decrypted);
    observer.OnGap(kS, 3, Origin{2, 2});
    EXPECT_EQ(reverser.lost, 1);
    EXPECT_EQ(sink.gaps, 1);
  }
}

TEST(Tls, NumbersHaveTheRegistrysNames) {
  EXPECT_EQ(CipherName(0x1301), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(CipherName(0x002f), "TLS_RSA_WITH_AES_128_CBC_SHA");
  EXPECT_EQ(CipherName(0xc02b), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(CipherName(0xcca8), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(CipherName(0x0a0a), "0x0a0a");
  EXPECT_EQ(VersionName(0x0300), "SSLv3");
  EXPECT_EQ(VersionName(0x7f1c), "TLSv1.3-draft28");
  EXPECT_EQ(VersionName(0xfb1a), "TLSv1.3-fb26");
  EXPECT_TRUE(IsGrease(0xdada));
  EXPECT_FALSE(IsGrease(0x0a1a));
}

struct Fields {
  static constexpr bool kWanted = true;
  std::vector<std::pair<Field, OctetRange>> got;
  std::vector<std::string> texts;
  void operator()(Field f, OctetRange r, const FieldValue& v) {
    got.emplace_back(f, r);
    if (const auto* text = std::get_if<Octets>(&v)) texts.emplace_back(*text);
  }
};

TEST(Tls, FieldsPointAtTheirOctets) {
  const std::string frame = "14 octets head" + Record(22, FullHello()) + Record(23, "abc") + "\x17\x03"s;
  Fields fields;
  const std::size_t taken = DissectRecords(AsBytes(frame).subspan(14), 14, false, fields);
  EXPECT_EQ(taken, frame.size() - 14 - 2);
  EXPECT_EQ(fields.texts, (std::vector<std::string>{"mail.example.org", "\x5a\x5a", "smtp", "h2"}));
  for (const auto& [field, range] : fields.got) {
    ASSERT_LE(range.offset + range.length, frame.size());
    if (field == Field::kTlsHandshakeServerName) {
      EXPECT_EQ(frame.substr(range.offset, range.length), "mail.example.org");
    }
    if (field == Field::kTlsAppData) {
      EXPECT_EQ(frame.substr(range.offset, range.length), "abc");
    }
    if (field == Field::kTlsHandshakeRandom) {
      EXPECT_EQ(frame.substr(range.offset, range.length), std::string(32, 'r'));
    }
  }
}

}  // namespace
}  // namespace glasspost::tls
