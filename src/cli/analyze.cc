#include "cli/analyze.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/dialogue_report.h"
#include "analysis/hex_report.h"
#include "analysis/json_report.h"
#include "analysis/message_files.h"
#include "analysis/pipeline.h"
#include "analysis/quiet_report.h"
#include "analysis/table_report.h"
#include "cli/spool.h"
#include "cli/terminal.h"

namespace glasspost::cli {
namespace {

using analysis::Language;
using capture::FrameSource;

constexpr std::size_t kOutputBuffer = std::size_t{1} << 18;  // octets of output written at once
constexpr int kRead = 0, kFaults = 1, kUsage = 2, kCannotOpen = 3;

struct Arguments {
  std::vector<std::string> files;
  std::vector<std::string> hex_files;
  std::vector<std::uint64_t> conversations;
  std::uint64_t hex_exchange = 0;  // 0: the first that has both sides
  bool hex = false;
  bool json = false;
  bool no_messages = false;
  bool attachments = false;
  bool full = false;
  bool show_secrets = false;
  std::string messages;
  std::string language;
  std::string colour = "auto";
  int threads = 0;
};

void Complain(const Error& e) { fmt::print(stderr, "glasspost: {}\n", e.Text()); }

class Analyze {
 public:
  explicit Analyze(const Arguments& a) : arguments_(a), language_(LanguageOf(a.language)), style_(StyleFor(stdout, a.colour)) {
    source_options_.hex_dump = !a.hex_files.empty();
    files_ = a.hex_files.empty() ? a.files : a.hex_files;
  }

  int Run() {
    std::setvbuf(stdout, nullptr, _IOFBF, kOutputBuffer);
    if (auto told = Check(); !told) return Complain(told.error()), kUsage;
    // What is read more than once must not be a stream.
    const bool again = !arguments_.conversations.empty() || source_options_.hex_dump;
    if (again) {
      if (auto spooled = spool_.Take(files_); !spooled) return Complain(spooled.error()), kCannotOpen;
    }
    if (arguments_.json) return RunJson();
    if (!arguments_.conversations.empty()) return RunDialogue();
    return RunTable();
  }

 private:
  Expected<void> Check() const {
    const Arguments& a = arguments_;
    if (files_.empty()) return Fail("no capture file given", {}, "name one, or - for standard input");
    if (!a.files.empty() && !a.hex_files.empty()) return Fail("--from-hex and capture files cannot be read together");
    if (a.hex && a.conversations.empty())
      return Fail("--hex shows a command of a conversation", {}, "say which with --conversation N");
    if (a.json && !a.conversations.empty())
      return Fail("--json tells all conversations", {}, "leave --conversation out, and choose with jq or grep");
    if (std::count(files_.begin(), files_.end(), "-") > 1) return Fail("standard input can be read only once");
    return {};
  }

  int RunJson() {
    analysis::JsonReport report(stdout, {.messages = !arguments_.no_messages,
                                         .attachments = arguments_.attachments,
                                         .show_secrets = arguments_.show_secrets,
                                         .language = language_});
    return ReadWithMessages(report);
  }

  int RunTable() {
    if (source_options_.hex_dump) {
      if (const int status = TellFrames(); status != kRead) return status;
    }
    analysis::TableReport report(stdout, language_, style_);
    const int status = ReadWithMessages(report);
    if (status != kCannotOpen) report.WriteSummary(frames_);
    return Flushed(status);
  }

  // Two passes: the numbers are known only when all was seen, and only those asked for are told in full.
  int RunDialogue() {
    std::vector<std::uint64_t> wanted = arguments_.conversations;
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    std::unordered_set<std::uint64_t> first_frames;
    analysis::PipelineOptions options;
    std::uint64_t last = 0;
    options.on_number = [&](std::uint64_t number, std::uint64_t first_frame) {
      last = number;
      if (std::binary_search(wanted.begin(), wanted.end(), number)) first_frames.insert(first_frame);
    };
    analysis::QuietReport quiet;
    int status = Read(quiet, options);
    if (status == kCannotOpen) return status;
    faults_told_ = true;
    while (!wanted.empty() && (wanted.back() > last || wanted.back() == 0)) wanted.pop_back();
    if (wanted.size() < arguments_.conversations.size() && first_frames.size() < arguments_.conversations.size()) {
      Complain({last == 0   ? "no mail conversation was found in this capture"
                : last == 1 ? "there is only conversation 1"
                            : fmt::format("there are conversations 1 to {} only", last),
                {},
                last == 0 ? "" : "glasspost analyze FILE lists them"});
      if (first_frames.empty()) return kUsage;
      status = kUsage;
    }
    analysis::PipelineOptions second;
    second.only = &first_frames;
    if (arguments_.hex) return std::max(status, TellHex(second));
    analysis::DialogueReport report(
        stdout, {.language = language_, .style = style_, .full = arguments_.full, .show_secrets = arguments_.show_secrets});
    report.SetNumbers(wanted);
    return std::max(status, Read(report, second));
  }

  int TellHex(const analysis::PipelineOptions& options) {
    analysis::ExchangeFrames frames(arguments_.hex_exchange);
    const int status = Read(frames, options);
    if (frames.frames().empty()) {
      Complain({fmt::format("the conversation has no exchange {}", arguments_.hex_exchange),
                {},
                "glasspost analyze FILE --conversation N shows them"});
      return kUsage;
    }
    return std::max(status, DescribeFrames(&frames.frames()));
  }

  int TellFrames() { return DescribeFrames(nullptr); }

  // Octet by octet; null: all frames.
  int DescribeFrames(const std::vector<std::uint64_t>* wanted) {
    FrameSource source(files_, source_options_);
    const auto told = analysis::WriteFrames(stdout, source, wanted, language_, style_);
    if (!told) return Complain(told.error()), kCannotOpen;
    return Flushed(kRead);
  }

  int ReadWithMessages(analysis::Report& report) {
    if (arguments_.messages.empty()) return Read(report, {});
    analysis::MessageFiles files(report, arguments_.messages);
    if (auto ready = files.Prepare(); !ready) return Complain(ready.error()), kCannotOpen;
    const int status = Read(files, {});
    for (const Error& e : files.errors()) Complain(e);
    return files.errors().empty() ? status : kCannotOpen;
  }

  // Reads all files into the report and tells the faults; the exit status.
  int Read(analysis::Report& report, analysis::PipelineOptions options) {
    FrameSource source(files_, source_options_);
    ProgressBar progress(language_);
    options.threads = arguments_.threads;
    options.inline_only = arguments_.threads < 0;
    options.on_progress = [&](const FrameSource& s) { progress.Show(s.octets_read(), s.octets_total()); };
    const auto result = analysis::Run(source, report, options);
    progress.Clear();
    std::fflush(stdout);
    if (!result) return Complain(result.error()), kCannotOpen;
    frames_ = result->frames;
    if (!std::exchange(faults_told_, true)) {
      for (const auto& fault : source.faults()) Complain(fault.error);
      if (result->unknown_link > 0)
        Complain({fmt::format("{} frames of a link type that is not read were passed over", result->unknown_link), {}, {}});
    }
    if (result->spill_failed)
      Complain({"a temporary file could not be written; some conversations are missing", {}, "free space in TMPDIR"});
    return Flushed(source.faults().empty() && !result->spill_failed ? kRead : kFaults);
  }

  int Flushed(int status) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    if (!std::exchange(unwritable_told_, true)) Complain({"cannot be written", "standard output", {}});
    return kCannotOpen;
  }

  const Arguments& arguments_;
  Language language_;
  analysis::Style style_;
  std::vector<std::string> files_;
  FrameSource::Options source_options_;
  Spool spool_;
  std::uint64_t frames_ = 0;
  bool faults_told_ = false;
  bool unwritable_told_ = false;
};

}  // namespace

void AddAnalyze(CLI::App& app, int& status) {
  auto a = std::make_shared<Arguments>();
  CLI::App* sub = app.add_subcommand("analyze", "tell every mail conversation in capture files");
  sub->add_option("FILE", a->files, "pcap or pcapng, also gzip or zstd; - for standard input");
  sub->add_option("--from-hex", a->hex_files,
                  "read packets printed in hex (plain, xxd, hexdump -C, Wireshark) in place of captures");
  const CLI::Validator from_one(
      [](const std::string& text) {
        std::uint64_t n = 0;
        const auto end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, n);
        return read.ec == std::errc() && read.ptr == end && n > 0 ? std::string() : "not a conversation's number: " + text;
      },
      "");
  sub->add_option("--conversation,-c", a->conversations, "tell conversation N in full (may be given several times)")
      ->check(from_one)
      ->allow_extra_args(false);
  sub->add_flag("--full", a->full, "with --conversation: all of each message and of long replies");
  sub->add_flag("--hex", a->hex,
                "with --conversation: how one command and its reply lie in TCP, IP and Ethernet, octet by octet");
  sub->add_option("--exchange", a->hex_exchange, "with --hex: which exchange (otherwise the first with both sides)");
  sub->add_flag("--json", a->json, "one JSON object a line for each conversation");
  sub->add_flag("--no-messages", a->no_messages, "with --json: leave the messages out");
  sub->add_flag("--attachments", a->attachments, "with --json: add each message's attachments");
  sub->add_option("--messages", a->messages, "write every message into this folder as .eml");
  sub->add_flag("--show-secrets", a->show_secrets, "do not mask passwords");
  sub->add_option("--lang", a->language, "en or zh; otherwise as LANG says")->check(CLI::IsMember({"en", "zh"}));
  sub->add_option("--color", a->colour, "auto, always or never")->check(CLI::IsMember({"auto", "always", "never"}));
  sub->add_option("--threads", a->threads, "threads that observe, beside the one that reads; -1: all on one");
  sub->callback([a, &status] { status = Analyze(*a).Run(); });
}

}  // namespace glasspost::cli
