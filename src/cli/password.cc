#include "cli/password.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/escape.h"

namespace glasspost::cli {
namespace {

constexpr std::size_t kPasswordOctets = 4096;  // stops a file that is no password

// The terminal itself, whatever standard input is; its echo is off while this lives. Signals wait meanwhile, so that ^C does not
// leave a terminal that shows nothing.
class SilentTerminal {
 public:
  SilentTerminal() : file_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (file_ < 0 || ::tcgetattr(file_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    silent.c_lflag |= ECHONL | ICANON;
    good_ = ::tcsetattr(file_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (good_) ::tcsetattr(file_, TCSAFLUSH, &before_);
    if (file_ >= 0) ::close(file_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  bool good() const { return good_; }

  Expected<std::string> Ask(const std::string& prompt) {
    if (::write(file_, prompt.data(), prompt.size()) < 0) return Fail("the terminal cannot be written to");
    std::string line;
    for (char c = 0;;) {
      const ssize_t got = ::read(file_, &c, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Fail("no password was typed");
      if (c == 3) return Fail("given up");  // ^C
      if (c == '\n' || c == '\r') return line;
      if (line.size() >= kPasswordOctets) return Fail("is too long for a password");
      line.push_back(c);
    }
  }

 private:
  int file_;
  termios before_ = {};
  bool good_ = false;
};

std::string Prompt(const std::string& user, analysis::Language language) {
  const bool zh = language == analysis::Language::kChinese;
  return fmt::format("{} {}: ", zh ? "口令，用户" : "Password for", ForTerminal(user));
}

}  // namespace

Expected<std::string> AskLoginPassword(const std::string& user, analysis::Language language) {
  SilentTerminal terminal;
  if (!terminal.good())
    return Fail("there is no terminal to ask for the password", {},
                "--password-command, --password-env, --password-file (- is standard input) or --keyring");
  auto typed = terminal.Ask(Prompt(user, language));
  if (typed && typed->empty()) return Fail("no password was typed");
  return typed;
}

Expected<std::string> AskPassword(const std::string& user, analysis::Language language) {
  const bool zh = language == analysis::Language::kChinese;
  SilentTerminal terminal;
  if (!terminal.good())
    return Fail("there is no terminal to ask for the password", {}, "--password-file FILE (- is standard input), or --generate");
  const auto once = terminal.Ask(Prompt(user, language));
  if (!once) return once;
  if (once->empty()) return Fail("no password was typed");
  const auto again = terminal.Ask(zh ? "再输入一次：" : "Once more: ");
  if (!again) return again;
  if (*once != *again) return Fail("the two are not the same", {}, "nothing was changed");
  return once;
}

Expected<std::string> ReadPasswordFile(const std::string& file) {
  const bool standard = file == "-";
  const int descriptor = standard ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Fail(std::string("cannot be opened: ") + std::strerror(errno), file);
  std::string line;
  ssize_t got = 1;
  for (char c = 0; line.size() <= kPasswordOctets; line.push_back(c)) {
    do {
      got = ::read(descriptor, &c, 1);
    } while (got < 0 && errno == EINTR);
    if (got <= 0 || c == '\n') break;
  }
  const int reason = errno;
  if (!standard) ::close(descriptor);
  if (got < 0) return Fail(std::string("cannot be read: ") + std::strerror(reason), file);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return Fail("its first line is empty", standard ? "standard input" : file, "write the password there");
  if (line.size() > kPasswordOctets) return Fail("its first line is too long for a password", standard ? "standard input" : file);
  return line;
}

}  // namespace glasspost::cli
