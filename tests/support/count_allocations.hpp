// SPDX-License-Identifier: MIT
// Counts the heap allocations of a test program. Replaces global functions, so that one source of a program
// includes it. Eigen calls malloc and this library operator new, so both are counted; with other C libraries
// than glibc operator new alone. Sanitizers bring functions of their own, and hooks to count by.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace allocation {
inline std::atomic<long> count{0};
inline std::atomic<long> live{0}; // bytes from operator new that are in use; not counted under sanitizers
inline std::atomic<long> peak{0}; // the most there have been; set it to `live` to begin anew
inline void* aligned(std::size_t size, std::size_t alignment) {
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
} // namespace allocation

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define UNDER_SANITIZER
#endif
#endif

#ifdef UNDER_SANITIZER

// Not every compiler's packages hold <sanitizer/allocator_interface.h>.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
namespace allocation {
inline const int hooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++count; }, [](const volatile void*) {});
}

#else

#ifdef __GLIBC__
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  ++allocation::count;
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) noexcept {
  ++allocation::count;
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  ++allocation::count;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++allocation::count;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  ++allocation::count;
  *result = __libc_memalign(alignment, size);
  return *result == nullptr ? 12 : 0; // ENOMEM
}
}
#endif

namespace allocation {
inline void* taken(void* block) {
  if (block == nullptr)
    throw std::bad_alloc();
#ifdef __GLIBC__
  const long now = live += static_cast<long>(malloc_usable_size(block));
  long before = peak;
  while (now > before && !peak.compare_exchange_weak(before, now)) {
  }
#endif
  return block;
}
inline void give_back(void* block) {
#ifdef __GLIBC__
  live -= static_cast<long>(malloc_usable_size(block));
#endif
  std::free(block);
}
} // namespace allocation

// Not inlined: the compiler would take std::free for a mismatch of what it knows as operator new.
#define REPLACEMENT __attribute__((noinline))
REPLACEMENT void* operator new(std::size_t size) {
  ++allocation::count;
  return allocation::taken(std::malloc(size > 0 ? size : 1));
}
REPLACEMENT void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocation::count;
  return allocation::taken(allocation::aligned(size, static_cast<std::size_t>(alignment)));
}
REPLACEMENT void operator delete(void* p) noexcept { allocation::give_back(p); }
REPLACEMENT void operator delete(void* p, std::size_t) noexcept { allocation::give_back(p); }
REPLACEMENT void operator delete(void* p, std::align_val_t) noexcept { allocation::give_back(p); }
REPLACEMENT void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  allocation::give_back(p);
}
#undef REPLACEMENT

#endif
#undef UNDER_SANITIZER
