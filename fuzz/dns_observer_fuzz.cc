// DNS conversations from any octets: the input is a list of pieces (two octets of length and direction, then the octets). Over
// TCP the same octets in one piece and in many give the same exchanges; over UDP nothing does harm. Exchanges come in the order
// of their numbers.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/require.h"
#include "wire/dns/observer.h"

namespace {

using namespace glasspost;
using glasspost::test::Require;

class Recorder final : public ObserverSink {
 public:
  void OnExchange(const Exchange& e) override {
    Require(e.number == ++count_);
    Require(e.has_request || e.has_reply);
    Require(e.has_request == (e.query != nullptr) && e.has_reply == (e.response != nullptr));
    told += e.request.verb + ' ' + e.request.argument + '\n' + e.reply.status + '\n' + e.reply.text + '\n';
    told += std::to_string(e.request.span.offset) + ' ' + std::to_string(e.reply.span.offset) + '\n';
  }
  void OnMessageStart(Direction, std::uint64_t, const Envelope&) override { std::abort(); }
  void OnMessageOctets(Direction, Octets) override { std::abort(); }
  void OnMessageGap(Direction, std::uint64_t) override { std::abort(); }
  void OnMessageEnd(Direction, const MessageEnd&) override { std::abort(); }
  void OnFinding(const Finding& f) override { told += f.detail + '\n'; }
  void OnTlsStart(const Origin&) override { std::abort(); }
  void OnProtocol(Protocol) override { std::abort(); }
  std::string told;

 private:
  std::uint64_t count_ = 0;
};

struct Piece {
  Direction direction;
  bool gap;
  Octets octets;
};

std::vector<Piece> Pieces(Octets input) {
  std::vector<Piece> pieces;
  while (input.size() >= 2) {
    const auto size = static_cast<std::uint8_t>(input[0]);
    const auto kind = static_cast<std::uint8_t>(input[1]);
    input.remove_prefix(2);
    const Octets octets = input.substr(0, size);
    input.remove_prefix(octets.size());
    pieces.push_back({(kind & 1) != 0 ? Direction::kToClient : Direction::kToServer, (kind & 0x82) == 0x82, octets});
  }
  return pieces;
}

// Each piece at once, or octet by octet.
std::string Tell(const std::vector<Piece>& pieces, bool tcp, std::size_t chunk) {
  dns::ObserverLimits limits;
  limits.waiting = 4;
  limits.text = 4096;
  Recorder sink;
  dns::DnsObserver observer(sink, {}, limits, tcp);
  std::uint64_t frame = 0;
  for (const Piece& p : pieces) {
    const Origin origin{++frame, static_cast<Timestamp>(frame) * 2'000'000'000};
    if (p.gap) {
      observer.OnGap(p.direction, p.octets.size(), origin);
      continue;
    }
    for (std::size_t at = 0; at < p.octets.size(); at += chunk)
      observer.OnOctets(p.direction, p.octets.substr(at, chunk), origin);
  }
  observer.OnEnd({}, false);
  return sink.told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Piece> pieces = Pieces({reinterpret_cast<const char*>(data), size});
  Tell(pieces, false, 256);
  const std::string whole = Tell(pieces, true, 256);
  // After a gap the next message is looked for at the beginning of a segment: there the pieces matter.
  if (std::ranges::any_of(pieces, &Piece::gap)) return 0;
  Require(whole == Tell(pieces, true, 1));
  Require(whole == Tell(pieces, true, 7));
  return 0;
}
