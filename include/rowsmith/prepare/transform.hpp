// SPDX-License-Identifier: MIT
/// \file
/// What a column transform is, and what it is given.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/table/date_text.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Which transforms `Preparation::fit` looks for.
struct PreparationOptions {
  bool constants = true; ///< a column with one value in all rows, or with none, is put back instead of learnt
  bool formulas = true;  ///< a number that others give, such as a sum, is computed instead of learnt
  bool lookups = true;   ///< a column that another gives, value by value, is looked up instead of learnt
  bool orders = true;    ///< numbers that are at most others, as a minimum and a maximum are, stay so
  bool missing = true;   ///< cells that are missing wherever another is stay so
  bool coincidences = true; ///< numbers that often equal another column's, such as a bill paid in full, do so
  bool calendar = true;     ///< dates are learnt as weeks and weekdays, months and days, where these matter
  /// Which numerical columns are dates, as `TableFormat::dates` tells of a file.
  std::vector<DateColumn> dates{};
  /// A number is looked up only in a column of which each has as many training rows, or more: others would be
  /// copied with their row; [1, 1e15].
  std::size_t min_lookup_rows = 4;
  /// A relation counts if this share of the rows keeps it, and not by chance; [0.999, 1]. Generated rows keep
  /// it all.
  double min_share = 1;
  /// Relations that are known and need not be found: "total = price + tax", "goods = price * amount",
  /// "rate = tax / goods", "first <= last", "town -> country" (the town gives the country). Words stand
  /// between spaces; a name that has spaces stands in single quotes. They have to be kept by `min_share` of
  /// the rows, but may be so by chance, and are heeded whatever is switched off.
  std::vector<std::string> relations{};

  /// Calls `visit(name, value, range)` for each option.
  template <class Visit>
  void each_option(Visit&& visit) const {
    visit("preparation.constants", static_cast<double>(constants), OptionRange{0, 1});
    visit("preparation.formulas", static_cast<double>(formulas), OptionRange{0, 1});
    visit("preparation.lookups", static_cast<double>(lookups), OptionRange{0, 1});
    visit("preparation.orders", static_cast<double>(orders), OptionRange{0, 1});
    visit("preparation.missing", static_cast<double>(missing), OptionRange{0, 1});
    visit("preparation.coincidences", static_cast<double>(coincidences), OptionRange{0, 1});
    visit("preparation.calendar", static_cast<double>(calendar), OptionRange{0, 1});
    visit("preparation.min_lookup_rows", static_cast<double>(min_lookup_rows), OptionRange{1, 1e15});
    visit("preparation.min_share", min_share, OptionRange{0.999, 1});
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

/// A relation that `PreparationOptions::relations` declares, with slots for names.
struct DeclaredRelation {
  enum class Kind { sum, product, ratio, order, lookup };

  Kind kind = Kind::sum;
  std::size_t column = 0;              ///< the one that is given; of an order: the larger one
  std::vector<std::size_t> operands{}; ///< of an order: the smaller column; of a lookup: the key
  std::vector<int> signs{};            ///< of a sum: 1 or −1 for each operand
  double constant = 0;                 ///< of a sum
  std::string text{};                  ///< as it was declared
};

/// The training rows as a transform finds them.
struct PreparedColumns {
  SlotColumns slots;
  std::span<const std::size_t> live; ///< slots that no transform has taken, in the order of the columns
  std::size_t label;                 ///< the slot of the label; that of no column if there is none
  std::span<const DeclaredRelation> declared{};

  std::size_t rows() const noexcept { return slots.empty() ? 0 : slots.front()->rows(); }
  bool is_live(std::size_t slot) const noexcept {
    return std::find(live.begin(), live.end(), slot) != live.end();
  }
  /// How many rows may break a relation that counts.
  std::size_t most_broken(const PreparationOptions& options) const noexcept {
    return static_cast<std::size_t>((1 - options.min_share) * static_cast<double>(rows()) + 1e-6);
  }
  /// Calls `take(relation)` for each declared relation of the kinds that `is_mine(kind)` names.
  /// \throws SchemaError for one whose columns are not all there any more, such as a constant one
  template <class IsMine, class Take>
  void each_declared(const IsMine& is_mine, const Take& take) const {
    for (const auto& relation : declared) {
      if (!is_mine(relation.kind))
        continue;
      auto places = relation.operands;
      places.push_back(relation.column);
      for (const std::size_t slot : places)
        if (!is_live(slot))
          throw SchemaError("prepare: relation \"" + relation.text + "\": column '" + slots[slot]->name +
                            "' has one value in all training rows, or another relation gives it");
      take(relation);
    }
  }
  /// \throws SchemaError for a declared relation that too many rows break
  void require_kept(const DeclaredRelation& relation, std::size_t broken, std::size_t first_broken,
                    const PreparationOptions& options) const {
    if (broken > most_broken(options))
      throw SchemaError("prepare: relation \"" + relation.text + "\" is broken by " + std::to_string(broken) +
                        " of " + std::to_string(rows()) + " training rows, first by row " +
                        std::to_string(first_broken + 1) + "; preparation.min_share allows for " +
                        std::to_string(most_broken(options)));
  }
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
/// read again. Beside what is listed here it may have `reads()`, slots that it needs and leaves in place, and
/// `mends()`, slots that stay in the model and are put right after it: their columns follow those of
/// `takes()` in what `backward` gives. `deduce` puts a cell that known ones
/// give, and `settle` one that fixed and drawn ones do, both as `FormulaColumn`'s; `forward_part` is
/// `NestedMissing`'s.
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
  /// What it says about the rows, such as "'total' = 'price' + 'tax'"; from the columns of all slots.
  { transform.text(schema) } -> std::same_as<std::string>;
  /// Names and kinds of the columns it makes, from those of all slots. Throws SchemaError if its fields are
  /// impossible: they may come from a file.
  { transform.makes(schema) } -> std::same_as<std::vector<ColumnSchema>>;
  /// The columns it makes.
  { transform.forward(slots, refuse) } -> std::same_as<std::vector<Column>>;
  /// The columns it took, from those it made, which begin at slot `made`, and those it mends.
  { transform.backward(slots, made, rows) } -> std::same_as<std::vector<Column>>;
  /// The same for one row, without allocations; false if a cell has no form.
  { transform.forward(cells, made) }
  noexcept->std::same_as<bool>;
  { transform.backward(cells, made) }
  noexcept;
};

namespace detail {
/// A numerical column that a transform makes: by that name, with marks behind it until no other column has
/// it.
inline ColumnSchema made_column(std::string name, const std::vector<ColumnSchema>& schema) {
  while (std::any_of(schema.begin(), schema.end(),
                     [&name](const ColumnSchema& one) { return one.name == name; }))
    name += "'";
  return {std::move(name), ColumnKind::numerical};
}
} // namespace detail

ROWSMITH_END
