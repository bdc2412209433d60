// SPDX-License-Identifier: MIT
/// \file
/// Distances between rows of mixed columns, and the nearest rows by brute force.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/evaluate/features.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// How differences in columns add up.
enum class RowMetric {
  /// The sum over columns of |difference| / range for numbers, at most 1, and 0 or 1 for categories
  /// (Gower 1971, not divided by the number of columns).
  gower,
  /// The square of the Euclidean distance of rows with scaled numbers and one-hot categories: squares of the
  /// numbers' differences, at most 1 each, and 0 or 2 for categories.
  euclidean_squared,
};

/// Rows laid out column by column for distances: numbers scaled by their range, categories as bytes.
struct DistanceRows {
  std::size_t rows = 0;
  std::vector<std::vector<float>> numbers;
  /// One vector a column and byte of its codes: `planes` of a column are adjacent.
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<std::size_t> planes; ///< bytes a code takes, one number a categorical column
};

/// Makes rows of several tables comparable: one scale and one set of codes for all.
class DistanceSpace {
public:
  /// \param reference  its numerical columns' ranges become the unit; a constant one has the range 1
  /// \param others     tables whose rows will be compared
  /// \param skip       the number of a column to leave out, or `SharedCodes::none`
  /// \throws SchemaError if columns differ
  DistanceSpace(const Table& reference, std::initializer_list<const Table*> others,
                std::size_t skip = SharedCodes::none)
      : codes_(with(reference, others)), skip_(skip) {
    for (std::size_t c = 0; c < reference.size(); ++c) {
      double low = std::numeric_limits<double>::infinity();
      double high = -low;
      for (const double value : reference[c].values)
        if (!std::isnan(value)) {
          low = std::min(low, value);
          high = std::max(high, value);
        }
      low_.push_back(low <= high ? low : 0);
      const double range = high - low;
      range_.push_back(range > 0 && std::isfinite(range) ? range : 1);
    }
  }

  /// What counts as a difference of 1 in a numerical column.
  double range(std::size_t column) const { return range_[column]; }

  /// The chosen rows, in the order given.
  DistanceRows rows(const Table& table, std::span<const std::uint32_t> chosen) const {
    DistanceRows result;
    result.rows = chosen.size();
    for (std::size_t c = 0; c < table.size(); ++c) {
      if (c == skip_)
        continue;
      if (table[c].kind == ColumnKind::numerical) {
        std::vector<float> column;
        column.reserve(chosen.size());
        for (const auto row : chosen) {
          const double value = table[c].values[row];
          // Missing values lie far away from all others, so that the cap of 1 applies, and on each other.
          column.push_back(std::isnan(value)
                               ? missing
                               : static_cast<float>(std::clamp((value - low_[c]) / range_[c], -far, far)));
        }
        result.numbers.push_back(std::move(column));
        continue;
      }
      const auto codes = codes_.codes(table[c], c);
      const std::size_t levels = codes_.texts(c).size() + 1;
      std::size_t planes = 1;
      while (planes < 4 && (levels - 1) >> (8 * planes) != 0)
        ++planes;
      result.planes.push_back(planes);
      for (std::size_t plane = 0; plane < planes; ++plane) {
        std::vector<std::uint8_t> column;
        column.reserve(chosen.size());
        for (const auto row : chosen)
          column.push_back(
              static_cast<std::uint8_t>(static_cast<std::uint32_t>(codes[row] + 1) >> (8 * plane)));
        result.bytes.push_back(std::move(column));
      }
    }
    return result;
  }

private:
  static SharedCodes with(const Table& reference, std::initializer_list<const Table*> others) {
    std::vector<const Table*> tables{&reference};
    tables.insert(tables.end(), others);
    return SharedCodes(std::span<const Table* const>(tables));
  }
  static constexpr double far = 1e6;
  static constexpr float missing = 1e9F;
  SharedCodes codes_;
  std::size_t skip_;
  std::vector<double> low_;
  std::vector<double> range_;
};

/// The two nearest reference rows of one query row; of equally near ones, the first.
struct Nearest {
  float first = std::numeric_limits<float>::infinity();
  float second = std::numeric_limits<float>::infinity(); ///< infinite if there is one reference row only
  std::uint32_t index = 0;                               ///< of the nearest
};

namespace detail {

inline constexpr std::size_t distance_block = 256;

/// Distances of one query row to up to `distance_block` reference rows from `begin` on.
template <RowMetric Metric>
void block_distances(const DistanceRows& queries, std::size_t query, const DistanceRows& references,
                     std::size_t begin, std::size_t count, float* __restrict sum) {
  std::fill_n(sum, distance_block, 0.0F);
  for (std::size_t c = 0; c < references.numbers.size(); ++c) {
    const float* column = references.numbers[c].data() + begin;
    const float value = queries.numbers[c][query];
    const auto add = [&](std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const float difference = column[i] - value;
        const float part = Metric == RowMetric::gower ? std::fabs(difference) : difference * difference;
        sum[i] += part < 1.0F ? part : 1.0F;
      }
    };
    if (count == distance_block)
      add(distance_block); // a constant the compiler makes vectors of
    else
      add(count);
  }
  constexpr float weight = Metric == RowMetric::gower ? 1.0F : 2.0F;
  alignas(64) std::uint8_t mismatches[distance_block];
  std::size_t plane = 0;
  for (std::size_t c = 0; c < references.planes.size();) {
    std::fill_n(mismatches, distance_block, std::uint8_t{0});
    // 255 mismatches fit into a byte.
    const std::size_t end = std::min(references.planes.size(), c + 255);
    for (; c < end; plane += references.planes[c++]) {
      const auto add = [&](std::size_t n) {
        const std::uint8_t* column = references.bytes[plane].data() + begin;
        const std::uint8_t value = queries.bytes[plane][query];
        if (references.planes[c] == 1) {
          for (std::size_t i = 0; i < n; ++i)
            mismatches[i] = static_cast<std::uint8_t>(mismatches[i] + (column[i] != value ? 1 : 0));
          return;
        }
        for (std::size_t i = 0; i < n; ++i) {
          bool differs = false;
          for (std::size_t p = plane; p < plane + references.planes[c]; ++p)
            differs = differs || references.bytes[p][begin + i] != queries.bytes[p][query];
          mismatches[i] = static_cast<std::uint8_t>(mismatches[i] + (differs ? 1 : 0));
        }
      };
      if (count == distance_block)
        add(distance_block);
      else
        add(count);
    }
    for (std::size_t i = 0; i < distance_block; ++i)
      sum[i] += weight * static_cast<float>(mismatches[i]);
  }
  std::fill(sum + count, sum + distance_block, std::numeric_limits<float>::infinity());
}

inline float smallest(const float* values) {
  constexpr std::size_t lanes = 32;
  float least[lanes];
  std::copy_n(values, lanes, least);
  for (std::size_t i = lanes; i < distance_block; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k)
      least[k] = values[i + k] < least[k] ? values[i + k] : least[k];
  return *std::min_element(least, least + lanes);
}

} // namespace detail

/// The two nearest reference rows of every query row, by comparing all with all: queries × references
/// distances, some 2 cycles each. \returns one entry a query row \throws ShapeError if there are no
/// reference rows or the columns differ
template <RowMetric Metric = RowMetric::gower>
std::vector<Nearest> nearest_rows(const DistanceRows& queries, const DistanceRows& references,
                                  int threads = 0) {
  if (references.rows == 0)
    throw ShapeError("nearest_rows: no reference rows");
  if (queries.numbers.size() != references.numbers.size() || queries.planes != references.planes)
    throw ShapeError("nearest_rows: the columns of queries and references differ");
  std::vector<Nearest> result(queries.rows);
  constexpr std::size_t shard = 128; // query rows that share a block of references in the first-level cache
  parallel_for((queries.rows + shard - 1) / shard, resolve_threads(threads), [&](std::size_t part) {
    const std::size_t first = part * shard;
    const std::size_t last = std::min(queries.rows, first + shard);
    alignas(64) float sum[detail::distance_block];
    for (std::size_t begin = 0; begin < references.rows; begin += detail::distance_block) {
      const std::size_t count = std::min(detail::distance_block, references.rows - begin);
      for (std::size_t query = first; query < last; ++query) {
        detail::block_distances<Metric>(queries, query, references, begin, count, sum);
        auto& best = result[query];
        if (!(detail::smallest(sum) < best.second))
          continue;
        for (std::size_t i = 0; i < count; ++i)
          if (sum[i] < best.first) {
            best.second = best.first;
            best.first = sum[i];
            best.index = static_cast<std::uint32_t>(begin + i);
          } else if (sum[i] < best.second) {
            best.second = sum[i];
          }
      }
    }
  });
  return result;
}

/// The distance of every query row to its `neighbours`-th nearest reference row, by comparing all with all:
/// how lonely it is (Ramaswamy, Rastogi & Shim, SIGMOD 2000). \returns one a query row; infinite if there are
/// fewer reference rows \throws ShapeError as `nearest_rows`, OptionError for no neighbours
template <RowMetric Metric = RowMetric::gower>
std::vector<float> neighbour_distances(const DistanceRows& queries, const DistanceRows& references,
                                       std::size_t neighbours, int threads = 0) {
  if (neighbours == 0)
    throw OptionError("neighbour_distances: neighbours = 0, expected at least 1");
  if (references.rows == 0)
    throw ShapeError("neighbour_distances: no reference rows");
  if (queries.numbers.size() != references.numbers.size() || queries.planes != references.planes)
    throw ShapeError("neighbour_distances: the columns of queries and references differ");
  std::vector<float> result(queries.rows);
  constexpr std::size_t shard = 128;
  parallel_for((queries.rows + shard - 1) / shard, resolve_threads(threads), [&](std::size_t part) {
    const std::size_t first = part * shard;
    const std::size_t last = std::min(queries.rows, first + shard);
    alignas(64) float sum[detail::distance_block];
    // A heap for each query row: the largest of its nearest so far comes first.
    std::vector<std::vector<float>> nearest(
        last - first, std::vector<float>(neighbours, std::numeric_limits<float>::infinity()));
    for (std::size_t begin = 0; begin < references.rows; begin += detail::distance_block) {
      const std::size_t count = std::min(detail::distance_block, references.rows - begin);
      for (std::size_t query = first; query < last; ++query) {
        detail::block_distances<Metric>(queries, query, references, begin, count, sum);
        auto& heap = nearest[query - first];
        if (!(detail::smallest(sum) < heap.front()))
          continue;
        for (std::size_t i = 0; i < count; ++i)
          if (sum[i] < heap.front()) {
            std::pop_heap(heap.begin(), heap.end());
            heap.back() = sum[i];
            std::push_heap(heap.begin(), heap.end());
          }
      }
    }
    for (std::size_t query = first; query < last; ++query)
      result[query] = nearest[query - first].front();
  });
  return result;
}

/// The two nearest of two sets of reference rows, whose own nearest are known. The second set's rows are
/// numbered from `offset` on.
inline Nearest nearer(const Nearest& a, const Nearest& b, std::uint32_t offset) {
  if (b.first < a.first)
    return {b.first, std::min(a.first, b.second), b.index + offset};
  return {a.first, std::min(a.second, b.first), a.index};
}

} // namespace evaluate
ROWSMITH_END
