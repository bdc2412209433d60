// SPDX-License-Identifier: MIT
/// \file
/// How the CSV files of one source are read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/csv/options.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Columns as command lines and forms name them: each text is the name of a column, or else several names
/// with commas between them. A name that has a comma in it is given as a text of its own. \throws SchemaError
/// for an unknown column
inline std::vector<std::string> named_columns(const std::vector<std::string>& texts,
                                              const TableSchema& schema) {
  const auto known = [&](std::string_view name) {
    return std::any_of(schema.columns().begin(), schema.columns().end(),
                       [&](const ColumnSchema& column) { return column.name == name; });
  };
  std::vector<std::string> names;
  for (const auto& text : texts)
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = known(text) ? text.size() : std::min(text.find(',', begin), text.size());
      names.push_back(schema[schema.index_of(std::string_view(text).substr(begin, end - begin))].name);
      begin = end + 1;
    }
  return names;
}

/// The first file decides which columns there are and of what kind; the others must have them, too.
struct CsvSettings {
  CsvOptions csv{};
  /// Columns to take as categories although they hold numbers, such as postal codes; see `named_columns`.
  std::vector<std::string> categorical{};

  /// \throws CsvError, SchemaError for an unknown column
  Table read(const std::string& path) const {
    if (categorical.empty())
      return read_csv(path, csv);
    const auto schema = infer_schema(path, csv);
    auto columns = schema.columns();
    for (const auto& name : named_columns(categorical, schema))
      columns[schema.index_of(name)].kind = ColumnKind::categorical;
    return read_csv(path, TableSchema(std::move(columns)), csv);
  }
  /// \throws CsvError
  Table read_like(const std::string& path, const Table& first) const {
    return read_csv(path, first.schema(), csv);
  }
};

ROWSMITH_END
