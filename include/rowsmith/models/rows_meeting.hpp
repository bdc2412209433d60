// SPDX-License-Identifier: MIT
/// \file
/// Which rows of a table meet conditions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/models/condition_rules.hpp>
#include <rowsmith/models/conditions.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// The rows of a table, ascending, that meet all conditions: such as those that rows which were asked of a
/// model are to be compared with. A category that no row has is met by none.
/// \throws SchemaError for a column that is not there, or a condition that does not fit its column
inline std::vector<std::size_t> rows_meeting(const Table& table, std::span<const Condition> conditions) {
  std::vector<bool> met(table.rows(), true);
  for (auto condition : conditions) {
    const Column& column = table[condition.column];
    if (column.kind == ColumnKind::categorical && !condition.values.empty()) {
      std::erase_if(condition.values,
                    [&](const std::string& text) { return column.dictionary.find(text) == missing_code; });
      if (condition.values.empty() && !condition.negated && !condition.missing)
        return {};
    }
    detail::CellSet cells(column);
    cells.narrow(condition, column);
    for (std::size_t row = 0; row < met.size(); ++row)
      met[row] =
          met[row] && (cells.numerical() ? cells.holds(column.values[row]) : cells.holds(column.codes[row]));
  }
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < met.size(); ++row)
    if (met[row])
      rows.push_back(row);
  return rows;
}

ROWSMITH_END
