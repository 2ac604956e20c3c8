#include "cli/conversations.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <thread>

#include "analysis/live/tell.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"

namespace glasspost::cli {
namespace {

using analysis::EventsHead;
using analysis::EventsSummary;
using server::FlagIn;
using server::NumberIn;
using server::TextIn;
using server::json::object;

constexpr std::chrono::milliseconds kFollowed(500);  // the list is looked at so often
constexpr std::uint64_t kListed = 100;               // if nothing else is asked for
// Conversations are not kept in the order of their ends: of those that ended so long before the last one that was told, others
// may still come.
constexpr Timestamp kLate = 30'000'000'000;

EventsHead HeadOf(const object& row) {
  EventsHead head;
  head.number = NumberIn(row, "number");
  head.begin = static_cast<Timestamp>(NumberIn(row, "begin"));
  head.end = static_cast<Timestamp>(NumberIn(row, "end"));
  head.protocol = TextIn(row, "protocol");
  head.peer = TextIn(row, "peer");
  head.summary = DecodeBase64(TextIn(row, "summary")).value_or(std::string());
  head.octets = NumberIn(row, "octets");
  return head;
}

void PrintJson(const EventsHead& head, bool running) {
  const EventsSummary summary = EventsSummary::Decode(head.summary);
  object out;
  out["conversation"] = head.number;
  out["begin"] = server::JsonTime(head.begin);
  out["end"] = running ? server::json::value(nullptr) : server::json::value(server::JsonTime(head.end));
  out["running"] = running;
  out["protocol"] = server::JsonText(head.protocol);
  out["client"] = server::JsonText(summary.client);
  out["server"] = server::JsonText(summary.server);
  out["summary"] = {{"en", server::JsonText(summary.words_en)}, {"zh", server::JsonText(summary.words_zh)}};
  out["messages"] = summary.messages;
  out["findings"] = {{"errors", summary.findings[2]}, {"warnings", summary.findings[1]}, {"notes", summary.findings[0]}};
  out["octets"] = head.octets;
  fmt::print("{}\n", std::string_view(server::json::serialize(out)));
}

class List {
 public:
  List(const CommandLine& line, Administration& administration, object request)
      : line_(line), administration_(administration), request_(std::move(request)) {}

  // Those that are there, by number; of all of them the last `limit`. A status: it failed.
  std::optional<int> Tell(std::uint64_t limit) {
    std::vector<Row> rows;
    if (const auto status = Ask(rows)) return status;
    std::ranges::sort(rows, {}, [](const Row& row) { return row.head.number; });
    for (const Row& row : rows)
      if (!row.running) Learn(row.head);
    const std::size_t first = rows.size() - static_cast<std::size_t>(std::min<std::uint64_t>(rows.size(), limit));
    for (const Row& row : std::span(rows).subspan(first)) Print(row);
    return std::nullopt;
  }

  // Those that ended since.
  std::optional<int> TellNew() {
    request_["ended_since"] = static_cast<std::uint64_t>(std::max<Timestamp>(1, newest_ - kLate));
    std::vector<Row> rows;
    if (const auto status = Ask(rows)) return status;
    std::ranges::sort(rows, {}, [](const Row& row) { return std::pair(row.head.end, row.head.number); });
    for (const Row& row : rows)
      if (Learn(row.head)) Print(row);
    std::erase_if(told_, [&](const auto& one) { return one.second < newest_ - kLate; });
    return std::nullopt;
  }
  std::uint64_t printed() const { return printed_; }

 private:
  struct Row {
    EventsHead head;
    bool running = false;
  };

  std::optional<int> Ask(std::vector<Row>& rows) {
    const auto answer = administration_->Call(request_, [&](const object& row) {
      rows.push_back({HeadOf(row), FlagIn(row, "running")});
      return true;
    });
    if (!answer) return Complain(answer.error()), kCannotOpen;
    if (!FlagIn(*answer, "ok")) return Refusal(*answer);
    return std::nullopt;
  }

  // False: it was told already.
  bool Learn(const EventsHead& head) {
    newest_ = std::max(newest_, head.end);
    return told_.emplace(head.number, head.end).second;
  }

  void Print(const Row& row) {
    ++printed_;
    if (line_.json()) return PrintJson(row.head, row.running);
    if (!std::exchange(headed_, true)) analysis::WriteListHeading(stdout, line_.language(), line_.style());
    analysis::WriteListLine(stdout, row.head, row.running, line_.language(), line_.style());
  }

  const CommandLine& line_;
  Administration& administration_;
  object request_;
  std::map<std::uint64_t, Timestamp> told_;  // numbers with ends, of the last while
  Timestamp newest_ = 0;                     // end
  std::uint64_t printed_ = 0;
  bool headed_ = false;
};

}  // namespace

int RunConversations(const std::vector<std::string>& words) {
  CommandLine line("conversations");
  std::string protocol, peer;
  std::uint64_t limit = kListed;
  bool all = false, follow = false;
  line.AddJson();
  line.app().add_option("--protocol", protocol)->check(CLI::IsMember({"smtp", "lmtp", "pop3"}));
  line.app().add_option("--peer", peer);
  line.app().add_option("--limit", limit)->check(FromOne("a number of conversations"));
  line.app().add_flag("--all", all);
  line.app().add_flag("--follow", follow);
  if (const auto status = line.Parse(words)) return *status;
  if (!line.words().empty())
    return line.Misused("takes no " + ForTerminal(line.words().front()) +
                        "; one conversation is told by: glasspost conversation N");
  auto administration = Administration::Open(line.config());
  if (!administration) return Complain(administration.error()), kCannotOpen;
  if (follow && !administration->running())
    return Complain({"--follow needs a running server", server::DataFolder(line.config()), {}}), kCannotOpen;
  object request;
  request["do"] = "conversations";
  request["protocol"] = server::JsonText(protocol);
  request["peer"] = server::JsonText(peer);
  if (all) limit = ~std::uint64_t{0};
  if (!follow) request["limit"] = limit;  // what is not to be followed need not be known
  List list(line, *administration, std::move(request));
  if (const auto status = list.Tell(limit)) return *status;
  while (follow) {
    if (std::fflush(stdout) != 0) break;
    std::this_thread::sleep_for(kFollowed);
    if (const auto status = list.TellNew()) return *status;
  }
  if (!line.json() && list.printed() == 0) fmt::print("{}\n", line.Say("No conversation is kept.", "没有保存任何会话。"));
  return Finish(kDone);
}

int RunConversation(const std::vector<std::string>& words) {
  CommandLine line("conversation");
  bool follow = false, full = false;
  line.AddJson();
  line.app().add_flag("--follow", follow);
  line.app().add_flag("--full", full);
  if (const auto status = line.Parse(words)) return *status;
  const auto number = line.words().size() == 1 ? ParseNumber(line.words().front()) : std::nullopt;
  if (!number || *number == 0) return line.Misused("needs the number of a conversation (glasspost conversations lists them)");
  if (follow && line.json()) return line.Misused("--json tells a conversation when it is over: leave --follow out");
  auto administration = Administration::Open(line.config());
  if (!administration) return Complain(administration.error()), kCannotOpen;
  // Whether secrets were kept in it was the server's decision; here it is only asked that they be shown.
  analysis::DialogueReport::Options options;
  options.language = line.language();
  options.style = line.style();
  options.full = full;
  options.show_secrets = line.config().conversations.show_secrets;
  object request;
  request["do"] = "conversation";
  request["number"] = *number;
  request["follow"] = follow;
  std::unique_ptr<analysis::Follower> follower;
  std::string events;
  const auto on_row = [&](const object& row) {
    if (FlagIn(row, "running")) follower = std::make_unique<analysis::Follower>(stdout, *number, options);
    return true;
  };
  const auto on_octets = [&](Octets octets) {
    if (!follower) return events.append(octets), true;
    follower->Feed(octets);
    return std::fflush(stdout) == 0;
  };
  const auto answer = (*administration)->Call(request, on_row, on_octets);
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!FlagIn(*answer, "ok")) return Refusal(*answer);
  if (follower) {
    follower->Finish();
    return Finish(kDone);
  }
  const bool whole = line.json() ? analysis::TellJson(stdout, *number, events,
                                                      {.show_secrets = options.show_secrets, .language = line.language()})
                                 : analysis::TellDialogue(stdout, *number, events, options);
  if (FlagIn(*answer, "running")) {
    fmt::print(stderr, "{}\n", line.Say("It is not over: --follow goes on with it.", "会话尚未结束：用 --follow 继续看。"));
  } else if (!whole) {
    fmt::print(stderr, "{}\n", line.Say("Its end was not kept.", "会话的结尾没有保存下来。"));
  }
  return Finish(kDone);
}

}  // namespace glasspost::cli
