#include "server/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "server/data_folder.h"

namespace glasspost::server {
namespace {

// Of the folder and the server's own files in it; links are not followed.
Expected<void> Give(const std::string& folder, uid_t user, gid_t group) {
  const auto give = [&](const std::string& path) -> Expected<void> {
    if (::lchown(path.c_str(), user, group) == 0) return {};
    return Fail(std::string("cannot be given to the user: ") + std::strerror(errno), path);
  };
  if (auto given = give(folder); !given) return given;
  const auto files = OwnFiles(folder);
  if (!files) return std::unexpected(files.error());
  for (const auto& file : *files) {
    if (auto given = give(file.string()); !given) return given;
    std::error_code error;
    if (!std::filesystem::is_directory(std::filesystem::symlink_status(file, error))) continue;
    for (auto it = std::filesystem::recursive_directory_iterator(file, error); !error && it != std::filesystem::end(it);
         it.increment(error)) {
      if (auto given = give(it->path().string()); !given) return given;
    }
    if (error) return Fail("cannot be read: " + error.message(), file.string());
  }
  return {};
}

}  // namespace

Expected<void> DropPrivileges(const std::string& user, const std::string& group, const std::string& folder) {
  if (user.empty()) return {};
  const passwd* const entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return Fail("there is no such user", "server.user = " + user);
  const uid_t uid = entry->pw_uid;
  gid_t gid = entry->pw_gid;
  if (!group.empty()) {
    const ::group* const found = ::getgrnam(group.c_str());
    if (found == nullptr) return Fail("there is no such group", "server.group = " + group);
    gid = found->gr_gid;
  }
  if (::geteuid() != 0) {
    if (::geteuid() == uid) return {};
    return Fail("cannot become this user", "server.user = " + user, "start as root, or as that user");
  }
  if (auto given = Give(folder, uid, gid); !given) return given;
  if (::setgroups(1, &gid) != 0 || ::setgid(gid) != 0 || ::setuid(uid) != 0)
    return Fail(std::string("cannot become this user: ") + std::strerror(errno), "server.user = " + user);
  if (uid != 0 && ::setuid(0) == 0) return Fail("root's power did not go away", "server.user = " + user);
  return {};
}

std::size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
}

}  // namespace glasspost::server
