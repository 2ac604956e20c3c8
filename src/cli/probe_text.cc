#include "cli/probe_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"
#include "base/time_text.h"
#include "cli/certificate_text.h"
#include "cli/error_text.h"
#include "cli/rows.h"

namespace glasspost::cli {
namespace {

using agent::ProbedServer;
using agent::ProbedVersion;
using agent::ProbeFault;
namespace json = server::json;

constexpr RowLayout kRows = {.margin = 2, .label = 13};

std::string TimesText(const ProbedServer& server, const CommandLine& line) {
  std::string text;
  for (const agent::ProbedStep& step : server.steps) {
    const std::string_view what = step.what == "connect"    ? line.Say("connect", "连接")
                                  : step.what == "greeting" ? line.Say("greeting", "问候")
                                  : step.what == "TLS"      ? line.Say("TLS handshake", "TLS 握手")
                                                            : std::string_view(step.what);
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", ForTerminal(what), DurationText(step.time));
  }
  return text;
}

// "TLSv1.3 TLS_AES_256_GCM_SHA384; taken: TLSv1.3, TLSv1.2; not taken: …"
std::string TlsText(const ProbedServer& server, const CommandLine& line) {
  std::string text = server.tls.empty()
                         ? std::string(server.tls_offered ? line.Say("offered", "提供") : line.Say("not offered", "不提供"))
                         : server.tls + " " + server.cipher;
  std::vector<std::string> taken, refused;
  for (const ProbedVersion& version : server.versions) {
    if (version.answer == ProbedVersion::Answer::kTaken) taken.push_back(version.name);
    if (version.answer == ProbedVersion::Answer::kRefused) refused.push_back(version.name);
  }
  if (!taken.empty()) text += fmt::format("{}{}", line.Say("; taken: ", "；接受："), Joined(taken));
  if (!refused.empty()) text += fmt::format("{}{}", line.Say("; refused: ", "；拒绝："), Joined(refused));
  return text;
}

std::string AuthText(const ProbedServer& server, const CommandLine& line) {
  const auto text = [&](const agent::Offer& offer) {
    return offer.mechanisms.empty() ? std::string(line.Say("none", "无")) : Joined(offer.mechanisms, " ");
  };
  std::string out;
  if (server.clear.asked) out += fmt::format("{}{}", line.Say("before TLS: ", "TLS 之前："), text(server.clear));
  if (server.secured.asked)
    out += fmt::format("{}{}{}", out.empty() ? "" : "; ", line.Say("within TLS: ", "TLS 之内："), text(server.secured));
  return out;
}

json::array Texts(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.push_back(server::JsonText(text));
  return list;
}

json::value OfferJson(const agent::Offer& offer) {
  if (!offer.asked) return nullptr;
  return json::object{{"extensions", Texts(offer.extensions)}, {"mechanisms", Texts(offer.mechanisms)}};
}

json::value CertificateJson(const ProbedServer& server) {
  if (!server.certificate) return nullptr;
  const agent::ProbedCertificate& c = *server.certificate;
  std::string from, until;
  AppendRfc3339Seconds(from, c.info.not_before);
  AppendRfc3339Seconds(until, c.info.not_after);
  return json::object{{"subject", server::JsonText(c.info.subject)},
                      {"issuer", server::JsonText(c.info.issuer)},
                      {"names", Texts(c.info.names)},
                      {"not_before", from},
                      {"not_after", until},
                      {"key", server::JsonText(c.strength.key)},
                      {"key_bits", c.strength.key_bits},
                      {"signature", server::JsonText(c.strength.signature)},
                      {"for_host", c.for_host},
                      {"trusted", c.trusted},
                      {"why_not", server::JsonText(c.why_not)}};
}

}  // namespace

std::string FaultText(ProbeFault fault, const ProbedServer& server, const CommandLine& line) {
  std::string text(FaultWords(fault, line.language()));
  using enum ProbeFault;
  const bool with_trouble = fault == kUnreachable || fault == kBrokeOff || fault == kHandshakeFailed;
  if (with_trouble && !server.trouble.empty())
    text.append(line.Say(": ", "：")) += ForTerminal(ErrorText(server.trouble, line.language()));
  if (fault == kUntrusted && server.certificate)
    text.append(line.Say(": ", "：")) += ForTerminal(ErrorText(server.certificate->why_not, line.language()));
  return text;
}

std::string ProbedText(const ProbedServer& server, Timestamp now, const CommandLine& line) {
  std::string title = server.server.HostAndPort();
  const std::string at = server.endpoint.Text();
  if (at != title) title += "  " + at;
  title += fmt::format("  {}{}", Title(server.service),
                       server.server.tls == agent::TlsKind::kImplicit ? line.Say(", TLS first", "，先行 TLS") : "");
  if (server.preference) title += fmt::format("  MX {}", *server.preference);
  std::string out = line.style().Bold(ForTerminal(title)) + "\n";
  const auto row = [&](std::string_view english, std::string_view chinese, const std::string& text) {
    if (!text.empty()) AppendRow(out, line.Say(english, chinese), text, line, kRows);
  };
  if (server.reached) {
    std::string greeting = server.greeting;
    std::ranges::replace(greeting, '\n', ' ');
    row("greeting", "问候", ForTerminal(greeting));
    row("times", "用时", TimesText(server, line));
    const agent::Offer& offer = server.secured.asked ? server.secured : server.clear;
    row("extensions", "扩展", Joined(offer.extensions));
    row("AUTH", "认证机制", AuthText(server, line));
    row("TLS", "TLS", TlsText(server, line));
    if (server.certificate) row("certificate", "证书", CertificateText(*server.certificate, now, line.language()));
  }
  const auto faults = FaultsOf(server, now);
  for (const ProbeFault fault : faults)
    AppendRow(out, line.Say("fault", "问题"), line.style().Yellow(FaultText(fault, server, line)), line, kRows);
  if (faults.empty()) row("faults", "问题", line.style().Green(line.Say("none found", "未发现")));
  return out;
}

json::object ProbedJson(const ProbedServer& server, Timestamp now) {
  json::array steps, versions, faults;
  for (const agent::ProbedStep& step : server.steps) {
    std::string ms;
    AppendMilliseconds(ms, step.time);
    steps.push_back(json::object{{"step", server::JsonText(step.what)}, {"ms", std::stod(ms)}});
  }
  for (const ProbedVersion& version : server.versions)
    versions.push_back(json::object{{"version", version.name},
                                    {"taken", version.answer == ProbedVersion::Answer::kUnknown
                                                  ? json::value(nullptr)
                                                  : json::value(version.answer == ProbedVersion::Answer::kTaken)}});
  for (const ProbeFault fault : FaultsOf(server, now)) faults.push_back(json::string(Name(fault)));
  json::object out{{"host", server::JsonText(server.server.host)},
                   {"port", server.server.port},
                   {"address", server.endpoint.address.Text()},
                   {"service", json::string(Name(server.service))},
                   {"tls_begins", json::string(Name(server.server.tls))},
                   {"preference", server.preference ? json::value(*server.preference) : json::value(nullptr)},
                   {"reached", server.reached},
                   {"greeting", server::JsonText(server.greeting)},
                   {"trouble", server::JsonText(server.trouble)},
                   {"steps", steps},
                   {"clear", OfferJson(server.clear)},
                   {"secured", OfferJson(server.secured)},
                   {"tls", server.tls.empty() ? json::value(nullptr) : json::value(json::string(server.tls))},
                   {"cipher", server::JsonText(server.cipher)},
                   {"versions", versions},
                   {"certificate", CertificateJson(server)},
                   {"faults", faults}};
  return out;
}

}  // namespace glasspost::cli
