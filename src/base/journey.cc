#include "base/journey.h"

#include <array>
#include <charconv>

#include "base/time_text.h"

namespace glasspost {
namespace {

constexpr std::array<std::string_view, 18> kNames = {"",        "accepted", "refused",  "expanded", "mailbox", "queued",
                                                     "routed",  "attempt",  "deferred", "relayed",  "bounced", "delayed",
                                                     "fetched", "deleted",  "held",     "released", "removed", "dropped"};

// "5:octet" off the front.
bool TakeNetstring(Octets& text, Octets& value) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end == text.data() + text.size() || *end != ':') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  if (length > text.size()) return false;
  value = text.substr(0, length);
  text.remove_prefix(length);
  return true;
}

}  // namespace

std::string_view Name(JourneyKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<JourneyKind> JourneyKindOf(int number) {
  if (number < 1 || static_cast<std::size_t>(number) >= kNames.size()) return std::nullopt;
  return static_cast<JourneyKind>(number);
}

void AppendDetail(std::string& details, std::string_view name, Octets value) {
  AppendNumber(details, name.size());
  details.append(":").append(name);
  AppendNumber(details, value.size());
  details.append(":").append(value);
}

Octets FindDetail(Octets details, std::string_view name) {
  Octets n, value;
  while (TakeDetail(details, n, value)) {
    if (n == name) return value;
  }
  return {};
}

bool TakeDetail(Octets& details, Octets& name, Octets& value) {
  Octets rest = details;
  if (!TakeNetstring(rest, name) || !TakeNetstring(rest, value)) return false;
  details = rest;
  return true;
}

}  // namespace glasspost
