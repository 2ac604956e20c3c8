#include "agent/probe.h"

#include <algorithm>
#include <array>

#include "agent/drive.h"
#include "analysis/live/live_tap.h"
#include "base/ascii.h"
#include "net/dns_reading.h"
#include "net/host_name.h"

namespace glasspost::agent {
namespace {

// A step of the dialogue as the observer told it.
struct Heard {
  std::string verb;  // empty: the greeting
  std::string argument;
  std::string reply;  // its lines, joined by LF
  bool good = false;
  std::int64_t time = 0;  // from the request's last octet to the reply's first
  Timestamp replied = kNoTime;
};

class HeardTeller final : public analysis::Teller {
 public:
  explicit HeardTeller(std::vector<Heard>& heard) : heard_(heard) {}
  void OnExchange(const analysis::ConversationFacts&, const Exchange& exchange) override {
    Heard one;
    one.verb = exchange.has_request ? exchange.request.verb : std::string();
    one.argument = exchange.request.argument;
    one.reply = exchange.reply.text;
    one.good =
        exchange.has_reply && (exchange.reply.code / 100 == 2 || exchange.reply.status == "+OK" || exchange.reply.status == "OK");
    one.replied = exchange.reply.span.first_time;
    if (exchange.has_request && exchange.has_reply) one.time = one.replied - exchange.request.span.last_time;
    heard_.push_back(std::move(one));
  }
  void OnMessage(const analysis::ConversationFacts&, const analysis::MessageFacts&) override {}
  void OnFinding(const analysis::ConversationFacts&, const Finding&) override {}
  void Finish(const analysis::ConversationFacts&, analysis::TextStore&) override {}

 private:
  std::vector<Heard>& heard_;
};

class HeardReport final : public analysis::Report {
 public:
  explicit HeardReport(std::vector<Heard>& heard) : heard_(heard) {}
  Wants wants() const override { return {.message_header = false, .message_digest = false}; }
  std::unique_ptr<analysis::Teller> NewTeller() const override { return std::make_unique<HeardTeller>(heard_); }
  void Write(std::uint64_t, Octets, analysis::TextStore&) override {}

 private:
  std::vector<Heard>& heard_;
};

// The observer's ear, and the times that are not in an exchange.
class ProbeTap final : public Tap {
 public:
  struct Times {
    Timestamp connected = kNoTime;
    Timestamp tls_start = kNoTime;
    Timestamp tls_established = kNoTime;
  };
  ProbeTap(Protocol protocol, std::vector<Heard>& heard, Times& times)
      : ear_(1, std::make_unique<HeardReport>(heard), {protocol, true}, nullptr), times_(times) {}
  void OnConnect(const Endpoint& client, const Endpoint& server, Timestamp time) override {
    times_.connected = time;
    ear_.OnConnect(client, server, time);
  }
  void OnOctets(Direction direction, Octets octets, Timestamp time) override { ear_.OnOctets(direction, octets, time); }
  void OnTlsStart(Timestamp time) override {
    times_.tls_start = time;
    ear_.OnTlsStart(time);
  }
  void OnRecords(Direction direction, Octets octets, Timestamp time) override { ear_.OnRecords(direction, octets, time); }
  void OnTlsSecrets(Octets) override {}
  void OnTlsEstablished(Timestamp time) override {
    times_.tls_established = time;
    ear_.OnTlsEstablished(time);
  }
  void OnClose(Closing how, Timestamp time) override { ear_.OnClose(how, time); }

 private:
  analysis::LiveTap ear_;
  Times& times_;
};

// Goes as soon as it may.
class SmtpVisit final : public smtp::ClientHandler {
 public:
  SmtpVisit(const smtp::ClientOptions& options, Randomness& randomness) : session(*this, options, randomness) {}
  smtp::ClientSession session;
  std::string trouble;

 private:
  void OnReady() override { session.Quit(); }
  void OnRecipient(std::size_t, const smtp::Outcome&) override {}
  void OnClosed(const smtp::Outcome& outcome) override {
    if (outcome.stage != smtp::Stage::kQuit) trouble = outcome.text;
  }
};

class Pop3Visit final : public pop3::ClientHandler {
 public:
  Pop3Visit(const pop3::ClientOptions& options, Randomness& randomness) : session(*this, options, randomness) {}
  pop3::ClientSession session;
  std::string trouble;

 private:
  void OnReady() override { session.Quit(); }
  void OnReply(pop3::Command, std::uint64_t, const pop3::StatusLine&) override {}
  void OnListed(pop3::Command, const pop3::ListingLine&) override {}
  void OnMessageOctets(Octets) override {}
  void OnEnd(pop3::Command, std::uint64_t) override {}
  void OnClosed(const pop3::ClientOutcome& outcome) override {
    using Kind = pop3::ClientOutcome::Kind;
    // Without a name to log in with the session ends where the login would begin.
    if (outcome.kind != Kind::kNoMechanism && outcome.kind != Kind::kDone) trouble = outcome.text;
  }
};

class ImapVisit final : public imap::ClientHandler {
 public:
  ImapVisit(const imap::ClientOptions& options, Randomness&) : session(*this, options) {}
  imap::ClientSession session;
  std::string trouble;

 private:
  void OnReady() override { session.Logout(); }
  void OnClosed(const imap::ClientOutcome& outcome) override {
    if (outcome.kind != imap::ClientOutcome::Kind::kDone) trouble = outcome.text;
  }
};

Protocol ProtocolOf(Service service) {
  return service == Service::kPop3 ? Protocol::kPop3 : service == Service::kImap ? Protocol::kImap : Protocol::kSmtp;
}

// One connection, from the first octet to the last.
struct Visit {
  std::vector<Heard> heard;
  ProbeTap::Times times;
  std::int64_t connect_time = 0;
  bool connected = false;
  std::string trouble;
  std::optional<net::TlsInfo> tls;
  std::string certificate;  // DER
  bool handshake_tried = false;
};

template <class V, class Options>
net::Task<void> Converse(net::Stream& stream, const Peer& peer, const Options& options, Randomness& randomness, Visit& visit) {
  V handler(options, randomness);
  const bool begun = co_await Begin(stream, handler.session, peer);
  if (begun) co_await Drive(stream, handler.session, peer);
  visit.trouble = handler.trouble;
}

net::Task<Visit> Go(const Network& network, Service service, const ServerAddress& server, const Endpoint& endpoint,
                    std::shared_ptr<const net::TlsContext> tls, const ProbeOptions& options) {
  Visit visit;
  const Peer peer{endpoint, server.host, server.tls == TlsKind::kImplicit, std::move(tls), options.limits.wait};
  auto tap = std::make_unique<ProbeTap>(ProtocolOf(service), visit.heard, visit.times);
  const std::int64_t began = network.deadlines.clock().Steady();
  auto stream = co_await net::Connect(network.context, network.deadlines, endpoint, options.limits.connect, std::move(tap));
  visit.connect_time = network.deadlines.clock().Steady() - began;
  if (!stream) {
    visit.trouble = stream.error().what;
    co_return visit;
  }
  visit.connected = true;
  if (service == Service::kSmtp) {
    smtp::ClientOptions how;
    how.host = options.host;
    how.tls = server.tls == TlsKind::kNone ? smtp::ClientOptions::Tls::kNever : smtp::ClientOptions::Tls::kIfOffered;
    co_await Converse<SmtpVisit>(**stream, peer, how, network.randomness, visit);
  } else if (service == Service::kImap) {
    imap::ClientOptions how;
    how.tls = server.tls == TlsKind::kNone ? imap::ClientOptions::Tls::kNever : imap::ClientOptions::Tls::kIfOffered;
    co_await Converse<ImapVisit>(**stream, peer, how, network.randomness, visit);
  } else {
    pop3::ClientOptions how;
    how.tls = server.tls == TlsKind::kNone ? pop3::ClientOptions::Tls::kNever : pop3::ClientOptions::Tls::kIfOffered;
    co_await Converse<Pop3Visit>(**stream, peer, how, network.randomness, visit);
  }
  visit.tls = (*stream)->tls_info();
  visit.certificate = (*stream)->peer_certificate();
  visit.handshake_tried = visit.times.tls_start != kNoTime;
  co_await (*stream)->Close(std::chrono::seconds(2));
  stream->reset();  // the ear tells what it still holds
  co_return visit;
}

std::vector<std::string> Words(Octets text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// The lines after the first.
Offer ReadOffer(Octets reply) {
  Offer offer;
  offer.asked = true;
  for (std::size_t at = reply.find('\n'); at != Octets::npos;) {
    reply.remove_prefix(at + 1);
    at = reply.find('\n');
    const Octets line = reply.substr(0, at);
    const auto words = Words(line);
    if (words.empty() || line == ".") continue;
    if (EqualsNoCase(words[0], "AUTH") || EqualsNoCase(words[0], "SASL")) {
      offer.mechanisms.insert(offer.mechanisms.end(), words.begin() + 1, words.end());
    } else if (!StartsWithNoCase(words[0], "AUTH=")) {  // the form of old clients, which says the same again
      offer.extensions.emplace_back(line);
    }
  }
  return offer;
}

// The words of "* CAPABILITY …"; mechanisms as "AUTH=PLAIN".
Offer ReadImapOffer(Octets reply) {
  constexpr Octets kMechanism = "AUTH=";
  Offer offer;
  offer.asked = true;
  while (!reply.empty()) {
    const std::size_t end = std::min(reply.find('\n'), reply.size());
    const imap::Response line = imap::ParseResponse(reply.substr(0, end));
    reply.remove_prefix(std::min(end + 1, reply.size()));
    if (line.kind != imap::Kind::kUntagged || !EqualsNoCase(line.word, "CAPABILITY")) continue;
    for (const std::string& word : Words(line.text)) {
      if (StartsWithNoCase(word, kMechanism))
        offer.mechanisms.push_back(word.substr(kMechanism.size()));
      else
        offer.extensions.push_back(word);
    }
  }
  return offer;
}

bool Offers(const Offer& offer, Octets word) {
  return std::ranges::any_of(offer.extensions, [&](const std::string& line) {
    const auto words = Words(line);
    return EqualsNoCase(words[0], word);
  });
}

void TakeSteps(const Visit& visit, ProbedServer& out) {
  out.steps.push_back({"connect", visit.connect_time});
  const bool implicit = out.server.tls == TlsKind::kImplicit;
  const auto put_tls = [&] {
    if (visit.times.tls_established != kNoTime) out.steps.push_back({"TLS", visit.times.tls_established - visit.times.tls_start});
  };
  if (implicit) put_tls();
  for (const Heard& one : visit.heard) {
    if (one.verb.empty() && out.greeting.empty()) {
      out.greeting = one.reply;
      const Timestamp since = implicit ? visit.times.tls_established : visit.times.connected;
      if (one.replied != kNoTime && since != kNoTime)
        out.steps.push_back({"greeting", std::max<std::int64_t>(0, one.replied - since)});
      continue;
    }
    if (one.verb.empty() || one.replied == kNoTime) continue;
    out.steps.push_back({one.verb, one.time});
    const bool within = visit.times.tls_established != kNoTime && one.replied >= visit.times.tls_established;
    if ((one.verb == "EHLO" || one.verb == "CAPA") && one.good) (within ? out.secured : out.clear) = ReadOffer(one.reply);
    if (one.verb == "CAPABILITY" && one.good) (within ? out.secured : out.clear) = ReadImapOffer(one.reply);
    if ((one.verb == "STARTTLS" || one.verb == "STLS") && one.good) put_tls();
  }
}

struct Version {
  const char* name;
  std::uint16_t number;
};
constexpr Version kVersions[] = {{"TLSv1.3", 0x0304}, {"TLSv1.2", 0x0303}, {"TLSv1.1", 0x0302}, {"TLSv1.0", 0x0301}};

constexpr std::string_view kFaultNames[kProbeFaultCount] = {
    "unreachable", "broke-off", "no-tls",   "handshake-failed", "expired", "not-yet-valid", "expires-soon",   "wrong-name",
    "self-signed", "untrusted", "weak-key", "weak-signature",   "old-tls", "only-old-tls",  "clear-passwords"};

}  // namespace

net::Task<Expected<std::vector<Exchanger>>> FindExchangers(const Network& network, std::string domain) {
  std::vector<Exchanger> list;
  if (net::ParseAddress(domain)) {
    list.push_back({domain, {}});
    co_return list;
  }
  net::DnsReading reading;
  const net::DnsAnswer answer = co_await network.resolver.Query(domain, dns::kTypeMx);
  net::ReadAnswer(answer, domain, dns::kTypeMx, ProbeOptions::kExchangers, reading);
  using Kind = net::DnsReading::Kind;
  if (reading.kind == Kind::kNoName) co_return Fail("does not exist", domain);
  // What is not in the DNS may be in the hosts file: the host is then asked for its address.
  for (const dns::Record* record : reading.records) {
    dns::MxData mx;
    if (!dns::GetMx(reading.message, *record, mx)) continue;
    if (mx.null() && reading.records.size() == 1) co_return Fail("takes no mail (null MX, RFC 7505)", domain);
    if (!mx.null()) list.push_back({net::NameText(mx.exchange), mx.preference});
  }
  std::ranges::stable_sort(list, {}, [](const Exchanger& e) { return e.preference.value_or(0); });
  if (list.empty()) list.push_back({domain, {}});
  co_return list;
}

net::Task<ProbedServer> Probe(const Network& network, Service service, ServerAddress server, Endpoint endpoint,
                              const ProbeOptions& options) {
  ProbedServer out;
  out.service = service;
  out.server = server;
  out.endpoint = endpoint;
  auto looking =
      net::TlsContext::ForClient({.verify = true, .authorities = options.authorities, .alpn = {}, .insist = false, .only = 0});
  if (!looking) {
    out.trouble = looking.error().Text();
    co_return out;
  }
  const Visit visit = co_await Go(network, service, server, endpoint, *looking, options);
  out.reached = visit.connected;
  out.trouble = visit.trouble;
  if (!visit.connected) co_return out;
  TakeSteps(visit, out);
  // Behind a port that does not tell it.
  const Octets greeting = visit.heard.empty() ? Octets() : Octets(visit.heard.front().reply);
  const bool other = service == Service::kSmtp && (greeting.starts_with("+OK") || greeting.starts_with("* "));
  if (other) {
    const Service heard = greeting.starts_with('+') ? Service::kPop3 : Service::kImap;
    ProbedServer of_other = co_await Probe(network, heard, server, endpoint, options);
    co_return of_other;
  }
  const Octets starting = service == Service::kPop3 ? "STLS" : "STARTTLS";
  out.tls_offered = server.tls == TlsKind::kImplicit || Offers(out.clear, starting);
  out.handshake_failed = visit.handshake_tried && !visit.tls;
  if (visit.tls) {
    out.tls = visit.tls->version;
    out.cipher = visit.tls->cipher;
    out.certificate = ReadCertificate(visit.certificate, &*visit.tls, server.host);
  }
  if (!options.versions || !visit.handshake_tried) co_return out;
  for (const Version& version : kVersions) {
    ProbedVersion tried;
    tried.name = version.name;
    auto only =
        net::TlsContext::ForClient({.verify = false, .authorities = {}, .alpn = {}, .insist = false, .only = version.number});
    if (only) {
      const Visit again = co_await Go(network, service, server, endpoint, *only, options);
      if (again.tls) tried.answer = ProbedVersion::Answer::kTaken;
      if (!again.tls && again.handshake_tried) tried.answer = ProbedVersion::Answer::kRefused;
    }
    out.versions.push_back(std::move(tried));
  }
  co_return out;
}

std::optional<ProbedCertificate> ReadCertificate(Octets certificate, const net::TlsInfo* info, const std::string& host) {
  ProbedCertificate read;
  const Bytes der = AsBytes(certificate);
  if (certificate.empty() || !tls::ParseCertificate(der, read.info)) return {};
  tls::ParseStrength(der, read.strength);
  read.for_host = tls::IsCertificateFor(der, host);
  if (info != nullptr) {
    read.trusted = info->verified;
    read.why_not = info->why_not;
  }
  return read;
}

std::string_view Name(ProbeFault fault) { return kFaultNames[static_cast<int>(fault)]; }

std::vector<ProbeFault> FaultsOf(const ProbedCertificate& certificate, Timestamp now) {
  using enum ProbeFault;
  constexpr int kEnough = 112;
  std::vector<ProbeFault> faults;
  const std::int64_t seconds = now / 1'000'000'000;
  const auto& info = certificate.info;
  if (info.not_after < seconds) faults.push_back(kExpired);
  if (info.not_before > seconds) faults.push_back(kNotYetValid);
  if (!certificate.for_host) faults.push_back(kWrongName);
  if (certificate.strength.self_issued && !certificate.trusted) faults.push_back(kSelfSigned);
  // What else may be wrong with the chain; said where nothing above explains it, or the chain itself is not known.
  if (!certificate.trusted && faults.empty()) faults.push_back(kUntrusted);
  if (info.not_after >= seconds && info.not_after - seconds < ProbeOptions::kSoon) faults.push_back(kExpiresSoon);
  if (certificate.strength.security_bits < kEnough) faults.push_back(kWeakKey);
  const bool signature_matters = !certificate.strength.self_issued && certificate.strength.signature_bits > 0;
  if (signature_matters && certificate.strength.signature_bits < kEnough) faults.push_back(kWeakSignature);
  return faults;
}

std::vector<ProbeFault> FaultsOf(const ProbedServer& server, Timestamp now) {
  using enum ProbeFault;
  if (!server.reached) return {kUnreachable};
  std::vector<ProbeFault> faults;
  if (server.handshake_failed) {
    faults.push_back(kHandshakeFailed);
  } else if (!server.trouble.empty()) {
    faults.push_back(kBrokeOff);
  }
  if (!server.tls_offered && (server.clear.asked || server.trouble.empty())) faults.push_back(kNoTls);
  if (server.certificate) {
    const auto of_certificate = FaultsOf(*server.certificate, now);
    faults.insert(faults.end(), of_certificate.begin(), of_certificate.end());
  }
  const auto taken = [&](std::string_view name) {
    return std::ranges::any_of(
        server.versions, [&](const ProbedVersion& v) { return v.name == name && v.answer == ProbedVersion::Answer::kTaken; });
  };
  const bool old = taken("TLSv1.1") || taken("TLSv1.0");
  if (old) faults.push_back(taken("TLSv1.3") || taken("TLSv1.2") ? kOldTls : kOnlyOldTls);
  const bool words = std::ranges::any_of(server.clear.mechanisms, [](const std::string& mechanism) {
    return EqualsNoCase(mechanism, "PLAIN") || EqualsNoCase(mechanism, "LOGIN");
  });
  // LOGIN is a command of IMAP's own, and may be tried unless it is ruled out (RFC 9051 §6.2.3).
  const bool login = server.service == Service::kImap && server.clear.asked && !Offers(server.clear, "LOGINDISABLED");
  if (words || login || Offers(server.clear, "USER")) faults.push_back(kClearPasswords);
  return faults;
}

}  // namespace glasspost::agent
