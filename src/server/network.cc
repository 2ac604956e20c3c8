#include "server/network.h"

#include <algorithm>

#include "base/ascii.h"
#include "wire/dns/address_text.h"

namespace glasspost::server {
namespace {

constexpr std::uint8_t kAddressBits = 128;
constexpr std::uint8_t kMappedBits = 96;  // what stands before an IPv4 address

Address Masked(Address a, std::uint8_t bits) {
  for (std::size_t i = 0; i < a.octets.size(); ++i) {
    const int kept = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    a.octets[i] = static_cast<std::uint8_t>(a.octets[i] & (0xff00 >> kept));
  }
  return a;
}

}  // namespace

bool Network::Contains(const Address& a) const { return Masked(a, bits) == address; }

std::string Network::Text() const {
  const bool v4 = address.is_v4() && bits >= kMappedBits;
  std::string text = address.Text();
  if (bits < kAddressBits) text += "/" + std::to_string(v4 ? bits - kMappedBits : bits);
  return text;
}

std::optional<Address> ParseAddress(Octets text) {
  std::string octets;
  if (dns::ParseIp4(text, octets)) return Address::V4(AsBytes(octets).data());
  octets.clear();
  if (dns::ParseIp6(text, octets)) return Address::V6(AsBytes(octets).data());
  return {};
}

Expected<Network> ParseNetwork(Octets text) {
  const std::size_t slash = text.find('/');
  const auto address = ParseAddress(text.substr(0, slash));
  if (!address) return Fail("is no address or network", {}, "write it as 192.0.2.0/24 or 2001:db8::/32");
  Network network{.address = *address};
  if (slash == Octets::npos) return network;
  const bool v4 = text.substr(0, slash).find(':') == Octets::npos;
  const auto length = ParseNumber(text.substr(slash + 1));
  const std::uint8_t before = v4 ? kMappedBits : 0;
  if (!length || *length > static_cast<std::uint64_t>(kAddressBits - before))
    return Fail("has no prefix length that there is", {}, v4 ? "it goes from /0 to /32" : "it goes from /0 to /128");
  network.bits = static_cast<std::uint8_t>(before + *length);
  const Address masked = Masked(*address, network.bits);
  if (masked != *address) {
    network.address = masked;
    return Fail("has bits set beyond its prefix", {}, "the network is " + network.Text());
  }
  return network;
}

Expected<Endpoint> ParseEndpoint(Octets text, std::uint16_t default_port) {
  const auto no_endpoint = [&] {
    return Fail("is no address with a port", {}, "write it as 127.0.0.1:25 or [::1]:25; all addresses are 0.0.0.0 and [::]");
  };
  Octets host = text;
  Octets port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == Octets::npos) return no_endpoint();
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (host.find(':') == Octets::npos) return no_endpoint();
  } else if (text.find(':') == text.rfind(':')) {  // more than one: an IPv6 address without brackets, and so without a port
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
  }
  const auto address = ParseAddress(host);
  if (!address) return no_endpoint();
  if (port.empty() && default_port != 0) return Endpoint{*address, default_port};
  const auto number = port.starts_with(':') ? ParseNumber(port.substr(1)) : std::nullopt;
  if (!number) return no_endpoint();
  if (*number > 65535 || (*number == 0 && default_port != 0)) return Fail("has no port that there is", {}, "it goes up to 65535");
  return Endpoint{*address, static_cast<std::uint16_t>(*number)};
}

bool IsLoopback(const Address& a) {
  if (a.is_v4()) return a.octets[12] == 127;
  static constexpr std::uint8_t kOne[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return a == Address::V6(kOne);
}

}  // namespace glasspost::server
