#include "cli/ask.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "agent/draft.h"
#include "base/ascii.h"
#include "base/disk.h"
#include "base/escape.h"
#include "cli/mail_save.h"
#include "cli/outgoing.h"

namespace glasspost::cli {
namespace {

std::string Variable(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

// True: it ended well.
bool RunEditor(const std::string& path) {
  const std::string editor = Variable("VISUAL", Variable("EDITOR", "vi").c_str());
  const std::string command = editor + " \"$1\"";  // it may have options
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sh", "sh", "-c", command.c_str(), "sh", path.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Expected<bool> Confirm(const CommandLine& line, const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0)
    return Fail(std::string(line.Say("nobody is there to be asked", "无人可以询问")), {},
                std::string(line.Say("say --yes", "请用 --yes")));
  fmt::print(stderr, "{} [y/N] ", ForTerminal(question));
  std::fflush(stderr);
  char answer[64];
  if (std::fgets(answer, sizeof answer, stdin) == nullptr) return false;
  Octets said = Trim(Octets(answer).substr(0, Octets(answer).find('\n')));
  return EqualsNoCase(said, "y") || EqualsNoCase(said, "yes") || said == "是";
}

Expected<std::optional<std::string>> Edit(const std::string& text) {
  auto folder = TemporaryFolder::Make();
  if (!folder) return std::unexpected(folder.error());
  const std::string path = folder->path() + "/message.txt";
  auto file = NewFile::MakeAt(path);
  if (!file) return std::unexpected(file.error());
  auto written = file->Write(text);
  if (written) written = file->Keep();
  if (!written) return std::unexpected(written.error());
  if (!RunEditor(path)) return Fail("the editor has failed", Variable("VISUAL", Variable("EDITOR", "vi").c_str()), "set EDITOR");
  auto edited = ReadWhole(path, agent::DraftLimits::kText);
  if (!edited) return std::unexpected(edited.error());
  if (*edited == text) return std::optional<std::string>();
  return std::optional<std::string>(std::move(*edited));
}

Expected<TemporaryFolder> TemporaryFolder::Make() {
  std::string path = Variable("TMPDIR", "/tmp") + "/glasspost-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return SystemError("cannot be made", path);
  return TemporaryFolder(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

}  // namespace glasspost::cli
