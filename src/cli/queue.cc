#include "cli/queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/summary.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"
#include "cli/table.h"

namespace glasspost::cli {
namespace {

using server::NumberIn;
using server::TextIn;
using server::json::object;

struct Options {
  std::string recipient, sender, destination;
  bool held = false;
  bool all = false;
  bool message = false;
  std::uint64_t limit = 0;
  std::uint64_t after = 0;
  bool any() const { return held || !recipient.empty() || !sender.empty() || !destination.empty(); }
};

// "2026-11-23T08:15:30Z" as "11-23 08:15:30"
std::string ShortTime(const std::string& time) { return time.size() < 19 ? "-" : time.substr(5, 5) + " " + time.substr(11, 8); }

std::string State(const CommandLine& line, const std::string& state) {
  if (!line.chinese()) return state;
  return state == "held" ? "扣留" : state == "active" ? "投递中" : state == "deferred" ? "推迟" : "等待";
}

void Select(const Options& o, const std::vector<std::string>& ids, object& request) {
  if (!ids.empty()) {
    server::json::array list;
    for (const std::string& id : ids) list.push_back(server::JsonText(UpperCase(id)));
    request["ids"] = std::move(list);
  }
  request["recipient"] = server::JsonText(o.recipient);
  request["sender"] = server::JsonText(o.sender);
  request["destination"] = server::JsonText(o.destination);
  request["held"] = o.held;
}

int List(const CommandLine& line, const Options& o, Administration& administration, const std::vector<std::string>& ids) {
  object request;
  request["do"] = "queue.list";
  Select(o, ids, request);
  request["after"] = o.after;
  request["limit"] = o.limit == 0 ? ~0ull >> 1 : o.limit;
  Table table(stdout,
              {{std::string(line.Say("entry", "条目")), true},
               {std::string(line.Say("queue id", "队列号"))},
               {std::string(line.Say("state", "状态"))},
               {std::string(line.Say("tried", "已试")), true},
               {std::string(line.Say("next (UTC)", "下次 (UTC)"))},
               {std::string(line.Say("size", "大小")), true},
               {std::string(line.Say("from", "发件人"))},
               {std::string(line.Say("to", "收件人"))}},
              line.style());
  const auto answer = administration->Call(request, [&](const object& row) {
    if (line.json()) return fmt::print("{}\n", std::string_view(server::json::serialize(row))), true;
    const std::string reply = TextIn(row, "reply");
    table.Add({std::to_string(NumberIn(row, "entry")), TextIn(row, "id"), State(line, TextIn(row, "state")),
               std::to_string(NumberIn(row, "attempts")), ShortTime(TextIn(row, "due")),
               analysis::SizeText(NumberIn(row, "octets")), "<" + TextIn(row, "sender") + ">", TextIn(row, "recipient")},
              reply.substr(0, reply.find('\n')));
    return !std::ferror(stdout);
  });
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  table.Flush();
  if (!line.json() && table.rows() == 0)
    fmt::print("{}\n", o.any() || !ids.empty() ? line.Say("The queue has none of these.", "队列中没有符合的条目。")
                                               : line.Say("The queue is empty.", "队列为空。"));
  if (!line.json() && o.limit != 0 && table.rows() == o.limit)
    fmt::print(fmt::runtime(line.Say("There may be more: --after {}\n", "可能还有更多：--after {}\n")),
               NumberIn(*answer, "next"));
  return Finish(kDone);
}

int Show(const CommandLine& line, const Options& o, Administration& administration) {
  object request;
  request["do"] = "queue.show";
  request["id"] = server::JsonText(UpperCase(line.words()[1]));
  request["message"] = o.message;
  bool headed = false;
  const auto on_row = [&](const object& row) {
    if (line.json()) return fmt::print("{}\n", std::string_view(server::json::serialize(row))), true;
    const auto tell = [&](std::string_view en, std::string_view zh, const std::string& value) {
      if (!value.empty()) fmt::print("  {}  {}\n", analysis::PadRight(line.Say(en, zh), 14), ForTerminal(value));
    };
    if (!std::exchange(headed, true)) {
      fmt::print("{}\n", line.style().Bold(ForTerminal(TextIn(row, "id"))));
      tell("from", "发件人", "<" + TextIn(row, "sender") + ">");
      tell("arrived", "到达", TextIn(row, "arrived"));
      tell("size", "大小", analysis::SizeText(NumberIn(row, "octets")));
      tell("envelope id", "信封标识", TextIn(row, "envid"));
    }
    fmt::print("{} {}\n", NumberIn(row, "entry"), line.style().Cyan("<" + ForTerminal(TextIn(row, "recipient")) + ">"));
    tell("state", "状态", State(line, TextIn(row, "state")));
    tell("destination", "目的域", TextIn(row, "destination"));
    tell("tried", "已尝试", std::to_string(NumberIn(row, "attempts")));
    tell("last", "上次", TextIn(row, "last_attempt"));
    tell("next", "下次", TextIn(row, "due"));
    tell("last reply", "上次应答", TextIn(row, "reply"));
    return true;
  };
  // Whole messages as they are, for a file; a header for the eye.
  bool begun = false;
  std::string header;
  const auto on_octets = [&](Octets octets) {
    if (line.json()) return true;
    if (o.message) {
      if (!std::exchange(begun, true)) fmt::print("\n");
      std::fwrite(octets.data(), 1, octets.size(), stdout);
    } else {
      header += octets;
    }
    return !std::ferror(stdout);
  };
  const auto answer = administration->Call(request, on_row, on_octets);
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  if (!header.empty()) fmt::print("\n");
  for (Octets rest = header; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    Octets text = rest.substr(0, end);
    if (text.ends_with('\r')) text.remove_suffix(1);
    const bool folded = text.starts_with('\t');
    fmt::print("  {}{}\n", folded ? "    " : "", ForTerminal(folded ? text.substr(1) : text));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return Finish(kDone);
}

int Act(const CommandLine& line, const Options& o, Administration& administration, std::string_view action,
        const std::vector<std::string>& ids) {
  object request;
  request["do"] = "queue.act";
  request["action"] = std::string(action);
  request["all"] = o.all;
  Select(o, ids, request);
  const auto answer = administration->Call(request);
  if (!answer) return Complain(answer.error()), kCannotOpen;
  if (!server::FlagIn(*answer, "ok")) return Refusal(*answer);
  const std::uint64_t count = NumberIn(*answer, "count"), active = NumberIn(*answer, "active");
  if (line.json()) {
    fmt::print("{}\n", std::string_view(server::json::serialize(*answer)));
    return Finish(kDone);
  }
  struct Words {
    std::string_view action, english, chinese;
  };
  static constexpr Words kWords[] = {{"retry", "to be tried now", "立即重试"},
                                     {"hold", "held", "已扣留"},
                                     {"release", "released", "已放行"},
                                     {"remove", "removed", "已删除"}};
  for (const Words& words : kWords)
    if (words.action == action)
      fmt::print(fmt::runtime(line.Say("{} {} {}.\n", "{} {}{}。\n")), count,
                 line.chinese() ? "个条目"
                 : count == 1   ? "entry"
                                : "entries",
                 line.Say(words.english, words.chinese));
  if (active > 0)
    fmt::print(stderr,
               fmt::runtime(line.Say("{} more are being delivered just now, and stay.\n", "另有 {} 个正在投递，未删除。\n")),
               active);
  // To have asked for one that is not there is a mistake; to have asked for what fits, not.
  if (count == 0 && !ids.empty()) {
    fmt::print(stderr, "glasspost: the queue has none of these\n");
    return Finish(kRefused);
  }
  return Finish(kDone);
}

}  // namespace

int RunQueue(const std::vector<std::string>& words) {
  CommandLine line("queue");
  Options o;
  line.AddJson();
  line.app().add_option("--recipient", o.recipient);
  line.app().add_option("--sender", o.sender);
  line.app().add_option("--destination", o.destination);
  line.app().add_flag("--held", o.held);
  line.app().add_flag("--all", o.all);
  line.app().add_flag("--message", o.message);
  line.app().add_option("--limit", o.limit)->check(FromOne("a number of rows"));
  line.app().add_option("--after", o.after)->check(FromOne("an entry's number"));
  if (const auto status = line.Parse(words)) return *status;
  const std::string_view action = line.ActionOf({"list", "show", "retry", "hold", "release", "remove"});
  if (action.empty()) return kUsage;
  const std::vector<std::string> ids(line.words().begin() + 1, line.words().end());
  const bool acts = action != "list" && action != "show";
  if (action == "show" && ids.size() != 1) return line.Misused("show needs one queue id, or the number of an entry");
  if (action == "show" && o.any()) return line.Misused("show takes a queue id, and no other selection");
  if (o.message && action != "show") return line.Misused("--message goes with show only");
  if ((o.limit != 0 || o.after != 0) && action != "list") return line.Misused("--limit and --after go with list only");
  if (o.all && !acts) return line.Misused("--all goes with retry, hold, release and remove only");
  if (acts && !o.all && ids.empty() && !o.any())
    return line.Misused(std::string(action) + " needs queue ids, --recipient, --sender, --destination, --held or --all");
  if (acts && o.all && (!ids.empty() || o.any())) return line.Misused("--all leaves nothing to select: leave one of them out");
  if (!ids.empty() && o.any()) return line.Misused("select by ids, or by options: leave one of them out");
  auto administration = Administration::Open(line.config());
  if (!administration) return Complain(administration.error()), kCannotOpen;
  if (action == "list") return List(line, o, *administration, ids);
  if (action == "show") return Show(line, o, *administration);
  return Act(line, o, *administration, action, ids);
}

}  // namespace glasspost::cli
