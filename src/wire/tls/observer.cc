#include "wire/tls/observer.h"

#include <algorithm>

namespace glasspost::tls {
namespace {

constexpr std::uint16_t kTls13 = 0x0304;

// Also its drafts, and Facebook's variants of them.
bool IsTls13(std::uint16_t version) { return version == kTls13 || (version >> 8) == 0x7f || (version >> 8) == 0xfb; }

bool IsKnownMessage(std::uint8_t type) {
  switch (type) {
    case kHelloRequest:
    case kClientHello:
    case kServerHello:
    case 3:  // HelloVerifyRequest (DTLS), kept by the registry
    case kNewSessionTicket:
    case 5:  // EndOfEarlyData
    case 6:  // HelloRetryRequest of the drafts
    case kEncryptedExtensions:
    case kCertificate:
    case kServerKeyExchange:
    case kCertificateRequest:
    case kServerHelloDone:
    case kCertificateVerify:
    case kClientKeyExchange:
    case kFinished:
    case 21:  // certificate_url (RFC 6066 §5)
    case kCertificateStatus:
    case 23:  // supplemental_data (RFC 4680)
    case 24:  // key_update
    case 25:  // compressed_certificate (RFC 8879)
    case 67:  // next_protocol, of the NPN draft
      return true;
    default:
      return false;
  }
}

}  // namespace

std::size_t TlsInfo::Held() const {
  std::size_t octets =
      version.size() + cipher.size() + sni.size() + alpn_chosen.size() + alert.size() + suites_offered.size() * 2;
  for (const auto* texts : {&alpn, &versions_offered})
    for (const std::string& text : *texts) octets += sizeof text + text.size();
  for (const auto* chain : {&certificates, &client_certificates})
    for (const CertificateInfo& c : *chain) octets += c.Held();
  return octets;
}

std::size_t TlsObserver::Held() const {
  std::size_t octets = sizeof *this + info_.Held();
  for (const Side& side : sides_) octets += side.splitter.held() + side.message.size();
  return octets;
}

struct TlsObserver::RecordSink {
  TlsObserver& observer;
  Direction direction;
  const Origin& origin;
  bool Wants(const RecordHeader& h) const { return observer.Wants(observer.sides_[Index(direction)], h); }
  void OnRecord(const RecordHeader& h, Bytes record) { observer.OnRecord(direction, h, record, origin); }
  void OnSkipped(const RecordHeader& h) { observer.OnSkipped(direction, h, origin); }
  void OnSsl2Hello(Bytes record) { observer.OnSsl2Hello(direction, record, origin); }
};

void TlsObserver::OnOctets(Direction direction, Octets octets, const Origin& origin) {
  if (octets.empty()) return;
  if (info_.start == kNoTime) info_.start = origin.time;
  if (!sides_[Index(direction)].splitter.Feed(octets, RecordSink{*this, direction, origin}))
    OnMalformed(direction, "no TLS record", origin);
}

void TlsObserver::OnGap(Direction direction, std::uint64_t length, const Origin& origin) {
  Side& side = sides_[Index(direction)];
  side.splitter.Skip(length);
  side.message.clear();
  side.message_skip = 0;
  side.stray = true;
  if (decryptor_ != nullptr) decryptor_->OnLostRecord(Role(direction), !side.splitter.lost());
  if (decryptor_ != nullptr && sink_ != nullptr && info_.encrypted) sink_->OnPlainGap(direction, origin);
}

void TlsObserver::OnEnd(const Origin& /*origin*/, bool /*reset*/) {
  for (Side& side : sides_) side.message.clear();
}

bool TlsObserver::Wants(const Side& side, const RecordHeader& h) const {
  if (decryptor_ != nullptr) return true;
  return !side.ciphered && (h.type == kHandshake || h.type == kAlert);
}

// What the mere type of a record says.
void TlsObserver::NoteType(Direction d, const RecordHeader& h, const Origin& origin) {
  Side& side = sides_[Index(d)];
  ++info_.records;
  if (h.type == kApplicationData) {
    side.ciphered = true;
    OnEncrypted(origin);
  } else if (h.type == kChangeCipherSpec) {
    // In TLS 1.3 it means nothing (RFC 8446 §D.4): a second ClientHello may follow it. Before, its sender's next is encrypted.
    if (!IsTls13(version_)) side.ciphered = true;
    OnEncrypted(origin);
  }
}

void TlsObserver::OnSkipped(Direction d, const RecordHeader& h, const Origin& origin) { NoteType(d, h, origin); }

void TlsObserver::OnRecord(Direction d, const RecordHeader& h, Bytes record, const Origin& origin) {
  Side& side = sides_[Index(d)];
  const bool ciphered = side.ciphered;
  NoteType(d, h, origin);
  const Bytes body = record.subspan(kRecordHeader);
  if (!ciphered && h.type == kHandshake) OnHandshakeOctets(d, body, origin);
  if (!ciphered && h.type == kAlert) OnAlert(d, body);
  if (decryptor_ == nullptr) return;
  const Octets plain = decryptor_->OnRecord(Role(d), AsOctets(record), origin);
  OnDecrypted(d, plain, origin);
}

void TlsObserver::OnDecrypted(Direction d, Octets plain, const Origin& origin) {
  if (plain.empty()) return;
  info_.decrypted = true;
  if (sink_ != nullptr) sink_->OnPlainOctets(d, plain, origin);
}

void TlsObserver::OnSsl2Hello(Direction d, Bytes record, const Origin& origin) {
  ++info_.records;
  ClientHello hello;
  if (!ParseSsl2Hello(record, hello)) OnMalformed(d, "SSLv2 ClientHello", origin);
  OnClientHello(d, hello);
  if (decryptor_ != nullptr) decryptor_->OnRecord(Role(d), AsOctets(record), origin);
}

// Messages may share a record and may cross records (RFC 8446 §5.1).
void TlsObserver::OnHandshakeOctets(Direction d, Bytes octets, const Origin& origin) {
  Side& side = sides_[Index(d)];
  if (side.stray) {
    // After a gap this may be the middle of a message: only what looks like a beginning is taken.
    const bool begins = octets.size() >= kHandshakeHeader && IsKnownMessage(octets[0]) &&
                        (Load16(&octets[1]) << 8 | octets[3]) + kHandshakeHeader <= octets.size();
    if (!begins) return;
    side.stray = false;
  }
  while (!octets.empty()) {
    if (side.message_skip > 0) {
      const std::size_t n = std::min(side.message_skip, octets.size());
      side.message_skip -= n;
      octets = octets.subspan(n);
      continue;
    }
    const std::size_t taken = TakeMessage(d, octets, origin);
    if (taken == 0) return;
    octets = octets.subspan(taken);
  }
}

// Takes octets of one message; 0 if this is no handshake (then the rest of the record means nothing).
std::size_t TlsObserver::TakeMessage(Direction d, Bytes octets, const Origin& origin) {
  Side& side = sides_[Index(d)];
  const std::size_t had = side.message.size();
  if (had < kHandshakeHeader && had + octets.size() < kHandshakeHeader) {
    side.message.append(AsOctets(octets));
    return octets.size();
  }
  std::uint8_t head[kHandshakeHeader];
  for (std::size_t i = 0; i < kHandshakeHeader; ++i)
    head[i] = i < had ? static_cast<std::uint8_t>(side.message[i]) : octets[i - had];
  const std::size_t whole = static_cast<std::size_t>(head[1] << 16 | head[2] << 8 | head[3]) + kHandshakeHeader;
  if (!IsKnownMessage(head[0])) {
    side.message.clear();
    // After a ChangeCipherSpec that was not captured, encrypted messages look like this.
    if (!info_.encrypted) OnMalformed(d, "unknown handshake message", origin);
    return 0;
  }
  if (whole > limits_.handshake_message + kHandshakeHeader) {
    side.message.clear();
    const std::size_t n = std::min(whole - had, octets.size());
    side.message_skip = whole - had - n;
    return n;
  }
  if (had == 0 && octets.size() >= whole) {
    OnMessage(d, octets.first(whole), origin);
    return whole;
  }
  const std::size_t n = std::min(whole - had, octets.size());
  side.message.append(AsOctets(octets.first(n)));
  if (side.message.size() == whole) {
    OnMessage(d, AsBytes(side.message), origin);
    side.message.clear();
  }
  return n;
}

void TlsObserver::OnMessage(Direction d, Bytes message, const Origin& origin) {
  Side& side = sides_[Index(d)];
  if (++side.messages > limits_.handshake_messages) return;
  const Bytes body = message.subspan(kHandshakeHeader);
  NoFields none;
  if (message[0] == kClientHello) {
    ClientHello hello;
    if (!ParseClientHello(body, 0, hello, none)) OnMalformed(d, "ClientHello", origin);
    OnClientHello(d, hello);
  } else if (message[0] == kServerHello) {
    ServerHello hello;
    if (!ParseServerHello(body, 0, hello, none)) OnMalformed(d, "ServerHello", origin);
    if (!info_.client_hello_seen) info_.swapped = d == Direction::kToServer;
    OnServerHello(hello);
    if (IsTls13(version_) && !hello.retry) side.ciphered = true;
  } else if (message[0] == kCertificate && !IsTls13(version_)) {
    OnCertificates(d, body, origin);
  }
}

void TlsObserver::OnClientHello(Direction d, const ClientHello& hello) {
  // A second one follows a retry, or renegotiates: the first said what the client wants.
  if (info_.client_hello_seen) return;
  info_.client_hello_seen = true;
  info_.swapped = d == Direction::kToClient;
  info_.ssl2_hello = hello.ssl2;
  info_.sni = hello.server_name;
  info_.alpn = hello.alpn;
  info_.suites_offered = hello.suites;
  for (const std::uint16_t v : hello.versions) info_.versions_offered.push_back(VersionName(v));
  if (hello.versions.empty()) info_.versions_offered.push_back(VersionName(hello.version));
}

void TlsObserver::OnServerHello(const ServerHello& hello) {
  info_.retried = info_.retried || hello.retry;
  if (info_.server_hello_seen) return;
  version_ = hello.version;
  info_.version = VersionName(hello.version);
  info_.cipher = CipherName(hello.suite);
  info_.alpn_chosen = hello.alpn;
  info_.server_hello_seen = !hello.retry;
}

void TlsObserver::OnCertificates(Direction d, Bytes body, const Origin& origin) {
  auto& out = Role(d) == Direction::kToClient ? info_.certificates : info_.client_certificates;
  if (!out.empty()) return;
  std::vector<Bytes> chain;
  NoFields none;
  if (!ParseCertificateList(body, 0, chain, limits_.certificates, none)) OnMalformed(d, "Certificate", origin);
  for (const Bytes der : chain) {
    CertificateInfo certificate;
    if (ParseCertificate(der, certificate))
      out.push_back(std::move(certificate));
    else
      OnMalformed(d, "X.509 certificate", origin);
  }
}

void TlsObserver::OnAlert(Direction d, Bytes body) {
  if (body.size() != 2 || (body[0] != 1 && body[0] != 2)) return;  // encrypted
  const bool fatal = body[0] == 2;
  if (!info_.alert.empty() && (!fatal || info_.alert.starts_with("fatal"))) return;
  const std::string_view name = AlertName(body[1]);
  info_.alert = (fatal ? "fatal " : "warning ") + (name.empty() ? std::to_string(body[1]) : std::string(name));
  info_.alert_from = Role(d);
}

void TlsObserver::OnEncrypted(const Origin& origin) {
  if (info_.encrypted) return;
  info_.encrypted = true;
  if (sink_ != nullptr) sink_->OnEncrypted(origin);
}

void TlsObserver::OnMalformed(Direction d, const char* what, const Origin& origin) {
  info_.malformed = true;
  Side& side = sides_[Index(d)];
  if (side.reported) return;
  side.reported = true;
  if (sink_ != nullptr) sink_->OnFinding(Finding{FindingId::kMalformedTls, 0, origin, what});
}

}  // namespace glasspost::tls
