#include "cli/mail.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <filesystem>

#include "base/escape.h"
#include "cli/mail_options.h"
#include "cli/mail_place.h"

namespace glasspost::cli {
namespace {

struct Action {
  std::string_view name;
  int (*run)(const MailCall& call);
  std::size_t least, most;       // words behind it
  std::string_view own_options;  // beside those of all
};
constexpr std::size_t kMany = 1000;
constexpr Action kActions[] = {
    {"list", ListMail, 0, 1, " --new --search --sort --reverse --last --json "},
    {"read", ReadMail, 1, 1, " --source --html --peek --headers --part --json "},
    {"save", SaveMail, 1, 2, " --source --to --json "},
    {"reply", ReplyMail, 1, 1,
     " --all --print --no-quote --from --subject --body --body-file --to --cc --bcc --attach --yes --json "},
    {"forward", ForwardMail, 1, 1,
     " --print --no-quote --from --subject --body --body-file --to --cc --bcc --attach --yes --json "},
    {"delete", DeleteMail, 1, kMany, " --yes "},
};

void AddOptions(CommandLine& line, MailOptions& options) {
  options.choice.AddTo(line);
  line.AddJson();
  CLI::App& app = line.app();
  for (const auto& [name, into] :
       {std::pair("--in", &options.in), std::pair("--search", &options.search), std::pair("--headers", &options.headers),
        std::pair("--part", &options.part), std::pair("--from", &options.from), std::pair("--subject", &options.subject),
        std::pair("--body", &options.body), std::pair("--body-file", &options.body_file)})
    app.add_option(name, *into);
  for (const auto& [name, into] : {std::pair("--to", &options.to), std::pair("--cc", &options.cc),
                                   std::pair("--bcc", &options.bcc), std::pair("--attach", &options.attach)})
    app.add_option(name, *into)->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  for (const auto& [name, into] :
       {std::pair("--new", &options.only_new), std::pair("--reverse", &options.reverse), std::pair("--source", &options.source),
        std::pair("--html", &options.html), std::pair("--peek", &options.peek), std::pair("--all", &options.all),
        std::pair("--print", &options.print), std::pair("--no-quote", &options.no_quote), std::pair("--yes", &options.yes)})
    app.add_flag(name, *into);
  app.add_option("--sort", options.sort)->check(CLI::IsMember({"number", "date", "from", "subject", "size"}));
  app.add_option("--last", options.last)->check(FromOne("a number of messages"));
}

// An option that the action knows nothing of; empty if there is none.
std::string StrayOption(const CommandLine& line, const Action& action) {
  for (const CLI::Option* const option : const_cast<CommandLine&>(line).app().get_options()) {
    const std::string name = option->get_name();
    const std::string word = " " + name + " ";
    const bool of_some = std::ranges::any_of(kActions, [&](const Action& a) { return a.own_options.contains(word); });
    if (option->count() > 0 && of_some && !action.own_options.contains(word)) return name;
  }
  return {};
}

}  // namespace

int RunMail(const std::vector<std::string>& words) {
  CommandLine line("mail", false);
  MailOptions options;
  AddOptions(line, options);
  if (const auto status = line.Parse(words)) return *status == kUsage ? EX_USAGE : *status;
  const auto misused = [&](const std::string& what) { return line.Misused(what), EX_USAGE; };
  std::vector<std::string> rest = line.words();
  const Action* action = &kActions[0];
  // WHERE may stand in front, in place of --in.
  const auto named = [](const std::string& word) { return std::ranges::find(kActions, word, &Action::name); };
  std::error_code error;
  if (!rest.empty() && named(rest.front()) == std::end(kActions)) {
    if (!rest.front().contains('@') && !std::filesystem::exists(rest.front(), error))
      return misused(fmt::format("there is no {} (list, read, save, reply, forward, delete)", ForTerminal(rest.front())));
    if (options.in.empty()) {
      options.in = rest.front();
      rest.erase(rest.begin());
    }
  }
  if (!rest.empty() && named(rest.front()) != std::end(kActions)) {
    action = named(rest.front());
    rest.erase(rest.begin());
  }
  if (action->name == "list" && rest.size() == 1 && options.in.empty()) {  // an account, or a folder
    options.in = rest.front();
    rest.clear();
  }
  if (rest.size() < action->least) return misused(fmt::format("{}: say which message", action->name));
  if (rest.size() > action->most || (action->name == "list" && !rest.empty()))
    return misused(
        fmt::format("{}: too many words: {} (a folder or an account goes behind --in)", action->name, ForTerminal(rest.back())));
  if (const std::string stray = StrayOption(line, *action); !stray.empty())
    return misused(fmt::format("{} does not go with {}", stray, action->name));
  if (!options.headers.empty() && options.headers != "all") return misused("--headers takes all");
  if (!options.body.empty() && !options.body_file.empty()) return misused("--body and --body-file do not go together");
  // Of a reply --server is where it is sent; the message comes from the folder, or the account's own maildrop.
  const bool sends = action->run == ReplyMail || action->run == ForwardMail;
  MailOptions reading = options;
  if (sends) {
    for (std::string* const of_sending : {&reading.choice.server, &reading.choice.tls, &reading.choice.save}) of_sending->clear();
    reading.choice.show = false;
  }
  auto place = MailPlace::Open(line, reading);
  if (!place) return place.error();
  const int status = action->run({line, options, **place, rest});
  const int closed = (*place)->Close();
  const int written = Finish(EX_OK);
  return status != EX_OK ? status : closed != EX_OK ? closed : written == EX_OK ? EX_OK : EX_IOERR;
}

}  // namespace glasspost::cli
