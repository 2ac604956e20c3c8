// Networks and listening addresses as a person writes them: "192.0.2.0/24", "[2001:db8::1]:25".
#pragma once

#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/octets.h"

namespace glasspost::server {

// RFC 4632 (IPv4), RFC 4291 §2.3 (IPv6). Bits beyond the prefix are zero.
struct Network {
  Address address;
  std::uint8_t bits = 128;  // of the 128 of an Address; an IPv4 network's begin at 96

  bool Contains(const Address& a) const;
  // With its prefix length unless it is a single address.
  std::string Text() const;
  bool operator==(const Network&) const = default;
};

// Without brackets.
std::optional<Address> ParseAddress(Octets text);
// A single address is a network of one. Bits set beyond the prefix are an error that names the network.
Expected<Network> ParseNetwork(Octets text);
// "192.0.2.1:25", "[2001:db8::1]:25". `default_port`: what stands for a missing one; 0: it may not be missing, but
// may be 0 (to listen on any that is free).
Expected<Endpoint> ParseEndpoint(Octets text, std::uint16_t default_port = 0);
bool IsLoopback(const Address& address);

}  // namespace glasspost::server
