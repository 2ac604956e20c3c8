// What one frame costs to decode, by kind of frame: headers in cache, so that what is measured is the decoder.
#include <benchmark/benchmark.h>

#include "capture/describe.h"
#include "support/frame_builder.h"

namespace glasspost::capture {
namespace {

using namespace test;

enum Kind { kV4, kV6, kTagged, kWithOptions, kDatagram, kVxlan };

FrameOctets Build(Kind kind) {
  const FrameOctets payload(1400, 'x');
  switch (kind) {
    case kV4:
      return Ethernet(0x0800, Ipv4(6, Tcp({.payload = payload})));
    case kV6:
      return Ethernet(0x86dd, Ipv6(6, Tcp({.payload = payload}, true)));
    case kTagged:
      return Ethernet(0x8100, VlanTag(1, 0x0800, Ipv4(6, Tcp({.payload = payload}))));
    case kWithOptions:
      return Ethernet(0x0800, Ipv4(6, Tcp({.options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, .payload = payload})));
    case kDatagram:
      return Ethernet(0x0800, Ipv4(17, Udp(5353, 53, payload)));
    case kVxlan:
      return Ethernet(0x0800, Ipv4(17, Udp(50000, 4789, Join({{8, 0, 0, 0, 0, 0, 42, 0}, Build(kV4)}))));
  }
  return {};
}

void BM_Decode(benchmark::State& state) {
  // Several frames, so that no branch is learnt from one place alone.
  std::vector<FrameOctets> octets(64, Build(static_cast<Kind>(state.range(0))));
  std::vector<RawFrame> frames;
  for (const auto& o : octets) frames.push_back(AsFrame(o, LinkType::kEthernet, frames.size() + 1));
  Decoder decoder;
  Packet packet;
  std::vector<std::vector<std::uint8_t>> memory;
  for (auto _ : state) {
    for (const auto& f : frames) {
      benchmark::DoNotOptimize(decoder.Decode(f, packet, memory));
      benchmark::DoNotOptimize(packet);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames.size()));
}
BENCHMARK(BM_Decode)->ArgName("kind")->DenseRange(kV4, kVxlan);

void BM_Describe(benchmark::State& state) {
  const FrameOctets octets = Build(kWithOptions);
  FieldList list;
  for (auto _ : state) {
    list.entries.clear();
    benchmark::DoNotOptimize(DescribeFrame(AsFrame(octets), list));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Describe);

void BM_EndpointText(benchmark::State& state) {
  const Endpoint v4{Address::V4(kServerV4.data()), 25}, v6{Address::V6(kServerV6.data()), 587};
  std::string out;
  for (auto _ : state) {
    out.clear();
    (state.range(0) == 4 ? v4 : v6).AppendText(out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(BM_EndpointText)->Arg(4)->Arg(6);

}  // namespace
}  // namespace glasspost::capture

BENCHMARK_MAIN();
