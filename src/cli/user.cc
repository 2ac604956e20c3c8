#include "cli/user.h"

#include <fmt/format.h>

#include "analysis/summary.h"
#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"
#include "cli/password.h"
#include "cli/table.h"

namespace glasspost::cli {
namespace {

using server::NumberIn;
using server::TextIn;
using server::json::object;

struct Options {
  std::string password_file;
  std::string quota;
  std::vector<std::string> verifiers;
  bool generate = false;
};

// Why they do not go together; empty: they do.
std::string Contradiction(const Options& o, std::string_view action) {
  const bool sets = action == "add" || action == "password";
  const int ways = (o.generate ? 1 : 0) + (o.password_file.empty() ? 0 : 1) + (o.verifiers.empty() ? 0 : 1);
  if (ways > 0 && !sets) return "--password-file, --generate and --verifier go with add and password only";
  if (ways > 1) return "give one of --password-file, --generate and --verifier";
  if (!o.quota.empty() && action != "add") return "--quota goes with add; later it is: glasspost user quota ADDRESS SIZE";
  if (!o.quota.empty() && !ParseSize(o.quota)) return "is no size (as in 500M, 2G, 0 for none): " + ForTerminal(o.quota);
  return {};
}

Expected<void> AddPassword(const Options& o, const std::string& user, const CommandLine& line, object& request) {
  if (o.generate) {
    request["generate"] = true;
  } else if (!o.verifiers.empty()) {
    server::json::array verifiers;
    for (const std::string& verifier : o.verifiers) verifiers.push_back(server::JsonText(verifier));
    request["verifiers"] = std::move(verifiers);
  } else {
    auto password = o.password_file.empty() ? AskPassword(user, line.language()) : ReadPasswordFile(o.password_file);
    if (!password) return std::unexpected(password.error());
    if (!IsUtf8(*password)) return Fail("the password is no UTF-8 text");
    request["password"] = server::JsonText(*password);
  }
  return {};
}

int List(const CommandLine& line, Administration& administration) {
  object request;
  request["do"] = "user.list";
  if (line.words().size() > 1) request["domain"] = server::JsonText(line.words()[1]);
  Table table(stdout,
              {{std::string(line.Say("user", "用户"))},
               {std::string(line.Say("messages", "邮件")), true},
               {std::string(line.Say("used", "已用")), true},
               {std::string(line.Say("quota", "配额")), true},
               {std::string(line.Say("password kept as", "口令存为"))}},
              line.style());
  const auto answer = administration->Call(request, [&](const object& row) {
    if (line.json()) return fmt::print("{}\n", std::string_view(server::json::serialize(row))), true;
    std::string schemes;
    for (const std::string& scheme : server::TextsIn(row, "schemes")) schemes += (schemes.empty() ? "" : " ") + scheme;
    const std::uint64_t quota = NumberIn(row, "quota");
    table.Add({TextIn(row, "address"), std::to_string(NumberIn(row, "messages")), analysis::SizeText(NumberIn(row, "used")),
               quota == 0 ? "-" : analysis::SizeText(quota),
               schemes.empty() ? std::string(line.Say("none: cannot log in", "无口令，不能登录")) : schemes});
    return true;
  });
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  table.Flush();
  return Finish(kDone);
}

void Tell(const CommandLine& line, std::string_view action, const std::string& user, const object& answer) {
  const std::string shown = ForTerminal(user);
  if (action == "add") fmt::print(fmt::runtime(line.Say("User {} was added.\n", "已添加用户 {}。\n")), shown);
  if (action == "remove")
    fmt::print(fmt::runtime(line.Say("User {} was removed, with all mail.\n", "已删除用户 {} 及其全部邮件。\n")), shown);
  if (action == "password") fmt::print(fmt::runtime(line.Say("The password of {} was set.\n", "已设置 {} 的口令。\n")), shown);
  if (action == "quota") fmt::print(fmt::runtime(line.Say("The quota of {} was set.\n", "已设置 {} 的配额。\n")), shown);
  if (server::FlagIn(answer, "hidden_by_alias"))
    fmt::print(stderr,
               fmt::runtime(line.Say("Note: there is an alias {}, too, which leads elsewhere and comes first.\n",
                                     "提示：另有同名别名 {}，指向别处，并且优先。\n")),
               shown);
  const std::string made = TextIn(answer, "password");
  if (!made.empty()) fmt::print(fmt::runtime(line.Say("Password: {}\n", "口令：{}\n")), made);
}

}  // namespace

int RunUser(const std::vector<std::string>& words) {
  CommandLine line("user");
  Options options;
  line.AddJson();
  line.app().add_option("--password-file", options.password_file);
  line.app().add_flag("--generate", options.generate);
  line.app().add_option("--verifier", options.verifiers)->allow_extra_args(false);
  line.app().add_option("--quota", options.quota);
  if (const auto status = line.Parse(words)) return *status;
  const std::string_view action = line.ActionOf({"add", "remove", "password", "quota", "list"});
  if (action.empty()) return kUsage;
  const std::size_t given = line.words().size();
  if (action == "list" ? given > 2 : action == "quota" ? given != 3 : given != 2)
    return line.Misused(action == "list"    ? "list takes a domain, or nothing"
                        : action == "quota" ? "quota needs an address and a size (as in 500M; 0 is none)"
                                            : std::string(action) + " needs one address");
  if (const std::string why = Contradiction(options, action); !why.empty()) return line.Misused(why);
  object request;
  request["do"] = "user." + std::string(action);
  const std::string user = given > 1 ? line.words()[1] : std::string();
  if (action == "quota") {
    const auto quota = ParseSize(line.words()[2]);
    if (!quota) return line.Misused("is no size (as in 500M, 2G, 0 for none): " + ForTerminal(line.words()[2]));
    request["quota"] = *quota;
  }
  if (!options.quota.empty()) request["quota"] = *ParseSize(options.quota);
  if (action == "add" || action == "password") {
    if (const auto added = AddPassword(options, user, line, request); !added) return Complain(added.error()), kCannotOpen;
  }
  auto administration = Administration::Open(line.config());
  if (!administration) return Complain(administration.error()), kCannotOpen;
  if (action == "list") return List(line, *administration);
  request["address"] = server::JsonText(user);
  const auto answer = (*administration)->Call(request);
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  if (line.json()) {
    fmt::print("{}\n", std::string_view(server::json::serialize(*answer)));
  } else {
    Tell(line, action, user, *answer);
  }
  return Finish(kDone);
}

}  // namespace glasspost::cli
