#include "cli/config.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/escape.h"
#include "base/nearest.h"
#include "cli/command_line.h"
#include "server/config_reader.h"

namespace glasspost::cli {
namespace {

constexpr int kMistakes = 1, kCannotRead = 3;
constexpr std::string_view kActions[] = {"show", "check"};

int Refuse(const std::string& what) {
  fmt::print(stderr, "glasspost: config: {}\nglasspost help config tells what there is.\n", what);
  return kUsage;
}

int Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return Finish(kDone);
}

int Check(const std::string& file) {
  server::ConfigReader reader;
  reader.ReadFile(file);
  const server::ReadConfig read = reader.Finish();
  if (read.mistakes.empty()) return Print(fmt::format("{}: no mistakes\n", ForTerminal(file)));
  for (const server::Mistake& m : read.mistakes) fmt::print(stderr, "{}\n", m.Text());
  return read.unreadable ? kCannotRead : kMistakes;
}

}  // namespace

int RunConfig(const std::vector<std::string>& all) {
  std::vector<std::string> words;
  bool options = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (options && (all[i] == "--lang" || all[i].starts_with("--lang="))) {
      i += all[i] == "--lang" ? 1 : 0;  // the help's, which is asked for before
    } else if (options && all[i] == "--") {
      options = false;
    } else if (options && all[i].starts_with("-") && all[i].size() > 1) {
      return Refuse(fmt::format("there is no option {}", ForTerminal(all[i])));
    } else {
      words.push_back(all[i]);
    }
  }
  if (words.empty()) return Refuse("say what: show, or check FILE");
  if (words[0] == "show") {
    if (words.size() > 1) return Refuse("show takes nothing more");
    return Print(server::WriteConfig({}));
  }
  if (words[0] == "check") {
    if (words.size() != 2) return Refuse(words.size() < 2 ? "check needs a file" : "check takes one file");
    return Check(words[1]);
  }
  const std::string_view nearest = Nearest(words[0], kActions);
  return Refuse(
      fmt::format("there is no {} (did you mean {}?)", ForTerminal(words[0]), nearest.empty() ? "show, or check FILE" : nearest));
}

}  // namespace glasspost::cli
