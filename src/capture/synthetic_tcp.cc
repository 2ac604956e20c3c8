#include "capture/synthetic_tcp.h"

#include "capture/checksum.h"
#include "capture/packet.h"

namespace glasspost::capture {
namespace {

constexpr std::uint32_t kFirst[2] = {1'000'000'000, 2'000'000'000};  // sequence numbers of the SYNs
constexpr std::uint16_t kWindow = 65'535;
constexpr std::size_t kTcpHeader = 20;
constexpr std::uint8_t kTtl = 64;
// Of a SYN: MSS, then a no-op and the window scale: × 128, so that no run of octets exceeds the window.
constexpr char kSynOptions[] = {
    2, 4, static_cast<char>(SyntheticTcp::kSegment >> 8), static_cast<char>(SyntheticTcp::kSegment & 0xff), 1, 3, 3, 7};

void Put16(std::string& out, std::uint32_t v) {
  out.push_back(static_cast<char>(v >> 8));
  out.push_back(static_cast<char>(v));
}
void Put32(std::string& out, std::uint32_t v) {
  Put16(out, v >> 16);
  Put16(out, v & 0xffff);
}
void Store16(std::string& out, std::size_t at, std::uint16_t v) {
  out[at] = static_cast<char>(v >> 8);
  out[at + 1] = static_cast<char>(v);
}

Bytes AddressOf(const Endpoint& e, bool v4) { return Bytes(e.address.octets).subspan(v4 ? 12 : 0); }

}  // namespace

SyntheticTcp::SyntheticTcp(const Endpoint& client, const Endpoint& server)
    : v4_(client.address.is_v4() && server.address.is_v4()) {
  halves_[0].endpoint = client;
  halves_[1].endpoint = server;
  for (std::size_t i = 0; i < 2; ++i) halves_[i].next = kFirst[i];
}

void SyntheticTcp::Open(Timestamp time, Sink& sink) {
  Emit(Direction::kToServer, kSyn, {}, time, sink);
  Emit(Direction::kToClient, kSyn | kAck, {}, time, sink);
  Emit(Direction::kToServer, kAck, {}, time, sink);
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

void SyntheticTcp::AppendIp(Half& from, const Half& to, std::size_t segment) {
  const Bytes source = AddressOf(from.endpoint, v4_), destination = AddressOf(to.endpoint, v4_);
  const std::size_t at = frame_.size();
  if (v4_) {
    frame_ += Octets("\x45\x00", 2);
    Put16(frame_, static_cast<std::uint32_t>(20 + segment));
    Put16(frame_, ++from.packets);
    Put16(frame_, 0x4000);  // don't fragment
    frame_.push_back(static_cast<char>(kTtl));
    frame_.push_back(static_cast<char>(kTcp));
    Put16(frame_, 0);
  } else {
    Put32(frame_, 0x60000000);
    Put16(frame_, static_cast<std::uint32_t>(segment));
    frame_.push_back(static_cast<char>(kTcp));
    frame_.push_back(static_cast<char>(kTtl));
  }
  frame_ += AsOctets(source);
  frame_ += AsOctets(destination);
  if (v4_) Store16(frame_, at + 10, CheckIpv4Header(AsBytes(frame_).subspan(at)).calculated);
}

void SyntheticTcp::Emit(Direction direction, std::uint8_t flags, Octets payload, Timestamp time, Sink& sink) {
  static constexpr char kMac[2][7] = {"\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02"};
  Half& from = From(direction);
  Half& to = From(Opposite(direction));
  const Octets options = (flags & kSyn) != 0 ? Octets(kSynOptions, sizeof kSynOptions) : Octets();
  const std::size_t segment = kTcpHeader + options.size() + payload.size();
  frame_.clear();
  frame_.append(kMac[Index(Opposite(direction)) == 0 ? 0 : 1], 6);
  frame_.append(kMac[Index(direction) == 0 ? 0 : 1], 6);
  Put16(frame_, v4_ ? 0x0800 : 0x86dd);
  AppendIp(from, to, segment);
  const std::size_t at = frame_.size();
  Put16(frame_, from.endpoint.port);
  Put16(frame_, to.endpoint.port);
  Put32(frame_, from.next);
  Put32(frame_, (flags & kAck) != 0 ? to.next : 0);
  frame_.push_back(static_cast<char>((kTcpHeader + options.size()) / 4 << 4));
  frame_.push_back(static_cast<char>(flags));
  Put16(frame_, kWindow);
  Put32(frame_, 0);  // checksum, urgent pointer
  frame_ += options;
  frame_ += payload;
  const ChecksumResult sum =
      CheckTransport(AddressOf(from.endpoint, v4_), AddressOf(to.endpoint, v4_), kTcp, AsBytes(frame_).subspan(at), 16);
  Store16(frame_, at + 16, sum.calculated);
  from.next += static_cast<std::uint32_t>(payload.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
  sink.OnFrame(frame_, time);
}

}  // namespace glasspost::capture
