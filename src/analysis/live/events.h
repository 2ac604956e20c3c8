// A live conversation as events: what its Teller hears, written in the compact form of events_format.h and handed to a sink while
// it runs; EventsReader replays it into any Teller, so that what is told of a kept conversation is what would have been told of
// it at once, secrets masked (unless it was kept with them).
//
// `kHeaders` keeps the dialogue, and of messages envelope, header and structure; `kFull` their octets, too. Beyond the limits of
// a conversation what comes is counted (ConversationFacts::left_out), not kept.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "analysis/facts.h"
#include "analysis/live/events_format.h"
#include "analysis/teller.h"

namespace glasspost::analysis {

// What is known of a conversation, all of it once it is over.
struct EventsHead {
  std::uint64_t number = 0;
  Timestamp begin = 0;
  Timestamp end = 0;
  std::string protocol;  // "smtp"
  std::string peer;      // address and port of the other side
  std::string summary;   // see EventsSummary
  std::uint64_t octets = 0;
};

// Where events go. Calls of one conversation come in order, those of several from any threads; none may wait.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Never given twice.
  virtual std::uint64_t NextNumber() = 0;
  // Something was said, and more is to come: what is known so far. Once, before the first part.
  virtual void Begun(EventsHead /*head*/) {}
  // Whole records.
  virtual void Part(std::uint64_t number, std::string octets) = 0;
  // After the last part.
  virtual void Finish(EventsHead head) = 0;
  // The last call for this number; the only one where nothing was said.
  virtual void Ended(std::uint64_t /*number*/) {}
  // Somebody looks on: each exchange is handed over at once. Asked after each, from any thread.
  virtual bool Followed(std::uint64_t /*number*/) const { return false; }
};

// EventsHead::summary: the line of a list, in every language. Escaped by who prints it.
struct EventsSummary {
  std::string client, server;  // addresses and ports
  std::string words_en, words_zh;
  std::array<std::uint64_t, 3> findings{};  // by severity
  std::uint64_t messages = 0;
  bool recognised = true;  // false: the protocol is what the port suggests

  std::string Encode() const;
  // What cannot be read is empty.
  static EventsSummary Decode(Octets text);
};

struct EventsLimits {
  // Of one conversation: stops an endless one from filling the ring that keeps them all.
  std::size_t dialogue_octets = std::size_t{1} << 20;
  std::size_t message_octets = std::size_t{4} << 20;  // kFull
  // Handed over when so much is there.
  std::size_t part_octets = std::size_t{32} << 10;
};

struct EventsOptions {
  enum class Level : std::uint8_t { kHeaders, kFull };
  Level level = Level::kHeaders;
  bool show_secrets = false;
  bool we_are_client = false;  // the peer is the server
  EventsLimits limits;
};

// The report of one conversation: its Teller writes. `sink` outlives it.
class EventsReport final : public Report {
 public:
  EventsReport(std::uint64_t number, EventSink& sink, std::shared_ptr<const EventsOptions> options)
      : number_(number), sink_(sink), options_(std::move(options)) {}
  ~EventsReport() override { sink_.Ended(number_); }
  Wants wants() const override;
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t /*number*/, Octets /*note*/, TextStore& /*text*/) override {}

 private:
  std::uint64_t number_;
  EventSink& sink_;
  std::shared_ptr<const EventsOptions> options_;
};

// Replays events into a report's Teller. Takes any octets: what is damaged is passed over and counted.
class EventsReader {
 public:
  // `report` outlives it.
  explicit EventsReader(Report& report);
  ~EventsReader();

  // Any pieces. False: no events, or damaged so that nothing after it can be read.
  bool Feed(Octets octets);
  // Nothing more will come: the Teller finishes, also where the end is missing, and the report writes the conversation.
  void Finish(std::uint64_t number);

  bool ended() const { return ended_; }  // the conversation's end was read
  std::uint64_t damaged() const { return damaged_; }
  const ConversationFacts& facts() const { return facts_; }
  bool has_bodies() const { return has_bodies_; }

 private:
  bool TakeRecord(events::Record type, Octets body);
  bool OnBegin(Octets body);
  bool OnProtocol(Octets body);
  bool OnExchange(Octets body);
  bool OnMessageOctets(Octets body);
  bool OnMessage(Octets body);
  bool OnFinding(Octets body);
  bool OnEnd(Octets body);
  void Note(Timestamp time);

  Report& report_;
  const Report::Wants wants_;
  std::unique_ptr<Teller> teller_;
  ConversationFacts facts_;
  Exchange exchange_;
  std::string held_;      // of a record that is not whole yet
  std::string whole_[2];  // of the open message, where its structure is wanted
  bool headed_ = false;
  bool broken_ = false;
  bool ended_ = false;
  bool has_bodies_ = false;
  std::uint64_t damaged_ = 0;
};

}  // namespace glasspost::analysis
