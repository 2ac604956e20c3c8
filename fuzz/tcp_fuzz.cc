// TCP reassembly: packets from the input, numbers near each other so that they meet. Whatever comes: what is told is contiguous,
// no octet is invented, none is told that was not given, the bounds hold, all memory is given back.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "capture/tcp_connection.h"

namespace {

using namespace glasspost;
using namespace glasspost::capture;

void Check(bool holds, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "tcp_fuzz.cc:%d: an invariant is broken\n", line);
  std::abort();
}

// The octet that a side has at a sequence number: the same in every packet that does not lie.
char OctetAt(Side side, std::uint32_t sequence) {
  return static_cast<char>((sequence * 2654435761u >> 24) ^ (side == 0 ? 0u : 0x55u));
}

struct Watch : TcpEvents {
  const TcpConnection* connection = nullptr;
  bool lies = false;  // two contents were given for one octet
  std::uint64_t given = 0;
  std::array<std::uint64_t, 2> position{};
  std::array<std::uint64_t, 2> octets{};
  std::array<bool, 2> fin{};
  bool reset = false;

  void OnTcpOctets(Side side, Octets o, const Origin& origin) override {
    Check(!o.empty() && !fin[side] && origin.frame != 0);
    const std::uint32_t base = connection->first_sequence(side) + (connection->syn_seen(side) ? 1 : 0);
    for (std::size_t i = 0; !lies && i < o.size(); ++i) {
      Check(o[i] == OctetAt(side, base + static_cast<std::uint32_t>(position[side] + i)));
    }
    position[side] += o.size();
    octets[side] += o.size();
    Check(octets[0] + octets[1] <= given);
    Check(connection->told(side) == position[side]);
  }
  void OnTcpGap(Side side, std::uint64_t offset, std::uint64_t length, const Origin&) override {
    Check(offset == position[side] && length > 0 && length <= (std::uint64_t{1} << 32) && !fin[side]);
    position[side] += length;
    Check(connection->told(side) == position[side]);
  }
  void OnTcpFin(Side side, const Origin&) override {
    Check(!fin[side]);
    fin[side] = true;
  }
  void OnTcpReset(Side, const Origin&) override {
    Check(!reset);
    reset = true;
  }
  void OnTcpRetransmission(Side, std::uint64_t again, bool conflict, const Origin&) override {
    Check(again > 0);
    Check(lies || !conflict);
  }
};

struct Input {
  const std::uint8_t* at;
  const std::uint8_t* end;
  std::uint8_t Octet() { return at < end ? *at++ : 0; }
};

// A signed distance: mostly near, sometimes anywhere.
std::uint32_t Distance(Input& in, std::uint8_t how) {
  switch (how & 3) {
    case 0:
      return 0;
    case 1:
      return static_cast<std::uint32_t>(static_cast<std::int8_t>(in.Octet()));
    case 2:
      return static_cast<std::uint32_t>(static_cast<std::int8_t>(in.Octet())) * 37;
    default:
      return static_cast<std::uint32_t>(in.Octet()) << 24 | static_cast<std::uint32_t>(in.Octet()) << 16 | in.Octet();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in{data, data + size};
  TcpLimits limits;
  limits.reorder_window = in.Octet() % 80;
  limits.held_octets = std::size_t{in.Octet()} * 16;
  limits.held_segments = 1 + in.Octet() % 64;
  ReassemblyBudget budget{std::size_t{in.Octet()} * 16, 0};
  {
    std::optional<TcpConnection> connection;
    connection.emplace(limits, budget);
    Watch watch;
    watch.connection = &*connection;
    std::array<std::uint32_t, 2> next{0xfffffff0u, 77};
    std::uint64_t frame = 0;
    std::string payload;
    while (in.at < in.end) {
      const std::uint8_t head = in.Octet();
      const std::uint8_t how = in.Octet();
      const Side side = head & 1;
      Packet p;
      p.frame = ++frame;
      p.time = static_cast<Timestamp>(frame);
      p.transport = kTcp;
      p.flags = (head >> 1 & 1) != 0 ? 0 : kAck;
      if ((head & 0x0c) == 0x0c) p.flags |= in.Octet() & (kSyn | kFin | kRst);
      p.window = (head & 0x10) != 0 ? 0 : 100;
      p.sequence = next[side] + Distance(in, how);
      p.acknowledgement = next[1 - side] + Distance(in, how >> 2);
      p.payload_length = p.captured_length = (head & 0x20) != 0 ? in.Octet() : 0;
      if ((how & 0x10) != 0) p.captured_length = std::min<std::uint32_t>(p.captured_length, in.Octet());
      const std::uint32_t first = p.sequence + ((p.flags & kSyn) != 0 ? 1 : 0);
      payload.clear();
      for (std::uint32_t i = 0; i < p.captured_length; ++i) payload += OctetAt(side, first + i);
      if ((how & 0x20) != 0 && !payload.empty()) {
        payload[payload.size() / 2] ^= 1;
        watch.lies = true;
      }
      p.payload = reinterpret_cast<const std::uint8_t*>(payload.data());
      watch.given += p.captured_length;
      if ((head & 0x40) != 0) next[side] = first + p.payload_length + ((p.flags & kFin) != 0 ? 1 : 0);
      if (connection->BeginsAnother(side, p) && (how & 0x40) != 0) {
        connection->Flush({frame, 0}, watch);
        Check(budget.used == 0);
        connection.emplace(limits, budget);
        const std::uint64_t given = p.captured_length;
        watch = Watch{};
        watch.connection = &*connection;
        watch.given = given;
        watch.lies = (how & 0x20) != 0;
      }
      connection->Add(side, p, watch);
      Check(budget.used == connection->held_cost());
      Check(budget.used <= budget.limit && connection->held_octets() <= limits.held_octets);
      if ((how & 0x80) != 0) {
        TcpConnection moved(std::move(*connection));
        connection.emplace(std::move(moved));
      }
    }
    if (size % 2 == 0) {
      connection->Flush({frame + 1, 0}, watch);
      Check(budget.used == 0);
      Check(!connection->reset() || watch.reset);
    }
  }
  Check(budget.used == 0);
  return 0;
}
