#include "cli/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "base/ascii.h"
#include "base/escape.h"
#include "base/nearest.h"
#include "cli/error_text.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "server/config_reader.h"

namespace glasspost::cli {

CommandLine::CommandLine(std::string_view command, bool serves) : command_(command), serves_(serves) {
  app_.set_help_flag();  // the help is our own
  app_.allow_extras();
  app_.add_option("WORD", words_);
  app_.add_option("--lang", wanted_language_)->check(CLI::IsMember({"en", "zh"}));
  app_.add_option("--color", colour_)->check(CLI::IsMember({"auto", "always", "never"}));
}

std::optional<int> CommandLine::Parse(std::vector<std::string> words) {
  if (serves_) {
    server::ReadConfig read = server::LoadConfig(words, ::environ);
    for (const server::Mistake& mistake : read.mistakes) fmt::print(stderr, "glasspost: {}\n", ForTerminal(mistake.Text()));
    if (!read.mistakes.empty()) return kUsage;
    config_ = std::move(read.config);
  }
  try {
    app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& e) {
    return Misused(ForTerminal(e.what()));
  }
  auto unknown = app_.remaining();
  std::erase(unknown, "--");
  if (!unknown.empty()) {
    const std::string_view nearest = NearestOption(unknown.front(), command_);
    return Misused(fmt::format("there is no option {}{}", ForTerminal(unknown.front()),
                               nearest.empty() ? std::string() : fmt::format(" (did you mean {}?)", nearest)));
  }
  language_ = LanguageOf(wanted_language_);
  style_ = StyleFor(stdout, colour_);
  return std::nullopt;
}

void CommandLine::Complain(const Error& error) const { cli::Complain(InLanguage(error, language_)); }

int CommandLine::Misused(const std::string& what) const {
  fmt::print(stderr, "glasspost: {}: {}\nglasspost help {} tells what there is.\n", command_, what, command_);
  return kUsage;
}

std::string_view CommandLine::ActionOf(std::initializer_list<std::string_view> actions) const {
  std::string all;
  for (const std::string_view action : actions) {
    if (!words_.empty() && words_.front() == action) return action;
    all += fmt::format("{}{}", all.empty() ? "" : ", ", action);
  }
  if (words_.empty()) {
    Misused("say what: " + all);
    return {};
  }
  const std::string_view nearest = Nearest(words_.front(), std::vector<std::string_view>(actions));
  Misused(fmt::format("there is no {} ({})", ForTerminal(words_.front()),
                      nearest.empty() ? all : fmt::format("did you mean {}?", nearest)));
  return {};
}

void Complain(const Error& error) { fmt::print(stderr, "glasspost: {}\n", ForTerminal(error.Text())); }

int Refusal(const server::json::object& answer) {
  fmt::print(stderr, "glasspost: {}\n", ForTerminal(server::TextIn(answer, "error")));
  return kRefused;
}

int Finish(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  fmt::print(stderr, "glasspost: standard output: cannot be written\n");
  return kCannotOpen;
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc()) return std::nullopt;
  std::string unit = UpperCase(text.substr(static_cast<std::size_t>(end - text.data())));
  if (unit.ends_with("IB")) unit.resize(unit.size() - 2);
  if (unit.empty()) return n;
  constexpr std::string_view kUnits = "KMGT";
  const std::size_t step = unit.size() == 1 ? kUnits.find(unit.front()) : std::string_view::npos;
  if (step == std::string_view::npos) return std::nullopt;
  const unsigned shift = 10 * (static_cast<unsigned>(step) + 1);
  if (n > (std::uint64_t{1} << 62) >> shift) return std::nullopt;
  return n << shift;
}

CLI::Validator FromOne(const char* what) {
  return CLI::Validator(
      [what](const std::string& text) {
        std::uint64_t n = 0;
        const auto end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, n);
        return read.ec == std::errc() && read.ptr == end && n > 0 ? std::string() : fmt::format("not {}: {}", what, text);
      },
      "");
}

}  // namespace glasspost::cli
