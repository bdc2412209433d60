// SPDX-License-Identifier: MIT
/// \file
/// Tables as files of a format.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/encoding.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/table_format.hpp>
#include <rowsmith/table/text_column.hpp>

ROWSMITH_BEGIN

/// Writes generated rows as files of a format are written.
class TableFileWriter {
public:
  /// \param seed  of the keys that are made \throws OptionError for a format that cannot be written
  explicit TableFileWriter(TableFormat format, std::uint64_t seed = 0)
      : format_(std::move(format)), seed_(seed) {
    encoder_ = {format_.dialect.encoding, format_.dialect.carriage_returns};
    csv_.delimiter = format_.dialect.delimiter;
    csv_.missing.clear();
    csv_.check();
  }

  /// What the file begins with: as the format has them a byte order mark, the line that names the delimiter,
  /// and the line of names. Titles above it are not repeated. \throws as `append`
  std::string header() const {
    std::string bytes = format_.dialect.byte_order_mark ? encoder_.byte_order_mark() : std::string();
    if (format_.dialect.separator_line)
      encode("sep=" + std::string(1, csv_.delimiter) + end(), bytes, "the delimiter");
    if (!format_.dialect.header)
      return bytes;
    std::string line;
    bool first = true;
    const bool quoted =
        !format_.columns.empty() && std::all_of(format_.columns.begin(), format_.columns.end(),
                                                [](const ColumnFormat& one) { return one.quoted; });
    for (const auto& column : format_.columns)
      if (column.role != ColumnRole::dropped) {
        if (!std::exchange(first, false))
          line += csv_.delimiter;
        append_text(line, column.name, quoted);
      }
    encode(line + end(), bytes, "the line of names");
    return bytes;
  }
  /// Appends the bytes of rows [begin, end) of a table. \param first_row  the number of row 0 in the sample
  /// \param partial  what the rows were made from: cells that it has keep their texts; null: nothing
  /// \throws SchemaError for a text that the format's encoding has no characters for
  void append(std::string& to, const Table& table, std::size_t begin, std::size_t end_row,
              std::uint64_t first_row, const PartialTableFile* partial = nullptr) const {
    const auto kept = texts_of(partial);
    std::string cell;
    std::string part;                                   // of a row, before it is encoded
    std::string& text = encoder_.changes() ? part : to; // most need not be
    for (std::size_t row = begin; row < end_row; ++row) {
      std::size_t at = 0;
      bool first = true;
      const std::size_t start = to.size();
      for (std::size_t c = 0; c < format_.columns.size(); ++c) {
        const auto& column = format_.columns[c];
        if (column.role == ColumnRole::dropped)
          continue;
        if (!std::exchange(first, false))
          delimit(to);
        const Column* cells = TableFormat::kind_of(column.role) ? &table[at++] : nullptr;
        if (!kept.empty() && kept[c].has(row)) {
          const auto known = (*kept[c].texts)[kept[c].texts->codes()[row]];
          if (!known.text.empty() || known.quoted || column.quoted)
            append_text(text, known.text, known.quoted || column.quoted);
        } else {
          append_cell(text, column, cells, row, first_row + row, cell);
        }
        if (encoder_.changes())
          encode(std::exchange(part, {}), to,
                 "row " + std::to_string(row + 1) + ", column '" + column.name + "'");
      }
      if (to.size() == start) // a lone empty cell would be a blank line, which readers skip
        text += "\"\"";
      text += end();
      if (encoder_.changes())
        encode(std::exchange(part, {}), to, "the end of a row");
    }
  }
  /// \param first_row, partial  as of `append`
  void write(std::ostream& out, const Table& table, std::uint64_t first_row = 0,
             const PartialTableFile* partial = nullptr) const {
    out << header();
    std::string text;
    constexpr std::size_t block = 4096;
    for (std::size_t begin = 0; begin < table.rows(); begin += block) {
      text.clear();
      append(text, table, begin, std::min(table.rows(), begin + block), first_row, partial);
      out.write(text.data(), static_cast<std::streamsize>(text.size()));
    }
  }

private:
  /// Texts of a column that are written as they are.
  struct Kept {
    const TextColumn* texts = nullptr;
    const Column* cells = nullptr; ///< those that are missing are none; null: of a text that is not learnt
    bool key = false;              ///< an empty one is made

    bool has(std::size_t row) const {
      if (texts == nullptr)
        return false;
      return cells != nullptr ? !cells->is_missing(row) : !key || !(*texts)[texts->codes()[row]].text.empty();
    }
  };
  /// By column of the format; of nothing: empty.
  std::vector<Kept> texts_of(const PartialTableFile* partial) const {
    std::vector<Kept> kept(partial == nullptr ? 0 : format_.columns.size());
    for (std::size_t c = 0, at = 0; c < kept.size(); ++c)
      if (partial->texts[c].rows() > 0)
        kept[c] = {&partial->texts[c],
                   TableFormat::kind_of(format_.columns[c].role) ? &partial->table[at++] : nullptr,
                   format_.columns[c].role == ColumnRole::identifier};
    return kept;
  }
  /// As a text; the encoder makes a carriage return of a line feed where lines end so.
  const char* end() const noexcept { return format_.dialect.crlf ? "\r\n" : "\n"; }
  void delimit(std::string& to) const {
    if (encoder_.changes())
      encode(std::string(1, csv_.delimiter), to, "the delimiter");
    else
      to += csv_.delimiter;
  }
  void encode(const std::string& text, std::string& to, const std::string& where) const {
    if (!encoder_.changes())
      to += text;
    else if (encoder_.encode(text, to) != detail::TextEncoder::none)
      throw SchemaError(where + " holds " + detail::in_quotes(text) + ", for which " +
                        std::string(to_string(format_.dialect.encoding)) +
                        " has no characters (--plain writes UTF-8)");
  }
  void append_text(std::string& to, std::string_view text, bool quoted) const {
    if (quoted || detail::needs_quotes(text, csv_))
      detail::append_quoted(to, text);
    else
      to += text;
  }
  void append_cell(std::string& to, const ColumnFormat& format, const Column* column, std::size_t row,
                   std::uint64_t number, std::string& cell) const {
    cell.clear();
    if (column == nullptr) {
      if (format.role == ColumnRole::identifier)
        append_identifier(cell, format, number, seed_);
      else
        cell = "[text]";
      return append_text(to, cell, format.quoted);
    }
    if (column->is_missing(row)) {
      if (format.missing_quoted || (format.quoted && !format.missing.empty()))
        detail::append_quoted(to, format.missing);
      else
        to += format.missing;
      return;
    }
    if (column->kind == ColumnKind::categorical) {
      const auto& text = column->dictionary.text(column->codes[row]);
      // A text that would be read as a missing value stands in quotes.
      return append_text(to, text, format.quoted || text == "NA" || text == "?" || text == format.missing);
    }
    append_formatted(cell, column->values[row], column->decimals, format);
    append_text(to, cell, format.quoted);
  }

  TableFormat format_;
  std::uint64_t seed_;
  CsvOptions csv_;
  detail::TextEncoder encoder_;
};

/// Writes a table of the format's columns to a file: to a temporary one first, then renamed.
inline void write_table_file(const std::string& path, const Table& table, const TableFormat& format,
                             std::uint64_t seed = 0) {
  const TableFileWriter writer(format, seed);
  write_file_atomically(path, [&](std::ostream& out) { writer.write(out, table); });
}

ROWSMITH_END
