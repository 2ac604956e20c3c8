#include "cli/table.h"

#include <algorithm>

#include "base/escape.h"

namespace glasspost::cli {

using analysis::DisplayWidth;

Table::Table(std::FILE* out, std::vector<Column> columns, const analysis::Style& style)
    : out_(out), columns_(std::move(columns)), style_(style) {
  for (const Column& column : columns_) widths_.push_back(DisplayWidth(column.heading));
}

void Table::Add(std::vector<std::string> cells, std::string below) {
  cells.resize(columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = ForTerminal(cells[i]);
    widths_[i] = std::max(widths_[i], DisplayWidth(cells[i]));
  }
  waiting_.push_back({std::move(cells), ForTerminal(below)});
  ++rows_;
  if (waiting_.size() == kPage) Flush();
}

std::string Table::Line(const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += "  ";
    if (columns_[i].right) {
      line += analysis::PadLeft(cells[i], widths_[i]);
    } else {
      line += i + 1 == cells.size() ? cells[i] : analysis::PadRight(cells[i], widths_[i]);
    }
  }
  return line;
}

void Table::Flush() {
  if (waiting_.empty()) return;
  if (!headed_) {
    std::vector<std::string> headings;
    for (const Column& column : columns_) headings.push_back(column.heading);
    std::fputs((style_.Bold(Line(headings)) + "\n").c_str(), out_);
    headed_ = true;
  }
  for (const Row& row : waiting_) {
    std::fputs((Line(row.cells) + "\n").c_str(), out_);
    if (!row.below.empty()) std::fputs(("    " + style_.Dim(row.below) + "\n").c_str(), out_);
  }
  waiting_.clear();
}

}  // namespace glasspost::cli
