// Asks name servers for `glasspost dns`, and waits for what they say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/dns_client.h"
#include "agent/dns_trace.h"
#include "analysis/dns_report.h"
#include "base/error.h"

namespace glasspost::cli {

class DnsAsker {
 public:
  DnsAsker();
  ~DnsAsker();

  // Where a word like "127.0.0.1:5300", "[::1]:53", "::1" or "ns.example.test" leads (a name is looked up); empty: the name
  // servers of resolv.conf. `port` where the word has none.
  Expected<std::vector<Endpoint>> Servers(const std::string& word, std::uint16_t port = dns::kPort);

  // One server after the other, until one answers.
  agent::DnsResult Ask(const std::vector<Endpoint>& servers, const agent::DnsQuestion& question,
                       const agent::DnsOptions& options);
  agent::DnsTraceEnd Trace(const agent::DnsQuestion& question, const agent::DnsTraceOptions& options,
                           const agent::OnDnsStep& on_step);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A name in zone-file form or, as people write it, in UTF-8; an address stands for the name under in-addr.arpa or ip6.arpa where
// its name is looked up, and then `reverse` is set.
Expected<std::string> DnsNameOf(const std::string& word, bool& reverse);

// Views into `result`.
analysis::DnsLookup LookupOf(const agent::DnsResult& result);
// Lines about what happened besides.
std::string TellDnsEvents(const agent::DnsResult& result, analysis::Language language, const analysis::Style& style);
// The answer's RCODE; SERVFAIL where there is none.
std::uint16_t RcodeOf(const agent::DnsResult& result);

}  // namespace glasspost::cli
