#include "server/settings.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"

namespace glasspost::server {
namespace {

constexpr double kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB, kTib = 1024 * kGiB, kPib = 1024 * kTib;
// Below it the log of changes and a restart could find the disk full, and nothing could be deleted any more.
constexpr double kLeastFree = 16 * kMiB;
constexpr double kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;

constexpr Constraint Any() { return {}; }
constexpr Constraint Between(double low, double high) { return {.low = low, .high = high}; }
constexpr Constraint Secret() { return {.rule = TextRule::kSecret}; }
constexpr Constraint Path() { return {.rule = TextRule::kPath}; }
constexpr Constraint Host() { return {.rule = TextRule::kHost}; }
constexpr Constraint Domain() { return {.rule = TextRule::kDomain}; }
constexpr Constraint Mailbox() { return {.rule = TextRule::kMailbox}; }
constexpr Constraint Scheme() { return {.rule = TextRule::kScheme}; }
constexpr Constraint UserName() { return {.rule = TextRule::kUserName}; }
constexpr Constraint ReplyText() { return {.rule = TextRule::kReplyText}; }
constexpr Constraint WithPort(std::uint16_t port) { return {.port = port}; }
constexpr Constraint Needed(Constraint c) {
  c.required = true;
  return c;
}

// By number.
constexpr std::string_view kBareLineEndRules[] = {"refuse", "normalise"};
constexpr std::string_view kOverQuota[] = {"temporary", "permanent"};
constexpr std::string_view kAccessActions[] = {"accept", "refuse", "defer"};
constexpr std::string_view kFamilies[] = {"any", "ipv4", "ipv6"};
constexpr std::string_view kKept[] = {"off", "headers", "full"};
constexpr std::string_view kTlsRules[] = {"off", "opportunistic", "required", "verified"};
constexpr std::string_view kLevels[] = {"error", "warning", "info", "debug"};
constexpr std::string_view kFormats[] = {"text", "json"};

constexpr std::span<const std::string_view> NamesOf(BareLineEndRule) { return kBareLineEndRules; }
constexpr std::span<const std::string_view> NamesOf(OverQuota) { return kOverQuota; }
constexpr std::span<const std::string_view> NamesOf(AccessAction) { return kAccessActions; }
constexpr std::span<const std::string_view> NamesOf(AddressFamily) { return kFamilies; }
constexpr std::span<const std::string_view> NamesOf(KeptConversations) { return kKept; }
constexpr std::span<const std::string_view> NamesOf(TlsRule) { return kTlsRules; }
constexpr std::span<const std::string_view> NamesOf(LogLevel) { return kLevels; }
constexpr std::span<const std::string_view> NamesOf(LogFormat) { return kFormats; }

std::span<const Setting> ColumnsOf(std::string_view table);
std::string_view NameOfRow(const CertificatePair*) { return "CertificatePair"; }
std::string_view NameOfRow(const AccessRule*) { return "AccessRule"; }
std::string_view NameOfRow(const Route*) { return "Route"; }

template <class T>
Slot Of(T* value) {
  if constexpr (std::is_enum_v<T>) {
    static_assert(std::is_same_v<std::underlying_type_t<T>, std::uint8_t>);
    return ChoiceSlot{reinterpret_cast<std::uint8_t*>(value), NamesOf(T{})};
  } else {
    return value;
  }
}
template <class Row>
requires(!std::is_same_v<Row, std::string> && !std::is_same_v<Row, Endpoint> && !std::is_same_v<Row, Network>) Slot
    Of(std::vector<Row>* rows) {
  return RowsSlot{.list = rows,
                  .columns = ColumnsOf(NameOfRow(static_cast<const Row*>(nullptr))),
                  .add = [](void* list) -> void* { return &static_cast<std::vector<Row>*>(list)->emplace_back(); },
                  .at = [](void* list, std::size_t i) -> void* {
                    auto& all = *static_cast<std::vector<Row>*>(list);
                    return i < all.size() ? &all[i] : nullptr;
                  }};
}

constexpr std::string_view LastWord(std::string_view member) { return member.substr(member.rfind('.') + 1); }

#define GLASSPOST_SECTION(...)
#define GLASSPOST_SETTING(...)
#define GLASSPOST_SETTING_AT_START(...)
#define GLASSPOST_COLUMN(table, member, constraint, comment) \
  {{}, LastWord(#member), [](void* row) { return Of(&static_cast<table*>(row)->member); }, constraint, false, comment},
constexpr Setting kColumns[] = {
#include "server/settings.inc"
};
#undef GLASSPOST_COLUMN
#define GLASSPOST_COLUMN(table, member, constraint, comment) #table,
constexpr std::string_view kColumnTables[] = {
#include "server/settings.inc"
};
#undef GLASSPOST_COLUMN
#undef GLASSPOST_SETTING
#undef GLASSPOST_SETTING_AT_START
#define GLASSPOST_COLUMN(...)
#define GLASSPOST_ROW(section, name, constraint, restart, comment) \
  {#section, #name, [](void* config) { return Of(&static_cast<Config*>(config)->section.name); }, constraint, restart, comment},
#define GLASSPOST_SETTING(section, name, constraint, comment) GLASSPOST_ROW(section, name, constraint, false, comment)
#define GLASSPOST_SETTING_AT_START(section, name, constraint, comment) GLASSPOST_ROW(section, name, constraint, true, comment)
constexpr Setting kSettings[] = {
#include "server/settings.inc"
};
#undef GLASSPOST_SECTION
#undef GLASSPOST_SETTING
#undef GLASSPOST_SETTING_AT_START
#define GLASSPOST_SETTING(...)
#define GLASSPOST_SETTING_AT_START(...)
#define GLASSPOST_SECTION(name, comment) {#name, comment},
constexpr Section kSections[] = {
#include "server/settings.inc"
};
#undef GLASSPOST_SECTION
#undef GLASSPOST_SETTING
#undef GLASSPOST_SETTING_AT_START
#undef GLASSPOST_COLUMN
#undef GLASSPOST_ROW

std::span<const Setting> ColumnsOf(std::string_view table) {
  const auto first = std::find(std::begin(kColumnTables), std::end(kColumnTables), table);
  const auto end = std::find_if(first, std::end(kColumnTables), [&](std::string_view t) { return t != table; });
  return std::span(kColumns).subspan(static_cast<std::size_t>(first - std::begin(kColumnTables)),
                                     static_cast<std::size_t>(end - first));
}

// Those that are said often, or have always been called so.
constexpr struct {
  std::string_view key;
  std::string_view flag;
} kShortFlags[] = {
    {"server.classroom", "--classroom"},
    {"server.data", "--data"},
    {"server.host", "--host"},
    {"record.folder", "--record"},
    {"conversations.show_secrets", "--show-secrets"},
};

}  // namespace

std::span<const Section> Sections() { return kSections; }
std::span<const Setting> Settings() { return kSettings; }

std::string Setting::Variable() const {
  std::string variable = "GLASSPOST_" + Key();
  for (char& c : variable) c = c == '.' ? '_' : ToUpper(c);
  return variable;
}

std::string Setting::Flag() const {
  std::string key = Key();
  for (const auto& brief : kShortFlags)
    if (brief.key == key) return std::string(brief.flag);
  for (char& c : key)
    if (c == '.' || c == '_') c = '-';
  return "--" + key;
}

bool Setting::has_rows() const {
  static Config any;  // only looked at
  return !section.empty() && std::holds_alternative<RowsSlot>(slot(&any));
}

}  // namespace glasspost::server
