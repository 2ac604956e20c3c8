// Asks one DNS server one question: UDP first, again after silence, TCP where the answer was truncated (RFC 1035 §4.2, RFC 7766
// §5), without EDNS where the server does not know it (RFC 6891 §7). What is not the answer to the question (RFC 5452 §9) is
// passed over, and told.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/randomness.h"
#include "net/asio.h"
#include "net/deadlines.h"
#include "wire/dns/authority.h"
#include "wire/dns/message.h"

namespace glasspost::agent {

struct DnsClientLimits {
  static constexpr int kTries = 10;           // that may be asked for
  static constexpr int kPassedOver = 100;     // datagrams that are no answer, in one try: stops a flood of them
  static constexpr std::size_t kEvents = 64;  // told of one question
};

struct DnsOptions {
  std::chrono::milliseconds timeout{3000};  // of each try
  int tries = 3;                            // over UDP
  bool tcp = false;                         // at once
  bool edns = true;
  std::uint16_t udp_size = 1232;  // offered with EDNS
  bool recurse = true;
  bool dnssec = false;          // the DO bit (RFC 3225 §3)
  bool keep_truncated = false;  // no TCP after a truncated answer
};

struct DnsQuestion {
  std::string name;  // octets, as dns::ParseName makes them
  std::uint16_t type = dns::kTypeA;
  std::uint16_t klass = dns::kClassIn;
};

// What happened besides the answer.
enum class DnsEvent : std::uint8_t {
  kTimedOut,       // nothing came in time
  kWrongId,        // with another identification
  kWrongQuestion,  // to another question
  kNoAnswer,       // a query, or no message at all
  kBroken,         // the answer, but it is not sound
  kTruncated,      // TCP follows
  kWithoutEdns,    // the server does not know EDNS: asked again without it
};

struct DnsHappened {
  DnsEvent event;
  std::string detail;  // "octet 45: …"; plain ASCII
};

struct DnsResult {
  Endpoint server;
  dns::Transport transport = dns::Transport::kUdp;  // of the last try
  std::string query;                                // octets, as they were last sent
  std::string answer;                               // octets; empty: there is none
  Timestamp sent = kNoTime;                         // of the last try
  Timestamp received = kNoTime;
  std::vector<DnsHappened> happened;
  std::string failure;  // why there is no answer; empty if there is one
};

// Ends in any case: after `tries` time-outs, or those of one TCP connection. `deadlines` and `randomness` live until it is done.
net::Task<DnsResult> AskDns(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Endpoint server,
                            DnsQuestion question, DnsOptions options);

}  // namespace glasspost::agent
