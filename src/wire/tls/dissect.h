// The fields of TLS records, for a packet tree: every record that lies whole in the octets, and in plain handshake records every
// whole message. Stateless, so it is told whether the direction is encrypted already.
#pragma once

#include "wire/tls/handshake.h"
#include "wire/tls/records.h"

namespace glasspost::tls {

template <class V>
void DissectHandshake(Bytes octets, std::size_t base, V& visitor) {
  while (octets.size() >= kHandshakeHeader) {
    const std::size_t length = static_cast<std::size_t>(octets[1] << 16 | octets[2] << 8 | octets[3]);
    ReportNumber(visitor, Field::kTlsHandshakeType, {base, 1}, octets[0]);
    ReportNumber(visitor, Field::kTlsHandshakeLength, {base + 1, 3}, length);
    if (length > octets.size() - kHandshakeHeader) return;
    const Bytes body = octets.subspan(kHandshakeHeader, length);
    const std::size_t at = base + kHandshakeHeader;
    if (octets[0] == kClientHello) {
      ClientHello hello;
      ParseClientHello(body, at, hello, visitor);
    } else if (octets[0] == kServerHello) {
      ServerHello hello;
      ParseServerHello(body, at, hello, visitor);
    } else if (octets[0] == kCertificate) {
      std::vector<Bytes> chain;
      ParseCertificateList(body, at, chain, 0, visitor);
    }
    octets = octets.subspan(kHandshakeHeader + length);
    base += kHandshakeHeader + length;
  }
}

// Returns the octets that were whole records; `base` is the offset of `octets` in what the visitor counts from.
template <class V>
std::size_t DissectRecords(Bytes octets, std::size_t base, bool encrypted, V& visitor) {
  std::size_t at = 0;
  RecordHeader h;
  while (ParseRecordHeader(octets.subspan(at), h)) {
    ReportNumber(visitor, Field::kTlsRecordContentType, {base + at, 1}, h.type);
    ReportNumber(visitor, Field::kTlsRecordVersion, {base + at + 1, 2}, h.version);
    ReportNumber(visitor, Field::kTlsRecordLength, {base + at + 3, 2}, h.length);
    if (h.length > octets.size() - at - kRecordHeader) break;
    const Bytes body = octets.subspan(at + kRecordHeader, h.length);
    const std::size_t where = base + at + kRecordHeader;
    if (h.type == kChangeCipherSpec) encrypted = true;
    if (h.type == kApplicationData) Report(visitor, Field::kTlsAppData, where, body.size(), body);
    if (h.type == kHandshake && !encrypted) DissectHandshake(body, where, visitor);
    if (h.type == kAlert && !encrypted && body.size() == 2) {
      ReportNumber(visitor, Field::kTlsAlertLevel, {where, 1}, body[0]);
      ReportNumber(visitor, Field::kTlsAlertDescription, {where + 1, 1}, body[1]);
    }
    at += kRecordHeader + h.length;
  }
  return at;
}

}  // namespace glasspost::tls
