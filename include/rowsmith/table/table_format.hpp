// SPDX-License-Identifier: MIT
/// \file
/// How a file is written down and what its columns mean.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/dialect.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN

/// How a file is written down and what its columns mean: all that is needed to read another file like it, or
/// to write one.
struct TableFormat {
  CsvDialect dialect{};
  std::vector<ColumnFormat> columns{}; ///< in the order of the file
  std::string label{};                 ///< the name of a category; empty: none

  /// The columns that a table of it has: identifiers, texts and dropped ones are none.
  TableSchema schema() const {
    std::vector<ColumnSchema> result;
    for (const auto& column : columns)
      if (const auto kind = kind_of(column.role))
        result.push_back({column.name, *kind});
    return TableSchema(std::move(result), label);
  }
  /// Those of its columns that are dates, as `PreparationOptions::dates` has them; times without a day are
  /// not.
  std::vector<DateColumn> dates() const {
    std::vector<DateColumn> result;
    for (const auto& column : columns)
      if (column.role == ColumnRole::date && detail::has(column.pattern, 'Y'))
        result.push_back(
            {.name = column.name,
             .unit = counts_days(column.pattern) ? DateColumn::Unit::days : DateColumn::Unit::seconds,
             .step = detail::has(column.pattern, 's') ? 1 : 60});
    return result;
  }
  /// Nothing for a role that no column of a table has.
  static std::optional<ColumnKind> kind_of(ColumnRole role) noexcept {
    if (role == ColumnRole::category)
      return ColumnKind::categorical;
    if (role == ColumnRole::integer || role == ColumnRole::real || role == ColumnRole::date)
      return ColumnKind::numerical;
    return std::nullopt;
  }
};

namespace detail {

inline void check_format(const TableFormat& format) {
  bool any = false;
  for (const auto& column : format.columns)
    any = any || TableFormat::kind_of(column.role);
  if (!any)
    throw SchemaError(
        "no column is left to learn: all are keys, free texts or dropped; declare one as a category");
}

} // namespace detail

ROWSMITH_END
