// One connection's TLS without a socket: records in, records out, plain octets between. Between calls it holds nothing but what
// must wait: an incomplete record (within OpenSSL), and records to be sent.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/octets.h"
#include "base/tap.h"
#include "net/tls_context.h"

namespace glasspost::net {

struct TlsInfo {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string server_name;  // SNI
  std::string alpn;
  bool resumed = false;
  bool verified = false;  // client: the server's certificate holds for the host that was asked for
  std::string why_not;    // client: why it does not
};

class TlsEngine {
 public:
  enum class Result : std::uint8_t {
    kDone,
    kWantsRecords,  // feed more
    kEnd,           // the peer said close_notify: nothing more comes
    kFailed,
  };

  // `host`: of a client, the name asked for (SNI unless it is an address) and verified. `tap` gets the secrets; may be null,
  // else outlives the engine.
  TlsEngine(std::shared_ptr<const TlsContext> context, const std::string& host, Tap* tap);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // Records as they were read. They are used by the calls that follow; Keep() copies what of them is still unused.
  void Feed(Octets records);
  void Keep();

  Result Handshake();
  // Decrypts what is there, up to `room` octets.
  Result Read(char* at, std::size_t room, std::size_t& got);
  Result Write(Octets plain);
  void CloseNotify();

  Octets output() const { return output_; }
  void ClearOutput() { output_.clear(); }
  void ReleaseOutput();  // its memory too

  TlsInfo Info() const;
  // The peer's own, as DER; empty: it has shown none.
  std::string PeerCertificate() const;
  const std::string& error() const { return error_; }

 private:
  friend struct EngineBio;
  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  Result ResultOf(int returned);

  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  Octets input_;
  std::string kept_;  // what input_ may point into
  std::string output_;
  std::string error_;
};

}  // namespace glasspost::net
