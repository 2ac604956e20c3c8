#include "cli/lab.h"

#include <fmt/format.h>

#include <string_view>

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

// Each capture is told by itself, so that its frames have the numbers that Wireshark gives them; `number` is that of the journey.
int Tell(const std::string& capture, int number, std::string_view what, const CommandLine& line, const LabWords& words) {
  fmt::print("\n{}\n", line.style().Bold(fmt::format(
                           fmt::runtime(line.Say("{}: {} (conversation {} of the server)", "{}：{}（服务器的会话 {}）")), capture,
                           what, number)));
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
  if (const int status = Tell(result->send, 1, line.Say("the message is sent", "发出邮件"), line, words); status != kDone)
    return status;
  if (const int status = Tell(result->login, 2, line.Say("and fetched", "取回邮件"), line, words); status != kDone) return status;
  for (const analysis::Journey& journey : analysis::JoinJourneys(result->journey))
    fmt::print("\n{}", analysis::JourneyText(journey, line.language(), line.style()));
  return Finish(kDone);
}

}  // namespace glasspost::cli
