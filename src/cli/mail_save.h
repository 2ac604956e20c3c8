// Parts of a message as files: named as their sender did, made safe; octet for octet; nothing is overwritten, no link followed.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/mail_place.h"

namespace glasspost::cli {

// A file that is not there yet, of this name or with "-2", "-3" … before its extension; for its owner alone. Taken away again
// unless it is kept.
class NewFile {
 public:
  static Expected<NewFile> Make(const std::string& folder, const std::string& name);
  // Of exactly this path.
  static Expected<NewFile> MakeAt(const std::string& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  Expected<void> Write(Octets octets);
  Expected<void> Keep();  // it is on the disk then
  const std::string& path() const { return path_; }

 private:
  NewFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
};

// The path.
Expected<std::string> SavePart(const LoadedMessage& message, const mime::Part& part, const std::string& folder);

}  // namespace glasspost::cli
