// `glasspost dns serve`: a small authoritative name server.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

int RunDnsServe(const std::vector<std::string>& words);

}  // namespace glasspost::cli
