// Which messages of a maildrop were fetched already, by their unique-ids (RFC 1939 §7): one file an account, of lines "ID TIME",
// to which each message adds its line once it is kept itself. A line that a crash cut off is passed over: its message is fetched
// again rather than never. While one process has the file no other may.
//
// Beside it, in a file whose name ends in "%coming", stands what is not kept yet but may be seen in a moment: a first line
//   glasspost coming BOOT           the boot of this machine (/proc/sys/kernel/random/boot_id)
// and for each message, written before it gets to its place, where that is (agent/mail_writer.h):
//   ID TIME PLACE
// Nobody waits for the disk for these lines, and they are taken away once what they tell of is remembered. A process that is
// killed leaves them: who opens the file next looks which of these messages came to their places, sees to it that those are on
// the disk, and remembers them. Those of another boot are worth nothing, for a power cut takes any part of what nobody waited
// for. Where there is no such boot, or the file is none (a device), there are no such lines, and a kill lets come again what was
// coming.
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
  static constexpr std::size_t kPlaceOctets = 16 << 10;               // a path with each octet as %XX; longer ones are not noted
  static constexpr std::size_t kComingOctets = std::size_t{4} << 20;  // of all that is coming: what is more is none of ours
  static constexpr const char* kComing = "%coming";                   // in the name of no account: a '%' is %25 there

  // Makes the file (0600) and its folders if they are not there, and remembers what a killed process left in its places. The
  // error says so if another process has it; `busy`, if not null, is set to whether that is why.
  static Expected<FetchedIds> Open(const std::string& path, bool* busy = nullptr);
  FetchedIds(FetchedIds&& from) noexcept;
  FetchedIds& operator=(FetchedIds&&) = delete;
  ~FetchedIds();

  // When it was fetched (seconds since 1970); nothing if it was not.
  std::optional<std::int64_t> When(Octets id) const;
  // It comes to this place next. Known only if this process does not live to Sync or Withdraw.
  Expected<void> Announce(Octets id, std::int64_t seconds, Octets place);
  // Nothing that was announced since the last Sync is to count. False if that cannot be undone.
  bool Withdraw();
  // Known from the next Sync on.
  void Add(Octets id, std::int64_t seconds);
  // What was added is on the disk when this returns, and nothing is coming. After an error nothing of it is known.
  Expected<void> Sync();
  // Forgets those that are no more, once they were fetched long ago: a maildrop may list less for a while, and all again later.
  Expected<void> Retain(const std::function<bool(Octets id)>& wanted, std::int64_t seconds);
  std::size_t size() const { return ids_.size(); }

 private:
  FetchedIds(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Expected<void> Load();
  Expected<void> CutOff(off_t whole);
  Expected<void> Recover();
  bool OpenComing(int flags);
  void ForgetComing();

  std::string path_;
  int fd_ = -1;
  std::unordered_map<std::string, std::int64_t> ids_;
  off_t whole_ = 0;  // octets of whole lines
  std::vector<std::pair<std::string, std::int64_t>> added_;
  std::string boot_;  // empty: nothing is announced
  int coming_fd_ = -1;
  bool coming_ = false;  // there are lines
};

}  // namespace glasspost::agent
