// TCP reassembly by itself: nanoseconds a packet, payload already in the cache.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "capture/tcp_connection.h"

namespace glasspost::capture {
namespace {

struct Nothing : TcpEvents {
  void OnTcpOctets(Side, Octets octets, const Origin&) override { benchmark::DoNotOptimize(octets.data()); }
  void OnTcpGap(Side, std::uint64_t, std::uint64_t, const Origin&) override {}
  void OnTcpFin(Side, const Origin&) override {}
  void OnTcpReset(Side, const Origin&) override {}
  void OnTcpRetransmission(Side, std::uint64_t, bool, const Origin&) override {}
};

const std::string kPayload(1448, 'x');

Packet Make(std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags, std::uint32_t length) {
  Packet p;
  p.frame = 1;
  p.transport = kTcp;
  p.flags = flags;
  p.window = 500;
  p.sequence = sequence;
  p.acknowledgement = acknowledgement;
  p.payload = reinterpret_cast<const std::uint8_t*>(kPayload.data());
  p.payload_length = p.captured_length = length;
  return p;
}

void Open(TcpConnection& connection, TcpEvents& events) {
  connection.Add(0, Make(0, 0, kSyn, 0), events);
  connection.Add(1, Make(0, 1, kSyn | kAck, 0), events);
  connection.Add(0, Make(1, 1, kAck, 0), events);
}

// Argument: how many segments of side 0, then an acknowledgement; each group in the order given by `swap`.
void Stream(benchmark::State& state, bool swap) {
  const TcpLimits limits;
  ReassemblyBudget budget{std::size_t{64} << 20, 0};
  Nothing events;
  TcpConnection connection(limits, budget);
  Open(connection, events);
  const auto length = static_cast<std::uint32_t>(state.range(0));
  Packet data = Make(1, 1, kAck, length);
  Packet ack = Make(1, 1, kAck, 0);
  std::int64_t packets = 0;
  for (auto _ : state) {
    if (swap) {
      data.sequence += length;
      connection.Add(0, data, events);
      data.sequence -= length;
      connection.Add(0, data, events);
      data.sequence += 2 * length;
    } else {
      connection.Add(0, data, events);
      data.sequence += length;
      connection.Add(0, data, events);
      data.sequence += length;
    }
    ack.acknowledgement = data.sequence;
    connection.Add(1, ack, events);
    packets += 3;
  }
  state.SetItemsProcessed(packets);
}

void InOrder(benchmark::State& state) { Stream(state, false); }
void TwoSwapped(benchmark::State& state) { Stream(state, true); }
BENCHMARK(InOrder)->Arg(20)->Arg(1448);
BENCHMARK(TwoSwapped)->Arg(20)->Arg(1448);

void OnlyAcknowledgements(benchmark::State& state) {
  const TcpLimits limits;
  ReassemblyBudget budget{std::size_t{64} << 20, 0};
  Nothing events;
  TcpConnection connection(limits, budget);
  Open(connection, events);
  const Packet ack = Make(1, 1, kAck, 0);
  for (auto _ : state) connection.Add(0, ack, events);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(OnlyAcknowledgements);

// Every 100th segment is lost and acknowledged: what follows it is copied until the window has passed.
void OneInAHundredLost(benchmark::State& state) {
  const TcpLimits limits;
  ReassemblyBudget budget{std::size_t{64} << 20, 0};
  Nothing events;
  TcpConnection connection(limits, budget);
  Open(connection, events);
  Packet data = Make(1, 1, kAck, 1448);
  Packet ack = Make(1, 1, kAck, 0);
  std::int64_t packets = 0;
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) {
      if (i != 50) connection.Add(0, data, events);
      data.sequence += 1448;
      ack.acknowledgement = data.sequence;
      if (i % 2 != 0) connection.Add(1, ack, events);
    }
    packets += 149;
  }
  state.SetItemsProcessed(packets);
}
BENCHMARK(OneInAHundredLost);

void OpenAndClose(benchmark::State& state) {
  const TcpLimits limits;
  ReassemblyBudget budget{std::size_t{64} << 20, 0};
  Nothing events;
  for (auto _ : state) {
    TcpConnection connection(limits, budget);
    Open(connection, events);
    connection.Add(0, Make(1, 1, kFin | kAck, 0), events);
    connection.Add(1, Make(1, 2, kFin | kAck, 0), events);
    connection.Add(0, Make(2, 2, kAck, 0), events);
    benchmark::DoNotOptimize(connection.closed());
  }
  state.SetItemsProcessed(state.iterations() * 6);
}
BENCHMARK(OpenAndClose);

}  // namespace
}  // namespace glasspost::capture

BENCHMARK_MAIN();
