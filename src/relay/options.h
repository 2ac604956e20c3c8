// What an operator can say about relaying, as plain values; src/server/config fills them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/schedule.h"
#include "wire/sasl/client.h"

namespace glasspost::relay {

using Seconds = std::chrono::seconds;

enum class TlsPolicy : std::uint8_t {
  kNever,
  kIfOffered,  // RFC 7435: without it rather than not at all
  kRequired,
};
enum class Family : std::uint8_t { kAny, kIpv4, kIpv6 };

struct NextHop {
  std::string host = {};  // name, address, or address literal; empty: as the MX says
  std::uint16_t port = 25;
  TlsPolicy tls = TlsPolicy::kIfOffered;
  bool verify = false;                 // the certificate must hold for the host's name (then `tls` is as good as kRequired)
  bool implicit_tls = false;           // from the first octet (RFC 8314 §3.3)
  sasl::Credentials credentials = {};  // no user: no login
  bool passwords_without_tls = false;
};

struct Route {
  std::string domain =
      {};  // "example.org", ".example.org" (what is below it), "*" (the smarthost); the longest that fits is taken
  NextHop to = {};
};

// RFC 5321 §4.5.3.2: how long the next hop may take, stage by stage.
struct Timeouts {
  Seconds connect{30};
  Seconds greeting{300};
  Seconds command{300};  // EHLO, STARTTLS and its handshake, AUTH, MAIL, RCPT
  Seconds data_start{120};
  Seconds data_block{180};
  Seconds data_end{600};
  Seconds quit{5};
};

struct RelayLimits {
  // Connections at once, in all. Stops a long queue from taking all descriptors.
  std::size_t connections = 200;
  // To one destination. Stops a host from being flooded, and a slow one from taking all connections.
  std::size_t per_destination = 20;
  // To one destination before it has taken a first message: a dead or slow host is met with few.
  std::size_t unproven = 3;
  // Recipients of one transaction; RFC 5321 §4.5.3.1.8: each server takes 100.
  std::size_t recipients = 100;
  // Messages over one connection, and how long it is kept idle.
  std::size_t messages = 500;
  std::chrono::milliseconds idle{2000};
  // Entries in hand, in all and of one destination. Stops a long queue from being loaded.
  std::size_t in_hand = 4000;
  std::size_t in_hand_of_destination = 1000;
  // Hosts of a destination that are tried in one attempt.
  std::size_t hosts = 5;
  // Attempts that are put to another connection at once because a kept one had been closed.
  int second_tries = 2;
  // Destinations and what is known of them (down until, local); beyond it the eldest is forgotten.
  std::size_t remembered = 20'000;
};

struct RelayOptions {
  std::string host = "localhost";           // EHLO; also ours where an MX list names us
  std::vector<std::string> own_names = {};  // other names that are ours in MX lists
  std::string node = "1";                   // of a machine with a store that is shared; part of the lease's owner
  std::uint16_t port = 25;                  // of hosts that an MX names
  TlsPolicy tls = TlsPolicy::kIfOffered;
  bool verify = false;
  Family family = Family::kAny;
  std::string authorities = {};  // PEM file instead of the system's
  std::vector<Route> routes = {};
  Timeouts timeouts = {};
  RetryOptions retry = {};
  RelayLimits limits = {};
  Seconds lease{300};      // renewed at a third of it
  Seconds most_down{900};  // a destination that is down is asked again after so long at the latest
  // A bounce has the whole message only where that was asked for (RET=FULL), and it is no larger than this; else its header.
  std::uint64_t whole_octets = std::uint64_t{1} << 20;
  bool pipelining = true;
  bool chunking = true;
  bool quota_permanent = false;  // mail for a full mailbox here is not tried again
};

}  // namespace glasspost::relay
