#include "net/machine.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "base/ascii.h"
#include "wire/dns/address_text.h"

namespace glasspost::net {
namespace {

std::vector<Octets> Words(Octets line) {
  std::vector<Octets> words;
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == Octets::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

template <class F>
void EachLine(Octets text, F&& f) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Pairs of hexadecimal digits; empty if they are none.
std::string Unhex(Octets text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (error != std::errc{} || end != text.data() + i + 2) return {};
    out += static_cast<char>(value);
  }
  return out;
}

// Of a file in /proc, whose length nobody knows before.
std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(MachineLimits::kFile, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

Interface& Named(std::vector<Interface>& interfaces, const std::string& name) {
  const auto at = std::ranges::find(interfaces, name, &Interface::name);
  if (at != interfaces.end()) return *at;
  Interface fresh;
  fresh.name = name;
  return interfaces.emplace_back(std::move(fresh));
}

int PrefixOf(Bytes mask) {
  int prefix = 0;
  for (const std::uint8_t octet : mask) prefix += std::popcount(octet);
  return prefix;
}

void TakeAddress(const ifaddrs& entry, Interface& interface) {
  if (entry.ifa_addr == nullptr) return;
  const auto* mask = entry.ifa_netmask;
  if (entry.ifa_addr->sa_family == AF_INET && mask != nullptr) {
    sockaddr_in address{}, netmask{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    std::memcpy(&netmask, mask, sizeof netmask);
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&address.sin_addr);
    interface.addresses.push_back({Address::V4(octets), PrefixOf({reinterpret_cast<const std::uint8_t*>(&netmask.sin_addr), 4})});
  } else if (entry.ifa_addr->sa_family == AF_INET6 && mask != nullptr) {
    sockaddr_in6 address{}, netmask{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    std::memcpy(&netmask, mask, sizeof netmask);
    interface.addresses.push_back({Address::V6(address.sin6_addr.s6_addr), PrefixOf({netmask.sin6_addr.s6_addr, 16})});
  } else if (entry.ifa_addr->sa_family == AF_PACKET) {
    sockaddr_ll link{};
    std::memcpy(&link, entry.ifa_addr, sizeof link);
    const bool any = std::any_of(std::begin(link.sll_addr), std::end(link.sll_addr), [](auto octet) { return octet != 0; });
    for (int i = 0; any && i < std::min<int>(link.sll_halen, sizeof link.sll_addr); ++i)
      interface.hardware += fmt::format("{}{:02x}", i == 0 ? "" : ":", link.sll_addr[i]);
  }
}

}  // namespace

ResolvConf ParseResolvConf(Octets text) {
  ResolvConf conf;
  EachLine(text, [&](Octets line) {
    const std::vector<Octets> words = Words(line.substr(0, line.find_first_of("#;")));
    if (words.size() < 2) return;
    if (words[0] == "nameserver" && conf.name_servers.size() < MachineLimits::kNameServers) {
      std::string octets;
      const Octets address = words[1].substr(0, words[1].find('%'));  // a link-local one names its interface
      if (dns::ParseIp4(address, octets)) {
        conf.name_servers.push_back(Address::V4(AsBytes(octets).data()));
      } else if (dns::ParseIp6(address, octets)) {
        conf.name_servers.push_back(Address::V6(AsBytes(octets).data()));
      }
    } else if (words[0] == "search" || words[0] == "domain") {
      conf.search.clear();  // the last line counts
      for (std::size_t i = 1; i < words.size() && conf.search.size() < MachineLimits::kSearch; ++i)
        conf.search.emplace_back(words[i]);
    }
  });
  return conf;
}

ResolvConf ReadResolvConf() {
  ResolvConf conf = ParseResolvConf(ReadFile("/etc/resolv.conf"));
  constexpr std::uint8_t kLoopback[4] = {127, 0, 0, 1};
  if (conf.name_servers.empty()) conf.name_servers.push_back(Address::V4(kLoopback));
  return conf;
}

std::vector<Gateway> ParseRoutes4(Octets text) {
  std::vector<Gateway> gateways;
  EachLine(text, [&](Octets line) {
    constexpr std::size_t kDestination = 1, kGateway = 2, kMask = 7;
    const std::vector<Octets> words = Words(line);
    if (words.size() <= kMask || words[kDestination] != "00000000" || words[kMask] != "00000000") return;
    std::string octets = Unhex(words[kGateway]);
    if (octets.size() != 4 || octets == std::string(4, '\0')) return;
    // The kernel prints the number as this machine holds it.
    if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(octets);
    gateways.push_back({std::string(words[0]), Address::V4(AsBytes(octets).data())});
  });
  return gateways;
}

std::vector<Gateway> ParseRoutes6(Octets text) {
  std::vector<Gateway> gateways;
  EachLine(text, [&](Octets line) {
    constexpr std::size_t kDestination = 0, kPrefix = 1, kGateway = 4, kInterface = 9;
    const std::vector<Octets> words = Words(line);
    if (words.size() <= kInterface || words[kPrefix] != "00" || words[kDestination] != std::string(32, '0')) return;
    const std::string octets = Unhex(words[kGateway]);
    if (octets.size() != 16 || octets == std::string(16, '\0')) return;
    gateways.push_back({std::string(words[kInterface]), Address::V6(AsBytes(octets).data())});
  });
  return gateways;
}

Machine DescribeMachine() {
  Machine machine;
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) == 0) machine.host = host;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) == 0) {
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      Interface& interface = Named(machine.interfaces, entry->ifa_name);
      interface.up = (entry->ifa_flags & IFF_UP) != 0;
      TakeAddress(*entry, interface);
    }
  }
  for (const auto& gateways : {ParseRoutes4(ReadFile("/proc/net/route")), ParseRoutes6(ReadFile("/proc/net/ipv6_route"))})
    for (const Gateway& gateway : gateways) Named(machine.interfaces, gateway.interface).gateways.push_back(gateway.address);
  machine.resolver = ReadResolvConf();
  return machine;
}

}  // namespace glasspost::net
