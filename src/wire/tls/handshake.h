// TLS handshake messages that pass in the clear (RFC 8446 §4, RFC 5246 §7.4, SNI RFC 6066 §3, ALPN RFC 7301): ClientHello,
// ServerHello, and up to TLS 1.2 the Certificate message. Each parser reads one whole message body, trusts no length in it, and
// can report its fields; `base` is the body's offset in whatever the visitor counts from. Views live as long as the body.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/field.h"
#include "base/octets.h"
#include "wire/tls/names.h"

namespace glasspost::tls {

enum HandshakeType : std::uint8_t {
  kHelloRequest = 0,
  kClientHello = 1,
  kServerHello = 2,
  kNewSessionTicket = 4,
  kEncryptedExtensions = 8,
  kCertificate = 11,
  kServerKeyExchange = 12,
  kCertificateRequest = 13,
  kServerHelloDone = 14,
  kCertificateVerify = 15,
  kClientKeyExchange = 16,
  kFinished = 20,
  kCertificateStatus = 22,
};
inline constexpr std::size_t kHandshakeHeader = 4;

// A cursor that never leaves its octets: past the end it gives zeros and empty views, and ok() stays false.
class Reader {
 public:
  explicit Reader(Bytes b, std::size_t base = 0) : bytes_(b), base_(base) {}
  bool ok() const { return ok_; }
  std::size_t left() const { return bytes_.size() - at_; }
  std::size_t offset() const { return base_ + at_; }
  std::uint32_t Number(std::size_t octets) {
    std::uint32_t v = 0;
    for (const std::uint8_t b : Take(octets)) v = v << 8 | b;
    return v;
  }
  std::uint8_t U8() { return static_cast<std::uint8_t>(Number(1)); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Number(2)); }
  Bytes Take(std::size_t n) {
    if (n > left()) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    at_ += n;
    return bytes_.subspan(at_ - n, n);
  }
  // A vector with a length of `octets` octets before it.
  Reader Vector(std::size_t octets) {
    const std::size_t n = Number(octets);
    const std::size_t start = offset();
    return Reader(Take(n), start);
  }
  Bytes Rest() { return Take(left()); }

 private:
  Bytes bytes_;
  std::size_t base_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

// Bounds of what is kept of a hello: they stop a message full of two-octet items from becoming a large structure.
inline constexpr std::size_t kMaxSuites = 512;
inline constexpr std::size_t kMaxVersions = 32;
inline constexpr std::size_t kMaxAlpn = 32;
inline constexpr std::size_t kMaxServerName = 255;  // RFC 1035 §2.3.4
inline constexpr std::size_t kMaxExtensions = 256;

struct ClientHello {
  std::uint16_t version = 0;            // legacy_version
  std::vector<std::uint16_t> versions;  // supported_versions, in the client's order, GREASE left out; else empty
  std::vector<std::uint16_t> suites;    // GREASE left out
  std::string server_name;
  std::vector<std::string> alpn;
  Bytes random;
  bool ssl2 = false;  // came in SSLv2's framing
};

struct ServerHello {
  std::uint16_t version = 0;  // chosen: supported_versions if it is there, else legacy_version
  std::uint16_t suite = 0;
  std::string alpn;  // up to TLS 1.2; later it is encrypted
  Bytes random;
  bool retry = false;  // HelloRetryRequest (RFC 8446 §4.1.3)
};

inline constexpr std::uint8_t kRetryRandom[32] = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
                                                  0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
                                                  0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

namespace detail {

enum Extension : std::uint16_t { kServerName = 0, kAlpn = 16, kSupportedVersions = 43 };

template <class V>
bool ReadServerName(Reader r, std::string& out, V& visitor) {
  if (r.left() == 0) return true;  // a server's answer is empty
  const std::size_t start = r.offset();
  Reader list = r.Vector(2);
  if (list.ok()) ReportNumber(visitor, Field::kTlsHandshakeServerNameListLength, {start, 2}, list.left());
  while (list.ok() && list.left() > 0) {
    const std::uint8_t type = list.U8();
    Reader name = list.Vector(2);
    const std::size_t at = name.offset();
    if (type == 0 && list.ok()) ReportNumber(visitor, Field::kTlsHandshakeServerNameLength, {at - 2, 2}, name.left());
    const Octets text = AsOctets(name.Rest());
    if (type != 0 || !list.ok() || !out.empty()) continue;
    Report(visitor, Field::kTlsHandshakeServerName, at, text.size(), text);
    out = text.substr(0, kMaxServerName);
  }
  return r.ok() && list.ok();
}

template <class V>
bool ReadAlpn(Reader r, std::vector<std::string>& out, V& visitor) {
  Reader list = r.Vector(2);
  while (list.ok() && list.left() > 0) {
    Reader name = list.Vector(1);
    const std::size_t at = name.offset();
    const Octets text = AsOctets(name.Rest());
    if (!list.ok() || out.size() >= kMaxAlpn) break;
    Report(visitor, Field::kTlsHandshakeAlpn, at, text.size(), text);
    if (text.size() == 2 && IsGrease(Load16(AsBytes(text).data()))) continue;
    out.emplace_back(text);
  }
  return r.ok() && list.ok();
}

// Calls each(type, reader of the extension's data) for every extension of the block that ends `r`; stops when it answers false.
template <class V, class Each>
bool ReadExtensions(Reader& r, V& visitor, Each&& each) {
  if (r.left() == 0) return true;  // RFC 5246 §7.4.1.2: the block may be absent
  const std::size_t start = r.offset();
  Reader block = r.Vector(2);
  if (!r.ok()) return false;
  ReportNumber(visitor, Field::kTlsHandshakeExtensionsLength, {start, 2}, block.left());
  for (std::size_t n = 0; block.ok() && block.left() > 0 && n < kMaxExtensions; ++n) {
    const std::size_t at = block.offset();
    const std::uint16_t type = block.U16();
    Reader data = block.Vector(2);
    if (!block.ok()) return false;
    ReportNumber(visitor, Field::kTlsHandshakeExtensionType, {at, 2}, type);
    ReportNumber(visitor, Field::kTlsHandshakeExtensionLength, {at + 2, 2}, data.left());
    if (!each(type, data)) return false;
  }
  return block.ok();
}

template <class V>
bool ReadVersions(Reader r, std::vector<std::uint16_t>& out, V& visitor) {
  Reader list = r.Vector(1);
  while (list.left() >= 2 && out.size() < kMaxVersions) {
    const std::size_t at = list.offset();
    const std::uint16_t v = list.U16();
    ReportNumber(visitor, Field::kTlsHandshakeSupportedVersion, {at, 2}, v);
    if (!IsGrease(v)) out.push_back(v);
  }
  return r.ok() && list.ok();
}

template <class V>
void ReadRandom(Reader& r, Bytes& out, V& visitor) {
  const std::size_t at = r.offset();
  out = r.Take(32);
  if (!r.ok()) return;
  Report(visitor, Field::kTlsHandshakeRandom, at, out.size(), out);
  Reader session = r.Vector(1);
  const std::size_t where = session.offset();
  const Bytes id = session.Rest();
  if (!id.empty()) Report(visitor, Field::kTlsHandshakeSessionId, where, id.size(), id);
}

}  // namespace detail

// False: the body is malformed; `hello` holds what was read before the fault.
template <class V>
bool ParseClientHello(Bytes body, std::size_t base, ClientHello& hello, V& visitor) {
  Reader r(body, base);
  hello = {};
  hello.version = r.U16();
  if (!r.ok()) return false;
  ReportNumber(visitor, Field::kTlsHandshakeVersion, {base, 2}, hello.version);
  detail::ReadRandom(r, hello.random, visitor);
  Reader suites = r.Vector(2);
  if (!r.ok() || suites.left() % 2 != 0) return false;
  while (suites.left() >= 2 && hello.suites.size() < kMaxSuites) {
    const std::size_t at = suites.offset();
    const std::uint16_t suite = suites.U16();
    ReportNumber(visitor, Field::kTlsHandshakeCipherSuite, {at, 2}, suite);
    if (!IsGrease(suite)) hello.suites.push_back(suite);
  }
  Reader compression = r.Vector(1);
  while (compression.left() > 0) {
    const std::size_t at = compression.offset();
    ReportNumber(visitor, Field::kTlsHandshakeCompression, {at, 1}, compression.U8());
  }
  return r.ok() && detail::ReadExtensions(r, visitor, [&](std::uint16_t type, Reader data) {
           if (type == detail::kServerName) return detail::ReadServerName(data, hello.server_name, visitor);
           if (type == detail::kAlpn) return detail::ReadAlpn(data, hello.alpn, visitor);
           return type != detail::kSupportedVersions || detail::ReadVersions(data, hello.versions, visitor);
         });
}

template <class V>
bool ParseServerHello(Bytes body, std::size_t base, ServerHello& hello, V& visitor) {
  Reader r(body, base);
  hello = {};
  hello.version = r.U16();
  if (!r.ok()) return false;
  ReportNumber(visitor, Field::kTlsHandshakeVersion, {base, 2}, hello.version);
  detail::ReadRandom(r, hello.random, visitor);
  hello.retry = hello.random.size() == 32 && std::memcmp(hello.random.data(), kRetryRandom, 32) == 0;
  const std::size_t at = r.offset();
  hello.suite = r.U16();
  const std::uint8_t compression = r.U8();
  if (!r.ok()) return false;
  ReportNumber(visitor, Field::kTlsHandshakeCipherSuite, {at, 2}, hello.suite);
  ReportNumber(visitor, Field::kTlsHandshakeCompression, {at + 2, 1}, compression);
  return detail::ReadExtensions(r, visitor, [&](std::uint16_t type, Reader data) {
    if (type == detail::kSupportedVersions && data.left() == 2) {
      const std::size_t where = data.offset();
      hello.version = data.U16();
      ReportNumber(visitor, Field::kTlsHandshakeSupportedVersion, {where, 2}, hello.version);
    }
    if (type == detail::kAlpn) {
      std::vector<std::string> chosen;
      if (!detail::ReadAlpn(data, chosen, visitor)) return false;
      if (!chosen.empty()) hello.alpn = std::move(chosen.front());
    }
    return true;
  });
}

// The DER certificates of a Certificate message up to TLS 1.2, in their order; at most `limit` of them.
template <class V>
bool ParseCertificateList(Bytes body, std::size_t base, std::vector<Bytes>& out, std::size_t limit, V& visitor) {
  Reader r(body, base);
  Reader list = r.Vector(3);
  out.clear();
  while (r.ok() && list.ok() && list.left() > 0) {
    const std::size_t at = list.offset();
    Reader certificate = list.Vector(3);
    if (!list.ok()) return false;
    const Bytes der = certificate.Rest();
    ReportNumber(visitor, Field::kTlsHandshakeCertificateLength, {at, 3}, der.size());
    Report(visitor, Field::kTlsHandshakeCertificate, at + 3, der.size(), der);
    if (out.size() < limit) out.push_back(der);
  }
  return r.ok() && list.ok();
}

// SSLv2's ClientHello, from its two octets of length on (RFC 5246 §E.2).
bool ParseSsl2Hello(Bytes record, ClientHello& hello);

}  // namespace glasspost::tls
