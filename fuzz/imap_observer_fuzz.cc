// An IMAP conversation from any octets. The first octet chooses how it is cut, the second which of the events gap and TLS occur;
// then lines alternate between the sides at each 0xFF. Read in one piece a turn and in small pieces, the same must be told.
#include <cstdint>

#include "support/require.h"
#include "wire/imap/observer.h"

namespace {

using namespace glasspost;
using glasspost::test::Require;

// Keeps what is told as text, and holds the observer to its promises.
struct Sink : ObserverSink {
  std::string told;
  std::uint64_t next = 1;
  bool open[2] = {};
  bool octets;
  explicit Sink(bool with_octets) : octets(with_octets) {}
  void OnExchange(const Exchange& x) override {
    Require(x.number == next++);
    Require(x.request.argument.size() <= 64 * 1024 + 64 && x.reply.text.size() <= 256 * 1024 + 512);
    told += std::to_string(x.number) + x.request.tag + "\1" + x.request.verb + "\1" + x.request.argument + "\1" + x.reply.status +
            "\1";
    told += x.reply.text + "\1" + std::to_string(x.request.span.offset) + "\1" + std::to_string(x.request.span.length) + "\n";
  }
  void OnMessageStart(Direction d, std::uint64_t exchange, const Envelope&) override {
    Require(!open[Index(d)] && exchange >= next);
    open[Index(d)] = true;
    told += "message " + std::to_string(exchange) + "\n";
  }
  void OnMessageOctets(Direction d, Octets o) override {
    Require(open[Index(d)] && octets && !o.empty());
    message[Index(d)] += o;
  }
  void OnMessageGap(Direction d, std::uint64_t n) override {
    Require(open[Index(d)]);
    message[Index(d)] += "gap " + std::to_string(n);
  }
  void OnMessageEnd(Direction d, const MessageEnd& end) override {
    Require(open[Index(d)]);
    open[Index(d)] = false;
    told += message[Index(d)] + (end.truncated ? "truncated\n" : "\n");
    message[Index(d)].clear();
  }
  void OnFinding(const Finding& f) override { told += std::string(Info(f.id).name) + f.detail + "\n"; }
  void OnTlsStart(const Origin&) override { told += "tls\n"; }
  void OnProtocol(Protocol) override { Require(false); }
  std::string message[2];
};

std::string Read(Octets input, std::size_t chunk, std::uint8_t events, bool message_octets) {
  Sink sink(message_octets);
  imap::ImapLimits limits;
  limits.line = 200;
  limits.pending = 4;
  imap::ImapObserver observer(sink, ObserverOptions{.message_octets = message_octets}, limits);
  if ((events & 1) != 0) observer.OnMidStream();
  if ((events & 2) != 0) observer.OnOneSided((events & 4) != 0 ? Direction::kToServer : Direction::kToClient);
  Direction d = Direction::kToClient;
  std::uint64_t turn = 0;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\xff'), input.size());
    Octets part = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    const Origin origin{++turn, static_cast<Timestamp>(turn)};
    while (!part.empty()) {
      // A copy of its own: a view that is kept too long shows.
      const std::string piece(part.substr(0, chunk));
      observer.OnOctets(d, piece, origin);
      part.remove_prefix(piece.size());
    }
    if ((events & 8) != 0 && turn % 5 == 0) observer.OnGap(d, turn % 40, origin);
    if ((events & 16) != 0 && turn % 7 == 0) observer.OnTlsEstablished(origin);
    d = Opposite(d);
  }
  observer.OnFin(Direction::kToServer, Origin{++turn, 1});
  observer.OnEnd(Origin{turn, 1}, (events & 32) != 0);
  Require(!sink.open[0] && !sink.open[1]);
  return sink.told;
}

struct RangeCheck {
  static constexpr bool kWanted = true;
  std::size_t size;
  void operator()(Field, OctetRange r, const FieldValue&) const { Require(r.offset <= size && r.length <= size - r.offset); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t chunk = 1 + data[0] % 29;
  const std::uint8_t events = data[1];
  const Octets input(reinterpret_cast<const char*>(data) + 2, size - 2);
  Require(Read(input, input.size() + 1, events, true) == Read(input, chunk, events, true));
  Read(input, chunk, events, false);
  RangeCheck check{input.size()};
  imap::DissectLine(Direction::kToServer, input, 0, check);
  imap::DissectLine(Direction::kToClient, input, 0, check);
  return 0;
}
