// SPDX-License-Identifier: MIT
/// \file
/// The records of a file as texts, before anything is known about what its columns mean.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/dialect.hpp>
#include <rowsmith/csv/file_opener.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/csv/reader.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/table/text_column.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Reads the records of one file one by one. Header lines that come again are left out.
class TextRecords {
public:
  /// \throws CsvError for a file without a record
  TextRecords(std::string path, const CsvDialect& dialect, const FileOpener& open = {})
      : path_(std::move(path)), header_(dialect.header) {
    CsvOptions csv{.delimiter = dialect.delimiter, .header = dialect.header};
    csv.skipped_lines = dialect.skipped_lines;
    csv.encoding = dialect.encoding;
    csv.carriage_returns = dialect.carriage_returns;
    csv.check_text = true;
    if (open)
      stream_ = open(path_);
    reader_ =
        open ? std::make_unique<CsvReader>(*stream_, path_, csv) : std::make_unique<CsvReader>(path_, csv);
    if (!reader_->next())
      throw CsvError(path_, 0, 0, "the file is empty, expected rows");
    for (const auto& field : reader_->fields())
      names_.emplace_back(field.text);
    if (header_)
      return;
    pending_ = true; // the record is data already
    for (std::size_t i = 0; i < names_.size(); ++i)
      names_[i] = "column_" + std::to_string(i + 1);
  }

  const std::string& path() const noexcept { return path_; }
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// Header lines among the rows so far.
  std::size_t repeated() const noexcept { return repeated_; }
  /// The next row. \returns false at the end \throws CsvError for a row of another number of fields
  bool next() {
    for (;;) {
      if (!std::exchange(pending_, false) && !reader_->next())
        return false;
      const auto& fields = reader_->fields();
      if (fields.size() != names_.size())
        reader_->fail(0, std::to_string(fields.size()) + " fields, expected " +
                             std::to_string(names_.size()) + ", one for each column" +
                             (header_ ? " of the header" : ""));
      if (!header_ || names_.size() == 1 ||
          !std::equal(fields.begin(), fields.end(), names_.begin(),
                      [](const CsvField& field, const std::string& name) { return field.text == name; }))
        return true;
      ++repeated_;
    }
  }
  const std::vector<CsvField>& fields() const noexcept { return reader_->fields(); }
  std::size_t line() const noexcept { return reader_->line(); }
  /// Bytes of the rows so far.
  std::size_t bytes() const noexcept { return reader_->bytes(); }

private:
  std::string path_;
  bool header_;
  bool pending_ = false;
  std::unique_ptr<std::istream> stream_;
  std::unique_ptr<CsvReader> reader_;
  std::vector<std::string> names_;
  std::size_t repeated_ = 0;
};

/// Rows on their way into columns, where they go some at a time.
class TextRowBatch {
public:
  /// \param place  of each field among the columns
  void add(const std::vector<CsvField>& fields, std::span<const std::size_t> place, std::size_t line,
           std::vector<TextColumn>& columns) {
    std::size_t bytes = 0;
    for (const auto& field : fields)
      bytes += TextColumn::Key::is_short(field.text.size()) ? 0 : field.text.size();
    if (rows_ == most_ || used_ + bytes > texts_.size()) {
      flush(columns);
      texts_.resize(std::max(texts_.size(), std::max(bytes, std::size_t{1} << 14U)));
    }
    if (rows_ == 0) {
      most_ = std::clamp<std::size_t>(most_keys / std::max<std::size_t>(columns.size(), 1), 1,
                                      TextColumn::together);
      keys_.resize(columns.size() * most_);
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      std::string_view text = fields[i].text;
      if (!TextColumn::Key::is_short(text.size())) {
        char* const copy = texts_.data() + used_;
        std::copy(text.begin(), text.end(), copy);
        used_ += text.size();
        text = {copy, text.size()};
      }
      keys_[place[i] * most_ + rows_] = TextColumn::Key(text, fields[i].quoted, line);
    }
    ++rows_;
  }
  /// Adds what has not been yet.
  void flush(std::vector<TextColumn>& columns) {
    for (std::size_t c = 0; c < columns.size() && rows_ > 0; ++c)
      columns[c].add(std::span(keys_.data() + c * most_, rows_));
    clear();
  }
  void clear() noexcept { rows_ = used_ = 0; }

private:
  static constexpr std::size_t most_keys = std::size_t{1} << 16U; ///< fewer rows of wide files at once
  std::vector<TextColumn::Key> keys_;                             ///< by column
  std::size_t most_ = 0;                                          ///< rows at once
  std::vector<char> texts_;                                       ///< of the rows, those that are long
  std::size_t rows_ = 0;
  std::size_t used_ = 0;
};

/// Columns of texts, of all rows of a file or of some.
struct TextTable {
  std::vector<std::string> names{};
  std::vector<TextColumn> columns{};
  std::vector<bool> numbers_rows{}; ///< a column without a name whose texts count the rows
  std::vector<std::string> notes{};
  std::size_t rows = 0;                     ///< of the file
  std::vector<std::uint64_t> numbers{};     ///< of the rows in the columns, ascending; empty: they are all
  std::vector<std::uint64_t> file_starts{}; ///< the first row of each file; empty: there is one
  /// Of the file, by column: about how many different texts it has, where the columns do not have all rows.
  std::vector<std::size_t> distinct{};
  std::vector<bool> by_chance{}; ///< of the rows in the columns; empty: they are all

  /// The number of a row, such as `17` or `17.0`, small enough that rows can be counted on from it.
  static std::optional<WholeNumber> count_of(std::string_view text) {
    constexpr std::uint64_t most = std::uint64_t{1} << 62U;
    if (const auto whole = parse_whole(text))
      return whole->magnitude < most ? whole : std::nullopt;
    const auto number = parse_number(text);
    if (!number || *number != std::floor(*number) || std::abs(*number) >= 0x1p53)
      return std::nullopt;
    return whole_number(static_cast<std::int64_t>(*number));
  }

  /// Once all rows are there. \param header  there was one \param repeated  how often it came again \throws
  /// CsvError for a column without a name, or two of one name, or no rows
  void finish(const std::string& path, bool header, std::size_t repeated) {
    for (auto& column : columns)
      column.finish();
    if (rows == 0)
      throw CsvError(path, 0, 0,
                     std::string("the file has no rows") + (header ? " below its header" : "") +
                         ", expected at least one");
    if (repeated > 0)
      notes.push_back("the header comes " + std::to_string(repeated) +
                      " more times among the rows, and is left out");
    name_columns(path);
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!seen.insert(names[i]).second)
        throw CsvError(path, header ? 1 : 0, i + 1,
                       "the column name " + in_quotes(names[i]) +
                           " is there twice, expected different names");
  }

private:
  /// A first column without a name that counts the rows is an index that a program wrote; a last one that is
  /// empty comes from a delimiter at the end of the lines.
  void name_columns(const std::string& path) {
    if (names.size() > 1 && names.back().empty() && columns.back().size() == 1 &&
        columns.back()[0].text.empty()) {
      names.pop_back();
      columns.pop_back();
      notes.emplace_back("every line ends with a delimiter, behind which there is no column");
    }
    numbers_rows.assign(names.size(), false);
    if (names.size() > 1 && (names[0].empty() || names[0] == "Unnamed: 0") && counts_rows(columns[0])) {
      numbers_rows[0] = true;
      notes.emplace_back("the first column has no name and counts the rows: generated rows are counted on");
    }
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i].empty() && !numbers_rows[i])
        throw CsvError(path, 1, i + 1, "the column's name is empty, expected a name");
  }
  bool counts_rows(const TextColumn& column) const {
    if (column.size() != column.rows() && file_starts.size() < 2)
      return false;
    const auto first = count_of(column[0].text);
    if (!first)
      return false;
    bool through = true; // all files
    bool anew = true;    // in each
    for (std::size_t i = 0; i < column.rows(); ++i) {
      const std::uint64_t row = numbers.empty() ? i : numbers[i] - numbers[0];
      const auto next = std::upper_bound(file_starts.begin(), file_starts.end(), row);
      const std::uint64_t start = next == file_starts.begin() ? 0 : *(next - 1);
      const auto count = count_of(column[column.codes()[i]].text);
      through = through && count == at_distance(*first, static_cast<double>(row));
      anew = anew && count == at_distance(*first, static_cast<double>(row - start));
    }
    return through || anew;
  }
};

/// All rows of a file.
inline TextTable read_text_table(const std::string& path, const CsvDialect& dialect,
                                 const FileOpener& open = {}) {
  TextRecords records(path, dialect, open);
  TextTable table;
  table.names = records.names();
  table.columns.resize(table.names.size());
  std::vector<std::size_t> place(table.names.size());
  std::iota(place.begin(), place.end(), std::size_t{0});
  TextRowBatch batch;
  for (; records.next(); ++table.rows)
    batch.add(records.fields(), place, records.line(), table.columns);
  batch.flush(table.columns);
  table.finish(path, dialect.header, records.repeated());
  return table;
}

} // namespace detail
ROWSMITH_END
