#include "server/admin_frames.h"

namespace glasspost::server {

void AppendFrame(std::string& out, FrameType type, Octets content) {
  const auto length = static_cast<std::uint32_t>(content.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(length >> shift & 0xff));
  out.push_back(static_cast<char>(type));
  out += content;
}

void FrameReader::Feed(Octets octets) {
  if (taken_ > 0) held_.erase(0, taken_);
  taken_ = 0;
  held_ += octets;
}

FrameReader::State FrameReader::Next(Frame& frame) {
  const Octets rest = Octets(held_).substr(taken_);
  if (rest.size() < FrameLimits::kHead) {
    if (rest.empty()) {  // an idle client holds nothing
      std::string().swap(held_);
      taken_ = 0;
    }
    return State::kMore;
  }
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(rest[i]);
  const auto type = static_cast<FrameType>(rest[4]);
  const std::size_t limit = type == FrameType::kJson ? json_limit_ : type == FrameType::kOctets ? FrameLimits::kOctets : 0;
  if ((type != FrameType::kJson && type != FrameType::kOctets && type != FrameType::kEnd) || length > limit)
    return State::kBroken;
  if (rest.size() < FrameLimits::kHead + length) return State::kMore;
  frame.type = type;
  frame.content = rest.substr(FrameLimits::kHead, length);
  taken_ += FrameLimits::kHead + length;
  return State::kDone;
}

}  // namespace glasspost::server
