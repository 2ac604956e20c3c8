// What the relay itself lays into the store: reports to senders, and copies for recipients whose destination has become local.
// Each is one commit together with the outcomes that it tells of, so that after a crash both have happened or neither.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/clock.h"
#include "net/asio.h"
#include "relay/verdict.h"
#include "store/store.h"

namespace glasspost::relay {

// On one thread. Its coroutines hold it; what is passed in outlives them (the relay waits for idle()).
class Notices final : public NoticeSink, public std::enable_shared_from_this<Notices> {
 public:
  // Reports that are made at once; each holds a header, or a piece of a message.
  static constexpr std::size_t kAtOnce = 16;
  // Of a header that a report repeats.
  static constexpr std::size_t kHeaderOctets = std::size_t{64} << 10;

  struct Parts {
    net::asio::io_context& context;
    const Clock& clock;
    store::Store& store;
    const RelayOptions& options;
    std::string owner;
    Settler& settler;
    Observer& observer;
    // Entries whose outcomes are committed, or lost; and that there are new ones in the queue.
    std::function<void(const std::vector<store::Outcome>&, bool queued)> on_done;
    Judge* judge = nullptr;
  };
  explicit Notices(Parts parts)
      : parts_(std::move(parts)), wrote_(parts_.context, std::chrono::steady_clock::time_point::max()) {}
  void SetJudge(Judge& judge) { parts_.judge = &judge; }

  void Send(NoticeJob job) override;
  // The recipient's domain is ours now.
  void DeliverHere(store::Entry entry);
  // A report about this entry is being made: its lease must last.
  bool Writes(store::EntryId entry) const { return writing_.contains(entry); }
  // Returns when the reports that were sent before the call are on the disk with their outcomes (or were given up).
  net::Task<void> Written();
  bool idle() const { return running_ == 0 && waiting_.empty(); }
  // What there is to be done is done, but nothing is waited for any more (a full disk).
  void Stop() { stopping_ = true; }

 private:
  using Work = std::function<net::Task<void>()>;

  void Run(Work work);
  void Begin(Work work);
  net::Task<void> Report(NoticeJob job);
  net::Task<void> Local(store::Entry entry);
  net::Task<void> Copy(store::Entry entry, store::Resolution resolution);
  net::Task<store::Result<store::Accepted>> CommitReport(const NoticeJob& job, const store::Resolution& to, Octets header);
  net::Task<store::Result<void>> AppendMessage(store::Receiver& receiver, store::MessageId message, std::uint64_t size,
                                               bool* eight_bit_header = nullptr);
  net::Task<store::Result<void>> Append(store::Receiver& receiver, Octets octets);
  net::Task<store::Result<void>> AppendPiece(store::Receiver& receiver, Octets octets);
  net::Task<store::Result<store::Resolution>> Resolve(std::string path);
  net::Task<std::string> ReadHeader(store::MessageId message);
  net::Task<bool> Pause();
  void Done(const NoticeJob& job, bool queued);
  void Drop(NoticeJob job, std::string_view why);
  void AddTargets(store::Plan& plan, const store::Resolution& to, const store::Envelope& envelope, std::uint8_t notify,
                  bool utf8_header) const;
  void AddReportEvents(store::Plan& plan, const NoticeJob& job, const NoticeFacts& facts, const std::string& message_id,
                       const std::string& digest) const;

  Parts parts_;
  std::deque<Work> waiting_;
  std::unordered_set<store::EntryId> writing_;
  net::Timer wrote_;  // never runs out; those who wait for it are woken after each report
  std::size_t running_ = 0;
  bool stopping_ = false;
};

}  // namespace glasspost::relay
