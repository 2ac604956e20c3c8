// What the tests of TCP reassembly share: packets by hand, and a record of what was told.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/tcp_connection.h"

namespace glasspost::capture::test {

inline constexpr std::uint32_t kBase0 = 1001, kBase1 = 5001;  // first octets of the two sides, after their SYNs

// "0:text", "1:gap 5+10", "0:fin", "1:reset", "0:again 5", "0:again 5 conflict", in the order told. Consecutive octets of a side
// stay separate lines, so that a test sees which packet brought what.
class Record : public TcpEvents {
 public:
  void OnTcpOctets(Side side, Octets octets, const Origin& origin) override {
    Note(side, std::string(octets), origin);
    streams[side].append(octets);
  }
  void OnTcpGap(Side side, std::uint64_t offset, std::uint64_t length, const Origin& origin) override {
    Note(side, "gap " + std::to_string(offset) + "+" + std::to_string(length), origin);
    streams[side].append(length, '?');
  }
  void OnTcpFin(Side side, const Origin& origin) override { Note(side, "fin", origin); }
  void OnTcpReset(Side side, const Origin& origin) override { Note(side, "reset", origin); }
  void OnTcpRetransmission(Side side, std::uint64_t octets, bool conflict, const Origin& origin) override {
    Note(side, "again " + std::to_string(octets) + (conflict ? " conflict" : ""), origin);
  }
  std::vector<std::string> lines;
  std::vector<std::uint64_t> frames;   // origin of each line
  std::array<std::string, 2> streams;  // octets, '?' for those lost

 private:
  void Note(Side side, const std::string& what, const Origin& origin) {
    lines.push_back(std::to_string(side) + ":" + what);
    frames.push_back(origin.frame);
  }
};

using Lines = std::vector<std::string>;

// A connection and its record. Numbers are given as stream positions, from kBase0 and kBase1.
class Wire {
 public:
  explicit Wire(const TcpLimits& l = {}, std::size_t budget_octets = 64u << 20)
      : limits(l), budget{budget_octets, 0}, connection(limits, budget) {}

  void Handshake() {
    Flags(0, kSyn, -1, 0);
    Flags(1, kSyn | kAck, -1, 0);
    Flags(0, kAck, 0, 0);
  }
  // A segment of `side` at position `at` of its stream, acknowledging the other's up to `ack`.
  void Data(Side side, std::int64_t at, std::string_view octets, std::int64_t ack, std::uint8_t more_flags = 0) {
    Packet p = Make(side, at, ack, kAck | more_flags);
    SetOctets(p, octets);
    Put(side, p);
  }
  void Flags(Side side, std::uint8_t flags, std::int64_t at, std::int64_t ack) { Put(side, Make(side, at, ack, flags)); }
  void Ack(Side side, std::int64_t at, std::int64_t ack) { Flags(side, kAck, at, ack); }
  // Packets that say nothing new, to let the reorder window pass.
  void Idle(int n, std::int64_t at0, std::int64_t at1) {
    for (int i = 0; i < n; ++i) Ack(0, at0, at1);
  }
  void Flush() { connection.Flush({frame, 0}, told); }
  Packet Make(Side side, std::int64_t at, std::int64_t ack, std::uint8_t flags) const {
    Packet p;
    p.transport = kTcp;
    p.flags = flags;
    p.window = 1000;
    p.sequence = (side == 0 ? base0 : base1) + static_cast<std::uint32_t>(at);
    p.acknowledgement = (flags & kAck) != 0 ? (side == 0 ? base1 : base0) + static_cast<std::uint32_t>(ack) : 0;
    return p;
  }
  static void SetOctets(Packet& p, std::string_view octets) {
    p.payload = reinterpret_cast<const std::uint8_t*>(octets.data());
    p.payload_length = p.captured_length = static_cast<std::uint32_t>(octets.size());
  }
  void Put(Side side, Packet p) {
    p.frame = ++frame;
    p.time = static_cast<Timestamp>(frame) * 1000;
    connection.Add(side, p, told);
  }
  const Lines& lines() const { return told.lines; }

  std::uint32_t base0 = kBase0, base1 = kBase1;
  TcpLimits limits;
  ReassemblyBudget budget;
  TcpConnection connection;
  Record told;
  std::uint64_t frame = 0;
};

}  // namespace glasspost::capture::test
