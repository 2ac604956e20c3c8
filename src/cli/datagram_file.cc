#include "cli/datagram_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/disk.h"
#include "capture/pcapng_writer.h"
#include "capture/synthetic_ip.h"

namespace glasspost::cli {

Expected<std::unique_ptr<DatagramFile>> DatagramFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return Fail("is there already", path, "name another file, or take it away");
  if (fd < 0) return SystemError("cannot be written", path);
  return std::unique_ptr<DatagramFile>(new DatagramFile(path, fd));
}

DatagramFile::~DatagramFile() {
  ::close(fd_);
  if (!begun_) ::unlink(path_.c_str());
}

Expected<void> DatagramFile::Add(const Endpoint& source, const Endpoint& destination, Direction direction, Timestamp time,
                                 Octets payload) {
  std::string blocks;
  capture::PcapngWriter writer(blocks);
  if (!begun_) {
    writer.Section("Glasspost");
    writer.Interface(capture::LinkType::kEthernet);
  }
  begun_ = true;
  writer.Packet(0, time, capture::SyntheticUdp(source, destination, direction, ++ip_id_, payload));
  return WriteAll(fd_, blocks, path_);
}

}  // namespace glasspost::cli
