// Certificates, keys and rules of TLS (RFC 8446, RFC 5246; at least TLS 1.2, RFC 8997), over OpenSSL. A context is made once,
// never changed and shared by its connections; to reload is to make another, and connections that stand keep theirs.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/octets.h"

namespace glasspost::net {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

// PEM files: the chain with the server's own certificate first, and its key.
struct KeyPairFiles {
  std::string certificate;
  std::string key;
};

struct TlsServerOptions {
  std::vector<KeyPairFiles> pairs;  // the client's server name (SNI, RFC 6066 §3) chooses; the first serves all others
  std::vector<std::string> alpn;    // RFC 7301, best first; empty: not spoken. A client that names only others is let in without
};

struct TlsClientOptions {
  bool verify = true;       // the chain, and that it is for the host; opportunistic TLS (RFC 7435) does without
  std::string authorities;  // PEM file instead of the system's
  std::vector<std::string> alpn;
  bool insist = true;  // false: a certificate that does not hold is told by TlsInfo, and the connection goes on
  std::uint16_t only =
      0;  // this version as the wire has it (0x0303: TLS 1.2), also one too old for use: for trying what is offered
};

class TlsContext {
 public:
  static Expected<std::shared_ptr<const TlsContext>> ForServer(const TlsServerOptions& options);
  static Expected<std::shared_ptr<const TlsContext>> ForClient(const TlsClientOptions& options);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* get() const { return pairs_.front().get(); }
  bool server() const { return server_; }
  bool verifies() const { return verify_; }

 private:
  explicit TlsContext(bool server) : server_(server) {}
  static int ChoosePair(SSL* ssl, int* alert, void* self);
  static int ChooseAlpn(SSL* ssl, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned in_length,
                        void* self);

  bool server_;
  bool verify_ = false;
  std::vector<SslContext> pairs_;
  std::string alpn_;  // as on the wire: each with its length before it
};

// The context that new connections get; the files are read anew by Load. Any thread.
class ReloadableTls {
 public:
  // The old one stays if the new one is no good.
  Expected<void> Load(const TlsServerOptions& options);
  std::shared_ptr<const TlsContext> current() const;  // null before the first Load that went well

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> context_;
};

// What OpenSSL says of the last thing that went wrong on this thread; clears it.
std::string TlsErrorText();
// Where a connection's tap is kept, for the key log.
int TapIndex();

}  // namespace glasspost::net
