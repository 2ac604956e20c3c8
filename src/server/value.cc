#include "server/value.h"

#include <algorithm>

#include "base/escape.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace glasspost::server {
namespace {

Place PlaceOf(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

// As deep as toml++ lets values nest.
Value Converted(const toml::node& node) {
  Value value;
  value.place = PlaceOf(node.source());
  if (const auto* text = node.as_string()) {
    value.text = text->get();
  } else if (const auto* whole = node.as_integer()) {
    value.kind = Value::Kind::kWhole;
    value.whole = whole->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.kind = Value::Kind::kReal;
    value.real = real->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.kind = Value::Kind::kFlag;
    value.flag = flag->get();
  } else if (const auto* list = node.as_array()) {
    value.kind = Value::Kind::kList;
    for (const toml::node& item : *list) value.items.push_back(Converted(item));
  } else if (const auto* table = node.as_table()) {
    value.kind = Value::Kind::kTable;
    for (const auto& [key, item] : *table)
      value.members.push_back({std::string(key.str()), PlaceOf(key.source()), Converted(item)});
    std::sort(value.members.begin(), value.members.end(), [](const Member& a, const Member& b) { return a.place < b.place; });
  } else {
    value.kind = Value::Kind::kTime;
  }
  return value;
}

}  // namespace

const char* NameOf(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kText:
    case Value::Kind::kWords:
      return "a text";
    case Value::Kind::kWhole:
      return "a whole number";
    case Value::Kind::kReal:
      return "a number with a fraction";
    case Value::Kind::kFlag:
      return "true or false";
    case Value::Kind::kList:
      return "a list";
    case Value::Kind::kTable:
      return "a table";
    case Value::Kind::kTime:
      return "a date or time";
  }
  return "";
}

std::optional<TomlFault> ReadToml(Octets text, Value& table) {
  if (text.size() > ValueLimits::kFileOctets) return TomlFault{{}, "is too long for a configuration (at most 1 MiB)"};
  const toml::parse_result parsed = toml::parse(text);
  if (parsed.failed()) {
    std::string what(parsed.error().description());
    return TomlFault{PlaceOf(parsed.error().source()), "is no TOML: " + ForTerminal(what)};
  }
  table = Converted(parsed.table());
  return {};
}

}  // namespace glasspost::server
