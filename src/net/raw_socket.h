// Packets as they are, past the kernel's own TCP and UDP: whole Ethernet frames out of an interface, IP packets by way of its
// routing, and an ear for what comes back. Needs root or CAP_NET_RAW. Linux; blocking, for a command that has nothing else to do.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/octets.h"

namespace glasspost::net {

// Owns a descriptor.
class RawSocket {
 public:
  RawSocket() = default;
  explicit RawSocket(int fd) : fd_(fd) {}
  RawSocket(RawSocket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  RawSocket& operator=(RawSocket&& other) noexcept;
  ~RawSocket();
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

// Sends Ethernet frames out of one interface.
class FrameSender {
 public:
  static Expected<FrameSender> Open(const std::string& interface);
  Expected<void> Send(Octets frame);

 private:
  RawSocket socket_;
  std::string interface_;
};

// Sends IPv4 and IPv6 packets where the routes lead. Of IPv4 the kernel writes total length and checksum itself.
class PacketSender {
 public:
  static Expected<PacketSender> Open(bool v6);
  Expected<void> Send(Octets packet, const Address& destination);

 private:
  RawSocket socket_;
  bool v6_ = false;
};

// Hears the IP packets that come to this machine, on one interface or (empty) on all.
class PacketEar {
 public:
  static constexpr std::size_t kPacket = 65'535;  // octets of one; what is longer is cut

  static Expected<PacketEar> Open(const std::string& interface);
  // The next one, good until the next call; nothing: none came in time.
  std::optional<Octets> Next(std::chrono::milliseconds wait);

 private:
  RawSocket socket_;
  std::string buffer_;
};

// The address from which this machine would send there, as the routes say.
std::optional<Address> SourceFor(const Address& destination);

}  // namespace glasspost::net
