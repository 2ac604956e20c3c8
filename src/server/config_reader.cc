#include "server/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/ascii.h"
#include "base/escape.h"
#include "base/nearest.h"

namespace glasspost::server {
namespace {

constexpr std::string_view kVariables = "GLASSPOST_";
constexpr std::string_view kConfigVariable = "GLASSPOST_CONFIG=";
constexpr std::string_view kConfigFlag = "--config";

std::string MeantText(std::string_view meant) { return meant.empty() ? std::string() : fmt::format("did you mean {}?", meant); }

// A setting of that name in another section, or a similar key, or a similar name.
std::string MeantKey(std::string_view section, std::string_view name) {
  std::vector<std::string> keys;
  std::vector<std::string_view> names;
  for (const Setting& s : Settings()) {
    if (s.name == name) return MeantText(s.Key());
    keys.push_back(s.Key());
    names.push_back(s.name);
  }
  const std::string key = fmt::format("{}.{}", section, name);
  if (const std::string_view nearest = Nearest(key, keys); !nearest.empty()) return MeantText(nearest);
  const std::string_view nearest = Nearest(name, names);
  for (const Setting& s : Settings())
    if (!nearest.empty() && s.name == nearest) return MeantText(s.Key());
  return {};
}

template <class Name>
std::string MeantOf(std::string_view word, const Name& name) {
  std::vector<std::string> names;
  for (const Setting& s : Settings())
    if (!s.has_rows()) names.push_back(name(s));
  return MeantText(Nearest(word, names));
}

std::string Shown(std::string_view key) { return ForTerminal(Octets(key).substr(0, 100)); }

Value Words(std::string_view text) {
  Value value;
  value.kind = Value::Kind::kWords;
  value.text = text;
  return value;
}

// What may follow a flag of yes or no; anything else there is a word of its own.
bool IsFlagWord(std::string_view word) {
  constexpr std::string_view kFlagWords[] = {"true", "false", "yes", "no", "on", "off"};
  return std::ranges::any_of(kFlagWords, [&](std::string_view w) { return EqualsNoCase(word, w); });
}

// All of it, up to one octet more than a configuration may have.
bool ReadWhole(const std::string& path, std::string& text, std::string& why) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file) {
    text.resize(ValueLimits::kFileOctets + 1);
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (!std::ferror(file.get())) return true;
  }
  why = std::strerror(errno);
  return false;
}

}  // namespace

std::string Mistake::Text() const {
  std::string text = where;
  if (place.line > 0) text += fmt::format(":{}:{}", place.line, place.column);
  if (!text.empty()) text += ": ";
  text += what;
  if (!remedy.empty()) text += fmt::format(" ({})", remedy);
  return text;
}

void ConfigReader::Add(const Origin& origin, std::string key, std::string what, std::string remedy) {
  if (mistakes_.size() >= ConfigLimits::kMistakes) return;
  std::string text = key.empty() ? std::move(what) : key + ": " + what;
  wrong_.insert(std::move(key));
  mistakes_.push_back({origin.where, origin.place, std::move(text), std::move(remedy)});
}

void ConfigReader::ReadFile(const std::string& path) {
  std::string text;
  std::string why;
  if (ReadWhole(path, text, why)) return ReadText(text, ForTerminal(path));
  unreadable_ = true;
  Add({ForTerminal(path), {}}, {}, "cannot be read: " + why);
}

void ConfigReader::ReadText(Octets toml, const std::string& name) {
  Value root;
  if (const auto fault = ReadToml(toml, root)) return Add({name, fault->place}, {}, fault->what);
  for (const Member& member : root.members) {
    const Origin origin{name, member.place};
    const auto section =
        std::find_if(Sections().begin(), Sections().end(), [&](const Section& s) { return s.name == member.key; });
    if (section == Sections().end()) {
      std::vector<std::string_view> names;
      for (const Section& s : Sections()) names.push_back(s.name);
      const std::string_view nearest = Nearest(member.key, names);
      std::string meant = nearest.empty() ? MeantKey("", member.key) : fmt::format("did you mean [{}]?", nearest);
      Add(origin, Shown(member.key),
          member.value.kind == Value::Kind::kTable ? "there is no such section" : "there is no such setting", std::move(meant));
    } else if (member.value.kind != Value::Kind::kTable) {
      Add(origin, std::string(section->name), fmt::format("is a section, not {}", NameOf(member.value.kind)),
          fmt::format("its settings stand behind [{}]", section->name));
    } else {
      ReadSection(*section, member.value, name);
    }
  }
}

void ConfigReader::ReadSection(const Section& section, const Value& table, const std::string& name) {
  for (const Member& member : table.members) {
    const auto setting = std::find_if(Settings().begin(), Settings().end(),
                                      [&](const Setting& s) { return s.section == section.name && s.name == member.key; });
    if (setting == Settings().end())
      Add({name, member.place}, fmt::format("{}.{}", section.name, Shown(member.key)), "there is no such setting",
          MeantKey(section.name, member.key));
    else
      TakeSetting(*setting, member.value, {name, member.value.place});
  }
}

void ConfigReader::TakeSetting(const Setting& setting, const Value& value, const Origin& origin) {
  const Slot slot = setting.slot(&config_);
  const std::string key = setting.Key();
  origins_[key] = origin;
  if (const auto* rows = std::get_if<RowsSlot>(&slot)) return TakeRows(setting, *rows, value, origin);
  for (ValueFault& fault : Take(setting, slot, value))
    Add({origin.where, fault.place.line > 0 ? fault.place : origin.place}, key, std::move(fault.what), std::move(fault.remedy));
}

void ConfigReader::TakeRows(const Setting& setting, const RowsSlot& rows, const Value& list, const Origin& origin) {
  const std::string key = setting.Key();
  const bool tables = list.kind == Value::Kind::kList && std::all_of(list.items.begin(), list.items.end(), [](const Value& item) {
                        return item.kind == Value::Kind::kTable;
                      });
  if (!tables) return Add(origin, key, "must be a list of tables", fmt::format("begin each with [[{}]]", key));
  if (list.items.size() > SettingLimits::kListItems)
    return Add(origin, key, fmt::format("has more than {} entries", SettingLimits::kListItems));
  std::size_t i = 0;
  for (const Value& item : list.items) {
    const std::string row = fmt::format("{}[{}]", key, i++);
    origins_[row] = {origin.where, item.place};
    TakeRow(row, rows.columns, rows.add(rows.list), item, {origin.where, item.place});
  }
}

void ConfigReader::TakeRow(const std::string& key, std::span<const Setting> columns, void* row, const Value& table,
                           const Origin& origin) {
  std::vector<std::string_view> names;
  for (const Setting& c : columns) names.push_back(c.name);
  std::set<std::string_view> given;
  for (const Member& member : table.members) {
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const Setting& c) { return c.name == member.key; });
    if (column == columns.end()) {
      Add({origin.where, member.place}, fmt::format("{}.{}", key, Shown(member.key)), "there is no such setting",
          MeantText(Nearest(member.key, names)));
      continue;
    }
    given.insert(column->name);
    const Origin place{origin.where, member.value.place};
    const std::string name = fmt::format("{}.{}", key, column->name);
    origins_[name] = place;
    for (ValueFault& fault : Take(*column, column->slot(row), member.value))
      Add({origin.where, fault.place.line > 0 ? fault.place : place.place}, name, std::move(fault.what), std::move(fault.remedy));
  }
  for (const Setting& c : columns)
    if (c.constraint.required && !given.contains(c.name)) Add(origin, key, fmt::format("lacks \"{}\"", c.name));
}

void ConfigReader::ReadEnvironment(const char* const* environment) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::size_t equals = entry.find('=');
    if (!entry.starts_with(kVariables) || entry.starts_with(kConfigVariable) || equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    const Origin origin{Shown(name), {}};
    const auto setting = std::find_if(Settings().begin(), Settings().end(),
                                      [&](const Setting& s) { return s.Variable() == name && !s.has_rows(); });
    if (setting != Settings().end()) {
      TakeSetting(*setting, Words(entry.substr(equals + 1)), origin);
      continue;
    }
    const bool ours = std::any_of(Sections().begin(), Sections().end(), [&](const Section& s) {
      return name.substr(kVariables.size()).starts_with(UpperCase(s.name) + "_");
    });
    if (ours) Add(origin, {}, "there is no such setting", MeantOf(name, [](const Setting& s) { return s.Variable(); }));
  }
}

void ConfigReader::ReadFlags(std::vector<std::string>& words) {
  std::vector<std::string> left;
  std::size_t i = 0;
  for (; i < words.size() && words[i] != "--"; ++i) {
    const std::size_t equals = std::min(words[i].find('='), words[i].size());
    const std::string name = words[i].substr(0, equals);
    const auto setting =
        std::find_if(Settings().begin(), Settings().end(), [&](const Setting& s) { return s.Flag() == name && !s.has_rows(); });
    if (setting == Settings().end()) {
      left.push_back(words[i]);
      continue;
    }
    const Origin origin{name, {}};
    if (equals < words[i].size())
      TakeSetting(*setting, Words(std::string_view(words[i]).substr(equals + 1)), origin);
    else if (std::holds_alternative<bool*>(setting->slot(&config_)))
      TakeSetting(*setting, Words(i + 1 < words.size() && IsFlagWord(words[i + 1]) ? words[++i] : "true"), origin);
    else if (i + 1 < words.size())
      TakeSetting(*setting, Words(words[++i]), origin);
    else
      Add(origin, {}, "needs a value", fmt::format("write {}=…", name));
  }
  left.insert(left.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  words = std::move(left);
}

ReadConfig ConfigReader::Finish() {
  // What was wrong was not taken: nothing beside it is held against it.
  const std::set<std::string> wrong = wrong_;
  for (Contradiction& c : ContradictionsIn(config_)) {
    const std::string about = c.key.ends_with(']') ? c.key : c.key.substr(0, c.key.rfind('.'));
    if (std::any_of(wrong.begin(), wrong.end(),
                    [&](const std::string& key) { return key == about || key.starts_with(about + "."); }))
      continue;
    auto origin = origins_.find(c.key);
    if (origin == origins_.end()) origin = origins_.find(c.other);
    Add(origin == origins_.end() ? Origin{} : origin->second, c.key, std::move(c.what), std::move(c.remedy));
  }
  // Those of a file by their places; they are few.
  for (std::size_t i = 1; i < mistakes_.size(); ++i)
    for (std::size_t j = i; j > 0 && mistakes_[j].where == mistakes_[j - 1].where && mistakes_[j].place < mistakes_[j - 1].place;
         --j)
      std::swap(mistakes_[j], mistakes_[j - 1]);
  return {std::move(config_), std::move(mistakes_), unreadable_};
}

ReadConfig LoadConfig(std::vector<std::string>& words, const char* const* environment) {
  ConfigReader reader;
  std::string file;
  for (const char* const* e = environment; e != nullptr && *e != nullptr; ++e)
    if (std::string_view(*e).starts_with(kConfigVariable)) file = *e + kConfigVariable.size();
  const auto end = std::find(words.begin(), words.end(), "--");
  const auto at = std::find_if(
      words.begin(), end, [](const std::string& w) { return w == kConfigFlag || w.starts_with(std::string(kConfigFlag) + "="); });
  bool nameless = false;
  if (at != end && *at == kConfigFlag) {
    nameless = at + 1 == end;
    if (!nameless) file = at[1];
    words.erase(at, nameless ? at + 1 : at + 2);
  } else if (at != end) {
    file = at->substr(kConfigFlag.size() + 1);
    nameless = file.empty();
    words.erase(at);
  }
  if (!file.empty() && !nameless) reader.ReadFile(file);
  reader.ReadEnvironment(environment);
  reader.ReadFlags(words);
  ReadConfig read = reader.Finish();
  if (nameless) read.mistakes.push_back({std::string(kConfigFlag), {}, "needs a file's name", {}});
  return read;
}

std::vector<std::string> NeedRestart(const Config& running, const Config& wanted) {
  Config a = running;
  Config b = wanted;
  std::vector<std::string> keys;
  for (const Setting& s : Settings())
    if (s.restart && TomlText(s.slot(&a)) != TomlText(s.slot(&b))) keys.push_back(s.Key());
  return keys;
}

void KeepUntilRestart(const Config& running, Config& wanted) {
  Config from = running;
  for (const Setting& s : Settings()) {
    if (!s.restart) continue;
    const Slot source = s.slot(&from);
    std::visit(
        [&](auto to) {
          using To = decltype(to);
          if constexpr (std::is_same_v<To, ChoiceSlot>)
            *to.number = *std::get<ChoiceSlot>(source).number;
          else if constexpr (std::is_pointer_v<To>)
            *to = *std::get<To>(source);
        },
        s.slot(&wanted));
  }
}

}  // namespace glasspost::server
