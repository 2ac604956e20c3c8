// What happens in the server, as events: each becomes one line of the log and a count among the metrics. Called from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/octets.h"
#include "server/log.h"

namespace glasspost::server {

// id, name in the log and in metrics, level
#define GLASSPOST_EVENTS(X)                             \
  X(kConnect, "connect", kDebug)                        \
  X(kDisconnect, "disconnect", kDebug)                  \
  X(kTls, "tls", kDebug)                                \
  X(kTlsFailed, "tls-failed", kInfo)                    \
  X(kLogin, "login", kInfo)                             \
  X(kLoginFailed, "login-failed", kWarning)             \
  X(kAccepted, "accepted", kInfo)                       \
  X(kRefused, "refused", kInfo)                         \
  X(kDeferred, "deferred", kInfo)                       \
  X(kEnded, "ended", kInfo)                             \
  X(kRelayed, "relayed", kInfo)                         \
  X(kRelayConnect, "relay-connect", kDebug)             \
  X(kRelayConnectFailed, "relay-connect-failed", kInfo) \
  X(kDelivered, "delivered", kInfo)                     \
  X(kDropped, "dropped", kWarning)                      \
  X(kNotice, "notice", kInfo)                           \
  X(kBounced, "bounced", kInfo)                         \
  X(kMaildropOpened, "maildrop-opened", kInfo)          \
  X(kMaildropUpdated, "maildrop-updated", kInfo)        \
  X(kRecording, "recording", kWarning)                  \
  X(kStarted, "started", kInfo)                         \
  X(kStopping, "stopping", kInfo)                       \
  X(kReloaded, "reloaded", kInfo)                       \
  X(kAdmin, "admin", kInfo)                             \
  X(kStoreFailed, "store-failed", kError)               \
  X(kFault, "fault", kError)

enum class Event : std::uint8_t {
#define X(id, name, level) id,
  GLASSPOST_EVENTS(X)
#undef X
};

inline constexpr std::size_t kEventCount = 0
#define X(id, name, level) +1
    GLASSPOST_EVENTS(X)
#undef X
    ;
std::string_view Name(Event event);
LogLevel LevelOf(Event event);

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
