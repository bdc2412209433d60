// SPDX-License-Identifier: MIT
/// \file
/// Buffers that threads take and give back.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace forest::detail {

/// Things that are not in use at the moment. May be used by several threads at once.
template <class T>
class Pool {
public:
  /// One that was given back, or else a new one from `make()`.
  template <class Make>
  T take(const Make& make) {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        T thing = std::move(free_.back());
        free_.pop_back();
        return thing;
      }
    }
    return make();
  }
  void give(T thing) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(thing));
  }

private:
  std::vector<T> free_;
  std::mutex mutex_;
};

} // namespace forest::detail
ROWSMITH_END
