#include "capture/synthetic_ip.h"

#include "capture/checksum.h"
#include "capture/packet.h"

namespace glasspost::capture {
namespace {

constexpr std::uint8_t kTtl = 64;
constexpr std::size_t kIpv4Header = 20, kUdpHeader = 8;

void Store16(std::string& out, std::size_t at, std::uint16_t v) {
  out[at] = static_cast<char>(v >> 8);
  out[at + 1] = static_cast<char>(v);
}

bool BothV4(const Address& a, const Address& b) { return a.is_v4() && b.is_v4(); }
Bytes OctetsOf(const Address& a, bool v4) { return Bytes(a.octets).subspan(v4 ? 12 : 0); }

}  // namespace

void AppendBig16(std::string& out, std::uint32_t v) {
  out.push_back(static_cast<char>(v >> 8));
  out.push_back(static_cast<char>(v));
}

void AppendBig32(std::string& out, std::uint32_t v) {
  AppendBig16(out, v >> 16);
  AppendBig16(out, v & 0xffff);
}

void AppendSyntheticIp(std::string& frame, const SyntheticIp& ip) {
  static constexpr char kMac[2][7] = {"\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02"};
  const bool v4 = BothV4(ip.source, ip.destination);
  frame.append(kMac[Index(Opposite(ip.direction)) == 0 ? 0 : 1], 6);
  frame.append(kMac[Index(ip.direction) == 0 ? 0 : 1], 6);
  AppendBig16(frame, v4 ? 0x0800 : 0x86dd);
  const std::size_t at = frame.size();
  if (v4) {
    frame += Octets("\x45\x00", 2);
    AppendBig16(frame, static_cast<std::uint32_t>(kIpv4Header + ip.payload));
    AppendBig16(frame, ip.id);
    AppendBig16(frame, 0x4000);  // don't fragment
    frame.push_back(static_cast<char>(kTtl));
    frame.push_back(static_cast<char>(ip.protocol));
    AppendBig16(frame, 0);
  } else {
    AppendBig32(frame, 0x60000000);
    AppendBig16(frame, static_cast<std::uint32_t>(ip.payload));
    frame.push_back(static_cast<char>(ip.protocol));
    frame.push_back(static_cast<char>(kTtl));
  }
  frame += AsOctets(OctetsOf(ip.source, v4));
  frame += AsOctets(OctetsOf(ip.destination, v4));
  if (v4) Store16(frame, at + 10, CheckIpv4Header(AsBytes(frame).subspan(at)).calculated);
}

void StoreTransportChecksum(std::string& frame, std::size_t at, const Address& source, const Address& destination,
                            std::uint8_t protocol) {
  const std::size_t place = protocol == kTcp ? 16 : 6;
  const bool v4 = BothV4(source, destination);
  const ChecksumResult sum =
      CheckTransport(OctetsOf(source, v4), OctetsOf(destination, v4), protocol, AsBytes(frame).subspan(at), place);
  Store16(frame, at + place, sum.calculated);
}

std::string SyntheticUdp(const Endpoint& source, const Endpoint& destination, Direction direction, std::uint16_t id,
                         Octets payload) {
  payload = payload.substr(0, kMostInUdp);
  const std::size_t size = kUdpHeader + payload.size();
  std::string frame;
  AppendSyntheticIp(frame, {source.address, destination.address, direction, kUdp, id, size});
  const std::size_t at = frame.size();
  AppendBig16(frame, source.port);
  AppendBig16(frame, destination.port);
  AppendBig16(frame, static_cast<std::uint32_t>(size));
  AppendBig16(frame, 0);
  frame += payload;
  StoreTransportChecksum(frame, at, source.address, destination.address, kUdp);
  return frame;
}

}  // namespace glasspost::capture
