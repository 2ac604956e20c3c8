// What an operator asks of the server, and local programs that send mail: one class carries it out over the store, whether the
// request came by the administration socket of a running server or from the command line where none runs.
//
// Requests (JSON, framed as server/admin_frames.h says). Those marked + are for everyone on this machine, the others for the
// server's own user and root.
//   + ping                                                   version, pid, host, domain
//     status                                                 counts of the queue, state of the store
//     domain.add {domain}                                    with postmaster and abuse, a mailbox each
//     domain.remove {domain, with_all}                       domain.list → rows
//     user.add {address, password|generate|verifiers, quota} user.remove {address}   user.list {domain} → rows
//     user.password {address, password|generate|verifiers}   user.quota {address, quota}
//     alias.add {address, targets, replace}                  adds to the targets that are there
//     alias.remove {address, targets}                        all of it, or these targets   alias.list {domain} → rows
//     queue.list {SELECTION, after, limit} → rows            queue.count
//     queue.show {id, message} → rows, octets                of the header, or of the whole message
//     queue.act {SELECTION, action}                          retry, hold, release, remove
//     conversations {before, limit, protocol, peer, ended_since} → rows, the newest first; those that run ("running") before
//                                                            all others, unless ended_since (ns of the epoch) is given
//     conversation {number, follow} → octets               (with follow first a row {running}, and then as it goes on)
//     journey {key} → rows                                   a Message-ID, queue id, address or digest
//   + recipient {address}                                    would mail to it be taken?
//   + submit {from, to, envid, ret, notify}                  then octets; server/admin_submit.cc
// SELECTION: ids (queue ids, numbers of entries), recipient, sender, destination, held; queue.act also all.
//
// Answers' faults: not-found, exists, not-empty, in-use, over-quota, too-large, invalid, full, broken, failed, closed (of the
// store), not-permitted, unknown-request.
#pragma once

#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/randomness.h"
#include "net/completion.h"
#include "server/events.h"
#include "server/json.h"
#include "server/recipient_cache.h"
#include "store/store.h"

namespace glasspost::server {

struct AdminLimits {
  static constexpr std::size_t kTargets = 1000;                   // of a request about an alias
  static constexpr std::size_t kIds = 1000;                       // of a selection
  static constexpr std::size_t kRecipients = 1000;                // of a message submitted here
  static constexpr std::size_t kPage = 1000;                      // rows of a listing of the queue at once
  static constexpr std::size_t kHeader = std::size_t{256} << 10;  // octets of a message's header that "queue.show" gives
};

// What a reload can change.
struct AdminSettings {
  std::string host = "localhost";  // of Received and Message-ID fields
  std::string default_domain;      // of addresses that local programs write without one; empty: the host's name
  std::uint64_t quota = 0;         // of a new account
  std::uint64_t message_octets = std::uint64_t{50} << 20;
  std::size_t received_limit = 100;
};

// All of it outlives those who use it; any thread.
struct AdminContext {
  using Made = std::move_only_function<void(Expected<std::vector<std::string>>)>;

  store::Store& store;
  RecipientCache& recipients;
  const Clock& clock;
  Randomness& randomness;
  std::function<std::shared_ptr<const AdminSettings>()> settings;
  // Verifiers of a password (server/passwords.h), on a thread where slowness harms nobody; `Made` may be called on any.
  std::function<void(std::string password, Made made)> make_verifiers;
  std::function<Expected<void>(const std::string& verifier)> check_verifier;  // may it be an account's?
  // After the cache was invalidated; `done`, on any thread, once what follows from it holds for new connections.
  std::function<void(std::move_only_function<void()> done)> directory_changed = [](std::move_only_function<void()> done) {
    done();
  };
  std::function<void()> queue_changed = [] {};  // entries became due, or there are new ones
  // Somebody looks on at a running conversation (true), or not any more. The answer: is it running?
  std::function<bool(std::uint64_t number, bool on)> follow = [](std::uint64_t, bool) { return false; };
  // Those that run and in which something was said, by number.
  std::function<std::vector<store::ConversationHead>()> running = [] { return std::vector<store::ConversationHead>(); };
  Events* events = nullptr;
  std::string version = {};
};

// Who asked, and the way back to him. Of one request at a time; lives as long as it runs.
class AdminPeer {
 public:
  virtual ~AdminPeer() = default;
  // False: he is gone, and nothing more need be done for him.
  virtual net::Task<bool> SendRow(json::object row) = 0;
  virtual net::Task<bool> SendOctets(Octets octets) = 0;
  virtual net::Task<bool> GoAhead() = 0;
  // Of the octets that he sends; empty: their end. Nothing: gone.
  virtual net::Task<std::optional<std::string>> Receive() = 0;
  virtual net::Task<bool> Sleep(std::chrono::milliseconds time) = 0;

  virtual net::Waiter& waiter() = 0;
  virtual uid_t uid() const = 0;
  virtual bool owner() const = 0;  // the server's own user, or root
};

// Carries one request out and gives what the answer ends with. All references live until it is done.
net::Task<json::object> AnswerAdmin(AdminContext& context, const json::object& request, AdminPeer& peer);

// "not-found"
std::string_view Name(store::Fault fault);

}  // namespace glasspost::server
