// Addresses of base and of Asio, one made from the other. An IPv4 address is an IPv4 endpoint in both.
#pragma once

#include "base/address.h"
#include "net/asio.h"

namespace glasspost::net {

asio::ip::tcp::endpoint ToAsio(const Endpoint& endpoint);
// IPv4-mapped IPv6 addresses become IPv4.
Endpoint FromAsio(const asio::ip::tcp::endpoint& endpoint);
asio::ip::udp::endpoint ToAsioUdp(const Endpoint& endpoint);
Endpoint FromAsio(const asio::ip::udp::endpoint& endpoint);

}  // namespace glasspost::net
