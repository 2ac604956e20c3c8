// `glasspost analyze`: tells the conversations of capture files.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands after the command. The exit status: 0 read; 1 read, with faults in a capture file; 2 usage; 3 a file
// cannot be opened or written (everything else is told and written all the same).
int RunAnalyze(const std::vector<std::string>& words);

}  // namespace glasspost::cli
