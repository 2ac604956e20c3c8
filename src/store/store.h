// The store: accounts, mailboxes, queue, journeys and conversations behind one asynchronous interface. SQLite implements it
// (store/sqlite/sqlite_store.h); it is kept small enough for another engine.
//
// A call may come from any thread and returns at once; its completion comes later on a thread of the store (store/result.h). A
// change is on the disk, whatever happens to the power, before its completion says so. Calls of one caller that do not wait for
// each other may be carried out in any order, except that changes are carried out in the order in which they were called. What a
// caller may have outstanding is bounded by the caller (a session has one call at a time); the store refuses nothing for length
// of its line.
#pragma once

#include <memory>

#include "store/conversations.h"
#include "store/directory.h"
#include "store/journey.h"
#include "store/mailboxes.h"
#include "store/queue.h"
#include "store/receiver.h"
#include "store/result.h"

namespace glasspost::store {

struct StoreState {
  bool broken = false;     // Fault::kBroken from now on
  bool full = false;       // the last change met a full disk, or there is no room
  std::uint64_t room = 0;  // octets of new mail that the disk has room for, beyond what is kept back
  std::uint64_t commits = 0;
  std::uint64_t changes = 0;  // in these commits
};

class Store {
 public:
  virtual ~Store() = default;  // carries out and answers what was called, then closes; no call may come any more
  virtual Directory& directory() = 0;
  virtual Mailboxes& mailboxes() = 0;
  virtual Queue& queue() = 0;
  virtual Journeys& journeys() = 0;
  virtual Conversations& conversations() = 0;
  // Begins a message. `now` is the time its id is made of.
  virtual std::unique_ptr<Receiver> Receive(Timestamp now) = 0;
  virtual StoreState state() const = 0;
  // Returns when all that was called has been answered and no thread of the store is within a completion any more, so that what
  // completions lead to may go before the store does. Not from a thread of the store; nobody else may call meanwhile.
  virtual void Drain() = 0;
};

}  // namespace glasspost::store
