// Conversations of this server, as opaque octets with keys: a bounded ring that may lose its last moments in a power cut, and
// never makes mail wait. Credentials were masked before they came here, or were meant to be kept.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/octets.h"
#include "store/journey.h"

namespace glasspost::store {

struct ConversationHead {
  std::uint64_t number = 0;
  Timestamp begin = 0;
  Timestamp end = 0;
  std::string protocol;
  std::string peer;     // address and port
  std::string summary;  // opaque
  std::uint64_t octets = 0;
};

struct ConversationBounds {
  std::uint64_t count = 10'000;
  std::uint64_t octets = 1ull << 30;
  std::int64_t age_seconds = 7 * 86'400;
  std::size_t waiting_octets = 32 * 1024 * 1024;  // in memory, not yet written; beyond it parts are dropped and counted
};

struct ConversationSelection {
  std::uint64_t before = ~0ull;  // paging: the newest first
  std::size_t limit = 100;
  std::string protocol;  // empty: any
  std::string peer;      // empty: any; else the beginning of it
  Timestamp ended_since = std::numeric_limits<Timestamp>::min();
};

class Conversations {
 public:
  virtual ~Conversations() = default;
  virtual std::uint64_t NextNumber() = 0;  // any thread; never given twice, also after a restart
  // Parts of a conversation in their order, then its head, which makes it visible. Never waits: what does not fit is dropped.
  virtual void Append(std::uint64_t number, std::string part) = 0;
  virtual void Finish(ConversationHead head) = 0;
  virtual void List(ConversationSelection selection, Done<std::vector<ConversationHead>> done) = 0;
  virtual void Find(std::uint64_t number, Done<ConversationHead> done) = 0;
  // At most `length` octets (up to 256 KiB) from `offset`; empty past the end.
  virtual void Read(std::uint64_t number, std::uint64_t offset, std::size_t length, Done<std::string> done) = 0;
  virtual std::uint64_t dropped_octets() const = 0;
};

}  // namespace glasspost::store
