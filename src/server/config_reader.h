// Makes a Config of a file, the environment and flags: what is read later beats what was read before, so they are read in this
// order. Every mistake is told, with its place, not only the first. `glasspost config show` is the other way round.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml.h"
#include "server/config.h"
#include "server/settings.h"

namespace glasspost::server {

struct ConfigLimits {
  static constexpr std::size_t kMistakes = 100;  // told; stops a file of rubbish from scrolling for ever
};

struct Mistake {
  std::string where;  // the file, the variable, the flag
  Place place;        // of a file
  std::string what;   // "limits.message: …"
  std::string remedy;

  // "mail.toml:3:7: limits.mesage: there is no such setting (did you mean limits.message?)"
  std::string Text() const;
};

// What came out: `config` counts only if there are no mistakes.
struct ReadConfig {
  Config config;
  std::vector<Mistake> mistakes;
  bool unreadable = false;  // the file itself is not there, or cannot be read
};

class ConfigReader {
 public:
  void ReadFile(const std::string& path);
  void ReadText(Octets toml, const std::string& name);
  // `environment` as environ(7): "NAME=value", null at the end. A GLASSPOST_ variable that begins with a section's name but is no
  // setting is a mistake; others are not ours.
  void ReadEnvironment(const char* const* environment);
  // Takes the flags of settings out of `words`, up to "--", and leaves the others.
  void ReadFlags(std::vector<std::string>& words);
  // What contradicts what, and the result. Once.
  ReadConfig Finish();

 private:
  struct Origin {
    std::string where;
    Place place;
  };
  void ReadSection(const Section& section, const Value& table, const std::string& name);
  void TakeSetting(const Setting& setting, const Value& value, const Origin& origin);
  void TakeRows(const Setting& setting, const RowsSlot& rows, const Value& list, const Origin& origin);
  void TakeRow(const std::string& key, std::span<const Setting> columns, void* row, const Value& table, const Origin& origin);
  void Add(const Origin& origin, std::string key, std::string what, std::string remedy = {});

  Config config_;
  std::vector<Mistake> mistakes_;
  std::map<std::string, Origin, std::less<>> origins_;  // of what was set, by key; of rows, "access.rule[2].client"
  std::set<std::string> wrong_;                         // keys with mistakes: no contradictions are sought there
  bool unreadable_ = false;
};

// Values that contradict each other; each with the key that is to be changed ("access.rule[2]" of the third row), and the one
// that was given if that was not.
struct Contradiction {
  std::string key;
  std::string what;
  std::string remedy;
  std::string other;
};
std::vector<Contradiction> ContradictionsIn(const Config& config);

// File, environment and flags, as `serve` has them: --config FILE or $GLASSPOST_CONFIG names the file. Takes the flags out of
// `words`.
ReadConfig LoadConfig(std::vector<std::string>& words, const char* const* environment);

// A TOML file that says just this, with comments; of the defaults, `glasspost config show`.
std::string WriteConfig(const Config& config);

// Settings that differ and that a reload does not change.
std::vector<std::string> NeedRestart(const Config& running, const Config& wanted);
// Sets them in `wanted` as they are in `running`.
void KeepUntilRestart(const Config& running, Config& wanted);

}  // namespace glasspost::server
