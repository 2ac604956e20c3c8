#include "cli/provider_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"
#include "cli/rows.h"

namespace glasspost::cli {
namespace {

using agent::Provider;
using agent::TlsKind;
using analysis::DisplayWidth;
using analysis::PadRight;

std::string_view NeedText(agent::Need need, const CommandLine& line) {
  switch (need) {
    case agent::Need::kAppPassword:
      return line.Say("an app password", "应用专用密码");
    case agent::Need::kAuthorizationCode:
      return line.Say("an authorization code", "授权码");
    case agent::Need::kSwitchOn:
      return line.Say("to be switched on first", "须先开启");
    case agent::Need::kOauth:
      return line.Say("OAuth 2 only", "只能用 OAuth 2");
    case agent::Need::kBridge:
      return line.Say("a bridge on this machine", "本机桥接程序");
    case agent::Need::kNoPop3:
      return line.Say("no POP3", "没有 POP3");
    case agent::Need::kPaid:
      return line.Say("a paid plan", "付费套餐");
  }
  return {};
}

}  // namespace

std::string_view TlsText(TlsKind tls, const CommandLine& line) {
  switch (tls) {
    case TlsKind::kImplicit:
      return line.Say("TLS", "TLS");
    case TlsKind::kStartTls:
      return line.Say("STARTTLS", "STARTTLS");
    case TlsKind::kNone:
      return line.Say("unencrypted", "不加密");
  }
  return {};
}

std::string CatchText(const Provider& provider, const CommandLine& line, std::size_t margin) {
  std::string out(margin, ' ');
  AppendWrappedText(out, line.chinese() ? provider.catch_chinese : provider.catch_english, margin, line);
  return out;
}

std::string ProviderText(const Provider& p, const CommandLine& line) {
  std::string out = line.style().Bold(fmt::format("{} ({})", line.chinese() ? p.chinese : p.name, p.id)) + "\n";
  std::string domains;
  for (const std::string& d : p.domains) domains += (domains.empty() ? "" : ", ") + d;
  if (domains.empty()) domains = line.Say("domains of companies", "企业自有域名");
  AppendRow(out, line.Say("addresses", "地址"), domains, line);
  std::size_t width = 0;
  for (const agent::Service service : agent::kServices)
    for (const agent::ServerAddress& server : p.At(service)) width = std::max(width, DisplayWidth(server.host));
  for (const agent::Service service : agent::kServices) {
    std::string_view label = agent::Title(service);
    if (p.At(service).empty()) AppendRow(out, label, line.Say("not offered", "不提供"), line);
    for (const agent::ServerAddress& server : p.At(service)) {
      const std::string port = std::to_string(server.port);
      AppendRow(out, label,
                PadRight(server.host, width) + "  " + PadRight(port, 4) + "  " + std::string(TlsText(server.tls, line)), line);
      label = {};
    }
  }
  AppendRow(out, line.Say("log in as", "登录名"),
            p.local_user ? line.Say("what stands before the @", "@ 之前的部分") : line.Say("the whole address", "完整邮箱地址"),
            line);
  std::string needs;
  for (const agent::Need need : p.needs) needs.append(needs.empty() ? "" : line.Say(", ", "、")).append(NeedText(need, line));
  if (!needs.empty()) AppendRow(out, line.Say("needs", "条件"), needs, line);
  AppendRow(out, line.Say("mind", "注意"), line.chinese() ? p.catch_chinese : p.catch_english, line);
  AppendRow(out, line.Say("source", "出处"), fmt::format("{} ({})", p.source, p.year), line);
  return out;
}

server::json::object ServerJson(const agent::ServerAddress& server) {
  return {{"host", server::JsonText(server.host)}, {"port", server.port}, {"tls", server::json::string(agent::Name(server.tls))}};
}

}  // namespace glasspost::cli
