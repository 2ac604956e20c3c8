// The recorder's sessions and their files (recorder.h): used by its thread alone, but for the figures.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/live/recorder.h"
#include "capture/synthetic_tcp.h"

namespace glasspost::analysis {

// One session's packets on their way to its file.
class RecordedSession final : public capture::SyntheticTcp::Sink {
 public:
  RecordedSession(std::uint64_t number, const Endpoint& client, const Endpoint& server, std::string path, std::uint64_t place);

  void Skip(Direction direction, std::uint64_t octets) {
    if (octets > 0) held_.empty() ? tcp_.Skip(direction, octets) : Hold(direction, {}, octets, 0);
  }
  void StartTls() { holding_ = true; }
  void AddSecrets(Octets line) { secrets_ += line; }
  // Octets of data that were written or held.
  std::uint64_t data() const { return data_; }
  bool holding() const { return holding_; }
  std::size_t held_octets() const { return held_octets_; }

 private:
  friend class RecordedSessions;
  // Of a TLS handshake: the secrets must stand before the packets.
  struct Held {
    Direction direction{};
    std::string octets;
    std::uint64_t skipped = 0;
    Timestamp time = 0;
  };
  void Hold(Direction direction, std::string octets, std::uint64_t skipped, Timestamp time);
  void OnFrame(Octets frame, Timestamp time) override;
  void Send(Direction direction, Octets octets, Timestamp time);
  void Release();

  const std::uint64_t number_;
  capture::SyntheticTcp tcp_;
  std::string path_;
  std::uint64_t place_;  // in the order of the directory's files
  std::string pending_;  // blocks that are not written yet
  std::string secrets_;
  std::vector<Held> held_;
  std::size_t held_octets_ = 0;
  std::uint64_t data_ = 0;
  std::uint64_t pending_data_ = 0;  // octets of data in `pending_`
  std::uint64_t written_ = 0;       // octets of the file
  std::string comment_;             // of the next packet
  bool holding_ = false;
  bool made_ = false;
  bool failed_ = false;
  bool dirty_ = false;
};

class RecordedSessions {
 public:
  RecordedSessions(const RecorderOptions& options, std::atomic<std::uint64_t>& dropped, RecordingLosses& losses)
      : options_(options), dropped_(dropped), losses_(losses) {}
  Expected<void> Open();

  void Begin(std::uint64_t number, const Endpoint& client, const Endpoint& server, Timestamp time);
  RecordedSession* Find(std::uint64_t number);
  void Send(RecordedSession& s, Direction direction, std::string octets, Timestamp time);
  void Release(RecordedSession& s);
  void End(std::uint64_t number, RecordedSession& s, Closing how, Direction who, Timestamp time);
  // Writes what waits, if it has waited so long.
  void Flush(std::chrono::nanoseconds patience);
  // What has not ended is written as far as it came.
  void EndAll();
  // Something waits to be written.
  bool dirty() const { return !dirty_.empty(); }
  RecorderFigures figures() const;

 private:
  struct File {
    std::string path;
    std::uint64_t octets = 0;
    bool open = false;
  };
  File& FileOf(const RecordedSession& s) { return files_[static_cast<std::size_t>(s.place_ - first_place_)]; }
  bool MakeRoom(std::uint64_t octets, std::size_t files);
  void Write(RecordedSession& s);
  int WriteBlocks(RecordedSession& s, const std::string& blocks);
  void Drop(RecordedSession& s, Direction direction, std::uint64_t octets, RecordingLoss why);

  const RecorderOptions& options_;
  std::atomic<std::uint64_t>& dropped_;
  RecordingLosses& losses_;
  std::unordered_map<std::uint64_t, std::unique_ptr<RecordedSession>> sessions_;
  std::vector<RecordedSession*> dirty_;
  std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
  std::deque<File> files_;  // the oldest first; without a path: removed
  std::size_t count_ = 0;   // that have one
  std::uint64_t first_place_ = 0;
  std::uint64_t octets_ = 0;  // of all files
  std::atomic<std::uint64_t> begun_{0}, removed_{0}, failures_{0};
};

}  // namespace glasspost::analysis
