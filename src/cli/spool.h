// Standard input laid into a temporary file, for work that reads its input more than once.
#pragma once

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

  // Replaces "-" among `files` by the name of a file that holds all of standard input. It is deleted with this object.
  Expected<void> Take(std::vector<std::string>& files);

 private:
  std::string path_;
};

}  // namespace glasspost::cli
