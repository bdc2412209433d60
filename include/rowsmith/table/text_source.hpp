// SPDX-License-Identifier: MIT
/// \file
/// Where the rows of a table come from, as texts in chunks: files, a database, memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/text_hash.hpp>
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

/// Counts the rows of each pass over a source, and notices one that gives others than the pass before.
class PassCheck {
public:
  void begin() noexcept {
    rows_ = 0;
    hash_ = 0;
  }
  void add_row() noexcept { ++rows_; }
  /// \param kind  of cells that are to be told apart although their texts are the same
  void add_cell(std::string_view text, std::uint64_t kind) noexcept {
    hash_ = (hash_ ^ text_hash(text, kind)) * 0x9E3779B97F4A7C15U;
    hash_ ^= hash_ >> 29U;
  }
  /// \returns whether the rows are those of the pass before, or this is the first
  bool end() noexcept {
    if (whole_ && (whole_->rows != rows_ || whole_->hash != hash_))
      return false;
    whole_ = Pass{rows_, hash_};
    return true;
  }
  std::uint64_t rows() const noexcept { return rows_; } ///< so far
  /// Of all rows, the share that was read; 0: not known before the first pass has ended
  double share_done() const noexcept {
    return whole_ && whole_->rows > 0 ? static_cast<double>(rows_) / static_cast<double>(whole_->rows) : 0;
  }

private:
  struct Pass {
    std::uint64_t rows = 0;
    std::uint64_t hash = 0;
  };
  std::uint64_t rows_ = 0;
  std::uint64_t hash_ = 0;
  std::optional<Pass> whole_{}; ///< once all were read
};

/// All rows of a source. \throws CsvError for columns without names, or two of one name, or no rows
inline TextTable read_text_table(TextSource& source) {
  TextTable table;
  table.names = source.names();
  table.columns.resize(table.names.size());
  source.rewind();
  TextChunk chunk;
  while (source.next(chunk, 32'768)) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      TextColumn::Copier copier(chunk.columns[c], table.columns[c]);
      for (std::size_t row = 0; row < chunk.columns[c].rows(); ++row)
        copier.add(row);
    }
    table.rows += chunk.rows;
  }
  table.file_starts = source.file_starts();
  table.finish(source.name(), source.dialect().header, source.repeated());
  return table;
}

} // namespace detail
ROWSMITH_END
