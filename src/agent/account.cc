#include "agent/account.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "net/host_name.h"
#include "wire/smtp/grammar.h"

namespace glasspost::agent {
namespace {

constexpr std::string_view kServiceNames[] = {"pop3", "imap", "smtp"};
constexpr std::string_view kServiceTitles[] = {"POP3", "IMAP", "SMTP"};
constexpr std::string_view kTlsNames[] = {"implicit", "starttls", "none"};
constexpr std::string_view kSourceNames[] = {"ask", "command", "environment", "file", "keyring", "stored"};
// By Service and TlsKind: RFC 8314 §3, RFC 6409 §3.1.
constexpr std::uint16_t kPorts[3][3] = {{995, 110, 110}, {993, 143, 143}, {465, 587, 587}};

struct Scheme {
  std::string_view name;
  Service service;
  TlsKind tls;
};
constexpr Scheme kSchemes[] = {
    {"pop3s", Service::kPop3, TlsKind::kImplicit},       {"pop3", Service::kPop3, TlsKind::kStartTls},
    {"pops", Service::kPop3, TlsKind::kImplicit},        {"pop", Service::kPop3, TlsKind::kStartTls},
    {"imaps", Service::kImap, TlsKind::kImplicit},       {"imap", Service::kImap, TlsKind::kStartTls},
    {"smtps", Service::kSmtp, TlsKind::kImplicit},       {"smtp", Service::kSmtp, TlsKind::kStartTls},
    {"submissions", Service::kSmtp, TlsKind::kImplicit}, {"submission", Service::kSmtp, TlsKind::kStartTls},
};

bool IsHostName(Octets host) {
  return !host.empty() && host.size() <= 253 &&
         std::ranges::all_of(host, [](char c) { return IsAlpha(c) || IsDigit(c) || c == '-' || c == '.' || c == '_'; });
}

}  // namespace

std::string_view Name(Service service) { return kServiceNames[static_cast<int>(service)]; }
std::string_view Title(Service service) { return kServiceTitles[static_cast<int>(service)]; }
std::string_view Name(TlsKind kind) { return kTlsNames[static_cast<int>(kind)]; }
std::string_view Name(PasswordSource::Kind kind) { return kSourceNames[static_cast<int>(kind)]; }

std::optional<TlsKind> ParseTlsKind(Octets text) {
  const auto at = std::ranges::find(kTlsNames, text);
  if (at == std::end(kTlsNames)) return {};
  return static_cast<TlsKind>(at - std::begin(kTlsNames));
}

std::uint16_t UsualPort(Service service, TlsKind kind) { return kPorts[static_cast<int>(service)][static_cast<int>(kind)]; }

std::optional<TlsKind> UsualTls(Service service, std::uint16_t port) {
  if (port == UsualPort(service, TlsKind::kImplicit)) return TlsKind::kImplicit;
  if (port == UsualPort(service, TlsKind::kStartTls)) return TlsKind::kStartTls;
  if (service == Service::kSmtp && port == 25) return TlsKind::kStartTls;
  return {};
}

std::string ServerAddress::HostAndPort() const {
  return (host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port);
}
std::string ServerAddress::Text() const { return HostAndPort() + " (" + std::string(Name(tls)) + ")"; }

Expected<ServerAddress> ParseServer(Service service, Octets text, std::optional<TlsKind> tls) {
  const std::string where(text);
  if (const std::size_t end = text.find("://"); end != Octets::npos) {
    const auto scheme = std::ranges::find_if(
        kSchemes, [&](const Scheme& s) { return s.service == service && EqualsNoCase(s.name, text.substr(0, end)); });
    if (scheme == std::end(kSchemes))
      return Fail("is no scheme of " + std::string(Title(service)), where,
                  std::string(Name(service)) + ":// or " + std::string(Name(service)) + "s://");
    if (scheme->tls == TlsKind::kImplicit && tls && *tls != TlsKind::kImplicit)
      return Fail("says that TLS comes first, and --tls says something else", where);
    if (!tls) tls = scheme->tls;
    text.remove_prefix(end + 3);
    if (text.ends_with('/')) text.remove_suffix(1);
  }
  ServerAddress server;
  const std::size_t close = text.starts_with('[') ? text.find(']') : 0;
  const bool bare_v6 = !text.starts_with('[') && std::ranges::count(text, ':') > 1;
  const std::size_t colon = bare_v6 || close == Octets::npos ? Octets::npos : text.find(':', close);
  if (colon != Octets::npos) {
    const auto port = ParsePort(text.substr(colon + 1));
    if (!port) return Fail("has no port that there is (1 to 65535)", where);
    server.port = *port;
    text = text.substr(0, colon);
  }
  if (const auto address = net::ParseAddress(text)) {
    server.host = address->Text();
  } else {
    const auto name = net::AsciiDomain(text);
    if (!name || !IsHostName(*name)) return Fail("is no host", where, "write HOST, HOST:PORT or smtps://HOST");
    server.host = *name;
  }
  if (!tls && server.port != 0) tls = UsualTls(service, server.port);
  if (!tls && server.port != 0)
    return Fail("the port does not tell how TLS begins", where, "say --tls implicit, starttls or none");
  server.tls = tls.value_or(TlsKind::kImplicit);
  if (server.port == 0) server.port = UsualPort(service, server.tls);
  return server;
}

std::optional<ServerAddress>& Account::At(Service service) {
  return service == Service::kPop3 ? pop3 : service == Service::kImap ? imap : smtp;
}
const std::optional<ServerAddress>& Account::At(Service service) const {
  return service == Service::kPop3 ? pop3 : service == Service::kImap ? imap : smtp;
}

std::optional<sasl::ClientMechanism> ParseMechanism(Octets text) {
  using sasl::ClientMechanism;
  if (EqualsNoCase(text, "auto")) return ClientMechanism::kNone;
  for (const auto mechanism : {ClientMechanism::kScramSha256, ClientMechanism::kCramMd5, ClientMechanism::kPlain,
                               ClientMechanism::kLogin, ClientMechanism::kXoauth2})
    if (EqualsNoCase(text, sasl::Name(mechanism))) return mechanism;
  return {};
}

std::optional<AddressParts> SplitAddress(Octets address) {
  const std::string brackets = "<" + std::string(address) + ">";
  Octets rest = brackets;
  smtp::Path path;
  if (smtp::ParsePath(rest, path) != smtp::Fault::kNone || !rest.empty() || path.domain.empty()) return {};
  if (path.domain.starts_with('[')) return AddressParts{std::string(path.local_part), std::string(path.domain)};
  auto domain = net::AsciiDomain(path.domain);
  if (!domain || !IsHostName(*domain)) return {};
  return AddressParts{std::string(path.local_part), std::move(*domain)};
}

}  // namespace glasspost::agent
