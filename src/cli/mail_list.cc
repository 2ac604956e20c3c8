// glasspost mail list: what there is, a line each.
#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <numeric>

#include "agent/mail_summary.h"
#include "analysis/summary.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/time_text.h"
#include "cli/mail_options.h"
#include "cli/mail_place.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace glasspost::cli {
namespace {

using agent::MailSummary;
namespace json = server::json;

constexpr std::size_t kSorted = 100'000;   // messages that are held while they are sorted
constexpr std::size_t kFromColumns = 22;   // of a terminal
constexpr std::size_t kWideColumns = 40;   // of From, where nothing is known of a terminal
constexpr std::size_t kMostColumns = 998;  // of a subject there: a line of the message
constexpr std::size_t kLeastColumns = 10;  // of a subject, however narrow the terminal

struct Row {
  agent::MailEntry entry;
  MailSummary summary;
  std::uint64_t size = 0;
};

// Fresh, answered, flagged, with something attached; each has its place.
std::string FlagsOf(const MailSummary& s) {
  std::string flags = s.flags_known && !s.seen ? "N" : " ";
  flags += s.answered ? 'r' : ' ';
  flags += s.flagged ? 'F' : ' ';
  flags += s.attachment ? '@' : ' ';
  return flags;
}

std::string SortText(const Row& row, const std::string& by) {
  const std::string& text = by == "from" ? row.summary.from : row.summary.subject;
  return UpperCase(text);
}

class List {
 public:
  explicit List(const MailCall& call)
      : call_(call),
        line_(call.line),
        table_(stdout,
               {{std::string(line_.Say("no.", "序号")), true},
                {std::string(line_.Say("", "")), false},
                {std::string(line_.Say("date", "日期")), false},
                {std::string(line_.Say("from", "发件人")), false},
                {std::string(line_.Say("size", "大小")), true},
                {std::string(line_.Say("subject", "主题")), false}},
               line_.style()),
        bar_(line_.language()) {}

  int Run() {
    agent::MailSource& source = call_.place.source();
    std::vector<std::size_t> places(source.count());
    std::iota(places.begin(), places.end(), std::size_t{0});
    const std::size_t last = call_.options.last == 0 ? places.size() : std::min<std::uint64_t>(call_.options.last, places.size());
    places.erase(places.begin(), places.end() - static_cast<std::ptrdiff_t>(last));
    const bool sorted = call_.options.sort != "number";
    if (sorted && places.size() > kSorted)
      return Complain({fmt::format("more than {} messages cannot be sorted", kSorted), {}, "say --last N"}), EX_UNAVAILABLE;
    if (!sorted && call_.options.reverse) std::ranges::reverse(places);
    std::size_t done = 0;
    const auto read = source.ReadHeads(places, [&](std::size_t, const agent::MailEntry& entry, const agent::MailHead& head) {
      bar_.Show(++done, places.size());
      Row row{entry, summarizer_.Summarize(entry, head), head.size};
      if (!Wanted(row)) return;
      row.summary.addresses = {};
      if (sorted)
        rows_.push_back(std::move(row));
      else
        Tell(row);
    });
    bar_.Clear();
    if (sorted) TellSorted();
    table_.Flush();
    if (!read) return call_.place.Failed(read.error());
    if (told_ == 0 && !line_.json()) fmt::print("{}\n", line_.Say("no messages", "没有邮件"));
    return EX_OK;
  }

 private:
  bool Wanted(const Row& row) const {
    if (call_.options.only_new && row.summary.seen) return false;
    return call_.options.search.empty() || agent::Matches(row.summary, call_.options.search);
  }

  void TellSorted() {
    const std::string& by = call_.options.sort;
    std::ranges::stable_sort(rows_, [&](const Row& a, const Row& b) {
      if (by == "date") return a.summary.date < b.summary.date;
      if (by == "size") return a.size < b.size;
      return SortText(a, by) < SortText(b, by);
    });
    if (call_.options.reverse) std::ranges::reverse(rows_);
    for (const Row& row : rows_) Tell(row);
  }

  void Tell(const Row& row) {
    ++told_;
    if (line_.json()) return TellJson(row);
    const std::size_t columns = line_.style().columns;
    const std::string number = std::to_string(row.entry.number), size = analysis::SizeText(row.size);
    const std::string from =
        analysis::CutToWidth(ForTerminal(row.summary.from), columns == 0 ? kWideColumns : std::min(kFromColumns, columns / 4));
    widest_from_ = std::max(widest_from_, analysis::DisplayWidth(from));
    // Two blanks between columns; what a page's widest number and size take is as good as the same for all of them.
    const std::size_t digits = std::to_string(call_.place.source().count()).size();
    const std::size_t before = std::max<std::size_t>(digits, 4) + 4 + 16 + widest_from_ + 7 + 5 * 2;
    const std::size_t room = columns == 0 ? kMostColumns : std::max(columns > before ? columns - before : 0, kLeastColumns);
    table_.Add({number, FlagsOf(row.summary), LocalTime(row.summary.date), from, size,
                analysis::CutToWidth(ForTerminal(row.summary.subject), room)});
  }

  void TellJson(const Row& row) const {
    const MailSummary& s = row.summary;
    json::value date;
    if (s.date != kNoTime) date = server::JsonTime(s.date);
    const json::object object{
        {"number", row.entry.number},
        {"id", server::JsonText(row.entry.id)},
        {"new", s.flags_known ? json::value(!s.seen) : json::value()},
        {"answered", s.answered},
        {"flagged", s.flagged},
        {"attachment", s.attachment},
        {"date", date},
        {"from", server::JsonText(s.from)},
        {"subject", server::JsonText(s.subject)},
        {"message_id", server::JsonText(s.message_id)},
        {"size", row.size},
    };
    fmt::print("{}\n", std::string_view(json::serialize(object)));
  }

  const MailCall& call_;
  const CommandLine& line_;
  agent::MailSummarizer summarizer_;
  Table table_;
  ProgressBar bar_;
  std::vector<Row> rows_;
  std::size_t widest_from_ = 0;
  std::size_t told_ = 0;
};

}  // namespace

int ListMail(const MailCall& call) { return List(call).Run(); }

}  // namespace glasspost::cli
