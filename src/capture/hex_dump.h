// Reads hex dumps as people and programs print them, as packets. Understood, in any mixture of upper and lower case:
//   00 0F E2 45 …   also without spaces, in groups, with 0x or \x before each octet, with , : ; - between them
//   the same with an offset before each line (hexadecimal, octal or decimal, with or without ":"), with "*" for repeated lines
//   xxd, xxd -p, hexdump -C, od -A x -t x1 (also z), tcpdump -x and -X, tshark -x and Wireshark's copies, with or without the
//   text column at the right
// A blank line, a label or an offset that begins again at 0 begins another packet; so does each of several lines of more than 32
// octets without offsets. The text column is never taken for octets: how
// many octets a line holds is known from the next line's offset; a line that has none behind it is held against its own text
// column and against the width of the lines before it. Words of 16 bits (hexdump without -C) are refused: their octet order is
// that of another machine. Lines that begin with # are comments.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/octets.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

struct HexDumpLimits {
  // The whole text is held in memory.
  std::size_t text_octets = std::size_t{32} << 20;
  // Stops "*" and forged offsets from filling memory; the snap length of capture programs.
  std::size_t packet_octets = 262144;
  // All packets together, since a few octets of "*" may stand for a whole packet.
  std::size_t total_octets = std::size_t{64} << 20;
};

struct HexDump {
  std::vector<std::uint8_t> octets;
  std::vector<OctetRange> packets;  // into `octets`, in order, none empty
  std::optional<Error> fault;       // where the text ends to be a dump, after so many packets; line and column as in the error

  Bytes packet(std::size_t i) const { return Bytes(octets).subspan(packets[i].offset, packets[i].length); }
};

// An error names line and column, both from 1; it is one where there is no whole packet before it. Lines before the first that
// begins with hex digits are words about the dump.
Expected<HexDump> ParseHexDump(Octets text, const HexDumpLimits& limits = {});

// A dump does not say what its first octets are: Ethernet, unless no EtherType of the IP world stands where Ethernet has it and
// the beginning makes an IPv4 header (version, header length, total length not shorter than it) or an IPv6 header (version, a
// next header of the IP world, a hop limit): then raw IP.
LinkType GuessLinkType(Bytes frame);

}  // namespace glasspost::capture
