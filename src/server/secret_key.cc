#include "server/secret_key.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/disk.h"

namespace glasspost::server {

Expected<std::string> SecretKey(const std::string& folder, Randomness& randomness) {
  constexpr std::size_t kOctets = 32;
  const std::string path = folder + "/secret.key";
  std::ifstream in(path, std::ios::binary);
  if (in) {
    std::string key(kOctets + 1, '\0');
    in.read(key.data(), static_cast<std::streamsize>(key.size()));
    key.resize(static_cast<std::size_t>(in.gcount()));
    if (key.size() == kOctets) return key;
    return Fail("does not hold 32 octets", path, "remove it: it is made anew");
  }
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, error))) return SystemError("cannot be read", path);
  std::string key = randomness.Draw(kOctets);
  if (const auto written = WriteWhole(path, key); !written) return std::unexpected(written.error());
  return key;
}

}  // namespace glasspost::server
