// SPDX-License-Identifier: MIT
/// \file
/// Numerical columns that are sums, products or ratios of others.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/kernel/formula.hpp>
#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A numerical column that a formula gives in the training rows that have its operands: it is computed for a
/// generated row, not drawn. It is missing where an operand is. Rows that do not keep the formula have no
/// form for the model.
struct FormulaColumn {
  static constexpr std::string_view kind = "formula";

  /// As numbers of `kernel::FormulaForm`, in the order in which they are preferred: the simplest explanation
  /// wins.
  enum Form : int { sum, product, ratio };

  std::size_t column = 0; ///< its slot
  int form = sum;
  std::vector<std::size_t> operands{}; ///< their slots
  std::vector<int> signs{};            ///< of a sum: 1 or −1 for each operand
  double constant = 0;                 ///< of a sum
  int decimals = -1; ///< the column's; results are rounded to as many digits after the point, unless −1

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("form", self.form);
    visit("operands", self.operands);
    visit("signs", self.signs);
    visit("constant", self.constant);
    visit("decimals", self.decimals);
  }

  static std::vector<FormulaColumn> fit(const PreparedColumns& train, const PreparationOptions& options);

  std::vector<std::size_t> takes() const { return {column}; }
  std::vector<std::size_t> reads() const { return operands; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    const auto numerical = [&](std::size_t slot) {
      return slot < schema.size() && schema[slot].kind == ColumnKind::numerical;
    };
    const bool fine = numerical(column) && std::all_of(operands.begin(), operands.end(), numerical) &&
                      std::find(operands.begin(), operands.end(), column) == operands.end() &&
                      std::isfinite(constant) && decimals >= -1 && decimals <= 15 &&
                      (form == sum ? !operands.empty() && signs.size() == operands.size() &&
                                         std::all_of(signs.begin(), signs.end(),
                                                     [](int sign) { return sign == 1 || sign == -1; })
                                   : (form == product || form == ratio) && operands.size() == 2);
    if (!fine)
      throw SchemaError("prepare: the formula of column " + std::to_string(column + 1) + " is impossible");
    return {};
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    const Column& from = *slots[column];
    for (std::size_t row = 0; row < from.rows(); ++row)
      if (!view().holds([&](std::size_t slot) { return slots[slot]->values[row]; }))
        refuse(from, row, text([&](std::size_t slot) { return slots[slot]->name; }));
    return {};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t, std::size_t rows) const {
    auto made = Column::numerical({}, std::vector<double>(rows), decimals);
    for (std::size_t row = 0; row < rows; ++row)
      made.values[row] = view().value([&](std::size_t slot) { return slots[slot]->values[row]; });
    return {made};
  }
  bool forward(RowCells cells, std::size_t) const noexcept {
    return view().holds([&](std::size_t slot) { return cells.numbers[slot]; });
  }
  void backward(RowCells cells, std::size_t) const noexcept {
    cells.numbers[column] = view().value([&](std::size_t slot) { return cells.numbers[slot]; });
  }

  /// Puts the one operand that is not known in its cell, as the column and the others give it: with as few
  /// digits as keep the formula, and no more than it has. Of a rounded product or ratio several numbers do.
  /// \param known  by slot; the operand's is set \param column_decimals  by slot, as `Column::decimals`
  /// \param exactly  only what can be nothing else \returns whether there is such a number
  bool deduce(RowCells cells, std::vector<bool>& known, std::span<const int> column_decimals,
              bool exactly) const noexcept {
    if (exactly && form != sum)
      return false;
    const auto unknown = [&](std::size_t slot) { return !known[slot]; };
    const auto open = std::find_if(operands.begin(), operands.end(), unknown);
    if (!known[column] || std::count_if(operands.begin(), operands.end(), unknown) != 1)
      return false;
    if (!solve(cells, static_cast<std::size_t>(open - operands.begin()), column_decimals[*open]))
      return false;
    known[*open] = true;
    return true;
  }
  /// Where the column is fixed and operands are not: puts the last of those as the others give it.
  /// \param fixed  by slot; the operand's is set \returns whether that was so
  bool settle(RowCells cells, std::size_t, std::vector<bool>& fixed,
              std::span<const int> column_decimals) const noexcept {
    const auto open =
        std::find_if(operands.rbegin(), operands.rend(), [&](std::size_t slot) { return !fixed[slot]; });
    if (!fixed[column] || open == operands.rend() ||
        !solve(cells, static_cast<std::size_t>(operands.rend() - open) - 1, column_decimals[*open]))
      return false;
    fixed[*open] = true;
    return true;
  }

  /// The formula in words, such as "'total' = 'price' + 'tax'".
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return text([&](std::size_t slot) { return schema[slot].name; });
  }

  /// The formula itself. A view of this object.
  kernel::Formula view() const noexcept {
    return {.form = static_cast<kernel::FormulaForm>(form),
            .column = column,
            .operands = operands.data(),
            .signs = signs.data(),
            .count = operands.size(),
            .constant = constant,
            .rounding = decimals < 0 ? 0 : std::pow(10.0, decimals)};
  }

private:
  /// Puts operand `at`, so that the formula holds. False, and the cell as it was, if no number does.
  bool solve(RowCells cells, std::size_t at, int most_decimals) const noexcept {
    if (std::count(operands.begin(), operands.end(), operands[at]) != 1)
      return false;
    const double total = cells.numbers[column];
    double exact = 0;
    if (form == sum) {
      exact = total - constant;
      for (std::size_t i = 0; i < operands.size(); ++i)
        if (i != at)
          exact -= signs[i] * cells.numbers[operands[i]];
      exact *= signs[at];
    } else {
      const double other = cells.numbers[operands[1 - at]];
      exact = form == product ? total / other : at == 0 ? total * other : other / total;
    }
    if (!std::isfinite(exact)) // a missing cell among others
      return false;
    double& number = cells.numbers[operands[at]];
    const double before = number;
    double scale = 1;
    for (int digits = 0; digits <= (most_decimals < 0 ? 15 : most_decimals); ++digits, scale *= 10) {
      number = std::round(exact * scale) / scale + 0.0;
      if (view().holds([&](std::size_t slot) { return cells.numbers[slot]; }))
        return true;
    }
    number = before;
    return false;
  }
  /// \param name_of  (slot) -> the column's name
  template <class NameOf>
  std::string text(const NameOf& name_of) const {
    const auto name = [&](std::size_t i) { return "'" + name_of(operands[i]) + "'"; };
    std::string result = "'" + name_of(column) + "' = ";
    if (form != sum)
      return result + name(0) + (form == product ? " * " : " / ") + name(1);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (signs[i] < 0)
        result += i == 0 ? "-" : " - ";
      else if (i > 0)
        result += " + ";
      result += name(i);
    }
    if (constant != 0) {
      result += constant < 0 ? " - " : " + ";
      append_number(result, std::abs(constant), -1);
    }
    return result;
  }
};

namespace detail {

/// Looks for formulas among the numerical columns of training rows.
///
/// A formula counts if the rows keep it (`PreparationOptions::min_share`) and that is no chance: the numbers
/// that it foretells hold more nats than `needed` and the logarithm of the number of formulas that could be
/// tried. Those of two operands are found by looking up a sum, difference, product or ratio in one row among
/// the columns sorted by their number there, so that a thousand columns take some million look-ups; sums of
/// more by elimination.
class FormulaSearch {
public:
  FormulaSearch(const PreparedColumns& train, const PreparationOptions& options)
      : train_(train), options_(options), slots_(train.slots), most_broken_(train.most_broken(options)) {
    for (const auto slot : train.live)
      if (slots_[slot]->kind == ColumnKind::numerical && varies(*slots_[slot]))
        live_.push_back(slot);
    rows_ = slots_.empty() ? 0 : slots_.front()->rows();
    for (std::size_t i = 0; i < std::min<std::size_t>(rows_, 64); ++i)
      sample_.push_back(i * rows_ / std::min<std::size_t>(rows_, 64));
    tried_ = 3 * std::log(static_cast<double>(live_.size()) + 1) + std::log(8.0);
  }

  std::vector<FormulaColumn> run() {
    declare();
    if (options_.formulas) {
      collect_few_operands();
      accept();
      collect_long_sums();
      accept();
    }
    return in_order();
  }

private:
  static constexpr double needed = 30;
  static constexpr std::size_t most_summed = 200; // columns among which sums of three and more are sought

  /// Is there more than one value, and no infinite one?
  static bool varies(const Column& column) {
    double first = std::numeric_limits<double>::quiet_NaN();
    bool more = false;
    for (const double value : column.values) {
      if (std::isinf(value))
        return false;
      if (std::isnan(first))
        first = value;
      more = more || (!std::isnan(value) && value != first);
    }
    return more;
  }
  double at(std::size_t slot, std::size_t row) const { return slots_[slot]->values[row]; }

  /// Entropy of a column's values in nats times its rows: what foretelling all of them is worth.
  double worth(std::size_t slot) {
    const auto known = worth_.find(slot);
    if (known != worth_.end())
      return known->second;
    auto values = slots_[slot]->values;
    std::sort(values.begin(), values.end(),
              [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
    double sum = 0;
    for (std::size_t begin = 0, end = 0; begin < values.size(); begin = end) {
      while (end < values.size() &&
             (values[end] == values[begin] || (std::isnan(values[begin]) && std::isnan(values[end]))))
        ++end;
      const auto count = static_cast<double>(end - begin);
      sum -= count * std::log(count / static_cast<double>(values.size()));
    }
    return worth_[slot] = sum;
  }

  /// Keeps a formula that all rows keep.
  void consider(FormulaColumn formula) {
    const auto& column = *slots_[formula.column];
    formula.decimals = column.decimals > 15 ? -1 : column.decimals;
    std::size_t wrong = 0;
    for (const std::size_t row : sample_) {
      wrong += keeps(formula, row) ? 0U : 1U;
      if (wrong > most_broken_)
        return;
    }
    if (worth(formula.column) > needed + tried_ && broken(formula, most_broken_).first <= most_broken_)
      candidates_.push_back(std::move(formula));
  }
  bool keeps(const FormulaColumn& formula, std::size_t row) const {
    return formula.view().holds([&](std::size_t slot) { return at(slot, row); });
  }
  /// The number of rows that break a formula, counted up to more than `most`, and the first of them.
  std::pair<std::size_t, std::size_t> broken(const FormulaColumn& formula, std::size_t most) const {
    std::pair<std::size_t, std::size_t> found{0, rows_};
    for (std::size_t row = 0; row < rows_ && found.first <= most; ++row)
      if (!keeps(formula, row)) {
        ++found.first;
        found.second = std::min(found.second, row);
      }
    return found;
  }
  void declare() {
    using Kind = DeclaredRelation::Kind;
    train_.each_declared(
        [](Kind kind) { return kind == Kind::sum || kind == Kind::product || kind == Kind::ratio; },
        [this](const DeclaredRelation& relation) {
          const int decimals = slots_[relation.column]->decimals;
          FormulaColumn formula{.column = relation.column,
                                .form = relation.kind == Kind::sum       ? FormulaColumn::sum
                                        : relation.kind == Kind::product ? FormulaColumn::product
                                                                         : FormulaColumn::ratio,
                                .operands = relation.operands,
                                .signs = relation.signs,
                                .constant = relation.constant,
                                .decimals = decimals > 15 ? -1 : decimals};
          const auto [rows, first] = broken(formula, rows_);
          train_.require_kept(relation, rows, first, options_);
          if (!give(std::move(formula)))
            throw SchemaError("prepare: relation \"" + relation.text + "\": '" +
                              slots_[relation.column]->name + "' is given twice, or by itself");
        });
  }

  void collect_few_operands() {
    for (const std::size_t pivot : pivots()) {
      std::vector<std::pair<double, std::size_t>> sorted; // number at the pivot row, slot
      double unit = 0;                                    // of the coarsest column: how far rounding may go
      for (const auto slot : live_)
        if (!std::isnan(at(slot, pivot))) {
          sorted.emplace_back(at(slot, pivot), slot);
          if (slots_[slot]->decimals >= 0)
            unit = std::max(unit, std::pow(10.0, -slots_[slot]->decimals));
        }
      std::sort(sorted.begin(), sorted.end());
      const auto look_up = [&](double value, double slack, FormulaColumn formula) {
        if (!std::isfinite(value))
          return;
        slack += 1e-9 * std::abs(value);
        for (auto found =
                 std::lower_bound(sorted.begin(), sorted.end(), std::pair(value - slack, std::size_t{0}));
             found != sorted.end() && found->first <= value + slack; ++found) {
          if (std::find(formula.operands.begin(), formula.operands.end(), found->second) !=
              formula.operands.end())
            continue;
          formula.column = found->second;
          consider(formula);
        }
      };
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        const auto [b, slot_b] = sorted[i];
        for (std::size_t j = 0; j < sorted.size(); ++j) {
          const auto [c, slot_c] = sorted[j];
          if (i == j)
            continue;
          if (slot_b < slot_c) {
            consider({.column = slot_c, .operands = {slot_b}, .signs = {1}, .constant = c - b});
            consider({.column = slot_c, .operands = {slot_b}, .signs = {-1}, .constant = c + b});
            look_up(b + c, 0, {.operands = {slot_b, slot_c}, .signs = {1, 1}});
            look_up(-b - c, 0, {.operands = {slot_b, slot_c}, .signs = {-1, -1}});
            look_up(b * c, unit, {.form = FormulaColumn::product, .operands = {slot_b, slot_c}});
          }
          look_up(b - c, 0, {.operands = {slot_b, slot_c}, .signs = {1, -1}});
          if (c != 0)
            look_up(b / c, unit, {.form = FormulaColumn::ratio, .operands = {slot_b, slot_c}});
        }
      }
    }
  }

  /// Up to three rows in which many columns have a number of their own, so that few fit by chance.
  std::vector<std::size_t> pivots() const {
    std::vector<std::pair<std::size_t, std::size_t>> ranked; // columns without one, row
    for (const auto row : sample_) {
      std::vector<double> values;
      for (const auto slot : live_)
        if (!std::isnan(at(slot, row)) && at(slot, row) != 0)
          values.push_back(at(slot, row));
      std::sort(values.begin(), values.end());
      const auto distinct = std::unique(values.begin(), values.end()) - values.begin();
      ranked.emplace_back(live_.size() - static_cast<std::size_t>(distinct), row);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < std::min<std::size_t>(ranked.size(), 3); ++i)
      chosen.push_back(ranked[i].second);
    return chosen;
  }

  /// Columns that are a sum of others: each in turn is taken apart along those before it (modified
  /// Gram–Schmidt on a sample of rows); where nothing is left and all factors are 1, −1 or 0, it is one.
  void collect_long_sums() {
    std::vector<std::size_t> columns;
    for (const auto slot : live_)
      if (columns.size() < most_summed && slots_[slot]->missing_count() == 0)
        columns.push_back(slot);
    const std::size_t count = std::min(rows_, 4 * columns.size() + 50);
    if (columns.size() < 4 || count < 2 * columns.size())
      return;
    struct Direction {
      std::vector<double> unit;    // of length 1
      std::vector<double> factors; // the direction itself as a sum of the constant and the columns
    };
    std::vector<Direction> directions;
    for (std::size_t c = 0; c <= columns.size(); ++c) { // the first is the constant
      std::vector<double> rest(count, 1.0);
      for (std::size_t i = 0; i < count && c > 0; ++i)
        rest[i] = at(columns[c - 1], i * rows_ / count);
      std::vector<double> factors(columns.size() + 1);
      factors[c] = 1;
      double size = 0;
      for (const double x : rest)
        size += x * x;
      for (int again = 0; again < 2; ++again) // twice is enough (Kahan & Parlett)
        for (const auto& direction : directions) {
          double along = 0;
          for (std::size_t i = 0; i < count; ++i)
            along += direction.unit[i] * rest[i];
          for (std::size_t i = 0; i < count; ++i)
            rest[i] -= along * direction.unit[i];
          for (std::size_t k = 0; k < factors.size(); ++k)
            factors[k] -= along * direction.factors[k];
        }
      double left = 0;
      for (const double x : rest)
        left += x * x;
      if (left > 1e-18 * size) {
        const double scale = 1 / std::sqrt(left);
        for (double& x : rest)
          x *= scale;
        for (double& x : factors)
          x *= scale;
        directions.push_back({std::move(rest), std::move(factors)});
        continue;
      }
      // Σ factors · column = 0, the last factor being 1.
      consider_sum(columns, factors);
    }
  }
  void consider_sum(const std::vector<std::size_t>& columns, const std::vector<double>& factors) {
    std::vector<std::pair<std::size_t, int>> terms;
    for (std::size_t k = 1; k < factors.size(); ++k) {
      const double nearest = std::round(factors[k]);
      if (std::abs(factors[k] - nearest) > 1e-5 || std::abs(nearest) > 1)
        return;
      if (nearest != 0)
        terms.emplace_back(columns[k - 1], static_cast<int>(nearest));
    }
    if (terms.size() < 3)
      return;
    for (const auto& [target, sign] : terms) {
      FormulaColumn formula{.column = target};
      for (const auto& [slot, other] : terms)
        if (slot != target) {
          formula.operands.push_back(slot);
          formula.signs.push_back(-sign * other);
        }
      // A constant has as many digits as what is added up.
      for (const auto row : sample_) {
        double total = at(target, row);
        for (std::size_t i = 0; i < formula.operands.size(); ++i)
          total -= formula.signs[i] * at(formula.operands[i], row);
        const double scale = std::pow(10.0, std::max(slots_[target]->decimals, 0));
        formula.constant = slots_[target]->decimals < 0 ? total : std::round(total * scale) / scale;
        break;
      }
      if (std::abs(formula.constant) < 1e-9 * std::abs(at(target, sample_.front())))
        formula.constant = 0;
      consider(std::move(formula));
    }
  }

  /// Takes the best of the candidates, as long as none is needed for its own operands.
  void accept() {
    const auto rank = [](const FormulaColumn& formula) {
      // Few operands; sums of parts, whose parts cannot get the wrong sign; what stands later in the table.
      const auto minus = std::count(formula.signs.begin(), formula.signs.end(), -1);
      return std::tuple(formula.operands.size(), formula.form, minus,
                        -static_cast<std::ptrdiff_t>(formula.column), formula.operands);
    };
    std::sort(candidates_.begin(), candidates_.end(),
              [&](const FormulaColumn& a, const FormulaColumn& b) { return rank(a) < rank(b); });
    for (auto& formula : candidates_)
      give(std::move(formula));
    candidates_.clear();
  }
  /// \returns false if there is one for the column, or its operands need the column itself
  bool give(FormulaColumn formula) {
    const auto target = formula.column;
    if (given_.contains(target) || std::any_of(formula.operands.begin(), formula.operands.end(),
                                               [&](std::size_t slot) { return depends(slot, target); }))
      return false;
    given_.emplace(target, std::move(formula));
    return true;
  }
  /// Is `other` needed to compute `slot`, or the same?
  bool depends(std::size_t slot, std::size_t other) const {
    if (slot == other)
      return true;
    const auto formula = given_.find(slot);
    return formula != given_.end() &&
           std::any_of(formula->second.operands.begin(), formula->second.operands.end(),
                       [&](std::size_t operand) { return depends(operand, other); });
  }
  /// A formula reads columns that are there: those of which no other formula is made come first.
  std::vector<FormulaColumn> in_order() {
    std::vector<FormulaColumn> result;
    while (!given_.empty())
      for (auto formula = given_.begin(); formula != given_.end();) {
        const auto target = formula->first;
        const bool read = std::any_of(given_.begin(), given_.end(), [&](const auto& other) {
          const auto& operands = other.second.operands;
          return std::find(operands.begin(), operands.end(), target) != operands.end();
        });
        if (!read)
          result.push_back(std::move(formula->second));
        formula = read ? std::next(formula) : given_.erase(formula);
      }
    return result;
  }

  const PreparedColumns& train_;
  const PreparationOptions& options_;
  SlotColumns slots_;
  std::size_t most_broken_;
  std::vector<std::size_t> live_;
  std::size_t rows_ = 0;
  std::vector<std::size_t> sample_;
  double tried_ = 0;
  std::map<std::size_t, double> worth_;
  std::vector<FormulaColumn> candidates_;
  std::map<std::size_t, FormulaColumn> given_; ///< by the column that it gives
};

} // namespace detail

inline std::vector<FormulaColumn> FormulaColumn::fit(const PreparedColumns& train,
                                                     const PreparationOptions& options) {
  return detail::FormulaSearch(train, options).run();
}

ROWSMITH_END
