// What is recorded is what was said, and other programs read it: tshark, if it is installed.
#include "analysis/live/recorder.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "analysis/live/live_test_support.h"

namespace glasspost::analysis {
namespace {

using namespace live_test;

constexpr Timestamp kSecond = 1'000'000'000;

std::string Output(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  char piece[4096];
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) out.append(piece, n);
  pclose(pipe);
  return out;
}
bool HasTshark() {
  static const bool has = !Output("command -v tshark").empty();
  return has;
}

// What tshark complains of, with all checksums looked at.
std::string Complaints(const std::string& file) {
  return Output("tshark -r " + file +
                " -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -Y '_ws.malformed || ip.checksum.status == 0 || "
                "tcp.checksum.status == 0 || tcp.analysis.flags || tls.alert_message.desc > 0'");
}

struct Ssl {
  explicit Ssl(SSL* s) : ssl(s) { SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())); }
  ~Ssl() { SSL_free(ssl); }
  std::string Sent() const {
    std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl)), '\0');
    if (!out.empty()) BIO_read(SSL_get_wbio(ssl), out.data(), static_cast<int>(out.size()));
    return out;
  }
  void Feed(const std::string& records) const { BIO_write(SSL_get_rbio(ssl), records.data(), static_cast<int>(records.size())); }
  SSL* ssl;
};

// A server with a true TLS session, as net would hear it: what comes in is told before it is read, what goes out when it goes.
class TlsServer {
 public:
  TlsServer(Tap& tap, int version) : tap_(tap) {
    server_context_ = SSL_CTX_new(TLS_server_method());
    client_context_ = SSL_CTX_new(TLS_client_method());
    for (SSL_CTX* c : {server_context_, client_context_}) {
      SSL_CTX_set_min_proto_version(c, version);
      SSL_CTX_set_max_proto_version(c, version);
    }
    MakeCertificate();
    SSL_CTX_set_keylog_callback(
        server_context_, [](const SSL* ssl, const char* line) { static_cast<Tap*>(SSL_get_app_data(ssl))->OnTlsSecrets(line); });
    server_ = std::make_unique<Ssl>(SSL_new(server_context_));
    client_ = std::make_unique<Ssl>(SSL_new(client_context_));
    SSL_set_app_data(server_->ssl, &tap_);
    SSL_set_accept_state(server_->ssl);
    SSL_set_connect_state(client_->ssl);
    SSL_ctrl(client_->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>("mx.example.org"));
  }
  ~TlsServer() {
    server_.reset(), client_.reset();
    SSL_CTX_free(server_context_), SSL_CTX_free(client_context_);
  }

  void Handshake() {
    tap_.OnTlsStart(Now());
    for (int i = 0; i < 10 && !SSL_is_init_finished(server_->ssl); ++i) {
      SSL_do_handshake(client_->ssl);
      const std::string in = client_->Sent();
      if (!in.empty()) tap_.OnRecords(Direction::kToServer, in, Now());
      server_->Feed(in);
      SSL_do_handshake(server_->ssl);
      FromServer();
    }
    ASSERT_TRUE(SSL_is_init_finished(server_->ssl));
    tap_.OnTlsEstablished(Now());
    SSL_do_handshake(client_->ssl);
  }
  void Client(const std::string& text) {
    SSL_write(client_->ssl, text.data(), static_cast<int>(text.size()));
    const std::string in = client_->Sent();
    tap_.OnRecords(Direction::kToServer, in, Now());
    server_->Feed(in);
    tap_.OnOctets(Direction::kToServer, Read(*server_), time_);
  }
  void Server(const std::string& text) {
    SSL_write(server_->ssl, text.data(), static_cast<int>(text.size()));
    tap_.OnOctets(Direction::kToClient, text, Now());
    FromServer();
    Read(*client_);
  }
  Timestamp Now() { return time_ += kSecond / 1000; }

 private:
  void FromServer() {
    const std::string out = server_->Sent();
    if (!out.empty()) tap_.OnRecords(Direction::kToClient, out, Now());
    client_->Feed(out);
  }
  static std::string Read(const Ssl& s) {
    std::string out(16'384, '\0');
    const int n = SSL_read(s.ssl, out.data(), static_cast<int>(out.size()));
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
  void MakeCertificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("mx.example.org"), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(server_context_, certificate);
    SSL_CTX_use_PrivateKey(server_context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  Tap& tap_;
  SSL_CTX* server_context_;
  SSL_CTX* client_context_;
  std::unique_ptr<Ssl> server_, client_;
  Timestamp time_ = kStart + kSecond;
};

std::string DialogueOf(const std::string& events) {
  ConversationHeads heads({1}, Language::kEnglish, {});
  const auto replay = [&](Report& report) {
    EventsReader reader(report);
    EXPECT_TRUE(reader.Feed(events));
    reader.Finish(1);
  };
  replay(heads);
  return TextOf([&](std::FILE* out) {
    DialogueReport report(out, {.language = Language::kEnglish, .style = {}}, heads.heads());
    replay(report);
  });
}

struct Session {
  int version;
  bool at_once;  // TLS from the first octet
  bool v6;
  bool known;  // what is served
};
class WithTls : public ::testing::TestWithParam<Session> {};

Endpoint V6(std::uint8_t last, std::uint16_t port) {
  const std::uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
  return {Address::V6(octets), port};
}

void Speak(Tap& tap, const Session& session) {
  const std::uint16_t port = session.at_once ? 465 : 25;
  session.v6 ? tap.OnConnect(V6(1, 40'000), V6(0x25, port), kStart)
             : tap.OnConnect(kClient, End({198, 51, 100, 25}, port), kStart);
  if (!session.at_once) {
    tap.OnOctets(Direction::kToClient, "220 mx.example.org ESMTP\r\n", kStart + 1);
    tap.OnOctets(Direction::kToServer, "EHLO c.example.net\r\n", kStart + 2);
    tap.OnOctets(Direction::kToClient, "250-mx.example.org\r\n250 STARTTLS\r\n", kStart + 3);
    tap.OnOctets(Direction::kToServer, "STARTTLS\r\n", kStart + 4);
    tap.OnOctets(Direction::kToClient, "220 2.0.0 go\r\n", kStart + 5);
  }
  TlsServer tls(tap, session.version);
  tls.Handshake();
  if (session.at_once) tls.Server("220 mx.example.org ESMTP\r\n");
  tls.Client("EHLO c.example.net\r\n");
  tls.Server("250-mx.example.org\r\n250 AUTH PLAIN\r\n");
  tls.Client("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n");
  tls.Server("235 2.7.0 ok\r\n");
  tls.Client("MAIL FROM:<a@example.net>\r\n");
  tls.Server("250 ok\r\n");
  tls.Client("QUIT\r\n");
  tls.Server("221 bye\r\n");
  tap.OnClose(Closing::kByPeer, tls.Now());
}

TEST_P(WithTls, IsHeardAndRecorded) {
  const Folder folder;
  KeptEvents kept;
  {
    auto recorder = Recorder::Open({.directory = folder.path()});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    LiveTaps taps({.protocol = GetParam().known ? Protocol::kSmtp : Protocol::kUnknown}, {}, &kept, recorder->get());
    Speak(*taps.NewTap(), GetParam());
  }
  const std::string told = DialogueOf(kept.events[1]);
  EXPECT_NE(told.find(GetParam().version == TLS1_3_VERSION ? "version: TLSv1.3" : "version: TLSv1.2"), std::string::npos) << told;
  EXPECT_NE(told.find("server name (SNI): mx.example.org"), std::string::npos) << told;
  EXPECT_NE(told.find("cipher suite: TLS_"), std::string::npos) << told;
  EXPECT_NE(told.find("user \"alice\", password *** (10 octets)"), std::string::npos) << told;
  EXPECT_NE(told.find("235 2.7.0 ok"), std::string::npos) << told;
  EXPECT_NE(told.find("crossed the wire encrypted"), std::string::npos) << told;
  EXPECT_EQ(told.find("cleartext"), std::string::npos) << told;
  EXPECT_EQ(told.find("wonderland"), std::string::npos) << told;
  ASSERT_EQ(kept.heads.size(), 1u);
  EXPECT_EQ(kept.heads[0].protocol, "smtp");
  ASSERT_EQ(folder.Files().size(), 1u);
  const std::string file = folder.Files()[0];
  EXPECT_TRUE(file.ends_with("Z-000001.pcapng")) << file;
  capture::FrameSource source({file});
  capture::FrameBatch batch;
  while (source.Next(batch).value_or(false)) {
  }
  EXPECT_TRUE(source.faults().empty());
  EXPECT_NE(source.tls_secrets().find(GetParam().version == TLS1_3_VERSION ? "CLIENT_TRAFFIC_SECRET_0 " : "CLIENT_RANDOM "),
            std::string::npos);
  if (!HasTshark()) GTEST_SKIP() << "tshark is not installed";
  EXPECT_EQ(Complaints(file), "");
  const std::string commands = Output("tshark -r " + file + " -Y smtp.req -T fields -e smtp.req.command -e smtp.req.parameter");
  EXPECT_NE(commands.find("MAIL\tFROM:<a@example.net>"), std::string::npos) << commands;
  EXPECT_NE(commands.find("AUTH\tPLAIN"), std::string::npos) << commands;
  EXPECT_NE(commands.find("QUIT"), std::string::npos) << commands;
}
INSTANTIATE_TEST_SUITE_P(Sessions, WithTls,
                         ::testing::Values(Session{TLS1_3_VERSION, false, false, true}, Session{TLS1_3_VERSION, true, true, true},
                                           Session{TLS1_2_VERSION, false, true, false},
                                           Session{TLS1_2_VERSION, true, false, false},
                                           Session{TLS1_3_VERSION, true, false, false}));

void SayLines(Tap& tap, std::size_t lines, std::size_t octets = 1000) {
  tap.OnConnect(kClient, End({198, 51, 100, 25}, 25), kStart);
  for (std::size_t i = 0; i < lines; ++i)
    tap.OnOctets(i % 2 == 0 ? Direction::kToClient : Direction::kToServer, "220 " + std::string(octets, 'x') + "\r\n",
                 kStart + static_cast<Timestamp>(i) * kSecond);
}

TEST(Recorder, MakesFilesForTheirOwnerAlone) {
  const Folder folder;
  const std::string directory = folder.path() + "/sessions";
  {
    auto recorder = Recorder::Open({.directory = directory});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    LiveTap tap(12, nullptr, {}, (*recorder)->NewRecording(12));
    SayLines(tap, 2);
  }
  struct stat status {};
  ASSERT_EQ(stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  const std::string file = directory + "/20261118T110640.000000Z-000012.pcapng";
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(Recorder, SaysWhereItCannot) {
  const auto recorder = Recorder::Open({.directory = "/dev/null"});
  ASSERT_FALSE(recorder);
  EXPECT_EQ(recorder.error().where, "/dev/null");
}

// Large runs of octets, both ways, every way to end: nothing to complain of.
TEST(Recorder, OtherProgramsHaveNothingToComplainOf) {
  if (!HasTshark()) GTEST_SKIP() << "tshark is not installed";
  for (const Closing how : {Closing::kByUs, Closing::kByPeer, Closing::kReset, Closing::kTimedOut}) {
    const Folder folder;
    {
      auto recorder = Recorder::Open({.directory = folder.path()});
      ASSERT_TRUE(recorder) << recorder.error().Text();
      LiveTap tap(1, nullptr, {}, (*recorder)->NewRecording(1));
      tap.OnConnect(kClient, End({198, 51, 100, 25}, 25), kStart);
      tap.OnOctets(Direction::kToClient, "220 mx ESMTP\r\n", kStart + 1);
      tap.OnOctets(Direction::kToServer, "NOOP " + std::string(200'000, 'x') + "\r\n", kStart + 2);
      tap.OnOctets(Direction::kToClient, "500 no\r\n", kStart + 3);
      tap.OnClose(how, kStart + 4);
    }
    const std::string file = folder.Files().at(0);
    EXPECT_EQ(Complaints(file), "") << static_cast<int>(how);
    EXPECT_NE(Output("tshark -r " + file + " -Y 'smtp.response.code == 500'"), "");
  }
}

// The true octets of a direction, and how many of them are missing.
std::pair<std::string, std::uint64_t> OctetsOf(const std::string& file, const std::string& direction) {
  const std::string json = CaptureJson({file}, {});
  std::uint64_t missing = 0;
  const std::regex gap("\"direction\":\"" + direction + "\",\"offset\":[0-9]+,\"length\":([0-9]+)");
  for (std::sregex_iterator at(json.begin(), json.end(), gap), end; at != end; ++at) missing += std::stoull((*at)[1]);
  return {json, missing};
}

TEST(Recorder, SessionsLimitIsAGap) {
  for (const bool beyond : {false, true}) {
    const Folder folder;
    RecorderFigures figures;
    std::vector<LostOctets> lost;
    {
      auto recorder = Recorder::Open({.directory = folder.path(), .session_octets = beyond ? 3999u : 4000u});
      ASSERT_TRUE(recorder) << recorder.error().Text();
      {
        LiveTap tap(12, nullptr, {}, (*recorder)->NewRecording(12));
        SayLines(tap, 4, 994);
        tap.OnClose(Closing::kByUs, kStart + 10 * kSecond);
      }
      while ((*recorder)->figures().sessions == 0) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      figures = (*recorder)->figures();
      lost = (*recorder)->TakeLosses(5).sessions;
    }
    EXPECT_EQ(figures.dropped_octets, beyond ? 1000u : 0u);
    const auto [json, missing] = OctetsOf(folder.Files().at(0), "to_server");
    EXPECT_EQ(missing, beyond ? 1000u : 0u) << json;
    ASSERT_EQ(lost.size(), beyond ? 1u : 0u);
    if (beyond) {
      EXPECT_EQ(std::tuple(lost[0].session, lost[0].octets, lost[0].why), std::tuple(12, 1000, RecordingLoss::kSession));
    }
  }
}

TEST(Recorder, AFileThatCannotBeWrittenIsALossOfItsSession) {
  const Folder folder;
  const std::string directory = folder.path() + "/sessions";
  auto recorder = Recorder::Open({.directory = directory});
  ASSERT_TRUE(recorder) << recorder.error().Text();
  ASSERT_EQ(rmdir(directory.c_str()), 0);
  LiveTap tap(5, nullptr, {}, (*recorder)->NewRecording(5));
  SayLines(tap, 2, 994);
  tap.OnClose(Closing::kByUs, kStart + 10 * kSecond);
  while ((*recorder)->figures().failures == 0) std::this_thread::yield();
  std::vector<LostOctets> lost;
  for (int i = 0; i < 500 && lost.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    lost = (*recorder)->TakeLosses(5).sessions;
  }
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(std::tuple(lost[0].session, lost[0].octets, lost[0].why, lost[0].error),
            std::tuple(5, 2000, RecordingLoss::kFile, ENOENT));
  EXPECT_EQ((*recorder)->figures().dropped_octets, 2000u);
}

TEST(Recorder, FullQueueIsAGap) {
  const Folder folder;
  {
    auto recorder = Recorder::Open({.directory = folder.path(), .queue_octets = 1000});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    LiveTap tap(1, nullptr, {}, (*recorder)->NewRecording(1));
    tap.OnConnect(kClient, End({198, 51, 100, 25}, 25), kStart);
    tap.OnOctets(Direction::kToClient, "220 mx ESMTP\r\n", kStart + 1);
    tap.OnOctets(Direction::kToServer, "NOOP " + std::string(2000, 'x') + "\r\n", kStart + 2);
    tap.OnClose(Closing::kByUs, kStart + 4);
    EXPECT_EQ((*recorder)->figures().dropped_octets, 2007u);
  }
  EXPECT_EQ(OctetsOf(folder.Files().at(0), "to_server").second, 2007u);
}

TEST(Recorder, FullQueueTakesNoSession) {
  const Folder folder;
  auto recorder = Recorder::Open({.directory = folder.path(), .queue_octets = 10});
  ASSERT_TRUE(recorder) << recorder.error().Text();
  {
    LiveTap tap(1, nullptr, {}, (*recorder)->NewRecording(1));
    SayLines(tap, 3);
  }
  EXPECT_EQ((*recorder)->figures().unrecorded, 1u);
  const auto lost = (*recorder)->TakeLosses(5).sessions;
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(std::tuple(lost[0].session, lost[0].why), std::tuple(1, RecordingLoss::kQueue));
  recorder->reset();
  EXPECT_TRUE(folder.Files().empty());
}

TEST(Recorder, RemovesItsOldestFilesOnly) {
  const Folder folder;
  const std::string other = folder.path() + "/0.pcapng", old = folder.path() + "/20200101T000000.000000Z-000001.pcapng";
  for (const std::string& path : {other, old}) std::ofstream(path) << "x";
  std::uint64_t removed = 0;
  {
    auto recorder = Recorder::Open({.directory = folder.path(), .files = 3});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    for (std::uint64_t n = 1; n <= 5; ++n) {
      LiveTap tap(n, nullptr, {}, (*recorder)->NewRecording(n));
      SayLines(tap, 2);
    }
    while ((*recorder)->figures().sessions < 5) std::this_thread::yield();
    removed = (*recorder)->figures().files_removed;
  }
  EXPECT_EQ(removed, 3u);
  const auto files = folder.Files();
  ASSERT_EQ(files.size(), 4u);
  EXPECT_EQ(files[0], other);
  EXPECT_TRUE(files[1].ends_with("-000003.pcapng")) << files[1];
}

TEST(Recorder, KeepsTheDirectorysOctets) {
  const Folder folder;
  constexpr std::uint64_t kOctets = 100'000;
  {
    auto recorder = Recorder::Open({.directory = folder.path(), .octets = kOctets});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    for (std::uint64_t n = 1; n <= 40; ++n) {
      LiveTap tap(n, nullptr, {}, (*recorder)->NewRecording(n));
      SayLines(tap, 10);
      tap.OnClose(Closing::kByUs, kStart + 100 * kSecond);
    }
  }
  std::uint64_t octets = 0;
  for (const std::string& file : folder.Files()) octets += std::filesystem::file_size(file);
  EXPECT_GT(octets, kOctets / 2);
  EXPECT_LE(octets, kOctets + 4096);
}

// Sessions of many threads, and a session that never ends.
TEST(Recorder, HearsManyAtOnce) {
  const Folder folder;
  {
    auto recorder = Recorder::Open({.directory = folder.path()});
    ASSERT_TRUE(recorder) << recorder.error().Text();
    auto open = (*recorder)->NewRecording((*recorder)->NextNumber());
    open->OnConnect(kClient, End({198, 51, 100, 25}, 25), kStart);
    open->OnOctets(Direction::kToClient, "220 mx.example.org ESMTP\r\n", kStart + 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        LiveTaps taps({}, {}, nullptr, recorder->get());
        for (int i = 0; i < 25; ++i) SayLines(*taps.NewTap(), 20);
      });
    }
    for (std::thread& t : threads) t.join();
  }
  EXPECT_EQ(folder.Files().size(), 101u);
  for (const std::string& file : folder.Files()) {
    capture::FrameSource source({file});
    capture::FrameBatch batch;
    while (source.Next(batch).value_or(false)) {
    }
    EXPECT_TRUE(source.faults().empty()) << file;
    EXPECT_GE(source.frames(), 5u) << file;
  }
}

}  // namespace
}  // namespace glasspost::analysis
