#include "net/endpoint.h"

#include <algorithm>

namespace glasspost::net {

asio::ip::tcp::endpoint ToAsio(const Endpoint& endpoint) {
  const auto& octets = endpoint.address.octets;
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type v4{};
    std::copy(octets.begin() + 12, octets.end(), v4.begin());
    return {asio::ip::address_v4(v4), endpoint.port};
  }
  asio::ip::address_v6::bytes_type v6{};
  std::copy(octets.begin(), octets.end(), v6.begin());
  return {asio::ip::address_v6(v6), endpoint.port};
}

Endpoint FromAsio(const asio::ip::tcp::endpoint& endpoint) {
  const asio::ip::address address = endpoint.address();
  if (address.is_v4()) return {Address::V4(address.to_v4().to_bytes().data()), endpoint.port()};
  return {Address::V6(address.to_v6().to_bytes().data()), endpoint.port()};  // a mapped one is base's form of IPv4 already
}

}  // namespace glasspost::net
