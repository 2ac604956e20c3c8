#include "server/event_log.h"

namespace glasspost::server {

void EventLog::Note(Event event, std::uint64_t session, std::initializer_list<EventField> fields) {
  metrics_.Count(event);
  const LogLevel level = LevelOf(event);
  if (!log_.Logs(level)) return;
  LogLine line = log_.Event(level, Name(event));
  if (session != 0) std::move(line).With("session", session);
  for (const EventField& field : fields) {
    if (!field.value.empty()) std::move(line).With(field.name, field.value);
  }
}

}  // namespace glasspost::server
