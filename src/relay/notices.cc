#include "relay/notices.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "relay/destination.h"
#include "relay/message_source.h"
#include "relay/store_call.h"
#include "wire/mime/message_scan.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/parameters.h"

namespace glasspost::relay {
namespace {

constexpr std::chrono::seconds kAgain{1};  // after a full disk, or an error of the directory
constexpr std::uint8_t kNotifyNever = 1;

// As it stands in a path (RFC 5321 §4.1.2).
std::string PathOf(const store::AddressName& name) {
  if (smtp::IsLocalPart(name.local)) return name.Text();
  std::string quoted = "\"";
  for (const char c : name.local) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"@" + name.domain;
}

bool IsFull(const store::LocalTarget& target, const store::Entry& entry) {
  const std::string prefix = LocalPrefix(entry.envelope.reverse_path, target.name.Text());
  return target.quota != 0 && target.used + prefix.size() + entry.size > target.quota;
}

// Full mailboxes among several get entries of their own, so that they do not keep the others' mail back.
void LeaveFullToTheQueue(store::Resolution& to, const store::Entry& entry) {
  std::erase_if(to.mailboxes, [&](const store::LocalTarget& target) {
    if (!IsFull(target, entry)) return false;
    to.forwards.push_back(target.name);
    return true;
  });
}

Verdict OverQuota(store::Entry entry, bool permanent) {
  return {std::move(entry),
          {.kind = permanent ? smtp::Outcome::Kind::kRefused : smtp::Outcome::Kind::kDeferred,
           .stage = smtp::Stage::kContentEnd,
           .local = true,
           .in_doubt = false,
           .code = permanent ? 552 : 452,
           .enhanced = permanent ? "5.2.2" : "4.2.2",
           .text = "The mailbox is full"}};
}

bool Passes(store::Fault fault) { return fault == store::Fault::kFull || fault == store::Fault::kFailed; }

}  // namespace

void Notices::Send(NoticeJob job) {
  job.facts.host = parts_.options.host;
  for (const store::Outcome& outcome : job.outcomes) writing_.insert(outcome.entry);
  Begin([self = shared_from_this(), job = std::move(job)] { return self->Report(job); });
}

void Notices::DeliverHere(store::Entry entry) {
  Begin([self = shared_from_this(), entry = std::move(entry)] { return self->Local(entry); });
}

void Notices::Begin(Work work) {
  if (running_ >= kAtOnce) return waiting_.push_back(std::move(work));
  Run(std::move(work));
}

void Notices::Run(Work work) {
  ++running_;
  net::asio::co_spawn(parts_.context.get_executor(), work(), [self = shared_from_this()](std::exception_ptr) {
    --self->running_;
    if (!self->waiting_.empty()) {
      Work next = std::move(self->waiting_.front());
      self->waiting_.pop_front();
      return self->Run(std::move(next));
    }
    self->parts_.on_done({}, false);
  });
}

// False: there is no time left for another attempt.
net::Task<bool> Notices::Pause() {
  if (stopping_) co_return false;
  net::Timer timer(parts_.context, kAgain);
  co_await timer.async_wait(net::kAwait);
  co_return !stopping_;
}

net::Task<store::Result<store::Resolution>> Notices::Resolve(std::string path) {
  store::Resolution unknown;
  unknown.kind = store::Resolution::Kind::kUnknown;
  std::optional<store::AddressName> name = SplitAddress(path);
  if (!name) co_return unknown;
  store::Result<store::Resolution> resolution = co_await Ask<store::Resolution>(
      parts_.context, [&](store::Done<store::Resolution> done) { parts_.store.directory().Resolve(*name, std::move(done)); });
  // Not ours: it goes there as it is written.
  if (resolution && resolution->kind == store::Resolution::Kind::kElsewhere) resolution->forwards = {*name};
  co_return resolution;
}

net::Task<std::string> Notices::ReadHeader(store::MessageId message) {
  store::Result<std::string> octets = co_await Ask<std::string>(parts_.context, [&](store::Done<std::string> done) {
    parts_.store.mailboxes().ReadMessage(message, 0, kHeaderOctets, std::move(done));
  });
  if (!octets) co_return std::string();
  const std::size_t end = octets->find("\r\n\r\n");
  if (end != std::string::npos) {
    octets->resize(end + 2);
  } else if (const std::size_t line = octets->rfind("\r\n"); octets->size() == kHeaderOctets && line != std::string::npos) {
    octets->resize(line + 2);
  }
  co_return std::move(*octets);
}

// By pieces that the store takes: what a report says of many recipients, or of long replies, is more than one.
net::Task<store::Result<void>> Notices::Append(store::Receiver& receiver, Octets octets) {
  store::Result<void> result;
  for (std::size_t at = 0; result && at < octets.size(); at += store::MessageLimits::kChunk)
    result = co_await AppendPiece(receiver, octets.substr(at, store::MessageLimits::kChunk));
  co_return result;
}

net::Task<store::Result<void>> Notices::AppendPiece(store::Receiver& receiver, Octets octets) {
  using Token = net::asio::use_awaitable_t<net::Executor>;
  store::Result<void> result = co_await net::asio::async_initiate<const Token, void(store::Result<void>)>(
      [this, &receiver, octets](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        const auto go_on = [&context = parts_.context, shared](store::Result<void> answer) {
          net::asio::post(context, [shared, answer = std::move(answer)]() mutable { (*shared)(std::move(answer)); });
        };
        if (receiver.Append(octets, store::Done<void>(go_on))) go_on({});
      },
      Token{});
  co_return result;
}

net::Task<store::Result<void>> Notices::AppendMessage(store::Receiver& receiver, store::MessageId message, std::uint64_t size,
                                                      bool* eight_bit_header) {
  for (std::uint64_t offset = 0; offset < size;) {
    store::Result<std::string> piece = co_await Ask<std::string>(parts_.context, [&](store::Done<std::string> done) {
      parts_.store.mailboxes().ReadMessage(message, offset, StoredMessage::kPiece, std::move(done));
    });
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return store::Refuse(store::Fault::kNotFound, "the message's octets are gone");
    if (offset == 0 && eight_bit_header != nullptr)
      *eight_bit_header = smtp::IsEightBit(Octets(*piece).substr(0, piece->find("\r\n\r\n")));
    offset += piece->size();
    store::Result<void> appended = co_await Append(receiver, *piece);
    if (!appended) co_return appended;
  }
  co_return store::Result<void>();
}

void Notices::AddTargets(store::Plan& plan, const store::Resolution& to, const store::Envelope& envelope, std::uint8_t notify,
                         bool utf8_header) const {
  for (const store::LocalTarget& target : to.mailboxes) {
    std::string prefix = LocalPrefix(envelope.reverse_path, target.name.Text());
    const bool utf8 = envelope.smtputf8 && (utf8_header || smtp::IsEightBit(prefix));
    plan.mailboxes.push_back({target.mailbox, std::move(prefix), utf8 ? store::kUtf8Header : 0});
  }
  for (const store::AddressName& name : to.forwards) {
    const std::string path = PathOf(name);
    plan.entries.push_back({.recipient = path,
                            .destination = DestinationOf(parts_.options, path),
                            .orcpt = {},
                            .notify = notify,
                            .due = parts_.clock.Now()});
  }
  plan.envelope = envelope;
  plan.arrived = parts_.clock.Now();
  plan.owner = parts_.owner;
}

void Notices::AddReportEvents(store::Plan& plan, const NoticeJob& job, const NoticeFacts& facts, const std::string& message_id,
                              const std::string& digest) const {
  plan.events = job.events;
  for (const std::size_t i : job.telling) AppendDetail(plan.events[i].detail, "notice", facts.notice_id);
  std::string detail;
  AppendDetail(detail, "with", "report");
  AppendDetail(detail, "about", facts.queue_id);
  plan.events.push_back({.time = facts.now,
                         .message = 0,
                         .kind = static_cast<int>(JourneyKind::kAccepted),
                         .conversation = 0,
                         .sender = {},
                         .recipient = facts.to,
                         .message_id = message_id,
                         .digest = digest,
                         .detail = std::move(detail)});
  const JourneyKind next = plan.mailboxes.empty() ? JourneyKind::kQueued : JourneyKind::kMailbox;
  detail.clear();
  if (plan.mailboxes.empty()) AppendDetail(detail, "destination", plan.entries.front().destination);
  plan.events.push_back({.time = facts.now,
                         .message = 0,
                         .kind = static_cast<int>(next),
                         .conversation = 0,
                         .sender = {},
                         .recipient = facts.to,
                         .message_id = {},
                         .digest = {},
                         .detail = std::move(detail)});
}

net::Task<store::Result<store::Accepted>> Notices::CommitReport(const NoticeJob& job, const store::Resolution& to,
                                                                Octets header) {
  const Timestamp now = parts_.clock.Now();
  const std::unique_ptr<store::Receiver> receiver = parts_.store.Receive(now);
  NoticeFacts facts = job.facts;
  facts.queue_id = store::QueueIdText(job.about.message);
  facts.notice_id = store::QueueIdText(receiver->id());
  facts.now = now;
  const Notice notice = ComposeNotice(facts, header);
  store::Result<void> written = co_await Append(*receiver, notice.head);
  if (written && facts.whole) written = co_await AppendMessage(*receiver, job.about.message, job.about.size);
  if (written) written = co_await Append(*receiver, notice.tail);
  if (!written) co_return std::unexpected(written.error());

  store::Plan plan;
  AddTargets(plan, to,
             {.reverse_path = {}, .envid = {}, .eight_bit = notice.eight_bit, .smtputf8 = notice.smtputf8, .arrived = now},
             kNotifyNever, notice.smtputf8);
  plan.outcomes = job.outcomes;
  std::string digest;
  if (!facts.whole) {
    mime::MessageScan scan({.digest = false, .journey = true, .limits = {}});
    scan.OnOctets(notice.head);
    scan.OnOctets(notice.tail);
    const mime::Digest id = scan.FinishJourneyId();
    digest.assign(reinterpret_cast<const char*>(id.data()), id.size());
  }
  AddReportEvents(plan, job, facts, notice.message_id, digest);
  store::Result<store::Accepted> accepted = co_await Ask<store::Accepted>(
      parts_.context, [&](store::Done<store::Accepted> done) { receiver->Commit(std::move(plan), std::move(done)); });
  co_return accepted;
}

void Notices::Done(const NoticeJob& job, bool queued) {
  for (const store::Outcome& outcome : job.outcomes) writing_.erase(outcome.entry);
  wrote_.cancel();
  parts_.on_done(job.outcomes, queued);
}

net::Task<void> Notices::Written() {
  const std::unordered_set<store::EntryId> before = writing_;
  const auto writes = [this](store::EntryId entry) { return Writes(entry); };
  while (std::ranges::any_of(before, writes)) co_await wrote_.async_wait(net::kAwait);
}

// Nobody can be told.
void Notices::Drop(NoticeJob job, std::string_view why) {
  parts_.observer.OnTrouble("no report can be sent to <" + job.facts.to + ">: " + std::string(why));
  for (const std::size_t i : job.telling) {
    if (job.events[i].kind == static_cast<int>(JourneyKind::kBounced))
      job.events[i].kind = static_cast<int>(JourneyKind::kDropped);
    AppendDetail(job.events[i].detail, "no-notice", why);
  }
  Done(job, false);
  parts_.settler.Add(std::move(job.outcomes), std::move(job.events));
}

net::Task<void> Notices::Report(NoticeJob job) {
  std::string header;
  if (!job.facts.whole) header = co_await ReadHeader(job.about.message);
  while (true) {
    const store::Result<store::Resolution> to = co_await Resolve(job.facts.to);
    if (to && to->mailboxes.empty() && to->forwards.empty()) {
      Drop(std::move(job), "there is no such address");
      co_return;
    }
    store::Failure failure;
    if (to) {
      const store::Result<store::Accepted> accepted = co_await CommitReport(job, *to, header);
      if (accepted) {
        parts_.observer.OnNotice(job.about.message, accepted->message, job.facts.to);
        Done(job, !accepted->entries.empty());
        co_return;
      }
      failure = accepted.error();
    } else {
      failure = to.error();
    }
    parts_.observer.OnTrouble("a report cannot be written: " + failure.text);
    if (failure.fault == store::Fault::kTooLarge || failure.fault == store::Fault::kInvalid ||
        failure.fault == store::Fault::kNotFound) {
      if (!job.facts.whole) {
        Drop(std::move(job), failure.text);
        co_return;
      }
      job.facts.whole = false;  // the header is better than nothing
      header = co_await ReadHeader(job.about.message);
      continue;
    }
    bool again = Passes(failure.fault);
    if (again) again = co_await Pause();
    if (!again) {
      Done(job, false);
      co_return;
    }
  }
}

// An entry for several mailboxes, or for addresses elsewhere: a message of its own takes its place.
net::Task<void> Notices::Copy(store::Entry entry, store::Resolution resolution) {
  const std::vector<store::Outcome> outcomes{
      {.entry = entry.id, .kind = store::Outcome::Kind::kDelivered, .attempted = parts_.clock.Now()}};
  while (true) {
    const std::unique_ptr<store::Receiver> receiver = parts_.store.Receive(parts_.clock.Now());
    bool utf8_header = false;
    store::Result<void> written = co_await AppendMessage(*receiver, entry.message, entry.size, &utf8_header);
    store::Result<store::Accepted> accepted = written ? store::Result<store::Accepted>() : std::unexpected(written.error());
    if (written) {
      store::Plan plan;
      AddTargets(plan, resolution, entry.envelope, entry.entry.notify, utf8_header);
      plan.outcomes = outcomes;
      std::string to;
      for (const store::LocalTarget& target : resolution.mailboxes) to += (to.empty() ? "" : ", ") + target.name.Text();
      for (const store::AddressName& name : resolution.forwards) to += (to.empty() ? "" : ", ") + name.Text();
      std::string detail;
      AppendDetail(detail, "to", Octets(to).substr(0, store::JourneyLimits::kKeyOctets));
      AppendDetail(detail, "as", store::QueueIdText(receiver->id()));
      plan.events.push_back(MakeEvent(JourneyKind::kExpanded, entry, parts_.clock.Now(), 0, std::move(detail)));
      accepted = co_await Ask<store::Accepted>(
          parts_.context, [&](store::Done<store::Accepted> done) { receiver->Commit(std::move(plan), std::move(done)); });
    }
    if (accepted) break;
    parts_.observer.OnTrouble("a message cannot be delivered here: " + accepted.error().text);
    bool again = Passes(accepted.error().fault);
    if (again) again = co_await Pause();
    if (!again) break;
  }
  parts_.on_done(outcomes, true);
}

net::Task<void> Notices::Local(store::Entry entry) {
  store::Result<store::Resolution> to = co_await Resolve(entry.entry.recipient);
  const auto told = [&] { parts_.on_done({{.entry = entry.id}}, false); };
  if (!to) {
    parts_.observer.OnTrouble("the directory gives no answer: " + to.error().text);
    told();
    parts_.judge->Release({entry}, parts_.clock.Now() + std::chrono::nanoseconds(kAgain).count());
    co_return;
  }
  if (to->mailboxes.empty() && to->forwards.empty()) {
    told();
    std::vector<Verdict> verdicts{{entry,
                                   {.kind = smtp::Outcome::Kind::kRefused,
                                    .stage = smtp::Stage::kRcpt,
                                    .local = true,
                                    .in_doubt = false,
                                    .code = 550,
                                    .enhanced = "5.1.1",
                                    .text = "There is no such mailbox here"}}};
    parts_.judge->Conclude(std::move(verdicts), {}, parts_.clock.Now());
    co_return;
  }
  if (to->mailboxes.size() == 1 && to->forwards.empty()) {
    told();
    const store::LocalTarget& target = to->mailboxes.front();
    if (IsFull(target, entry)) {
      parts_.judge->Conclude({OverQuota(std::move(entry), parts_.options.quota_permanent)}, {}, parts_.clock.Now());
      co_return;
    }
    parts_.judge->Delivered(entry, target.mailbox, target.name.Text(), parts_.clock.Now());
    co_return;
  }
  LeaveFullToTheQueue(*to, entry);
  co_await Copy(std::move(entry), std::move(*to));
}

}  // namespace glasspost::relay
