#include "net/https_get.h"

#include <gtest/gtest.h>

#include "net/fixed_resolver.h"
#include "net/test_support.h"
#include "wire/dns/constants.h"

namespace glasspost::net {
namespace {

using namespace test;

TEST(Url, WhatIsOneAndWhatIsNot) {
  const auto text = [](Octets url) {
    const auto parsed = ParseUrl(url);
    return parsed ? parsed->Text() : "none";
  };
  EXPECT_EQ(text("https://Example.test"), "https://example.test/");
  EXPECT_EQ(text("HTTPS://example.test:443/a?b=c#d"), "https://example.test/a?b=c");
  EXPECT_EQ(text("http://example.test:8080?x"), "http://example.test:8080/?x");
  EXPECT_EQ(text("https://[2001:db8::1]:4433/"), "https://[2001:db8::1]:4433/");
  EXPECT_EQ(text("https://192.0.2.1/"), "https://192.0.2.1/");
  for (const char* none : {"", "ftp://x/", "https://", "https:///x", "https://a b/", "https://a\r\nb/", "https://user@host/",
                           "https://a:0/", "https://a:65536/", "https://[::1/", "https://m\xc3\xbcnchen.test/"})
    EXPECT_EQ(text(none), "none") << none;
  const std::string longest = "https://a.test/" + std::string(2000 - 15, 'x');
  EXPECT_EQ(text(longest), longest);
  EXPECT_EQ(text(longest + "x"), "none");
  EXPECT_EQ(PercentEncoded("a+b@x.test"), "a%2Bb%40x.test");
}

// Answers one connection after the other with the next of its texts, once a request has come.
class Site {
 public:
  explicit Site(Net& net, std::shared_ptr<const TlsContext> tls = nullptr)
      : net_(net), tls_(std::move(tls)), acceptor_(net.context, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(net.context.get_executor(), Serve(), asio::detached);
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::vector<std::string> answers;
  std::string asked;

 private:
  Task<void> Serve() {
    for (std::size_t i = 0;; ++i) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (error || i >= answers.size()) co_return;
      Stream stream(std::move(socket), Side::kServer, net_.deadlines);
      if (tls_) {
        const IoStatus shaken = co_await stream.StartTls(tls_, {}, 5s);
        if (shaken != IoStatus::kOk) continue;
      }
      std::string request;
      while (!request.contains("\r\n\r\n")) {
        const ReadResult in = co_await stream.Read(5s);
        if (in.status != IoStatus::kOk) break;
        request.append(in.octets);
      }
      asked += request.substr(0, request.find("\r\nUser-Agent")) + "\n";
      for (const char& c : answers[i]) co_await stream.Write(Octets(&c, 1), 5s);  // octet by octet
      if (answers[i].empty()) co_await stream.Read(3s);                           // says nothing
      co_await stream.Close(1s);
    }
  }
  Net& net_;
  std::shared_ptr<const TlsContext> tls_;
  Acceptor acceptor_;
};

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class HttpFetcherTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(resolver_.Add("web.test", dns::kTypeA, "127.0.0.1"));
    ASSERT_TRUE(resolver_.Add("other.test", dns::kTypeA, "127.0.0.1"));
    pair_ = MakePair(folder_, "web.test");
  }
  std::shared_ptr<const TlsContext> Server() { return *TlsContext::ForServer({.pairs = {pair_}, .alpn = {}}); }
  Fetched Get(const std::string& url, FetchLimits limits = {}) {
    const auto tls = TlsContext::ForClient({.authorities = pair_.certificate, .alpn = {}});
    EXPECT_TRUE(tls);
    HttpFetcher fetcher(net_.context, net_.deadlines, resolver_, *tls, limits);
    return net_.Run(fetcher.Get(url));
  }
  static std::string Url(bool tls, const Site& site, const std::string& rest, const std::string& host = "web.test") {
    return (tls ? "https://" : "http://") + host + ":" + std::to_string(site.port()) + rest;
  }

  TemporaryFolder folder_;
  KeyPairFiles pair_;
  Net net_;
  FixedResolver resolver_;
};

TEST_F(HttpFetcherTest, OverTlsAndInTheClear) {
  Site tls(net_, Server()), clear(net_);
  tls.answers = {std::string(kOk), std::string(kOk)};
  clear.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
                   "HTTP/1.0 200 OK\r\n\r\nuntil the end"};
  EXPECT_EQ(Get(Url(true, tls, "/mail/x?a=b")).body, "hello");
  EXPECT_EQ(tls.asked, "GET /mail/x?a=b HTTP/1.1\r\nHost: web.test:" + std::to_string(tls.port()) + "\n");
  EXPECT_EQ(Get(Url(true, tls, "/", "other.test")).failure,
            "other.test: TLS handshake failed: certificate verify failed: hostname mismatch");
  EXPECT_EQ(Get(Url(false, clear, "/")).body, "hello");
  EXPECT_EQ(Get(Url(false, clear, "/")).body, "until the end");
}

TEST_F(HttpFetcherTest, Redirects) {
  Site tls(net_, Server()), clear(net_);
  const auto to = [](const std::string& url) {
    return "HTTP/1.1 302 Found\r\nLocation: " + url + "\r\nContent-Length: 0\r\n\r\n";
  };
  tls.answers = {to("/b"),       std::string(kOk), to(Url(false, clear, "/")), to("/1"), to("/2"), to("/3"), to("/4"),
                 to("ftp://x/"), std::string(kOk)};
  clear.answers = {to(Url(true, tls, "/c"))};
  const Fetched found = Get(Url(true, tls, "/a"));
  EXPECT_EQ(found.body, "hello") << found.failure;
  EXPECT_EQ(found.url, Url(true, tls, "/b"));
  EXPECT_FALSE(found.clear);
  EXPECT_EQ(Get(Url(true, tls, "/")).failure, "a redirect from https to http");
  EXPECT_EQ(Get(Url(true, tls, "/")).failure, "one redirect after the other");
  EXPECT_EQ(Get(Url(true, tls, "/")).failure, "no URL that can be fetched");
  const Fetched sent = Get(Url(false, clear, "/"));  // there by somebody who could have been anybody
  EXPECT_EQ(sent.body, "hello") << sent.failure;
  EXPECT_TRUE(sent.clear);
}

TEST_F(HttpFetcherTest, Bounds) {
  const FetchLimits limits{.header_octets = 200, .body_octets = 5, .time = 300ms};
  Site site(net_);
  site.answers = {std::string(kOk),
                  "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!",
                  "HTTP/1.1 200 OK\r\n\r\nhello!",
                  "HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x') + "\r\n\r\n",
                  "220 mail.test ESMTP\r\n",
                  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
                  "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                  std::string()};
  const std::string url = Url(false, site, "/");
  EXPECT_EQ(Get(url, limits).body, "hello");
  for (const char* why : {"body limit exceeded", "body limit exceeded", "header limit exceeded", "bad version"}) {
    const std::string failure = Get(url, limits).failure;
    EXPECT_TRUE(failure.starts_with("no HTTP that can be taken: ")) << failure << ", wanted: " << why;
  }
  EXPECT_EQ(Get(url, limits).failure, "the connection ended before the answer did");
  EXPECT_EQ(Get(url, limits).failure, "HTTP status 404");
  EXPECT_EQ(Get(url, limits).failure, "no answer in time");
  EXPECT_EQ(Get("http://nowhere.test/", limits).failure, "nowhere.test: the host has no address");
}

}  // namespace
}  // namespace glasspost::net
