#include "net/self_signed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/disk.h"

namespace glasspost::net {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* t) const {
    kFree(t);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using MemoryBio = std::unique_ptr<BIO, Free<BIO_free_all>>;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDaySeconds = 86'400;

std::string Pem(BIO* bio) {
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(bio, &memory);
  return {memory->data, memory->length};
}

bool AddExtension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// "DNS:localhost.test, IP:127.0.0.1"
std::string AlternativeNames(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) {
    unsigned char octets[16];
    const bool address = inet_pton(AF_INET, name.c_str(), octets) == 1 || inet_pton(AF_INET6, name.c_str(), octets) == 1;
    all.append(all.empty() ? "" : ",").append(address ? "IP:" : "DNS:").append(name);
  }
  return all;
}

// A name with a comma or the like would say something else to OpenSSL's configuration language.
bool IsName(const std::string& name) {
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::strchr(".-_:*", c) == nullptr) return false;
  return !name.empty();
}

Certificate MakeCertificate(EVP_PKEY* key, const SelfSignedOptions& options, const Clock& clock) {
  Certificate made(X509_new());
  if (!made) return nullptr;
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return nullptr;
  const auto now = static_cast<std::time_t>(clock.Now() / kSecond);
  X509* const x = made.get();
  bool good = X509_set_version(x, 2) == 1;
  good = good && ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1 | 1) == 1;
  good = good && ASN1_TIME_set(X509_getm_notBefore(x), now - kDaySeconds) != nullptr;
  good = good && ASN1_TIME_set(X509_getm_notAfter(x), now + options.days * kDaySeconds) != nullptr;
  good = good && X509_set_pubkey(x, key) == 1;
  X509_NAME* const subject = X509_get_subject_name(x);
  const std::string common = options.names.front().substr(0, 64);  // X.520's bound
  good = good && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, AsBytes(common).data(), -1, -1, 0) == 1;
  good = good && X509_set_issuer_name(x, subject) == 1;
  good = good && AddExtension(x, NID_subject_alt_name, AlternativeNames(options.names));
  good = good && AddExtension(x, NID_basic_constraints, "critical,CA:FALSE");
  good = good && AddExtension(x, NID_key_usage, "critical,digitalSignature");
  good = good && AddExtension(x, NID_ext_key_usage, "serverAuth");
  good = good && AddExtension(x, NID_subject_key_identifier, "hash");
  return good && X509_sign(x, key, EVP_sha256()) > 0 ? std::move(made) : nullptr;
}

// False: another name's, or it has run out.
bool StillGood(const std::string& file, const std::string& name, const Clock& clock) {
  const MemoryBio in(BIO_new_file(file.c_str(), "r"));
  const Certificate certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return true;
  std::time_t now = static_cast<std::time_t>(clock.Now() / kSecond);
  if (X509_cmp_time(X509_get0_notAfter(certificate.get()), &now) < 0) return false;
  return X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) == 1 ||
         X509_check_ip_asc(certificate.get(), name.c_str(), 0) == 1;
}

}  // namespace

Expected<bool> EnsureSelfSigned(const KeyPairFiles& files, const SelfSignedOptions& options, const Clock& clock) {
  std::error_code ignored;
  if (options.names.empty()) return Fail("a certificate needs a name");
  const bool there = std::filesystem::exists(files.key, ignored) && std::filesystem::exists(files.certificate, ignored);
  if (there && StillGood(files.certificate, options.names.front(), clock)) return false;
  for (const std::string& name : options.names)
    if (!IsName(name)) return Fail("\"" + name + "\" is no name for a certificate");
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? MakeCertificate(key.get(), options, clock) : nullptr;
  if (!certificate) return Fail("no certificate can be made: " + TlsErrorText());
  const MemoryBio key_pem(BIO_new(BIO_s_mem()));
  const MemoryBio certificate_pem(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1)
    return Fail("no certificate can be made: " + TlsErrorText());
  // The key between: a certificate whose key is not there would be made anew, a key alone too.
  if (there) {
    if (::unlink(files.certificate.c_str()) != 0) return SystemError("cannot be replaced", files.certificate);
    const auto gone = SyncFolder(std::filesystem::path(files.certificate).parent_path().string());
    if (!gone) return std::unexpected(gone.error());
  }
  if (auto written = WriteWhole(files.key, Pem(key_pem.get())); !written) return std::unexpected(written.error());
  if (auto written = WriteWhole(files.certificate, Pem(certificate_pem.get())); !written) return std::unexpected(written.error());
  return true;
}

}  // namespace glasspost::net
