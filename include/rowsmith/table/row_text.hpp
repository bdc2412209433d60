// SPDX-License-Identifier: MIT
/// \file
/// Cells and rows as CSV and as JSON. All functions append, so that a caller's string is reused.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/table/cell_view.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Would the reader take the bare text for something else?
inline bool needs_quotes(std::string_view text, const CsvOptions& options) {
  return std::find(options.missing.begin(), options.missing.end(), text) != options.missing.end() ||
         text.empty() || is_blank(text.front()) || is_blank(text.back()) ||
         (options.comment != 0 && text.front() == options.comment) || text.starts_with("\xEF\xBB\xBF") ||
         text.find_first_of("\"\n\r") != std::string_view::npos ||
         text.find(options.delimiter) != std::string_view::npos;
}

/// A text in quotes, with its own doubled.
inline void append_quoted(std::string& to, std::string_view text) {
  to += '"';
  for (const char c : text) {
    if (c == '"')
      to += '"';
    to += c;
  }
  to += '"';
}

inline void append_number_cell(std::string& to, const CellView& cell) {
  if (std::isinf(cell.number()))
    throw SchemaError("an infinite number has no text, expected a finite one or a missing value");
  append_number(to, cell.number(), cell.decimals());
}

} // namespace detail

/// A field as `read_csv` with the same options takes it: texts in quotes where they need them.
/// \throws OptionError for a missing value that `options.missing` has no text for, SchemaError for an
/// infinite number or a text with a zero byte
inline void append_csv_cell(std::string& to, const CellView& cell, const CsvOptions& options = {}) {
  if (cell.is_number())
    return detail::append_number_cell(to, cell);
  if (cell.is_missing()) {
    if (options.missing.empty())
      throw OptionError("csv.missing has no text that could stand for a missing value");
    to += options.missing.front();
    return;
  }
  const std::string_view text = cell.text();
  if (text.find('\0') != std::string_view::npos)
    throw SchemaError("a text with a zero byte cannot be written as CSV");
  if (detail::needs_quotes(text, options))
    detail::append_quoted(to, text);
  else
    to += text;
}

/// The line of column names, with its line break.
inline void append_csv_header(std::string& to, const TableSchema& schema, const CsvOptions& options = {}) {
  for (std::size_t c = 0; c < schema.size(); ++c) {
    if (c != 0)
      to += options.delimiter;
    append_csv_cell(to, schema[c].name, options);
  }
  to += '\n';
}

/// A record, with its line break. \throws what `append_csv_cell` throws, naming the column
template <CellRow Row>
void append_csv_row(std::string& to, const Row& row, const CsvOptions& options = {}) {
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (c != 0)
      to += options.delimiter;
    const std::size_t begin = to.size();
    try {
      append_csv_cell(to, row.cell(c), options);
    } catch (const OptionError& error) {
      throw OptionError("column '" + std::string(row.name(c)) + "': " + error.what());
    } catch (const SchemaError& error) {
      throw SchemaError("column '" + std::string(row.name(c)) + "': " + error.what());
    }
    if (row.size() == 1 && to.size() == begin)
      throw OptionError("column '" + std::string(row.name(c)) +
                        "': in a table of one column an empty text cannot stand for a missing value: readers "
                        "skip blank lines");
  }
  to += '\n';
}

/// A missing value is null, a text what `append_json_text` makes of it. \throws SchemaError for an infinite
/// number
inline void append_json_cell(std::string& to, const CellView& cell) {
  if (cell.is_number())
    detail::append_number_cell(to, cell);
  else if (cell.is_text())
    append_json_text(to, cell.text());
  else
    to += "null";
}

/// An object with a member for each column, without a line break. \throws what `append_json_cell` throws,
/// naming the column
template <CellRow Row>
void append_json_row(std::string& to, const Row& row) {
  to += '{';
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (c != 0)
      to += ',';
    append_json_text(to, row.name(c));
    to += ':';
    try {
      append_json_cell(to, row.cell(c));
    } catch (const SchemaError& error) {
      throw SchemaError("column '" + std::string(row.name(c)) + "': " + error.what());
    }
  }
  to += '}';
}

ROWSMITH_END
