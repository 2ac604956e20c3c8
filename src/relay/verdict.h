// What became of a message's recipients on one way to a destination, and what the queue, the journey and the sender are told of
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/journey.h"
#include "base/randomness.h"
#include "relay/dsn.h"
#include "relay/observer.h"
#include "relay/options.h"
#include "relay/settler.h"
#include "store/queue.h"
#include "wire/smtp/client_session.h"

namespace glasspost::relay {

// Recipients of one message who go one way.
struct Parcel {
  std::vector<store::Entry> entries;  // at least one; all of one message
  int tries = 0;                      // connections that were lost over it
  const store::Entry& first() const { return entries.front(); }
};

// A host that would not have us, before the one at which the trip ended.
struct Passed {
  std::string host;
  std::string address;
  std::uint64_t conversation = 0;
  smtp::Outcome why;
};

// How they went.
struct Trip {
  std::vector<Passed> passed;  // no more than RelayLimits::hosts
  std::string host;            // empty: no host was reached or sought
  std::string address;         // with its port
  std::string tls;
  std::uint64_t conversation = 0;
  bool hop_reports = false;  // the hop speaks DSN: it will report itself what was asked for
  std::string routed;        // details of the event kRouted; empty: nothing was looked up
  Timestamp begun = 0;
};

struct Verdict {
  store::Entry entry;
  smtp::Outcome outcome;
};

// A report that is to be sent with outcomes.
struct NoticeJob {
  store::Entry about;  // for what is the message's own
  NoticeFacts facts;
  std::vector<store::Outcome> outcomes;
  std::vector<store::JourneyEvent> events;
  std::vector<std::size_t> telling;  // events that name the report
};

class NoticeSink {
 public:
  virtual ~NoticeSink() = default;
  virtual void Send(NoticeJob job) = 0;
};

// "550 5.1.1 no such user", at most 2 KiB.
std::string ReplyText(const smtp::Outcome& outcome);
// Return-Path and Delivered-To (RFC 5321 §4.4) of a message that is laid into a mailbox.
std::string LocalPrefix(Octets reverse_path, Octets account);

store::JourneyEvent MakeEvent(JourneyKind kind, const store::Entry& entry, Timestamp now, std::uint64_t conversation,
                              std::string detail);

// Turns verdicts into outcomes, events and reports. On one thread; what is passed in outlives it.
class Judge {
 public:
  Judge(const RelayOptions& options, Settler& settler, NoticeSink& notices, Observer& observer, Randomness& randomness)
      : options_(options), settler_(settler), notices_(notices), observer_(observer), randomness_(randomness) {}

  // All of one message.
  void Conclude(std::vector<Verdict> verdicts, const Trip& trip, Timestamp now);
  // Not tried: given back, to be claimed again, `not_before` a time.
  void Release(const std::vector<store::Entry>& entries, Timestamp not_before = 0);
  // Laid into this mailbox here.
  void Delivered(const store::Entry& entry, store::MailboxId mailbox, Octets account, Timestamp now);

 private:
  struct Sheet;
  void Relayed(Sheet& sheet, const Verdict& verdict);
  void Deferred(Sheet& sheet, const Verdict& verdict);
  void Failed(Sheet& sheet, const Verdict& verdict, std::string_view status);
  void Tell(NoticeJob& job, const Sheet& sheet, const Verdict& verdict, Action action, std::string_view status, Timestamp until,
            store::Outcome outcome, JourneyKind kind, std::string detail) const;

  const RelayOptions& options_;
  Settler& settler_;
  NoticeSink& notices_;
  Observer& observer_;
  Randomness& randomness_;
};

}  // namespace glasspost::relay
