// The terminal: language, colours, the progress bar.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"

namespace glasspost::cli {

// "zh" or "en"; if empty, what LC_ALL, LC_MESSAGES or LANG say (in this order, as POSIX has it).
analysis::Language LanguageOf(const std::string& wanted);
// What --lang says, wherever it stands among `words`; empty: nothing.
std::string StatedLanguage(const std::vector<std::string>& words);

// The stream's width where it is a terminal. Colours if `wanted` is "always", or "auto" and `stream` is a terminal and NO_COLOR
// is not set (https://no-color.org).
analysis::Style StyleFor(std::FILE* stream, const std::string& wanted);

// On standard error, if that is a terminal, once the work takes longer than half a second.
class ProgressBar {
 public:
  explicit ProgressBar(analysis::Language language);
  ~ProgressBar() { Clear(); }
  void Show(std::uint64_t done, std::uint64_t total);
  void Clear();

 private:
  analysis::Language language_;
  bool terminal_;
  bool shown_ = false;
  std::int64_t started_;
  std::int64_t last_ = 0;
};

}  // namespace glasspost::cli
