#include "cli/domain.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"

namespace glasspost::cli {

using server::TextIn;
using server::TextsIn;

int RunDomain(const std::vector<std::string>& words) {
  CommandLine line("domain");
  bool with_all = false;
  line.AddJson();
  line.app().add_flag("--with-all", with_all);
  if (const auto status = line.Parse(words)) return *status;
  const std::string_view action = line.ActionOf({"add", "remove", "list"});
  if (action.empty()) return kUsage;
  if (action == "list" ? line.words().size() > 1 : line.words().size() != 2)
    return line.Misused(action == "list" ? "list takes nothing more" : std::string(action) + " needs one domain");
  if (with_all && action != "remove") return line.Misused("--with-all goes with remove only");
  auto administration = Administration::Open(line.config(), action == "add");
  if (!administration) return Complain(administration.error()), kCannotOpen;
  server::json::object request;
  request["do"] = "domain." + std::string(action);
  if (action != "list") request["domain"] = server::JsonText(line.words()[1]);
  request["with_all"] = with_all;
  const auto answer = (*administration)->Call(request, [&](const server::json::object& row) {
    if (line.json()) return fmt::print("{}\n", std::string_view(server::json::serialize(row))), true;
    fmt::print("{}\n", ForTerminal(TextIn(row, "domain")));
    return true;
  });
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) {
    const int status = Refusal(*answer);
    if (TextIn(*answer, "fault") == "not-empty") fmt::print(stderr, "--with-all removes them with it, and their mail.\n");
    return status;
  }
  if (line.json() && action != "list") {
    fmt::print("{}\n", server::json::serialize(*answer));
  } else if (action == "add") {
    std::string made;
    for (const std::string& account : TextsIn(*answer, "accounts")) made += (made.empty() ? "" : ", ") + account;
    fmt::print(fmt::runtime(line.Say("{} is served. It has mailboxes for {}.\n", "已添加域 {}，并建立信箱：{}。\n")),
               ForTerminal(TextIn(*answer, "domain")), ForTerminal(made));
  } else if (action == "remove") {
    fmt::print(fmt::runtime(line.Say("{} is served no more.\n", "已删除域 {}。\n")), ForTerminal(line.words()[1]));
  }
  return Finish(kDone);
}

}  // namespace glasspost::cli
