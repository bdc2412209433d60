// SPDX-License-Identifier: MIT
// What the tests of transforms share.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include <rowsmith/table/schema.hpp>

namespace test {

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

inline std::vector<std::string> names(const rowsmith::TableSchema& schema) {
  std::vector<std::string> result;
  for (const auto& column : schema.columns())
    result.push_back(column.name);
  return result;
}

} // namespace test
