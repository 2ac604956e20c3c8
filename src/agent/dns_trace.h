// Walks from the root to the answer as a resolver does (RFC 1034 §5.3.3), and tells every step: who was asked, what he said, who
// is asked next.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/dns_client.h"

namespace glasspost::agent {

struct DnsTraceLimits {
  static constexpr int kQueries = 100;          // of one walk: stops zones that send one round in circles
  static constexpr int kReferrals = 32;         // of one name
  static constexpr int kAliases = 16;           // followed
  static constexpr int kDepth = 4;              // walks for the addresses of name servers, one within another
  static constexpr std::size_t kServers = 6;    // asked of one zone before it is given up
  static constexpr std::size_t kAddresses = 4;  // of one name server
};

struct DnsNameServer {
  std::string name;  // octets; empty: not known
  std::vector<Address> addresses;
};

struct DnsStep {
  enum class Kind : std::uint8_t {
    kReferral,   // others look after the name: `zone` is what is theirs, `servers` who they are
    kAnswer,     // it is here
    kAlias,      // another name is to be looked up: `alias`
    kNoRecords,  // the name is there, records of this type are not
    kNoName,     // NXDOMAIN
    kFailed,     // no answer, or one that does not help: the next server is asked
  };
  Kind kind = Kind::kFailed;
  int number = 0;          // from 1
  int depth = 0;           // 1: in search of a name server's address, and so on
  std::string zone_asked;  // octets: the zone whose server was asked
  std::string server;      // octets of his name; empty: not known
  DnsQuestion question;
  DnsResult result;
  std::string zone;  // octets
  std::vector<DnsNameServer> servers;
  std::string alias;  // octets
};

// Where the walk ended.
enum class DnsTraceEnd : std::uint8_t { kAnswer, kNoRecords, kNoName, kFailed, kGivenUp };

struct DnsTraceOptions {
  std::vector<DnsNameServer> root;  // empty: the root servers of the Internet
  std::uint16_t port = dns::kPort;  // of every server
  DnsOptions dns;
};

// How a server is asked; and what is to be done with each step, in their order.
using DnsAsk = std::function<net::Task<DnsResult>(Endpoint server, DnsQuestion question)>;
using OnDnsStep = std::function<void(const DnsStep& step)>;

std::vector<DnsNameServer> InternetRoot();

// References live until it is done.
net::Task<DnsTraceEnd> TraceDns(const DnsAsk& ask, DnsQuestion question, DnsTraceOptions options, const OnDnsStep& on_step);

}  // namespace glasspost::agent
