// Datagrams of an exchange as a capture, written as they go: what is there when the program ends is whole. One thread.
#pragma once

#include <memory>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/origin.h"

namespace glasspost::cli {

class DatagramFile {
 public:
  // A new file, for its owner alone. The error says why there can be none.
  static Expected<std::unique_ptr<DatagramFile>> Open(const std::string& path);
  // Takes the file away if nothing was written.
  ~DatagramFile();
  DatagramFile(const DatagramFile&) = delete;
  DatagramFile& operator=(const DatagramFile&) = delete;

  Expected<void> Add(const Endpoint& source, const Endpoint& destination, Direction direction, Timestamp time, Octets payload);

 private:
  DatagramFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  const int fd_;
  std::uint16_t ip_id_ = 0;
  bool begun_ = false;
};

}  // namespace glasspost::cli
