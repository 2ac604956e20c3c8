// Counts what goes through operator new, for tests that bound it. It replaces the operators: include it in one file of a program.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace glasspost::test {
inline std::atomic<std::size_t> allocations{0};       // ever
inline std::atomic<std::size_t> allocated_octets{0};  // now, as malloc rounds them up
}  // namespace glasspost::test

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  void* const at = std::malloc(size ? size : 1);
  if (!at) throw std::bad_alloc();
  ++glasspost::test::allocations;
  glasspost::test::allocated_octets += malloc_usable_size(at);
  return at;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  void* const at = std::aligned_alloc(step, (size + step - 1) / step * step);
  if (!at) throw std::bad_alloc();
  ++glasspost::test::allocations;
  glasspost::test::allocated_octets += malloc_usable_size(at);
  return at;
}
void operator delete(void* at) noexcept {
  if (at) glasspost::test::allocated_octets -= malloc_usable_size(at);
  std::free(at);
}
void operator delete(void* at, std::size_t) noexcept { operator delete(at); }
void operator delete(void* at, std::align_val_t) noexcept { operator delete(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { operator delete(at); }
