#include "server/config.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace glasspost::server {
namespace {

constexpr const char* kNoDomain = "localhost.test";
constexpr std::size_t kPasswordOctets = 4096;  // stops a file that is no password

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string HomeFolder() {
  std::string home = Environment("HOME");
  if (!home.empty()) return home;
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr && found->pw_dir != nullptr)
    home = found->pw_dir;
  return home;
}

}  // namespace

std::vector<CertificatePair> PairsOf(const Config& config) {
  std::vector<CertificatePair> pairs;
  if (!config.tls.certificate.empty()) pairs.push_back({config.tls.certificate, config.tls.key});
  pairs.insert(pairs.end(), config.tls.pair.begin(), config.tls.pair.end());
  return pairs;
}

std::string OwnHostName(const Config& config) {
  if (!config.server.host.empty()) return config.server.host;
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || std::strchr(name, '.') == nullptr) return kNoDomain;
  for (const char* c = name; *c != '\0'; ++c)
    if (static_cast<unsigned char>(*c) <= ' ' || static_cast<unsigned char>(*c) >= 0x7f) return kNoDomain;
  return name;
}

std::string DataFolder(const Config& config) {
  if (!config.server.data.empty()) return config.server.data;
  // Several are separated by colons (systemd.exec(5)); the first is the unit's own.
  const std::string given = Environment("STATE_DIRECTORY");
  if (!given.empty()) return given.substr(0, given.find(':'));
  if (::geteuid() == 0) return "/var/lib/glasspost";
  // Relative ones are to be ignored (XDG Base Directory Specification).
  const std::string state = Environment("XDG_STATE_HOME");
  if (state.starts_with('/')) return state + "/glasspost";
  const std::string home = HomeFolder();
  return home.empty() ? std::string() : home + "/.local/state/glasspost";
}

std::string AdminSocketPath(const Config& config) {
  return config.admin.socket.empty() ? DataFolder(config) + "/glasspost.sock" : config.admin.socket;
}

Expected<std::string> PasswordOf(const NextHop& hop) {
  if (hop.password_file.empty()) return hop.password;
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(hop.password_file.c_str(), "re"), &std::fclose);
  if (!file) return Fail(std::string("cannot be read: ") + std::strerror(errno), hop.password_file);
  std::string line(kPasswordOctets + 1, '\0');
  line.resize(std::fread(line.data(), 1, line.size(), file.get()));
  if (std::ferror(file.get())) return Fail("cannot be read", hop.password_file);
  line.resize(std::min(line.find_first_of("\r\n"), line.size()));
  if (line.empty()) return Fail("its first line is empty", hop.password_file, "write the password there");
  if (line.size() > kPasswordOctets) return Fail("its first line is too long for a password", hop.password_file);
  return line;
}

}  // namespace glasspost::server
