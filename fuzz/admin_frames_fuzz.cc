// Any octets over the administration socket: in pieces they give the same frames as at once, each within its limit, and what was
// taken writes back as it came.
#include <algorithm>
#include <cstdint>
#include <string>

#include "server/admin_frames.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::server;
using glasspost::test::Require;

constexpr std::size_t kJson = 64;  // so that the fuzzer finds the limit

struct Taken {
  std::string frames;
  bool broken = false;
  bool operator==(const Taken&) const = default;
};

Taken Take(Octets stream, std::size_t piece) {
  Taken taken;
  FrameReader reader(kJson);
  for (std::size_t at = 0; at < stream.size() && !taken.broken; at += piece) {
    reader.Feed(stream.substr(at, piece));
    Frame frame;
    FrameReader::State state;
    while ((state = reader.Next(frame)) == FrameReader::State::kDone) {
      Require(frame.content.size() <= std::max(kJson, FrameLimits::kOctets));
      Require(frame.type != FrameType::kJson || frame.content.size() <= kJson);
      Require(frame.type != FrameType::kEnd || frame.content.empty());
      AppendFrame(taken.frames, frame.type, frame.content);
    }
    taken.broken = state == FrameReader::State::kBroken;
    Require(taken.broken || reader.held() < FrameLimits::kHead + std::max(kJson, FrameLimits::kOctets));
  }
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets stream = AsOctets({data, size});
  const Taken whole = Take(stream, size + 1);
  Require(stream.starts_with(whole.frames));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) Require(Take(stream, piece) == whole);
  return 0;
}
