#include "analysis/proxy.h"

#include <gtest/gtest.h>

#include <string>

namespace glasspost::analysis {
namespace {

using namespace std::string_literals;
using State = ProxyHandshake::State;

// Whatever prefix of both sides is known, the answer is kMore until all is there; what follows changes nothing.
void ExpectDone(const std::string& client, const std::string& server, std::uint16_t port) {
  const ProxyHandshake whole = ReadProxyHandshake(client + "EHLO me\r\n", server + "220 mail\r\n");
  EXPECT_EQ(whole.state, State::kDone);
  EXPECT_EQ(whole.client_octets, client.size());
  EXPECT_EQ(whole.server_octets, server.size());
  EXPECT_EQ(whole.port, port);
  const std::size_t least = client.front() == 'C' ? 4 : 1;
  for (std::size_t i = least; i <= client.size(); ++i)
    for (std::size_t j = 0; j <= server.size(); ++j) {
      const State expected = i == client.size() && j == server.size() ? State::kDone : State::kMore;
      EXPECT_EQ(ReadProxyHandshake(client.substr(0, i), server.substr(0, j)).state, expected) << i << ' ' << j;
    }
}

TEST(Proxy, Socks5) {
  ExpectDone("\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x19"s, "\x05\x00\x05\x00\x00\x01\x0a\x00\x00\x02\x12\x34"s, 25);
  ExpectDone("\x05\x02\x00\x02\x05\x01\x00\x03\x02mx\x02\x4b"s, "\x05\x00\x05\x00\x00\x04"s + std::string(18, '\x01'), 587);
}

TEST(Proxy, Socks5WithPassword) {
  ExpectDone("\x05\x01\x02\x01\x01u\x02pw\x05\x01\x00\x03\x01m\x00\x19"s,
             "\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s, 25);
}

TEST(Proxy, Socks4) {
  ExpectDone("\x04\x01\x00\x6e\x0a\x00\x00\x01me\x00"s, "\x00\x5a\x00\x00\x00\x00\x00\x00"s, 110);
  ExpectDone("\x04\x01\x00\x6e\x00\x00\x00\x01me\x00mx.example\x00"s, "\x00\x5a\x00\x00\x00\x00\x00\x00"s, 110);
}

TEST(Proxy, HttpConnect) {
  ExpectDone("CONNECT mx.example:25 HTTP/1.1\r\nHost: mx\r\n\r\n", "HTTP/1.1 200 Connection established\r\n\r\n", 25);
}

TEST(Proxy, WhatIsNone) {
  EXPECT_EQ(ReadProxyHandshake("", "220 mail\r\n").state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("CAPA\r\n", "+OK\r\n").state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("C1 LOGIN a b\r\n", "* OK\r\n").state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("CONNECT x HTTP/1.1\r\n\r\n", "HTTP/1.1 407 No\r\n\r\n").state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("CONNECT x HTTP/1.1\r\n\r\n", "220 mail\r\n").state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("\x05\x01\x00"s, "\x05\xff"s).state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("\x05\x00"s, "").state, State::kNone);
  EXPECT_EQ(ReadProxyHandshake("\x05\x01\x00\x05\x02"s, "\x05\x00"s).state, State::kNone);                  // BIND
  EXPECT_EQ(ReadProxyHandshake("\x05\x01\x00\x05\x01\x00\x09"s, "\x05\x00"s).state, State::kNone);          // no such address
  EXPECT_EQ(ReadProxyHandshake("\x05\x01\x00\x05\x01"s, "\x05\x00\x05\x05"s).state, State::kNone);          // refused
  EXPECT_EQ(ReadProxyHandshake("\x04\x01\x00\x19\x01\x01\x01\x01\x00"s, "\x00\x5b"s).state, State::kNone);  // refused
  EXPECT_EQ(ReadProxyHandshake("CONNECT "s + std::string(4096, 'x'), "").state, State::kNone);
}

}  // namespace
}  // namespace glasspost::analysis
