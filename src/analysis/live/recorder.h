// Records live sessions as pcapng, one file a session: made-up packets (capture/synthetic_tcp.h) around the true octets, with
// true addresses, ports and times; of TLS the records as they crossed the wire, and before them their secrets, so that Wireshark
// shows what was within. These files hold secrets as they were: mode 0600.
//
// A tap never waits: what it hears goes into a queue that one thread of the Recorder's writes to files. What does not fit into
// the queue, the session's limit or the directory's is not recorded but counted (recording_losses.h), and is a gap in the file,
// never other octets.
// The directory is kept to its limits by removing the oldest of the Recorder's own files.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "analysis/live/recording_losses.h"
#include "base/address.h"
#include "base/error.h"
#include "base/origin.h"
#include "base/tap.h"

namespace glasspost::analysis {

struct RecorderOptions {
  std::string directory;  // made if it is not there, for its owner alone
  std::string application = "Glasspost";
  std::size_t files = 10'000;                              // of the directory, with those that are being written
  std::uint64_t octets = std::uint64_t{1} << 30;           // of all of them
  std::uint64_t session_octets = std::uint64_t{64} << 20;  // of one session's data
  std::size_t queue_octets = std::size_t{32} << 20;        // heard, not yet written: stops a slow disk from filling the memory
  std::size_t held_octets = std::size_t{256} << 10;        // of a TLS handshake, waiting for its secrets
};

struct RecorderFigures {
  std::uint64_t unrecorded = 0;      // sessions that began while the queue was full
  std::uint64_t sessions = 0;        // begun
  std::uint64_t files_removed = 0;   // to make room
  std::uint64_t dropped_octets = 0;  // of what was said: heard, not recorded
  std::uint64_t failures = 0;        // files that could not be made or written
};

class Recorder;

// One session's ear, used by one thread at a time. The Recorder outlives it.
class Recording {
 public:
  Recording(Recorder& recorder, std::uint64_t number) : recorder_(recorder), number_(number) {}
  void OnConnect(const Endpoint& client, const Endpoint& server, Timestamp time);
  // What crosses the wire: octets in the clear, then records.
  void OnOctets(Direction direction, Octets octets, Timestamp time);
  void OnTlsStart();
  void OnTlsSecrets(Octets line);
  void OnTlsEstablished();
  void OnClose(Closing how, bool we_are_client, Timestamp time);

 private:
  Recorder& recorder_;
  const std::uint64_t number_;
  std::uint64_t lost_[2] = {0, 0};  // octets that did not fit, before what comes next
  bool begun_ = false;              // else there was no room even for the beginning, and nothing is recorded
};

class Recorder {
 public:
  // Makes the directory and looks for what is in it.
  static Expected<std::unique_ptr<Recorder>> Open(const RecorderOptions& options);
  ~Recorder();
  // Writes all that was heard; from then on nothing is. Not twice at the same time.
  void Close();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Any thread. For those who have no numbers of their own.
  std::uint64_t NextNumber() { return next_number_.fetch_add(1, std::memory_order_relaxed); }
  std::unique_ptr<Recording> NewRecording(std::uint64_t number) { return std::make_unique<Recording>(*this, number); }
  RecorderFigures figures() const;
  // What sessions lost since the last time, at most `most` of them by name. Any thread.
  RecordingLosses::Taken TakeLosses(std::size_t most) { return losses_.Take(most); }

 private:
  friend class Recording;
  struct Job {
    enum class Kind : std::uint8_t { kConnect, kOctets, kTlsStart, kSecrets, kEstablished, kClose };
    Kind kind{};
    Direction direction{};  // kClose: of the side that ends it
    Closing how{};
    std::uint64_t session = 0;
    Timestamp time = 0;
    std::uint64_t lost[2] = {0, 0};
    std::string octets;
    std::unique_ptr<std::pair<Endpoint, Endpoint>> ends;  // kConnect
  };
  class Writer;

  explicit Recorder(const RecorderOptions& options);
  // False: the queue is full. What says how a session goes on that was begun always fits: it is little, and there is an end to
  // it.
  bool Add(Job&& job);
  void Run();

  const RecorderOptions options_;
  RecordingLosses losses_;
  std::unique_ptr<Writer> writer_;
  std::atomic<std::uint64_t> next_number_{1};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> unrecorded_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> queue_;
  std::size_t queued_octets_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace glasspost::analysis
