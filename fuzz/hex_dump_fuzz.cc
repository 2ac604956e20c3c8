// A hex dump of any text: packets within the limits; and octets that were printed are read back.
#include <cstdint>
#include <string>

#include "capture/hex_dump.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::capture;
using glasspost::test::Require;

// As tshark -x prints them: the text column holds whatever the input is.
std::string Print(Bytes octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t at = 0; at < octets.size(); at += 16) {
    for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[at >> shift & 15];
    out += "  ";
    std::string text;
    for (std::size_t i = at; i < at + 16; ++i) {
      if (i < octets.size()) {
        out += kDigits[octets[i] >> 4];
        out += kDigits[octets[i] & 15];
        out += ' ';
        text += octets[i] >= 0x20 && octets[i] < 0x7f ? static_cast<char>(octets[i]) : '.';
      } else {
        out += "   ";
      }
    }
    out += "  " + text + "\n";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets text(reinterpret_cast<const char*>(data), size);
  HexDumpLimits limits;
  limits.packet_octets = 512;
  limits.total_octets = 4096;
  const Expected<HexDump> dump = ParseHexDump(text, limits);
  if (dump) {
    std::size_t at = 0;
    for (const OctetRange& packet : dump->packets) {
      Require(packet.offset == at && packet.length > 0 && packet.length <= limits.packet_octets);
      at += packet.length;
      GuessLinkType(dump->packet(0));
    }
    Require(at == dump->octets.size() && at <= limits.total_octets && !dump->packets.empty());
    Require(!dump->fault || !dump->fault->what.empty());
  } else {
    Require(!dump.error().what.empty());
  }
  if (size == 0 || size > 4096) return 0;
  const Expected<HexDump> again = ParseHexDump(Print(AsBytes(text)));
  Require(again && again->packets.size() == 1 && AsOctets(again->packet(0)) == text);
  return 0;
}
