#include "cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "analysis/pipeline.h"
#include "cli/command_line.h"

namespace glasspost::cli {
namespace {

CLI::Validator Threads() {
  return CLI::Validator(
      [](const std::string& text) {
        int n = 0;
        const auto end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, n);
        if (read.ec == std::errc() && read.ptr == end && n >= -1 && n <= analysis::kShards) return std::string();
        return fmt::format("{} is not a number from -1 to {}", text, analysis::kShards);
      },
      "");
}

// `option` was given, but what it belongs to was not.
struct Lonely {
  bool given;
  const char* option;
  bool there;
  const char* needs;
  const char* why;
};

// Both were given, and cannot go together.
struct Quarrel {
  bool both;
  const char* option;
  const char* what;
  const char* remedy;
};

}  // namespace

void AddOptions(CLI::App& app, Arguments& a) {
  app.add_option("FILE", a.files);
  app.add_option("--from-hex", a.hex_files);
  app.add_option("--conversation,-c", a.conversations)->check(FromOne("a conversation's number"))->allow_extra_args(false);
  app.add_flag("--full", a.full);
  app.add_flag("--hex", a.hex);
  app.add_option("--exchange", a.hex_exchange)->check(FromOne("an exchange's number"));
  app.add_flag("--json", a.json);
  app.add_flag("--no-messages", a.no_messages);
  app.add_flag("--attachments", a.attachments);
  app.add_option("--messages", a.messages)->each([&a](const std::string&) { a.messages_given = true; });
  app.add_flag("--show-secrets", a.show_secrets);
  app.add_option("--lang", a.language)->check(CLI::IsMember({"en", "zh"}));
  app.add_option("--color", a.colour)->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_option("--threads", a.threads)->check(Threads());
}

Expected<void> CheckTogether(const Arguments& a) {
  const bool dialogue = !a.conversations.empty();
  const Lonely lonely[] = {
      {a.full, "--full", dialogue, "--conversation N", "it shows the whole messages of a conversation"},
      {a.hex_exchange != 0, "--exchange", a.hex, "--hex", "it says which exchange is shown octet by octet"},
      {a.hex, "--hex", dialogue, "--conversation N", "it shows how a command of a conversation lies in its packets"},
      {a.no_messages, "--no-messages", a.json, "--json", "it leaves the messages out of the JSON"},
      {a.attachments, "--attachments", a.json, "--json", "it adds each message's attachments to the JSON"},
      {a.show_secrets, "--show-secrets", dialogue || a.json || !a.hex_files.empty(), "--conversation N or --json",
       "the table shows no secrets"},
  };
  for (const Lonely& l : lonely)
    if (l.given && !l.there) return Fail(fmt::format("needs {}", l.needs), l.option, l.why);
  const Quarrel quarrels[] = {
      {!a.files.empty() && !a.hex_files.empty(), "--from-hex", "cannot be read together with capture files",
       "give one or the other"},
      {a.json && dialogue, "--json", "tells all conversations", "leave --conversation out, and choose with jq or grep"},
      {!a.messages.empty() && dialogue, "--messages", "writes the messages of all conversations", "leave --conversation out"},
      {a.full && a.hex, "--full", "has no part in --hex, which shows every octet", "leave one of them out"},
      {a.attachments && a.no_messages, "--attachments", "are part of the messages, which --no-messages leaves out",
       "leave one of them out"},
  };
  if (a.messages_given && a.messages.empty()) return Fail("needs the name of a folder", "--messages");
  for (const Quarrel& q : quarrels)
    if (q.both) return Fail(q.what, q.option, q.remedy);
  if (a.files.empty() && a.hex_files.empty()) return Fail("no capture file given", {}, "name one, or - for standard input");
  const auto& files = a.files.empty() ? a.hex_files : a.files;
  if (std::count(files.begin(), files.end(), "-") > 1) return Fail("standard input can be read only once", "-");
  return {};
}

}  // namespace glasspost::cli
