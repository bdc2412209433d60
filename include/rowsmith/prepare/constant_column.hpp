// SPDX-License-Identifier: MIT
/// \file
/// Columns with one value in all rows, or with none.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A column that is put back as it was in every training row. Rows that hold something else there have no
/// form for the model. The label stays in the model, unless it is missing everywhere; so does the first
/// constant column with a value where the model would have none left.
struct ConstantColumn {
  static constexpr std::string_view kind = "constant";

  std::size_t column = 0; ///< its slot
  bool categorical = false;
  bool missing = false;   ///< in all rows
  double number = 0;      ///< otherwise: the value of a numerical column
  int decimals = -1;      ///< of a numerical column, as `Column::decimals`
  std::string category{}; ///< the value of a categorical column

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("categorical", self.categorical);
    visit("missing", self.missing);
    visit("number", self.number);
    visit("decimals", self.decimals);
    visit("text", self.category);
  }

  /// \throws SchemaError if no column has a value in any row
  static std::vector<ConstantColumn> fit(const PreparedColumns& train, const PreparationOptions& options) {
    std::vector<ConstantColumn> found;
    if (!options.constants)
      return found;
    for (const std::size_t slot : train.live) {
      const auto constant = first_row(*train.slots[slot], slot);
      if (!(slot == train.label && !constant.missing) && !std::isinf(constant.number) &&
          constant.holds_everywhere(*train.slots[slot]))
        found.push_back(constant);
    }
    if (found.size() == train.live.size()) {
      const auto kept = std::find_if(found.begin(), found.end(),
                                     [](const ConstantColumn& constant) { return !constant.missing; });
      if (kept == found.end())
        throw SchemaError(
            "prepare: every column is missing in every training row: there is nothing to learn");
      found.erase(kept);
    }
    return found;
  }

  std::vector<std::size_t> takes() const { return {column}; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    if ((schema[column].kind == ColumnKind::categorical) != categorical || !std::isfinite(number) ||
        decimals < -1)
      throw SchemaError("prepare: the constant of column '" + schema[column].name + "' is impossible");
    return {};
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return "'" + schema[column].name + "' is always " + (missing ? "missing" : value_text());
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    const Column& from = *slots[column];
    const std::int32_t code = from.dictionary.find(category);
    const std::string expected =
        (missing ? "a missing value" : "the " + value_text()) + " of every training row";
    for (std::size_t row = 0; row < from.rows(); ++row)
      if (!holds(from, row, code))
        refuse(from, row, expected);
    return {};
  }
  std::vector<Column> backward(SlotColumns, std::size_t, std::size_t rows) const {
    if (!categorical)
      return {Column::numerical(
          {}, std::vector<double>(rows, missing ? std::numeric_limits<double>::quiet_NaN() : number),
          decimals)};
    auto made = Column::categorical({});
    made.codes.assign(rows, missing ? missing_code : made.dictionary.insert(category));
    return {made};
  }
  bool forward(RowCells cells, std::size_t) const noexcept {
    if (categorical) // its text is the only one there is
      return cells.codes[column] == (missing ? missing_code : 0);
    return missing ? std::isnan(cells.numbers[column]) : cells.numbers[column] == number;
  }
  void backward(RowCells cells, std::size_t) const noexcept {
    cells.numbers[column] = missing ? std::numeric_limits<double>::quiet_NaN() : number;
    cells.codes[column] = missing ? missing_code : 0;
  }

private:
  std::string value_text() const {
    if (categorical)
      return detail::in_quotes(category);
    std::string text;
    append_number(text, number, -1);
    return text;
  }
  static ConstantColumn first_row(const Column& from, std::size_t slot) {
    ConstantColumn constant;
    constant.column = slot;
    constant.categorical = from.kind == ColumnKind::categorical;
    constant.missing = from.is_missing(0);
    constant.decimals = from.decimals;
    if (!constant.missing && constant.categorical)
      constant.category = from.dictionary.text(from.codes[0]);
    else if (!constant.missing)
      constant.number = from.values[0];
    return constant;
  }
  /// \param code  of the constant's text in the column's dictionary
  bool holds(const Column& from, std::size_t row, std::int32_t code) const noexcept {
    if (missing || from.is_missing(row))
      return missing && from.is_missing(row);
    return categorical ? from.codes[row] == code : from.values[row] == number;
  }
  bool holds_everywhere(const Column& from) const {
    const std::int32_t code = from.dictionary.find(category);
    for (std::size_t row = 0; row < from.rows(); ++row)
      if (!holds(from, row, code))
        return false;
    return true;
  }
};

ROWSMITH_END
