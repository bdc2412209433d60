// SPDX-License-Identifier: MIT
/// \file
/// A table in memory, stored column by column.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN

/// The category code of a missing value.
inline constexpr std::int32_t missing_code = -1;

/// The distinct texts of a categorical column, each with its code 0, 1, 2, … in order of insertion.
class Dictionary {
public:
  Dictionary() = default;
  explicit Dictionary(const std::vector<std::string>& texts) {
    for (const auto& text : texts)
      insert(text);
  }

  /// The code of `text`, which is added if it is new. \throws SchemaError above 2^31 − 1 texts.
  std::int32_t insert(std::string_view text) {
    const auto found = codes_.find(text);
    if (found != codes_.end())
      return found->second;
    if (texts_.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
      throw SchemaError("a categorical column has more than 2^31 - 1 distinct values");
    const auto code = static_cast<std::int32_t>(texts_.size());
    texts_.emplace_back(text);
    codes_.emplace(texts_.back(), code);
    return code;
  }
  /// The code of `text`, or `missing_code` if it is not there.
  std::int32_t find(std::string_view text) const {
    const auto found = codes_.find(text);
    return found == codes_.end() ? missing_code : found->second;
  }
  const std::string& text(std::int32_t code) const { return texts_.at(static_cast<std::size_t>(code)); }
  const std::vector<std::string>& texts() const noexcept { return texts_; }
  std::size_t size() const noexcept { return texts_.size(); }
  bool operator==(const Dictionary& other) const { return texts_ == other.texts_; }

private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> codes_;
};

/// One column. A missing value is NaN in `values` or `missing_code` in `codes`: the mask is the data itself,
/// so that the two cannot disagree.
struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::numerical;
  std::vector<double> values; ///< numerical: one number a row
  int decimals = -1;          ///< numerical: digits after the point that its text needs; −1: as many as
                              ///< the shortest text that reads back the same
  std::vector<std::int32_t> codes; ///< categorical: one code of `dictionary` a row
  Dictionary dictionary;

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

  static Column numerical(std::string name, std::vector<double> values = {}, int decimals = -1) {
    Column column;
    column.name = std::move(name);
    column.values = std::move(values);
    column.decimals = decimals;
    return column;
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

/// Named columns of equal length. A value type; rows are samples.
class Table {
public:
  Table() = default;

  /// \throws SchemaError if names repeat or lengths differ, or if `label` is not a categorical column
  explicit Table(std::vector<Column> columns, std::string label = {}) : columns_(std::move(columns)) {
    std::vector<ColumnSchema> schema;
    for (const auto& column : columns_) {
      schema.push_back({column.name, column.kind});
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

  /// The chosen rows, in the order given, with the same dictionaries. \throws ShapeError for an unknown row.
  Table select(std::span<const std::size_t> rows) const {
    std::vector<Column> chosen;
    for (const auto row : rows)
      if (row >= this->rows())
        throw ShapeError("select: row " + std::to_string(row) + " of a table with " +
                         std::to_string(this->rows()) + " rows");
    for (const auto& column : columns_) {
      Column part;
      part.name = column.name;
      part.kind = column.kind;
      part.decimals = column.decimals;
      part.dictionary = column.dictionary;
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

ROWSMITH_END
