// SPDX-License-Identifier: MIT
/// \file
/// Files of any size of known columns, a part of the rows at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/table_format.hpp>
#include <rowsmith/table/text_files.hpp>
#include <rowsmith/table/text_sketch.hpp>

ROWSMITH_BEGIN

/// One table in one or several files, read as `read_table_like` reads one, but in chunks: memory does not
/// grow with the number of rows.
class TableChunks {
public:
  /// \param options  of which the dialect, the missing values and how files are opened count \param most_rows
  /// of a chunk; ≥ 1 \throws OptionError for no file or no rows, CsvError for a file that cannot be read or
  /// has other columns than the first
  TableChunks(std::vector<std::string> paths, TableFormat format, TableFileOptions options = {},
              std::size_t most_rows = 32'768)
      : format_(std::move(format)), options_(std::move(options)), most_rows_(most_rows),
        files_(std::move(paths), detail::written_like(options_, format_)) {
    if (most_rows == 0)
      throw OptionError("chunk rows = 0: expected 1 or more");
  }

  /// The next rows. \param table  out \returns false at the end of all files
  /// \throws CsvError with line or column, as `read_table_like` does; CsvError if there are no rows at all
  bool next(Table& table) {
    if (!files_.next(chunk_, most_rows_)) {
      if (first_row_ + rows_ == 0)
        throw CsvError(files_.name(), 0, 0, "the file has no rows, expected at least one");
      return false;
    }
    first_row_ = chunk_.first_row;
    rows_ = chunk_.rows;
    detail::TextTable texts;
    texts.names = files_.names();
    texts.columns = std::move(chunk_.columns);
    texts.rows = chunk_.rows;
    texts.finish(files_.path(), files_.dialect().header, 0);
    table = detail::table_like(texts, files_.path(), format_, options_.roles);
    chunk_.columns.clear();
    return true;
  }
  /// The number of the last chunk's first row, counted from 0 over all files.
  std::uint64_t first_row() const noexcept { return first_row_; }
  /// The file that the last chunk is of.
  std::string path() const { return files_.path(); }
  /// All files, for messages.
  std::string name() const { return files_.name(); }
  /// From the first row on once more.
  void rewind() {
    files_.rewind();
    first_row_ = rows_ = 0;
  }

private:
  TableFormat format_;
  TableFileOptions options_;
  std::size_t most_rows_;
  detail::TextFiles files_;
  TextChunk chunk_;
  std::uint64_t first_row_ = 0;
  std::uint64_t rows_ = 0; ///< of the last chunk
};

ROWSMITH_END
