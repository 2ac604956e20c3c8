// Time as it is passed in, so that whole mail worlds can run on a virtual one.
#pragma once

#include <cstdint>

#include "base/origin.h"

namespace glasspost {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock: for stamps that people read. May jump.
  virtual Timestamp Now() const = 0;
  // Nanoseconds since some moment; never goes back. For time-outs.
  virtual std::int64_t Steady() const = 0;
};

}  // namespace glasspost
