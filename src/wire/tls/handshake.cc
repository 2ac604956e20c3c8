#include "wire/tls/handshake.h"

namespace glasspost::tls {

bool ParseSsl2Hello(Bytes record, ClientHello& hello) {
  Reader r(record);
  hello = {};
  hello.ssl2 = true;
  r.Take(3);
  hello.version = r.U16();
  const std::size_t suites = r.U16();
  const std::size_t session = r.U16();
  const std::size_t challenge = r.U16();
  Reader list(r.Take(suites));
  r.Take(session);
  hello.random = r.Take(challenge);
  while (list.left() >= 3 && hello.suites.size() < kMaxSuites) {
    const std::uint8_t kind = list.U8();
    const std::uint16_t suite = list.U16();
    // SSLv2's own suites have a first octet that is not 0 and no place in the registry of TLS.
    if (kind == 0) hello.suites.push_back(suite);
  }
  return r.ok();
}

}  // namespace glasspost::tls
