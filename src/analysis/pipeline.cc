#include "analysis/pipeline.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "analysis/capture_clock.h"
#include "analysis/collector.h"
#include "capture/decoder.h"

namespace glasspost::analysis {
namespace {

using capture::DecodeResult;

// Batches on their way at once: enough that neither side waits, few enough that their octets stay in the cache.
constexpr std::size_t kBatches = 4;

// Flows that a shard ends at once after the last frame; what they told is written before the next are ended.
constexpr std::size_t kFlushed = 512;

// One batch of frames with its packets, by the thread that will observe them.
struct Batch {
  capture::FrameBatch frames;
  std::vector<KeyedPacket> packets;                   // some behind the last one are left over
  std::vector<std::vector<std::uint32_t>> by_worker;  // which of `packets` are whose
  Timestamp now = 0;                                  // by the CaptureClock, at its end
  // Filled by the workers, one entry each.
  struct Outcome {
    std::vector<Told> told;
    std::vector<std::uint64_t> decided;
    std::uint64_t oldest_last_frame = FlowTable::kNone;
    std::uint64_t oldest_undecided = FlowTable::kNone;
    bool flushed = true;  // after the last frame: nothing is left to tell
  };
  std::vector<Outcome> outcomes;
  std::size_t unfinished = 0;  // workers that have not been through it yet
};

// The shards of one thread.
class Worker {
 public:
  Worker(const Report& report, const PipelineOptions& options, const FlowLimits& limits, int index, int workers) : index_(index) {
    for (int s = index; s < kShards; s += workers)
      shards_[static_cast<std::size_t>(s)] = std::make_unique<FlowTable>(report, limits, options.only);
  }

  void Observe(Batch& batch, bool last) {
    const auto& mine = batch.by_worker[static_cast<std::size_t>(index_)];
    for (const std::uint32_t i : mine) shards_[batch.packets[i].hash >> 60]->Add(batch.packets[i]);
    Batch::Outcome& out = batch.outcomes[static_cast<std::size_t>(index_)];
    out.oldest_last_frame = out.oldest_undecided = FlowTable::kNone;
    out.flushed = true;
    for (auto& shard : shards_) {
      if (shard == nullptr) continue;
      if (!last) shard->Sweep(batch.now);
      if (last && !shard->Flush(kFlushed)) out.flushed = false;
      std::move(shard->told.begin(), shard->told.end(), std::back_inserter(out.told));
      out.decided.insert(out.decided.end(), shard->decided.begin(), shard->decided.end());
      shard->told.clear();
      shard->decided.clear();
      out.oldest_last_frame = std::min(out.oldest_last_frame, shard->oldest_last_frame());
      out.oldest_undecided = std::min(out.oldest_undecided, shard->oldest_undecided());
    }
  }

 private:
  int index_;
  std::array<std::unique_ptr<FlowTable>, kShards> shards_;
};
static_assert(kShards == 16, "the shard is taken from the hash's upper four bits");

// Batches in their order, handed to every worker and back.
class Conveyor {
 public:
  explicit Conveyor(int workers) : queues_(static_cast<std::size_t>(workers)) {}

  void Send(Batch* batch) {
    {
      const std::lock_guard lock(mutex_);
      batch->unfinished = queues_.size();
      for (auto& q : queues_) q.push_back(batch);
      sent_.push_back(batch);
    }
    to_work_.notify_all();
  }
  // Null: no more will come.
  Batch* Receive(int worker) {
    std::unique_lock lock(mutex_);
    auto& queue = queues_[static_cast<std::size_t>(worker)];
    to_work_.wait(lock, [&] { return !queue.empty() || closed_; });
    if (queue.empty()) return nullptr;
    Batch* batch = queue.front();
    queue.pop_front();
    return batch;
  }
  void Done(Batch* batch) {
    bool last;
    {
      const std::lock_guard lock(mutex_);
      last = --batch->unfinished == 0;
    }
    if (last) done_.notify_one();
  }
  // The oldest batch that was sent, once all workers are through it. Null: none is under way, or (without `wait`) not yet.
  Batch* TakeBack(bool wait) {
    std::unique_lock lock(mutex_);
    if (sent_.empty()) return nullptr;
    if (wait) done_.wait(lock, [&] { return sent_.front()->unfinished == 0; });
    if (sent_.front()->unfinished != 0) return nullptr;
    Batch* batch = sent_.front();
    sent_.pop_front();
    return batch;
  }
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    to_work_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable to_work_;
  std::condition_variable done_;
  std::vector<std::deque<Batch*>> queues_;
  std::deque<Batch*> sent_;
  bool closed_ = false;
};

class Pipeline {
 public:
  Pipeline(capture::FrameSource& source, Report& report, const PipelineOptions& options)
      : source_(source), options_(options), collector_(report), worker_count_(WorkerCount(options)) {
    collector_.on_number = options.on_number;
    FlowLimits limits = options.limits;
    limits.table_key = std::uint64_t{std::random_device()()} << 32 | std::random_device()() | 1;
    for (int i = 0; i < worker_count_; ++i)
      workers_.push_back(std::make_unique<Worker>(report, options, limits, i, worker_count_));
  }

  PipelineResult Run() { return options_.inline_only ? RunInline() : RunThreaded(); }

 private:
  static int WorkerCount(const PipelineOptions& o) {
    if (o.inline_only) return 1;
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    return std::clamp(o.threads > 0 ? o.threads : cores, 1, kShards);
  }

  std::unique_ptr<Batch> NewBatch() const {
    auto b = std::make_unique<Batch>();
    b->by_worker.resize(static_cast<std::size_t>(worker_count_));
    b->outcomes.resize(static_cast<std::size_t>(worker_count_));
    return b;
  }

  // False: no more frames. A file that cannot be read is noted and passed over.
  bool Fill(Batch& batch) {
    auto more = source_.Next(batch.frames);
    for (; !more; more = source_.Next(batch.frames)) result_.unread.push_back(more.error());
    if (!*more) return false;
    Decode(batch);
    if (options_.on_progress) options_.on_progress(source_);
    return true;
  }

  void Decode(Batch& batch) {
    for (auto& mine : batch.by_worker) mine.clear();
    batch.frames.extra.clear();
    if (batch.packets.size() < batch.frames.frames.size()) batch.packets.resize(batch.frames.frames.size());
    const auto workers = static_cast<std::uint64_t>(worker_count_);
    std::uint32_t count = 0;
    for (const capture::RawFrame& frame : batch.frames.frames) {
      ++result_.frames;
      KeyedPacket& k = batch.packets[count];
      k.seen = clock_.Read(frame.time);
      k.now = clock_.now();
      switch (decoder_.Decode(frame, k.packet, batch.frames.extra)) {
        case DecodeResult::kPacket:
          break;
        case DecodeResult::kFragment:
          continue;
        case DecodeResult::kOther:
          ++result_.undecoded;
          continue;
        case DecodeResult::kTruncated:
          ++result_.truncated;
          continue;
        case DecodeResult::kUnknownLink:
          ++result_.unknown_link;
          continue;
      }
      k.hash = HashFlow(k.packet);
      batch.by_worker[workers == 1 ? 0 : (k.hash >> 60) % workers].push_back(count++);
    }
    batch.now = clock_.now();
  }

  // True: after the last frame, the workers have told everything.
  bool Collect(Batch& batch) {
    bool flushed = true;
    std::uint64_t last = FlowTable::kNone, undecided = FlowTable::kNone;
    for (Batch::Outcome& o : batch.outcomes) {
      for (const std::uint64_t f : o.decided) collector_.Decided(f);
      for (Told& t : o.told) collector_.Add(std::move(t));
      o.decided.clear();
      o.told.clear();
      last = std::min(last, o.oldest_last_frame);
      undecided = std::min(undecided, o.oldest_undecided);
      flushed = flushed && o.flushed;
    }
    collector_.Advance(last, undecided);
    return flushed;
  }

  PipelineResult Result() {
    result_.conversations = collector_.written();
    result_.spill_failed = !collector_.ok();
    return result_;
  }

  PipelineResult RunInline() {
    const auto batch = NewBatch();
    while (Fill(*batch)) {
      workers_[0]->Observe(*batch, false);
      Collect(*batch);
    }
    Empty(*batch);
    do workers_[0]->Observe(*batch, true);
    while (!Collect(*batch));
    return Result();
  }

  static void Empty(Batch& batch) {
    for (auto& mine : batch.by_worker) mine.clear();
  }

  PipelineResult RunThreaded() {
    Conveyor conveyor(worker_count_);
    std::vector<std::unique_ptr<Batch>> batches;
    std::vector<Batch*> free;
    for (std::size_t i = 0; i < kBatches; ++i) batches.push_back(NewBatch()), free.push_back(batches.back().get());
    const auto end = NewBatch();  // tells the workers to flush
    std::vector<std::jthread> threads;
    for (int i = 0; i < worker_count_; ++i) {
      threads.emplace_back([&, i] {
        while (Batch* b = conveyor.Receive(i)) {
          workers_[static_cast<std::size_t>(i)]->Observe(*b, b == end.get());
          conveyor.Done(b);
        }
      });
    }
    for (bool more = true; more;) {
      while (Batch* b = conveyor.TakeBack(free.empty())) Collect(*b), free.push_back(b);
      Batch* b = free.back();
      free.pop_back();
      more = Fill(*b);
      if (more) conveyor.Send(b);
    }
    while (Batch* b = conveyor.TakeBack(true)) Collect(*b);
    do conveyor.Send(end.get());
    while (!Collect(*conveyor.TakeBack(true)));
    conveyor.Close();
    return Result();
  }

  capture::FrameSource& source_;
  const PipelineOptions& options_;
  capture::Decoder decoder_;
  CaptureClock clock_;
  Collector collector_;
  int worker_count_;
  std::vector<std::unique_ptr<Worker>> workers_;
  PipelineResult result_;
};

}  // namespace

PipelineResult Run(capture::FrameSource& source, Report& report, const PipelineOptions& options) {
  return Pipeline(source, report, options).Run();
}

}  // namespace glasspost::analysis
