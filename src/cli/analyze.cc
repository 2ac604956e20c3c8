#include "cli/analyze.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "analysis/json_report.h"
#include "analysis/pipeline.h"
#include "analysis/table_report.h"
#include "cli/terminal.h"

namespace glasspost::cli {
namespace {

using analysis::Language;

constexpr int kRead = 0, kFaults = 1, kUsage = 2, kCannotOpen = 3;

struct Arguments {
  std::vector<std::string> files;
  std::vector<std::uint64_t> conversations;
  bool json = false;
  bool no_messages = false;
  bool attachments = false;
  bool show_secrets = false;
  std::string language;
  std::string colour = "auto";
  int threads = 0;
};

class Analyze {
 public:
  explicit Analyze(const Arguments& arguments)
      : arguments_(arguments), language_(LanguageOf(arguments.language)), style_(StyleFor(stdout, arguments.colour)) {}

  int Run() {
    if (arguments_.json) return RunJson();
    return RunTable();
  }

 private:
  int RunJson() {
    analysis::JsonReport report(stdout, {.messages = !arguments_.no_messages,
                                         .attachments = arguments_.attachments,
                                         .show_secrets = arguments_.show_secrets,
                                         .language = language_});
    return Read(report, {});
  }

  int RunTable() {
    analysis::TableReport report(stdout, language_, style_);
    std::uint64_t frames = 0;
    const int status = Read(report, {}, &frames);
    if (status != kCannotOpen) report.WriteSummary(frames);
    return status;
  }

  // Reads all files into the report and tells the faults; the exit status.
  int Read(analysis::Report& report, analysis::PipelineOptions options, std::uint64_t* frames = nullptr) {
    capture::FrameSource source(arguments_.files);
    ProgressBar progress(language_);
    options.threads = arguments_.threads;
    options.inline_only = arguments_.threads < 0;
    options.on_progress = [&](const capture::FrameSource& s) { progress.Show(s.octets_read(), s.octets_total()); };
    const auto result = analysis::Run(source, report, options);
    progress.Clear();
    std::fflush(stdout);
    if (!result) {
      fmt::print(stderr, "glasspost: {}\n", result.error().Text());
      return kCannotOpen;
    }
    if (frames != nullptr) *frames = result->frames;
    for (const auto& fault : source.faults()) fmt::print(stderr, "glasspost: {}\n", fault.error.Text());
    if (std::ferror(stdout) != 0) {
      fmt::print(stderr, "glasspost: standard output: cannot be written\n");
      return kCannotOpen;
    }
    return source.faults().empty() ? kRead : kFaults;
  }

  const Arguments& arguments_;
  Language language_;
  analysis::Style style_;
};

}  // namespace

void AddAnalyze(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sub = app.add_subcommand("analyze", "tell every mail conversation in capture files");
  sub->add_option("FILE", arguments->files, "pcap or pcapng, also gzip or zstd; - for standard input")->required();
  sub->add_flag("--json", arguments->json, "one JSON object a line for each conversation");
  sub->add_flag("--no-messages", arguments->no_messages, "leave the messages out of the JSON");
  sub->add_flag("--attachments", arguments->attachments, "add each message's attachments to the JSON");
  sub->add_flag("--show-secrets", arguments->show_secrets, "do not mask passwords");
  sub->add_option("--lang", arguments->language, "en or zh; otherwise as LANG says")->check(CLI::IsMember({"en", "zh"}));
  sub->add_option("--color", arguments->colour, "auto, always or never")->check(CLI::IsMember({"auto", "always", "never"}));
  sub->add_option("--threads", arguments->threads, "threads that observe, beside the one that reads; -1: all on one");
  sub->callback([arguments, &status] { status = Analyze(*arguments).Run(); });
}

}  // namespace glasspost::cli
