// TOML v1.0 as values with their places, read by toml++, which nothing else here sees; and what was given for a setting in
// another way: a text of the environment or a flag.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost {

struct ValueLimits {
  // Stops a file that is no configuration from being read whole.
  static constexpr std::size_t kFileOctets = std::size_t{1} << 20;
};

// Line and column from 1, in characters; 0: there are none.
struct Place {
  unsigned line = 0;
  unsigned column = 0;
  auto operator<=>(const Place&) const = default;
};

struct Member;
struct Value {
  enum class Kind : std::uint8_t {
    kText,
    kWhole,
    kReal,
    kFlag,
    kList,
    kTable,
    kTime,   // a date or a time, which no setting is
    kWords,  // text that may stand for any kind: of the environment or a flag
  };
  Kind kind = Kind::kText;
  Place place;
  std::string text;
  std::int64_t whole = 0;
  double real = 0;
  bool flag = false;
  std::vector<Value> items;
  std::vector<Member> members;  // in the order of the file
};
struct Member {
  std::string key;
  Place place;
  Value value;
};

// "a text", "a list"
const char* NameOf(Value::Kind kind);

struct TomlFault {
  Place place;
  std::string what;
};
// The file's table, or what its syntax breaks. Never throws.
std::optional<TomlFault> ReadToml(Octets text, Value& table);
// As a basic string, with its quotes.
std::string TomlQuoted(Octets text);

}  // namespace glasspost
