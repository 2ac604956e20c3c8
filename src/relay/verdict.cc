#include "relay/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "relay/next_id.h"

namespace glasspost::relay {
namespace {

using smtp::Outcome;
using OutcomeKind = store::Outcome::Kind;

constexpr std::size_t kReplyOctets = 2048;                                  // of a reply that journeys and reports keep
constexpr std::uint8_t kNever = 1, kSuccess = 2, kFailure = 4, kDelay = 8;  // NewEntry::notify

// RFC 3461 §4.1, §5.2.1; a report about a report would go round for ever (RFC 5321 §6.1).
bool Wants(const store::Entry& entry, std::uint8_t what) {
  if (entry.envelope.reverse_path.empty() || (entry.entry.notify & kNever) != 0) return false;
  if (entry.entry.notify == 0) return what != kSuccess;
  return (entry.entry.notify & what) != 0;
}

// RFC 3463: a status whose class fits.
std::string StatusOf(const Outcome& outcome, char wanted) {
  if (outcome.enhanced.size() >= 5 && outcome.enhanced.front() == wanted) return outcome.enhanced;
  return std::string(1, wanted) + ".0.0";
}

std::string HopDetail(const Trip& trip, const Outcome& outcome) {
  std::string detail;
  if (!trip.host.empty()) AppendDetail(detail, "host", trip.host);
  if (!trip.address.empty()) AppendDetail(detail, "address", trip.address);
  AppendDetail(detail, "reply", ReplyText(outcome));
  if (outcome.local) AppendDetail(detail, "local", "yes");
  return detail;
}

}  // namespace

std::string ReplyText(const Outcome& outcome) {
  std::string text = std::to_string(outcome.code);
  for (const std::string* part : {&outcome.enhanced, &outcome.text})
    if (!part->empty()) text += " " + *part;
  if (text.size() > kReplyOctets) text.resize(kReplyOctets);
  return text;
}

std::string LocalPrefix(Octets reverse_path, Octets account) {
  return fmt::format("Return-Path: <{}>\r\nDelivered-To: {}\r\n", reverse_path, account);
}

store::JourneyEvent MakeEvent(JourneyKind kind, const store::Entry& entry, Timestamp now, std::uint64_t conversation,
                              std::string detail) {
  return {.time = now,
          .message = entry.message,
          .kind = static_cast<int>(kind),
          .conversation = conversation,
          .sender = {},
          .recipient = entry.entry.recipient,
          .message_id = {},
          .digest = {},
          .detail = std::move(detail)};
}

// What is written for the recipients of one message.
struct Judge::Sheet {
  const Trip& trip;
  Timestamp now;
  std::vector<store::Outcome> outcomes;
  std::vector<store::JourneyEvent> events;
  NoticeJob failed, delayed, success;
};

void Judge::Tell(NoticeJob& job, const Sheet& sheet, const Verdict& verdict, Action action, std::string_view status,
                 Timestamp until, store::Outcome outcome, JourneyKind kind, std::string detail) const {
  const store::Entry& entry = verdict.entry;
  if (job.facts.recipients.empty()) {
    job.about = entry;
    job.about.octets.reset();
    job.facts.to = entry.envelope.reverse_path;
    job.facts.envid = entry.envelope.envid;
    job.facts.arrived = entry.envelope.arrived;
    job.facts.message_eight_bit = entry.envelope.eight_bit;
    job.facts.message_smtputf8 = entry.envelope.smtputf8;
    // RFC 3461 §4.3: RET has to do with failures only.
    job.facts.whole = job.facts.kind == NoticeKind::kFailed && entry.envelope.ret == 1 && entry.size <= options_.whole_octets;
  }
  job.facts.recipients.push_back({.address = entry.entry.recipient,
                                  .orcpt = entry.entry.orcpt,
                                  .action = action,
                                  .status = std::string(status),
                                  .diagnostic = ReplyText(verdict.outcome),
                                  .smtp = !verdict.outcome.local,
                                  .remote = sheet.trip.host,
                                  .last_attempt = sheet.now,
                                  .will_retry_until = until});
  job.outcomes.push_back(std::move(outcome));
  job.telling.push_back(job.events.size());
  job.events.push_back(MakeEvent(kind, entry, sheet.now, sheet.trip.conversation, std::move(detail)));
}

void Judge::Relayed(Sheet& sheet, const Verdict& verdict) {
  const std::string next_id = NextQueueId(verdict.outcome.text);
  std::string detail = HopDetail(sheet.trip, verdict.outcome);
  if (!next_id.empty()) AppendDetail(detail, "next_id", next_id);
  store::Outcome outcome{.entry = verdict.entry.id, .kind = OutcomeKind::kDelivered, .attempted = sheet.now};
  const std::string reply = ReplyText(verdict.outcome);
  observer_.OnDelivery({.result = Result::kRelayed,
                        .entry = &verdict.entry,
                        .host = sheet.trip.host,
                        .address = sheet.trip.address,
                        .reply = reply,
                        .local_words = false,
                        .next_id = next_id,
                        .due = 0,
                        .conversation = sheet.trip.conversation});
  if (Wants(verdict.entry, kSuccess) && !sheet.trip.hop_reports) {
    return Tell(sheet.success, sheet, verdict, Action::kRelayed, StatusOf(verdict.outcome, '2'), 0, std::move(outcome),
                JourneyKind::kRelayed, std::move(detail));
  }
  sheet.outcomes.push_back(std::move(outcome));
  sheet.events.push_back(MakeEvent(JourneyKind::kRelayed, verdict.entry, sheet.now, sheet.trip.conversation, std::move(detail)));
}

void Judge::Deferred(Sheet& sheet, const Verdict& verdict) {
  const store::Entry& entry = verdict.entry;
  std::uint8_t drawn[8];
  randomness_.Fill(drawn);
  const Retry retry = AfterAttempt(options_.retry, entry.envelope.arrived, entry.attempts + 1, sheet.now, entry.delay_told,
                                   LoadNative<std::uint64_t>(drawn));
  if (retry.give_up) return Failed(sheet, verdict, "4.4.7");
  const std::string reply = ReplyText(verdict.outcome);
  store::Outcome outcome{
      .entry = entry.id, .kind = OutcomeKind::kDeferred, .due = retry.due, .attempted = sheet.now, .reply = reply};
  observer_.OnDelivery({.result = Result::kDeferred,
                        .entry = &entry,
                        .host = sheet.trip.host,
                        .address = sheet.trip.address,
                        .reply = reply,
                        .local_words = verdict.outcome.local,
                        .next_id = {},
                        .due = retry.due,
                        .conversation = sheet.trip.conversation});
  std::string detail = HopDetail(sheet.trip, verdict.outcome);
  AppendDetail(detail, "due", std::to_string(retry.due));
  sheet.events.push_back(MakeEvent(JourneyKind::kDeferred, entry, sheet.now, sheet.trip.conversation, std::move(detail)));
  if (retry.tell_delay && Wants(entry, kDelay)) {
    outcome.delay_told = sheet.now;
    return Tell(sheet.delayed, sheet, verdict, Action::kDelayed, StatusOf(verdict.outcome, '4'),
                entry.envelope.arrived + options_.retry.give_up, std::move(outcome), JourneyKind::kDelayed, {});
  }
  sheet.outcomes.push_back(std::move(outcome));
}

void Judge::Failed(Sheet& sheet, const Verdict& verdict, std::string_view status) {
  const store::Entry& entry = verdict.entry;
  const bool told = Wants(entry, kFailure);
  const std::string reply = ReplyText(verdict.outcome);
  observer_.OnDelivery({.result = told ? Result::kBounced : Result::kDropped,
                        .entry = &entry,
                        .host = sheet.trip.host,
                        .address = sheet.trip.address,
                        .reply = reply,
                        .local_words = verdict.outcome.local,
                        .next_id = {},
                        .due = 0,
                        .conversation = sheet.trip.conversation});
  std::string detail = HopDetail(sheet.trip, verdict.outcome);
  store::Outcome outcome{.entry = entry.id, .kind = OutcomeKind::kFailed, .attempted = sheet.now};
  if (told) {
    return Tell(sheet.failed, sheet, verdict, Action::kFailed, status, 0, std::move(outcome), JourneyKind::kBounced,
                std::move(detail));
  }
  sheet.outcomes.push_back(std::move(outcome));
  sheet.events.push_back(MakeEvent(JourneyKind::kDropped, entry, sheet.now, sheet.trip.conversation, std::move(detail)));
}

void Judge::Conclude(std::vector<Verdict> verdicts, const Trip& trip, Timestamp now) {
  if (verdicts.empty()) return;
  Sheet sheet{.trip = trip, .now = now, .outcomes = {}, .events = {}, .failed = {}, .delayed = {}, .success = {}};
  sheet.failed.facts.kind = NoticeKind::kFailed;
  sheet.delayed.facts.kind = NoticeKind::kDelayed;
  sheet.success.facts.kind = NoticeKind::kSuccess;
  const auto of_all = [&](JourneyKind kind, std::string detail) {
    sheet.events.push_back(MakeEvent(kind, verdicts.front().entry, trip.begun, trip.conversation, std::move(detail)));
    if (verdicts.size() > 1) sheet.events.back().recipient.clear();
  };
  if (!trip.routed.empty()) {
    of_all(JourneyKind::kRouted, trip.routed);
    sheet.events.back().conversation = 0;
  }
  for (const Passed& passed : trip.passed) {
    std::string detail;
    AppendDetail(detail, "host", passed.host);
    AppendDetail(detail, "address", passed.address);
    AppendDetail(detail, "failure", ReplyText(passed.why));
    of_all(JourneyKind::kAttempt, std::move(detail));
    sheet.events.back().conversation = passed.conversation;
  }
  if (!trip.host.empty()) {
    std::string detail;
    AppendDetail(detail, "host", trip.host);
    AppendDetail(detail, "address", trip.address);
    if (!trip.tls.empty()) AppendDetail(detail, "tls", trip.tls);
    of_all(JourneyKind::kAttempt, std::move(detail));
  }
  for (const Verdict& verdict : verdicts) {
    switch (verdict.outcome.kind) {
      case Outcome::Kind::kAccepted:
        Relayed(sheet, verdict);
        break;
      case Outcome::Kind::kDeferred:
        Deferred(sheet, verdict);
        break;
      case Outcome::Kind::kRefused:
        Failed(sheet, verdict, StatusOf(verdict.outcome, '5'));
        break;
    }
  }
  settler_.Add(std::move(sheet.outcomes), std::move(sheet.events));
  for (NoticeJob* job : {&sheet.failed, &sheet.delayed, &sheet.success})
    if (!job->facts.recipients.empty()) notices_.Send(std::move(*job));
}

void Judge::Release(const std::vector<store::Entry>& entries, Timestamp not_before) {
  std::vector<store::Outcome> outcomes;
  for (const store::Entry& entry : entries) {
    outcomes.push_back({.entry = entry.id, .kind = OutcomeKind::kReleased, .due = std::max(entry.entry.due, not_before)});
    if (outcomes.size() == store::QueueLimits::kOutcomes) settler_.Add(std::exchange(outcomes, {}), {});
  }
  settler_.Add(std::move(outcomes), {});
}

void Judge::Delivered(const store::Entry& entry, store::MailboxId mailbox, Octets account, Timestamp now) {
  const Trip trip{};
  const Verdict verdict{entry,
                        {.kind = Outcome::Kind::kAccepted,
                         .stage = smtp::Stage::kContentEnd,
                         .local = true,
                         .in_doubt = false,
                         .code = 250,
                         .enhanced = "2.1.5",
                         .text = "Laid into the mailbox"}};
  store::Outcome outcome{.entry = entry.id,
                         .kind = OutcomeKind::kDelivered,
                         .attempted = now,
                         .reply = {},
                         .local = mailbox,
                         .prefix = LocalPrefix(entry.envelope.reverse_path, account)};
  observer_.OnDelivery({.result = Result::kDelivered, .entry = &entry, .host = {}, .address = {}, .reply = {}, .next_id = {}});
  std::string detail;
  AppendDetail(detail, "account", account);
  if (!Wants(entry, kSuccess))
    return settler_.Add({std::move(outcome)}, {MakeEvent(JourneyKind::kMailbox, entry, now, 0, std::move(detail))});
  Sheet sheet{.trip = trip, .now = now, .outcomes = {}, .events = {}, .failed = {}, .delayed = {}, .success = {}};
  sheet.success.facts.kind = NoticeKind::kSuccess;
  Tell(sheet.success, sheet, verdict, Action::kDelivered, "2.1.5", 0, std::move(outcome), JourneyKind::kMailbox,
       std::move(detail));
  notices_.Send(std::move(sheet.success));
}

}  // namespace glasspost::relay
