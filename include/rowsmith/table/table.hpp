// SPDX-License-Identifier: MIT
/// \file
/// A table in memory, stored column by column.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/text_hash.hpp>
#include <rowsmith/table/cell_view.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN

/// The category code of a missing value.
inline constexpr std::int32_t missing_code = -1;

/// The distinct texts of a categorical column, each with its code 0, 1, 2, … in order of insertion.
class Dictionary {
public:
  Dictionary() = default;
  /// Text k gets the code k. \throws SchemaError if one is there twice
  explicit Dictionary(const std::vector<std::string>& texts) {
    for (std::size_t k = 0; k < texts.size(); ++k)
      if (static_cast<std::size_t>(insert(texts[k])) != k)
        throw SchemaError("dictionary: the text " + detail::in_quotes(texts[k]) + " is there twice");
  }

  /// The code of `text`, which is added if it is new. \throws SchemaError above 2^31 − 1 texts.
  std::int32_t insert(std::string_view text) {
    const auto code = index_.find_or_add(
        detail::text_hash(text), [&](std::uint32_t known) { return texts_[known] == text; },
        [&] {
          if (texts_.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
            throw SchemaError("a categorical column has more than 2^31 - 1 distinct values");
          texts_.emplace_back(text);
          return static_cast<std::uint32_t>(texts_.size() - 1);
        });
    return static_cast<std::int32_t>(code);
  }
  /// The code of `text`, or `missing_code` if it is not there.
  std::int32_t find(std::string_view text) const { return find(detail::text_hash(text), text); }
  /// \throws SchemaError for a code that is not there, `missing_code` among them
  const std::string& text(std::int32_t code) const {
    if (code < 0 || static_cast<std::size_t>(code) >= size())
      throw SchemaError("dictionary: there is no code " + std::to_string(code) + " among " +
                        std::to_string(size()) + " texts");
    return texts_[static_cast<std::size_t>(code)];
  }
  const std::vector<std::string>& texts() const noexcept { return texts_; }
  std::size_t size() const noexcept { return texts_.size(); }
  bool operator==(const Dictionary& other) const { return texts_ == other.texts_; }

private:
  std::int32_t find(std::uint32_t hash, std::string_view text) const {
    const auto found = index_.find(hash, [&](std::uint32_t code) { return texts_[code] == text; });
    return found == detail::HashIndex::none ? missing_code : static_cast<std::int32_t>(found);
  }

  std::vector<std::string> texts_;
  detail::HashIndex index_;
};

/// One column. A missing value is NaN in `values` or `missing_code` in `codes`: the mask is the data itself,
/// so that the two cannot disagree.
struct Column {
  std::string name{};
  ColumnKind kind = ColumnKind::numerical;
  std::vector<double> values{}; ///< numerical: one number a row
  int decimals = -1;            ///< numerical: digits after the point that its text needs; −1: as many as
                                ///< the shortest text that reads back the same
  std::vector<std::int32_t> codes{}; ///< categorical: one code of `dictionary` a row
  Dictionary dictionary{};

  std::size_t rows() const noexcept { return kind == ColumnKind::numerical ? values.size() : codes.size(); }
  bool is_missing(std::size_t row) const {
    return kind == ColumnKind::numerical ? std::isnan(values[row]) : codes[row] == missing_code;
  }
  std::size_t missing_count() const {
    std::size_t count = 0;
    for (std::size_t row = 0; row < rows(); ++row)
      count += is_missing(row) ? 1 : 0;
    return count;
  }
  CellView cell(std::size_t row) const {
    if (kind == ColumnKind::numerical)
      return {values[row], decimals};
    return codes[row] == missing_code ? CellView() : CellView(dictionary.text(codes[row]));
  }
  /// \throws SchemaError if it holds what a column of its kind does not, or a code that its dictionary lacks
  void check() const {
    const auto refuse = [this](const std::string& what) {
      throw SchemaError("table: column '" + name + "' " + what);
    };
    if (kind == ColumnKind::numerical) {
      if (!codes.empty() || dictionary.size() != 0)
        refuse("is numerical, but has codes or texts");
      if (decimals < -1)
        refuse("has decimals = " + std::to_string(decimals) + ", expected -1 or more");
      return;
    }
    if (!values.empty())
      refuse("is categorical, but has numbers");
    for (std::size_t row = 0; row < codes.size(); ++row)
      if (codes[row] < missing_code || codes[row] >= static_cast<std::int64_t>(dictionary.size()))
        refuse("has the code " + std::to_string(codes[row]) + " in row " + std::to_string(row + 1) +
               ", but its dictionary has " + std::to_string(dictionary.size()) + " texts");
  }

  static Column numerical(std::string name, std::vector<double> values = {}, int decimals = -1) {
    return {.name = std::move(name), .values = std::move(values), .decimals = decimals};
  }
  /// \param texts  one text a row
  static Column categorical(std::string name, const std::vector<std::string>& texts = {}) {
    Column column;
    column.name = std::move(name);
    column.kind = ColumnKind::categorical;
    for (const auto& text : texts)
      column.codes.push_back(column.dictionary.insert(text));
    return column;
  }
};

class TableRow;

/// Named columns of equal length. A value type; rows are samples.
class Table {
public:
  Table() = default;

  /// \throws SchemaError if there is no column, names are empty or repeat, lengths differ, a column is not
  /// what `Column::check` asks, or `label` is not a categorical column
  explicit Table(std::vector<Column> columns, std::string label = {}) : columns_(std::move(columns)) {
    std::vector<ColumnSchema> schema;
    for (const auto& column : columns_) {
      schema.push_back({column.name, column.kind});
      column.check();
      if (column.rows() != columns_.front().rows())
        throw SchemaError("table: column '" + column.name + "' has " + std::to_string(column.rows()) +
                          " rows, but '" + columns_.front().name + "' has " +
                          std::to_string(columns_.front().rows()));
    }
    schema_ = TableSchema(std::move(schema), std::move(label));
  }

  const TableSchema& schema() const noexcept { return schema_; }
  std::size_t rows() const noexcept { return columns_.empty() ? 0 : columns_.front().rows(); }
  std::size_t size() const noexcept { return columns_.size(); }
  const std::vector<Column>& columns() const noexcept { return columns_; }
  const Column& operator[](std::size_t i) const { return columns_[i]; }
  /// \throws SchemaError if there is no such column
  const Column& operator[](std::string_view name) const { return columns_[schema_.index_of(name)]; }
  /// A view of one row. \throws ShapeError for an unknown row
  TableRow row(std::size_t row) const;
  /// The columns, taken out of a table that is no longer needed.
  std::vector<Column> into_columns() && {
    schema_ = TableSchema();
    return std::move(columns_);
  }

  /// The chosen rows, in the order given, with the same dictionaries. \throws ShapeError for an unknown row.
  Table select(std::span<const std::size_t> rows) const {
    std::vector<Column> chosen;
    for (const auto row : rows)
      if (row >= this->rows())
        throw ShapeError("select: row " + std::to_string(row) + " of a table with " +
                         std::to_string(this->rows()) + " rows");
    for (const auto& column : columns_) {
      Column part{.name = column.name,
                  .kind = column.kind,
                  .decimals = column.decimals,
                  .dictionary = column.dictionary};
      for (const auto row : rows)
        if (column.kind == ColumnKind::numerical)
          part.values.push_back(column.values[row]);
        else
          part.codes.push_back(column.codes[row]);
      chosen.push_back(std::move(part));
    }
    return Table(std::move(chosen), schema_.label());
  }

private:
  std::vector<Column> columns_;
  TableSchema schema_;
};

/// One row of a table, which must outlive it. Columns count from 0; one that is not there is undefined
/// behaviour.
class TableRow {
public:
  std::size_t size() const noexcept { return table_->size(); }
  const std::string& name(std::size_t column) const { return (*table_)[column].name; }
  CellView cell(std::size_t column) const { return (*table_)[column].cell(row_); }

private:
  friend class Table;
  TableRow(const Table& table, std::size_t row) noexcept : table_(&table), row_(row) {}
  const Table* table_;
  std::size_t row_;
};

inline TableRow Table::row(std::size_t row) const {
  if (row >= rows())
    throw ShapeError("row " + std::to_string(row) + " of a table with " + std::to_string(rows()) + " rows");
  return {*this, row};
}

namespace detail {
/// `Column::decimals` of numbers that come from two sources.
inline int common_decimals(int a, int b) noexcept { return a < 0 || b < 0 ? -1 : (a < b ? b : a); }
} // namespace detail

ROWSMITH_END
