#include "cli/spool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/disk.h"

namespace glasspost::cli {
namespace {

constexpr const char* kInput = "standard input";

Expected<void> CopyInput(int to, std::uint64_t most) {
  std::vector<char> buffer(std::size_t{1} << 18);
  for (std::uint64_t copied = 0; copied <= most;) {
    const ssize_t n = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot be read", kInput);
    if (n == 0) return {};
    const auto octets = static_cast<std::size_t>(n);
    if (auto written = WriteAll(to, Octets(buffer.data(), octets), "a temporary file for standard input"); !written)
      return written;
    copied += octets;
  }
  return {};
}

}  // namespace

Spool::~Spool() {
  if (file_ >= 0) close(file_);
}

Expected<void> Spool::Take(std::vector<std::string>& files, std::uint64_t most) {
  const auto at = std::find(files.begin(), files.end(), "-");
  if (at == files.end()) return {};
  const auto made = MakeUnnamedFile();
  if (!made) return std::unexpected(made.error());
  file_ = *made;
  path_ = fmt::format("/proc/self/fd/{}", file_);
  *at = path_;
  auto copied = CopyInput(file_, most);
  if (!copied && copied.error().remedy.empty()) copied.error().remedy = "free space in TMPDIR, or name a file";
  return copied;
}

Error Spool::Named(Error error) const {
  if (!path_.empty() && error.where.starts_with(path_)) error.where.replace(0, path_.size(), kInput);
  return error;
}

}  // namespace glasspost::cli
