// SPDX-License-Identifier: MIT
/// \file
/// A table of some of a model's columns, some of whose cells are missing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/prepare/transform.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace detail {

/// The given table in the model's own codes, and the columns to fill.
class PartialRows {
public:
  PartialRows(const TableModel& model, const Table& given) : empty_(model.empty_table()), given_(&given) {
    for (const auto& column : given.columns()) {
      const std::size_t at = model.schema().index_of(column.name); // throws, naming the columns there are
      if (column.kind != empty_[at].kind)
        throw SchemaError("impute: column '" + column.name + "' is " + std::string(to_string(column.kind)) +
                          ", expected " + std::string(to_string(empty_[at].kind)));
    }
    std::vector<std::vector<std::int32_t>> recoded(empty_.size());
    for (std::size_t c = 0; c < empty_.size(); ++c) {
      const auto& names = given.schema().columns();
      const auto found = std::find_if(names.begin(), names.end(),
                                      [&](const auto& one) { return one.name == empty_[c].name; });
      from_.push_back(found == names.end() ? nullptr
                                           : &given[static_cast<std::size_t>(found - names.begin())]);
      Column column{.name = empty_[c].name, .kind = empty_[c].kind, .dictionary = empty_[c].dictionary};
      if (column.kind == ColumnKind::numerical) {
        const bool numbers = from_[c] != nullptr && from_[c]->missing_count() < from_[c]->rows();
        column.decimals =
            numbers ? common_decimals(empty_[c].decimals, from_[c]->decimals) : empty_[c].decimals;
        column.values.assign(given.rows(), std::numeric_limits<double>::quiet_NaN());
      } else {
        column.codes.assign(given.rows(), missing_code);
        if (from_[c] != nullptr)
          for (const auto& text : from_[c]->dictionary.texts())
            recoded[c].push_back(column.dictionary.insert(text)); // what the model does not know comes behind
      }
      made_.push_back(std::move(column));
    }
    for (std::size_t c = 0; c < empty_.size(); ++c) {
      if (from_[c] == nullptr)
        continue;
      made_[c].values = from_[c]->values;
      for (std::size_t row = 0; row < from_[c]->codes.size(); ++row)
        if (from_[c]->codes[row] >= 0)
          made_[c].codes[row] = recoded[c][static_cast<std::size_t>(from_[c]->codes[row])];
    }
  }
  std::size_t rows() const noexcept { return given_->rows(); }
  std::size_t size() const noexcept { return made_.size(); }
  /// Whether the table has the column, so that its missing cells are to be filled with values.
  bool has(std::size_t column) const noexcept { return from_[column] != nullptr; }
  bool is_missing(std::size_t column, std::size_t row) const { return made_[column].is_missing(row); }
  bool numerical(std::size_t column) const noexcept { return made_[column].kind == ColumnKind::numerical; }
  /// Whether a cell that is there holds a finite number, or a text that the model has a place for.
  bool known(std::size_t column, std::size_t row) const {
    return numerical(column)
               ? std::isfinite(made_[column].values[row])
               : made_[column].codes[row] < static_cast<std::int64_t>(empty_[column].dictionary.size());
  }
  double number(std::size_t column, std::size_t row) const { return made_[column].values[row]; }
  std::int32_t code(std::size_t column, std::size_t row) const { return made_[column].codes[row]; }
  void set(std::size_t column, std::size_t row, RowCells cells) {
    if (numerical(column))
      made_[column].values[row] = cells.numbers[column];
    else
      made_[column].codes[row] = cells.codes[column];
  }
  /// By column of the model: `Column::decimals` there.
  int decimals(std::size_t column) const { return empty_[column].decimals; }
  Table take(const std::string& label) && { return Table(std::move(made_), label); }

private:
  Table empty_;
  const Table* given_;
  std::vector<const Column*> from_; ///< by column of the model
  std::vector<Column> made_;
};

} // namespace detail
ROWSMITH_END
