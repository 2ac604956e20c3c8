#include "capture/synthetic_tcp.h"

#include "capture/packet.h"
#include "capture/synthetic_ip.h"

namespace glasspost::capture {
namespace {

constexpr std::uint32_t kFirst[2] = {1'000'000'000, 2'000'000'000};  // sequence numbers of the SYNs
constexpr std::uint16_t kWindow = 65'535;
constexpr std::size_t kTcpHeader = 20;
// Of a SYN: MSS, then a no-op and the window scale: × 128, so that no run of octets exceeds the window.
constexpr char kSynOptions[] = {
    2, 4, static_cast<char>(SyntheticTcp::kSegment >> 8), static_cast<char>(SyntheticTcp::kSegment & 0xff), 1, 3, 3, 7};

}  // namespace

SyntheticTcp::SyntheticTcp(const Endpoint& client, const Endpoint& server) {
  halves_[0].endpoint = client;
  halves_[1].endpoint = server;
  for (std::size_t i = 0; i < 2; ++i) halves_[i].next = kFirst[i];
}

void SyntheticTcp::Open(Timestamp time, Sink& sink) {
  Emit(Direction::kToServer, kSyn, {}, time, sink);
  Emit(Direction::kToClient, kSyn | kAck, {}, time, sink);
  Emit(Direction::kToServer, kAck, {}, time, sink);
}

void SyntheticTcp::Segment(Direction direction, std::uint8_t flags, Octets payload, Timestamp time, Sink& sink) {
  Emit(direction, flags, payload.substr(0, kSegment), time, sink);
}

void SyntheticTcp::Send(Direction direction, Octets octets, Timestamp time, Sink& sink) {
  while (!octets.empty()) {
    const Octets piece = octets.substr(0, kSegment);
    octets.remove_prefix(piece.size());
    Emit(direction, octets.empty() ? kPsh | kAck : kAck, piece, time, sink);
  }
  Emit(Opposite(direction), kAck, {}, time, sink);
}

void SyntheticTcp::Skip(Direction direction, std::uint64_t octets) { From(direction).next += static_cast<std::uint32_t>(octets); }

void SyntheticTcp::Finish(Direction direction, bool answered, Timestamp time, Sink& sink) {
  Emit(direction, kFin | kAck, {}, time, sink);
  if (answered) Emit(Opposite(direction), kAck, {}, time, sink);
}

void SyntheticTcp::Reset(Direction direction, Timestamp time, Sink& sink) { Emit(direction, kRst | kAck, {}, time, sink); }

void SyntheticTcp::Emit(Direction direction, std::uint8_t flags, Octets payload, Timestamp time, Sink& sink) {
  Half& from = From(direction);
  Half& to = From(Opposite(direction));
  const Octets options = (flags & kSyn) != 0 ? Octets(kSynOptions, sizeof kSynOptions) : Octets();
  const std::size_t segment = kTcpHeader + options.size() + payload.size();
  frame_.clear();
  AppendSyntheticIp(frame_, {from.endpoint.address, to.endpoint.address, direction, kTcp, ++from.packets, segment});
  const std::size_t at = frame_.size();
  AppendBig16(frame_, from.endpoint.port);
  AppendBig16(frame_, to.endpoint.port);
  AppendBig32(frame_, from.next);
  AppendBig32(frame_, (flags & kAck) != 0 ? to.next : 0);
  frame_.push_back(static_cast<char>((kTcpHeader + options.size()) / 4 << 4));
  frame_.push_back(static_cast<char>(flags));
  AppendBig16(frame_, kWindow);
  AppendBig32(frame_, 0);  // checksum, urgent pointer
  frame_ += options;
  frame_ += payload;
  StoreTransportChecksum(frame_, at, from.endpoint.address, to.endpoint.address, kTcp);
  from.next += static_cast<std::uint32_t>(payload.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
  sink.OnFrame(frame_, time);
}

}  // namespace glasspost::capture
