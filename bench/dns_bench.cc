// What a DNS message costs: decoding, its text, the observer's whole work on a query and its answer.
#include <benchmark/benchmark.h>

#include <string>

#include "wire/dns/message.h"
#include "wire/dns/observer.h"

namespace {

using namespace glasspost;

class NoSink final : public ObserverSink {
 public:
  void OnExchange(const Exchange& e) override { benchmark::DoNotOptimize(e.reply.text.data()); }
  void OnMessageStart(Direction, std::uint64_t, const Envelope&) override {}
  void OnMessageOctets(Direction, Octets) override {}
  void OnMessageGap(Direction, std::uint64_t) override {}
  void OnMessageEnd(Direction, const MessageEnd&) override {}
  void OnFinding(const Finding&) override {}
  void OnTlsStart(const Origin&) override {}
  void OnProtocol(Protocol) override {}
};

// "example.test. IN MX" and, if it is the answer, two MX, two A, one AAAA; EDNS in both.
std::string Wire(bool answer) {
  dns::Message m;
  m.id = 1;
  m.flags = answer ? dns::kFlagQr | dns::kFlagRd | dns::kFlagRa : dns::kFlagRd;
  m.AddQuestion("example.test", dns::kTypeMx);
  const auto add = [&](dns::Section section, std::string_view name, std::uint16_t type, std::string_view text) {
    std::string data;
    dns::ParseData(type, text, data);
    m.AddRecord(section, name, type, dns::kClassIn, 3600, data);
  };
  if (answer) {
    add(dns::Section::kAnswer, "example.test", dns::kTypeMx, "10 mail.example.test.");
    add(dns::Section::kAnswer, "example.test", dns::kTypeMx, "20 mx2.example.test.");
    add(dns::Section::kAdditional, "mail.example.test", dns::kTypeA, "192.0.2.1");
    add(dns::Section::kAdditional, "mx2.example.test", dns::kTypeA, "192.0.2.2");
    add(dns::Section::kAdditional, "mail.example.test", dns::kTypeAaaa, "2001:db8::1");
  }
  m.AddEdns(1232, false);
  std::string wire;
  dns::Encode(m, wire);
  return wire;
}

void BM_Decode(benchmark::State& state) {
  const std::string wire = Wire(state.range(0) != 0);
  dns::Message m;
  for (auto _ : state) {
    dns::Decode(wire, m);
    benchmark::DoNotOptimize(m.storage.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(wire.size()) * state.iterations());
}
BENCHMARK(BM_Decode)->ArgName("answer")->Arg(0)->Arg(1);

void BM_DecodeAndText(benchmark::State& state) {
  const std::string wire = Wire(true);
  dns::Message m;
  std::string text;
  for (auto _ : state) {
    dns::Decode(wire, m);
    text.clear();
    for (const dns::Record& r : m.records) dns::AppendRecordText(text, m, r);
    benchmark::DoNotOptimize(text.data());
  }
}
BENCHMARK(BM_DecodeAndText);

// A conversation of one query and its answer, as a resolver with a fresh port for each makes them.
void BM_Conversation(benchmark::State& state) {
  const std::string query = Wire(false), answer = Wire(true);
  NoSink sink;
  dns::Workspace work;
  for (auto _ : state) {
    dns::DnsObserver observer(sink, {}, {}, false, &work);
    observer.OnOctets(Direction::kToServer, query, {1, 1});
    observer.OnOctets(Direction::kToClient, answer, {2, 2});
    observer.OnEnd({}, false);
  }
}
BENCHMARK(BM_Conversation);

void BM_Encode(benchmark::State& state) {
  dns::Message m;
  dns::Decode(Wire(true), m);
  std::string wire;
  for (auto _ : state) {
    wire.clear();
    dns::Encode(m, wire);
    benchmark::DoNotOptimize(wire.data());
  }
}
BENCHMARK(BM_Encode);

}  // namespace

BENCHMARK_MAIN();
