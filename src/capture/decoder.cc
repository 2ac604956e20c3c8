#include "capture/decoder.h"

#include "capture/layers/link.h"

namespace glasspost::capture {

DecodeResult Decoder::Decode(const RawFrame& frame, Packet& packet, std::vector<std::vector<std::uint8_t>>& memory) {
  const NoFields none;
  layers::Walk<const NoFields> walk(none, frame, packet, &fragments_, &memory);
  const layers::Slice s = layers::FrameSlice(frame);
  if (frame.link == LinkType::kEthernet) [[likely]]
    return layers::Ethernet(walk, s);
  return layers::OtherLink(walk, s);
}

}  // namespace glasspost::capture
