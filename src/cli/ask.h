// What is asked of the person at the terminal.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/command_line.h"

namespace glasspost::cli {

// `question`, escaped; true for y, yes, 是. An error where there is nobody to ask.
Expected<bool> Confirm(const CommandLine& line, const std::string& question);

// `text` in the person's editor ($VISUAL, $EDITOR, vi), and what came of it; nothing if it was left as it is.
Expected<std::optional<std::string>> Edit(const std::string& text);

// A folder of its own below $TMPDIR, for its owner alone; goes away with what is in it.
class TemporaryFolder {
 public:
  static Expected<TemporaryFolder> Make();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace glasspost::cli
