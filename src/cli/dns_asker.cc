#include "cli/dns_asker.h"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/escape.h"
#include "cli/dns_words.h"
#include "net/machine.h"
#include "net/system_clock.h"
#include "server/network.h"

namespace glasspost::cli {
namespace {

using agent::DnsEvent;
using agent::DnsResult;

constexpr std::chrono::milliseconds kTick{50};  // of time-outs over TCP

std::string_view NameOf(DnsEvent event) {
  static constexpr std::string_view kNames[] = {"timed-out", "wrong-id",  "wrong-question", "no-answer",
                                                "broken",    "truncated", "without-edns"};
  return kNames[static_cast<int>(event)];
}

DnsWord WordOf(DnsEvent event) {
  static constexpr DnsWord kWords[] = {DnsWord::kTimedOut, DnsWord::kWrongId,   DnsWord::kWrongQuestion, DnsWord::kNoAnswer,
                                       DnsWord::kBroken,   DnsWord::kTruncated, DnsWord::kWithoutEdns};
  return kWords[static_cast<int>(event)];
}

std::string ReverseName(const Address& address) {
  std::string text;
  if (address.is_v4()) {
    for (std::size_t i = 16; i-- > 12;) text += fmt::format("{}.", address.octets[i]);
    return text + "in-addr.arpa.";
  }
  for (std::size_t i = 16; i-- > 0;) text += fmt::format("{:x}.{:x}.", address.octets[i] & 0xf, address.octets[i] >> 4);
  return text + "ip6.arpa.";
}

}  // namespace

struct DnsAsker::State {
  net::asio::io_context context{1};
  net::Deadlines deadlines{context, net::SystemClock(), kTick};

  template <class T>
  T Run(net::Task<T> task) {
    std::optional<T> result;
    net::asio::co_spawn(
        context.get_executor(),
        [](net::Task<T> inner, std::optional<T>& out) -> net::Task<void> {
          T value = co_await std::move(inner);
          out = std::move(value);
        }(std::move(task), result),
        net::asio::detached);
    context.restart();
    while (!result && context.run_one() > 0) {
    }
    return std::move(*result);
  }
};

DnsAsker::DnsAsker() : state_(std::make_unique<State>()) {}
DnsAsker::~DnsAsker() = default;

Expected<std::vector<Endpoint>> DnsAsker::Servers(const std::string& word, std::uint16_t port) {
  std::vector<Endpoint> servers;
  if (word.empty()) {
    for (const Address& address : net::ReadResolvConf().name_servers) servers.push_back({address, port});
    return servers;
  }
  // As dig and nslookup print it: address, '#', port.
  if (const std::size_t hash = word.rfind('#'); hash != std::string::npos) {
    const auto number = ParseNumber(Octets(word).substr(hash + 1));
    if (!number || *number == 0 || *number > 65'535) return Fail("is no name server", word, "write it like @192.0.2.53#5300");
    return Servers(word.substr(0, hash), static_cast<std::uint16_t>(*number));
  }
  if (const auto address = server::ParseAddress(word)) return std::vector<Endpoint>{{*address, port}};
  if (const auto endpoint = server::ParseEndpoint(word, port)) return std::vector<Endpoint>{*endpoint};
  std::string host = word;
  if (const std::size_t colon = word.find(':'); colon != std::string::npos) {
    // Its port is read as that of any address.
    const auto endpoint = server::ParseEndpoint("127.0.0.1" + word.substr(colon), port);
    if (!endpoint)
      return Fail("is no name server", word,
                  "write it like @192.0.2.53, @192.0.2.53:5300, @[2001:db8::53]:53 or @ns.example.test");
    port = endpoint->port;
    host.resize(colon);
  }
  bool reverse = false;
  const auto name = DnsNameOf(host, reverse);
  if (!name) return std::unexpected(name.error());
  const auto resolvers = Servers({});
  for (const std::uint16_t type : {dns::kTypeA, dns::kTypeAaaa}) {
    const DnsResult result = Ask(*resolvers, {*name, type, dns::kClassIn}, {});
    dns::Message message;
    dns::Decode(result.answer, message);
    for (const dns::Record& r : message.records) {
      Address address;
      if (r.section == dns::Section::kAnswer && dns::GetAddress(message, r, address)) servers.push_back({address, port});
    }
  }
  if (servers.empty()) return Fail("the name server's address cannot be found", word, "give its address");
  return servers;
}

DnsResult DnsAsker::Ask(const std::vector<Endpoint>& servers, const agent::DnsQuestion& question,
                        const agent::DnsOptions& options) {
  DnsResult result;
  for (const Endpoint& server : servers) {
    result = state_->Run(agent::AskDns(state_->context, state_->deadlines, SystemRandomness(), server, question, options));
    if (!result.answer.empty()) break;
  }
  return result;
}

agent::DnsTraceEnd DnsAsker::Trace(const agent::DnsQuestion& question, const agent::DnsTraceOptions& options,
                                   const agent::OnDnsStep& on_step) {
  const agent::DnsAsk ask = [&](Endpoint server, agent::DnsQuestion asked) {
    return agent::AskDns(state_->context, state_->deadlines, SystemRandomness(), server, std::move(asked), options.dns);
  };
  return state_->Run(agent::TraceDns(ask, question, options, on_step));
}

Expected<std::string> DnsNameOf(const std::string& word, bool& reverse) {
  const auto address = server::ParseAddress(word);
  reverse = address.has_value();
  std::string text = reverse ? ReverseName(*address) : word;
  if (!std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    char* ascii = nullptr;
    if (idn2_to_ascii_8z(text.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
      return Fail("is no domain name", word, "labels of 1 to 63 characters with dots between them");
    text = ascii;
    idn2_free(ascii);
  }
  std::string name;
  if (!dns::ParseName(text, name))
    return Fail("is no domain name", word, "labels of 1 to 63 characters with dots between them, 253 in all");
  return name;
}

analysis::DnsLookup LookupOf(const DnsResult& result) {
  analysis::DnsLookup lookup;
  lookup.server = result.server;
  lookup.transport = result.transport == dns::Transport::kTcp ? "tcp" : "udp";
  lookup.query = result.query;
  lookup.answer = result.answer;
  lookup.sent = result.sent;
  lookup.received = result.received;
  for (const agent::DnsHappened& h : result.happened) lookup.events.push_back({NameOf(h.event), h.detail});
  lookup.failure = result.failure;
  return lookup;
}

std::string TellDnsEvents(const DnsResult& result, analysis::Language language, const analysis::Style& style) {
  std::string out;
  for (const agent::DnsHappened& h : result.happened)
    out += style.Yellow(ForTerminal(Say(WordOf(h.event), language, h.detail))) + "\n";
  return out;
}

std::uint16_t RcodeOf(const DnsResult& result) {
  if (result.answer.empty()) return dns::kRcodeServFail;
  dns::Message message;
  dns::Decode(result.answer, message);
  return message.rcode();
}

}  // namespace glasspost::cli
