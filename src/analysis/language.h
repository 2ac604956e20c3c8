// The languages in which Glasspost speaks to people.
#pragma once

#include <cstdint>

namespace glasspost::analysis {

enum class Language : std::uint8_t { kEnglish, kChinese };

}  // namespace glasspost::analysis
