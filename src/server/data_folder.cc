#include "server/data_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace glasspost::server {
namespace {

bool IsOwn(const std::string& name) {
  constexpr std::string_view kNames[] = {"lock", "tls", "glasspost.sock", "secret.key"};
  constexpr std::string_view kDatabases[] = {"mail.db", "conversations.db"};  // with what SQLite puts beside them
  return std::ranges::find(kNames, name) != std::end(kNames) ||
         std::ranges::any_of(kDatabases, [&](std::string_view database) { return name.starts_with(database); });
}

}  // namespace

Expected<std::vector<std::filesystem::path>> OwnFiles(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(folder, error); !error && it != std::filesystem::directory_iterator();
       it.increment(error))
    if (IsOwn(it->path().filename().string())) files.push_back(it->path());
  if (error) return Fail("cannot be read: " + error.message(), folder);
  return files;
}

void KeepToOwner() { ::umask(0077); }

Expected<void> KeepToOwner(const std::string& folder) {
  const auto files = OwnFiles(folder);
  if (!files) return std::unexpected(files.error());
  for (const auto& file : *files) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(file, error);
    if (error || std::filesystem::is_symlink(status) || std::filesystem::is_socket(status)) continue;
    const auto others = status.permissions() & (std::filesystem::perms::group_all | std::filesystem::perms::others_all);
    if (others == std::filesystem::perms::none) continue;
    std::filesystem::permissions(file, others, std::filesystem::perm_options::remove, error);
    if (error) return Fail("cannot be made its owner's alone: " + error.message(), file.string());
  }
  return {};
}

Expected<void> LetPass(const std::string& folder) {
  struct stat about = {};
  if (::stat(folder.c_str(), &about) != 0) return Fail(std::string("cannot be looked at: ") + std::strerror(errno), folder);
  if (about.st_uid == ::geteuid() && (about.st_mode & 0011) != 0011) ::chmod(folder.c_str(), (about.st_mode & 07777) | 0011);
  return {};
}

}  // namespace glasspost::server
