// SPDX-License-Identifier: MIT
/// \file
/// The linear assignment problem on a dense square matrix: give each row a column of its own so that the sum
/// of the chosen costs is least.
///
/// Shortest augmenting paths (Jonker & Volgenant, "A shortest augmenting path algorithm for dense and sparse
/// linear assignment problems", Computing 38, 1987): column reduction, augmenting row reduction, then
/// Dijkstra from each row that is left. Only the columns' potentials v are kept: a row's is implied, because
/// each assigned row i holds the column that minimises cost(i, j) − v(j).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN

/// Solves assignment problems one after the other; buffers grow to the largest and stay. One per thread.
class LinearAssignment {
public:
  /// Columns are padded to a multiple of this many floats.
  static constexpr Index padding = simd::lanes<float>;
  static constexpr Index stride(Index n) noexcept { return (n + padding - 1) / padding * padding; }

  /// \param costs   n × stride(n), row-major, finite; what stands in the padding is overwritten
  /// \param column  out: n columns, `column[i]` is that of row i
  /// \returns the sum of the chosen costs. Of optimal up to rounding: relative 1e-5 at n = 512
  /// \throws ShapeError for a negative n or a cost that is not finite
  double solve(float* costs, Index n, std::int32_t* column) {
    if (n < 0)
      throw ShapeError("linear assignment: n = " + std::to_string(n));
    n_ = n;
    stride_ = stride(n);
    costs_ = costs;
    prepare();
    column_reduction();
    // Two passes leave few rows to the search; each takes a row at most once, so that rounding cannot make
    // them go round in circles.
    row_reduction();
    row_reduction();
    for (const auto row : free_rows_)
      augment(row);
    double total = 0;
    for (Index i = 0; i < n; ++i) {
      column[i] = column_of_[static_cast<std::size_t>(i)];
      total += static_cast<double>(cost(i, column[i]));
    }
    return total;
  }

private:
  using V = simd::Vector<float>;
  static constexpr float infinity = std::numeric_limits<float>::infinity();
  static constexpr std::int32_t none = -1;

  float cost(Index i, Index j) const noexcept { return costs_[i * stride_ + j]; }

  void prepare() {
    const auto n = static_cast<std::size_t>(n_);
    const auto padded = static_cast<std::size_t>(stride_);
    v_.resize(padded);
    distance_.resize(padded);
    open_.resize(padded);
    row_of_.assign(n, none);
    column_of_.assign(n, none);
    before_.resize(padded);
    free_rows_.reserve(n);
    waiting_.reserve(n);
    scanned_.reserve(n);
    for (Index i = 0; i < n_; ++i) {
      float* row = costs_ + i * stride_;
      std::fill(row + n_, row + stride_, infinity);
      // x − x is 0 for finite x only.
      float check = 0;
      for (Index j = 0; j < n_; ++j)
        check += row[j] - row[j];
      if (!(check == 0))
        throw ShapeError("linear assignment: a cost in row " + std::to_string(i) + " is not finite");
    }
  }

  void column_reduction() {
    std::fill_n(distance_.data(), stride_, infinity);
    std::fill(before_.begin(), before_.end(), 0);
    for (Index i = 0; i < n_; ++i)
      for (Index j = 0; j < stride_; ++j) {
        const bool less = cost(i, j) < distance_.data()[j];
        distance_.data()[j] = less ? cost(i, j) : distance_.data()[j];
        before_[static_cast<std::size_t>(j)] =
            less ? static_cast<std::int32_t>(i) : before_[static_cast<std::size_t>(j)];
      }
    for (Index j = 0; j < stride_; ++j) {
      v_[static_cast<std::size_t>(j)] = j < n_ ? distance_[static_cast<std::size_t>(j)] : 0;
      if (j < n_ && column_of_[static_cast<std::size_t>(before_[static_cast<std::size_t>(j)])] == none)
        assign(before_[static_cast<std::size_t>(j)], static_cast<std::int32_t>(j));
    }
    free_rows_.clear();
    for (Index i = 0; i < n_; ++i)
      if (column_of_[static_cast<std::size_t>(i)] == none)
        free_rows_.push_back(static_cast<std::int32_t>(i));
  }

  void assign(std::int32_t row, std::int32_t column) {
    row_of_[static_cast<std::size_t>(column)] = row;
    column_of_[static_cast<std::size_t>(row)] = column;
  }

  /// Gives each free row its best column and lowers that column's potential to the second best, which frees
  /// the row that held it.
  void row_reduction() {
    waiting_.swap(free_rows_);
    free_rows_.clear();
    for (const auto row : waiting_) {
      const float* c = costs_ + row * stride_;
      V least = simd::broadcast(infinity);
      V second = least;
      for (Index j = 0; j < stride_; j += padding) {
        const V x = simd::load(c + j) - simd::load(v_.data() + j);
        const V larger = x < least ? least : x;
        second = larger < second ? larger : second;
        least = x < least ? x : least;
      }
      float first_lane = infinity;
      float second_lane = infinity;
      for (Index k = 0; k < padding; ++k)
        for (const float x : {static_cast<float>(least[k]), static_cast<float>(second[k])}) {
          second_lane = std::min(second_lane, std::max(first_lane, x));
          first_lane = std::min(first_lane, x);
        }
      Index best = 0;
      while (c[best] - v_.data()[best] != first_lane)
        ++best;
      if (first_lane < second_lane && second_lane < infinity)
        v_.data()[best] -= second_lane - first_lane;
      else if (first_lane == second_lane && row_of_[static_cast<std::size_t>(best)] != none) {
        // As good a column that is free, if there is one.
        for (Index j = best + 1; j < n_; ++j)
          if (c[j] - v_.data()[j] == first_lane && row_of_[static_cast<std::size_t>(j)] == none) {
            best = j;
            break;
          }
        if (row_of_[static_cast<std::size_t>(best)] != none) {
          free_rows_.push_back(row); // taking it would free another row without any gain
          continue;
        }
      }
      const auto displaced = row_of_[static_cast<std::size_t>(best)];
      assign(row, static_cast<std::int32_t>(best));
      if (displaced != none) {
        column_of_[static_cast<std::size_t>(displaced)] = none;
        free_rows_.push_back(displaced);
      }
    }
  }

  /// Dijkstra over alternating paths from a free row to the nearest free column.
  void augment(std::int32_t start) {
    std::fill_n(distance_.data(), stride_, infinity);
    // Scanned columns are told by an infinite limit on what may replace their distance.
    std::fill_n(open_.data(), stride_, infinity);
    scanned_.clear();
    std::int32_t row = start;
    float base = 0;
    float reached = 0;
    std::int32_t nearest = none;
    while (true) {
      nearest = relax(row, base, reached);
      if (nearest == none) // distances beyond the range of float
        throw ShapeError("linear assignment: the costs are too large to be compared");
      row = row_of_[static_cast<std::size_t>(nearest)];
      if (row == none)
        break;
      scanned_.push_back({nearest, reached});
      open_[static_cast<std::size_t>(nearest)] = -infinity;
      base = cost(row, nearest) - v_[static_cast<std::size_t>(nearest)] - reached;
    }
    for (const auto& [column, at] : scanned_)
      v_[static_cast<std::size_t>(column)] += at - reached;
    for (std::int32_t end = nearest;;) { // hand the columns along the path on
      row = before_[static_cast<std::size_t>(end)];
      const auto next = column_of_[static_cast<std::size_t>(row)];
      assign(row, end);
      if (row == start)
        return;
      end = next;
    }
  }

  /// Shortens the paths to open columns by way of `row`. \param reached  out: the least distance of an open
  /// column \returns that column, or `none`
  std::int32_t relax(std::int32_t row, float base, float& reached) {
    using Mask = simd::Vector<std::int32_t>;
    float* d = distance_.data();
    const float* c = costs_ + row * stride_;
    const V far = simd::broadcast(infinity);
    const Mask from = simd::broadcast(row);
    V least = far;
    Mask where = simd::broadcast(none);
    Mask index{};
    for (Index k = 0; k < padding; ++k)
      index[k] = static_cast<std::int32_t>(k);
    for (Index j = 0; j < stride_; j += padding, index += static_cast<std::int32_t>(padding)) {
      const V old = simd::load(d + j);
      const V open = simd::load(open_.data() + j);
      const V by_row = simd::load(c + j) - simd::load(v_.data() + j) - base;
      const auto shorter = (by_row < old) & (old <= open);
      const V now = shorter ? by_row : old;
      simd::store(d + j, now);
      simd::store(before_.data() + j, Mask(shorter ? from : simd::load(before_.data() + j)));
      const auto better = (now < least) & (now < open);
      least = better ? now : least;
      where = better ? index : where;
    }
    reached = infinity;
    std::int32_t best = none;
    for (Index k = 0; k < padding; ++k)
      if (least[k] < reached) {
        reached = least[k];
        best = where[k];
      }
    return best;
  }

  struct Scanned {
    std::int32_t column;
    float distance;
  };
  Index n_ = 0;
  Index stride_ = 0;
  float* costs_ = nullptr;
  AlignedBuffer<float> v_;
  AlignedBuffer<float> distance_;
  AlignedBuffer<float> open_;           ///< −infinity for scanned columns, else infinity
  std::vector<std::int32_t> row_of_;    ///< of each column
  std::vector<std::int32_t> column_of_; ///< of each row
  std::vector<std::int32_t> before_;    ///< row through which each column is reached
  std::vector<std::int32_t> free_rows_;
  std::vector<std::int32_t> waiting_;
  std::vector<Scanned> scanned_;
};

ROWSMITH_END
