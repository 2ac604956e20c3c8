// Standard input laid into a temporary file, for work that reads its input more than once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace glasspost::cli {

class Spool {
 public:
  Spool() = default;
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Replaces "-" among `files` by the name of a file that holds all of standard input, or the octets up to the first beyond
  // `most`. The file goes with this object, or with the process, however it ends.
  Expected<void> Take(std::vector<std::string>& files, std::uint64_t most);
  // The error in the words of the person, who has not named that file.
  Error Named(Error error) const;

 private:
  int file_ = -1;
  std::string path_;
};

}  // namespace glasspost::cli
