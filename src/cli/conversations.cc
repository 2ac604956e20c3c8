#include "cli/conversations.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
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

void PrintJson(const EventsHead& head) {
  const EventsSummary summary = EventsSummary::Decode(head.summary);
  object out;
  out["conversation"] = head.number;
  out["begin"] = server::JsonTime(head.begin);
  out["end"] = server::JsonTime(head.end);
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

  // Those after the last that was told, oldest first. A status: it failed.
  std::optional<int> Tell() {
    std::vector<EventsHead> heads;
    request_["after"] = last_;
    const auto answer = administration_->Call(request_, [&](const object& row) {
      heads.push_back(HeadOf(row));
      return true;
    });
    if (!answer) return Complain(answer.error()), kCannotOpen;
    if (!FlagIn(*answer, "ok")) return Refusal(*answer);
    std::ranges::reverse(heads);
    for (const EventsHead& head : heads) {
      last_ = std::max(last_, head.number);
      ++told_;
      if (line_.json()) {
        PrintJson(head);
        continue;
      }
      if (!std::exchange(headed_, true)) analysis::WriteListHeading(stdout, line_.language(), line_.style());
      analysis::WriteListLine(stdout, head, line_.language(), line_.style());
    }
    return std::nullopt;
  }
  std::uint64_t told() const { return told_; }

 private:
  const CommandLine& line_;
  Administration& administration_;
  object request_;
  std::uint64_t last_ = 0;
  std::uint64_t told_ = 0;
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
  if (!all) request["limit"] = limit;
  List list(line, *administration, std::move(request));
  if (const auto status = list.Tell()) return *status;
  while (follow) {
    if (std::fflush(stdout) != 0) break;
    std::this_thread::sleep_for(kFollowed);
    if (const auto status = list.Tell()) return *status;
  }
  if (!line.json() && list.told() == 0) fmt::print("{}\n", line.Say("No conversation is kept.", "没有保存任何会话。"));
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
