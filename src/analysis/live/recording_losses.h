// What recorded sessions lost (recorder.h), kept until someone asks, session by session: whoever loses something does not wait
// for a log. A session is told of when it first loses something, and once more at its end if that was not all. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace glasspost::analysis {

enum class RecordingLoss : std::uint8_t {
  kQueue,      // more was said than could be written in time
  kSession,    // RecorderOptions::session_octets
  kDirectory,  // RecorderOptions::octets or files, and what is there is all being written
  kFile,       // could not be made or written
};

struct LostOctets {
  std::uint64_t session = 0;
  RecordingLoss why{};       // of the first
  int error = 0;             // kFile: errno
  std::uint64_t octets = 0;  // since it was told of last; 0: what was lost has not been said yet
};

class RecordingLosses {
 public:
  // Stops sessions that all lose something from filling the memory: of those beyond only the octets are counted.
  static constexpr std::size_t kSessions = 4096;

  void Add(std::uint64_t session, RecordingLoss why, std::uint64_t octets, int error = 0);
  void End(std::uint64_t session);

  struct Taken {
    std::vector<LostOctets> sessions;  // in the order of their numbers
    std::uint64_t others = 0;          // sessions that were due beyond `most`, and losses of those that were not kept
    std::uint64_t other_octets = 0;
  };
  // What is due: at most `most` sessions by name, so that a disk that fails under all of them is a few lines in a log.
  Taken Take(std::size_t most);

 private:
  struct Session {
    LostOctets lost;
    bool told = false;
    bool ended = false;
  };
  std::mutex mutex_;
  std::map<std::uint64_t, Session> sessions_;
  std::uint64_t others_ = 0;
  std::uint64_t other_octets_ = 0;
};

}  // namespace glasspost::analysis
