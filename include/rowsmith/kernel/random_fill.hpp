// SPDX-License-Identifier: MIT
/// \file
/// Blocks of random numbers at once. Element e of a fill that starts at block f is made from word e mod 4 of
/// block f + e/4 of the stream, so a fill can be cut anywhere at a multiple of four.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <rowsmith/kernel/random.hpp>
#include <rowsmith/kernel/simd.hpp>

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
    kernel::philox(c0, c1, c2, c3, key.key);
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

namespace kernel {
inline constexpr Index chunk_blocks = 64; ///< of a fill at a time

/// Calls `chunk(words, offset, count)` over the fill's words, at most 4 · chunk_blocks at a time.
template <class Chunk>
void for_each_chunk(const RandomStream& stream, std::uint64_t first, Index count,
                    const Chunk& chunk) noexcept {
  std::uint32_t words[4 * chunk_blocks];
  for (Index done = 0; done < count; done += 4 * chunk_blocks) {
    const Index part = std::min<Index>(4 * chunk_blocks, count - done);
    fill_bits(stream, first + static_cast<std::uint64_t>(done / 4), (part + 3) / 4, words);
    chunk(words, done, part);
  }
}

/// `count` words -> the even normal numbers in `even`, the odd ones in `odd` (Box & Muller, 1958). Never
/// inlined, so that there is one such code and a row alone has the bits it has in a batch.
[[gnu::noinline]] inline void box_muller(const std::uint32_t* words, Index count, float* even,
                                         float* odd) noexcept {
  constexpr Index width = simd::lanes<float>;
  const Index used = std::min((count / 2 + width) / width * width, 2 * chunk_blocks); // whole registers
  for (Index i = 0; i < used; ++i) {
    even[i] = 2 * i < count ? to_uniform_float(words[2 * i]) : 0.5F;
    odd[i] = 2 * i < count ? to_uniform_float(words[2 * i + 1]) : 0.5F;
  }
  for (Index i = 0; 2 * i < count; i += width) {
    const auto r = simd::sqrt(simd::Vector<float>(-2.0F * simd::log(simd::load(even + i))));
    simd::Vector<float> sine;
    simd::Vector<float> cosine;
    simd::sin_cos_turn(simd::load(odd + i), sine, cosine);
    simd::store(even + i, simd::Vector<float>(r * cosine));
    simd::store(odd + i, simd::Vector<float>(r * sine));
  }
}
} // namespace kernel

/// Uniform numbers in (0, 1).
template <class Scalar>
void fill_uniform(const RandomStream& stream, std::uint64_t first, Scalar* out, Index count) noexcept {
  kernel::for_each_chunk(stream, first, count, [out](const std::uint32_t* words, Index offset, Index part) {
    for (Index i = 0; i < part; ++i)
      out[offset + i] = static_cast<Scalar>(to_uniform_float(words[i]));
  });
}

/// Standard normal numbers: words 0 and 1 of a block give elements 0 and 1, words 2 and 3 give elements 2
/// and 3. Float precision also for double; |x| ≤ 5.8.
template <class Scalar>
void fill_normal(const RandomStream& stream, std::uint64_t first, Scalar* out, Index count) noexcept {
  kernel::for_each_chunk(stream, first, count, [out](const std::uint32_t* words, Index offset, Index part) {
    float even[2 * kernel::chunk_blocks];
    float odd[2 * kernel::chunk_blocks];
    kernel::box_muller(words, part, even, odd);
    for (Index i = 0; i < part; ++i)
      out[offset + i] = static_cast<Scalar>(i % 2 == 0 ? even[i / 2] : odd[i / 2]);
  });
}

ROWSMITH_END
