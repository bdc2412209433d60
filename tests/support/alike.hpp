// SPDX-License-Identifier: MIT
// Whether two samples of small::table()'s columns have one distribution.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/table/table.hpp>

namespace alike {

namespace rs = rowsmith;

inline std::string cell_text(const rs::Table& table, std::size_t column, std::size_t row) {
  const auto cell = table[column].cell(row);
  return cell.is_missing()  ? "missing"
         : cell.is_number() ? std::to_string(std::bit_cast<std::uint64_t>(cell.number()))
                            : std::string(cell.text());
}
// The largest difference of two samples in a column's shares, in standard errors; numbers are cut in bins.
inline double largest_difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  double largest = 0;
  auto values = a;
  values.insert(values.end(), b.begin(), b.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  for (const auto& value : values) {
    const auto in_a = static_cast<double>(std::count(a.begin(), a.end(), value));
    const auto in_b = static_cast<double>(std::count(b.begin(), b.end(), value));
    const double share = (in_a + in_b) / (n + m);
    if (in_a + in_b >= 40 && share < 1)
      largest =
          std::max(largest, std::abs(in_a / n - in_b / m) / std::sqrt(share * (1 - share) * (1 / n + 1 / m)));
  }
  return largest;
}
inline std::string coarse(const rs::Table& table, std::size_t column, std::size_t row) {
  const auto cell = table[column].cell(row);
  if (!cell.is_number())
    return cell_text(table, column, row);
  return std::to_string(static_cast<int>(std::floor(cell.number() / (table[column].name == "age" ? 4 : 20))));
}

// Column by column.
inline void check(const rs::Table& one, const rs::Table& other) {
  const auto texts = [](const rs::Table& table, std::size_t column) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < table.rows(); ++i)
      result.push_back(coarse(table, column, i));
    return result;
  };
  for (std::size_t c = 0; c < one.size(); ++c) {
    CAPTURE(one[c].name);
    CHECK(largest_difference(texts(one, c), texts(other, c)) < 4.5);
  }
}

} // namespace alike
