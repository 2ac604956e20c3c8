// TLS from any octets: the first octet says how they are cut and which side speaks; a second reading in one piece must tell the
// same.
#include <cstdint>

#include "support/require.h"
#include "wire/tls/dissect.h"
#include "wire/tls/observer.h"

namespace {

using namespace glasspost;
using glasspost::test::Require;

struct RangeCheck {
  static constexpr bool kWanted = true;
  std::size_t size;
  void operator()(Field, OctetRange r, const FieldValue&) const { Require(r.offset <= size && r.length <= size - r.offset); }
};

tls::TlsInfo Read(Octets octets, std::size_t chunk, std::size_t turn) {
  tls::TlsObserver observer;
  // The side changes at the same place whatever the chunk is.
  for (std::size_t at = 0; at < octets.size();) {
    const std::size_t side_end = turn == 0 ? octets.size() : std::min(octets.size(), (at / turn + 1) * turn);
    const std::size_t n = std::min(chunk, side_end - at);
    const bool server = turn != 0 && (at / turn) % 2 == 1;
    observer.OnOctets(server ? Direction::kToClient : Direction::kToServer, octets.substr(at, n), Origin{1, 1});
    at += n;
  }
  observer.OnEnd(Origin{2, 2}, false);
  return observer.info();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t chunk = 1 + data[0] % 37;
  const std::size_t turn = data[1] * std::size_t{8};
  const Octets octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const tls::TlsInfo whole = Read(octets, octets.size() + 1, turn);
  const tls::TlsInfo pieces = Read(octets, chunk, turn);
  Require(whole.version == pieces.version && whole.cipher == pieces.cipher && whole.sni == pieces.sni &&
          whole.alpn == pieces.alpn);
  Require(whole.alert == pieces.alert && whole.malformed == pieces.malformed && whole.records == pieces.records);
  Require(whole.certificates.size() == pieces.certificates.size() && whole.encrypted == pieces.encrypted);
  RangeCheck check{octets.size()};
  tls::DissectRecords(AsBytes(octets), 0, false, check);
  // What is surely (no) TLS stays so, whatever follows.
  const tls::Likeness likeness = tls::LooksLikeTls(octets);
  for (std::size_t n = 0; n < octets.size() && n < 16; ++n) {
    const tls::Likeness l = tls::LooksLikeTls(octets.substr(0, n));
    Require(l == tls::Likeness::kMore || l == likeness);
  }
  return 0;
}
