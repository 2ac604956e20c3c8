#include "analysis/proxy.h"

#include <charconv>

#include "base/ascii.h"

namespace glasspost::analysis {
namespace {

using State = ProxyHandshake::State;

constexpr std::uint8_t kNoAuthentication = 0, kUserAndPassword = 2;  // RFC 1928 §3
constexpr std::uint8_t kConnect = 1;                                 // SOCKS4 and RFC 1928 §4
constexpr std::size_t kSocks4Reply = 8;
constexpr std::uint8_t kSocks4Granted = 0x5a;
// Stops an endless HTTP header from being looked at again and again.
constexpr std::size_t kMaxHttpHeader = 4096;

// Octets taken one after the other; `short_of` once more were asked for than there are.
class Taker {
 public:
  explicit Taker(Octets octets) : octets_(octets) {}
  std::uint8_t One() { return Skip(1) ? static_cast<std::uint8_t>(octets_[at_ - 1]) : std::uint8_t{0}; }
  std::uint16_t Two() {
    const auto high = One();
    return static_cast<std::uint16_t>(high << 8 | One());
  }
  bool Skip(std::size_t n) {
    if (short_of_ || octets_.size() - at_ < n) return short_of_ = true, false;
    at_ += n;
    return true;
  }
  bool SkipText() {
    const std::size_t end = short_of_ ? Octets::npos : octets_.find('\0', at_);
    if (end == Octets::npos) return short_of_ = true, false;
    at_ = end + 1;
    return true;
  }
  bool short_of() const { return short_of_; }
  std::size_t at() const { return at_; }

 private:
  Octets octets_;
  std::size_t at_ = 0;
  bool short_of_ = false;
};

ProxyHandshake None() { return {}; }
ProxyHandshake More() { return {.state = State::kMore, .client_octets = 0, .server_octets = 0, .port = 0}; }

// RFC 1928 §5: address type, address. False: no such type.
bool SkipAddress(Taker& t) {
  switch (t.One()) {
    case 1:
      t.Skip(4);
      return true;
    case 3:
      t.Skip(t.One());
      return true;
    case 4:
      t.Skip(16);
      return true;
    default:
      return t.short_of();
  }
}

ProxyHandshake Socks5(Octets client, Octets server) {
  Taker c(client), s(server);
  c.One();
  const std::size_t methods = c.One();
  if (!c.short_of() && methods == 0) return None();
  c.Skip(methods);
  if (c.short_of()) return More();
  const bool answered = s.One() == 5;
  if (!s.short_of() && !answered) return None();
  const std::uint8_t method = s.One();
  if (s.short_of()) return More();
  if (method != kNoAuthentication && method != kUserAndPassword) return None();
  if (method == kUserAndPassword) {
    const bool version = c.One() == 1;
    if (!c.short_of() && !version) return None();
    c.Skip(c.One());
    c.Skip(c.One());
    s.One();
    if (s.One() != 0) return None();
  }
  const bool request = c.One() == 5 && c.One() == kConnect;
  if (!c.short_of() && !request) return None();
  c.One();
  if (!SkipAddress(c)) return None();
  const std::uint16_t port = c.Two();
  const bool granted = s.One() == 5 && s.One() == 0;
  if (!s.short_of() && !granted) return None();
  s.One();
  if (!SkipAddress(s)) return None();
  s.Two();
  if (c.short_of() || s.short_of()) return More();
  return {.state = State::kDone, .client_octets = c.at(), .server_octets = s.at(), .port = port};
}

ProxyHandshake Socks4(Octets client, Octets server) {
  Taker c(client), s(server);
  c.One();
  const bool connect = c.One() == kConnect;
  if (!c.short_of() && !connect) return None();
  const std::uint16_t port = c.Two();
  const std::uint16_t high = c.Two(), low = c.Two();
  c.SkipText();
  // SOCKS4a: 0.0.0.x with x not 0 says that a name follows.
  if (!c.short_of() && high == 0 && low > 0 && low < 256) c.SkipText();
  const bool granted = s.One() == 0 && s.One() == kSocks4Granted;
  if (!s.short_of() && !granted) return None();
  s.Skip(kSocks4Reply - 2);
  if (c.short_of() || s.short_of()) return More();
  return {.state = State::kDone, .client_octets = c.at(), .server_octets = s.at(), .port = port};
}

// Whether the octets may be, or become, the word.
bool MayBe(Octets octets, Octets word) { return octets.substr(0, word.size()) == word.substr(0, octets.size()); }

ProxyHandshake HttpConnect(Octets client, Octets server) {
  constexpr Octets kEnd = "\r\n\r\n";
  if (!MayBe(server, "HTTP/1.")) return None();
  const std::size_t c_end = client.find(kEnd), s_end = server.find(kEnd);
  if (c_end == Octets::npos || s_end == Octets::npos)
    return client.size() < kMaxHttpHeader && server.size() < kMaxHttpHeader ? More() : None();
  const std::size_t status = server.find(' ');
  if (status > s_end || server[status + 1] != '2') return None();  // RFC 9110 §9.3.6: any 2xx opens the tunnel
  const Octets line = client.substr(0, client.find("\r\n"));
  const Octets target = line.substr(0, line.rfind(' '));
  std::uint16_t port = 0;
  if (const std::size_t colon = target.rfind(':'); colon != Octets::npos)
    std::from_chars(target.data() + colon + 1, target.data() + target.size(), port);
  return {.state = State::kDone, .client_octets = c_end + kEnd.size(), .server_octets = s_end + kEnd.size(), .port = port};
}

}  // namespace

ProxyHandshake ReadProxyHandshake(Octets client, Octets server) {
  if (client.empty()) return None();
  switch (client.front()) {
    case 5:
      return Socks5(client, server);
    case 4:
      return Socks4(client, server);
    case 'C':
      return MayBe(client, "CONNECT ") && client.size() > 3 ? HttpConnect(client, server) : None();
    default:
      return None();
  }
}

}  // namespace glasspost::analysis
