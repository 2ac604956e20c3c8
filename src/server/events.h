// What happens in the server, as events: each becomes one line of the log and a count among the metrics. Called from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/octets.h"

namespace glasspost::server {

// id, name in the log and in metrics, level (note, warning, error)
#define GLASSPOST_EVENTS(X)                      \
  X(kConnect, "connect", kDebug)                 \
  X(kDisconnect, "disconnect", kDebug)           \
  X(kTls, "tls", kDebug)                         \
  X(kTlsFailed, "tls-failed", kNote)             \
  X(kLogin, "login", kNote)                      \
  X(kLoginFailed, "login-failed", kWarning)      \
  X(kAccepted, "accepted", kNote)                \
  X(kRefused, "refused", kNote)                  \
  X(kDeferred, "deferred", kNote)                \
  X(kRelayed, "relayed", kNote)                  \
  X(kBounced, "bounced", kNote)                  \
  X(kMaildropOpened, "maildrop-opened", kNote)   \
  X(kMaildropUpdated, "maildrop-updated", kNote) \
  X(kStarted, "started", kNote)                  \
  X(kStopping, "stopping", kNote)                \
  X(kReloaded, "reloaded", kNote)                \
  X(kAdmin, "admin", kNote)                      \
  X(kStoreFailed, "store-failed", kError)        \
  X(kFault, "fault", kError)

enum class Event : std::uint8_t {
#define X(id, name, level) id,
  GLASSPOST_EVENTS(X)
#undef X
};

struct EventField {
  std::string_view name;
  Octets value;
};

class Events {
 public:
  virtual ~Events() = default;
  // `session`: the conversation's number, 0 where there is none. Secrets are never among the fields.
  virtual void Note(Event event, std::uint64_t session, std::initializer_list<EventField> fields) = 0;
};

}  // namespace glasspost::server
