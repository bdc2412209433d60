// SPDX-License-Identifier: MIT
/// \file
/// Writes tables as CSV.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Would the reader take the bare text for something else?
inline bool needs_quotes(std::string_view text, const CsvOptions& options) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return std::find(options.missing.begin(), options.missing.end(), text) != options.missing.end() ||
         text.empty() || blank(text.front()) || blank(text.back()) ||
         (options.comment != 0 && text.front() == options.comment) || text.starts_with("\xEF\xBB\xBF") ||
         text.find_first_of("\"\n\r") != std::string_view::npos ||
         text.find(options.delimiter) != std::string_view::npos;
}

inline void append_text(std::string& to, std::string_view text, const CsvOptions& options) {
  if (!needs_quotes(text, options)) {
    to += text;
    return;
  }
  to += '"';
  for (const char c : text) {
    if (c == '"')
      to += '"';
    to += c;
  }
  to += '"';
}

} // namespace detail

/// Writes the table so that `read_csv` with the same options and the table's schema gives it back. Line
/// breaks in texts come back as '\n'. \throws OptionError if there are missing values but no text for them
inline void write_csv(std::ostream& out, const Table& table, const CsvOptions& options = {}) {
  options.check();
  std::string line;
  const auto finish_line = [&] {
    line += '\n';
    out.write(line.data(), static_cast<std::streamsize>(line.size()));
    line.clear();
  };
  if (options.header) {
    for (std::size_t c = 0; c < table.size(); ++c) {
      if (c != 0)
        line += options.delimiter;
      detail::append_text(line, table[c].name, options);
    }
    finish_line();
  }
  // In a table of one column an empty field would be a blank line, which readers skip.
  std::string missing = options.missing.empty() ? std::string() : options.missing.front();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (std::size_t c = 0; c < table.size(); ++c) {
      const auto& column = table[c];
      if (c != 0)
        line += options.delimiter;
      if (column.is_missing(row)) {
        if (options.missing.empty() || (missing.empty() && table.size() == 1))
          throw OptionError("write_csv: column '" + column.name +
                            "' has missing values, but csv.missing has no text that could stand for them");
        line += missing;
      } else if (column.kind == ColumnKind::numerical) {
        append_number(line, column.values[row], column.decimals);
      } else {
        detail::append_text(line, column.dictionary.text(column.codes[row]), options);
      }
    }
    finish_line();
  }
}

/// The same to a file: to a temporary one first, then renamed. \throws Error if that fails; then the file is
/// as it was before
inline void write_csv(const std::string& path, const Table& table, const CsvOptions& options = {}) {
  write_file_atomically(path, [&](std::ostream& out) { write_csv(out, table, options); });
}

ROWSMITH_END
