#include "net/system_clock.h"

#include <chrono>

namespace glasspost::net {
namespace {

template <class C>
std::int64_t Nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(C::now().time_since_epoch()).count();
}

class MachineClock final : public Clock {
 public:
  Timestamp Now() const override { return Nanoseconds<std::chrono::system_clock>(); }
  std::int64_t Steady() const override { return Nanoseconds<std::chrono::steady_clock>(); }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

}  // namespace glasspost::net
