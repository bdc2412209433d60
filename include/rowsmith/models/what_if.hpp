// SPDX-License-Identifier: MIT
/// \file
/// Pairs of rows that differ in one column that was changed, and in what the model has follow it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/models/imputation.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

struct WhatIfOptions {
  std::uint64_t seed = 0; ///< pair i depends on the model, the seed, the other options and i only
  std::vector<Condition> conditions{}; ///< that the first row of each pair meets
  Condition change{};                  ///< what the second row has instead: one value of one column
  /// Columns whose cells both rows of a pair share, besides those of `conditions`: what makes them the same
  /// person. All others are drawn given these and the changed one.
  std::vector<std::string> keep{};
  bool allow_rare = false;       ///< as of `SampleOptions`
  std::size_t effective = 32;    ///< as of `ImputeOptions`
  std::size_t candidates = 4096; ///< as of `ImputeOptions`
  std::uint64_t first_row = 0;   ///< number of the first pair
  int threads = 0;               ///< 0: all; never changes the result
  ProgressCallback progress{};   ///< told of blocks of rows; cannot stop it
};

/// Row i of `before` and row i of `after` are a pair.
struct WhatIf {
  Table before{};
  Table after{};
  std::vector<std::string> kept{}; ///< columns that both have in common, in the table's order
  Support support{};               ///< of the conditions
  /// Pairs of which a row is so unlike the model's that it is only the best that was found. Ascending.
  std::vector<std::size_t> unsure{};
  /// Pairs whose change contradicts what is kept, by a relation that the model keeps. Ascending.
  std::vector<std::size_t> impossible{};
};

namespace detail {

/// A column in which each present or missing cell is the one value of a condition.
inline Column set_to(const Column& column, const Condition& change) {
  const auto refuse = [&] {
    throw SchemaError("what_if: the change of column '" + column.name +
                      "' is expected to be one value, such as '" + column.name + " = " +
                      (column.dictionary.size() > 0 ? column.dictionary.texts().front() : "1") + "'");
  };
  Column result = column;
  if (change.negated || change.values.size() + change.ranges.size() + (change.missing ? 1U : 0U) != 1)
    refuse();
  if (column.kind == ColumnKind::categorical) {
    if (!change.ranges.empty())
      refuse();
    const auto code = change.missing ? missing_code : column.dictionary.find(change.values.front());
    if (!change.missing && code == missing_code)
      throw SchemaError("what_if: column '" + column.name + "' has no value " +
                        in_quotes(change.values.front()) + " that the model knows");
    std::fill(result.codes.begin(), result.codes.end(), code);
    return result;
  }
  double number = std::numeric_limits<double>::quiet_NaN();
  if (!change.values.empty()) {
    const auto read = parse_number(change.values.front());
    if (!read)
      refuse();
    number = *read;
  } else if (!change.missing) {
    number = change.ranges.front().least;
    if (!(number == change.ranges.front().most))
      refuse();
  }
  std::fill(result.values.begin(), result.values.end(), number);
  return result;
}

/// Columns that both rows of a pair share, one flag each. \throws SchemaError
inline std::vector<bool> kept_columns(const TableModel& model, const WhatIfOptions& options) {
  const std::size_t changed = model.schema().index_of(options.change.column);
  std::vector<bool> keep(model.schema().size(), false);
  for (const auto& condition : options.conditions)
    keep[model.schema().index_of(condition.column)] = true;
  for (const auto& name : options.keep) {
    if (name == options.change.column)
      throw SchemaError("what_if: column '" + name + "' is changed and kept, expected one of them");
    keep[model.schema().index_of(name)] = true;
  }
  keep[changed] = false;
  return keep;
}

} // namespace detail

/// Whether the change and the columns to keep fit the model: cheap, and before any work.
/// \throws SchemaError for columns that are not there, or a change that is not of one value that the model
/// can have
inline void check_what_if(const TableModel& model, const WhatIfOptions& options) {
  (void)detail::kept_columns(model, options);
  const std::size_t changed = model.schema().index_of(options.change.column);
  Column one = model.empty_table()[changed];
  one.values.resize(one.kind == ColumnKind::numerical ? 1 : 0);
  one.codes.resize(one.kind == ColumnKind::numerical ? 0 : 1);
  one = detail::set_to(one, options.change);
  if (!model.preparation().is_plain(changed))
    return;
  const auto& columns = model.columns();
  const auto& slots = model.preparation().model_slots();
  std::vector<std::int32_t> codes(columns.stretches);
  std::vector<float> numbers(columns.stretches);
  for (std::size_t h = 0; h < columns.stretches; ++h) {
    if (slots[columns.layout[h].column] != changed)
      continue;
    const double number = one.values.empty() ? 0 : one.values.front();
    if (!kernel::encode_stretch(columns, h, number, one.codes.empty() ? 0 : one.codes.front(), codes.data(),
                                numbers.data()) ||
        columns.codecs[columns.layout[h].column].excess(number) > 0)
      throw SchemaError("what_if: column '" + one.name + "' is changed to what no training row had" +
                        (one.values.empty() || std::isnan(number)
                             ? std::string()
                             : ", expected a number within their range"));
  }
}

/// Makes pairs: what would the model have, if one cell of the row were another one? The first rows are
/// distributed as the model's that meet the conditions. The second have the changed value, the cells of the
/// columns that are kept (those of `conditions`, but for the changed one, and of `keep`), and others as the
/// model has them in rows with these. Both are drawn with the same random numbers, so that pairs are more
/// alike than rows of other seeds, and a row that has the new value already is its own pair; but where the
/// change makes other candidates likely, they differ in more than it asks for.
///
/// That is what goes with the other value in the table, among rows with the kept cells: a cause only if the
/// kept columns are all that the change and the rest have in common. \throws as `TableModel::sample` and
/// `impute` and `check_what_if`
inline WhatIf what_if(const TableModel& model, std::size_t rows, const WhatIfOptions& options) {
  check_what_if(model, options);
  const std::size_t changed = model.schema().index_of(options.change.column);
  const auto keep = detail::kept_columns(model, options);
  const SampleOptions sampling{.seed = options.seed,
                               .conditions = options.conditions,
                               .allow_rare = options.allow_rare,
                               .first_row = options.first_row,
                               .threads = options.threads};
  const auto conditions = model.resolve(sampling);
  const Table asked = model.sample(rows, conditions, sampling);
  WhatIf result;
  result.support = conditions.support();
  std::vector<Column> cells;
  for (std::size_t c = 0; c < asked.size(); ++c)
    if (keep[c]) {
      cells.push_back(asked[c]);
      result.kept.push_back(asked[c].name);
    }
  // Both rows are completed, the first one too: with numbers of one kind alone are they alike.
  ImputeOptions completing{.seed = options.seed,
                           .effective = options.effective,
                           .candidates = options.candidates,
                           .first_row = options.first_row,
                           .threads = options.threads,
                           .progress = options.progress,
                           .keep_missing = true};
  const auto with = [&](Column column) {
    auto given = cells;
    given.push_back(std::move(column));
    return impute(model, Table(std::move(given)), completing);
  };
  auto before = with(asked[changed]);
  auto after = with(detail::set_to(asked[changed], options.change));
  result.before = std::move(before.table);
  result.after = std::move(after.table);
  // What is kept is of the model's own rows: where it cannot be completed, no candidate was good enough.
  for (const auto* some : {&before.unsure, &before.broken, &after.unsure})
    result.unsure.insert(result.unsure.end(), some->begin(), some->end());
  std::sort(result.unsure.begin(), result.unsure.end());
  result.unsure.erase(std::unique(result.unsure.begin(), result.unsure.end()), result.unsure.end());
  std::set_difference(after.broken.begin(), after.broken.end(), before.broken.begin(), before.broken.end(),
                      std::back_inserter(result.impossible));
  return result;
}

/// How a column changes between the rows of pairs.
struct PairedChange {
  std::string column;
  std::string
      value{}; ///< a category, of which the figures are shares; empty: numbers, of which they are means
  std::size_t pairs = 0; ///< of numbers, those in which both are there
  double before = 0;     ///< numbers: of the first rows whose cell is there; shares are of all rows
  double after = 0;
  double change = 0; ///< the mean of the pairs' differences
  double error = 0;  ///< its standard error, over pairs; 0 where there are fewer than two
  double same = 0;   ///< share of all pairs whose cells are the same
};

/// The changes of all columns, each category's by itself, in the order of the columns and of the categories
/// in the first table. \param before,after  of the same columns and rows, as `what_if` makes them
/// \throws SchemaError if they are not
inline std::vector<PairedChange> paired_changes(const Table& before, const Table& after) {
  if (before.schema().columns() != after.schema().columns() || before.rows() != after.rows())
    throw SchemaError("paired_changes: the tables are of other columns or numbers of rows");
  std::vector<PairedChange> result;
  const auto add_numbers = [&result](const Column& first, const Column& second, double same) {
    PairedChange one{.column = first.name, .same = same};
    double squares = 0;
    double firsts = 0;
    double seconds = 0;
    for (std::size_t row = 0; row < first.rows(); ++row) {
      const double from = first.values[row];
      const double to = second.values[row];
      if (!std::isnan(from)) {
        ++firsts;
        one.before += from;
      }
      if (!std::isnan(to)) {
        ++seconds;
        one.after += to;
      }
      if (std::isnan(from) || std::isnan(to))
        continue;
      ++one.pairs;
      one.change += to - from;
      squares += (to - from) * (to - from);
    }
    one.before /= std::max(firsts, 1.0);
    one.after /= std::max(seconds, 1.0);
    if (const auto n = static_cast<double>(one.pairs); n > 0) {
      one.change /= n;
      one.error = n > 1 ? std::sqrt(std::max(squares / n - one.change * one.change, 0.0) / (n - 1)) : 0;
    }
    result.push_back(std::move(one));
  };
  for (std::size_t c = 0; c < before.size(); ++c) {
    const Column& first = before[c];
    const Column& second = after[c];
    const bool numerical = first.kind == ColumnKind::numerical;
    std::vector<std::int32_t> code_of; // of the second table's texts, in the first
    for (const auto& text : second.dictionary.texts())
      code_of.push_back(first.dictionary.find(text));
    const auto code = [&](const Table& table, std::size_t row) {
      const auto own = table[c].codes[row];
      return own < 0 || &table == &before ? own : code_of[static_cast<std::size_t>(own)];
    };
    std::size_t same = 0;
    for (std::size_t row = 0; row < before.rows(); ++row)
      same += first.is_missing(row) || second.is_missing(row)
                  ? (first.is_missing(row) && second.is_missing(row) ? 1U : 0U)
              : numerical ? (first.values[row] == second.values[row] ? 1U : 0U)
                          : (code(before, row) == code(after, row) ? 1U : 0U);
    const double share =
        before.rows() == 0 ? 0 : static_cast<double>(same) / static_cast<double>(before.rows());
    if (numerical) {
      add_numbers(first, second, share);
      continue;
    }
    // Each pair leaves one category and comes to another, or neither.
    const std::size_t categories = first.dictionary.size();
    std::vector<double> from(categories);
    std::vector<double> left(categories);
    std::vector<double> come(categories);
    for (std::size_t row = 0; row < before.rows(); ++row) {
      const auto old_code = code(before, row);
      const auto new_code = code(after, row);
      if (old_code >= 0)
        ++(old_code == new_code ? from : left)[static_cast<std::size_t>(old_code)];
      if (new_code >= 0 && new_code != old_code)
        ++come[static_cast<std::size_t>(new_code)];
    }
    const auto n = static_cast<double>(before.rows());
    for (std::size_t k = 0; k < categories && n > 0; ++k) {
      PairedChange one{.column = first.name,
                       .value = first.dictionary.texts()[k],
                       .pairs = before.rows(),
                       .before = (from[k] + left[k]) / n,
                       .after = (from[k] + come[k]) / n,
                       .change = (come[k] - left[k]) / n,
                       .same = share};
      const double variance = (come[k] + left[k]) / n - one.change * one.change;
      one.error = n > 1 ? std::sqrt(std::max(variance, 0.0) / (n - 1)) : 0;
      result.push_back(std::move(one));
    }
  }
  return result;
}

ROWSMITH_END
