#include "cli/probe.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "cli/agent_world.h"
#include "cli/command_line.h"
#include "cli/probe_text.h"
#include "net/dns_reading.h"
#include "net/host_name.h"
#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

using agent::ServerAddress;
using agent::Service;
using agent::TlsKind;
namespace json = server::json;

struct ProbeWords {
  agent::ProbeOptions options;
  std::string name_server;
  unsigned timeout = 10;  // seconds
  bool quick = false;
  bool all = false;
};

// The ports of a host that `--all` tries.
struct Door {
  Service service;
  TlsKind tls;
  std::uint16_t port;
};
constexpr Door kDoors[] = {{Service::kSmtp, TlsKind::kStartTls, 25},  {Service::kSmtp, TlsKind::kStartTls, 587},
                           {Service::kSmtp, TlsKind::kImplicit, 465}, {Service::kPop3, TlsKind::kStartTls, 110},
                           {Service::kPop3, TlsKind::kImplicit, 995}, {Service::kImap, TlsKind::kStartTls, 143},
                           {Service::kImap, TlsKind::kImplicit, 993}};

// "HOST:PORT" or a scheme says which server is meant; nothing for a name alone.
std::optional<Expected<std::pair<Service, ServerAddress>>> Named(const std::string& word) {
  const std::size_t scheme = word.find("://");
  const bool bracket = word.starts_with('[');
  const std::size_t close = bracket ? word.find(']') : 0;
  const bool bare_v6 = !bracket && std::ranges::count(word, ':') > 1 && scheme == std::string::npos;
  const std::size_t colon = close == std::string::npos || bare_v6 ? std::string::npos : word.find(':', close);
  if (colon == std::string::npos) return {};
  const auto port = ParsePort(Octets(word).substr(word.rfind(':') + 1));
  const auto is = [&](Octets prefix, std::uint64_t clear, std::uint64_t implicit) {
    return scheme != std::string::npos ? StartsWithNoCase(word, prefix) : port && (*port == clear || *port == implicit);
  };
  const Service service = is("pop", 110, 995) ? Service::kPop3 : is("imap", 143, 993) ? Service::kImap : Service::kSmtp;
  // A port that is not well known: TLS as the server offers it.
  const bool told = scheme != std::string::npos || (port && agent::UsualTls(service, *port));
  auto server = agent::ParseServer(service, word, told ? std::nullopt : std::optional(TlsKind::kStartTls));
  if (!server) return std::unexpected(server.error());
  return std::pair(service, *server);
}

class Prober {
 public:
  Prober(const CommandLine& line, const ProbeWords& words, AgentWorld& world) : line_(line), words_(words), world_(world) {}

  // A status.
  int Run(const std::string& target) {
    world_.Run(Target(target));
    return status_;
  }

 private:
  net::Task<void> Target(std::string target) {
    if (const auto named = Named(target)) {
      if (!*named) {
        line_.Complain(named->error());
        status_ = kRefused;
        co_return;
      }
      co_await Host((*named)->first, (*named)->second, {});
      co_return;
    }
    const auto domain = net::AsciiDomain(target);
    if (!domain) {
      line_.Complain({"is no name of a host or domain", target, {}});
      status_ = kRefused;
      co_return;
    }
    const auto address = net::ParseAddress(*domain);
    const std::string name = address ? address->Text() : *domain;
    const auto exchangers = co_await agent::FindExchangers(world_.network(), name);
    if (!exchangers) {
      line_.Complain(exchangers.error());
      status_ = kRefused;
      co_return;
    }
    for (const agent::Exchanger& exchanger : *exchangers) {
      for (const Door& door : kDoors) {
        if (!words_.all && door.port != kDoors[0].port) continue;
        const ServerAddress server{exchanger.host, door.port, door.tls};
        co_await Host(door.service, server, exchanger.preference);
      }
    }
  }

  net::Task<void> Host(Service service, ServerAddress server, std::optional<std::uint16_t> preference) {
    const auto addresses = co_await net::FindAddresses(world_.network().resolver, server.host, agent::ProbeOptions::kAddresses);
    if (!addresses) {
      line_.Complain({addresses.error().what, server.host, {}});
      status_ = kRefused;
      co_return;
    }
    for (const Address& address : *addresses) {
      agent::ProbedServer probed =
          co_await agent::Probe(world_.network(), service, server, Endpoint{address, server.port}, words_.options);
      probed.preference = preference;
      Tell(probed);
    }
  }

  void Tell(const agent::ProbedServer& probed) {
    const Timestamp now = net::SystemClock().Now();
    if (!FaultsOf(probed, now).empty()) status_ = kRefused;
    if (line_.json())
      fmt::print("{}\n", std::string_view(json::serialize(ProbedJson(probed, now))));
    else
      fmt::print("{}{}", std::exchange(first_, false) ? "" : "\n", ProbedText(probed, now, line_));
    std::fflush(stdout);
  }

  const CommandLine& line_;
  const ProbeWords& words_;
  AgentWorld& world_;
  int status_ = kDone;
  bool first_ = true;
};

}  // namespace

int RunProbe(const std::vector<std::string>& words) {
  CommandLine line("probe", false);
  line.AddJson();
  ProbeWords probe;
  probe.options.host = net::ThisHost();
  CLI::App& app = line.app();
  app.add_option("--ca", probe.options.authorities);
  app.add_option("--dns", probe.name_server);
  app.add_option("--hello", probe.options.host);
  app.add_option("--timeout", probe.timeout)->check(FromOne("a number of seconds"));
  app.add_flag("--quick", probe.quick);
  app.add_flag("--all", probe.all);
  if (const auto status = line.Parse(words)) return *status;
  if (line.words().empty()) return line.Misused("of which host or domain?");
  probe.options.versions = !probe.quick;
  probe.options.limits = {.connect = std::chrono::seconds(probe.timeout), .wait = std::chrono::seconds(probe.timeout)};
  if (const auto trusted = AgentWorld::Tls(true, probe.options.authorities); !trusted)
    return line.Complain(trusted.error()), kCannotOpen;
  auto world = AgentWorld::Make(probe.name_server);
  if (!world) return line.Complain(world.error()), kCannotOpen;
  Prober prober(line, probe, **world);
  int status = kDone;
  for (const std::string& target : line.words()) status = std::max(status, prober.Run(target));
  return Finish(status);
}

}  // namespace glasspost::cli
