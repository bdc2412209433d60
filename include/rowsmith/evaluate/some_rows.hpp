// SPDX-License-Identifier: MIT
/// \file
/// Rows by chance, by which reports judge large tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <rowsmith/core/version.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// `count` rows of a table, drawn without replacement. \param rest  becomes the others, unless null
inline Table some_rows(const Table& table, std::size_t count, std::uint64_t seed, std::uint32_t stream,
                       Table* rest = nullptr) {
  const auto chosen = sample_rows(table.rows(), count, seed, stream);
  const std::vector<std::size_t> rows(chosen.begin(), chosen.end());
  std::vector<std::size_t> others;
  for (std::size_t row = 0, next = 0; row < table.rows(); ++row)
    if (next < rows.size() && rows[next] == row)
      ++next;
    else
      others.push_back(row);
  if (rest != nullptr)
    *rest = table.select(others);
  return table.select(rows);
}

/// `SketchOptions::chance` of a file that is judged. \param stream  another one for each file
inline std::uint64_t judged_chance(std::uint64_t seed, std::uint32_t stream) noexcept {
  return ((seed << 8U) | stream) + 1;
}

} // namespace evaluate::detail
ROWSMITH_END
