// POP3 dialogues from any input: each line is a step (its first character says which: Step below). Told in whole steps, octet by
// octet and in runs, the same must come out, exchanges in order, messages in pairs of start and end, no secret shown, and nothing
// larger than the limits.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/redaction.h"
#include "support/require.h"
#include "wire/pop3/observer.h"

namespace {

using glasspost::Direction;
using glasspost::Octets;
using glasspost::Origin;
using glasspost::Secrets;
using glasspost::test::Require;

void CheckSame(const std::string& a, const std::string& b) {
  if (a == b) return;
  for (const auto& [how, told] : {std::pair("in steps", &a), std::pair("otherwise", &b)}) {
    std::fprintf(stderr, "told %s:\n", how);
    std::fwrite(told->data(), 1, told->size(), stderr);  // with NUL in it, maybe
  }
  std::abort();
}

struct Step {
  enum class Kind { kOctets, kGap, kFin, kTls, kMidStream, kOneSided };
  Kind kind = Kind::kOctets;
  Direction direction = Direction::kToServer;
  std::string octets;
  std::uint64_t length = 0;
};

const glasspost::pop3::Pop3Limits kLimits{
    .line_octets = 300, .text_octets = 400, .stray_text_octets = 100, .pending = 6, .listed = 3};

// "Ctext" the text and CRLF, "ctext" the text alone, "ntext" the text and LF, "Gtext" a gap as long as the text; S, s, N, g for
// the server. "T" TLS, "F" and "f" FIN, "M" mid-stream, "1" and "2" one-sided.
std::vector<Step> Parse(Octets input) {
  std::vector<Step> steps;
  while (!input.empty() && steps.size() < 400) {
    const std::size_t end = input.find('\n');
    Octets line = input.substr(0, end);
    input = end == Octets::npos ? Octets{} : input.substr(end + 1);
    if (line.empty()) continue;
    const char c = line.front();
    line.remove_prefix(1);
    Step s;
    s.direction =
        c == 'S' || c == 's' || c == 'N' || c == 'g' || c == 'f' || c == '2' ? Direction::kToClient : Direction::kToServer;
    s.octets = line;
    if (c == 'C' || c == 'S') s.octets += "\r\n";
    if (c == 'n' || c == 'N') s.octets += "\n";
    if (c == 'G' || c == 'g') s.kind = Step::Kind::kGap, s.length = line.size() + 1;
    if (c == 'F' || c == 'f') s.kind = Step::Kind::kFin;
    if (c == 'T') s.kind = Step::Kind::kTls;
    if (c == 'M' && steps.empty()) s.kind = Step::Kind::kMidStream;
    if ((c == '1' || c == '2') && steps.empty()) s.kind = Step::Kind::kOneSided;
    steps.push_back(std::move(s));
  }
  return steps;
}

class Sink final : public glasspost::ObserverSink {
 public:
  void OnExchange(const glasspost::Exchange& e) override {
    Require(e.number == ++number_);
    Require(e.has_request || e.has_reply);
    Require(!open);
    // A line that is no command is masked when it is heard, and again when it is told.
    Require(e.request.argument.size() <= Secrets::Grown(Secrets::Grown(kLimits.line_octets)));
    Require(e.reply.text.size() <= Secrets::Grown(kLimits.text_octets + kLimits.line_octets));
    if (e.request.verb == "PASS" && !e.request.argument.empty()) Require(e.request.argument.starts_with("*** ("));
    told += "x" + std::to_string(e.number) + Name(e.phase).data() + "|" + e.request.verb + "|" + e.request.argument + "|" +
            e.request.decoded + (e.request.cut ? "|cut|" : "|") + e.reply.status + "|" + e.reply.text + "|" + e.reply.decoded +
            (e.reply.cut ? "|cut|" : "|") + std::to_string(e.request.span.offset) + "+" + std::to_string(e.request.span.length) +
            "|" + std::to_string(e.reply.span.offset) + "+" + std::to_string(e.reply.span.length) + "\n";
  }
  void OnMessageStart(Direction d, std::uint64_t exchange, const glasspost::Envelope& envelope) override {
    Require(d == Direction::kToClient && !open && exchange == number_ + 1 && !envelope.present);
    open = true;
    told += "m";
  }
  void OnMessageOctets(Direction, Octets octets) override {
    Require(open && !octets.empty());
    told += octets;
  }
  void OnMessageGap(Direction, std::uint64_t length) override {
    Require(open && length > 0);
    told += "gap" + std::to_string(length);
  }
  void OnMessageEnd(Direction, const glasspost::MessageEnd& end) override {
    Require(open && (end.complete_start || end.truncated));
    open = false;
    told += end.truncated ? "truncated\n" : "\n";
  }
  void OnFinding(const glasspost::Finding& f) override {
    told += "f" + std::to_string(f.exchange) + std::string(Info(f.id).name) + f.detail + "\n";
  }
  void OnTlsStart(const Origin&) override { told += "tls\n"; }
  void OnProtocol(glasspost::Protocol) override { std::abort(); }

  std::string told;
  bool open = false;

 private:
  std::uint64_t number_ = 0;
};

std::string Run(const std::vector<Step>& steps, bool by_octets) {
  Sink sink;
  glasspost::pop3::Pop3Observer observer(sink, {}, kLimits);
  std::uint64_t frame = 0;
  for (const Step& s : steps) {
    const Origin o{++frame, static_cast<glasspost::Timestamp>(frame)};
    switch (s.kind) {
      case Step::Kind::kOctets:
        if (!by_octets) observer.OnOctets(s.direction, s.octets, o);
        for (std::size_t i = 0; by_octets && i < s.octets.size(); ++i) {
          const std::vector<char> one(1, s.octets[i]);  // on its own, so that a view kept too long is seen
          observer.OnOctets(s.direction, Octets(one.data(), 1), o);
        }
        break;
      case Step::Kind::kGap:
        observer.OnGap(s.direction, s.length, o);
        break;
      case Step::Kind::kFin:
        observer.OnFin(s.direction, o);
        break;
      case Step::Kind::kTls:
        observer.OnTlsEstablished(o);
        break;
      case Step::Kind::kMidStream:
        observer.OnMidStream();
        break;
      case Step::Kind::kOneSided:
        observer.OnOneSided(s.direction);
        break;
    }
  }
  observer.OnEnd({++frame, static_cast<glasspost::Timestamp>(frame)}, false);
  Require(!sink.open);
  return sink.told;
}

std::vector<Step> Joined(const std::vector<Step>& steps) {
  std::vector<Step> out;
  for (const Step& s : steps) {
    if (!out.empty() && s.kind == Step::Kind::kOctets && out.back().kind == s.kind && out.back().direction == s.direction)
      out.back().octets += s.octets;
    else
      out.push_back(s);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Step> steps = Parse(Octets(reinterpret_cast<const char*>(data), size));
  const std::string told = Run(steps, false);
  CheckSame(told, Run(steps, true));
  CheckSame(told, Run(Joined(steps), false));
  return 0;
}
