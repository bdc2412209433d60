// SPDX-License-Identifier: MIT
/// \file
/// Blocks of random numbers at once. Element e of a fill that starts at block f is made from word e mod 4 of
/// block f + e/4 of the stream, so a fill can be cut anywhere at a multiple of four.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <rowsmith/core/random.hpp>
#include <rowsmith/linalg/simd.hpp>

ROWSMITH_BEGIN

/// Writes the words of blocks [first, first + blocks) of the stream: 4 · blocks numbers. The same bits as
/// `RandomStream::block`, several blocks at a time in the lanes of a register.
inline void fill_bits(const RandomStream& stream, std::uint64_t first, Index blocks,
                      std::uint32_t* out) noexcept {
  using U64 = simd::Vector<std::uint64_t>;
  constexpr Index width = simd::lanes<std::uint64_t>;
  constexpr std::uint64_t low = 0xFFFFFFFFULL;
  const auto key = stream.key();
  U64 lane_index{};
  for (Index i = 0; i < width; ++i)
    lane_index[i] = static_cast<std::uint64_t>(i);
  for (Index block = 0; block < blocks; block += width) {
    const U64 index = lane_index + (first + static_cast<std::uint64_t>(block));
    U64 c0 = index & low;
    U64 c1 = index >> 32U;
    U64 c2 = simd::broadcast<std::uint64_t>(key.counter_high[0]);
    U64 c3 = simd::broadcast<std::uint64_t>(key.counter_high[1]);
    std::uint32_t k0 = key.key[0];
    std::uint32_t k1 = key.key[1];
    for (int round = 0; round < 10; ++round) {
      // Philox4x32: two 32 × 32 -> 64-bit products a round (Salmon et al. 2011, section 3.3).
      const U64 p0 = c0 * std::uint64_t{0xD2511F53U};
      const U64 p1 = c2 * std::uint64_t{0xCD9E8D57U};
      c0 = (p1 >> 32U) ^ c1 ^ std::uint64_t{k0};
      c1 = p1 & low;
      c2 = (p0 >> 32U) ^ c3 ^ std::uint64_t{k1};
      c3 = p0 & low;
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    const Index count = std::min(width, blocks - block);
    for (Index i = 0; i < count; ++i) {
      std::uint32_t* to = out + 4 * (block + i);
      to[0] = static_cast<std::uint32_t>(c0[i]);
      to[1] = static_cast<std::uint32_t>(c1[i]);
      to[2] = static_cast<std::uint32_t>(c2[i]);
      to[3] = static_cast<std::uint32_t>(c3[i]);
    }
  }
}

namespace detail {
/// Calls `chunk(words, offset, count)` over the fill's words, at most 256 at a time.
template <class Chunk>
void for_each_chunk(const RandomStream& stream, std::uint64_t first, Index count,
                    const Chunk& chunk) noexcept {
  constexpr Index chunk_blocks = 64;
  std::uint32_t words[4 * chunk_blocks];
  for (Index done = 0; done < count; done += 4 * chunk_blocks) {
    const Index part = std::min<Index>(4 * chunk_blocks, count - done);
    fill_bits(stream, first + static_cast<std::uint64_t>(done / 4), (part + 3) / 4, words);
    chunk(words, done, part);
  }
}
} // namespace detail

/// Uniform numbers in (0, 1).
template <class Scalar>
void fill_uniform(const RandomStream& stream, std::uint64_t first, Scalar* out, Index count) noexcept {
  detail::for_each_chunk(stream, first, count, [out](const std::uint32_t* words, Index offset, Index part) {
    for (Index i = 0; i < part; ++i)
      out[offset + i] = static_cast<Scalar>(to_uniform_float(words[i]));
  });
}

/// Standard normal numbers (Box & Muller, 1958): words 0 and 1 of a block give elements 0 and 1, words 2 and
/// 3 give elements 2 and 3. Float precision also for double; |x| ≤ 5.8.
template <class Scalar>
void fill_normal(const RandomStream& stream, std::uint64_t first, Scalar* out, Index count) noexcept {
  detail::for_each_chunk(stream, first, count, [out](const std::uint32_t* words, Index offset, Index part) {
    constexpr Index width = simd::lanes<float>;
    constexpr Index pairs = 128;
    float radius[pairs];
    float turn[pairs];
    const Index used = (part / 2 + width) / width * width; // whole registers
    for (Index i = 0; i < std::min(used, pairs); ++i) {
      radius[i] = 2 * i < part ? to_uniform_float(words[2 * i]) : 0.5F;
      turn[i] = 2 * i < part ? to_uniform_float(words[2 * i + 1]) : 0.5F;
    }
    for (Index i = 0; 2 * i < part; i += width) {
      const auto r = simd::sqrt(simd::Vector<float>(-2.0F * simd::log(simd::load(radius + i))));
      simd::Vector<float> sine;
      simd::Vector<float> cosine;
      simd::sin_cos_turn(simd::load(turn + i), sine, cosine);
      simd::store(radius + i, simd::Vector<float>(r * cosine));
      simd::store(turn + i, simd::Vector<float>(r * sine));
    }
    for (Index i = 0; i < part; ++i)
      out[offset + i] = static_cast<Scalar>(i % 2 == 0 ? radius[i / 2] : turn[i / 2]);
  });
}

ROWSMITH_END
