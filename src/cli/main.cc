// glasspost: one program, one command for each thing it does.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/escape.h"
#include "cli/account.h"
#include "cli/alias.h"
#include "cli/analyze.h"
#include "cli/command_line.h"
#include "cli/config.h"
#include "cli/conversations.h"
#include "cli/craft.h"
#include "cli/dns.h"
#include "cli/domain.h"
#include "cli/fetch.h"
#include "cli/help.h"
#include "cli/journey.h"
#include "cli/lab.h"
#include "cli/mail.h"
#include "cli/probe.h"
#include "cli/providers.h"
#include "cli/queue.h"
#include "cli/send.h"
#include "cli/sendmail.h"
#include "cli/serve.h"
#include "cli/talk.h"
#include "cli/terminal.h"
#include "cli/user.h"

namespace {

using glasspost::cli::Finish;
using glasspost::cli::Help;
using glasspost::cli::kCannotOpen;
using glasspost::cli::kDone;
using glasspost::cli::kUsage;
using Words = std::vector<std::string>;

constexpr std::string_view kLang = "--lang";

// The first word that is no option; the end where there is none.
Words::iterator CommandIn(Words& words) {
  auto at = words.begin();
  while (at != words.end() && at->starts_with("-")) at += *at == kLang && at + 1 != words.end() ? 2 : 1;
  return at;
}

bool AsksForHelp(const Words& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::any_of(words.begin(), end, [](const std::string& w) { return w == "--help" || w == "-h"; });
}

int Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return Finish(kDone);
}

int Refuse(const std::string& where, const char* what, const std::string& meant) {
  fmt::print(stderr, "glasspost: {}{}{} (did you mean {}?)\nglasspost help tells what there is.\n", where,
             where.empty() ? "" : ": ", what, meant);
  return kUsage;
}

// A word that is no command: mistyped, or a file where "analyze" was left out.
int RefuseCommand(const Words& words, const std::string& word) {
  if (const std::string_view nearest = glasspost::cli::NearestCommand(word); !nearest.empty())
    return Refuse(glasspost::ForTerminal(word), "there is no such command", std::string(nearest));
  std::error_code ignored;
  if (!std::filesystem::exists(word, ignored))
    return Refuse(glasspost::ForTerminal(word), "there is no such command", "glasspost help");
  std::string all = "glasspost analyze";
  for (const std::string& w : words) all += " " + glasspost::ForTerminal(w);
  return Refuse(glasspost::ForTerminal(word), "there is no such command", all);
}

struct Command {
  std::string_view name;
  int (*run)(Words words);
};
constexpr Command kCommands[] = {
    {"account", [](Words words) { return glasspost::cli::RunAccount(words); }},
    {"alias", [](Words words) { return glasspost::cli::RunAlias(words); }},
    {"analyze", [](Words words) { return glasspost::cli::RunAnalyze(words); }},
    {"config", [](Words words) { return glasspost::cli::RunConfig(words); }},
    {"conversation", [](Words words) { return glasspost::cli::RunConversation(words); }},
    {"conversations", [](Words words) { return glasspost::cli::RunConversations(words); }},
    {"craft", [](Words words) { return glasspost::cli::RunCraft(std::move(words)); }},
    {"dns", [](Words words) { return glasspost::cli::RunDns(std::move(words)); }},
    {"domain", [](Words words) { return glasspost::cli::RunDomain(words); }},
    {"fetch", [](Words words) { return glasspost::cli::RunFetch(words); }},
    {"journey", [](Words words) { return glasspost::cli::RunJourney(std::move(words)); }},
    {"lab", [](Words words) { return glasspost::cli::RunLab(words); }},
    {"probe", [](Words words) { return glasspost::cli::RunProbe(words); }},
    {"mail", [](Words words) { return glasspost::cli::RunMail(words); }},
    {"providers", [](Words words) { return glasspost::cli::RunProviders(words); }},
    {"queue", [](Words words) { return glasspost::cli::RunQueue(words); }},
    {"send", [](Words words) { return glasspost::cli::RunSend(words); }},
    {"sendmail", [](Words words) { return glasspost::cli::RunSendmail(std::move(words)); }},
    {"serve", [](Words words) { return glasspost::cli::RunServe(std::move(words)); }},
    {"talk", [](Words words) { return glasspost::cli::RunTalk(words); }},
    {"user", [](Words words) { return glasspost::cli::RunUser(words); }},
};

// By the names under which other mail systems are called, through a link: the status. Nothing: it is glasspost.
std::optional<int> RunAsSendmail(const char* called, Words words) {
  const std::string name = std::filesystem::path(called == nullptr ? "" : called).filename().string();
  if (name == "newaliases") return kDone;
  if (name == "mailq") words.insert(words.begin(), "-bp");
  if (name != "sendmail" && name != "mailq") return std::nullopt;
  return glasspost::cli::RunSendmail(std::move(words));
}

int Run(int argc, char** argv) {
  Words words(argv + std::min(argc, 1), argv + argc);
  if (const auto status = RunAsSendmail(argc > 0 ? argv[0] : nullptr, words)) return *status;
  const auto language = glasspost::cli::LanguageOf(glasspost::cli::StatedLanguage(words));
  const auto at = CommandIn(words);
  if (at == words.end()) {
    if (AsksForHelp(words)) return Print(Help({}, language));
    if (std::find(words.begin(), words.end(), "--version") != words.end()) return Print("glasspost " GLASSPOST_VERSION "\n");
    fmt::print(stderr, "{}", Help({}, language));
    return Refuse({}, "no command given", "glasspost analyze FILE");
  }
  const std::string command = *at;
  if (!glasspost::cli::IsCommand(command)) return RefuseCommand(words, command);
  words.erase(at);
  if (command == "help") {
    const auto about = CommandIn(words);
    if (about == words.end()) return Print(Help({}, language));
    if (glasspost::cli::IsCommand(*about)) return Print(Help(*about, language));
    return Refuse(glasspost::ForTerminal(*about), "there is no such command", "glasspost help analyze");
  }
  // sendmail's own -h is the number of hops.
  const bool help = command == "sendmail" ? std::find(words.begin(), words.end(), "--help") != words.end() : AsksForHelp(words);
  if (help) return Print(Help(command, language));
  for (const Command& known : kCommands)
    if (known.name == command) return known.run(std::move(words));
  return kUsage;  // none but help, which was told
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow any more is an error of write(2), and is said
  // {fmt} throws where standard output cannot be written; all else returns its errors.
  try {
    return Run(argc, argv);
  } catch (const std::system_error&) {
    std::fputs("glasspost: standard output: cannot be written\n", stderr);
    return kCannotOpen;
  }
}
