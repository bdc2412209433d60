// SPDX-License-Identifier: MIT
/// \file
/// What reports have in common: rows by chance, and measures that a table does not allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <rowsmith/core/errors.hpp>
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

/// What `measure()` finds. If the tables do not allow it: `blank` with the reason in `note`, and NaN in all
/// `figures`.
template <class Result, class Measure, class... Figures>
Result measured(const Measure& measure, Result blank, Figures... figures) {
  try {
    return measure();
  } catch (const SchemaError& error) {
    blank.note = error.what();
  } catch (const ShapeError& error) {
    blank.note = error.what();
  }
  ((blank.*figures = {std::numeric_limits<double>::quiet_NaN(), 0, 0}), ...);
  return blank;
}

} // namespace evaluate::detail
ROWSMITH_END
