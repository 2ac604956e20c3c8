#include "cli/analyze.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "analysis/conversation_heads.h"
#include "analysis/dialogue_report.h"
#include "analysis/hex_report.h"
#include "analysis/json_report.h"
#include "analysis/message_files.h"
#include "analysis/pipeline.h"
#include "analysis/table_report.h"
#include "base/escape.h"
#include "cli/arguments.h"
#include "cli/command_line.h"
#include "cli/error_text.h"
#include "cli/help.h"
#include "cli/interruption.h"
#include "cli/large_pages.h"
#include "cli/spool.h"
#include "cli/terminal.h"

namespace glasspost::cli {
namespace {

using analysis::Language;
using capture::FrameSource;

constexpr std::size_t kOutputBuffer = std::size_t{1} << 16;  // octets of output written at once
constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr int kRead = 0, kFaults = 1;

class Analyze {
 public:
  explicit Analyze(const Arguments& a) : arguments_(a), language_(LanguageOf(a.language)), style_(StyleFor(stdout, a.colour)) {
    source_options_.hex_dump = !a.hex_files.empty();
    files_ = a.hex_files.empty() ? a.files : a.hex_files;
  }

  // What goes wrong is told after what was read.
  int Run() {
    static char buffer[kOutputBuffer];  // of stdio's own the size is not what is asked for
    std::setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    Tell();
    if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) Fault(kCannotOpen, {"cannot be written", "standard output", {}});
    for (const Error& e : errors_) Complain(InLanguage(e, language_));
    return status_;
  }

 private:
  void Fault(int status, Error error) {
    status_ = std::max(status_, status);
    errors_.push_back(spool_.Named(std::move(error)));
  }

  void Tell() {
    // What is read more than once must not be a stream.
    const bool again = !arguments_.conversations.empty() || source_options_.hex_dump;
    if (again) {
      const std::uint64_t most = source_options_.hex_dump ? source_options_.hex_limits.text_octets : kAll;
      if (auto spooled = spool_.Take(files_, most); !spooled) return Fault(kCannotOpen, spooled.error());
    }
    if (arguments_.json) return TellJson();
    if (!arguments_.conversations.empty()) return TellConversations();
    TellTable();
  }

  void TellJson() {
    analysis::JsonReport report(stdout, {.messages = !arguments_.no_messages,
                                         .attachments = arguments_.attachments,
                                         .show_secrets = arguments_.show_secrets,
                                         .language = language_});
    ReadWithMessages(report);
  }

  void TellTable() {
    if (source_options_.hex_dump) TellFrames();
    analysis::TableReport report(stdout, language_, style_);
    ReadWithMessages(report);
    if (!nothing_read_) report.WriteSummary(frames_);
    if (messages_written_) WriteMessageCount(*messages_written_);
  }

  void WriteMessageCount(std::uint64_t written) const {
    const std::string folder = ForTerminal(arguments_.messages);
    if (language_ == Language::kChinese)
      fmt::print("已写入 {} 封邮件：{}\n", written, folder);
    else
      fmt::print("{} {} written to {}\n", written, written == 1 ? "message was" : "messages were", folder);
  }

  // Two passes: the numbers are known only when all was seen, and only those asked for are told in full.
  void TellConversations() {
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
    analysis::ConversationHeads heads(wanted, language_, style_);
    Read(heads, options);
    if (nothing_read_) return;
    if (first_frames.size() < wanted.size()) {
      Fault(kUsage, {last == 0   ? "no mail conversation was found in this capture"
                     : last == 1 ? "there is only conversation 1"
                                 : fmt::format("there are conversations 1 to {} only", last),
                     {},
                     last == 0 ? "" : "glasspost analyze FILE lists them"});
    }
    if (first_frames.empty()) return;
    analysis::PipelineOptions second;
    second.only = &first_frames;
    if (arguments_.hex) return TellHex(second);
    analysis::DialogueReport report(
        stdout, {.language = language_, .style = style_, .full = arguments_.full, .show_secrets = arguments_.show_secrets},
        heads.heads());
    told_while_read_ = isatty(STDOUT_FILENO) != 0;
    Read(report, second);
  }

  void TellHex(const analysis::PipelineOptions& options) {
    analysis::ExchangeFrames frames(arguments_.hex_exchange, arguments_.show_secrets);
    Read(frames, options);
    if (!frames.frames().empty()) return DescribeFrames(&frames.frames(), frames.veils());
    const std::uint64_t most = frames.most_exchanges();
    Fault(kUsage, {fmt::format("the conversation has no exchange {}", arguments_.hex_exchange),
                   {},
                   most == 0   ? "nothing is said in it; leave --exchange out to see its first packets"
                   : most == 1 ? "it has only one"
                               : fmt::format("it has exchanges 1 to {}", most)});
  }

  // All frames; which of their octets are secret is known when the conversations were read.
  void TellFrames() {
    if (arguments_.show_secrets) return DescribeFrames(nullptr, nullptr);
    analysis::ExchangeFrames frames(analysis::ExchangeFrames::kAll);
    Read(frames, {});
    DescribeFrames(nullptr, frames.veils());
  }

  // Octet by octet. `wanted`: null for all frames.
  void DescribeFrames(const std::vector<std::uint64_t>* wanted, const analysis::Veils* veils) {
    FrameSource source(files_, source_options_);
    analysis::WriteFrames(stdout, source, wanted, veils, language_, style_);
  }

  void ReadWithMessages(analysis::Report& report) {
    if (arguments_.messages.empty()) return Read(report, {});
    analysis::MessageFiles files(report, arguments_.messages);
    if (auto ready = files.Prepare(); !ready) {
      Read(report, {});
      return Fault(kCannotOpen, ready.error());
    }
    const Interruption interruption([&files] { files.Abandon(); });
    std::signal(SIGPIPE, SIG_IGN);  // a reader of the table that has enough does not end the writing of messages
    Read(files, {});
    for (const Error& e : files.errors()) Fault(kCannotOpen, e);
    messages_written_ = files.written();
  }

  // Reads all files into the report; the faults are noted at the first reading.
  void Read(analysis::Report& report, analysis::PipelineOptions options) {
    FrameSource source(files_, source_options_);
    ProgressBar progress(language_);
    options.threads = arguments_.threads;
    options.inline_only = arguments_.threads < 0;
    if (!told_while_read_) options.on_progress = [&](const FrameSource& s) { progress.Show(s.octets_read(), s.octets_total()); };
    const auto result = analysis::Run(source, report, options);
    progress.Clear();
    if (!std::exchange(read_before_, true)) {
      frames_ = result.frames;
      nothing_read_ = result.unread.size() == files_.size();
      for (const Error& e : result.unread) Fault(kCannotOpen, e);
      for (const auto& fault : source.faults()) Fault(kFaults, fault.error);
      if (result.unknown_link > 0) {
        Fault(kRead, {fmt::format("{} frames of a link type that is not read were passed over", result.unknown_link), {}, {}});
      }
    }
    if (result.spill_failed)
      Fault(kCannotOpen, {"a temporary file could not be written; some conversations are missing", {}, "free space in TMPDIR"});
  }

  const Arguments& arguments_;
  Language language_;
  analysis::Style style_;
  std::vector<std::string> files_;
  FrameSource::Options source_options_;
  Spool spool_;
  std::uint64_t frames_ = 0;
  bool read_before_ = false;
  bool told_while_read_ = false;  // onto the terminal, where a progress bar would stand in between
  bool nothing_read_ = false;     // of all files not one could be opened
  std::optional<std::uint64_t> messages_written_;
  std::vector<Error> errors_;
  int status_ = kRead;
};

}  // namespace

int RunAnalyze(const std::vector<std::string>& words) {
  Arguments arguments;
  CLI::App app;
  app.set_help_flag();  // the help is our own
  app.allow_extras();
  AddOptions(app, arguments);
  const auto refuse = [language = LanguageOf(StatedLanguage(words))](const Error& e) {
    Complain(InLanguage(e, language));
    return kUsage;
  };
  constexpr const char* kHelp = "glasspost help analyze tells all options";
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& e) {
    return refuse({e.what(), {}, kHelp});
  }
  auto unknown = app.remaining();
  std::erase(unknown, "--");  // what stands behind it are files, also where they begin with '-'
  if (!unknown.empty()) {
    const std::string_view nearest = NearestOption(unknown.front());
    return refuse({"there is no such option", unknown.front(),
                   nearest.empty() ? std::string(kHelp) : fmt::format("did you mean {}?", nearest)});
  }
  if (const auto checked = CheckTogether(arguments); !checked) return refuse(checked.error());
  UseLargePages();
  return Analyze(arguments).Run();
}

}  // namespace glasspost::cli
