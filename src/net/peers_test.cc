// Real programs as peers on loopback: openssl s_client and s_server, Python's ssl.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <thread>

#include "net/test_support.h"
#include "support/known_randomness.h"
#include "wire/pop3/server_session.h"
#include "wire/pop3/test_handler.h"

namespace glasspost::net {
namespace {

using namespace test;

// Runs a shell command on a thread and gives what it wrote and its status.
class Command {
 public:
  explicit Command(const std::string& command) {
    thread_ = std::jthread([this, command] {
      FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
      if (!pipe) return;
      std::array<char, 4096> room;
      for (std::size_t n = 0; (n = fread(room.data(), 1, room.size(), pipe)) > 0;) output_.append(room.data(), n);
      status_ = pclose(pipe);
    });
  }
  std::string Output() {
    thread_.join();
    return output_;
  }
  int exit_status() const { return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1; }

 private:
  std::string output_;
  int status_ = -1;
  std::jthread thread_;
};

bool Has(const std::string& program) { return std::system(("command -v " + program + " >/dev/null").c_str()) == 0; }

// A POP3 server of few words: enough for STLS and QUIT.
Task<void> Serve(Stream& s, std::shared_ptr<const TlsContext> tls, bool implicit) {
  if (implicit && co_await s.StartTls(tls, "", 5s) != IoStatus::kOk) co_return;
  co_await s.Write("+OK ready\r\n", 5s);
  std::string line;
  while (true) {
    const ReadResult in = co_await s.Read(5s);
    if (in.status != IoStatus::kOk) break;
    line += in.octets;
    const std::size_t end = line.find("\n");
    if (end == std::string::npos) continue;
    const std::string command = line.substr(0, end);
    line.erase(0, end + 1);
    if (command.starts_with("STLS")) {
      co_await s.Write("+OK\r\n", 5s);
      line.clear();
      if (co_await s.StartTls(tls, "", 5s) != IoStatus::kOk) break;
    } else if (command.starts_with("QUIT")) {
      co_await s.Write("+OK bye\r\n", 5s);
      break;
    } else if (command.starts_with("CAPA")) {
      co_await s.Write("+OK\r\nSTLS\r\n.\r\n", 5s);
    } else {
      co_await s.Write("+OK you said " + command + "\r\n", 5s);
    }
  }
  co_await s.Close(2s);
}

class Peers : public ::testing::Test {
 public:  // its coroutines are no members
  Peers() : files_(MakePair(folder_, "mx.test")) {
    auto made = TlsContext::ForServer({.pairs = {files_}, .alpn = {"pop3"}});
    EXPECT_TRUE(made);
    tls_ = *made;
    port_ = std::to_string(acceptor_.local_endpoint().port());
  }
  // Serves one connection of the command.
  std::string ServeOne(const std::string& command, bool implicit) {
    Command peer(command);
    net_.Run([](Peers& t, bool i) -> Task<void> {
      auto [error, socket] = co_await t.acceptor_.async_accept(kAwait);
      if (error) co_return;
      Stream stream(std::move(socket), Side::kServer, t.net_.deadlines);
      co_await Serve(stream, t.tls_, i);
      if (const auto info = stream.tls_info()) t.info_ = *info;
    }(*this, implicit));
    std::string output = peer.Output();
    exit_status_ = peer.exit_status();
    return output;
  }
  TemporaryFolder folder_;
  KeyPairFiles files_;
  Net net_;
  Acceptor acceptor_{net_.context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::shared_ptr<const TlsContext> tls_;
  std::string port_;
  TlsInfo info_;
  int exit_status_ = -1;
};

TEST_F(Peers, OpensslSClientOverStls) {
  if (!Has("openssl")) GTEST_SKIP() << "no openssl";
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    const std::string out = ServeOne("printf 'QUIT\\r\\n' | timeout 10 openssl s_client " + version +
                                         " -connect 127.0.0.1:" + port_ + " -starttls pop3 -servername mx.test -CAfile " +
                                         files_.certificate + " -verify_return_error -verify_hostname mx.test -crlf -ign_eof",
                                     false);
    EXPECT_TRUE(out.contains("Verification: OK")) << out;
    EXPECT_TRUE(out.contains("+OK bye")) << out;
    EXPECT_EQ(info_.version, version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(info_.server_name, "mx.test");
  }
}

TEST_F(Peers, OpensslWithLessThanTls12IsRefused) {
  if (!Has("openssl")) GTEST_SKIP() << "no openssl";
  const std::string out =
      ServeOne("timeout 10 openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -connect 127.0.0.1:" + port_ + " </dev/null", true);
  EXPECT_NE(exit_status_, 0);
  EXPECT_TRUE(out.contains("protocol version")) << out;
}

TEST_F(Peers, PythonSslWithAlpn) {
  if (!Has("python3")) GTEST_SKIP() << "no python3";
  const std::string program = folder_ / "peer.py";
  FILE* const file = fopen(program.c_str(), "w");
  ASSERT_NE(file, nullptr);
  fputs(R"(import socket, ssl, sys
c = ssl.create_default_context(cafile=sys.argv[2])
c.set_alpn_protocols(["imap", "pop3"])
s = c.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10), server_hostname="mx.test")
f = s.makefile("rwb")
print(f.readline(), s.version(), s.selected_alpn_protocol())
big = b"x" * 200000
for word in (b"hello", big):
    f.write(word + b"\r\n"); f.flush()
    line = f.readline()
    print(len(line), line.startswith(b"+OK you said " + word[:100]))
f.write(b"QUIT\r\n"); f.flush()
print(f.readline())
print("end", f.read())
s.unwrap().close()
)",
        file);
  fclose(file);
  const std::string out = ServeOne("timeout 20 python3 " + program + " " + port_ + " " + files_.certificate, true);
  EXPECT_EQ(out, "b'+OK ready\\r\\n' TLSv1.3 pop3\n21 True\n200016 True\nb'+OK bye\\r\\n'\nend b''\n");
  EXPECT_EQ(exit_status_, 0);
  EXPECT_EQ(info_.alpn, "pop3");
}

TEST_F(Peers, PoplibOverStls) {
  if (!Has("python3")) GTEST_SKIP() << "no python3";
  const std::string out = ServeOne(
      "timeout 20 python3 -c 'import poplib,ssl,sys; p=poplib.POP3(\"127.0.0.1\",int(sys.argv[1]),10); "
      "print(p.stls(ssl.create_default_context(cafile=sys.argv[2]))); print(p.user(\"alice\")); print(p.quit())' " +
          port_ + " " + files_.certificate,
      false);
  EXPECT_EQ(out, "b'+OK'\nb'+OK you said USER alice\\r'\nb'+OK bye'\n");
}

// How a session and a stream are put together.
Task<void> RunPop3(Stream& stream, pop3::ServerSession& session, std::shared_ptr<const TlsContext> tls) {
  session.Start();
  while (true) {
    if (!session.output().empty()) {
      const std::size_t n = session.output().size();
      if (co_await stream.Write(session.output(), 5s) != IoStatus::kOk) co_return;
      session.Sent(n);
    } else if (session.finished()) {
      break;
    } else if (session.StartsTls()) {
      if (co_await stream.StartTls(tls, "", 5s) != IoStatus::kOk) co_return;
      session.TlsStarted();
    } else {
      const ReadResult in = co_await stream.Read(5s);
      if (in.status != IoStatus::kOk) co_return;
      stream.PutBack(in.octets.substr(session.Receive(in.octets)));
    }
  }
  co_await stream.Close(2s);
}

TEST_F(Peers, PoplibFetchesFromTheSession) {
  if (!Has("python3")) GTEST_SKIP() << "no python3";
  pop3::test::TestHandler handler;
  const std::string large(300'000, 'x');
  handler.messages = {{"Subject: one\r\n\r\n.dot\r\n", "7.1"}, {"Subject: two\r\n\r\n" + large + "\r\n", "7.2"}};
  pop3::ServerOptions options;
  options.apop = true;
  glasspost::test::CountingRandomness randomness;
  Command peer(
      "timeout 20 python3 -c 'import poplib,ssl,sys\n"
      "poplib._MAXLINE = 1000000\n"
      "p = poplib.POP3(\"127.0.0.1\", int(sys.argv[1]), 10)\n"
      "try: p.user(\"alice\")\n"
      "except poplib.error_proto: print(\"refused\")\n"
      "p.stls(ssl.create_default_context(cafile=sys.argv[2]))\n"
      "print(\"STLS\" in p.capa(), \"USER\" in p.capa())\n"
      "p.user(\"alice\"); p.pass_(\"wonderland\")\n"
      "print(p.stat(), p.list()[1], p.uidl()[1], p.top(1, 0)[1], p.retr(1)[1], len(p.retr(2)[1][2]))\n"
      "p.dele(2); print(p.quit())' " +
      port_ + " " + files_.certificate);
  net_.Run([](Peers& t, pop3::test::TestHandler& h, const pop3::ServerOptions& o, Randomness& r) -> Task<void> {
    auto [error, socket] = co_await t.acceptor_.async_accept(kAwait);
    if (error) co_return;
    Stream stream(std::move(socket), Side::kServer, t.net_.deadlines);
    pop3::ServerSession session(h, o, r, false);
    h.session = &session;
    co_await RunPop3(stream, session, t.tls_);
  }(*this, handler, options, randomness));
  EXPECT_EQ(
      peer.Output(),
      "refused\nFalse True\n"
      "(2, 300040) [b'1 22', b'2 300018'] [b'1 7.1', b'2 7.2'] [b'Subject: one', b''] [b'Subject: one', b'', b'.dot'] 300000\n"
      "b'+OK bye'\n");
  EXPECT_EQ(handler.told, (std::vector<std::string>{"password alice wonderland", "commit 1"}));
}

// We are the client; the peer is openssl's server, which sends back each line reversed.
TEST_F(Peers, OpensslSServer) {
  if (!Has("openssl")) GTEST_SKIP() << "no openssl";
  acceptor_.close();
  Command peer("timeout 5 openssl s_server -rev -naccept 1 -accept 127.0.0.1:" + port_ + " -cert " + files_.certificate +
               " -key " + files_.key);
  const auto context = TlsContext::ForClient({.verify = true, .authorities = files_.certificate, .alpn = {}});
  ASSERT_TRUE(context);
  const std::uint8_t loopback[4] = {127, 0, 0, 1};
  const Endpoint there{Address::V4(loopback), static_cast<std::uint16_t>(std::stoi(port_))};
  std::unique_ptr<Stream> stream;
  for (int i = 0; i < 50 && !stream; ++i) {
    auto made = net_.Run(Connect(net_.context, net_.deadlines, there, 1s));
    if (made) stream = std::move(*made);
    if (!stream) std::this_thread::sleep_for(50ms);
  }
  ASSERT_NE(stream, nullptr);
  const std::string got = net_.Run([](Stream& s, std::shared_ptr<const TlsContext> c) -> Task<std::string> {
    if (co_await s.StartTls(c, "mx.test", 5s) != IoStatus::kOk) co_return s.tls_error();
    co_await s.Write("abc\n", 1s);
    std::string line = co_await ReadAll(s, 4);
    co_await s.Close(1s);
    co_return line;
  }(*stream, *context));
  EXPECT_EQ(got, "cba\n");
  peer.Output();
}

}  // namespace
}  // namespace glasspost::net
