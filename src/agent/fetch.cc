#include "agent/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "agent/login_secrets.h"

namespace glasspost::agent {
namespace {

using pop3::Command;

constexpr std::size_t kRemarks = 20;  // more are counted only: a server may do everything wrong
constexpr std::size_t kAhead = 64;    // messages asked for at a time: so many come in vain when there is no room for one
constexpr std::uint64_t kWaitingOctets = std::uint64_t{4} << 20;  // of messages that are kept together
constexpr std::int64_t kDay = 24 * 60 * 60;
constexpr std::int64_t kSecond = 1'000'000'000;

class Fetching final : public pop3::ClientHandler, private PlaceLog {
 public:
  Fetching(const pop3::ClientOptions& options, Randomness& randomness, const Clock& clock, const FetchOrders& orders,
           MailWriter& writer, FetchedIds* ids, std::function<void(const FetchProgress&)> on_progress)
      : options_(Bounded(options, orders)),
        session_(*this, options_, randomness),
        orders_(orders),
        writer_(writer),
        ids_(ids),
        on_progress_(std::move(on_progress)),
        seconds_(clock.Now() / kSecond),
        secrets_(SecretsOf(options.credentials)) {}

  net::Task<void> Run(net::Stream& stream, const Peer& server) {
    if (ids_) writer_.SetPlaceLog(this);
    const bool begun = co_await Begin(stream, session_, server);
    if (begun) co_await Drive(stream, session_, server);
    if (writing_) writer_.Abandon();
    Settle();  // what came whole is kept, however the connection ended
    writer_.SetPlaceLog(nullptr);
    if (inexact_ != 0) Remark(fmt::format("sizes in LIST that are not true, {} in all; the first, {}", inexact_, first_inexact_));
  }

  FetchReport report;

 private:
  struct Message {
    std::uint64_t number = 0;
    std::uint64_t size = 0;  // as LIST says
    std::string id;          // empty: none that could be remembered
    bool fetch = false;
  };

  void OnReady() override {
    session_.List();
    if (ids_) session_.Uidl();
    if (!ids_) wanted_lists_ = 1;
  }

  void OnReply(Command command, std::uint64_t number, const pop3::StatusLine& reply) override {
    const bool ok = reply.status == pop3::Status::kOk;
    switch (command) {
      case Command::kList:
        if (!ok) return GiveUp("the server does not list its messages: " + secrets_.Redacted(reply.text));
        return;
      case Command::kUidl:
        if (ok) return;
        if (!orders_.all && !orders_.remove)
          return GiveUp("the server gives no unique-ids, so that what is new cannot be told",
                        "fetch all with --all, or with --delete");
        Remark("the server gives no unique-ids: what is fetched now will be fetched again if it stays there");
        return ListEnded();
      case Command::kRetr:
        if (!ok) {
          Remark(fmt::format("message {} is refused: {}", number, secrets_.Redacted(reply.text)));
          refused_ = true;
          return FetchEnded();
        }
        coming_ = number;
        return BeginMessage();
      case Command::kDele:
        if (ok)
          ++deleted_;
        else
          Remark(fmt::format("message {} cannot be deleted: {}", number, secrets_.Redacted(reply.text)));
        return;
      default:
        return;
    }
  }

  void OnListed(Command command, const pop3::ListingLine& line) override {
    if (command == Command::kList) {
      messages_.push_back({line.number, ParseSize(line.rest), {}, false});
    } else if (command == Command::kUidl) {
      TakeId(line.number, line.rest);
    }
  }

  void OnMessageOctets(Octets octets) override {
    received_ += octets.size();
    progress_.octets += octets.size();
    if (writing_ && !report.trouble) {
      if (const auto written = writer_.Write(octets); !written) Trouble(written.error());
    }
    if (on_progress_) on_progress_(progress_);
  }

  void OnEnd(Command command, std::uint64_t number) override {
    if (command == Command::kList) SortMessages();
    if (command == Command::kList || command == Command::kUidl) return ListEnded();
    if (command == Command::kRetr) EndMessage(number);
  }

  void OnClosed(const pop3::ClientOutcome& outcome) override {
    report.closed = outcome;
    if (!outcome.local) secrets_.Redact(report.closed.text);
    if (outcome.kind == pop3::ClientOutcome::Kind::kTooMuch && outcome.during == Command::kRetr) TellOversized();
    if (outcome.kind != pop3::ClientOutcome::Kind::kDone) return;
    report.removed = deleted_;
    report.complete = planned_ && !report.trouble && !report.unable && !refused_;
  }

  Expected<void> OnPlacing(std::size_t nth, Octets place) override {
    const Message* const message = nth < waiting_.size() ? waiting_[nth].first : MessageOf(coming_);
    if (message == nullptr || message->id.empty()) return {};
    return ids_->Announce(message->id, seconds_, place);
  }
  bool OnWithdrawn() override { return ids_->Withdraw(); }

  const Message* MessageOf(std::uint64_t number) const {
    const auto at = std::ranges::lower_bound(messages_, number, {}, &Message::number);
    return at != messages_.end() && at->number == number ? &*at : nullptr;
  }

  static pop3::ClientOptions Bounded(pop3::ClientOptions options, const FetchOrders& orders) {
    if (orders.largest != 0)
      options.limits.message_octets = std::min(options.limits.message_octets, orders.largest + FetchLimits::kSizeSlack);
    return options;
  }

  // Nothing of it is kept (Run abandons it), and what was to come behind it is another conversation's.
  void TellOversized() {
    const Message* const message = MessageOf(coming_);
    const std::uint64_t said = message != nullptr ? message->size : 0;
    Remark(fmt::format("message {} does not end after {} octets; LIST said {}: it is left there", coming_,
                       std::min(options_.limits.message_octets, MostOf(said)), said));
    report.oversized = 1;
    report.reached = coming_;
  }

  // Octets that a message may have of which LIST said `size`.
  static std::uint64_t MostOf(std::uint64_t size) { return std::max(2 * size, size + FetchLimits::kSizeSlack); }

  static std::uint64_t ParseSize(Octets rest) {
    std::uint64_t size = 0;
    for (const char c : rest) {
      if (c < '0' || c > '9' || size > (std::uint64_t{1} << 50)) break;
      size = size * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return size;
  }

  void Remark(std::string text) {
    if (report.remarks.size() < kRemarks) report.remarks.push_back(std::move(text));
  }

  void GiveUp(std::string what, std::string remedy = {}) {
    report.unable = Error{std::move(what), {}, std::move(remedy)};
    Leave();
  }

  // Here, not there: what comes now cannot be kept. What was deleted up to now was kept.
  void Trouble(const Error& error) {
    if (!report.trouble) report.trouble = error;
    if (std::exchange(writing_, false)) writer_.Abandon();
  }

  void Leave() {
    if (!std::exchange(leaving_, true)) session_.Quit();
  }

  void ListEnded() {
    if (++ended_lists_ < wanted_lists_ || leaving_) return;
    Plan();
  }

  void Plan() {
    planned_ = true;
    DropDoubtfulIds();
    std::uint64_t chosen = 0;
    for (Message& message : messages_) {
      const auto when = ids_ && !message.id.empty() ? ids_->When(message.id) : std::nullopt;
      if (when && !orders_.all) {
        ++report.known;
        if (MayGo(*when)) session_.Delete(message.number);
        continue;
      }
      if (orders_.largest != 0 && message.size > orders_.largest) {
        ++report.too_large;
        continue;
      }
      if (message.number <= orders_.after) {  // only with `all`, or without unique-id: was done, and may go now
        if (when && MayGo(*when)) session_.Delete(message.number);
        continue;
      }
      if (orders_.at_most != 0 && chosen >= orders_.at_most) {
        ++report.left;
        continue;
      }
      ++chosen;
      message.fetch = true;
      progress_.of_octets += message.size;
    }
    progress_.of = chosen;
    for (std::size_t i = 0; i < kAhead; ++i) FetchNext();
    if (chosen == 0) Leave();
  }

  void FetchNext() {
    while (next_ < messages_.size() && !messages_[next_].fetch) ++next_;
    if (next_ == messages_.size()) return;
    const Message& message = messages_[next_++];
    session_.Retrieve(message.number, MostOf(message.size));
  }

  // By number, which no two have; what the server makes of that is its own affair.
  void SortMessages() {
    std::ranges::sort(messages_, {}, &Message::number);
    const std::size_t before = messages_.size();
    const auto twice = std::ranges::unique(messages_, {}, &Message::number);
    messages_.erase(twice.begin(), twice.end());
    std::erase_if(messages_, [](const Message& m) { return m.number == 0; });
    if (messages_.size() < before) Remark("the list of messages has numbers twice, or such as cannot be");
    report.listed = messages_.size();
  }

  void TakeId(std::uint64_t number, Octets id) {
    const auto at = std::ranges::lower_bound(messages_, number, {}, &Message::number);
    if (at == messages_.end() || at->number != number) return;
    if (FetchedIds::IsId(id))
      at->id = id;
    else
      Remark(fmt::format("message {} has no proper unique-id: it will be fetched again", number));
  }

  // An id that several messages have says of none of them that it was fetched.
  void DropDoubtfulIds() {
    if (!ids_) return;
    std::unordered_map<std::string, unsigned> uses;
    for (const Message& message : messages_)
      if (!message.id.empty()) ++uses[message.id];
    for (Message& message : messages_) {
      if (message.id.empty() || uses[message.id] == 1) continue;
      Remark(fmt::format("message {} has the unique-id of another one: it will be fetched again", message.number));
      message.id.clear();
    }
    if (uses.empty()) return;
    const auto wanted = [&](Octets id) {
      const auto at = uses.find(std::string(id));
      return at != uses.end() && at->second == 1;
    };
    if (const auto kept = ids_->Retain(wanted, seconds_); !kept) Trouble(kept.error());
  }

  bool MayGo(std::int64_t fetched) const {
    if (orders_.remove) return true;
    // A time to come is no time.
    return orders_.remove_after_days && fetched <= seconds_ &&
           seconds_ - fetched >= std::int64_t{*orders_.remove_after_days} * kDay;
  }

  void BeginMessage() {
    received_ = 0;
    if (report.trouble) return;
    if (const auto begun = writer_.Begin(); !begun) return Trouble(begun.error());
    writing_ = true;
  }

  void EndMessage(std::uint64_t number) {
    const Message* const message = MessageOf(number);
    if (std::exchange(writing_, false) && message != nullptr) Keep(*message);
    FetchEnded();
  }

  void Keep(const Message& message) {
    if (const auto ended = writer_.End(); !ended) {
      writer_.Abandon();
      return Trouble(ended.error());
    }
    if (message.size != received_ && inexact_++ == 0)
      first_inexact_ = fmt::format("message {} has {} octets; LIST said {}", message.number, received_, message.size);
    waiting_octets_ += received_;
    waiting_.push_back({&message, received_});
    if (waiting_.size() >= writer_.most_waiting() || waiting_octets_ >= kWaitingOctets) Settle();
  }

  // What waits is kept, then remembered; then it may go.
  void Settle() {
    if (waiting_.empty()) return;
    const auto kept = writer_.Commit();  // tells where each of them goes
    const auto settled = std::exchange(waiting_, {});
    waiting_octets_ = 0;
    if (!kept) return Trouble(kept.error());
    std::uint64_t remembered = 0;
    for (const auto& [message, octets] : settled) {
      ++report.kept;
      report.octets += octets;
      if (!ids_ || message->id.empty()) continue;
      ids_->Add(message->id, seconds_);
      ++remembered;
    }
    progress_.messages = report.kept;
    const auto synced = ids_ ? ids_->Sync() : Expected<void>();
    if (synced)
      report.remembered += remembered;
    else
      Trouble(synced.error());
    // What cannot be remembered may go all the same: it is on the disk.
    if (MayGo(seconds_) && !leaving_)
      for (const auto& [message, octets] : settled) session_.Delete(message->number);
    if (on_progress_) on_progress_(progress_);
  }

  void FetchEnded() {
    if (++ended_ == progress_.of) Settle();
    if (ended_ == progress_.of || report.trouble) return Leave();
    FetchNext();
  }

  const pop3::ClientOptions options_;
  pop3::ClientSession session_;
  const FetchOrders& orders_;
  MailWriter& writer_;
  FetchedIds* const ids_;
  std::function<void(const FetchProgress&)> on_progress_;
  const std::int64_t seconds_;
  const Secrets secrets_;
  std::vector<Message> messages_;
  FetchProgress progress_;
  std::vector<std::pair<const Message*, std::uint64_t>> waiting_;  // ended, not committed; and their octets
  std::uint64_t waiting_octets_ = 0;
  std::uint64_t coming_ = 0;    // the number of the message that comes
  std::uint64_t received_ = 0;  // of it
  std::size_t next_ = 0;        // of messages_, to be asked for
  std::uint64_t ended_ = 0;
  std::uint64_t deleted_ = 0;
  std::uint64_t inexact_ = 0;  // messages of which LIST said another size
  std::string first_inexact_;
  int wanted_lists_ = 2;
  int ended_lists_ = 0;
  bool planned_ = false;
  bool writing_ = false;
  bool leaving_ = false;
  bool refused_ = false;
};

}  // namespace

net::Task<FetchReport> FetchMail(net::Stream& stream, const Peer& server, Randomness& randomness,
                                 const pop3::ClientOptions& options, const FetchOrders& orders, MailWriter& writer,
                                 FetchedIds* ids, std::function<void(const FetchProgress&)> on_progress) {
  Fetching fetching(options, randomness, stream.clock(), orders, writer, ids, std::move(on_progress));
  co_await fetching.Run(stream, server);
  co_await stream.Close(std::chrono::seconds(5));
  co_return std::move(fetching.report);
}

}  // namespace glasspost::agent
