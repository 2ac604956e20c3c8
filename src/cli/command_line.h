// What the commands that talk to the server have in common: their options, how they are judged, how they end.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "base/error.h"
#include "server/config.h"
#include "server/json.h"

namespace glasspost::cli {

// Exit statuses.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;     // what is asked for cannot be: it is not there, it is there already
inline constexpr int kUsage = 2;       // the command is not used so
inline constexpr int kCannotOpen = 3;  // neither server nor store can be reached, or the output not written

class CommandLine {
 public:
  // `command`: as its help is called. `serves`: the settings of the server are options of it.
  explicit CommandLine(std::string_view command, bool serves = true);

  // For further options, before Parse.
  CLI::App& app() { return app_; }
  void AddJson() { app_.add_flag("--json", json_); }
  // Takes the server's settings (--data, --config …) out of `words`, then the options, and leaves what is neither in words().
  // A status: it was not used rightly, which was said.
  std::optional<int> Parse(std::vector<std::string> words);

  const std::vector<std::string>& words() const { return words_; }
  const server::Config& config() const { return config_; }
  bool json() const { return json_; }
  analysis::Language language() const { return language_; }
  bool chinese() const { return language_ == analysis::Language::kChinese; }
  const analysis::Style& style() const { return style_; }
  std::string_view Say(std::string_view english, std::string_view chinese_text) const {
    return chinese() ? chinese_text : english;
  }

  // Says what is wrong, in the language of the person.
  void Complain(const Error& error) const;
  // Says what is wrong with the use; gives kUsage.
  int Misused(const std::string& what) const;
  // "add", of `actions`; empty: it is none, and was said.
  std::string_view ActionOf(std::initializer_list<std::string_view> actions) const;

 private:
  std::string command_;
  bool serves_;
  CLI::App app_;
  std::vector<std::string> words_;
  server::Config config_;
  std::string wanted_language_;
  std::string colour_ = "auto";
  bool json_ = false;
  analysis::Language language_ = analysis::Language::kEnglish;
  analysis::Style style_;
};

void Complain(const Error& error);
// Of an answer that says no; kRefused.
int Refusal(const server::json::object& answer);
// Writes what waits; `status`, or kCannotOpen if the output cannot be written.
int Finish(int status);
// "10", "512K", "2G" (1024 each step) as octets.
std::optional<std::uint64_t> ParseSize(std::string_view text);
// A number from 1 on, and nothing after it.
CLI::Validator FromOne(const char* what);

}  // namespace glasspost::cli
