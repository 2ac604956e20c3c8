// The machine's clocks behind base/clock.h.
#pragma once

#include "base/clock.h"

namespace glasspost::net {

// May be used from any thread.
const Clock& SystemClock();

}  // namespace glasspost::net
