#include "agent/password_source.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace glasspost::agent {
namespace {

using Kind = PasswordSource::Kind;
using SteadyClock = std::chrono::steady_clock;

struct Ran {
  int status = 0;  // as exit gives it; 127: there is no such program
  bool too_long = false;
  bool late = false;
  std::string output;
};

class Pipe {
 public:
  Pipe() { good_ = ::pipe2(ends_, O_CLOEXEC) == 0; }
  ~Pipe() { Close(0), Close(1); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool good() const { return good_; }
  int end(int i) const { return ends_[i]; }
  void Close(int i) {
    if (ends_[i] >= 0) ::close(ends_[i]);
    ends_[i] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
  bool good_ = false;
};

// Reads to the end of `fd`, up to the limit and the time.
void ReadOutput(int fd, SteadyClock::time_point until, Ran& ran) {
  char room[1024];
  while (ran.output.size() <= PasswordLimits::kOctets) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    const int polled = ::poll(&ready, 1, static_cast<int>(std::max<long>(left, 0)));
    if (polled < 0 && errno == EINTR) continue;
    if (polled == 0) return void(ran.late = true);
    const ssize_t got = ::read(fd, room, sizeof room);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    ran.output.append(room, static_cast<std::size_t>(got));
  }
  ran.too_long = true;
}

void Reap(pid_t child, SteadyClock::time_point until, Ran& ran) {
  int status = 0;
  constexpr timespec kPause{0, 5'000'000};
  bool killed = ran.too_long || ran.late;
  if (killed) ::kill(child, SIGKILL);
  while (true) {
    const pid_t done = ::waitpid(child, &status, killed ? 0 : WNOHANG);
    if (done == child || (done < 0 && errno != EINTR)) break;
    if (done == 0 && SteadyClock::now() > until) {
      ran.late = killed = true;
      ::kill(child, SIGKILL);
    } else if (done == 0) {
      ::nanosleep(&kPause, nullptr);
    }
  }
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Found on the path; `input` is what it reads, its errors go where ours do. It may ask on the terminal, so it stays in our
// process group.
Expected<Ran> Run(std::vector<std::string> words, const std::string& input, std::chrono::milliseconds patience) {
  Pipe in, out;
  if (!in.good() || !out.good()) return Fail(std::string("no pipe can be made: ") + std::strerror(errno));
  std::vector<char*> arguments;
  for (std::string& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.end(0), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.end(1), STDOUT_FILENO);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, words.front().c_str(), &actions, nullptr, arguments.data(), ::environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Fail(std::string("cannot be run: ") + std::strerror(error), words.front());
  in.Close(0), out.Close(1);
  // One that does not read must not end us. What is written fits into a pipe.
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  const ssize_t written = input.empty() ? 0 : ::write(in.end(1), input.data(), input.size());
  ::sigaction(SIGPIPE, &before, nullptr);
  in.Close(1);
  Ran ran;
  const auto until = SteadyClock::now() + patience;
  ReadOutput(out.end(0), until, ran);
  Reap(child, until, ran);
  if (written < 0 && ran.status == 0) return Fail("did not take the password", words.front());
  return ran;
}

Expected<std::string> FirstLine(std::string text, const std::string& where) {
  text.resize(std::min(text.find('\n'), text.size()));
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return Fail("gives no password", where);
  if (text.size() > PasswordLimits::kOctets) return Fail("gives what is too long for a password", where);
  return text;
}

Expected<std::string> OfCommand(std::vector<std::string> words, const std::string& where, std::chrono::milliseconds patience) {
  auto ran = Run(std::move(words), {}, patience);
  if (!ran) return std::unexpected(ran.error());
  if (ran->late) return Fail("gave no password in time", where);
  if (ran->too_long) return Fail("gives what is too long for a password", where);
  if (ran->status != 0) return Fail("ended with status " + std::to_string(ran->status), where);
  return FirstLine(std::move(ran->output), where);
}

Expected<std::string> OfFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return Fail(std::string("cannot be opened: ") + std::strerror(errno), path);
  struct stat about = {};
  if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 077) != 0) {
    ::close(file);
    return Fail("others may read or write this password", path, "chmod 600 " + path);
  }
  Ran ran;
  ReadOutput(file, SteadyClock::now() + PasswordLimits::kTime, ran);
  ::close(file);
  return FirstLine(std::move(ran.output), path);
}

std::vector<std::string> Keyring(const char* what, const Account& account) {
  std::vector<std::string> words = {"secret-tool", what};
  if (std::string_view(what) == "store") words.insert(words.end(), {"--label", "Glasspost: " + account.address});
  words.insert(words.end(), {"service", "glasspost", "account", account.address});
  return words;
}

}  // namespace

Expected<std::string> ReadPassword(const Account& account, const std::function<Expected<std::string>()>& ask,
                                   std::chrono::milliseconds patience) {
  const std::string& text = account.password.text;
  switch (account.password.kind) {
    case Kind::kAsk:
      return ask();
    case Kind::kCommand:
      return OfCommand({"/bin/sh", "-c", text}, text, patience);
    case Kind::kEnvironment: {
      const char* value = std::getenv(text.c_str());
      if (value == nullptr) return Fail("is not set, and should be the password", "$" + text);
      return FirstLine(value, "$" + text);
    }
    case Kind::kFile:
      return OfFile(text);
    case Kind::kKeyring:
      return OfCommand(Keyring("lookup", account), "secret-tool", patience);
    case Kind::kStored:
      return text;
  }
  return Fail("there is no such source of a password");
}

Expected<void> KeepInKeyring(const Account& account, const std::string& password) {
  const auto ran = Run(Keyring("store", account), password, PasswordLimits::kTime);
  if (!ran) return Fail(ran.error().what, ran.error().where, "the package libsecret-tools has it");
  if (ran->late || ran->status != 0) return Fail("the keyring did not take the password", "secret-tool");
  return {};
}

Expected<void> DropFromKeyring(const Account& account) {
  const auto ran = Run(Keyring("clear", account), {}, PasswordLimits::kTime);
  if (!ran) return std::unexpected(ran.error());
  if (ran->late || ran->status != 0) return Fail("the keyring did not give up the password", "secret-tool");
  return {};
}

}  // namespace glasspost::agent
