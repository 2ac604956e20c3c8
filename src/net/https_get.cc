#include "net/https_get.h"

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/ascii.h"
#include "net/dns_reading.h"
#include "net/host_name.h"

namespace glasspost::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kUrlOctets = 2000;  // stops a redirect to a novel

std::chrono::nanoseconds Left(const Clock& clock, std::int64_t until) {
  return std::chrono::nanoseconds(std::max<std::int64_t>(until - clock.Steady(), 1));
}

bool IsRedirect(unsigned status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

std::string Request(const Url& url) {
  const bool usual = url.port == (url.tls ? 443 : 80);
  const std::string host = url.host.contains(':') ? "[" + url.host + "]" : url.host;
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + host + (usual ? "" : ":" + std::to_string(url.port)) +
         "\r\nUser-Agent: glasspost\r\nAccept: text/xml, application/xml, */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

std::string Url::Text() const {
  const bool usual = port == (tls ? 443 : 80);
  return std::string(tls ? "https://" : "http://") + (host.contains(':') ? "[" + host + "]" : host) +
         (usual ? "" : ":" + std::to_string(port)) + target;
}

std::optional<Url> ParseUrl(Octets text) {
  Url url;
  if (text.size() > kUrlOctets) return {};
  for (const char c : text)
    if (c <= ' ' || c == 0x7f) return {};  // char is signed: octets beyond ASCII, too
  if (StartsWithNoCase(text, "http://")) {
    url.tls = false;
    url.port = 80;
  } else if (!StartsWithNoCase(text, "https://")) {
    return {};
  }
  text.remove_prefix(url.tls ? 8 : 7);
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  Octets authority = text.substr(0, end);
  if (end < text.size()) url.target = (text[end] == '?' ? "/" : "") + std::string(text.substr(end));
  if (authority.contains('@')) return {};
  const std::size_t close = authority.starts_with('[') ? authority.find(']') : 0;
  if (close == Octets::npos) return {};
  if (const std::size_t colon = authority.find(':', close); colon != Octets::npos) {
    const auto port = ParsePort(authority.substr(colon + 1));
    if (!port) return {};
    url.port = *port;
    authority = authority.substr(0, colon);
  }
  if (const auto address = ParseAddress(authority)) {
    url.host = address->Text();
    return url;
  }
  const auto host = AsciiDomain(authority);
  if (!host || host->find_first_of("[]:\\%\"<>") != std::string::npos) return {};
  url.host = *host;
  return url;
}

std::string PercentEncoded(Octets text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (IsAlpha(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      ((out += '%') += kHex[octet >> 4]) += kHex[octet & 15];
  }
  return out;
}

struct HttpFetcher::Answer {
  unsigned status = 0;
  std::string location;
  std::string body;
};

// Any of the host's addresses, with TLS where the URL says so.
Task<Expected<std::unique_ptr<Stream>>> HttpFetcher::Reach(const Url& url, std::int64_t until) {
  const auto addresses = co_await FindAddresses(resolver_, url.host, limits_.addresses);
  if (!addresses) co_return std::unexpected(addresses.error());
  Error last;
  for (const Address& address : *addresses) {
    auto stream = co_await Connect(context_, deadlines_, {address, url.port}, Left(deadlines_.clock(), until));
    if (!stream) {
      last = stream.error();
      continue;
    }
    if (!url.tls) co_return std::move(stream);
    const IoStatus status = co_await (*stream)->StartTls(tls_, url.host, Left(deadlines_.clock(), until));
    if (status == IoStatus::kOk) co_return std::move(stream);
    const std::string why = (*stream)->tls_error();
    last = {.what = "TLS handshake failed: " + (why.empty() ? std::string(Name(status)) : why), .where = url.host, .remedy = {}};
  }
  co_return std::unexpected(last);
}

// Why there is no answer; empty: there is.
Task<std::string> HttpFetcher::Ask(const Url& url, std::int64_t until, Answer& answer) {
  auto stream = co_await Reach(url, until);
  if (!stream) co_return stream.error().Text();
  const std::string request = Request(url);
  const IoStatus sent = co_await (*stream)->Write(request, Left(deadlines_.clock(), until));
  if (sent != IoStatus::kOk) co_return "the connection was lost";
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_octets));
  parser.body_limit(limits_.body_octets);
  boost::system::error_code error;
  std::string kept;
  while (!parser.is_done()) {
    const ReadResult in = co_await (*stream)->Read(Left(deadlines_.clock(), until));
    if (in.status == IoStatus::kTimedOut || deadlines_.clock().Steady() >= until) co_return "no answer in time";
    if (in.status == IoStatus::kEnd) {
      parser.put_eof(error);
      if (error) co_return "the connection ended before the answer did";
      break;
    }
    if (in.status != IoStatus::kOk) co_return "the connection was lost";
    kept.append(in.octets);
    const std::size_t used = parser.put(boost::asio::buffer(kept), error);
    if (error && error != http::error::need_more) co_return "no HTTP that can be taken: " + error.message();
    kept.erase(0, used);
    if (kept.size() > limits_.header_octets + StreamLimits::kReadOctets) co_return "a line without end";
  }
  answer.status = parser.get().result_int();
  answer.location = parser.get()["Location"];
  answer.body = std::move(parser.get().body());
  co_await (*stream)->Close(std::min<std::chrono::nanoseconds>(Left(deadlines_.clock(), until), std::chrono::seconds(1)));
  co_return std::string();
}

Task<Fetched> HttpFetcher::Get(std::string text) {
  Fetched out;
  out.url = text;
  const std::int64_t until = deadlines_.clock().Steady() + std::chrono::nanoseconds(limits_.time).count();
  std::optional<Url> url = ParseUrl(text);
  for (int redirects = 0; url; ++redirects) {
    Answer answer;
    out.url = url->Text();
    out.clear |= !url->tls;
    out.failure = co_await Ask(*url, until, answer);
    if (!out.failure.empty()) co_return out;
    if (!IsRedirect(answer.status)) {
      if (answer.status == 200)
        out.body = std::move(answer.body);
      else
        out.failure = "HTTP status " + std::to_string(answer.status);
      co_return out;
    }
    if (redirects == limits_.redirects) {
      out.failure = "one redirect after the other";
      co_return out;
    }
    const bool tls = url->tls;
    if (answer.location.starts_with('/') && !answer.location.starts_with("//"))
      answer.location = Url{url->tls, url->host, url->port, answer.location}.Text();
    url = ParseUrl(answer.location);
    if (url && tls && !url->tls) {
      out.failure = "a redirect from https to http";
      co_return out;
    }
  }
  out.failure = "no URL that can be fetched";
  co_return out;
}

}  // namespace glasspost::net
