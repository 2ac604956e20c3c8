// Everything that an operator can say to the server, as plain values; what stands here are the defaults. settings.inc has a row
// for each with its key, bounds and explanation; config_reader.h fills it from file, environment and flags.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "server/log.h"
#include "server/network.h"

namespace glasspost::server {

struct Size {
  std::uint64_t octets = 0;
  bool operator==(const Size&) const = default;
};
constexpr Size KiB(std::uint64_t n) { return {n << 10}; }
constexpr Size MiB(std::uint64_t n) { return {n << 20}; }
constexpr Size GiB(std::uint64_t n) { return {n << 30}; }
using Seconds = std::chrono::seconds;
using Endpoints = std::vector<Endpoint>;
using Networks = std::vector<Network>;
using Texts = std::vector<std::string>;

enum class BareLineEndRule : std::uint8_t { kRefuse, kNormalise };
enum class OverQuota : std::uint8_t { kTemporary, kPermanent };  // 452 4.2.2, 552 5.2.2
enum class AccessAction : std::uint8_t { kAccept, kRefuse, kDefer };
enum class AddressFamily : std::uint8_t { kAny, kIpv4, kIpv6 };
enum class KeptConversations : std::uint8_t { kOff, kHeaders, kFull };
enum class TlsRule : std::uint8_t {
  kOff,
  kOpportunistic,  // RFC 7435: if offered, whoever's certificate it is
  kRequired,       // encrypted or not at all
  kVerified,       // and by a certificate that holds for the host's name
};

inline Endpoint Loopback(std::uint16_t port) {
  static constexpr std::uint8_t kAddress[4] = {127, 0, 0, 1};
  return {Address::V4(kAddress), port};
}

// A row of [[tls.pair]].
struct CertificatePair {
  std::string certificate;
  std::string key;
  bool operator==(const CertificatePair&) const = default;
};

// A row of [[access.rule]]: all that it names must fit; of a list, one entry.
struct AccessRule {
  Networks client;
  Texts sender;     // "user@example.org" (with any tag), "example.org", ".example.org" (and what is below it), "<>"
  Texts recipient;  // likewise
  AccessAction action = AccessAction::kRefuse;
  std::string text;
  bool operator==(const AccessRule&) const = default;
};

// A next hop other than the MX says; [smarthost], and the rows of [[relay.route]].
struct NextHop {
  std::string host;  // name or address; empty: as the MX says
  std::uint64_t port = 25;
  TlsRule tls = TlsRule::kOpportunistic;
  bool implicit_tls = false;  // TLS from the first octet (RFC 8314 §3.3)
  std::string user;
  std::string password;
  std::string password_file;  // its first line
  bool operator==(const NextHop&) const = default;
};
struct Route {
  std::string domain;  // "example.org", ".example.org" (and what is below it)
  NextHop to;
  bool operator==(const Route&) const = default;
};

struct Config {
  struct Server {
    std::string host;    // see OwnHostName
    std::string domain;  // see FindDefaultDomain
    std::string data;    // see DataFolder
    bool classroom = false;
    std::uint64_t threads = 0;  // 0: one for each processor
    std::string user;
    std::string group;
    Seconds shutdown{30};
    bool operator==(const Server&) const = default;
  } server;

  struct Listen {
    Endpoints smtp{Loopback(1025)};
    Endpoints submission{Loopback(1587)};
    Endpoints submissions{Loopback(1465)};
    Endpoints pop3{Loopback(1110)};
    Endpoints pop3s{Loopback(1995)};
    Endpoints lmtp;
    bool operator==(const Listen&) const = default;
  } listen;

  struct Tls {
    std::string certificate;
    std::string key;
    std::vector<CertificatePair> pair;
    bool operator==(const Tls&) const = default;
  } tls;

  struct Auth {
    bool plaintext_without_tls = false;
    bool apop = false;
    bool cram_md5 = false;
    Texts schemes{"ARGON2ID", "SCRAM-SHA-256"};
    Size argon2_memory = MiB(64);
    std::uint64_t argon2_passes = 2;
    std::uint64_t scram_iterations = 4096;
    std::uint64_t threads = 2;
    std::uint64_t queue = 256;
    Seconds cache{300};
    std::uint64_t cache_entries = 10'000;
    bool operator==(const Auth&) const = default;
  } auth;

  struct Smtp {
    BareLineEndRule bare_line_ends = BareLineEndRule::kRefuse;
    std::uint64_t received = 100;
    bool require_tls = false;
    bool smtputf8 = true;
    bool chunking = true;
    bool dsn = true;
    Networks relay_networks;
    bool operator==(const Smtp&) const = default;
  } smtp;

  struct Submission {
    bool require_tls = false;
    bool check_sender = true;
    bool operator==(const Submission&) const = default;
  } submission;

  struct Mailboxes {
    Size quota{0};
    OverQuota over_quota = OverQuota::kTemporary;
    bool operator==(const Mailboxes&) const = default;
  } mailboxes;

  struct Limits {
    Size message = MiB(50);
    Size free = MiB(64);
    std::uint64_t recipients = 1000;
    std::uint64_t connections = 12'000;
    std::uint64_t connections_per_address = 1000;
    std::uint64_t messages_per_hour = 0;
    std::uint64_t failed_logins = 3;
    std::uint64_t failed_logins_per_hour = 100;
    std::uint64_t errors = 20;
    std::uint64_t refused_recipients = 200;
    bool operator==(const Limits&) const = default;
  } limits;

  struct Timeouts {
    Seconds command{300};
    Seconds data{180};
    Seconds tls{60};
    Seconds session{4 * 3600};
    Seconds pop3{600};
    bool operator==(const Timeouts&) const = default;
  } timeouts;

  struct Access {
    std::vector<AccessRule> rule;
    bool operator==(const Access&) const = default;
  } access;

  struct Greylist {
    bool on = false;
    Seconds delay{300};
    Seconds retry_within{2 * 86'400};
    Seconds remember{36 * 86'400};
    bool operator==(const Greylist&) const = default;
  } greylist;

  struct Relay {
    std::uint64_t port = 25;
    TlsRule tls = TlsRule::kOpportunistic;
    AddressFamily addresses = AddressFamily::kAny;
    std::uint64_t connections = 200;
    std::uint64_t per_destination = 20;
    std::uint64_t messages_per_connection = 100;
    Seconds connect{30};
    Seconds greeting{300};
    Seconds command{300};
    Seconds data_start{120};
    Seconds data_block{180};
    Seconds data_end{600};
    std::vector<Route> route;
    bool operator==(const Relay&) const = default;
  } relay;

  NextHop smarthost{{}, 587, TlsRule::kRequired, false, {}, {}, {}};

  struct Retry {
    Seconds first{300};
    double growth = 2;
    Seconds maximum{4 * 3600};
    Seconds give_up{5 * 86'400};
    Seconds delay_notice{4 * 3600};
    bool operator==(const Retry&) const = default;
  } retry;

  struct Resolver {
    Endpoints name_servers;
    bool recursive = false;
    std::string trust_anchor;
    bool operator==(const Resolver&) const = default;
  } resolver;

  struct Conversations {
    KeptConversations keep = KeptConversations::kHeaders;
    std::uint64_t count = 10'000;
    Size octets = GiB(1);
    Seconds age{7 * 86'400};
    bool show_secrets = false;
    bool operator==(const Conversations&) const = default;
  } conversations;

  struct Record {
    std::string folder;
    Size file = MiB(100);
    Size total = GiB(1);
    bool operator==(const Record&) const = default;
  } record;

  struct Journeys {
    Seconds age{30 * 86'400};
    bool operator==(const Journeys&) const = default;
  } journeys;

  struct Admin {
    std::string socket;
    bool operator==(const Admin&) const = default;
  } admin;

  struct Http {
    Endpoints listen{Loopback(8025)};
    bool operator==(const Http&) const = default;
  } http;

  struct LogSection {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;
    bool operator==(const LogSection&) const = default;
  } log;

  bool operator==(const Config&) const = default;
};

// Of [tls], the pair of `certificate` and `key` first. Empty: the server makes itself one.
std::vector<CertificatePair> PairsOf(const Config& config);
// `host` of [server], or else the machine's name if it has a domain, or else "localhost.test".
std::string OwnHostName(const Config& config);
// `data` of [server], or else systemd's $STATE_DIRECTORY, /var/lib/glasspost for root, $XDG_STATE_HOME/glasspost or
// ~/.local/state/glasspost. Empty: there is no such folder in the environment.
std::string DataFolder(const Config& config);
// `socket` of [admin], or else in the data folder.
std::string AdminSocketPath(const Config& config);
// `password`, or else the first line of `password_file`.
Expected<std::string> PasswordOf(const NextHop& hop);

}  // namespace glasspost::server
