#include "net/tls_engine.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

namespace glasspost::net {

// The memory BIO: reads from the engine's input, writes to its output. OpenSSL's own keeps its buffers while idle.
struct EngineBio {
  static TlsEngine* Engine(BIO* bio) { return static_cast<TlsEngine*>(BIO_get_data(bio)); }
  static int Read(BIO* bio, char* out, int room) {
    BIO_clear_retry_flags(bio);
    Octets& input = Engine(bio)->input_;
    if (input.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t n = std::min(input.size(), static_cast<std::size_t>(room));
    std::memcpy(out, input.data(), n);
    input.remove_prefix(n);
    return static_cast<int>(n);
  }
  static int Write(BIO* bio, const char* data, int length) {
    BIO_clear_retry_flags(bio);
    Engine(bio)->output_.append(data, static_cast<std::size_t>(length));
    return length;
  }
  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static int Create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }
  static BIO_METHOD* Make() {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "engine");
    BIO_meth_set_read(m, Read);
    BIO_meth_set_write(m, Write);
    BIO_meth_set_ctrl(m, Control);
    BIO_meth_set_create(m, Create);
    return m;
  }
  static const BIO_METHOD* Method() {
    struct Free {
      void operator()(BIO_METHOD* m) const { BIO_meth_free(m); }
    };
    static const std::unique_ptr<BIO_METHOD, Free> method(Make());
    return method.get();
  }
};

namespace {

bool IsAddress(const std::string& host) {
  unsigned char octets[16];
  return inet_pton(AF_INET, host.c_str(), octets) == 1 || inet_pton(AF_INET6, host.c_str(), octets) == 1;
}

}  // namespace

TlsEngine::TlsEngine(std::shared_ptr<const TlsContext> context, const std::string& host, Tap* tap)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  BIO* const bio = ssl_ ? BIO_new(EngineBio::Method()) : nullptr;
  if (!bio) {
    ssl_.reset();
    error_ = TlsErrorText();
    return;
  }
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_ex_data(ssl_.get(), TapIndex(), tap);
  if (context_->server()) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  SSL_set_connect_state(ssl_.get());
  if (host.empty()) return;
  if (IsAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
  } else {
    // OpenSSL's macro for this casts as C does.
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
    SSL_set1_host(ssl_.get(), host.c_str());
  }
}

TlsEngine::~TlsEngine() = default;

void TlsEngine::Feed(Octets records) {
  if (input_.empty()) {
    input_ = records;
    return;
  }
  kept_ = std::string(input_).append(records);
  input_ = kept_;
}

void TlsEngine::Keep() {
  if (input_.empty()) {
    if (kept_.capacity() > std::string().capacity()) std::string().swap(kept_);
  } else if (input_.data() < kept_.data() || input_.data() >= kept_.data() + kept_.size()) {
    kept_ = input_;
  } else {
    kept_.erase(0, static_cast<std::size_t>(input_.data() - kept_.data()));
  }
  input_ = input_.empty() ? Octets{} : Octets(kept_);
}

TlsEngine::Result TlsEngine::ResultOf(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_NONE:
      return Result::kDone;
    case SSL_ERROR_WANT_READ:
      return Result::kWantsRecords;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kEnd;
    default:
      break;
  }
  const long verdict = SSL_get_verify_result(ssl_.get());
  error_ = TlsErrorText();
  if (verdict != X509_V_OK) error_.append(": ").append(X509_verify_cert_error_string(verdict));
  return Result::kFailed;
}

TlsEngine::Result TlsEngine::Handshake() {
  if (!ssl_) return Result::kFailed;
  ERR_clear_error();
  return ResultOf(SSL_do_handshake(ssl_.get()));
}

TlsEngine::Result TlsEngine::Read(char* at, std::size_t room, std::size_t& got) {
  got = 0;
  while (got < room) {
    ERR_clear_error();
    std::size_t n = 0;
    const int returned = SSL_read_ex(ssl_.get(), at + got, room - got, &n);
    got += n;
    if (returned == 1) continue;
    const Result r = ResultOf(returned);
    // What was decrypted comes first; an end or a fault is met again by the next call.
    return got > 0 ? Result::kDone : r;
  }
  return Result::kDone;
}

TlsEngine::Result TlsEngine::Write(Octets plain) {
  if (plain.empty()) return Result::kDone;
  ERR_clear_error();
  std::size_t n = 0;
  return ResultOf(SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &n));
}

void TlsEngine::CloseNotify() {
  ERR_clear_error();
  if (ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsEngine::ReleaseOutput() { std::string().swap(output_); }

TlsInfo TlsEngine::Info() const {
  SSL* const ssl = ssl_.get();
  TlsInfo info;
  info.version = SSL_get_version(ssl);
  if (const char* cipher = SSL_get_cipher_name(ssl)) info.cipher = cipher;
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) info.server_name = name;
  const unsigned char* alpn = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &length);
  if (alpn) info.alpn = AsOctets(Bytes(alpn, length));
  info.resumed = SSL_session_reused(ssl) == 1;
  const long verdict = SSL_get_verify_result(ssl);
  info.verified = !context_->server() && context_->verifies() && verdict == X509_V_OK;
  if (!context_->server() && !info.verified)
    info.why_not = context_->verifies() ? X509_verify_cert_error_string(verdict) : "not asked for";
  return info;
}

std::string TlsEngine::PeerCertificate() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  // Of a certificate that was refused only the chain is kept.
  const STACK_OF(X509)* const chain = certificate == nullptr ? SSL_get_peer_cert_chain(ssl_.get()) : nullptr;
  if (chain != nullptr && sk_X509_num(chain) > 0) certificate = sk_X509_value(chain, 0);
  unsigned char* der = nullptr;
  const int length = certificate == nullptr ? 0 : i2d_X509(certificate, &der);
  if (length <= 0) return {};
  std::string octets(AsOctets(Bytes(der, static_cast<std::size_t>(length))));
  OPENSSL_free(der);
  return octets;
}

}  // namespace glasspost::net
