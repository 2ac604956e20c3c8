#include "cli/rows.h"

#include <algorithm>

#include "analysis/style.h"

namespace glasspost::cli {
namespace {

constexpr std::size_t kColumns = 80;  // where the output is no terminal
constexpr std::size_t kNarrowest = 30;

}  // namespace

void AppendWrappedText(std::string& out, std::string_view text, std::size_t at, const CommandLine& line) {
  const std::size_t columns = line.style().columns > 0 ? line.style().columns : kColumns;
  analysis::AppendWrapped(out, text, at, std::max(columns, at + kNarrowest));
  out += '\n';
}

void AppendRow(std::string& out, std::string_view label, std::string_view text, const CommandLine& line,
               const RowLayout& layout) {
  out.append(layout.margin, ' ').append(analysis::PadRight(label, layout.label));
  AppendWrappedText(out, text, layout.margin + layout.label, line);
}

}  // namespace glasspost::cli
