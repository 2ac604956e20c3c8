#include "capture/octet_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/unpacker.h"

namespace glasspost::capture {
namespace {

constexpr std::size_t kMagicOctets = 4;
// Compressed octets read at once.
constexpr std::size_t kStoredOctets = std::size_t{256} << 10;

class StoredFile final : public OctetSource {
 public:
  StoredFile(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~StoredFile() override {
    if (owned_) ::close(fd_);
  }
  StoredFile(const StoredFile&) = delete;
  StoredFile& operator=(const StoredFile&) = delete;

  Expected<std::size_t> Read(std::span<std::uint8_t> room) override {
    for (;;) {
      const ssize_t n = ::read(fd_, room.data(), room.size());
      if (n >= 0) {
        taken_ += static_cast<std::uint64_t>(n);
        return static_cast<std::size_t>(n);
      }
      if (errno == EINTR) continue;
      return Fail(fmt::format("cannot read: {}", std::strerror(errno)), fmt::format("octet {}", taken_));
    }
  }
  std::uint64_t stored_octets() const override { return taken_; }

 private:
  int fd_;
  bool owned_;
  std::uint64_t taken_ = 0;
};

// Gives back the first octets, which were read to see what the file is.
class WithBeginning final : public OctetSource {
 public:
  WithBeginning(std::vector<std::uint8_t> beginning, std::unique_ptr<OctetSource> rest)
      : beginning_(std::move(beginning)), rest_(std::move(rest)) {}

  Expected<std::size_t> Read(std::span<std::uint8_t> room) override {
    if (given_ == beginning_.size()) return rest_->Read(room);
    const std::size_t n = std::min(room.size(), beginning_.size() - given_);
    std::memcpy(room.data(), beginning_.data() + given_, n);
    given_ += n;
    return n;
  }
  std::uint64_t stored_octets() const override { return rest_->stored_octets(); }

 private:
  std::vector<std::uint8_t> beginning_;
  std::size_t given_ = 0;
  std::unique_ptr<OctetSource> rest_;
};

class Unpacked final : public OctetSource {
 public:
  Unpacked(std::unique_ptr<Unpacker> unpacker, std::unique_ptr<OctetSource> stored)
      : unpacker_(std::move(unpacker)), stored_(std::move(stored)), in_(kStoredOctets) {}

  Expected<std::size_t> Read(std::span<std::uint8_t> room) override {
    while (!finished_) {
      if (!fault_.empty()) {
        finished_ = true;
        const std::uint64_t place = stored_->stored_octets() - (end_ - begin_);
        return Fail(fault_, fmt::format("compressed octet {}", place), "copy the file again, or test it with gzip -t or zstd -t");
      }
      if (begin_ == end_ && !stored_ended_) {
        Expected<std::size_t> n = stored_->Read(in_);
        if (!n) {
          finished_ = true;
          return n;
        }
        stored_ended_ = *n == 0;
        begin_ = 0;
        end_ = *n;
      }
      const UnpackStep step = unpacker_->Unpack(Bytes(in_).subspan(begin_, end_ - begin_), room, stored_ended_);
      begin_ += step.consumed;
      if (!step.fault.empty()) fault_ = step.fault;
      if (step.produced > 0) return step.produced;
      if (!fault_.empty()) continue;
      if (stored_ended_ && begin_ == end_) finished_ = true;
      if (step.consumed == 0 && begin_ != end_) fault_ = "compressed data that lead nowhere";
    }
    return 0;
  }
  std::uint64_t stored_octets() const override { return stored_->stored_octets(); }

 private:
  std::unique_ptr<Unpacker> unpacker_;
  std::unique_ptr<OctetSource> stored_;
  std::vector<std::uint8_t> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string fault_;
  bool stored_ended_ = false;
  bool finished_ = false;
};

}  // namespace

Expected<std::unique_ptr<OctetSource>> OpenStored(const std::string& path) {
  if (path == "-") return std::make_unique<StoredFile>(STDIN_FILENO, false);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    return Fail(fmt::format("cannot open: {}", std::strerror(error)), path,
                error == ENOENT   ? "check the name"
                : error == EACCES ? "ask for the right to read it"
                                  : "");
  }
  auto file = std::make_unique<StoredFile>(fd, true);
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) return Fail("is a directory", path, "name the capture files in it");
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // a hint; fails for pipes
  return file;
}

Expected<std::unique_ptr<OctetSource>> Unpack(std::unique_ptr<OctetSource> stored) {
  std::vector<std::uint8_t> beginning(kMagicOctets);
  std::size_t have = 0;
  while (have < kMagicOctets) {
    const Expected<std::size_t> n = stored->Read(std::span(beginning).subspan(have));
    if (!n) return std::unexpected(n.error());
    if (*n == 0) break;
    have += *n;
  }
  beginning.resize(have);
  std::unique_ptr<Unpacker> unpacker = MakeUnpacker(beginning);
  auto whole = std::make_unique<WithBeginning>(std::move(beginning), std::move(stored));
  if (unpacker == nullptr) return whole;
  return std::make_unique<Unpacked>(std::move(unpacker), std::move(whole));
}

}  // namespace glasspost::capture
