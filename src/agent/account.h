// What is known of somebody's mail account: the address, the servers, how one logs in, where the password comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/octets.h"
#include "wire/sasl/client.h"

namespace glasspost::agent {

enum class Service : std::uint8_t { kPop3, kImap, kSmtp };
inline constexpr Service kServices[] = {Service::kPop3, Service::kImap, Service::kSmtp};
std::string_view Name(Service service);   // "pop3"
std::string_view Title(Service service);  // "POP3"

// How TLS begins: with the first octet, by STARTTLS or STLS, not at all.
enum class TlsKind : std::uint8_t { kImplicit, kStartTls, kNone };
std::string_view Name(TlsKind kind);  // "implicit", "starttls", "none"
std::optional<TlsKind> ParseTlsKind(Octets text);

std::uint16_t UsualPort(Service service, TlsKind kind);
// What the port says of how TLS begins; nothing for one that is not well known.
std::optional<TlsKind> UsualTls(Service service, std::uint16_t port);

struct ServerAddress {
  std::string host;  // a name in A-label form, or an address without brackets
  std::uint16_t port = 0;
  TlsKind tls = TlsKind::kImplicit;
  std::string Text() const;  // "pop.example.org:995 (implicit)"
  std::string HostAndPort() const;
  bool operator==(const ServerAddress&) const = default;
};

// As people type it: "HOST", "HOST:PORT", "[2001:db8::1]:PORT", "pop3s://HOST[:PORT]", "smtp://…". `tls`: what --tls says;
// otherwise the scheme says it, then the port; without any of them TLS comes first. A scheme without s is STARTTLS unless `tls`
// says none.
Expected<ServerAddress> ParseServer(Service service, Octets text, std::optional<TlsKind> tls);

struct PasswordSource {
  enum class Kind : std::uint8_t {
    kAsk,          // on the terminal, each time
    kCommand,      // the first line that `text` prints, run by sh
    kEnvironment,  // the variable `text`
    kFile,         // the first line of the file `text`
    kKeyring,      // the desktop's, by secret-tool
    kStored,       // `text` itself, in the clear
  };
  Kind kind = Kind::kAsk;
  std::string text;
  bool operator==(const PasswordSource&) const = default;
};
std::string_view Name(PasswordSource::Kind kind);  // "ask", "command", …

struct Account {
  std::string address;
  std::string name;  // of the person, for From; may be empty
  std::string user;  // one logs in with
  std::optional<ServerAddress> pop3;
  std::optional<ServerAddress> imap;
  std::optional<ServerAddress> smtp;
  bool verify = true;       // servers' certificates
  std::string authorities;  // PEM file instead of the system's
  PasswordSource password;
  bool keep = true;                                                // messages stay on the POP3 server
  sasl::ClientMechanism mechanism = sasl::ClientMechanism::kNone;  // this one or none; kNone: the best that is offered

  std::optional<ServerAddress>& At(Service service);
  const std::optional<ServerAddress>& At(Service service) const;
  bool operator==(const Account&) const = default;
};

// "PLAIN" in any case; kNone for "auto"; nothing for what is no mechanism.
std::optional<sasl::ClientMechanism> ParseMechanism(Octets text);

// Local part and domain (A-labels, lower case) of an address with both; nothing for anything else.
struct AddressParts {
  std::string local;
  std::string domain;
};
std::optional<AddressParts> SplitAddress(Octets address);

}  // namespace glasspost::agent
