// How each type of setting is written, and read.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "base/escape.h"
#include "base/nearest.h"
#include "server/settings.h"

namespace glasspost::server {
namespace {

using Kind = Value::Kind;
using Fault = std::optional<ValueFault>;
using Faults = std::vector<ValueFault>;

Faults All(Fault fault) {
  Faults faults;
  if (fault) faults.push_back(std::move(*fault));
  return faults;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// The largest first.
constexpr Unit kSizes[] = {{"PiB", 1ull << 50}, {"TiB", 1ull << 40}, {"GiB", 1ull << 30},
                           {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}};
constexpr Unit kDurations[] = {{"d", 86'400}, {"h", 3600}, {"min", 60}, {"s", 1}};
constexpr std::size_t kHostOctets = 253, kLabelOctets = 63;  // RFC 1035 §2.3.4
constexpr std::size_t kUserNameOctets = 32;                  // of Linux
constexpr std::size_t kReplyOctets = 400;                    // within a reply line of 512 (RFC 5321 §4.5.3.1.5)
constexpr std::string_view kSchemes[] = {"ARGON2ID", "SCRAM-SHA-256"};

std::string InUnits(std::uint64_t n, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (n != 0 && n % unit.factor == 0) return fmt::format("{} {}", n / unit.factor, unit.name);
  return fmt::format("0 {}", units.back().name);
}

// "50 MiB", "50MiB", "50"; nothing for what is no such text, or too large for 64 bits.
std::optional<std::uint64_t> FromUnits(Octets text, std::span<const Unit> units) {
  text = Trim(text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto n = ParseNumber(text.substr(0, digits));
  if (!n) return {};
  const Octets name = Trim(text.substr(digits));
  if (name.empty()) return n;
  for (const Unit& unit : units) {
    std::uint64_t product = 0;
    if (EqualsNoCase(unit.name, name))
      return __builtin_mul_overflow(*n, unit.factor, &product) ? std::nullopt : std::optional(product);
  }
  return {};
}

std::string Real(double d) {
  std::string text = fmt::format("{}", d);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

// Of the number as it is written for this slot.
std::string Written(const Slot& slot, double n) {
  const auto whole = static_cast<std::uint64_t>(n);
  if (std::holds_alternative<Size*>(slot)) return InUnits(whole, kSizes);
  if (std::holds_alternative<Seconds*>(slot)) return InUnits(whole, kDurations);
  return std::holds_alternative<double*>(slot) ? fmt::format("{}", n) : fmt::format("{}", whole);
}

Fault Wrong(const char* wanted, const Value& value, std::string remedy = {}) {
  if (value.kind == Kind::kText || value.kind == Kind::kWords)
    return ValueFault{fmt::format("must be {}, not \"{}\"", wanted, ForTerminal(Octets(value.text).substr(0, 100))),
                      std::move(remedy)};
  return ValueFault{fmt::format("must be {}, not {}", wanted, NameOf(value.kind)), std::move(remedy)};
}

bool IsTextual(const Value& value) { return value.kind == Kind::kText || value.kind == Kind::kWords; }

// --- texts ---

bool IsHost(Octets text) {
  if (text.empty() || text.size() > kHostOctets) return false;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const Octets label = text.substr(0, end);
    if (label.empty() || label.size() > kLabelOctets || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label)
      if (!IsAlpha(c) && !IsDigit(c) && c != '-' && c != '_') return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool IsDomain(Octets text) { return IsHost(text.starts_with('.') ? text.substr(1) : text); }

bool IsMailbox(Octets text) {
  if (text == "<>") return true;
  const std::size_t at = text.rfind('@');
  if (at == Octets::npos) return IsDomain(text);
  return at > 0 && text.find(' ') == Octets::npos && IsHost(text.substr(at + 1));
}

bool Prints(Octets text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool IsUserName(Octets text) {
  return text.size() <= kUserNameOctets && !text.starts_with('-') && text.find_first_of(" :/,") == Octets::npos && Prints(text);
}

// What is wrong with a text that is not empty.
Fault Against(TextRule rule, Octets text) {
  const auto fault = [&](const char* wanted, std::string remedy = {}) {
    if (rule == TextRule::kSecret) return Fault(ValueFault{fmt::format("must be {}", wanted), std::move(remedy)});
    return Fault(ValueFault{fmt::format("must be {}, not \"{}\"", wanted, ForTerminal(text.substr(0, 100))), std::move(remedy)});
  };
  if (text.size() > SettingLimits::kTextOctets)
    return ValueFault{fmt::format("is longer than {} octets", SettingLimits::kTextOctets), {}};
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (controls || !IsUtf8(text)) return fault("a text without control characters, in UTF-8");
  switch (rule) {
    case TextRule::kAny:
    case TextRule::kSecret:
    case TextRule::kPath:
      return {};
    case TextRule::kHost:
      if (!IsHost(text) && !ParseAddress(text)) return fault("a host's name or address");
      return {};
    case TextRule::kDomain:
      if (!IsDomain(text)) return fault("a domain", "write it as \"example.org\", or \".example.org\" for what is below it");
      return {};
    case TextRule::kMailbox:
      if (!IsMailbox(text))
        return fault("an address or a domain", R"(write it as "user@example.org", "example.org", ".example.org" or "<>")");
      return {};
    case TextRule::kScheme: {
      if (std::find(std::begin(kSchemes), std::end(kSchemes), text) != std::end(kSchemes)) return {};
      const std::string_view nearest = Nearest(UpperCase(text), kSchemes);
      return fault("ARGON2ID or SCRAM-SHA-256", nearest.empty() ? std::string() : fmt::format("did you mean \"{}\"?", nearest));
    }
    case TextRule::kUserName:
      if (!IsUserName(text)) return fault("the name of a user or group of this machine");
      return {};
    case TextRule::kReplyText:
      if (text.size() > kReplyOctets || !Prints(text)) return fault("a text of US-ASCII, of at most 400 octets");
      return {};
  }
  return {};
}

// --- lists ---

std::vector<Octets> Words(Octets text) {
  std::vector<Octets> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(", \t"), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// One text stands for a list of one, an empty one for none.
template <class T, class ReadItem>
Faults TakeList(std::vector<T>& to, const Value& value, const char* wanted, const ReadItem& read) {
  Faults faults;
  std::vector<std::pair<Octets, Place>> texts;
  if (value.kind == Kind::kWords && Trim(value.text).starts_with('[') && Trim(value.text).find_first_of("\"'") != Octets::npos) {
    // As `config show` writes it; an address in brackets has no quotes.
    Value root;
    if (ReadToml("list = " + value.text, root) || root.members.size() != 1)
      return All(
          ValueFault{fmt::format("must be {}, and this list is not whole", wanted), R"(write it as ["a","b"], or as a,b)"});
    root.members[0].value.place = value.place;
    for (Value& item : root.members[0].value.items) item.place = value.place;
    return TakeList(to, root.members[0].value, wanted, read);
  }
  if (value.kind == Kind::kWords && Trim(value.text) == "[]") {
    // none
  } else if (value.kind == Kind::kWords) {
    for (const Octets word : Words(value.text)) texts.emplace_back(word, value.place);
  } else if (value.kind == Kind::kText) {
    if (!value.text.empty()) texts.emplace_back(value.text, value.place);
  } else if (value.kind == Kind::kList) {
    for (const Value& item : value.items) {
      if (item.kind == Kind::kText)
        texts.emplace_back(item.text, item.place);
      else
        faults.push_back({fmt::format("must be {}, but this is {}", wanted, NameOf(item.kind)), {}, item.place});
    }
  } else {
    return All(Wrong(wanted, value));
  }
  if (texts.size() > SettingLimits::kListItems) return {{fmt::format("has more than {} entries", SettingLimits::kListItems)}};
  std::vector<T> items;
  for (const auto& [text, place] : texts) {
    auto item = read(text);
    if (item)
      items.push_back(std::move(*item));
    else
      faults.push_back(
          {fmt::format("\"{}\" {}", ForTerminal(text.substr(0, 100)), item.error().what), item.error().remedy, place});
  }
  if (faults.empty()) to = std::move(items);
  return faults;
}

// --- one a type ---

struct Taker {
  const Setting& setting;
  const Slot& slot;
  const Value& value;

  Fault OutOfBounds(double low, double high) const {
    return ValueFault{fmt::format("must be from {} to {}", Written(slot, low), Written(slot, high)), {}};
  }
  // A number that is not negative, in these units.
  template <class Store>
  Fault TakeWhole(const char* wanted, std::span<const Unit> units, const Store& store) const {
    const Constraint& c = setting.constraint;
    std::uint64_t n = 0;
    if (value.kind == Kind::kWhole) {
      if (value.whole < 0) return OutOfBounds(c.low, c.high);
      n = static_cast<std::uint64_t>(value.whole);
    } else if (IsTextual(value) && (value.kind == Kind::kWords || !units.empty())) {
      const auto read = FromUnits(value.text, units);
      if (!read) return Wrong(wanted, value);
      n = *read;
    } else {
      return Wrong(wanted, value);
    }
    // Bounds are far below the doubles' 53 bits.
    if (static_cast<double>(n) < c.low || static_cast<double>(n) > c.high) return OutOfBounds(c.low, c.high);
    store(n);
    return {};
  }

  Fault operator()(bool* to) const {
    if (value.kind == Kind::kFlag) return *to = value.flag, Fault();
    if (value.kind == Kind::kWords) {
      for (const std::string_view yes : {"true", "yes", "on", "1"})
        if (EqualsNoCase(value.text, yes)) return *to = true, Fault();
      for (const std::string_view no : {"false", "no", "off", "0"})
        if (EqualsNoCase(value.text, no)) return *to = false, Fault();
    }
    return Wrong("true or false", value);
  }
  Fault operator()(std::uint64_t* to) const {
    return TakeWhole("a whole number", {}, [&](std::uint64_t n) { *to = n; });
  }
  Fault operator()(double* to) const {
    double d = 0;
    if (value.kind == Kind::kWhole) {
      d = static_cast<double>(value.whole);
    } else if (value.kind == Kind::kReal) {
      d = value.real;
    } else if (value.kind == Kind::kWords) {
      const char* const end = value.text.data() + value.text.size();
      const auto read = std::from_chars(value.text.data(), end, d);
      if (read.ec != std::errc() || read.ptr != end) return Wrong("a number", value);
    } else {
      return Wrong("a number", value);
    }
    const Constraint& c = setting.constraint;
    if (!(d >= c.low && d <= c.high)) return OutOfBounds(c.low, c.high);  // NaN neither
    *to = d;
    return {};
  }
  Fault operator()(Size* to) const {
    return TakeWhole("a size as \"50 MiB\" (B, KiB, MiB, GiB, TiB, PiB)", kSizes, [&](std::uint64_t n) { to->octets = n; });
  }
  Fault operator()(Seconds* to) const {
    return TakeWhole("a time as \"5 min\" (s, min, h, d)", kDurations,
                     [&](std::uint64_t n) { *to = Seconds(static_cast<Seconds::rep>(n)); });
  }
  Fault operator()(std::string* to) const {
    if (!IsTextual(value)) return Wrong("a text", value, "put it into \"quotes\"");
    if (value.text.empty() && setting.constraint.required) return ValueFault{"must not be empty", {}};
    if (!value.text.empty())
      if (auto fault = Against(setting.constraint.rule, value.text)) return fault;
    *to = value.text;
    return {};
  }
  Faults operator()(Texts* to) const {
    return TakeList(*to, value, "a list of texts", [&](Octets text) -> Expected<std::string> {
      if (text.empty()) return Fail("must not be empty");
      if (auto fault = Against(setting.constraint.rule, text)) return Fail("is wrong: it " + fault->what, {}, fault->remedy);
      return std::string(text);
    });
  }
  Faults operator()(Endpoints* to) const {
    return TakeList(*to, value, "a list of addresses with ports",
                    [&](Octets text) { return ParseEndpoint(text, setting.constraint.port); });
  }
  Faults operator()(Networks* to) const { return TakeList(*to, value, "a list of networks", ParseNetwork); }
  Fault operator()(const ChoiceSlot& to) const {
    std::string names;
    for (const std::string_view name : to.names) names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    const std::string wanted = "one of " + names;
    if (!IsTextual(value)) return Wrong(wanted.c_str(), value);
    const auto found = std::find(to.names.begin(), to.names.end(), value.text);
    if (found == to.names.end()) {
      const std::string_view nearest = Nearest(value.text, to.names);
      return Wrong(wanted.c_str(), value, nearest.empty() ? std::string() : fmt::format("did you mean \"{}\"?", nearest));
    }
    *to.number = static_cast<std::uint8_t>(found - to.names.begin());
    return {};
  }
  Fault operator()(const RowsSlot&) const { return ValueFault{"is a list of tables", {}}; }
};

template <class T, class Write>
std::string List(const std::vector<T>& items, const Write& write) {
  std::string text = "[";
  for (const T& item : items) text += (text.size() > 1 ? ", " : "") + TomlQuoted(write(item));
  return text + "]";
}

struct Writer {
  std::string operator()(const bool* flag) const { return *flag ? "true" : "false"; }
  std::string operator()(const std::uint64_t* n) const { return std::to_string(*n); }
  std::string operator()(const double* d) const { return Real(*d); }
  std::string operator()(const Size* size) const { return TomlQuoted(InUnits(size->octets, kSizes)); }
  std::string operator()(const Seconds* s) const {
    return TomlQuoted(InUnits(static_cast<std::uint64_t>(s->count()), kDurations));
  }
  std::string operator()(const std::string* text) const { return TomlQuoted(*text); }
  std::string operator()(const Texts* texts) const {
    return List(*texts, [](const std::string& t) { return t; });
  }
  std::string operator()(const Endpoints* endpoints) const {
    return List(*endpoints, [](const Endpoint& e) { return e.Text(); });
  }
  std::string operator()(const Networks* networks) const {
    return List(*networks, [](const Network& n) { return n.Text(); });
  }
  std::string operator()(const ChoiceSlot& choice) const { return TomlQuoted(choice.names[*choice.number]); }
  std::string operator()(const RowsSlot&) const { return {}; }
};

}  // namespace

std::vector<ValueFault> Take(const Setting& setting, const Slot& slot, const Value& value) {
  const Taker taker{setting, slot, value};
  return std::visit(
      [&](const auto& to) -> Faults {
        if constexpr (std::is_same_v<decltype(taker(to)), Fault>)
          return All(taker(to));
        else
          return taker(to);
      },
      slot);
}

std::string TomlText(const Slot& slot) { return std::visit(Writer{}, slot); }

std::string BoundsText(const Setting& setting, const Slot& slot) {
  const Constraint& c = setting.constraint;
  return c.high == 0 ? std::string() : fmt::format("{} to {}", Written(slot, c.low), Written(slot, c.high));
}

}  // namespace glasspost::server
