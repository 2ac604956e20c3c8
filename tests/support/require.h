// What must hold whatever the input is: a fuzz target that finds otherwise ends there.
#pragma once

#include <cstdlib>

namespace glasspost::test {

inline void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace glasspost::test
