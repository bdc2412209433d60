// SPDX-License-Identifier: MIT
/// \file
/// Streams of random numbers by counters: block `i` of a stream is a pure function of (seed, purpose, major,
/// i).
///
/// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The transforms to
/// uniform and normal numbers are our own because the standard library's distributions differ between
/// implementations.
#pragma once

#include <array>
#include <cstdint>

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
  identifier,
  identifier_rest,
  quota,
  impute,
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
/// 32 random bits -> a position in (0, 1).
constexpr double to_position(std::uint32_t bits) noexcept {
  return (static_cast<double>(bits) + 0.5) * 0x1p-32;
}

namespace kernel {
/// The ten rounds of Philox on a counter of four 32-bit words, each in a 64-bit word or a vector of such.
template <class Word>
constexpr void philox(Word& c0, Word& c1, Word& c2, Word& c3, std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    // Two 32 × 32 -> 64-bit products a round (section 3.3).
    const Word p0 = c0 * std::uint64_t{0xD2511F53U};
    const Word p1 = c2 * std::uint64_t{0xCD9E8D57U};
    c0 = (p1 >> 32U) ^ c1 ^ std::uint64_t{key[0]};
    c1 = p1 & std::uint64_t{0xFFFFFFFFU};
    c2 = (p0 >> 32U) ^ c3 ^ std::uint64_t{key[1]};
    c3 = p0 & std::uint64_t{0xFFFFFFFFU};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
}
} // namespace kernel

/// A stateless stream of random numbers. Copyable, 16 bytes, safe to share between threads.
class RandomStream {
public:
  using Block = std::array<std::uint32_t, 4>;

  /// \param seed     the user's seed
  /// \param purpose  keeps the streams of one seed apart
  /// \param major    a further index, such as a step or a tree
  constexpr RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t major = 0) noexcept
      : seed_(seed), purpose_(static_cast<std::uint32_t>(purpose)), major_(major) {}

  /// The four 32-bit numbers at position `index`.
  constexpr Block block(std::uint64_t index) const noexcept {
    std::uint64_t c0 = index & 0xFFFFFFFFU;
    std::uint64_t c1 = index >> 32U;
    std::uint64_t c2 = purpose_;
    std::uint64_t c3 = major_;
    kernel::philox(c0, c1, c2, c3, key().key);
    return {static_cast<std::uint32_t>(c0), static_cast<std::uint32_t>(c1), static_cast<std::uint32_t>(c2),
            static_cast<std::uint32_t>(c3)};
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
  constexpr double uniform(std::uint64_t index) const noexcept {
    const auto b = block(index);
    return to_uniform_double(b[0], b[1]);
  }

private:
  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint32_t major_;
};

ROWSMITH_END
