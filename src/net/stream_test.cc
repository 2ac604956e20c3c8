#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/test_support.h"

namespace glasspost::net {
namespace {

using namespace test;

TEST(Stream, CarriesOctetsBothWaysAndTellsItsTap) {
  Net net;
  std::string told;
  Pair p = Connected(net, std::make_unique<RecordingTap>(told));
  net.Run([](Pair& s) -> Task<void> {
    EXPECT_EQ(co_await s.server->Write("+OK\r\n", 1s), IoStatus::kOk);
    EXPECT_EQ(co_await ReadAll(*s.client, 5), "+OK\r\n");
    EXPECT_EQ(co_await s.client->Write("QUIT\r\n", 1s), IoStatus::kOk);
    const ReadResult in = co_await s.server->Read(1s);
    EXPECT_EQ(in.octets, "QUIT\r\n");
  }(p));
  net.Both(p.server->Close(1s), p.client->Close(1s));
  EXPECT_EQ(told, "connect 127.0.0.1 127.0.0.1\nS +OK\r\n\nC QUIT\r\n\nclose by us\n");
}

TEST(Stream, GivesBackWhatWasPutBack) {
  Net net;
  Pair p = Connected(net);
  net.Run([](Pair& s) -> Task<void> {
    co_await s.client->Write("one two", 1s);
    ReadResult in = co_await s.server->Read(1s);
    s.server->PutBack(in.octets.substr(4));
    in = co_await s.server->Read(1s);
    EXPECT_EQ(in.octets, "two");
    s.server->PutBack(in.octets);
    EXPECT_GT(s.server->kept(), 0u);
    in = co_await s.server->Read(1s);
    EXPECT_EQ(in.octets, "two");
  }(p));
  EXPECT_LE(p.server->kept(), std::string().capacity()) << "memory is given back";
}

TEST(Stream, EndsInOneStatusAndKeepsIt) {
  Net net;
  std::string told;
  Pair p = Connected(net, std::make_unique<RecordingTap>(told));
  net.Both([](Pair& s) -> Task<void> { co_await s.client->Close(1s); }(p),
           [](Pair& s) -> Task<void> {
             EXPECT_EQ((co_await s.server->Read(1s)).status, IoStatus::kEnd);
             EXPECT_EQ((co_await s.server->Read(1s)).status, IoStatus::kEnd);
             EXPECT_EQ(co_await s.server->Write("still said", 1s), IoStatus::kOk);
             co_await s.server->Close(1s);
             EXPECT_EQ(co_await s.server->Write("x", 1s), IoStatus::kCancelled);
           }(p));
  EXPECT_TRUE(told.ends_with("close by peer\n")) << told;
}

TEST(Stream, TimesOutAndIsCancelled) {
  Net net;
  std::string told;
  Pair p = Connected(net, std::make_unique<RecordingTap>(told));
  const auto status = net.Run([](Pair& s) -> Task<IoStatus> { co_return (co_await s.server->Read(30ms)).status; }(p));
  EXPECT_EQ(status, IoStatus::kTimedOut);
  p.server.reset();
  EXPECT_TRUE(told.ends_with("close timed out\n")) << told;
  Pair q = Connected(net);
  net.Both(
      [](Pair& s) -> Task<void> {
        EXPECT_EQ((co_await s.server->Read(10s)).status, IoStatus::kCancelled);
        EXPECT_EQ((co_await s.server->Read(10s)).status, IoStatus::kCancelled);
      }(q),
      [](Pair& s) -> Task<void> {
        s.server->Cancel();
        co_return;
      }(q));
}

TEST(Stream, ResetIsTold) {
  Net net;
  Pair p = Connected(net);
  net.Run([](Pair& s) -> Task<void> {
    co_await s.server->Write("unread", 1s);
    co_await s.client->Read(1s);
    co_await s.server->Write("unread", 1s);
  }(p));
  p.client.reset();  // closed with octets unread: reset
  const auto status = net.Run([](Pair& s) -> Task<IoStatus> { co_return (co_await s.server->Read(1s)).status; }(p));
  EXPECT_EQ(status, IoStatus::kReset);
}

// A reader that is slow, and one that does not read at all.
TEST(Stream, BackPressure) {
  Net net;
  Pair p = Connected(net);
  std::string large(8 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  std::string got;
  net.Both(
      [](Pair& s, const std::string& l) -> Task<void> { EXPECT_EQ(co_await s.server->Write(l, 5s), IoStatus::kOk); }(p, large),
      [](Pair& s, std::string& g, std::size_t n) -> Task<void> { g = co_await ReadAll(*s.client, n); }(p, got, large.size()));
  EXPECT_TRUE(got == large);
  const auto status =
      net.Run([](Pair& s, const std::string& l) -> Task<IoStatus> { co_return co_await s.server->Write(l, 50ms); }(p, large));
  EXPECT_EQ(status, IoStatus::kTimedOut);
}

TEST(Stream, CloseLosesNothingThatWasSentLast) {
  Net net;
  Pair p = Connected(net);
  std::string got;
  net.Both(
      [](Pair& s) -> Task<void> {
        co_await s.server->Write("-ERR too many mistakes\r\n", 1s);
        co_await s.server->Close(2s);
      }(p),
      [](Pair& s, std::string& g) -> Task<void> {
        co_await s.client->Write(std::string(100'000, 'x'), 1s);  // the server reads none of it before it closes
        g = co_await ReadAll(*s.client, 100);
        co_await s.client->Close(1s);
      }(p, got));
  EXPECT_EQ(got, "-ERR too many mistakes\r\n");
}

TEST(Connect, SaysWhyNot) {
  Net net;
  Acceptor acceptor(net.context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const Endpoint there = FromAsio(acceptor.local_endpoint());
  auto made = net.Run(Connect(net.context, net.deadlines, there, 1s));
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ((*made)->peer().Text(), there.Text());
  acceptor.close();
  made->reset();
  made = net.Run(Connect(net.context, net.deadlines, there, 1s));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().where, there.Text());
  const std::uint8_t v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(FromAsio(ToAsio({Address::V6(v6), 25})).Text(), "[::1]:25");
}

// ---- TLS ----

class StreamTls : public ::testing::Test {
 protected:
  StreamTls() : files_(MakePair(folder_, "mx.test")) {}
  std::shared_ptr<const TlsContext> Server(std::vector<std::string> alpn = {}) {
    auto made = TlsContext::ForServer({.pairs = {files_}, .alpn = std::move(alpn)});
    EXPECT_TRUE(made) << made.error().Text();
    return *made;
  }
  std::shared_ptr<const TlsContext> Client(bool verify = true, std::vector<std::string> alpn = {}) {
    auto made = TlsContext::ForClient({.verify = verify, .authorities = files_.certificate, .alpn = std::move(alpn)});
    EXPECT_TRUE(made) << made.error().Text();
    return *made;
  }
  void Handshake(Pair& p, IoStatus& server, IoStatus& client, std::string host = "mx.test", bool verify = true) {
    net_.Both([](Stream& s, std::shared_ptr<const TlsContext> c,
                 IoStatus& r) -> Task<void> { r = co_await s.StartTls(c, "", 5s); }(*p.server, Server({"pop3"}), server),
              [](Stream& s, std::shared_ptr<const TlsContext> c, std::string h, IoStatus& r) -> Task<void> {
                r = co_await s.StartTls(c, h, 5s);
              }(*p.client, Client(verify, {"imap", "pop3"}), std::move(host), client));
  }
  TemporaryFolder folder_;
  KeyPairFiles files_;
  Net net_;
};

TEST_F(StreamTls, StartsInTheMiddleAndDropsWhatCameBefore) {
  std::string told;
  auto tap = std::make_unique<RecordingTap>(told);
  RecordingTap* const heard = tap.get();
  Pair p = Connected(net_, std::move(tap));
  net_.Run([](Pair& s) -> Task<void> {
    co_await s.client->Write("STLS\r\nDELE 1\r\n", 1s);
    const ReadResult in = co_await s.server->Read(1s);
    s.server->PutBack(in.octets.substr(6));  // a session drops it too; so does the stream
    co_await s.server->Write("+OK\r\n", 1s);
    co_await s.client->Read(1s);
  }(p));
  IoStatus server{};
  IoStatus client{};
  Handshake(p, server, client);
  ASSERT_EQ(server, IoStatus::kOk) << p.server->tls_error();
  ASSERT_EQ(client, IoStatus::kOk) << p.client->tls_error();
  EXPECT_EQ(p.server->tls_info()->server_name, "mx.test");
  EXPECT_EQ(p.server->tls_info()->alpn, "pop3");
  EXPECT_EQ(p.client->tls_info()->version, "TLSv1.3");
  EXPECT_TRUE(p.client->tls_info()->verified);
  net_.Run([](Pair& s) -> Task<void> {
    co_await s.client->Write("CAPA\r\n", 1s);
    const ReadResult in = co_await s.server->Read(1s);
    EXPECT_EQ(in.octets, "CAPA\r\n");
    co_await s.server->Write("+OK\r\n.\r\n", 1s);
    EXPECT_EQ(co_await ReadAll(*s.client, 8), "+OK\r\n.\r\n");
  }(p));
  net_.Both(p.server->Close(1s), p.client->Close(1s));
  EXPECT_EQ(told,
            "connect 127.0.0.1 127.0.0.1\nC STLS\r\nDELE 1\r\n\nS +OK\r\n\ntls\nestablished\nC CAPA\r\n\nS +OK\r\n.\r\n\nclose "
            "by us\n");
  EXPECT_TRUE(heard == nullptr || p.server->tap() == heard);
  EXPECT_TRUE(heard->secrets.contains("CLIENT_HANDSHAKE_TRAFFIC_SECRET ")) << heard->secrets;
  EXPECT_TRUE(heard->records[0].starts_with("\x16\x03\x01"));
  EXPECT_TRUE(heard->records[1].starts_with("\x16\x03\x03"));
  EXPECT_FALSE(heard->records[0].contains("CAPA"));
}

TEST_F(StreamTls, AWrongNameIsNotVerified) {
  Pair p = Connected(net_);
  IoStatus server{};
  IoStatus client{};
  Handshake(p, server, client, "other.test");
  EXPECT_EQ(client, IoStatus::kTlsFailed);
  EXPECT_TRUE(p.client->tls_error().contains("ostname mismatch")) << p.client->tls_error();
  Pair q = Connected(net_);
  Handshake(q, server, client, "other.test", false);
  EXPECT_EQ(client, IoStatus::kOk);
  EXPECT_FALSE(q.client->tls_info()->verified);
  Pair r = Connected(net_);
  Handshake(r, server, client, "127.0.0.1");  // an address: verified, but not sent as a name
  EXPECT_EQ(client, IoStatus::kOk) << r.client->tls_error();
  EXPECT_EQ(r.server->tls_info()->server_name, "");
}

TEST_F(StreamTls, PlainOctetsAreNoHandshake) {
  Pair p = Connected(net_);
  const auto status = net_.Run([](Pair& s, std::shared_ptr<const TlsContext> c) -> Task<IoStatus> {
    co_await s.client->Write("USER alice\r\nPASS secret\r\n", 1s);
    co_return co_await s.server->StartTls(c, "", 1s);
  }(p, Server()));
  EXPECT_EQ(status, IoStatus::kTlsFailed);
  EXPECT_FALSE(p.server->tls_error().empty());
  EXPECT_FALSE(p.server->tls_info());
}

TEST_F(StreamTls, ASilentClientTimesOut) {
  Pair p = Connected(net_);
  const auto status = net_.Run([](Pair& s, std::shared_ptr<const TlsContext> c) -> Task<IoStatus> {
    co_return co_await s.server->StartTls(c, "", 50ms);
  }(p, Server()));
  EXPECT_EQ(status, IoStatus::kTimedOut);
}

TEST_F(StreamTls, AClientThatShakesHandsOctetByOctetTimesOut) {
  Pair p = Connected(net_);
  IoStatus status{};
  int sent = 0;
  constexpr int kMost = 3000;
  net_.Both([](Stream& s, std::shared_ptr<const TlsContext> c,
               IoStatus& r) -> Task<void> { r = co_await s.StartTls(c, "", 100ms); }(*p.server, Server(), status),
            [](Stream& s, asio::io_context& context, const IoStatus& over, int& n) -> Task<void> {
              const std::string record = "\x16\x03\x01\x3f\xff\x01" + std::string(kMost, '\0');  // of 16 KiB
              Timer timer(context.get_executor());
              for (n = 0; n < kMost && over == IoStatus::kOk; ++n) {
                co_await s.Write(Octets(record).substr(static_cast<std::size_t>(n), 1), 1s);
                timer.expires_after(2ms);
                co_await timer.async_wait(kAwait);
              }
            }(*p.client, net_.context, status, sent));
  EXPECT_EQ(status, IoStatus::kTimedOut);
  EXPECT_LT(sent, kMost);
}

TEST_F(StreamTls, EndWithAndWithoutCloseNotify) {
  for (const bool orderly : {true, false}) {
    Pair p = Connected(net_);
    IoStatus server{};
    IoStatus client{};
    Handshake(p, server, client);
    ASSERT_EQ(client, IoStatus::kOk);
    if (!orderly) {
      // Also what the server said last (a ticket) is read, so that the close is a FIN and no reset.
      net_.Run([](Pair& s) -> Task<void> {
        co_await s.server->Write("x", 1s);
        co_await s.client->Read(1s);
      }(p));
      p.client.reset();
    }
    IoStatus end{};
    net_.Both([](Pair& s, IoStatus& e) -> Task<void> { e = (co_await s.server->Read(2s)).status; }(p, end),
              [](Pair& s) -> Task<void> {
                if (s.client) co_await s.client->Close(1s);
              }(p));
    EXPECT_EQ(end, orderly ? IoStatus::kEnd : IoStatus::kTruncated);
  }
}

TEST_F(StreamTls, LargeTransfersBothWays) {
  Pair p = Connected(net_);
  IoStatus server{};
  IoStatus client{};
  Handshake(p, server, client);
  std::string large(3 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 131 >> 4);
  for (const bool down : {true, false}) {
    std::string got;
    Stream& from = down ? *p.server : *p.client;
    Stream& to = down ? *p.client : *p.server;
    net_.Both(
        [](Stream& s, const std::string& l) -> Task<void> { EXPECT_EQ(co_await s.Write(l, 5s), IoStatus::kOk); }(from, large),
        [](Stream& s, std::string& g, std::size_t n) -> Task<void> { g = co_await ReadAll(s, n); }(to, got, large.size()));
    EXPECT_TRUE(got == large);
  }
}

TEST_F(StreamTls, CertificatesAreReloadedAndChosenByName) {
  const KeyPairFiles other = MakePair(folder_, "other.test");
  ReloadableTls tls;
  EXPECT_EQ(tls.current(), nullptr);
  ASSERT_TRUE(tls.Load({.pairs = {files_}, .alpn = {}}));
  const auto before = tls.current();
  EXPECT_FALSE(tls.Load({.pairs = {{.certificate = "/nonexistent", .key = "/nonexistent"}}, .alpn = {}}));
  EXPECT_FALSE(tls.Load({.pairs = {{.certificate = files_.certificate, .key = other.key}}, .alpn = {}}));
  EXPECT_EQ(tls.current(), before) << "a bad one does not take the place of a good one";
  ASSERT_TRUE(tls.Load({.pairs = {files_, other}, .alpn = {"pop3"}}));
  EXPECT_NE(tls.current(), before);
  for (const auto& [host, files] : {std::pair{"mx.test", files_}, std::pair{"other.test", other}}) {
    Pair p = Connected(net_);
    const auto context = TlsContext::ForClient({.verify = true, .authorities = files.certificate, .alpn = {"pop3"}});
    ASSERT_TRUE(context);
    IoStatus client{};
    net_.Both([](Stream& s, std::shared_ptr<const TlsContext> c) -> Task<void> { co_await s.StartTls(c, "", 5s); }(*p.server,
                                                                                                                   tls.current()),
              [](Stream& s, std::shared_ptr<const TlsContext> c, std::string h, IoStatus& r) -> Task<void> {
                r = co_await s.StartTls(c, h, 5s);
              }(*p.client, *context, host, client));
    EXPECT_EQ(client, IoStatus::kOk) << host << ": " << p.client->tls_error();
    EXPECT_EQ(p.client->tls_info()->alpn, "pop3");
  }
}

}  // namespace
}  // namespace glasspost::net
