#include "cli/large_pages.h"

#ifdef GLASSPOST_MIMALLOC
#include <mimalloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <memory>
#endif

namespace glasspost::cli {

#ifdef GLASSPOST_MIMALLOC
void UseLargePages() {
  mi_option_enable(mi_option_large_os_pages);
  mi_option_set(mi_option_eager_commit_delay, 0);  // else each thread begins with small pages
  // The allocator gives each thread its memory from aligned segments of this size, and the first was there before main. A mere
  // advice: where no memory lies, or the size is another, it does nothing or less.
  constexpr std::uintptr_t kSegment = std::uintptr_t{32} << 20;
  const auto probe = std::make_unique<char>();
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(probe.get()) & ~(kSegment - 1);
  ::madvise(reinterpret_cast<void*>(at), kSegment, MADV_HUGEPAGE);  // NOLINT(performance-no-int-to-ptr)
}
#else
void UseLargePages() {}
#endif

}  // namespace glasspost::cli
