// This machine's own network settings: name servers, interfaces, gateways. What the files say is read by functions of text.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/octets.h"

namespace glasspost::net {

struct MachineLimits {
  static constexpr std::size_t kNameServers = 8;
  static constexpr std::size_t kSearch = 32;     // domains (glibc takes no more than it has room for)
  static constexpr std::size_t kFile = 1 << 20;  // octets read of a file
};

// resolv.conf(5)
struct ResolvConf {
  std::vector<Address> name_servers;
  std::vector<std::string> search;
};
ResolvConf ParseResolvConf(Octets text);
// Of this machine. Without any name server, 127.0.0.1, as resolv.conf(5) says.
ResolvConf ReadResolvConf();

// A default route: where what is not near goes.
struct Gateway {
  std::string interface;
  Address address;
  bool operator==(const Gateway&) const = default;
};
std::vector<Gateway> ParseRoutes4(Octets text);  // /proc/net/route
std::vector<Gateway> ParseRoutes6(Octets text);  // /proc/net/ipv6_route

struct Interface {
  struct Network {
    Address address;
    int prefix = 0;
  };
  std::string name;
  std::string hardware;  // "52:54:00:12:34:56"; empty: it has none
  bool up = false;
  std::vector<Network> addresses;
  std::vector<Address> gateways;
};

struct Machine {
  std::string host;
  std::vector<Interface> interfaces;
  ResolvConf resolver;
};
Machine DescribeMachine();

}  // namespace glasspost::net
