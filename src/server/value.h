// What was given for a setting before it is known what it should be: a TOML value with its place, or a text of the environment or
// a flag. And the reading of TOML (v1.0, by toml++), which nothing else here sees.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::server {

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

}  // namespace glasspost::server
