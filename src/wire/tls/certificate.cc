#include "wire/tls/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>

namespace glasspost::tls {
namespace {

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
  void operator()(unsigned char* p) const { OPENSSL_free(p); }
};

std::string NameText(const X509_NAME* name) {
  const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || name == nullptr) return {};
  // UTF-8 stays UTF-8; what is unprintable is escaped when it is shown, as all that peers sent.
  if (X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  return n > 0 ? std::string(data, std::min(static_cast<std::size_t>(n), kMaxNameOctets)) : std::string();
}

std::string CommonName(const X509_NAME* name) {
  const int at = name == nullptr ? -1 : X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (n < 0) return {};
  const std::unique_ptr<unsigned char, Free> owner(utf8);
  return std::string(reinterpret_cast<const char*>(utf8), std::min(static_cast<std::size_t>(n), kMaxNameOctets));
}

std::int64_t Seconds(const ASN1_TIME* time) {
  std::tm tm{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &tm) != 1) return 0;
  const std::chrono::sys_days day = std::chrono::year(tm.tm_year + 1900) / (tm.tm_mon + 1) / tm.tm_mday;
  return std::chrono::seconds(day.time_since_epoch()).count() + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
}

std::string AddressText(Bytes a) {
  std::string out;
  if (a.size() == 4) {
    for (const std::uint8_t b : a) out += (out.empty() ? "" : ".") + std::to_string(b);
  } else if (a.size() == 16) {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < 16; i += 2) {
      const std::uint16_t v = Load16(&a[i]);
      if (i > 0) out.push_back(':');
      bool begun = false;
      for (int shift = 12; shift >= 0; shift -= 4) {
        const int digit = (v >> shift) & 15;
        begun = begun || digit != 0 || shift == 0;
        if (begun) out.push_back(kDigits[digit]);
      }
    }
  }
  return out;
}

void ReadNames(const X509* x, std::vector<std::string>& out) {
  const std::unique_ptr<GENERAL_NAMES, Free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()) && out.size() < kMaxCertificateNames; ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (value == nullptr || (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI && type != GEN_IPADD)) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    const Bytes octets(ASN1_STRING_get0_data(text), static_cast<std::size_t>(std::max(0, ASN1_STRING_length(text))));
    std::string name = type == GEN_IPADD ? AddressText(octets) : std::string(AsOctets(octets).substr(0, kMaxNameOctets));
    if (!name.empty()) out.push_back(std::move(name));
  }
}

using Parsed = std::unique_ptr<X509, Free>;
Parsed Parse(Bytes der) {
  const unsigned char* at = der.data();
  Parsed x(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (x == nullptr) ERR_clear_error();
  return x;
}

}  // namespace

bool ParseCertificate(Bytes der, CertificateInfo& info) {
  info = {};
  const Parsed x = Parse(der);
  if (x == nullptr) return false;
  info.subject = NameText(X509_get_subject_name(x.get()));
  info.common_name = CommonName(X509_get_subject_name(x.get()));
  info.issuer = NameText(X509_get_issuer_name(x.get()));
  ReadNames(x.get(), info.names);
  info.not_before = Seconds(X509_get0_notBefore(x.get()));
  info.not_after = Seconds(X509_get0_notAfter(x.get()));
  ERR_clear_error();
  return true;
}

bool ParseStrength(Bytes der, CertificateStrength& strength) {
  strength = {};
  const Parsed x = Parse(der);
  if (x == nullptr) return false;
  if (const EVP_PKEY* const key = X509_get0_pubkey(x.get())) {
    if (const char* const name = EVP_PKEY_get0_type_name(key)) strength.key = name;
    strength.key_bits = EVP_PKEY_get_bits(key);
    strength.security_bits = EVP_PKEY_get_security_bits(key);
  }
  X509_get_signature_info(x.get(), nullptr, nullptr, &strength.signature_bits, nullptr);
  if (const char* const name = OBJ_nid2ln(X509_get_signature_nid(x.get()))) strength.signature = name;
  strength.self_issued = X509_NAME_cmp(X509_get_subject_name(x.get()), X509_get_issuer_name(x.get())) == 0;
  ERR_clear_error();
  return true;
}

bool IsCertificateFor(Bytes der, const std::string& host) {
  const Parsed x = Parse(der);
  if (x == nullptr) return false;
  const bool named = X509_check_host(x.get(), host.data(), host.size(), 0, nullptr) == 1;
  const bool addressed = named || X509_check_ip_asc(x.get(), host.c_str(), 0) == 1;
  ERR_clear_error();
  return addressed;
}

}  // namespace glasspost::tls
