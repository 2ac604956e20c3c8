// What can happen to a message on its journey: the closed list that server and relay write, and that analysis tells. A journey's
// event also has details, which are names and values in one text (netstrings), so that any octets can be a value: a reply, the
// octets of a DNS answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/octets.h"

namespace glasspost {

// Numbers are stored: never change one.
enum class JourneyKind : std::uint8_t {
  kAccepted = 1,   // by this host, for all recipients; details: peer, helo, with, user, octets, subject
  kRefused = 2,    // at the end of its data; details: reply
  kExpanded = 3,   // an alias named other recipients; details: to
  kMailbox = 4,    // laid into a mailbox here; details: account, uid, same_copy (the recipient before it that led there)
  kQueued = 5,     // for another host; details: destination
  kRouted = 6,     // the destination's hosts were looked up; details: question, answer (the DNS message), security, hosts
  kAttempt = 7,    // connected to, or tried; details: host, address, tls
  kDeferred = 8,   // to be tried again; details: host, reply, local, due
  kRelayed = 9,    // the next hop has it; details: host, address, reply, next_id
  kBounced = 10,   // failed for good; details: host, reply, local, notice (queue id of the DSN)
  kDelayed = 11,   // the sender was told of the delay; details: notice
  kFetched = 12,   // read by POP3 or another protocol; details: account, uid
  kDeleted = 13,   // taken out of the mailbox; details: account, uid
  kHeld = 14,      // by an operator
  kReleased = 15,  // likewise
  kRemoved = 16,   // likewise: out of the queue
  kDropped = 17,   // failed, and nobody is to be told (a bounce that cannot be delivered); details: reply
};
// "accepted", "queued" … for JSON.
std::string_view Name(JourneyKind kind);
std::optional<JourneyKind> JourneyKindOf(int number);

// Appends one detail.
void AppendDetail(std::string& details, std::string_view name, Octets value);
// The first of this name; empty if there is none.
Octets FindDetail(Octets details, std::string_view name);
// Takes the first detail off the front; false: there is none, or it is damaged.
bool TakeDetail(Octets& details, Octets& name, Octets& value);

}  // namespace glasspost
