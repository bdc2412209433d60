// SPDX-License-Identifier: MIT
/// \file
/// Writes tables as CSV.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/compiled.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Writes the table so that `read_csv` with the same options and the table's schema gives it back. Line
/// breaks in texts come back as '\n'. \throws OptionError, SchemaError for what CSV cannot hold; see
/// `append_csv_row`
ROWSMITH_INLINE void write_csv(std::ostream& out, const Table& table, const CsvOptions& options = {});

/// The same to a file: to a temporary one first, then renamed. \throws Error if that fails; then the file is
/// as it was before
ROWSMITH_INLINE void write_csv(const std::string& path, const Table& table, const CsvOptions& options = {});

#if ROWSMITH_DEFINES

ROWSMITH_INLINE void write_csv(std::ostream& out, const Table& table, const CsvOptions& options) {
  options.check();
  std::string line;
  if (options.header)
    append_csv_header(line, table.schema(), options);
  for (std::size_t row = 0;; ++row) {
    out.write(line.data(), static_cast<std::streamsize>(line.size()));
    if (row == table.rows())
      return;
    line.clear();
    append_csv_row(line, table.row(row), options);
  }
}

ROWSMITH_INLINE void write_csv(const std::string& path, const Table& table, const CsvOptions& options) {
  write_file_atomically(path, [&](std::ostream& out) { write_csv(out, table, options); });
}

#endif // ROWSMITH_DEFINES

ROWSMITH_END
