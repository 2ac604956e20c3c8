#include "net/raw_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace glasspost::net {
namespace {

std::unexpected<Error> SocketError(const std::string& what, const std::string& where, int error) {
  if (error == EPERM || error == EACCES)
    return Fail(what + ": not permitted", where, "raw packets are root's: run it as root, or give it CAP_NET_RAW");
  if (error == EMSGSIZE) return Fail(what + ": larger than the link takes (" + std::strerror(error) + ")", where);
  return Fail(what + ": " + std::strerror(error), where);
}

Expected<RawSocket> OpenSocket(int family, int type, int protocol) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return SocketError("a raw socket cannot be opened", {}, errno);
  return RawSocket(fd);
}

// A packet socket on one interface, or (empty) on all.
Expected<RawSocket> OpenPacketSocket(int type, const std::string& interface) {
  auto socket = OpenSocket(AF_PACKET, type, 0);
  if (!socket) return socket;
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_ALL);
  if (!interface.empty()) at.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (!interface.empty() && at.sll_ifindex == 0) return Fail("there is no such interface", interface, "ip link lists them");
  if (::bind(socket->fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    return SocketError("it cannot be used", interface, errno);
  return socket;
}

// The address for the kernel, and how long it is.
std::pair<sockaddr_storage, socklen_t> ToSystem(const Address& address, std::uint16_t port) {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.octets.data() + 12, 4);
    std::memcpy(&storage, &v4, sizeof v4);
    return {storage, sizeof v4};
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.octets.data(), 16);
  std::memcpy(&storage, &v6, sizeof v6);
  return {storage, sizeof v6};
}

}  // namespace

RawSocket& RawSocket::operator=(RawSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

RawSocket::~RawSocket() {
  if (fd_ >= 0) ::close(fd_);
}

Expected<FrameSender> FrameSender::Open(const std::string& interface) {
  auto socket = OpenPacketSocket(SOCK_RAW, interface);
  if (!socket) return std::unexpected(socket.error());
  FrameSender sender;
  sender.socket_ = std::move(*socket);
  sender.interface_ = interface;
  return sender;
}

Expected<void> FrameSender::Send(Octets frame) {
  if (::send(socket_.fd(), frame.data(), frame.size(), 0) >= 0) return {};
  return SocketError("a frame cannot be sent", interface_, errno);
}

Expected<PacketSender> PacketSender::Open(bool v6) {
  auto socket = OpenSocket(v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_RAW);  // the header is ours, in both versions
  if (!socket) return std::unexpected(socket.error());
  PacketSender sender;
  sender.socket_ = std::move(*socket);
  sender.v6_ = v6;
  return sender;
}

Expected<void> PacketSender::Send(Octets packet, const Address& destination) {
  const auto [to, length] = ToSystem(destination, 0);
  if (::sendto(socket_.fd(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), length) >= 0) return {};
  return SocketError("a packet cannot be sent", destination.Text(), errno);
}

Expected<PacketEar> PacketEar::Open(const std::string& interface) {
  auto socket = OpenPacketSocket(SOCK_DGRAM, interface);  // without the link's header
  if (!socket) return std::unexpected(socket.error());
  PacketEar ear;
  ear.socket_ = std::move(*socket);
  ear.buffer_.resize(kPacket);
  return ear;
}

std::optional<Octets> PacketEar::Next(std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd ready{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
    const int n = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t size =
        ::recvfrom(socket_.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &length);
    const std::uint16_t type = ntohs(from.sll_protocol);
    if (size > 0 && from.sll_pkttype != PACKET_OUTGOING && (type == ETH_P_IP || type == ETH_P_IPV6))
      return Octets(buffer_).substr(0, static_cast<std::size_t>(size));
    if (left.count() <= 0) return {};
  }
}

std::optional<Address> SourceFor(const Address& destination) {
  constexpr std::uint16_t kAnyPort = 9;  // nothing is sent
  const RawSocket socket(::socket(destination.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto [to, length] = ToSystem(destination, kAnyPort);
  if (socket.fd() < 0 || ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to), length) != 0) return {};
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return {};
  const auto* const octets = reinterpret_cast<const std::uint8_t*>(&own);
  return destination.is_v4() ? Address::V4(octets + offsetof(sockaddr_in, sin_addr))
                             : Address::V6(octets + offsetof(sockaddr_in6, sin6_addr));
}

}  // namespace glasspost::net
