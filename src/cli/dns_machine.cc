#include "cli/dns_machine.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "cli/dns_words.h"
#include "net/machine.h"

namespace glasspost::cli {
namespace {

using server::json::array;
using server::json::object;

constexpr std::size_t kLabelWidth = 20;

array Texts(const std::vector<Address>& addresses) {
  array out;
  for (const Address& a : addresses) out.emplace_back(a.Text());
  return out;
}

void PrintJson(const net::Machine& machine) {
  object out;
  out["host"] = server::JsonText(machine.host);
  array interfaces;
  for (const net::Interface& i : machine.interfaces) {
    array addresses;
    for (const auto& a : i.addresses) addresses.push_back(object{{"address", a.address.Text()}, {"prefix", a.prefix}});
    interfaces.push_back(object{{"name", server::JsonText(i.name)},
                                {"up", i.up},
                                {"physical", i.hardware},
                                {"addresses", std::move(addresses)},
                                {"gateways", Texts(i.gateways)}});
  }
  out["interfaces"] = std::move(interfaces);
  out["name_servers"] = Texts(machine.resolver.name_servers);
  array search;
  for (const std::string& s : machine.resolver.search) search.push_back(server::JsonText(s));
  out["search"] = std::move(search);
  fmt::print("{}\n", std::string_view(server::json::serialize(out)));
}

class Teller {
 public:
  explicit Teller(const CommandLine& line) : line_(line) {}

  void Tell(const net::Machine& machine) const {
    Row(DnsWord::kHost, machine.host);
    Rows(DnsWord::kNameServers, machine.resolver.name_servers);
    for (const std::string& s : machine.resolver.search) Row(DnsWord::kSearch, s);
    for (const net::Interface& i : machine.interfaces) {
      fmt::print("\n{}\n", line_.style().Bold(ForTerminal(i.name)));
      Row(DnsWord::kState, std::string(Say(i.up ? DnsWord::kUp : DnsWord::kDown, line_.language())));
      if (!i.hardware.empty()) Row(DnsWord::kPhysical, i.hardware);
      for (const auto& a : i.addresses)
        Row(a.address.is_v4() ? DnsWord::kAddress4 : DnsWord::kAddress6, fmt::format("{}/{}", a.address.Text(), a.prefix));
      Rows(DnsWord::kGateway, i.gateways);
    }
  }

 private:
  void Row(DnsWord label, const std::string& value) const {
    fmt::print("  {}{}\n", analysis::PadRight(Say(label, line_.language()), kLabelWidth), ForTerminal(value));
  }
  void Rows(DnsWord label, const std::vector<Address>& addresses) const {
    for (const Address& a : addresses) Row(label, a.Text());
  }

  const CommandLine& line_;
};

}  // namespace

int TellMachine(const CommandLine& line) {
  const net::Machine machine = net::DescribeMachine();
  line.json() ? PrintJson(machine) : Teller(line).Tell(machine);
  return Finish(kDone);
}

}  // namespace glasspost::cli
