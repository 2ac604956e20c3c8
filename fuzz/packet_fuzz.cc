// Frames of any link type from any octets: each is preceded by an octet for its link type, an octet for how much longer it was on
// the wire, and two for its length. The decoder must point only into what it was given, and the describing pass must agree with
// it and stay within the frame.
#include <cstdint>
#include <vector>

#include "capture/decoder.h"
#include "capture/describe.h"
#include "capture/tcp_options.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::capture;
using glasspost::test::Require;

constexpr LinkType kLinks[] = {LinkType::kEthernet, LinkType::kNull, LinkType::kPpp,      LinkType::kPppHdlc,
                               LinkType::kPppEther, LinkType::kRaw,  LinkType::kLinuxSll, LinkType::kLinuxSll2,
                               LinkType::kLoop,     LinkType{147}};

bool Within(const std::uint8_t* p, std::size_t n, Bytes whole) {
  return p >= whole.data() && p <= whole.data() + whole.size() && n <= static_cast<std::size_t>(whole.data() + whole.size() - p);
}

// Where the packet's octets are: in the frame, or in one of the datagrams put together.
void CheckPacket(const Packet& p, Bytes frame, const std::vector<std::vector<std::uint8_t>>& memory) {
  Require(p.captured_length <= p.payload_length && p.payload_length <= p.ip_payload_length);
  Require(p.transport == kTcp || p.transport == kUdp);
  bool found = Within(p.payload, p.captured_length, frame);
  for (const auto& m : memory) found |= Within(p.payload, p.captured_length, m);
  Require(found);
  Require(p.options_length <= 40);
  if (p.options_length > 0) ParseTcpOptions(Bytes(p.options, p.options_length));
}

void CheckDescription(const RawFrame& frame, DecodeResult result) {
  FieldList list;
  const FrameDescription d = DescribeFrame(frame, list);
  Require(d.captured == frame.octets.size());
  for (const auto& e : list.entries) Require(e.missing || e.range.offset + e.range.length <= d.captured);
  if (d.result == DecodeResult::kFragment) {
    Require(result != DecodeResult::kUnknownLink);  // it may have completed a datagram with anything in it
  } else {
    Require(d.result == result);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPreface = 4;
  Decoder decoder({.datagrams = 8, .octets = 100000, .stretches = 16, .age = 1000});
  std::uint64_t number = 0;
  while (size >= kPreface) {
    const std::size_t length = std::min<std::size_t>(Load16(data + 2), size - kPreface);
    const std::vector<std::uint8_t> octets(data + kPreface, data + kPreface + length);  // so that a step beyond is seen
    const RawFrame frame{.number = ++number,
                         .time = static_cast<Timestamp>(number * 100),
                         .link = kLinks[data[0] % std::size(kLinks)],
                         .wire_length = static_cast<std::uint32_t>(length + data[1]),
                         .octets = octets};
    Packet packet;
    std::vector<std::vector<std::uint8_t>> memory;
    const DecodeResult result = decoder.Decode(frame, packet, memory);
    if (result == DecodeResult::kPacket) CheckPacket(packet, octets, memory);
    CheckDescription(frame, result);
    Require(decoder.fragments().pending() <= 8 && decoder.fragments().octets() <= 100000);
    data += kPreface + length;
    size -= kPreface + length;
  }
  return 0;
}
