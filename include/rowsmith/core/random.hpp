// SPDX-License-Identifier: MIT
/// \file
/// Counter-based random numbers: draw `i` of a stream is a pure function of (seed, purpose, i), so any row,
/// batch or shard can be made alone, in any order, on any thread.
///
/// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, from Random123.
/// The transforms to uniform and normal numbers are our own because the standard library's distributions
/// differ between implementations.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include <Random123/philox.h>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// What a stream is for. Two streams of different purpose never share a number.
enum class Purpose : std::uint32_t {
  split = 1,
  initialise,
  shuffle,
  dropout,
  latent_noise,
  generator_noise,
  sample_noise,
  sample_decode,
  encode_position,
  forest_bootstrap,
  forest_features,
  fold,
  evaluate,
  label,
  sample_component,
  refit_latent,
  refit_noise,
  mixture,
  acceptance,
  likelihood,
  user = 0x1000,
};

/// 32 random bits -> uniform float in (0, 1), never 0 or 1: the top 23 bits, centred in their interval.
constexpr float to_uniform_float(std::uint32_t bits) noexcept {
  return (static_cast<float>(bits >> 9) + 0.5F) * 0x1p-23F;
}

/// 64 random bits -> uniform double in (0, 1), never 0 or 1.
constexpr double to_uniform_double(std::uint32_t high, std::uint32_t low) noexcept {
  const std::uint64_t bits = (std::uint64_t{high} << 32U) | low;
  return (static_cast<double>(bits >> 12U) + 0.5) * 0x1p-52;
}

/// A stateless stream of random numbers. Copyable, 24 bytes, safe to share between threads.
class RandomStream {
public:
  using Block = std::array<std::uint32_t, 4>;

  /// \param seed     the user's seed
  /// \param purpose  keeps the streams of one seed apart
  /// \param major    a further index, such as a step or a tree
  constexpr RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t major = 0) noexcept
      : seed_(seed), purpose_(static_cast<std::uint32_t>(purpose)), major_(major) {}

  /// The four 32-bit numbers at position `index`.
  Block block(std::uint64_t index) const noexcept {
    const philox4x32_ctr_t counter{
        {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32U), purpose_, major_}};
    const philox4x32_key_t key{{static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32U)}};
    const auto r = philox4x32(counter, key);
    return {r[0], r[1], r[2], r[3]};
  }

  /// The stream's Philox key and the upper half of its counters, for code that makes many blocks at once.
  struct Key {
    std::array<std::uint32_t, 2> key;
    std::array<std::uint32_t, 2> counter_high;
  };
  constexpr Key key() const noexcept {
    return {{static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32U)},
            {purpose_, major_}};
  }

  /// Uniform in (0, 1) at position `index`.
  double uniform(std::uint64_t index) const noexcept {
    const auto b = block(index);
    return to_uniform_double(b[0], b[1]);
  }

private:
  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint32_t major_;
};

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
