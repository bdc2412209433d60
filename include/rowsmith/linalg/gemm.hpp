// SPDX-License-Identifier: MIT
/// \file
/// Matrix products with caller-owned workspace and a fused last step.
///
/// Eigen's product allocates its packing buffers beyond 128 KiB and may start threads of its own. Training
/// steps must do neither, and want bias and activation applied while a tile is still in the first-level
/// cache. The blocking follows Goto & van de Geijn, "Anatomy of high-performance matrix multiplication",
/// ACM TOMS 2008.
///
/// Each element of the result is the sum over k in rising order, in blocks of `depth_block`, whatever the
/// other sizes are: a row of a product has the same bits in any batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/kernel/network.hpp>
#include <rowsmith/kernel/simd.hpp>
#include <rowsmith/linalg/matrix.hpp>

ROWSMITH_BEGIN

/// A read-only matrix with arbitrary strides, so that a transpose costs nothing.
template <class Scalar>
struct Operand {
  const Scalar* data;
  Index row_stride;
  Index column_stride;
};

/// A contiguous row-major matrix with `columns` columns as an operand, as it is or transposed.
template <class Scalar>
Operand<Scalar> as_is(const Scalar* data, Index columns) {
  return {data, columns, 1};
}
template <class Scalar>
Operand<Scalar> transposed(const Scalar* data, Index columns) {
  return {data, 1, columns};
}

/// Packing buffers of `gemm`; they grow to the largest product seen and stay. One per thread.
template <class Scalar>
class GemmWorkspace {
public:
  Scalar* left(Index size) { return grow(left_, size); }
  Scalar* right(Index size) { return grow(right_, size); }

private:
  static Scalar* grow(AlignedBuffer<Scalar>& buffer, Index size) {
    if (buffer.size() < static_cast<std::size_t>(size))
      buffer.resize(static_cast<std::size_t>(size));
    return buffer.data();
  }
  AlignedBuffer<Scalar> left_;
  AlignedBuffer<Scalar> right_;
};

namespace detail {

// Twelve rows by two registers keep 24 of AVX-512's 32 registers as accumulators; six by two suit 16.
inline constexpr Index tile_rows = simd::register_count == 32 ? 12 : 6;
using kernel::depth_block;
inline constexpr Index row_block = 20 * tile_rows;

template <class Scalar, Index Vectors, std::size_t... Row>
inline void tile_product(Index depth, const Scalar* left, const Scalar* right, Scalar* tile,
                         std::index_sequence<Row...>) noexcept {
  using V = simd::Vector<Scalar>;
  constexpr Index width = simd::lanes<Scalar>;
  V first[sizeof...(Row)] = {((void)Row, V{})...};
  if constexpr (Vectors == 2) {
    V second[sizeof...(Row)] = {((void)Row, V{})...};
    for (Index k = 0; k < depth; ++k, left += sizeof...(Row), right += 2 * width) {
      const V b0 = simd::load(right);
      const V b1 = simd::load(right + width);
      ((first[Row] += left[Row] * b0, second[Row] += left[Row] * b1), ...);
    }
    ((simd::store(tile + static_cast<Index>(Row) * 2 * width, first[Row]),
      simd::store(tile + static_cast<Index>(Row) * 2 * width + width, second[Row])),
     ...);
  } else {
    for (Index k = 0; k < depth; ++k, left += sizeof...(Row), right += width) {
      const V b0 = simd::load(right);
      ((first[Row] += left[Row] * b0), ...);
    }
    (simd::store(tile + static_cast<Index>(Row) * width, first[Row]), ...);
  }
}

// The usual lengths are known to the compiler, which then moves registers instead of calling memmove.
template <class Scalar>
inline void copy_stretch(const Scalar* from, Index count, Scalar* to) noexcept {
  constexpr Index width = simd::lanes<Scalar>;
  if (count == 2 * width)
    std::memcpy(to, from, 2 * width * sizeof(Scalar));
  else if (count == width)
    std::memcpy(to, from, width * sizeof(Scalar));
  else if (count == tile_rows)
    std::memcpy(to, from, tile_rows * sizeof(Scalar));
  else
    std::copy_n(from, count, to);
}

// Panels of `Width` consecutive outer elements, inner index running slowest; the last panel is padded by 0.
template <class Scalar>
inline void pack(Scalar* to, const Scalar* from, Index outer, Index inner, Index outer_stride,
                 Index inner_stride, Index width) noexcept {
  if (outer == width && outer_stride == 1) {
    for (Index k = 0; k < inner; ++k)
      copy_stretch(from + k * inner_stride, width, to + k * width);
    return;
  }
  if (outer == width) {
    for (Index k = 0; k < inner; ++k)
      for (Index i = 0; i < width; ++i)
        to[k * width + i] = from[i * outer_stride + k * inner_stride];
    return;
  }
  for (Index k = 0; k < inner; ++k)
    for (Index i = 0; i < width; ++i)
      to[k * width + i] = i < outer ? from[i * outer_stride + k * inner_stride] : Scalar(0);
}

} // namespace detail

/// What `gemm` does when nothing is to be fused to it.
struct NoEpilogue {
  template <class Scalar>
  void operator()(Scalar*, Index, Index, Index) const noexcept {}
};

/// C (rows × columns, contiguous row-major) = A (rows × depth) · B (depth × columns), or C += A · B with
/// `accumulate`. C must not overlap A or B. When a stretch of a row of C is complete,
/// `epilogue(pointer, row, first_column, count)` may change it in place.
/// Single-threaded; allocates only when the workspace has to grow.
template <class Scalar, class Epilogue = NoEpilogue>
void gemm(Index rows, Index columns, Index depth, Operand<Scalar> a, Operand<Scalar> b, Scalar* c,
          bool accumulate, GemmWorkspace<Scalar>& workspace, const Epilogue& epilogue = {}) {
  using namespace detail;
  constexpr Index width = simd::lanes<Scalar>;
  constexpr Index panel = 2 * width;
  if (rows == 0 || columns == 0)
    return;
  const Index panels = (columns + panel - 1) / panel;
  alignas(buffer_alignment) Scalar tile[tile_rows * panel];

  Index k0 = 0;
  do { // once even for depth 0, so that C is written and the epilogue runs; the operands may then be null
    const Index k_count = std::min(depth_block, depth - k0);
    const bool first = k0 == 0 && !accumulate;
    const bool last = k0 + k_count == depth;
    Scalar* packed_b = workspace.right(panels * panel * std::max<Index>(k_count, 1));
    for (Index p = 0; p < panels && k_count > 0; ++p) {
      const Index column = p * panel;
      const Index count = std::min(panel, columns - column);
      pack(packed_b + p * panel * k_count, b.data + k0 * b.row_stride + column * b.column_stride, count,
           k_count, b.column_stride, b.row_stride, count <= width ? width : panel);
    }
    for (Index r0 = 0; r0 < rows; r0 += row_block) {
      const Index r_count = std::min(row_block, rows - r0);
      const Index strips = (r_count + tile_rows - 1) / tile_rows;
      Scalar* packed_a = workspace.left(strips * tile_rows * std::max<Index>(k_count, 1));
      for (Index s = 0; s < strips && k_count > 0; ++s)
        pack(packed_a + s * tile_rows * k_count,
             a.data + (r0 + s * tile_rows) * a.row_stride + k0 * a.column_stride,
             std::min(tile_rows, r_count - s * tile_rows), k_count, a.row_stride, a.column_stride, tile_rows);
      for (Index p = 0; p < panels; ++p) {
        const Index column = p * panel;
        const Index count = std::min(panel, columns - column);
        const Index tile_width = count <= width ? width : panel;
        const Scalar* right = packed_b + p * panel * k_count;
        for (Index s = 0; s < strips; ++s) {
          constexpr auto tile_indices = std::make_index_sequence<static_cast<std::size_t>(tile_rows)>{};
          const Scalar* left = packed_a + s * tile_rows * k_count;
          if (tile_width == width)
            tile_product<Scalar, 1>(k_count, left, right, tile, tile_indices);
          else
            tile_product<Scalar, 2>(k_count, left, right, tile, tile_indices);
          const Index row_end = std::min(r0 + r_count, r0 + (s + 1) * tile_rows);
          for (Index row = r0 + s * tile_rows; row < row_end; ++row) {
            const Scalar* from = tile + (row - r0 - s * tile_rows) * tile_width;
            Scalar* to = c + row * columns + column;
            if (first)
              copy_stretch(from, count, to);
            else
              for (Index j = 0; j < count; ++j)
                to[j] += from[j];
            if (last)
              epilogue(to, row, column, count);
          }
        }
      }
    }
    k0 += depth_block;
  } while (k0 < depth);
}

ROWSMITH_END
