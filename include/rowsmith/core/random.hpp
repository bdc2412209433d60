// SPDX-License-Identifier: MIT
/// \file
/// Counter-based random numbers: draw `i` of a stream is a pure function of (seed, purpose, i), so any row,
/// batch or shard can be made alone, in any order, on any thread.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include <rowsmith/kernel/random.hpp>

ROWSMITH_BEGIN

/// Reads a stream from a chosen position onwards, one number at a time. Cheap to make, so make one per row.
class RandomSequence {
public:
  explicit RandomSequence(RandomStream stream, std::uint64_t first_block = 0) noexcept
      : stream_(stream), next_block_(first_block) {}

  std::uint32_t bits() noexcept {
    if (used_ == 4) {
      block_ = stream_.block(next_block_++);
      used_ = 0;
    }
    return block_[used_++];
  }

  /// Uniform float in (0, 1).
  float uniform_float() noexcept { return to_uniform_float(bits()); }

  /// Uniform double in (0, 1).
  double uniform() noexcept {
    const auto high = bits();
    return to_uniform_double(high, bits());
  }

  /// Uniform integer in [0, bound), exactly unbiased (Lemire, "Fast random integer generation in an
  /// interval", ACM TOMACS 2019). `bound` must be positive.
  std::uint32_t below(std::uint32_t bound) noexcept {
    std::uint64_t product = std::uint64_t{bits()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0U - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold)
        product = std::uint64_t{bits()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32U);
  }

  /// Standard normal (Box & Muller, 1958); the second number of each pair is kept for the next call.
  double normal() noexcept {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

private:
  RandomStream stream_;
  std::uint64_t next_block_;
  RandomStream::Block block_{};
  unsigned used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

/// Shuffles in place (Fisher & Yates). `items.size()` must be below 2^32.
template <class T>
void shuffle(std::span<T> items, RandomSequence& random) noexcept {
  for (std::size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[random.below(static_cast<std::uint32_t>(i))]);
}

ROWSMITH_END
