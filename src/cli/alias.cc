#include "cli/alias.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"
#include "cli/table.h"

namespace glasspost::cli {
namespace {

using server::TextIn;
using server::TextsIn;
using server::json::object;

std::string Joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

int List(const CommandLine& line, Administration& administration, object request) {
  if (line.words().size() > 1) request["domain"] = server::JsonText(line.words()[1]);
  Table table(stdout, {{std::string(line.Say("alias", "别名"))}, {std::string(line.Say("leads to", "指向"))}}, line.style());
  const auto answer = administration->Call(request, [&](const object& row) {
    if (line.json()) return fmt::print("{}\n", std::string_view(server::json::serialize(row))), true;
    table.Add({TextIn(row, "address"), Joined(TextsIn(row, "targets"))});
    return true;
  });
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  table.Flush();
  return Finish(kDone);
}

}  // namespace

int RunAlias(const std::vector<std::string>& words) {
  CommandLine line("alias");
  bool replace = false;
  line.AddJson();
  line.app().add_flag("--replace", replace);
  if (const auto status = line.Parse(words)) return *status;
  const std::string_view action = line.ActionOf({"add", "remove", "list"});
  if (action.empty()) return kUsage;
  const std::size_t given = line.words().size();
  if (action == "list" && given > 2) return line.Misused("list takes a domain, or nothing");
  if (action == "add" && given < 3) return line.Misused("add needs the alias (or @DOMAIN) and the addresses that it leads to");
  if (action == "remove" && given < 2) return line.Misused("remove needs the alias");
  if (replace && action != "add") return line.Misused("--replace goes with add only");
  auto administration = Administration::Open(line.config());
  if (!administration) return Complain(administration.error()), kCannotOpen;
  object request;
  request["do"] = "alias." + std::string(action);
  if (action == "list") return List(line, *administration, std::move(request));
  request["address"] = server::JsonText(line.words()[1]);
  request["replace"] = replace;
  server::json::array targets;
  for (std::size_t i = 2; i < given; ++i) targets.push_back(server::JsonText(line.words()[i]));
  request["targets"] = std::move(targets);
  const auto answer = (*administration)->Call(request);
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  const std::string shown = ForTerminal(line.words()[1]);
  if (line.json()) {
    fmt::print("{}\n", std::string_view(server::json::serialize(*answer)));
  } else if (action == "add") {
    fmt::print(fmt::runtime(line.Say("{} leads to {}.\n", "{} 指向 {}。\n")), shown,
               ForTerminal(Joined(TextsIn(*answer, "targets"))));
    if (server::FlagIn(*answer, "hides_user"))
      fmt::print(stderr,
                 fmt::runtime(line.Say("Note: {} is a user, too, and gets nothing of it any more. Add him to it if he should.\n",
                                       "提示：{} 同时也是用户，今后收不到发给这个地址的邮件；如需要，请把他也加进别名。\n")),
                 shown);
    const auto nowhere = TextsIn(*answer, "unresolved");
    if (!nowhere.empty())
      fmt::print(stderr,
                 fmt::runtime(line.Say("Note: there is no user {} yet; what this alias sends there goes nowhere.\n",
                                       "提示：目前没有用户 {}，经此别名发给它的邮件无处可去。\n")),
                 ForTerminal(Joined(nowhere)));
  } else if (given > 2) {
    fmt::print(fmt::runtime(line.Say("{} leads there no more.\n", "{} 不再指向那里。\n")), shown);
  } else {
    fmt::print(fmt::runtime(line.Say("Alias {} was removed.\n", "已删除别名 {}。\n")), shown);
  }
  return Finish(kDone);
}

}  // namespace glasspost::cli
