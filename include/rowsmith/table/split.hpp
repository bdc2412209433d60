// SPDX-License-Identifier: MIT
/// \file
/// Splits tables at random and puts them together.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Splits the rows at random: `first` gets round(fraction · n) of them, `second` the others, both in the
/// table's order. The same for the same seed. \param fraction in [0, 1] \param stratify_by a categorical
/// column whose shares both parts keep (each category is split on its own) \throws OptionError, SchemaError
inline std::pair<Table, Table> split(const Table& table, double fraction, std::uint64_t seed,
                                     const std::string& stratify_by = {}) {
  if (!(fraction >= 0 && fraction <= 1))
    throw OptionError("split: fraction = " + std::to_string(fraction) + ", expected 0 to 1");
  std::map<std::int32_t, std::vector<std::size_t>> strata;
  if (!stratify_by.empty() && table[stratify_by].kind != ColumnKind::categorical)
    throw SchemaError("split: the column '" + stratify_by + "' to stratify by must be categorical");
  for (std::size_t row = 0; row < table.rows(); ++row)
    strata[stratify_by.empty() ? 0 : table[stratify_by].codes[row]].push_back(row);
  RandomSequence random(RandomStream(seed, Purpose::split));
  std::vector<std::size_t> first;
  std::vector<std::size_t> second;
  for (auto& [code, rows] : strata) {
    shuffle(std::span<std::size_t>(rows), random);
    const auto count = static_cast<std::ptrdiff_t>(std::llround(fraction * static_cast<double>(rows.size())));
    first.insert(first.end(), rows.begin(), rows.begin() + count);
    second.insert(second.end(), rows.begin() + count, rows.end());
  }
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  return {table.select(first), table.select(second)};
}

/// The rows of `a`, then those of `b`. \throws SchemaError if their columns differ in name, kind or order
inline Table concatenate(const Table& a, const Table& b) {
  if (a.schema().columns() != b.schema().columns())
    throw SchemaError("concatenate: the two tables have different columns");
  std::vector<Column> columns = a.columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    auto& column = columns[c];
    const auto& more = b[c];
    column.decimals = detail::common_decimals(column.decimals, more.decimals);
    column.values.insert(column.values.end(), more.values.begin(), more.values.end());
    std::vector<std::int32_t> recoded;
    for (const auto& text : more.dictionary.texts())
      recoded.push_back(column.dictionary.insert(text));
    for (const auto code : more.codes)
      column.codes.push_back(code == missing_code ? missing_code : recoded[static_cast<std::size_t>(code)]);
  }
  return Table(std::move(columns), a.schema().label());
}

ROWSMITH_END
