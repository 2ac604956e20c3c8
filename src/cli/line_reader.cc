#include "cli/line_reader.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <fstream>
#include <optional>

#include "analysis/style.h"
#include "base/disk.h"
#include "cli/state_folder.h"

#if defined(__SANITIZE_ADDRESS__)
// libedit keeps the names of the functions that are added to it, some 60 octets each, until the program ends. Nobody else here
// uses wcsdup; of libedit's own frames the sanitizer sees none.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:wcsdup"; }
#endif

namespace glasspost::cli {
namespace {

constexpr std::size_t kListed = 100;  // completions that are listed
constexpr mode_t kOwnerOnly = 0600;

std::size_t Columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string CommonPrefix(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const std::string& word : words) {
    std::size_t n = 0;
    while (n < common.size() && n < word.size() && common[n] == word[n]) ++n;
    common.resize(n);
  }
  return common;
}

}  // namespace

std::string HistoryPath(std::string_view name) {
  const std::string folder = StateFolder();
  return folder.empty() ? folder : folder + "/history-" + std::string(name);
}

struct LineReader::Inner {
  Options options;
  EditLine* edit = nullptr;
  History* history = nullptr;
  std::string prompt;
  std::optional<termios> restored;  // the terminal, as it was
  bool reading = false;
  bool broken = false;      // ^C on an empty line
  bool not_wanted = false;  // `wait` said so

  ~Inner() {
    if (edit != nullptr) el_end(edit);
    if (history != nullptr) history_end(history);
    if (restored) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*restored);
  }
  // Before el_init; libedit's own state between two lines, which has echo, is set to the same (EL_SETTY -x).
  void Silence() {
    termios now{};
    if (::tcgetattr(STDIN_FILENO, &now) != 0) return;
    restored = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
  }

  static Inner& Of(EditLine* e) {
    void* self = nullptr;
    el_get(e, EL_CLIENTDATA, &self);
    return *static_cast<Inner*>(self);
  }
  static char* Prompt(EditLine* e) { return Of(e).prompt.data(); }
  static int GetCharacter(EditLine* e, wchar_t* out);
  static unsigned char OnTab(EditLine* e, int);
  static unsigned char OnBreak(EditLine* e, int);
  unsigned char Complete(EditLine* e);
  void Print(std::string_view text) const;
  void Load();
  void Save(const std::string& line) const;
};

// One character, whose octets come one by one.
int LineReader::Inner::GetCharacter(EditLine* e, wchar_t* out) {
  Inner& self = Of(e);
  if (self.options.wait && !self.options.wait()) {
    self.not_wanted = true;
    return 0;
  }
  std::mbstate_t state{};
  while (true) {
    char c = 0;
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    const std::size_t taken = std::mbrtowc(out, &c, 1, &state);
    if (taken == static_cast<std::size_t>(-1)) {
      state = {};  // no character of this locale: passed over
      continue;
    }
    if (taken == static_cast<std::size_t>(-2)) continue;
    return 1;
  }
}

unsigned char LineReader::Inner::OnTab(EditLine* e, int) { return Of(e).Complete(e); }

unsigned char LineReader::Inner::OnBreak(EditLine* e, int) {
  const LineInfo* const line = el_line(e);
  if (line->lastchar != line->buffer) {
    el_cursor(e, static_cast<int>(line->lastchar - line->buffer));
    el_deletestr(e, static_cast<int>(line->lastchar - line->buffer));
    return CC_REFRESH;
  }
  Of(e).broken = true;
  return CC_EOF;
}

unsigned char LineReader::Inner::Complete(EditLine* e) {
  if (!options.complete) return CC_ERROR;
  const LineInfo* const line = el_line(e);
  const std::string before(line->buffer, line->cursor);
  const Completions found = options.complete(before);
  if (found.words.empty()) return CC_REFRESH_BEEP;
  const std::string common = CommonPrefix(found.words);
  const std::size_t typed = before.size() - std::min(found.from, before.size());
  if (common.size() > typed || found.words.size() == 1) {
    el_deletestr(e, static_cast<int>(typed));
    el_insertstr(e, (found.words.size() == 1 ? common + " " : common).c_str());
    return CC_REFRESH;
  }
  std::string list;
  for (std::size_t i = 0; i < found.words.size() && i < kListed; ++i) list += (i > 0 ? "  " : "") + found.words[i];
  std::string wrapped;
  analysis::AppendWrapped(wrapped, list, 0, Columns());
  Print(wrapped + "\n");
  return CC_REFRESH;
}

// Takes the typed line off the terminal, prints, and lets libedit draw it again below.
void LineReader::Inner::Print(std::string_view text) const {
  if (!reading) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return;
  }
  const LineInfo* const line = el_line(edit);
  const std::size_t width =
      analysis::DisplayWidth(prompt) +
      analysis::DisplayWidth(std::string_view(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer)));
  std::string out = "\r";
  if (const std::size_t rows = width / Columns(); rows > 0) out += "\x1b[" + std::to_string(rows) + "A";
  out += "\x1b[J";
  out += text;
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
  el_set(edit, EL_REFRESH);
}

void LineReader::Inner::Load() {
  if (options.history.empty()) return;
  struct stat is {};
  if (::stat(options.history.c_str(), &is) != 0 || static_cast<std::size_t>(is.st_size) > LineReaderLimits::kHistoryOctets)
    return;
  std::ifstream file(options.history);
  HistEvent event;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) ::history(history, &event, H_ENTER, line.c_str());
}

// A file that cannot be written is no reason to stop a person who types. One that has grown beyond its bound begins anew.
void LineReader::Inner::Save(const std::string& line) const {
  const std::string& path = options.history;
  if (path.empty() || !MakeFolder(path.substr(0, path.rfind('/')))) return;
  struct stat is {};
  const bool full =
      ::stat(path.c_str(), &is) == 0 && static_cast<std::size_t>(is.st_size) + line.size() + 1 > LineReaderLimits::kHistoryOctets;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (full ? O_TRUNC : O_APPEND), kOwnerOnly);
  if (file < 0) return;
  if (::fchmod(file, kOwnerOnly) == 0) static_cast<void>(WriteAll(file, line + "\n", path));
  ::close(file);
}

LineReader::LineReader(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
LineReader::~LineReader() = default;

std::unique_ptr<LineReader> LineReader::Make(Options options) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) return nullptr;
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  auto inner = std::make_unique<Inner>();
  inner->options = std::move(options);
  if (inner->options.silent_between) inner->Silence();
  inner->edit = el_init("glasspost", stdin, stdout, stderr);
  inner->history = history_init();
  if (inner->edit == nullptr || inner->history == nullptr) return nullptr;
  EditLine* const e = inner->edit;
  HistEvent event;
  ::history(inner->history, &event, H_SETSIZE, LineReaderLimits::kHistory);
  ::history(inner->history, &event, H_SETUNIQUE, 1);
  el_set(e, EL_CLIENTDATA, inner.get());
  el_set(e, EL_PROMPT, &Inner::Prompt);
  el_set(e, EL_EDITOR, "emacs");
  el_set(e, EL_HIST, ::history, inner->history);
  el_set(e, EL_GETCFN, &Inner::GetCharacter);
  el_set(e, EL_ADDFN, "glasspost-complete", "completes", &Inner::OnTab);
  el_set(e, EL_ADDFN, "glasspost-break", "drops the line", &Inner::OnBreak);
  el_set(e, EL_BIND, "^I", "glasspost-complete", nullptr);
  el_set(e, EL_BIND, "^C", "glasspost-break", nullptr);
  el_set(e, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_set(e, EL_SETTY, "-d", "-isig", nullptr);  // ^C is a key here, not the end of the program
  if (inner->restored) el_set(e, EL_SETTY, "-x", "-icanon", "-echo", nullptr);
  inner->Load();
  return std::unique_ptr<LineReader>(new LineReader(std::move(inner)));
}

LineReader::Outcome LineReader::Read(const std::string& prompt, std::string& line) {
  inner_->prompt = prompt;
  inner_->broken = inner_->not_wanted = false;
  inner_->reading = true;
  int count = 0;
  const char* const typed = el_gets(inner_->edit, &count);
  inner_->reading = false;
  if (typed == nullptr || count <= 0) {
    std::fputc('\n', stdout);
    std::fflush(stdout);
    return inner_->broken ? Outcome::kBreak : inner_->not_wanted ? Outcome::kNotWanted : Outcome::kEnd;
  }
  line.assign(typed, static_cast<std::size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  return Outcome::kLine;
}

void LineReader::Remember(const std::string& line) {
  if (line.empty() || line.find('\n') != std::string::npos) return;
  HistEvent event;
  ::history(inner_->history, &event, H_ENTER, line.c_str());
  inner_->Save(line);
}

void LineReader::Print(std::string_view text) { inner_->Print(text); }
bool LineReader::reading() const { return inner_->reading; }

}  // namespace glasspost::cli
