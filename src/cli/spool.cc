#include "cli/spool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace glasspost::cli {
namespace {

Error Problem(const char* what) {
  return {fmt::format("{}: {}", what, std::strerror(errno)), "standard input", "free space in TMPDIR, or name a file"};
}

bool WriteAll(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Spool::~Spool() {
  if (!path_.empty()) unlink(path_.c_str());
}

Expected<void> Spool::Take(std::vector<std::string>& files) {
  const auto at = std::find(files.begin(), files.end(), "-");
  if (at == files.end()) return {};
  const char* folder = std::getenv("TMPDIR");
  path_ = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/glasspost-XXXXXX";
  const int fd = mkstemp(path_.data());
  if (fd < 0) return path_.clear(), std::unexpected(Problem("no temporary file can be made"));
  std::vector<char> buffer(std::size_t{1} << 18);
  Expected<void> done;
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) done = std::unexpected(Problem("cannot be read"));
    if (n <= 0) break;
    if (!WriteAll(fd, buffer.data(), static_cast<std::size_t>(n))) {
      done = std::unexpected(Problem("the temporary file cannot be written"));
      break;
    }
  }
  close(fd);
  *at = path_;
  return done;
}

}  // namespace glasspost::cli
