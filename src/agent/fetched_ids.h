// Which messages of a maildrop were fetched already, by their unique-ids (RFC 1939 §7): one file an account, of lines "ID TIME",
// to which each message adds its line once it is kept itself. A line that a crash cut off is passed over: its message is fetched
// again rather than never. While one process has the file no other may.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/octets.h"

namespace glasspost::agent {

class FetchedIds {
 public:
  // RFC 1939 §7: 1 to 70 characters from 0x21 to 0x7E. Others give longer ones; what is beyond this, or no such text, is not
  // kept.
  static constexpr std::size_t kIdOctets = 255;
  static constexpr std::int64_t kUnseen = std::int64_t{90} * 24 * 3600;  // seconds
  static bool IsId(Octets id);

  // Makes the file (0600) and its folders if they are not there. The error says so if another process has it; `busy`, if
  // not null, is set to whether that is why.
  static Expected<FetchedIds> Open(const std::string& path, bool* busy = nullptr);
  FetchedIds(FetchedIds&& from) noexcept;
  FetchedIds& operator=(FetchedIds&&) = delete;
  ~FetchedIds();

  // When it was fetched (seconds since 1970); nothing if it was not.
  std::optional<std::int64_t> When(Octets id) const;
  // Known from the next Sync on.
  void Add(Octets id, std::int64_t seconds);
  // What was added is on the disk when this returns. After an error nothing of it is known.
  Expected<void> Sync();
  // Forgets those that are no more, once they were fetched long ago: a maildrop may list less for a while, and all again later.
  Expected<void> Retain(const std::function<bool(Octets id)>& wanted, std::int64_t seconds);
  std::size_t size() const { return ids_.size(); }

 private:
  FetchedIds(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Expected<void> Load();
  Expected<void> CutOff(off_t whole);

  std::string path_;
  int fd_ = -1;
  std::unordered_map<std::string, std::int64_t> ids_;
  off_t whole_ = 0;  // octets of whole lines
  std::vector<std::pair<std::string, std::int64_t>> added_;
};

}  // namespace glasspost::agent
