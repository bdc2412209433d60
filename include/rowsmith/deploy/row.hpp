// SPDX-License-Identifier: MIT
/// \file
/// One row outside a table: its columns known at run time (`DynamicRow`) or at compile time (`Row<Schema>`).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/fixed_string.hpp>
#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/table/cell_view.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN

/// A cell of a categorical column.
struct Category {
  std::int32_t code = missing_code; ///< position among the column's texts; `missing_code` if missing
  std::string_view text{};          ///< lives as long as any row or sampler of the model; empty if missing
  bool is_missing() const noexcept { return code == missing_code; }
};

/// What rows of one model have in common.
struct RowColumns {
  TableSchema schema;
  std::vector<std::vector<std::string>> texts; ///< by column; empty for numerical ones
  std::vector<int> decimals;                   ///< by column, as `Column::decimals`
  std::vector<bool> may_be_missing;            ///< by column: otherwise a missing cell has no code
  std::vector<std::int32_t> other; ///< by column: the code for texts that the model does not know; −1: none
  std::size_t slots = 0;           ///< of the model's preparation: room that a row has
  std::vector<std::size_t> model_slots; ///< of the columns that the networks know

  /// \param empty  a table with the columns and their texts; no model stands behind them
  explicit RowColumns(const Table& empty) : RowColumns(empty, Preparation(empty.schema())) {}
  explicit RowColumns(const TableModel& model) : RowColumns(model.empty_table(), model.preparation()) {
    for (std::size_t i = 0; i < model_slots.size(); ++i)
      if (const auto& codec = model.encoder().codecs()[i]; model_slots[i] < schema.size()) {
        may_be_missing[model_slots[i]] = codec.has_missing;
        other[model_slots[i]] = codec.has_other ? codec.other_category() : -1;
      }
  }
  /// A table's columns with `rows` missing rows.
  std::vector<Column> empty_columns(std::size_t rows) const {
    std::vector<Column> columns;
    for (std::size_t c = 0; c < schema.size(); ++c) {
      if (schema[c].kind == ColumnKind::numerical) {
        columns.push_back(Column::numerical(
            schema[c].name, std::vector<double>(rows, std::numeric_limits<double>::quiet_NaN()),
            decimals[c]));
        continue;
      }
      columns.push_back(Column::categorical(schema[c].name));
      columns.back().dictionary = Dictionary(texts[c]);
      columns.back().codes.assign(rows, missing_code);
    }
    return columns;
  }

private:
  RowColumns(const Table& empty, const Preparation& preparation)
      : schema(empty.schema()), may_be_missing(empty.size(), true), other(empty.size(), -1),
        slots(preparation.slots()), model_slots(preparation.model_slots()) {
    for (const auto& column : empty.columns()) {
      texts.push_back(column.dictionary.texts());
      decimals.push_back(column.decimals);
    }
  }
};

/// A row of a model's columns, made by `Sampler::row`. Allocates when it is made and copied, and never else.
/// Columns count from 0 in the order of the schema; a column that is not there is undefined behaviour in
/// functions that are `noexcept`.
class DynamicRow {
public:
  explicit DynamicRow(std::shared_ptr<const RowColumns> columns)
      : columns_(std::move(columns)), numbers_(columns_->slots, std::numeric_limits<double>::quiet_NaN()),
        codes_(columns_->slots, missing_code) {}

  const TableSchema& schema() const noexcept { return columns_->schema; }
  const RowColumns& columns() const noexcept { return *columns_; }
  std::size_t size() const noexcept { return schema().size(); }

  bool is_missing(std::size_t column) const noexcept {
    return schema()[column].kind == ColumnKind::numerical ? std::isnan(numbers_[column])
                                                          : codes_[column] == missing_code;
  }
  /// The number of a numerical column; NaN if missing.
  double number(std::size_t column) const noexcept { return numbers_[column]; }
  /// The category of a categorical column.
  Category category(std::size_t column) const noexcept {
    const std::int32_t code = codes_[column];
    if (code == missing_code)
      return {};
    return {code, columns_->texts[column][static_cast<std::size_t>(code)]};
  }

  /// What `append_csv_row` and `append_json_row` write.
  const std::string& name(std::size_t column) const noexcept { return schema()[column].name; }
  CellView cell(std::size_t column) const noexcept {
    if (schema()[column].kind == ColumnKind::numerical)
      return {numbers_[column], columns_->decimals[column]};
    const std::int32_t code = codes_[column];
    return code == missing_code ? CellView()
                                : CellView(columns_->texts[column][static_cast<std::size_t>(code)]);
  }

  void set_missing(std::size_t column) noexcept {
    numbers_[column] = std::numeric_limits<double>::quiet_NaN();
    codes_[column] = missing_code;
  }
  /// Sets a numerical column.
  void set_number(std::size_t column, double number) noexcept { numbers_[column] = number; }
  /// Sets a categorical column to one of its texts. \returns false, and leaves the row alone, if the model
  /// does not know `text`: nothing is guessed, not even that it is one of the category for others
  bool set_text(std::size_t column, std::string_view text) noexcept {
    const auto& texts = columns_->texts[column];
    for (std::size_t code = 0; code < texts.size(); ++code)
      if (texts[code] == text) {
        codes_[column] = static_cast<std::int32_t>(code);
        return true;
      }
    return false;
  }
  /// The same by code. \returns false, and leaves the row alone, unless `code` is one of the column's or
  /// `missing_code`
  bool set_code(std::size_t column, std::int32_t code) noexcept {
    if (code != missing_code &&
        (code < 0 || static_cast<std::size_t>(code) >= columns_->texts[column].size()))
      return false;
    codes_[column] = code;
    return true;
  }
  /// Sets a cell by its column's name. \throws SchemaError naming what does not fit: the column, the kind, or
  /// a text that the model does not know
  void set(std::string_view column, double number) {
    const std::size_t i = schema().index_of(column);
    if (schema()[i].kind != ColumnKind::numerical)
      throw SchemaError("row: column '" + std::string(column) + "' is categorical, but was given a number");
    if (std::isinf(number))
      throw SchemaError("row: column '" + std::string(column) +
                        "' is infinite; expected a finite number or NaN for a missing value");
    numbers_[i] = number;
  }
  void set(std::string_view column, std::string_view text) {
    const std::size_t i = schema().index_of(column);
    if (schema()[i].kind != ColumnKind::categorical)
      throw SchemaError("row: column '" + std::string(column) + "' is numerical, but was given a text");
    if (!set_text(i, text))
      throw SchemaError("row: column '" + std::string(column) + "' has no category '" + std::string(text) +
                        "'");
  }

private:
  friend class Sampler;
  /// \param column  of the model's
  void set_cell(std::size_t column, const kernel::Cell& cell) noexcept {
    const std::size_t slot = columns_->model_slots[column];
    codes_[slot] = cell.code;
    numbers_[slot] = cell.number;
  }
  RowCells cells() noexcept { return {numbers_.data(), codes_.data()}; }
  std::shared_ptr<const RowColumns> columns_;
  // By slot of the preparation, of which the columns are the first.
  std::vector<double> numbers_;     // unused for categorical ones
  std::vector<std::int32_t> codes_; // unused for numerical ones
};

/// A row whose columns are known at compile time: `row.get<"age">()` is a double, `row.get<"workclass">()` a
/// `Category`; a name that is not there does not compile. Made by `TypedSampler<Schema>::row`.
template <class Schema>
class Row {
public:
  /// \throws SchemaError unless `row` has the columns of `Schema`
  explicit Row(DynamicRow row) : row_(std::move(row)) { check(row_.schema()); }

  /// The value of a column: double (NaN if missing) or `Category`.
  template <FixedString Name>
  auto get() const noexcept {
    constexpr std::size_t column = Schema::template index<Name>();
    if constexpr (Schema::kinds[column] == ColumnKind::numerical)
      return row_.number(column);
    else
      return row_.category(column);
  }
  /// Sets a numerical column; NaN for a missing value.
  template <FixedString Name>
  void set(double number) noexcept {
    constexpr std::size_t column = Schema::template index<Name>();
    static_assert(Schema::kinds[column] == ColumnKind::numerical,
                  "this column of the Schema is categorical: give it a text");
    row_.set_number(column, number);
  }
  /// Sets a categorical column. \returns false, and leaves the row alone, if the model does not know `text`
  template <FixedString Name>
  [[nodiscard]] bool set(std::string_view text) noexcept {
    constexpr std::size_t column = Schema::template index<Name>();
    static_assert(Schema::kinds[column] == ColumnKind::categorical,
                  "this column of the Schema is numerical: give it a number");
    return row_.set_text(column, text);
  }
  template <FixedString Name>
  void set_missing() noexcept {
    row_.set_missing(Schema::template index<Name>());
  }

  /// The same row with columns by position.
  DynamicRow& dynamic() noexcept { return row_; }
  const DynamicRow& dynamic() const noexcept { return row_; }

  /// \throws SchemaError naming the first column that differs from `Schema`
  static void check(const TableSchema& schema) {
    if (schema.size() != Schema::size)
      throw SchemaError("the model has " + std::to_string(schema.size()) + " columns, the Schema " +
                        std::to_string(Schema::size));
    for (std::size_t i = 0; i < Schema::size; ++i)
      if (schema[i].name != Schema::names[i] || schema[i].kind != Schema::kinds[i])
        throw SchemaError("column " + std::to_string(i + 1) + " of the model is '" + schema[i].name + "' (" +
                          std::string(to_string(schema[i].kind)) + "), of the Schema '" +
                          std::string(Schema::names[i]) + "' (" + std::string(to_string(Schema::kinds[i])) +
                          ")");
  }

private:
  DynamicRow row_;
};

ROWSMITH_END
