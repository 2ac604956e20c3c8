#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

namespace glasspost::cli {
namespace {

constexpr std::int64_t kQuietMs = 500;  // shorter work shows no bar
constexpr std::int64_t kRefreshMs = 100;

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string StatedLanguage(const std::vector<std::string>& words) {
  constexpr std::string_view kLang = "--lang";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kLang && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with("--lang=")) return words[i].substr(kLang.size() + 1);
  }
  return {};
}

analysis::Language LanguageOf(const std::string& wanted) {
  std::string_view language = wanted;
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (!language.empty()) break;
    if (const char* value = std::getenv(name); value != nullptr) language = value;
  }
  return language.starts_with("zh") ? analysis::Language::kChinese : analysis::Language::kEnglish;
}

analysis::Style StyleFor(std::FILE* stream, const std::string& wanted) {
  analysis::Style style;
  winsize size{};
  const bool terminal = isatty(fileno(stream)) != 0;
  if (terminal && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0) style.columns = size.ws_col;
  const auto is = [](const char* name, const char* value) {
    const char* const set = std::getenv(name);
    return set != nullptr && std::string_view(set) == value;
  };
  const char* no_colour = std::getenv("NO_COLOR");
  const bool able = terminal && !is("TERM", "dumb") && (no_colour == nullptr || *no_colour == '\0');
  style.colour = wanted == "always" || (wanted == "auto" && able);
  return style;
}

ProgressBar::ProgressBar(analysis::Language language)
    : language_(language), terminal_(isatty(STDERR_FILENO) != 0), started_(NowMs()) {}

void ProgressBar::Show(std::uint64_t done, std::uint64_t total) {
  if (!terminal_) return;
  const std::int64_t now = NowMs();
  if (now - started_ < kQuietMs || now - last_ < kRefreshMs) return;
  last_ = now;
  shown_ = true;
  const double mb = static_cast<double>(done) / 1e6;
  const char* word = language_ == analysis::Language::kChinese ? "读取" : "reading";
  if (total == 0) {
    fmt::print(stderr, "\r\x1b[K{} {:.0f} MB", word, mb);
  } else {
    constexpr std::uint64_t kCells = 30;
    const std::uint64_t cells = done >= total ? kCells : done * kCells / total;
    fmt::print(stderr, "\r\x1b[K{} [{}{}] {}% {:.0f} MB", word, std::string(cells, '#'), std::string(kCells - cells, '.'),
               done * 100 / total, mb);
  }
  std::fflush(stderr);
}

void ProgressBar::Clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

}  // namespace glasspost::cli
