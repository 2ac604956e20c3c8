// What `glasspost craft` is told of each packet. Unlike other options these are taken in their order: each is about the packet
// that was begun last (--frame, --template), or about all where none was begun.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "capture/craft/frame.h"
#include "wire/exchange.h"

namespace glasspost::cli {

struct CraftBounds {
  static constexpr std::size_t kPackets = 10'000;  // of one command: all are in memory
};

struct PacketOrder {
  std::string file;         // of a capture; empty: a template
  std::uint64_t frame = 0;  // 0: every frame of the file
  std::string pattern;      // "syn", "pop3" …
  std::string source;       // "192.0.2.1:49152"
  std::string destination;
  std::optional<std::string> text;  // of a template
  Protocol speaks = Protocol::kUnknown;
  std::vector<capture::Assignment> adds;  // records of DNS
  std::vector<capture::Assignment> sets;
  std::vector<std::string> kept;  // names of fields; an empty one: all
  std::optional<std::string> payload;
};

// Takes the options of packets out of `words`.
Expected<std::vector<PacketOrder>> TakePacketOrders(std::vector<std::string>& words);

}  // namespace glasspost::cli
