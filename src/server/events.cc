#include "server/events.h"

namespace glasspost::server {

std::string_view Name(Event event) {
  static constexpr std::string_view kNames[] = {
#define X(id, name, level) name,
      GLASSPOST_EVENTS(X)
#undef X
  };
  return kNames[static_cast<std::size_t>(event)];
}

LogLevel LevelOf(Event event) {
  static constexpr LogLevel kLevels[] = {
#define X(id, name, level) LogLevel::level,
      GLASSPOST_EVENTS(X)
#undef X
  };
  return kLevels[static_cast<std::size_t>(event)];
}

}  // namespace glasspost::server
