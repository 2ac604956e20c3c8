// What a tap costs a session: time of a mail of 4 KiB in ten exchanges, and memory of one that is idle.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

#include "analysis/live/live_tap.h"

namespace glasspost::analysis {
namespace {

constexpr Timestamp kStart = 1'795'000'000'000'000'000;

class Nowhere final : public EventSink {
 public:
  std::uint64_t NextNumber() override { return ++number_; }
  void Part(std::uint64_t, std::string octets) override { octets_ += octets.size(); }
  void Finish(EventsHead head) override { benchmark::DoNotOptimize(head.summary.data()); }
  std::uint64_t octets() const { return octets_; }

 private:
  std::uint64_t number_ = 0, octets_ = 0;
};

std::string Mail() {
  std::string m =
      "Received: from host17.example.net (host [10.1.2.3])\r\n\tby mx.example.org with ESMTP id 0A1B2C3D;\r\n"
      "\tMon, 23 Nov 2026 01:02:03 +0000\r\nFrom: <alice@example.net>\r\nTo: <bob@example.org>\r\n"
      "Subject: minutes of the meeting\r\nDate: Mon, 23 Nov 2026 01:02:03 +0000\r\nMessage-ID: <17.0a1b2c3d@example.net>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n";
  while (m.size() < 4096) m += "The quick brown fox jumps over the lazy dog, and does so again and again.\r\n";
  return m + ".\r\n";
}

Endpoint End(std::uint8_t last, std::uint16_t port) {
  const std::uint8_t octets[4] = {192, 0, 2, last};
  return {Address::V4(octets), port};
}

struct Line {
  Direction direction;
  std::string octets;
};
std::vector<Line> Session() {
  constexpr auto kC = Direction::kToServer, kS = Direction::kToClient;
  return {{kS, "220 mx.example.org ESMTP Glasspost\r\n"},
          {kC, "EHLO client.example.net\r\n"},
          {kS, "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"},
          {kC, "NOOP\r\n"},
          {kS, "250 2.0.0 ok\r\n"},
          {kC, "MAIL FROM:<alice@example.net> SIZE=4096\r\n"},
          {kS, "250 2.1.0 ok\r\n"},
          {kC, "RCPT TO:<bob@example.org>\r\n"},
          {kS, "250 2.1.5 ok\r\n"},
          {kC, "RCPT TO:<carol@example.org>\r\n"},
          {kS, "250 2.1.5 ok\r\n"},
          {kC, "DATA\r\n"},
          {kS, "354 go ahead\r\n"},
          {kC, Mail()},
          {kS, "250 2.0.0 queued as 4F7A12\r\n"},
          {kC, "NOOP\r\n"},
          {kS, "250 2.0.0 ok\r\n"},
          {kC, "QUIT\r\n"},
          {kS, "221 2.0.0 bye\r\n"}};
}

void Hear(Tap& tap, const std::vector<Line>& lines) {
  Timestamp time = kStart;
  tap.OnConnect(End(1, 40'000), End(2, 25), time);
  for (const Line& line : lines) tap.OnOctets(line.direction, line.octets, time += 100'000);
}

void Run(benchmark::State& state, const EventsOptions& options, Recorder* recorder, bool events) {
  Nowhere sink;
  LiveTaps taps({.protocol = Protocol::kSmtp}, options, events ? &sink : nullptr, recorder);
  const auto lines = Session();
  for (auto _ : state) {
    const auto tap = taps.NewTap();
    Hear(*tap, lines);
    tap->OnClose(Closing::kByPeer, kStart + 100'000'000);
  }
  state.counters["octets kept"] = static_cast<double>(sink.octets()) / static_cast<double>(state.iterations());
}
void Headers(benchmark::State& state) { Run(state, {}, nullptr, true); }
void Full(benchmark::State& state) { Run(state, {.level = EventsOptions::Level::kFull, .limits = {}}, nullptr, true); }
BENCHMARK(Headers);
BENCHMARK(Full);

// Of the tap alone, and (as process time) with the writing thread.
void Recorded(benchmark::State& state) {
  auto recorder = Recorder::Open({.directory = "/tmp/glasspost-live-bench", .octets = 64 << 20});
  if (!recorder) return state.SkipWithError(recorder.error().Text().c_str());
  Run(state, {}, recorder->get(), false);
}
BENCHMARK(Recorded);
BENCHMARK(Recorded)->MeasureProcessCPUTime();

// Heap of a tap after so many lines of the session: nothing, the greeting, EHLO, the whole mail.
void IdleHeap(benchmark::State& state) {
  Nowhere sink;
  LiveTaps taps({.protocol = Protocol::kSmtp}, {}, &sink, nullptr);
  const auto lines = Session();
  const std::vector<Line> some(lines.begin(), lines.begin() + state.range(0));
  constexpr std::size_t kTaps = 1000;
  for (auto _ : state) {
    std::vector<std::unique_ptr<Tap>> held(kTaps);
    const std::size_t before = mallinfo2().uordblks;
    for (auto& tap : held) tap = taps.NewTap(), Hear(*tap, some);
    state.counters["octets a tap"] = static_cast<double>(mallinfo2().uordblks - before) / kTaps;
  }
}
BENCHMARK(IdleHeap)->Arg(0)->Arg(1)->Arg(3)->Arg(17)->Iterations(1);

}  // namespace
}  // namespace glasspost::analysis

BENCHMARK_MAIN();
