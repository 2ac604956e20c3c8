#include "cli/lab.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/escape.h"
#include "cli/analyze.h"
#include "cli/terminal.h"
#include "lab/lab.h"
#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

constexpr int kDone = 0, kUsage = 2, kFailed = 3;

struct LabWords {
  std::string folder = "glasspost-lab";
  std::string language;
  std::string colour = "auto";
  bool once = false;
  std::vector<std::string> passed_on;  // to `analyze`
  std::string unknown;
};

LabWords Read(const std::vector<std::string>& words) {
  LabWords out;
  for (std::size_t i = 0; i < words.size() && out.unknown.empty(); ++i) {
    const std::string& w = words[i];
    const auto value = [&](const char* option, std::string& to) {
      if (w.starts_with(std::string(option) + "=")) return to = w.substr(std::string(option).size() + 1), true;
      if (w != option || i + 1 == words.size()) return false;
      return to = words[++i], true;
    };
    if (w == "--once") {
      out.once = true;
    } else if (value("--lang", out.language)) {
      out.passed_on.push_back("--lang=" + out.language);
    } else if (value("--color", out.colour)) {
      out.passed_on.push_back("--color=" + out.colour);
    } else if (w == "--full" || w == "--hex") {
      out.passed_on.push_back(w);
    } else if (!value("--dir", out.folder)) {
      out.unknown = w;
    }
  }
  return out;
}

int Tell(const std::string& capture, const LabWords& words) {
  std::fputc('\n', stdout);
  std::vector<std::string> analyze{capture, "--conversation", "1", "--show-secrets"};
  analyze.insert(analyze.end(), words.passed_on.begin(), words.passed_on.end());
  return RunAnalyze(analyze);
}

}  // namespace

int RunLab(const std::vector<std::string>& all) {
  const LabWords words = Read(all);
  if (!words.unknown.empty() || !words.once) {
    fmt::print(
        stderr, "glasspost: lab: {}\nglasspost help lab tells what there is.\n",
        words.unknown.empty() ? std::string("say --once: the experiment, once") : "what is " + ForTerminal(words.unknown) + "?");
    return kUsage;
  }
  const auto result = lab::RunOnce(words.folder, net::SystemClock(), SystemRandomness());
  if (!result) {
    fmt::print(stderr, "glasspost: lab: {}\n", ForTerminal(result.error().Text()));
    return kFailed;
  }
  if (const int status = Tell(result->send, words); status != kDone) return status;
  if (const int status = Tell(result->login, words); status != kDone) return status;
  for (const analysis::Journey& journey : analysis::JoinJourneys(result->journey))
    fmt::print("\n{}", analysis::JourneyText(journey, LanguageOf(words.language), StyleFor(stdout, words.colour)));
  return kDone;
}

}  // namespace glasspost::cli
