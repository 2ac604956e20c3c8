// The SMTP observer over any dialogue: told the same whole, octet by octet and without message octets; numbers without holes,
// messages begun and ended in pairs. Input: records separated by 0x1e, the first octet of each says what it is:
// C S octets of client, server; c s a gap; f g FIN; t TLS established; m mid-stream, o p one-sided, l small limits (at the
// front).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/require.h"
#include "wire/smtp/observer.h"

namespace {

using namespace glasspost;
using glasspost::test::Require;

void Same(const std::string& a, const std::string& b) {
  if (a == b) return;
  for (const std::string* text : {&a, &b}) {
    std::fputs("---\n", stderr);
    std::fwrite(text->data(), 1, text->size(), stderr);
    std::fputs("\n", stderr);
  }
  std::abort();
}

// Everything that was told, as one text; message octets apart, so that they can be left out.
class Transcript : public ObserverSink {
 public:
  std::string told;
  std::string octets;
  bool open = false;

  void OnExchange(const Exchange& e) override {
    Require(e.number == next_++);
    Require(e.has_request || e.has_reply || e.number > 0);
    told += "\nE" + std::to_string(e.number) + std::string(Name(e.phase)) + e.request.verb + "\1" + e.request.argument + "\1" +
            e.request.decoded + (e.request.cut ? "cut" : "") + Where(e.request.span);
    Add(e.reply);
    for (const Reply& more : e.more_replies) Add(more);
    Require(e.request.verb.find('\n') == std::string::npos);
  }
  void OnMessageStart(Direction d, std::uint64_t exchange, const Envelope& envelope) override {
    Require(!open && d == Direction::kToServer && exchange >= next_);
    open = true;
    told += "\nM" + std::to_string(exchange) + envelope.reverse_path;
    for (const std::string& path : envelope.forward_paths) told += "<" + path;
    octets += "[";
  }
  void OnMessageOctets(Direction, Octets o) override {
    Require(open && !o.empty());
    octets += o;
  }
  void OnMessageGap(Direction, std::uint64_t length) override {
    Require(open && length > 0);
    told += "G" + std::to_string(length);
    octets += "|";
  }
  void OnMessageEnd(Direction, const MessageEnd& end) override {
    Require(open);
    open = false;
    told += end.truncated ? "T" : "N";
    told += end.complete_start ? "" : "S";
    octets += "]";
  }
  void OnFinding(const Finding& f) override {
    told += "\nF" + std::to_string(static_cast<int>(f.id)) + "," + std::to_string(f.exchange) + f.detail;
  }
  void OnTlsStart(const Origin&) override { told += "TLS"; }
  void OnProtocol(Protocol p) override { told += Name(p); }

 private:
  static std::string Where(const Span& s) { return std::to_string(s.offset) + "+" + std::to_string(s.length); }
  void Add(const Reply& r) {
    Require(r.enhanced.find('\n') == std::string::npos);
    told += "R" + std::to_string(r.code) + r.enhanced + "\1" + r.text + r.decoded + (r.cut ? "cut" : "") + Where(r.span);
  }
  std::uint64_t next_ = 1;
};

std::vector<Octets> Records(Octets input) {
  std::vector<Octets> records;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\x1e'), input.size());
    if (end > 0) records.push_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return records;
}

void Octet(smtp::SmtpObserver& observer, Direction d, Octets octets, const Origin& origin, bool one_by_one) {
  if (!one_by_one) return observer.OnOctets(d, octets, origin);
  for (const char c : octets) {
    const std::string copy(1, c);
    observer.OnOctets(d, copy, origin);
  }
}

void Feed(const std::vector<Octets>& records, bool one_by_one, bool message_octets, Transcript& sink) {
  smtp::SmtpLimits limits;
  if (!records.empty() && records[0][0] == 'l')
    limits = {.line_octets = 40,
              .reply_octets = 60,
              .pending = 4,
              .held_octets = 50,
              .held_pieces = 4,
              .look_alike_octets = 30,
              .recipients = 2,
              .findings_of_a_kind = 3};
  smtp::SmtpObserver observer(sink, {.show_secrets = false, .message_octets = message_octets}, limits);
  Origin origin{0, 1'000'000};
  for (const Octets record : records) {
    ++origin.frame;
    origin.time += record[0] == 'g' ? 6'000'000'000 : 1'000'000;
    const Octets rest = record.substr(1);
    switch (record[0]) {
      case 'C':
        Octet(observer, Direction::kToServer, rest, origin, one_by_one);
        break;
      case 'S':
        Octet(observer, Direction::kToClient, rest, origin, one_by_one);
        break;
      case 'c':
        observer.OnGap(Direction::kToServer, rest.size() * 7, origin);
        break;
      case 's':
        observer.OnGap(Direction::kToClient, rest.size() * 7, origin);
        break;
      case 'f':
        observer.OnFin(Direction::kToServer, origin);
        break;
      case 'g':
        observer.OnFin(Direction::kToClient, origin);
        break;
      case 't':
        observer.OnTlsEstablished(origin);
        break;
      case 'm':
        if (origin.frame <= 2) observer.OnMidStream();
        break;
      case 'o':
        if (origin.frame <= 2) observer.OnOneSided(Direction::kToServer);
        break;
      case 'p':
        if (origin.frame <= 2) observer.OnOneSided(Direction::kToClient);
        break;
      default:
        break;
    }
  }
  observer.OnEnd(origin, records.size() % 2 == 0);
  Require(!sink.open);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Octets> records = Records(AsOctets({data, size}));
  Transcript whole, pieces, bare;
  Feed(records, false, true, whole);
  Feed(records, true, true, pieces);
  Feed(records, false, false, bare);
  Same(whole.told, pieces.told);
  Same(whole.octets, pieces.octets);
  Same(whole.told, bare.told);
  return 0;
}
