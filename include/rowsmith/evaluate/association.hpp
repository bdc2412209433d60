// SPDX-License-Identifier: MIT
/// \file
/// How strongly are the columns of a table related?
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rowsmith/core/parallel.hpp>
#include <rowsmith/evaluate/features.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// Strength of the relation of each two columns of one table, columns × columns: Pearson's correlation of two
/// numerical ones, in [−1, 1]; Cramér's V of two categorical ones (Cramér 1946), and the correlation ratio η
/// of a numerical and a categorical one (Fisher 1925), in [0, 1]. 0 where a column is constant. Rows with a
/// missing number are left out of its pairs; a missing category is a category.
struct AssociationMatrix {
  std::size_t columns = 0;
  std::vector<double> values; ///< row-major, symmetric, ones on the diagonal

  double operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

namespace detail {

/// Pearson's correlation over the rows where both numbers are there, each row counted by its weight; 0 if one
/// of them is constant.
inline double pearson(std::span<const double> x, std::span<const double> y,
                      std::span<const std::uint32_t> weights) {
  double n = 0;
  double sum_x = 0;
  double sum_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i]) && !std::isnan(y[i])) {
      const double w = weights[i];
      n += w;
      sum_x += w * x[i];
      sum_y += w * y[i];
    }
  if (n == 0)
    return 0;
  const double mean_x = sum_x / n;
  const double mean_y = sum_y / n;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i]) && !std::isnan(y[i])) {
      const double w = weights[i];
      const double dx = x[i] - mean_x;
      const double dy = y[i] - mean_y;
      xx += w * dx * dx;
      yy += w * dy * dy;
      xy += w * dx * dy;
    }
  return xx > 0 && yy > 0 ? std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0) : 0;
}

} // namespace detail

/// \throws ShapeError for an empty table, SchemaError for an infinite number, OptionError
inline AssociationMatrix associations(const Table& table, int threads = 0) {
  detail::check_finite("associations", {{&table, "only"}});
  const SharedCodes codes({&table});
  const std::size_t n = table.size();
  std::vector<std::vector<std::size_t>> categories(n);
  for (std::size_t c = 0; c < n; ++c)
    if (table[c].kind == ColumnKind::categorical)
      for (const auto code : codes.codes(table[c], c))
        categories[c].push_back(static_cast<std::size_t>(code + 1));
  const std::vector<std::uint32_t> ones(table.rows(), 1);

  const auto cramer = [&](std::size_t a, std::size_t b) {
    const std::size_t width = codes.texts(b).size() + 1;
    std::vector<double> of_a(codes.texts(a).size() + 1);
    std::vector<double> of_b(width);
    std::vector<std::uint64_t> cells;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      ++of_a[categories[a][i]];
      ++of_b[categories[b][i]];
      cells.push_back(std::uint64_t{categories[a][i]} * width + categories[b][i]);
    }
    const auto used = [](const std::vector<double>& counts) {
      return std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; });
    };
    const auto least = std::min(used(of_a), used(of_b));
    if (least < 2)
      return 0.0;
    // χ² / n = Σ observed² / (row total · column total) − 1, over the cells that occur
    std::sort(cells.begin(), cells.end());
    double sum = 0;
    for (std::size_t begin = 0; begin < cells.size();) {
      std::size_t end = begin;
      while (end < cells.size() && cells[end] == cells[begin])
        ++end;
      const auto count = static_cast<double>(end - begin);
      sum += count * count / (of_a[cells[begin] / width] * of_b[cells[begin] % width]);
      begin = end;
    }
    return std::sqrt(std::clamp((sum - 1) / static_cast<double>(least - 1), 0.0, 1.0));
  };
  const auto correlation_ratio = [&](std::size_t number, std::size_t category) {
    const auto& values = table[number].values;
    std::vector<double> sums(codes.texts(category).size() + 1);
    std::vector<double> counts(sums.size());
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isnan(values[i])) {
        sums[categories[category][i]] += values[i];
        ++counts[categories[category][i]];
        sum += values[i];
        ++count;
      }
    const double mean = count > 0 ? sum / count : 0;
    double total = 0;
    for (const double value : values)
      total += std::isnan(value) ? 0 : (value - mean) * (value - mean);
    double between = 0;
    for (std::size_t k = 0; k < sums.size(); ++k)
      if (counts[k] > 0)
        between += counts[k] * (sums[k] / counts[k] - mean) * (sums[k] / counts[k] - mean);
    return total > 0 ? std::sqrt(std::clamp(between / total, 0.0, 1.0)) : 0.0;
  };

  AssociationMatrix result;
  result.columns = n;
  result.values.assign(n * n, 1);
  parallel_for(n, resolve_threads(threads), [&](std::size_t a) {
    for (std::size_t b = a + 1; b < n; ++b) {
      const bool number_a = table[a].kind == ColumnKind::numerical;
      const bool number_b = table[b].kind == ColumnKind::numerical;
      const double value = number_a && number_b ? detail::pearson(table[a].values, table[b].values, ones)
                           : number_a           ? correlation_ratio(a, b)
                           : number_b           ? correlation_ratio(b, a)
                                                : cramer(a, b);
      result.values[a * n + b] = value;
      result.values[b * n + a] = value;
    }
  });
  return result;
}

} // namespace evaluate
ROWSMITH_END
