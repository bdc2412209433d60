// SPDX-License-Identifier: MIT
/// \file
/// Where the rows of a table come from, as texts in chunks: files, a database, memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/csv/dialect.hpp>
#include <rowsmith/table/text_column.hpp>
#include <rowsmith/table/text_records.hpp>

ROWSMITH_BEGIN

/// Rows of a table as texts, one after the other. A missing cell is an empty text that is not quoted; quotes
/// say that a text is none of the words for missing values.
struct TextChunk {
  std::vector<TextColumn> columns{};
  std::uint64_t first_row = 0; ///< counted from 0 over all rows of the table
  std::size_t rows = 0;
};

/// One table as chunks of texts, wherever it comes from. Readers go over it several times, which must give
/// the same rows each time, from one thread at a time, though not always the same one. What the columns mean
/// is found out from the texts, as it is of a file's.
class TextSource {
public:
  TextSource() = default;
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;
  virtual ~TextSource() = default;

  /// Of the columns.
  virtual const std::vector<std::string>& names() const noexcept = 0;
  /// For messages, such as the path of a file.
  virtual std::string name() const = 0;
  /// Back to the first row.
  virtual void rewind() = 0;
  /// The next rows, `most` of them at most, in place of those that `chunk` has. \returns false at the end
  virtual bool next(TextChunk& chunk, std::size_t most) = 0;

  /// How generated rows are written: as those of the first file; of what is no file, as plain CSV.
  virtual const CsvDialect& dialect() const noexcept { return plain_; }
  /// What the last chunk is of, for messages.
  virtual std::string path() const { return name(); }
  /// Header lines among the rows so far.
  virtual std::size_t repeated() const noexcept { return 0; }
  /// Of all rows, the share that was read; an estimate. 0: not known
  virtual double share_done() const noexcept { return 0; }
  /// The first row of each file that was begun; empty: there is one.
  virtual std::vector<std::uint64_t> file_starts() const { return {}; }

protected:
  /// Makes room for rows of so many columns.
  static void clear(TextChunk& chunk, std::size_t columns, std::uint64_t first_row) {
    chunk.columns.resize(columns);
    for (auto& column : chunk.columns)
      column.clear();
    chunk.first_row = first_row;
    chunk.rows = 0;
  }

private:
  CsvDialect plain_{};
};

namespace detail {

/// All rows of a source. \throws CsvError for columns without names, or two of one name, or no rows
inline TextTable read_text_table(TextSource& source) {
  TextTable table;
  table.names = source.names();
  table.columns.resize(table.names.size());
  source.rewind();
  TextChunk chunk;
  while (source.next(chunk, 32'768)) {
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      for (const auto code : chunk.columns[c].codes()) {
        const auto text = chunk.columns[c][code];
        table.columns[c].add(text.text, text.quoted, text.first_line);
      }
    table.rows += chunk.rows;
  }
  table.file_starts = source.file_starts();
  table.finish(source.name(), source.dialect().header, source.repeated());
  return table;
}

} // namespace detail
ROWSMITH_END
