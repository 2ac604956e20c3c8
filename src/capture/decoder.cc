#include "capture/decoder.h"

#include "capture/layers/link.h"

namespace glasspost::capture {
namespace {

// Nearly every frame: Ethernet, IPv4 without options, no fragment, TCP, nothing of it cut off. A few comparisons tell, and its
// fields lie where they always do; the walk from layer to layer would give the same (decoder_test holds one against the other).
[[gnu::always_inline]] inline bool DecodePlainTcp(const RawFrame& frame, Packet& packet) {
  using namespace layers;
  constexpr std::uint8_t kVersion4WithoutOptions = 0x45;
  constexpr std::uint32_t kFragmentAndProtocol = std::uint32_t{kMoreFragments | kFragmentOffset} << 16 | 0xff;
  if (frame.link != LinkType::kEthernet || frame.octets.size() < kEthernetHeader + kIpv4Header + kTcpHeader) return false;
  const std::uint8_t* const ethernet = frame.octets.data();
  const std::uint8_t* const ip = ethernet + kEthernetHeader;
  if (Load16(ethernet + 12) != kTypeIpv4 || ip[0] != kVersion4WithoutOptions) return false;
  if ((Load32(ip + 6) & kFragmentAndProtocol) != kTcp) return false;
  const std::uint32_t total = Load16(ip + 2);
  const std::uint8_t* const tcp = ip + kIpv4Header;
  const std::uint32_t header = TcpHeaderLength(tcp);
  if (kEthernetHeader + total > frame.octets.size() || header < kTcpHeader || kIpv4Header + header > total) return false;
  const auto length = static_cast<std::uint32_t>(total - kIpv4Header);
  const Slice segment{tcp, length, length};
  FillPacket(packet, frame, {ip + 12, false}, kTcp, segment);
  FillTcp(packet, segment, header);
  packet.fragments = 1;
  packet.fragment_overlap = 0;
  return true;
}

// From layer to layer.
[[gnu::noinline]] DecodeResult DecodeByLayers(const RawFrame& frame, Packet& packet, FragmentTable& fragments,
                                              std::vector<std::vector<std::uint8_t>>& memory) {
  const NoFields none;
  layers::Walk<const NoFields> walk(none, frame, packet, &fragments, &memory);
  const layers::Slice s = layers::FrameSlice(frame);
  if (frame.link == LinkType::kEthernet) [[likely]]
    return layers::Ethernet(walk, s);
  return layers::OtherLink(walk, s);
}

}  // namespace

DecodeResult Decoder::Decode(const RawFrame& frame, Packet& packet, std::vector<std::vector<std::uint8_t>>& memory) {
  if (DecodePlainTcp(frame, packet)) [[likely]]
    return DecodeResult::kPacket;
  return DecodeByLayers(frame, packet, fragments_, memory);
}

}  // namespace glasspost::capture
