// SPDX-License-Identifier: MIT
/// \file
/// Columns as command lines and forms name them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/table/schema.hpp>

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

ROWSMITH_END
