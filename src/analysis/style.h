// Colours for a terminal, or none.
#pragma once

#include <string>
#include <string_view>

namespace glasspost::analysis {

struct Style {
  bool colour = false;

  std::string In(std::string_view code, std::string_view text) const {
    if (!colour || text.empty()) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }
  std::string Bold(std::string_view t) const { return In("1", t); }
  std::string Dim(std::string_view t) const { return In("2", t); }
  std::string Red(std::string_view t) const { return In("31", t); }
  std::string Green(std::string_view t) const { return In("32", t); }
  std::string Yellow(std::string_view t) const { return In("33", t); }
  std::string Blue(std::string_view t) const { return In("34", t); }
  std::string Cyan(std::string_view t) const { return In("36", t); }
};

// Columns that the text takes on a terminal: East Asian wide characters count two.
std::size_t DisplayWidth(std::string_view utf8);
// Padded with spaces to at least `width` columns.
std::string PadRight(std::string_view utf8, std::size_t width);
std::string PadLeft(std::string_view utf8, std::size_t width);

}  // namespace glasspost::analysis
