#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

#include "base/tap.h"

namespace glasspost::net {
namespace {

constexpr std::size_t kLongestAlpn = 255;

void LogKey(const SSL* ssl, const char* line) {
  if (auto* tap = static_cast<Tap*>(SSL_get_ex_data(ssl, TapIndex()))) tap->OnTlsSecrets(line);
}

Expected<SslContext> NewContext(bool server) {
  SslContext context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  if (!context) return Fail("TLS cannot be set up: " + TlsErrorText());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // A connection that is silent keeps no buffers; none keeps a session.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_keylog_callback(context.get(), LogKey);
  return context;
}

// What the system says of a file says more than "system lib".
std::string ReadError() {
  const int system = errno;
  const unsigned long error = ERR_peek_error();
  if (error == 0 || !ERR_SYSTEM_ERROR(error)) return TlsErrorText();
  ERR_clear_error();
  return std::strerror(ERR_GET_REASON(error) != 0 ? ERR_GET_REASON(error) : system);
}

Expected<SslContext> NewPair(const KeyPairFiles& files) {
  Expected<SslContext> context = NewContext(true);
  if (!context) return context;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context->get(), files.certificate.c_str()) != 1)
    return Fail("no certificate can be read: " + ReadError(), files.certificate, "give a PEM file, the chain in order");
  if (SSL_CTX_use_PrivateKey_file(context->get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    // It was read, and OpenSSL holds it against the certificate at once.
    const unsigned long error = ERR_peek_error();
    const int why = ERR_GET_LIB(error) == ERR_LIB_X509 ? ERR_GET_REASON(error) : 0;
    if (why == X509_R_KEY_VALUES_MISMATCH || why == X509_R_KEY_TYPE_MISMATCH) {
      ERR_clear_error();
      return Fail("the key is not the one of the certificate " + files.certificate, files.key,
                  "give the two that belong together");
    }
    return Fail("no key can be read: " + ReadError(), files.key, "give the PEM file of the certificate's key");
  }
  if (SSL_CTX_check_private_key(context->get()) != 1) return Fail("the key is not the certificate's", files.key);
  return context;
}

std::string AlpnOctets(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kLongestAlpn) continue;
    out += static_cast<char>(name.size());
    out += name;
  }
  return out;
}

}  // namespace

std::string TlsErrorText() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason ? reason : "no reason given";
  if (ERR_SYSTEM_ERROR(code)) text = std::strerror(ERR_GET_REASON(code));
  ERR_clear_error();
  return text;
}

int TapIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

Expected<std::shared_ptr<const TlsContext>> TlsContext::ForServer(const TlsServerOptions& options) {
  if (options.pairs.empty()) return Fail("TLS needs a certificate and its key");
  std::shared_ptr<TlsContext> made(new TlsContext(true));
  made->alpn_ = AlpnOctets(options.alpn);
  for (const KeyPairFiles& files : options.pairs) {
    Expected<SslContext> pair = NewPair(files);
    if (!pair) return std::unexpected(pair.error());
    // On each: once a pair is chosen its context is the one that is asked.
    if (!made->alpn_.empty()) SSL_CTX_set_alpn_select_cb(pair->get(), ChooseAlpn, made.get());
    made->pairs_.push_back(std::move(*pair));
  }
  SSL_CTX* const first = made->get();
  // OpenSSL's macro for this casts as C does.
  SSL_CTX_callback_ctrl(first, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(ChoosePair));
  SSL_CTX_set_tlsext_servername_arg(first, made.get());
  return made;
}

Expected<std::shared_ptr<const TlsContext>> TlsContext::ForClient(const TlsClientOptions& options) {
  Expected<SslContext> context = NewContext(false);
  if (!context) return std::unexpected(context.error());
  std::shared_ptr<TlsContext> made(new TlsContext(false));
  if (options.only != 0) {
    SSL_CTX_set_min_proto_version(context->get(), options.only);
    SSL_CTX_set_max_proto_version(context->get(), options.only);
    if (options.only < TLS1_2_VERSION) SSL_CTX_set_security_level(context->get(), 0);
  }
  made->verify_ = options.verify;
  made->alpn_ = AlpnOctets(options.alpn);
  if (options.verify) {
    const int loaded = options.authorities.empty() ? SSL_CTX_set_default_verify_paths(context->get())
                                                   : SSL_CTX_load_verify_file(context->get(), options.authorities.c_str());
    if (loaded != 1) return Fail("no authorities can be read: " + TlsErrorText(), options.authorities);
    // Without insisting, the chain is looked at all the same.
    SSL_CTX_set_verify(context->get(), options.insist ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  }
  if (!made->alpn_.empty())
    SSL_CTX_set_alpn_protos(context->get(), AsBytes(made->alpn_).data(), static_cast<unsigned>(made->alpn_.size()));
  made->pairs_.push_back(std::move(*context));
  return made;
}

int TlsContext::ChoosePair(SSL* ssl, int*, void* self) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (!name) return SSL_TLSEXT_ERR_NOACK;
  for (const SslContext& pair : static_cast<const TlsContext*>(self)->pairs_) {
    if (X509_check_host(SSL_CTX_get0_certificate(pair.get()), name, 0, 0, nullptr) != 1) continue;
    if (SSL_get_SSL_CTX(ssl) != pair.get()) SSL_set_SSL_CTX(ssl, pair.get());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

int TlsContext::ChooseAlpn(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned in_length,
                           void* self) {
  const Bytes ours = AsBytes(static_cast<const TlsContext*>(self)->alpn_);
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, length, ours.data(), static_cast<unsigned>(ours.size()), in, in_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Expected<void> ReloadableTls::Load(const TlsServerOptions& options) {
  auto made = TlsContext::ForServer(options);
  if (!made) return std::unexpected(made.error());
  const std::lock_guard lock(mutex_);
  context_ = std::move(*made);
  return {};
}

std::shared_ptr<const TlsContext> ReloadableTls::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

}  // namespace glasspost::net
