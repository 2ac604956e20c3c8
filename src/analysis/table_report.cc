#include "analysis/table_report.h"

#include <fmt/format.h>

#include <utility>

#include "analysis/note.h"
#include "analysis/summary.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/time_text.h"

namespace glasspost::analysis {
namespace {

constexpr std::size_t kNumberWidth = 5, kTimeWidth = 15, kProtocolWidth = 8, kEndpointWidth = 21, kDurationWidth = 10,
                      kFindingsWidth = 9;
constexpr std::size_t kWideColumns = 120;  // a terminal that has fewer gets two lines a conversation
constexpr std::size_t kNarrowIndent = kNumberWidth + 2;

bool IsNarrow(const Style& style) { return style.columns != 0 && style.columns < kWideColumns; }

std::string Column(std::string_view text, std::size_t width) { return PadRight(text, width) + "  "; }

// "1e 2w 3n" for errors, warnings and notes, coloured by the worst.
std::string Findings(const std::array<std::uint64_t, 3>& findings, std::size_t width, Language language, const Style& style) {
  static constexpr std::string_view kSigns[3][2] = {{"n", "提"}, {"w", "警"}, {"e", "错"}};
  std::string t;
  for (std::size_t i = 3; i-- > 0;)
    if (findings[i] > 0) t += fmt::format("{}{}{}", t.empty() ? "" : " ", findings[i], kSigns[i][static_cast<int>(language)]);
  if (t.empty()) t = "-";
  const std::string padded = PadRight(t, width);
  return findings[2] > 0 ? style.Red(padded) : findings[1] > 0 ? style.Yellow(padded) : style.Dim(padded);
}

class TableTeller final : public Teller {
 public:
  TableTeller(Language language, Style style) : language_(language), style_(style) {}

  void OnExchange(const ConversationFacts& facts, const Exchange& exchange) override {
    summary_.OnExchange(exchange, facts.protocol);
  }
  void OnMessage(const ConversationFacts&, const MessageFacts& message) override { summary_.OnMessage(message); }
  void OnFinding(const ConversationFacts&, const Finding& finding) override {
    ++findings_[static_cast<std::size_t>(Info(finding.id).severity)];
  }

  void Finish(const ConversationFacts& f, TextStore& text) override {
    protocol_ = f.protocol;
    gaps_ = f.gaps.size();
    const std::string name = UpperCase(Name(f.protocol)) + (f.by_port_only ? "?" : "");
    text.Append(TableLine({f.start, f.end, name, f.client().Text(), f.server().Text(), findings_, summary_.Words(f, language_)},
                          language_, style_));
  }

  std::string Note() override {
    std::string note;
    PutNumber(note, static_cast<std::uint64_t>(protocol_));
    for (const std::uint64_t n : findings_) PutNumber(note, n);
    for (const std::uint64_t n : {summary_.messages(), summary_.message_octets(), gaps_}) PutNumber(note, n);
    return note;
  }

 private:
  Language language_;
  Style style_;
  Summary summary_;
  std::array<std::uint64_t, 3> findings_{};
  Protocol protocol_ = Protocol::kUnknown;
  std::uint64_t gaps_ = 0;
};

void Put(std::FILE* out, std::string_view text) { std::fwrite(text.data(), 1, text.size(), out); }

}  // namespace

std::unique_ptr<Teller> TableReport::NewTeller() const { return std::make_unique<TableTeller>(language_, style_); }

std::string TableHeading(Language language, const Style& style) {
  const bool zh = language == Language::kChinese;
  std::string line = PadLeft(zh ? "编号" : "#", kNumberWidth) + "  " + Column(zh ? "时间 (UTC)" : "time (UTC)", kTimeWidth) +
                     Column(zh ? "协议" : "protocol", kProtocolWidth);
  if (IsNarrow(style)) {
    line += std::string(zh ? "客户端 → 服务器" : "client → server") + "\n" + std::string(kNarrowIndent, ' ') +
            (zh ? "用时  发现  发生了什么" : "duration  findings  what happened");
  } else {
    line += Column(zh ? "客户端" : "client", kEndpointWidth) + Column(zh ? "服务器" : "server", kEndpointWidth) +
            PadLeft(zh ? "用时" : "duration", kDurationWidth) + "  " + Column(zh ? "发现" : "findings", kFindingsWidth) +
            (zh ? "发生了什么" : "what happened");
  }
  return style.Bold(line) + "\n";
}

std::string TableNumber(std::uint64_t number, const Style& style) {
  return style.Bold(PadLeft(fmt::format("{}", number), kNumberWidth));
}

std::string TableLine(const TableRow& row, Language language, const Style& style) {
  std::string time;
  AppendTimeOfDay(time, row.start);
  std::string line = "  " + style.Dim(Column(time, kTimeWidth).substr(0, kTimeWidth)) + "  ";
  line += style.Cyan(Column(row.protocol, kProtocolWidth));
  const std::string words = ForTerminal(row.words);
  if (IsNarrow(style)) {
    line += row.client + " → " + row.server + "\n" + std::string(kNarrowIndent, ' ');
    line += DurationText(row.end - row.start) + "  " + Findings(row.findings, 0, language, style) + "  ";
    AppendWrapped(line, words, kNarrowIndent, style.columns);
  } else {
    line += Column(row.client, kEndpointWidth) + Column(row.server, kEndpointWidth);
    line += PadLeft(DurationText(row.end - row.start), kDurationWidth) + "  " +
            Findings(row.findings, kFindingsWidth, language, style) + "  " + words;
  }
  return line + '\n';
}

void TableReport::Write(std::uint64_t number, Octets note, TextStore& text) {
  if (!std::exchange(headed_, true)) Put(out_, TableHeading(language_, style_));
  ++totals_.conversations[static_cast<std::size_t>(TakeNumber(note))];
  for (std::uint64_t& n : totals_.findings) n += TakeNumber(note);
  for (std::uint64_t* n : {&totals_.messages, &totals_.message_octets, &totals_.gaps}) *n += TakeNumber(note);
  Put(out_, TableNumber(number, style_));
  text.ForEachPiece([this](std::string_view piece) { Put(out_, piece); });
}

void TableReport::WriteSummary(std::uint64_t frames) {
  const bool zh = language_ == Language::kChinese;
  std::uint64_t all = 0;
  std::string by_protocol;
  for (std::size_t i = 0; i < totals_.conversations.size(); ++i) {
    all += totals_.conversations[i];
    if (totals_.conversations[i] == 0) continue;
    by_protocol += fmt::format("{}{} {}",
                               by_protocol.empty() ? ""
                               : zh                ? "，"
                                                   : ", ",
                               totals_.conversations[i], UpperCase(Name(static_cast<Protocol>(i))));
  }
  const auto& f = totals_.findings;
  std::string text;
  if (zh) {
    text = fmt::format("{} 个会话{}；{} 封邮件，{}；{} 个错误，{} 个警告，{} 个提示；共 {} 帧\n", all,
                       by_protocol.empty() ? "" : "（" + by_protocol + "）", totals_.messages, SizeText(totals_.message_octets),
                       f[2], f[1], f[0], frames);
  } else {
    const auto s = [](std::uint64_t n) { return n == 1 ? "" : "s"; };
    text = fmt::format("{} conversation{}{}; {} message{}, {}; {} error{}, {} warning{}, {} note{}; {} frame{}\n", all, s(all),
                       by_protocol.empty() ? "" : " (" + by_protocol + ")", totals_.messages, s(totals_.messages),
                       SizeText(totals_.message_octets), f[2], s(f[2]), f[1], s(f[1]), f[0], s(f[0]), frames, s(frames));
  }
  if (all > 0) {
    text = "\n" + text;
    text += zh ? "用 --conversation N 看一个会话的全部对话，--json 给程序用。\n"
               : "See one in full with --conversation N; --json is for programs.\n";
  } else {
    text += zh ? "没有找到邮件会话。\n" : "No mail conversation was found.\n";
  }
  Put(out_, text);
}

}  // namespace glasspost::analysis
