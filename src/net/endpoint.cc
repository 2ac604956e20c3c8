#include "net/endpoint.h"

#include <algorithm>

namespace glasspost::net {

namespace {

asio::ip::address ToAsio(const Address& address) {
  const auto& octets = address.octets;
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type v4{};
    std::copy(octets.begin() + 12, octets.end(), v4.begin());
    return asio::ip::address_v4(v4);
  }
  asio::ip::address_v6::bytes_type v6{};
  std::copy(octets.begin(), octets.end(), v6.begin());
  return asio::ip::address_v6(v6);
}

Address FromAsio(const asio::ip::address& address) {
  if (address.is_v4()) return Address::V4(address.to_v4().to_bytes().data());
  return Address::V6(address.to_v6().to_bytes().data());  // a mapped one is base's form of IPv4 already
}

}  // namespace

asio::ip::tcp::endpoint ToAsio(const Endpoint& endpoint) { return {ToAsio(endpoint.address), endpoint.port}; }
asio::ip::udp::endpoint ToAsioUdp(const Endpoint& endpoint) { return {ToAsio(endpoint.address), endpoint.port}; }

Endpoint FromAsio(const asio::ip::tcp::endpoint& endpoint) { return {FromAsio(endpoint.address()), endpoint.port()}; }
Endpoint FromAsio(const asio::ip::udp::endpoint& endpoint) { return {FromAsio(endpoint.address()), endpoint.port()}; }

}  // namespace glasspost::net
