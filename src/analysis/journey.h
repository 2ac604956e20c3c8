// Journeys: what happened to one message, from host to host, told as a story or as JSON.
//
// Each host gives its own events; a message on one host (one queue id) is a leg. Legs are of one journey if their messages are
// the same octets from the first line that is no trace field on (the digest), or if the next hop's 250 to one named the other's
// queue id; where neither says anything, if their Message-IDs are the same, which is probable only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "base/journey.h"
#include "base/origin.h"

namespace glasspost::analysis {

struct JourneyRecord {
  std::string host;
  Timestamp time = 0;
  std::string queue_id;  // empty: not known
  JourneyKind kind = JourneyKind::kAccepted;
  std::uint64_t conversation = 0;  // of that host; 0: none
  std::string sender;              // of the event that accepts it
  std::string recipient;           // envelope recipient, if it is of one
  std::string message_id;          // with its brackets; may be empty
  std::string digest;              // in hexadecimal; may be empty
  std::string detail;              // base/journey.h
};

// Why a leg belongs to the journey.
enum class Joint : std::uint8_t { kFirst, kDigest, kQueueId, kMessageId };
std::string_view Name(Joint joint);  // "digest"

struct JourneyLeg {
  std::string host;
  std::string queue_id;
  Joint joint = Joint::kFirst;
  // The host's clock was ahead by so much, seen from the one that handed the message over: its times are told without it. 0 where
  // the two do not contradict each other.
  std::int64_t ahead = 0;
};

struct JourneyStep {
  JourneyRecord record;
  std::size_t leg = 0;
  Timestamp told = 0;  // its time on the clock of the first host
};

struct Journey {
  std::string sender;
  std::string message_id;
  std::string digest;
  std::vector<JourneyLeg> legs;  // in the order of their beginnings
  std::vector<JourneyStep> steps;
  bool probable() const;
  std::size_t hosts() const;
};

// The journeys of which these are the events, oldest first. Events that were given twice count once.
std::vector<Journey> JoinJourneys(std::vector<JourneyRecord> records);

// Lines for a terminal, peers' octets escaped.
std::string JourneyText(const Journey& journey, Language language, const Style& style);
// One line of JSON (docs/json.md), without its end.
std::string JourneyJson(const Journey& journey);

}  // namespace glasspost::analysis
