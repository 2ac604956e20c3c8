#include "cli/providers.h"

#include <fmt/format.h>

#include "agent/providers.h"
#include "base/escape.h"
#include "base/nearest.h"
#include "cli/command_line.h"
#include "cli/provider_text.h"
#include "cli/table.h"

namespace glasspost::cli {
namespace {

using agent::Provider;
using agent::Service;
namespace json = server::json;

constexpr std::size_t kInFull = 3;  // so many are told in full, more in a table

json::array ServersJson(const std::vector<agent::ServerAddress>& servers) {
  json::array list;
  for (const agent::ServerAddress& server : servers) list.push_back(ServerJson(server));
  return list;
}

json::array TextsJson(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.push_back(server::JsonText(text));
  return list;
}

json::object ProviderJson(const Provider& p) {
  json::object row;
  row["id"] = server::JsonText(p.id);
  row["name"] = {{"en", server::JsonText(p.name)}, {"zh", server::JsonText(p.chinese)}};
  row["domains"] = TextsJson(p.domains);
  row["user"] = p.local_user ? "local" : "address";
  for (const Service service : agent::kServices) row[agent::Name(service)] = ServersJson(p.At(service));
  json::array needs;
  for (const agent::Need need : p.needs) needs.push_back(json::string(agent::Name(need)));
  row["needs"] = std::move(needs);
  row["catch"] = {{"en", server::JsonText(p.catch_english)}, {"zh", server::JsonText(p.catch_chinese)}};
  row["source"] = {{"url", server::JsonText(p.source)}, {"year", p.year}};
  return row;
}

void TellAll(const CommandLine& line, const std::vector<const Provider*>& providers) {
  const auto best = [](const Provider& p, Service service) {
    return p.At(service).empty() ? std::string("-") : p.At(service).front().HostAndPort();
  };
  Table table(
      stdout,
      {{std::string(line.Say("id", "代号"))}, {std::string(line.Say("provider", "服务商"))}, {"POP3"}, {"IMAP"}, {"SMTP"}},
      line.style());
  for (const Provider* p : providers)
    table.Add({p->id, line.chinese() ? p->chinese : p->name, best(*p, Service::kPop3), best(*p, Service::kImap),
               best(*p, Service::kSmtp)});
  table.Flush();
  fmt::print("\n{}\n", line.Say("glasspost providers NAME tells all about one: every port, how one logs in, what to mind.",
                                "glasspost providers 名称 显示某一家的全部：各端口、如何登录、注意事项。"));
}

std::string DidYouMean(std::string_view asked) {
  std::vector<std::string_view> words;
  for (const Provider& p : agent::Providers()) {
    words.push_back(p.id);
    words.insert(words.end(), p.domains.begin(), p.domains.end());
  }
  const std::string_view nearest = Nearest(asked.substr(asked.rfind('@') + 1), words);
  return nearest.empty() ? std::string() : fmt::format("did you mean {}? ", nearest);
}

}  // namespace

int RunProviders(const std::vector<std::string>& words) {
  CommandLine line("providers", false);
  line.AddJson();
  if (const auto status = line.Parse(words)) return *status;
  if (line.words().size() > 1) return line.Misused("takes one name, domain or address, or nothing");
  std::vector<const Provider*> found;
  if (line.words().empty())
    for (const Provider& p : agent::Providers()) found.push_back(&p);
  else
    found = agent::FindProviders(line.words().front());
  if (found.empty()) {
    const std::string& asked = line.words().front();
    Complain(
        {.what = std::string(line.Say("not in the directory", "目录中没有")),
         .where = asked,
         .remedy = DidYouMean(asked) + std::string(line.Say("glasspost account add ADDRESS looks for the servers of any domain",
                                                            "glasspost account add 地址 可查找任何域的服务器"))});
    return kRefused;
  }
  if (line.json()) {
    for (const Provider* p : found) fmt::print("{}\n", std::string_view(json::serialize(ProviderJson(*p))));
  } else if (found.size() > kInFull) {
    TellAll(line, found);
  } else {
    bool first = true;
    for (const Provider* p : found) {
      fmt::print("{}{}", first ? "" : "\n", ProviderText(*p, line));
      first = false;
    }
  }
  return Finish(kDone);
}

}  // namespace glasspost::cli
