// Colours for a terminal, or none.
#pragma once

#include <string>
#include <string_view>

namespace glasspost::analysis {

struct Style {
  bool colour = false;
  std::size_t columns = 0;  // of the terminal; 0: what is written goes elsewhere, or is as wide as it may be

  static constexpr std::string_view kBold = "1", kDim = "2", kGreen = "32", kCyan = "36";

  // What is appended between Begin and End is in that colour.
  void Begin(std::string& out, std::string_view code) const {
    if (colour) out.append("\x1b[").append(code).append("m");
  }
  void End(std::string& out) const {
    if (colour) out.append("\x1b[0m");
  }
  std::string In(std::string_view code, std::string_view text) const {
    std::string out;
    if (!text.empty()) Begin(out, code);
    out += text;
    if (!text.empty()) End(out);
    return out;
  }
  std::string Bold(std::string_view t) const { return In(kBold, t); }
  std::string Dim(std::string_view t) const { return In(kDim, t); }
  std::string Red(std::string_view t) const { return In("31", t); }
  std::string Green(std::string_view t) const { return In(kGreen, t); }
  std::string Yellow(std::string_view t) const { return In("33", t); }
  std::string Blue(std::string_view t) const { return In("34", t); }
  std::string Cyan(std::string_view t) const { return In(kCyan, t); }
};

// Columns that the text takes on a terminal: East Asian wide characters count two.
std::size_t DisplayWidth(std::string_view utf8);
// Padded with spaces to at least `width` columns.
std::string PadRight(std::string_view utf8, std::size_t width);
std::string PadLeft(std::string_view utf8, std::size_t width);
// What of the text fits into `width` columns; where it is cut "…" takes the last one.
std::string CutToWidth(std::string_view utf8, std::size_t width);
// Appends words that begin in column `at`; what does not fit into `columns` (0: all does) goes on in the next line, in the same
// column. Chinese may be torn anywhere but before a closing mark and behind an opening one.
void AppendWrapped(std::string& out, std::string_view utf8, std::size_t at, std::size_t columns);

}  // namespace glasspost::analysis
