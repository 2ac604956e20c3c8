// A Config as a TOML file that explains itself.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "server/config_reader.h"

namespace glasspost::server {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::string_view kHead =
    "# Glasspost's settings. What is left out is as it stands here.\n"
    "# Each can also be given in the environment (limits.message as GLASSPOST_LIMITS_MESSAGE) and as a flag of\n"
    "# `glasspost serve` (--limits-message); a flag beats the environment, which beats this file.\n"
    "# SIGHUP reads it again; where it says \"At start only\", a restart is needed.\n";

// Words as long as they fit, each line behind "# ".
void AppendComment(std::string& out, std::string_view text) {
  std::string line = "#";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (line.size() + 1 + end > kColumns && line.size() > 1) {
      out.append(line).append("\n");
      line = "#";
    }
    line.append(" ").append(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out.append(line).append("\n");
}

void AppendRow(std::string& out, const Setting& setting, const RowsSlot& rows, void* row) {
  out += fmt::format("[[{}]]\n", setting.Key());
  for (const Setting& c : rows.columns) out += fmt::format("{} = {}\n", c.name, TomlText(c.slot(row)));
}

// What a row looks like, as comments; a row of the defaults is added to a list of its own.
void AppendForm(std::string& out, const Setting& setting) {
  Config form;
  const Slot slot = setting.slot(&form);
  const auto& rows = std::get<RowsSlot>(slot);
  void* const row = rows.add(rows.list);
  std::size_t width = 0;
  for (const Setting& c : rows.columns) width = std::max(width, c.name.size() + 3 + TomlText(c.slot(row)).size());
  out += fmt::format("# [[{}]]\n", setting.Key());
  for (const Setting& c : rows.columns) {
    const std::string given = fmt::format("{} = {}", c.name, TomlText(c.slot(row)));
    out += fmt::format("# {:{}}  # {}\n", given, width, c.comment);
  }
}

}  // namespace

std::string WriteConfig(const Config& config) {
  Config copy = config;  // slots give access for writing, too
  std::string out(kHead);
  for (const Section& section : Sections()) {
    out += '\n';
    AppendComment(out, section.comment);
    out += fmt::format("[{}]\n", section.name);
    for (const Setting& s : Settings()) {
      if (s.section != section.name) continue;
      const Slot slot = s.slot(&copy);
      std::string comment(s.comment);
      if (const std::string bounds = BoundsText(s, slot); !bounds.empty()) comment += fmt::format(" [{}]", bounds);
      if (s.restart) comment += " At start only.";
      AppendComment(out, comment);
      if (const auto* rows = std::get_if<RowsSlot>(&slot)) {
        AppendForm(out, s);
        for (std::size_t i = 0; void* const row = rows->at(rows->list, i); ++i) AppendRow(out, s, *rows, row);
      } else {
        out += fmt::format("{} = {}\n", s.name, TomlText(slot));
      }
    }
  }
  return out;
}

}  // namespace glasspost::server
