// SPDX-License-Identifier: MIT
/// \file
/// Nodes of few rows as sets of bits: what the lower part of a tree is grown on. Most nodes of a tree that
/// grows until its leaves are pure hold a handful of rows.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace forest::detail {

/// 64 bytes, compared at once.
class Bytes64 {
public:
  /// \param bytes  64 of them
  explicit Bytes64(const std::uint8_t* bytes) noexcept { std::memcpy(&bytes_, bytes, sizeof bytes_); }

  struct Masks {
    std::uint64_t at_most; ///< bit i: byte i ≤ the bound
    std::uint64_t equal;   ///< bit i: byte i is the bound
  };
  Masks compare(std::uint8_t bound) const noexcept {
    Masks masks{0, 0};
#if defined(__AVX512BW__)
    const __m512i bounds = _mm512_set1_epi8(static_cast<char>(bound));
    masks.at_most = _mm512_cmple_epu8_mask(bytes_, bounds);
    masks.equal = _mm512_cmpeq_epi8_mask(bytes_, bounds);
#elif defined(__AVX2__)
    const __m256i bounds = _mm256_set1_epi8(static_cast<char>(bound));
    for (std::size_t i = 0; i < 2; ++i) {
      const __m256i least = _mm256_min_epu8(bytes_[i], bounds);
      const auto bits = [](__m256i bytes) {
        return std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes))};
      };
      masks.at_most |= bits(_mm256_cmpeq_epi8(least, bytes_[i])) << (32 * i);
      masks.equal |= bits(_mm256_cmpeq_epi8(bounds, bytes_[i])) << (32 * i);
    }
#elif defined(__SSE2__)
    const __m128i bounds = _mm_set1_epi8(static_cast<char>(bound));
    for (std::size_t i = 0; i < 4; ++i) {
      const __m128i least = _mm_min_epu8(bytes_[i], bounds);
      const auto bits = [](__m128i bytes) {
        return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
      };
      masks.at_most |= bits(_mm_cmpeq_epi8(least, bytes_[i])) << (16 * i);
      masks.equal |= bits(_mm_cmpeq_epi8(bounds, bytes_[i])) << (16 * i);
    }
#else
    for (std::size_t i = 0; i < 64; ++i) {
      masks.at_most |= std::uint64_t{bytes_[i] <= bound ? 1U : 0U} << i;
      masks.equal |= std::uint64_t{bytes_[i] == bound ? 1U : 0U} << i;
    }
#endif
    return masks;
  }

private:
#if defined(__AVX512BW__)
  __m512i bytes_;
#elif defined(__AVX2__)
  __m256i bytes_[2];
#elif defined(__SSE2__)
  __m128i bytes_[4];
#else
  std::uint8_t bytes_[64];
#endif
};

/// Up to 64 samples of two classes; a set of them is a number whose bit i stands for sample i.
class SmallNodes {
public:
  static constexpr std::size_t most = 64;
  /// Weights are kept as bits, too.
  static constexpr unsigned weight_bits = 3;

  explicit SmallNodes(std::size_t features) : codes_(most * features), loaded_(features) {}

  /// \tparam Sample  has `row`, `weight` and `label` \returns whether they can be kept
  template <class Sample>
  bool hold(std::span<const Sample> samples) noexcept {
    if (samples.size() > most)
      return false;
    std::uint64_t weight[weight_bits] = {};
    std::uint64_t ones = 0;
    unsigned all = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      all |= samples[i].weight;
      ones |= std::uint64_t{samples[i].label} << i;
      for (unsigned b = 0; b < weight_bits; ++b)
        weight[b] |= std::uint64_t{(unsigned{samples[i].weight} >> b) & 1U} << i;
      rows_[i] = samples[i].row;
    }
    if (all >> weight_bits != 0)
      return false;
    for (unsigned b = 0; b < weight_bits; ++b) {
      weight_[b] = weight[b];
      ones_[b] = weight[b] & ones;
    }
    count_ = samples.size();
    ++turn_;
    return true;
  }

  std::uint64_t everything() const noexcept { return ~std::uint64_t{0} >> (most - count_); }

  /// The weight of a set in the lower half, that of class 1 in the upper one.
  std::uint64_t sum(std::uint64_t set) const noexcept {
    std::uint64_t result = 0;
    for (unsigned b = 0; b < weight_bits; ++b)
      result += (static_cast<std::uint64_t>(std::popcount(set & ones_[b])) << (32 + b)) +
                (static_cast<std::uint64_t>(std::popcount(set & weight_[b])) << b);
    return result;
  }

  /// The bins of the samples in a column, which is read when it is first asked for.
  const std::uint8_t* codes(std::size_t feature, const std::uint8_t* column) noexcept {
    std::uint8_t* codes = codes_.data() + most * feature;
    if (loaded_[feature] != turn_) {
      loaded_[feature] = turn_;
      for (std::size_t i = 0; i < count_; ++i)
        codes[i] = column[rows_[i]];
    }
    return codes;
  }

private:
  std::vector<std::uint8_t> codes_;   // features × 64
  std::vector<std::uint64_t> loaded_; // by feature, the turn that read it
  std::uint64_t turn_ = 0;
  std::size_t count_ = 1;
  std::uint32_t rows_[most] = {};
  std::uint64_t weight_[weight_bits] = {}; // a bit of each sample's weight
  std::uint64_t ones_[weight_bits] = {};   // the same, of class 1
};

} // namespace forest::detail
ROWSMITH_END
