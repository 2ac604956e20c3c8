// The table of all settings (settings.inc): key, type, bounds, explanation. From it come the reading of file, environment and
// flags, `glasspost config show`, and what a reload can change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/toml.h"
#include "server/config.h"

namespace glasspost::server {

struct SettingLimits {
  static constexpr std::size_t kTextOctets = 4096;   // a path's length: stops values that no field holds
  static constexpr std::size_t kListItems = 10'000;  // stops lists that each connection would be held against for ever
};

struct Setting;

// An enumeration in one octet, and its names by number.
struct ChoiceSlot {
  std::uint8_t* number;
  std::span<const std::string_view> names;
};
// A list of tables, each with these columns; rows are added at its end.
struct RowsSlot {
  void* list;
  std::span<const Setting> columns;
  void* (*add)(void* list);
  void* (*at)(void* list, std::size_t i);  // null: there are no more
};
// Where a setting lies within its Config (or row).
using Slot = std::variant<bool*, std::uint64_t*, double*, Size*, Seconds*, std::string*, Texts*, Endpoints*, Networks*,
                          ChoiceSlot, RowsSlot>;

// What a text, or each of a list of texts, must be.
enum class TextRule : std::uint8_t {
  kAny,
  kSecret,  // is not repeated in what is said about it
  kPath,
  kHost,       // a host's name or address
  kDomain,     // "example.org", ".example.org"
  kMailbox,    // of AccessRule
  kScheme,     // of password verifiers
  kUserName,   // of the system
  kReplyText,  // US-ASCII that prints, of a reply's length
};

struct Constraint {
  double low = 0;  // of numbers: as they are; sizes: octets; durations: seconds
  double high = 0;
  TextRule rule = TextRule::kAny;
  bool required = false;   // in a row: must be there, and not empty
  std::uint16_t port = 0;  // of addresses that may lack theirs
};

struct Setting {
  std::string_view section;  // empty in a row
  std::string_view name;
  Slot (*slot)(void* of);  // of a Config or row
  Constraint constraint;
  bool restart;  // only a restart changes it
  std::string_view comment;

  std::string Key() const { return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name); }
  // "GLASSPOST_LIMITS_MESSAGE"
  std::string Variable() const;
  // "--limits-message", or its short form: "--classroom"
  std::string Flag() const;
  bool has_rows() const;
};

struct Section {
  std::string_view name;
  std::string_view comment;
};

// In the order of the page; each section's settings lie together.
std::span<const Section> Sections();
std::span<const Setting> Settings();

struct ValueFault {
  std::string what;
  std::string remedy = {};
  Place place = {};  // of the entry of a list; otherwise the value's
};
// Takes `value` for the setting; rows are not taken here. The slot keeps what it had if there is a fault.
std::vector<ValueFault> Take(const Setting& setting, const Slot& slot, const Value& value);
// As it stands in TOML; empty for rows.
std::string TomlText(const Slot& slot);
// Of a number, as people write them: "1 MiB to 1 GiB"; empty where there are none.
std::string BoundsText(const Setting& setting, const Slot& slot);

}  // namespace glasspost::server
