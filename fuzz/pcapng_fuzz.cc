// A pcapng file of any octets: read whole, by octet and in two pieces it gives the same frames and the same fault.
#include <cstdint>

#include "capture/pcapng_reader.h"
#include "support/capture_builder.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::capture;
using glasspost::test::Require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Octets text(reinterpret_cast<const char*>(data) + 1, size - 1);
  ReaderLimits limits;
  limits.packet_octets = 2048;
  limits.block_octets = 4096;
  limits.interfaces = 16;
  limits.secret_octets = 64;
  const support::Reading whole = support::ReadWhole<PcapngReader>(text, limits);
  Require(support::ReadByOctet<PcapngReader>(text, limits) == whole);
  Require(support::ReadSplit<PcapngReader>(text, text.size() * data[0] / 256, limits) == whole);
  std::uint64_t number = 0;
  std::size_t octets = 0;
  for (const support::SeenFrame& frame : whole.frames) {
    Require(frame.number == ++number && frame.octets.size() <= frame.wire_length && frame.octets.size() <= limits.packet_octets);
    octets += frame.octets.size() + 16;
  }
  Require(octets <= text.size());
  Require(!whole.fault || whole.fault->offset <= text.size());
  return 0;
}
