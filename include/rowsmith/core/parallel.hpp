// SPDX-License-Identifier: MIT
/// \file
/// Loops over logical shards. Work is cut by its size alone and threads take shards, so the number of threads
/// never shows in a result.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <string>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// The number of threads meant by an option: `requested`, or all of the machine's for 0.
/// \throws OptionError above 4096 or below 0.
inline int resolve_threads(int requested) {
  if (requested < 0 || requested > 4096)
    throw OptionError("threads = " + std::to_string(requested) + ": expected 0 (all) to 4096");
#ifdef _OPENMP
  return requested == 0 ? omp_get_max_threads() : requested;
#else
  return 1;
#endif
}

/// Calls `body(shard)` once for each shard in [0, shards), on up to `threads` threads, in no fixed order.
/// The first exception thrown by a shard (the one of the lowest shard number) is thrown again here, after
/// every started shard has ended.
template <class Body>
void parallel_for(std::size_t shards, int threads, const Body& body) {
  const int team =
      static_cast<int>(std::min<std::size_t>(shards, static_cast<std::size_t>(std::max(threads, 1))));
  if (team <= 1) {
    for (std::size_t shard = 0; shard < shards; ++shard)
      body(shard);
    return;
  }
#ifdef _OPENMP
  std::exception_ptr failure;
  std::size_t failed_shard = shards;
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
  for (std::size_t shard = 0; shard < shards; ++shard) {
    try {
      body(shard);
    } catch (...) {
#pragma omp critical(rowsmith_parallel_for)
      if (shard < failed_shard) {
        failed_shard = shard;
        failure = std::current_exception();
      }
    }
  }
  if (failure)
    std::rethrow_exception(failure);
#else
  for (std::size_t shard = 0; shard < shards; ++shard)
    body(shard);
#endif
}

ROWSMITH_END
