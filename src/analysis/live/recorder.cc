#include "analysis/live/recorder.h"

#include <chrono>
#include <utility>

#include "analysis/live/recorder_files.h"

namespace glasspost::analysis {
namespace {

// What a session's packets wait for in memory, so that a short one is written at once.
constexpr auto kPatience = std::chrono::seconds(1);
// A line of a key log is less than 300 octets long; stops what is none.
constexpr std::size_t kMaxSecretLine = 1024;

}  // namespace

// The thread's side: sessions and their files.
class Recorder::Writer {
 public:
  Writer(const RecorderOptions& options, std::atomic<std::uint64_t>& dropped, RecordingLosses& losses)
      : losses_(losses), sessions_(options, dropped, losses) {}

  void Do(Job& job) {
    if (job.kind == Job::Kind::kConnect) return sessions_.Begin(job.session, job.ends->first, job.ends->second, job.time);
    RecordedSession* const s = sessions_.Find(job.session);
    if (s == nullptr) {
      if (job.kind == Job::Kind::kClose) losses_.End(job.session);  // it was refused, or is not recorded any more
      return;
    }
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) s->Skip(d, job.lost[Index(d)]);
    switch (job.kind) {
      case Job::Kind::kConnect:
        break;
      case Job::Kind::kOctets:
        sessions_.Send(*s, job.direction, std::move(job.octets), job.time);
        break;
      case Job::Kind::kTlsStart:
        s->StartTls();
        break;
      case Job::Kind::kSecrets:
        s->AddSecrets(job.octets);
        break;
      case Job::Kind::kEstablished:
        sessions_.Release(*s);
        break;
      case Job::Kind::kClose:
        sessions_.End(job.session, *s, job.how, job.direction, job.time);
        break;
    }
  }
  RecordedSessions& sessions() { return sessions_; }

 private:
  RecordingLosses& losses_;
  RecordedSessions sessions_;
};

Expected<std::unique_ptr<Recorder>> Recorder::Open(const RecorderOptions& options) {
  std::unique_ptr<Recorder> recorder(new Recorder(options));
  if (auto ready = recorder->writer_->sessions().Open(); !ready) return std::unexpected(ready.error());
  recorder->thread_ = std::thread([r = recorder.get()] { r->Run(); });
  return recorder;
}

Recorder::Recorder(const RecorderOptions& options)
    : options_(options), writer_(std::make_unique<Writer>(options_, dropped_, losses_)) {}

Recorder::~Recorder() { Close(); }

void Recorder::Close() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool Recorder::Add(Job&& job) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t cost = sizeof job + job.octets.size();
    const bool may_fail = job.kind == Job::Kind::kOctets || job.kind == Job::Kind::kConnect;
    if (may_fail && queued_octets_ + cost > options_.queue_octets) return false;
    queued_octets_ += cost;
    first = queue_.empty();
    queue_.push_back(std::move(job));
  }
  if (first) wake_.notify_one();
  return true;
}

void Recorder::Run() {
  std::vector<Job> jobs;
  for (bool more = true; more;) {
    {
      std::unique_lock lock(mutex_);
      const auto due = [&] { return !queue_.empty() || stopping_; };
      if (writer_->sessions().dirty()) {
        wake_.wait_for(lock, kPatience, due);
      } else {
        wake_.wait(lock, due);
      }
      jobs.swap(queue_);
      more = !stopping_ || !jobs.empty();
    }
    std::size_t octets = 0;
    for (const Job& job : jobs) octets += sizeof job + job.octets.size();
    for (Job& job : jobs) writer_->Do(job);
    const bool quiet = jobs.empty();
    jobs.clear();
    {
      const std::lock_guard lock(mutex_);
      queued_octets_ -= octets;
    }
    writer_->sessions().Flush(quiet ? std::chrono::nanoseconds(0) : kPatience);
  }
  writer_->sessions().EndAll();
}

RecorderFigures Recorder::figures() const {
  RecorderFigures f = writer_->sessions().figures();
  f.dropped_octets = dropped_.load(std::memory_order_relaxed);
  f.unrecorded = unrecorded_.load(std::memory_order_relaxed);
  return f;
}

void Recording::OnConnect(const Endpoint& client, const Endpoint& server, Timestamp time) {
  Recorder::Job job;
  job.kind = Recorder::Job::Kind::kConnect;
  job.session = number_;
  job.time = time;
  job.ends = std::make_unique<std::pair<Endpoint, Endpoint>>(client, server);
  begun_ = recorder_.Add(std::move(job));
  if (begun_) return;
  recorder_.unrecorded_.fetch_add(1, std::memory_order_relaxed);
  recorder_.losses_.Add(number_, RecordingLoss::kQueue, 0);
  recorder_.losses_.End(number_);
}

void Recording::OnOctets(Direction direction, Octets octets, Timestamp time) {
  if (!begun_) return;
  Recorder::Job job;
  job.kind = Recorder::Job::Kind::kOctets;
  job.direction = direction;
  job.session = number_;
  job.time = time;
  for (int d = 0; d < 2; ++d) job.lost[d] = lost_[d];
  job.octets = octets;
  if (recorder_.Add(std::move(job))) {
    lost_[0] = lost_[1] = 0;
  } else {
    lost_[Index(direction)] += octets.size();
    recorder_.dropped_.fetch_add(octets.size(), std::memory_order_relaxed);
    recorder_.losses_.Add(number_, RecordingLoss::kQueue, octets.size());
  }
}

void Recording::OnTlsStart() {
  if (!begun_) return;
  Recorder::Job job;
  job.kind = Recorder::Job::Kind::kTlsStart;
  job.session = number_;
  recorder_.Add(std::move(job));
}

void Recording::OnTlsSecrets(Octets line) {
  if (!begun_ || line.size() > kMaxSecretLine) return;
  Recorder::Job job;
  job.kind = Recorder::Job::Kind::kSecrets;
  job.session = number_;
  job.octets.append(line).append("\n");
  recorder_.Add(std::move(job));
}

void Recording::OnTlsEstablished() {
  if (!begun_) return;
  Recorder::Job job;
  job.kind = Recorder::Job::Kind::kEstablished;
  job.session = number_;
  recorder_.Add(std::move(job));
}

void Recording::OnClose(Closing how, bool we_are_client, Timestamp time) {
  if (!begun_) return;
  const bool client_ends = (how == Closing::kByPeer) != we_are_client;
  Recorder::Job job;
  job.kind = Recorder::Job::Kind::kClose;
  job.how = how;
  job.direction = client_ends ? Direction::kToServer : Direction::kToClient;
  job.session = number_;
  job.time = time;
  for (int d = 0; d < 2; ++d) job.lost[d] = lost_[d];
  recorder_.Add(std::move(job));
}

}  // namespace glasspost::analysis
