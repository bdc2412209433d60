// SPDX-License-Identifier: MIT
/// \file
/// What a column transform is, and what it is given.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Which transforms `Preparation::fit` looks for.
struct PreparationOptions {
  bool constants = true; ///< a column with one value in all rows, or with none, is put back instead of learnt
  bool formulas = true;  ///< a number that others give, such as a sum, is computed instead of learnt
  bool lookups = true;   ///< a column that another gives, value by value, is looked up instead of learnt

  /// Calls `visit(name, value, range)` for each option.
  template <class Visit>
  void each_option(Visit&& visit) const {
    visit("preparation.constants", static_cast<double>(constants), OptionRange{0, 1});
    visit("preparation.formulas", static_cast<double>(formulas), OptionRange{0, 1});
    visit("preparation.lookups", static_cast<double>(lookups), OptionRange{0, 1});
  }
  /// \throws OptionError
  void check() const { each_option(check_option); }
};

/// The columns of a table by slot, as far as they were made; see `BasicPreparation`.
using SlotColumns = std::span<const Column* const>;

/// The cells of one row by slot: `numbers` of numerical columns, NaN if missing, and `codes` of categorical
/// ones, `missing_code` if missing.
struct RowCells {
  double* numbers;
  std::int32_t* codes;
};

/// The training rows as a transform finds them.
struct PreparedColumns {
  SlotColumns slots;
  std::span<const std::size_t> live; ///< slots that no transform has taken, in the order of the columns
  std::size_t label;                 ///< the slot of the label; that of no column if there is none
};

/// Takes note of cells that a transform has no form for. Throws unless it collects them.
class Refusals {
public:
  /// \param rows  numbers of refused rows are added to it; null: they are an error
  explicit Refusals(std::vector<std::size_t>* rows) noexcept : rows_(rows) {}
  /// \throws SchemaError naming column, row, the cell and what was expected
  void operator()(const Column& column, std::size_t row, const std::string& expected) const {
    if (rows_ != nullptr) {
      rows_->push_back(row);
      return;
    }
    const CellView cell = column.cell(row);
    std::string found = "is missing";
    if (cell.is_text())
      found = "holds " + detail::in_quotes(cell.text());
    if (cell.is_number()) {
      found = "holds ";
      append_number(found, cell.number(), -1);
    }
    throw SchemaError("prepare: column '" + column.name + "', row " + std::to_string(row + 1) + " " + found +
                      ", expected " + expected);
  }

private:
  std::vector<std::size_t>* rows_;
};

/// A reversible transform of columns: it takes slots of the user's side out and makes slots of the model's
/// side. A plain value: `each_field(transform, visit)` calls `visit(name, field)` for each of its fields
/// (std::size_t, int, bool, double, std::string, or a std::vector of those), which is how it is saved and
/// read again. Beside what is listed here it may have `reads()`, slots that it needs and leaves in place.
template <class T>
concept ColumnTransform = std::default_initializable<T> &&
    requires(const T& transform, const std::vector<ColumnSchema>& schema, const PreparedColumns& train,
             SlotColumns slots, RowCells cells, std::size_t made, std::size_t rows, const Refusals& refuse,
             const PreparationOptions& options) {
  /// Its name in a saved model.
  { T::kind } -> std::convertible_to<std::string_view>;
  /// All that are worth while in the training rows. None may take a slot of another.
  { T::fit(train, options) } -> std::same_as<std::vector<T>>;
  { transform.takes() } -> std::same_as<std::vector<std::size_t>>;
  /// Names and kinds of the columns it makes, from those of all slots. Throws SchemaError if its fields are
  /// impossible: they may come from a file.
  { transform.makes(schema) } -> std::same_as<std::vector<ColumnSchema>>;
  /// The columns it makes.
  { transform.forward(slots, refuse) } -> std::same_as<std::vector<Column>>;
  /// The columns it took, from those it made, which begin at slot `made`.
  { transform.backward(slots, made, rows) } -> std::same_as<std::vector<Column>>;
  /// The same for one row, without allocations; false if a cell has no form.
  { transform.forward(cells, made) }
  noexcept->std::same_as<bool>;
  { transform.backward(cells, made) }
  noexcept;
};

ROWSMITH_END
