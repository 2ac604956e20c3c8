// `glasspost config`: shows the server's settings, and checks a file of them.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands after the command. The exit status: 0 shown, or no mistakes; 1 mistakes, each told with its place; 2
// usage; 3 the file cannot be read.
int RunConfig(const std::vector<std::string>& words);

}  // namespace glasspost::cli
