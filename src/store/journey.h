// Events in the journeys of messages: appended with the change that they tell of, and found by any of their keys.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/origin.h"
#include "store/result.h"

namespace glasspost::store {

// A message that was accepted. It is a time in microseconds, made unique; never used again; as text (QueueIdText) it is the queue
// id.
using MessageId = std::int64_t;

// 11 characters of 0-9 and the consonants, in the order of time. Parse gives 0 for what is no queue id.
std::string QueueIdText(MessageId id);
MessageId ParseQueueId(std::string_view text);

using Digest = std::array<std::uint8_t, 32>;

struct JourneyEvent {
  Timestamp time = 0;
  MessageId message = 0;  // 0 if unknown; in a plan 0 means the plan's own message
  int kind = 0;           // the server's enumeration; opaque here
  std::uint64_t conversation = 0;
  std::string sender;      // reverse-path, only in the event that accepts it
  std::string recipient;   // envelope recipient, if the event is of one
  std::string message_id;  // the header field's value; the first event of a message on this host carries it, the others need not
  std::string digest;      // 32 octets, or empty: SHA-256 from the first line that is no trace field; likewise
  std::string detail;      // what the server makes of it (a reply, an MX answer); opaque here
};

struct JourneyLimits {
  static constexpr std::size_t kKeyOctets = 1024;       // message-id and addresses are cut to it
  static constexpr std::size_t kDetailOctets = 65536;   // past it: kTooLarge
  static constexpr std::size_t kEventsInCommit = 4096;  // likewise; where messages come or are deleted, what those allow
  static constexpr std::size_t kFound = 10000;          // events that a query gives
};

struct JourneyQuery {
  enum class Key : std::uint8_t { kMessage, kMessageId, kAddress, kDigest };
  Key key = Key::kMessage;
  MessageId message = 0;       // kMessage
  std::string text;            // the others; an address is compared with A-Z as a-z
  std::size_t messages = 100;  // at most so many messages, the newest; capped by kFound events
};

class Journeys {
 public:
  virtual ~Journeys() = default;
  virtual void Append(std::vector<JourneyEvent> events, Done<void> done) = 0;
  // All events of each message that has an event with the key, also of other messages here with the same digest; oldest first.
  virtual void Find(JourneyQuery query, Done<std::vector<JourneyEvent>> done) = 0;
  // Forgets events older than `before` (about: a whole run of the index at a time).
  virtual void Forget(Timestamp before, Done<void> done) = 0;
};

}  // namespace glasspost::store
