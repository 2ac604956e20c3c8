// Fetches one small document by HTTP/1.1 (RFC 9110, 9112), over TLS with a verified certificate unless the URL says http. What
// comes is read by Boost.Beast's parser; everything about it is bounded.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/octets.h"
#include "net/resolver.h"
#include "net/stream.h"

namespace glasspost::net {

struct Url {
  bool tls = true;   // https
  std::string host;  // in A-label form, or an address without brackets
  std::uint16_t port = 443;
  std::string target = "/";  // path and query, in ASCII without spaces
  std::string Text() const;
};
// "https://host[:port][/path][?query]"; nothing for other schemes, user names, or anything that would not stay within its line.
std::optional<Url> ParseUrl(Octets text);
// For a query's value (RFC 3986 §2.1).
std::string PercentEncoded(Octets text);

struct FetchLimits {
  std::size_t header_octets = std::size_t{16} << 10;  // stops a header without end
  std::size_t body_octets = std::size_t{256} << 10;   // stops a document without end
  int redirects = 3;                                  // stops a circle of them
  std::size_t addresses = 4;                          // of a host, that are tried
  std::chrono::milliseconds time{10'000};             // for all of it, redirects included: stops one who answers slowly
};

struct Fetched {
  std::string failure;  // why there is no document; empty if there is one
  std::string body;
  std::string url;     // where it lay in the end
  bool clear = false;  // some of the way to it was not encrypted: anybody may have written it, or sent us there
};

// Where documents come from; passed in, so that what is made of them can be tested without a network.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  virtual Task<Fetched> Get(std::string url) = 0;
};

// All that is given outlives it. A redirect from https never leads to http.
class HttpFetcher final : public Fetcher {
 public:
  HttpFetcher(asio::io_context& context, Deadlines& deadlines, Resolver& resolver, std::shared_ptr<const TlsContext> tls,
              const FetchLimits& limits = {})
      : context_(context), deadlines_(deadlines), resolver_(resolver), tls_(std::move(tls)), limits_(limits) {}
  Task<Fetched> Get(std::string url) override;

 private:
  struct Answer;
  Task<std::string> Ask(const Url& url, std::int64_t until, Answer& answer);
  Task<Expected<std::unique_ptr<Stream>>> Reach(const Url& url, std::int64_t until);

  asio::io_context& context_;
  Deadlines& deadlines_;
  Resolver& resolver_;
  std::shared_ptr<const TlsContext> tls_;
  FetchLimits limits_;
};

}  // namespace glasspost::net
