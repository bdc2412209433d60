// SPDX-License-Identifier: MIT
/// \file
/// Files of any size, described by some of their rows and by what is counted of all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
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

/// What is known of a column of files that were read in chunks.
struct SketchedColumn {
  double missing_share = 0;     ///< of all rows
  bool missing_exact = true;    ///< counted in all rows; else estimated from rows by chance
  bool distinct_exact = true;   ///< the same of `FoundFormat::distinct`
  bool categories_exact = true; ///< the same of `categories`
  bool range_exact = true;      ///< of a number: the kept rows have the least and the largest one
  /// Of a category: how many of all rows have each, most first.
  std::vector<std::pair<std::string, std::size_t>> categories{};
};

/// A table of any size as far as memory holds it.
struct SketchedTable {
  /// What was found out; its table has the rows that were kept, see `SketchOptions`. `rows` are all.
  TableFile file{};
  std::vector<bool> by_chance{};         ///< of the kept rows; empty: they are all rows
  std::vector<SketchedColumn> columns{}; ///< of the file

  bool whole() const noexcept { return by_chance.empty(); }
  /// The rows by chance, which tell shares; all of them if the sketch is whole. \param some  has them, unless
  /// they are all
  const Table& rows_by_chance(Table& some) const {
    if (whole())
      return file.table;
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < by_chance.size(); ++row)
      if (by_chance[row])
        rows.push_back(row);
    return some = file.table.select(rows);
  }
};

namespace detail {

/// How many rows have each category, and how many have none. \param counts  of a column's texts
inline void count_categories(const TextCounts& counts, const ColumnFormat& format, const RoleOptions& roles,
                             SketchedColumn& to, std::size_t& missing) {
  TextColumn column;
  std::vector<std::size_t> texts; // rows of each
  for (const auto& [text, count] : counts)
    for (const bool quoted : {false, true})
      if (const std::size_t rows_of = quoted ? count.quoted : count.plain; rows_of > 0) {
        column.add(text, quoted, 0);
        texts.push_back(rows_of);
      }
  const auto cells = table_column(column, format, roles);
  std::vector<std::size_t> rows(cells.dictionary.size());
  missing = 0;
  for (std::size_t k = 0; k < texts.size(); ++k)
    if (cells.is_missing(k))
      missing += texts[k];
    else if (cells.kind == ColumnKind::categorical)
      rows[static_cast<std::size_t>(cells.codes[k])] += texts[k];
  for (std::size_t code = 0; code < rows.size(); ++code)
    to.categories.emplace_back(cells.dictionary.texts()[code], rows[code]);
  std::sort(to.categories.begin(), to.categories.end(), [](const auto& a, const auto& b) {
    return a.second > b.second || (a.second == b.second && a.first < b.first);
  });
}

/// Fills in what is known of the columns. \param sketch  of the rows; null: the table has all of them
/// \param names  of the columns of the sketch \param path  for messages
inline void find_columns(SketchedTable& result, const TextSketch* sketch,
                         const std::vector<std::string>& names, const std::string& path,
                         const RoleOptions& roles) {
  const auto& file = result.file;
  Table some;
  const auto& chance = result.rows_by_chance(some);
  const auto all = static_cast<double>(file.rows);
  std::size_t learnt = 0; // columns of the table, in the order of the file
  for (std::size_t i = 0; i < file.format.columns.size(); ++i) {
    const auto& of = file.format.columns[i];
    auto& column = result.columns.emplace_back();
    const auto place =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), of.name) - names.begin());
    const auto* counts = sketch != nullptr && place < names.size() ? sketch->counts(place) : nullptr;
    column.distinct_exact = result.whole() || counts != nullptr;
    if (!TableFormat::kind_of(of.role)) { // of keys and free texts, the kept rows tell
      column.missing_exact = result.whole();
      column.categories_exact = false;
      if (i < file.found.size())
        column.missing_share = static_cast<double>(file.found[i].missing_rows) /
                               (result.whole() ? all : static_cast<double>(result.by_chance.size()));
      continue;
    }
    const auto& cells = chance[learnt++];
    // Ends are looked for among plain numbers and texts as they stand.
    column.range_exact =
        result.whole() || counts != nullptr ||
        (of.role != ColumnRole::date && of.marks == NumberMarks{} && of.origin == WholeNumber{});
    const bool exact = !result.whole() && counts != nullptr;
    if (exact) {
      std::size_t missing = 0;
      at_column(path, place, [&] { count_categories(*counts, of, roles, column, missing); });
      column.missing_share = static_cast<double>(missing) / all;
      continue;
    }
    std::vector<std::size_t> rows(cells.dictionary.size());
    std::size_t missing = 0;
    for (std::size_t row = 0; row < chance.rows(); ++row)
      if (cells.is_missing(row))
        ++missing;
      else if (cells.kind == ColumnKind::categorical)
        ++rows[static_cast<std::size_t>(cells.codes[row])];
    column.missing_exact = column.categories_exact = result.whole();
    const auto shown = static_cast<double>(std::max<std::size_t>(chance.rows(), 1));
    column.missing_share = static_cast<double>(missing) / shown;
    for (std::size_t code = 0; code < rows.size(); ++code)
      column.categories.emplace_back(
          cells.dictionary.texts()[code],
          result.whole() ? rows[code]
                         : static_cast<std::size_t>(static_cast<double>(rows[code]) / shown * all));
    std::stable_sort(column.categories.begin(), column.categories.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
  }
}

} // namespace detail

/// A table that was read whole, of which all is known.
inline SketchedTable sketched(TableFile file) {
  SketchedTable result;
  result.file = std::move(file);
  detail::find_columns(result, nullptr, {}, {}, {});
  return result;
}

/// Goes over rows of any number once, and keeps what a sketch keeps of them. \param format  what the columns
/// mean; nothing: found out \param chunk_rows  never changes the result; ≥ 1 \throws CsvError, SchemaError,
/// OptionError as `read_table_file` does, and what the source does
inline SketchedTable read_sketched_table(TextSource& files, const TableFileOptions& options = {},
                                         const SketchOptions& sketch_options = {},
                                         const std::optional<TableFormat>& format = {},
                                         std::size_t chunk_rows = 32'768) {
  if (chunk_rows == 0)
    throw OptionError("chunk rows = 0: expected 1 or more");
  files.rewind();
  detail::TextSketch sketch(files.names().size(), sketch_options);
  for (TextChunk chunk; files.next(chunk, chunk_rows);)
    sketch.add(chunk);
  auto texts = sketch.table(files.names());
  texts.file_starts = files.file_starts();
  SketchedTable result;
  result.by_chance = texts.by_chance;
  texts.finish(files.name(), files.dialect().header, files.repeated());
  if (format) {
    result.file.format = *format;
    result.file.rows = texts.rows;
    result.file.table = detail::table_like(texts, files.name(), *format, options.roles);
  } else {
    result.file = detail::table_of_texts(std::move(texts), files.name(), files.dialect(), options);
  }
  detail::find_columns(result, &sketch, files.names(), files.name(), options.roles);
  return result;
}
/// The same of files.
inline SketchedTable read_sketched_table(const std::vector<std::string>& paths,
                                         const TableFileOptions& options = {},
                                         const SketchOptions& sketch_options = {},
                                         const std::optional<TableFormat>& format = {},
                                         std::size_t chunk_rows = 32'768) {
  detail::TextFiles files(paths, format ? detail::written_like(options, *format) : options);
  return read_sketched_table(files, options, sketch_options, format, chunk_rows);
}

ROWSMITH_END
