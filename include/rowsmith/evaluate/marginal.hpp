// SPDX-License-Identifier: MIT
/// \file
/// How the values of a column are spread, alone or real and synthetic beside each other.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/evaluate/features.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// The shares of one column's values, in one table or in the real and in the synthetic one.
struct Marginal {
  std::string name;
  ColumnKind kind = ColumnKind::numerical;
  std::vector<std::string> labels; ///< categorical: the most frequent ones, then "N others" and "missing"
  std::vector<double> edges;       ///< numerical: one more than bins; the outer bins reach to the extremes
  std::vector<double> real;        ///< share of the rows, one a label or bin
  std::vector<double> synthetic;   ///< empty: there is but one table
  double real_missing = 0;         ///< numerical: share of the rows
  double synthetic_missing = 0;
  int decimals = -1; ///< numerical: as `Column::decimals` of the real table
};

namespace detail {

/// \param synthetic  null: there is none
inline Marginal marginal(const Table& real, const Table* synthetic, const SharedCodes& codes,
                         std::size_t column) {
  const std::size_t count = synthetic == nullptr ? 1 : 2;
  const Table* const tables[] = {&real, synthetic};
  Marginal result;
  result.name = real[column].name;
  result.kind = real[column].kind;
  result.decimals = real[column].decimals;
  const auto share = [](std::size_t rows) { return 1 / static_cast<double>(rows); };
  if (result.kind == ColumnKind::categorical) {
    constexpr std::size_t shown = 10;
    const auto& texts = codes.texts(column);
    std::vector<double> shares[2];
    shares[1].resize(texts.size() + 1);
    for (std::size_t k = 0; k < count; ++k) {
      const Table& table = *tables[k];
      shares[k].resize(texts.size() + 1); // the last one for missing values
      for (const auto code : codes.codes(table[column], column))
        shares[k][code == missing_code ? texts.size() : static_cast<std::size_t>(code)] +=
            share(table.rows());
    }
    std::vector<std::size_t> order(texts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return shares[0][a] + shares[1][a] > shares[0][b] + shares[1][b];
    });
    const auto add = [&](std::string label, double a, double b) {
      result.labels.push_back(std::move(label));
      result.real.push_back(a);
      if (count == 2)
        result.synthetic.push_back(b);
    };
    const std::size_t own = texts.size() <= shown ? texts.size() : shown - 1;
    for (std::size_t k = 0; k < own; ++k)
      add(texts[order[k]], shares[0][order[k]], shares[1][order[k]]);
    if (own < texts.size()) {
      double rest[2] = {};
      for (std::size_t k = own; k < texts.size(); ++k)
        for (const auto t : {std::size_t{0}, std::size_t{1}})
          rest[t] += shares[t][order[k]];
      add(std::to_string(texts.size() - own).append(" others"), rest[0], rest[1]);
    }
    if (shares[0].back() > 0 || shares[1].back() > 0)
      add("missing", shares[0].back(), shares[1].back());
    return result;
  }
  std::vector<double> values;
  for (std::size_t k = 0; k < count; ++k)
    std::copy_if((*tables[k])[column].values.begin(), (*tables[k])[column].values.end(),
                 std::back_inserter(values), [](double value) { return !std::isnan(value); });
  std::sort(values.begin(), values.end());
  constexpr std::size_t bins = 24;
  double low = 0;
  double high = 1;
  if (!values.empty()) { // a few extremes must not squeeze all others into one bin
    const auto at = [&](double part) {
      return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
    };
    low = at(0.005);
    high = at(0.995);
    if (!(low < high)) {
      low = values.front();
      high = values.back();
    }
    if (!(low < high))
      high = low + 1;
    if (!(low < high)) // so large that the next number is further away
      (low < 0 ? high : low) *= 1 - 1e-6;
  }
  const double scale = std::isfinite(high - low) ? 1 : 0.5; // two doubles may lie more than a double apart
  const double range = high * scale - low * scale;
  for (std::size_t k = 0; k <= bins; ++k)
    result.edges.push_back((low * scale + range * (static_cast<double>(k) / bins)) / scale);
  result.real.resize(bins);
  if (count == 2)
    result.synthetic.resize(bins);
  for (std::size_t k = 0; k < count; ++k) {
    const Table& table = *tables[k];
    auto& shares = k == 0 ? result.real : result.synthetic;
    for (const double value : table[column].values)
      if (std::isnan(value)) {
        (k == 0 ? result.real_missing : result.synthetic_missing) += share(table.rows());
      } else {
        const double place = (value * scale - low * scale) / range * static_cast<double>(bins);
        shares[static_cast<std::size_t>(std::clamp(place, 0.0, bins - 0.5))] += share(table.rows());
      }
  }
  return result;
}

} // namespace detail

} // namespace evaluate
ROWSMITH_END
