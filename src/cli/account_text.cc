#include "cli/account_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"
#include "cli/error_text.h"
#include "cli/provider_text.h"

namespace glasspost::cli {
namespace {

using agent::Origin;
using agent::Service;
using agent::Trial;
using SourceKind = agent::PasswordSource::Kind;
namespace json = server::json;

std::string Lines(std::string text) {  // of a reply of several, on one
  std::ranges::replace(text, '\n', ' ');
  return ForTerminal(text);
}

std::string_view ResultText(Trial::Result result, const CommandLine& line) {
  switch (result) {
    case Trial::Result::kOk:
      return line.Say("logged in", "登录成功");
    case Trial::Result::kUnreachable:
      return line.Say("cannot be reached", "无法连接");
    case Trial::Result::kTlsFailed:
      return line.Say("no TLS that can be trusted", "TLS 不可用或不可信");
    case Trial::Result::kLoginRefused:
      return line.Say("login refused", "登录被拒绝");
    case Trial::Result::kRefused:
      return line.Say("refused", "被拒绝");
  }
  return {};
}

}  // namespace

std::string_view OriginText(Origin origin, const CommandLine& line) {
  switch (origin) {
    case Origin::kTyped:
      return line.Say("by hand", "手工指定");
    case Origin::kDirectory:
      return line.Say("directory", "服务商目录");
    case Origin::kSrv:
      return line.Say("DNS (SRV)", "DNS（SRV）");
    case Origin::kAutoconfig:
      return line.Say("autoconfig", "autoconfig");
    case Origin::kCommonName:
      return line.Say("common name", "常见名称");
  }
  return {};
}

std::string_view SourceText(SourceKind kind, const CommandLine& line) {
  switch (kind) {
    case SourceKind::kAsk:
      return line.Say("asked for each time", "每次询问");
    case SourceKind::kCommand:
      return line.Say("by a command", "由命令给出");
    case SourceKind::kEnvironment:
      return line.Say("in the environment", "环境变量");
    case SourceKind::kFile:
      return line.Say("in a file", "在文件中");
    case SourceKind::kKeyring:
      return line.Say("in the keyring", "在钥匙环中");
    case SourceKind::kStored:
      return line.Say("in the clear, here", "明文存于此处");
  }
  return {};
}

std::string StepText(const agent::Step& step, const CommandLine& line) {
  const std::string mark = step.helped ? "+" : "-";
  return fmt::format("  {} {}  {}: {}\n", mark, analysis::PadRight(OriginText(step.origin, line), 11), ForTerminal(step.asked),
                     ForTerminal(step.result));
}

std::string FoundText(Service service, const agent::FoundServer& found, const CommandLine& line) {
  std::string text =
      fmt::format("  {}  {}, {}  ({}", analysis::PadRight(agent::Title(service), 4), ForTerminal(found.server.HostAndPort()),
                  TlsText(found.server.tls, line), OriginText(found.origin, line));
  if (!found.where.empty()) text += ": " + ForTerminal(found.where);
  return text + ")\n";
}

std::string TrialText(Service service, const agent::ServerAddress& server, const Trial& trial, const CommandLine& line) {
  std::string text = fmt::format("  {}  {}: {}", analysis::PadRight(agent::Title(service), 4), ForTerminal(server.HostAndPort()),
                                 ResultText(trial.result, line));
  if (trial.ok()) {
    if (service == Service::kPop3) text += fmt::format(fmt::runtime(line.Say(", {} messages", "，{} 封邮件")), trial.messages);
    if (!trial.tls.empty()) text += " (" + trial.tls + ")";
  } else {
    text += trial.own_words ? line.Say("; the server says: ", "；服务器说：") : line.Say(": ", "：");
    text += Lines(trial.own_words ? trial.text : ErrorText(trial.text, line.language()));
  }
  return text + "\n";
}

json::object AccountJson(const agent::Account& account) {
  json::object row;
  row["address"] = server::JsonText(account.address);
  row["name"] = server::JsonText(account.name);
  row["user"] = server::JsonText(account.user);
  for (const Service service : agent::kServices)
    row[agent::Name(service)] = account.At(service) ? json::value(ServerJson(*account.At(service))) : json::value(nullptr);
  row["verify"] = account.verify;
  row["authorities"] = server::JsonText(account.authorities);
  row["keep"] = account.keep;
  const bool automatic = account.mechanism == sasl::ClientMechanism::kNone;
  row["mechanism"] = automatic ? json::string("auto") : json::string(sasl::Name(account.mechanism));
  json::object password = {{"source", json::string(agent::Name(account.password.kind))}};
  if (account.password.kind != SourceKind::kStored && !account.password.text.empty())
    password["text"] = server::JsonText(account.password.text);
  row["password"] = std::move(password);
  return row;
}

json::object DiscoveryJson(const agent::Discovery& discovery) {
  json::object out;
  for (const Service service : agent::kServices) {
    const auto& found = discovery.At(service);
    if (!found) continue;
    json::object row = ServerJson(found->server);
    row["origin"] = json::string(agent::Name(found->origin));
    row["where"] = server::JsonText(found->where);
    row["foreign"] = found->foreign;
    out[agent::Name(service)] = std::move(row);
  }
  json::array steps;
  for (const agent::Step& step : discovery.steps)
    steps.push_back(json::object{{"origin", json::string(agent::Name(step.origin))},
                                 {"asked", server::JsonText(step.asked)},
                                 {"result", server::JsonText(step.result)},
                                 {"helped", step.helped}});
  out["steps"] = std::move(steps);
  return out;
}

json::object TrialJson(Service service, const agent::ServerAddress& server, const Trial& trial) {
  json::object row = ServerJson(server);
  row["service"] = json::string(agent::Name(service));
  row["result"] = json::string(agent::Name(trial.result));
  row["text"] = server::JsonText(trial.text);
  row["own_words"] = trial.own_words;
  row["address"] = server::JsonText(trial.address);
  row["tls_version"] = server::JsonText(trial.tls);
  if (service == Service::kPop3) row["messages"] = trial.messages;
  return row;
}

}  // namespace glasspost::cli
