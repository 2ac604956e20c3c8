#include "cli/help.h"

#include <algorithm>

#include "analysis/style.h"
#include "base/nearest.h"

namespace glasspost::cli {
namespace {

using analysis::DisplayWidth;

constexpr std::size_t kColumns = 80;  // of a terminal
constexpr std::size_t kMargin = 2;
constexpr std::size_t kRowWidth = 22;  // what is typed; a longer one stands on a line of its own
constexpr std::string_view kCommands[] = {
    "account", "alias", "analyze", "config", "conversation", "conversations", "craft", "dns",      "domain", "fetch", "help",
    "journey", "lab",   "mail",    "probe",  "providers",    "queue",         "send",  "sendmail", "serve",  "talk",  "user"};

enum class Kind { kText, kGroup, kRow };
struct Line {
  Kind kind;
  std::string_view command;
  std::string_view typed;    // of a row
  std::string_view text[2];  // by Language
};

constexpr Line kLines[] = {
#define GLASSPOST_HELP_TEXT(command, en, zh) {Kind::kText, command, {}, {en, zh}},
#define GLASSPOST_HELP_GROUP(command, en, zh) {Kind::kGroup, command, {}, {en, zh}},
#define GLASSPOST_HELP_ROW(command, typed, en, zh) {Kind::kRow, command, typed, {en, zh}},
#include "cli/texts/help.inc"
#undef GLASSPOST_HELP_TEXT
#undef GLASSPOST_HELP_GROUP
#undef GLASSPOST_HELP_ROW
};

void AppendLine(std::string& out, std::string_view text, std::size_t at) {
  analysis::AppendWrapped(out, text, at, kColumns);
  out += '\n';
}

void AppendRow(std::string& out, std::string_view typed, std::string_view text) {
  out.append(kMargin, ' ');
  if (text.empty()) {
    out += typed;
    out += '\n';
    return;
  }
  out += analysis::PadRight(typed, kRowWidth);
  const std::size_t at = kMargin + kRowWidth + kMargin;
  if (DisplayWidth(typed) > kRowWidth) {
    out += '\n';
    out.append(at, ' ');
  } else {
    out.append(kMargin, ' ');
  }
  AppendLine(out, text, at);
}

}  // namespace

bool IsCommand(std::string_view word) {
  return std::find(std::begin(kCommands), std::end(kCommands), word) != std::end(kCommands);
}

std::string Help(std::string_view command, analysis::Language language) {
  std::string out;
  if (command == "help") command = {};
  for (const Line& line : kLines) {
    if (line.command != command) continue;
    const std::string_view text = line.text[static_cast<int>(language)];
    switch (line.kind) {
      case Kind::kText:
        AppendLine(out, text, 0);
        break;
      case Kind::kGroup:
        out += '\n';
        AppendLine(out, text, 0);
        break;
      case Kind::kRow:
        AppendRow(out, line.typed, text);
        break;
    }
  }
  return out;
}

std::string_view NearestCommand(std::string_view word) { return Nearest(word, kCommands); }
std::string_view NearestOption(std::string_view word, std::string_view command) { return Nearest(word, HelpedOptions(command)); }

std::vector<std::string_view> HelpedOptions(std::string_view command) {
  std::vector<std::string_view> options;
  for (const Line& line : kLines) {
    if (line.command != command || line.kind != Kind::kRow) continue;
    std::string_view rest = line.typed;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(" ,"), rest.size());
      if (rest.starts_with('-')) options.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return options;
}

}  // namespace glasspost::cli
