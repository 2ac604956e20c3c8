#include "cli/lab.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/analyze.h"
#include "cli/command_line.h"
#include "lab/lab.h"
#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

struct LabWords {
  std::string folder = "glasspost-lab";
  bool once = false;
  bool full = false;
  bool hex = false;
};

int Tell(const std::string& capture, const CommandLine& line, const LabWords& words) {
  std::fputc('\n', stdout);
  std::vector<std::string> analyze{capture, "--conversation", "1", "--show-secrets"};
  analyze.emplace_back(line.chinese() ? "--lang=zh" : "--lang=en");
  analyze.emplace_back(line.style().colour ? "--color=always" : "--color=never");
  if (words.full) analyze.emplace_back("--full");
  if (words.hex) analyze.emplace_back("--hex");
  return RunAnalyze(analyze);
}

}  // namespace

int RunLab(const std::vector<std::string>& all) {
  CommandLine line("lab", false);
  LabWords words;
  line.app().add_flag("--once", words.once);
  line.app().add_option("--dir", words.folder);
  line.app().add_flag("--full", words.full);
  line.app().add_flag("--hex", words.hex);
  if (const auto status = line.Parse(all)) return *status;
  if (!line.words().empty()) return line.Misused("takes options only");
  if (!words.once) return line.Misused("say --once: the experiment, once");
  const auto result = lab::RunOnce(words.folder, net::SystemClock(), SystemRandomness());
  if (!result) return line.Complain(result.error()), kCannotOpen;
  if (const int status = Tell(result->send, line, words); status != kDone) return status;
  if (const int status = Tell(result->login, line, words); status != kDone) return status;
  for (const analysis::Journey& journey : analysis::JoinJourneys(result->journey))
    fmt::print("\n{}", analysis::JourneyText(journey, line.language(), line.style()));
  return Finish(kDone);
}

}  // namespace glasspost::cli
