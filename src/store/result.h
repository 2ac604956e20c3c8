// What a call of the store ends with, and how its caller hears of it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace glasspost::store {

enum class Fault : std::uint8_t {
  kNotFound,   // no such domain, account, mailbox, message, entry
  kExists,     // the name is taken
  kNotEmpty,   // a domain that still has accounts or aliases, a mailbox that has children
  kInUse,      // the maildrop's lock, or the data folder's, is another's
  kLeaseLost,  // the lease has run out and is another's now
  kOverQuota,  // a local recipient's quota would be exceeded; the text names the account
  kTooLarge,   // past one of the limits of this interface
  kInvalid,    // a name or value that cannot be
  kFull,       // no space on the disk: nothing was written; the store goes on by itself once there is space
  kBroken,  // the storage failed (an fsync did not succeed): whether this change is on the disk is unknown, and all later changes
            // are refused until the program is started again
  kFailed,  // any other error of the engine: nothing was written
  kClosed,  // the store is being closed
};

struct Failure {
  Fault fault = Fault::kFailed;
  std::string text;  // for the log
};

template <class T>
using Result = std::expected<T, Failure>;

inline std::unexpected<Failure> Refuse(Fault fault, std::string text) { return std::unexpected(Failure{fault, std::move(text)}); }

// A completion. It is called exactly once, on a thread of the store (for a change: the writer, after the commit is on the disk),
// never inside the call that was given it. It must return at once: the caller posts to its own executor.
template <class T>
using Done = std::move_only_function<void(Result<T>)>;

}  // namespace glasspost::store
