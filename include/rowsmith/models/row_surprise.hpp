// SPDX-License-Identifier: MIT
/// \file
/// How surprising rows are to a trained model, cell by cell: the likelihood as an anomaly score.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

/// What `row_surprise` tells, in nats: the more, the odder.
struct RowSurprise {
  /// One a row: −log p(row), and for each number outside the training rows' range what `detail::OutsideCost`
  /// says. Infinite for a row that no generated row can be.
  std::vector<double> rows;
  /// What the cells are of: names of the model's columns, "a+b" where columns share a head.
  std::vector<std::string> names;
  /// The numbers of those columns in the model's table, for each name.
  std::vector<std::vector<std::size_t>> columns;
  /// rows × names, if `LikelihoodOptions::cells` asks for them: −log p(cell | cells before it in the model's
  /// order), and what being outside its range costs. NaN in rows that no generated row can be.
  std::vector<double> cells;
  /// By row: why no generated row can be it, in words; empty for others.
  std::vector<std::string> impossible;
};

namespace detail {

/// What a number outside the training rows' range costs in nats, more than the edge of the range, which is
/// all that a likelihood of codes sees: how rare that is at all, and how far it is out.
///
/// Of n training rows and one more of their kind, the last is outside the others' range with a probability of
/// at most 2 / (n + 1), which is a share of what the edge's code has, had all codes as much. How far is told
/// in steps of which the range has one for each code (`kernel::Codec::excess`), as if the density fell by e a
/// step.
class OutsideCost {
public:
  explicit OutsideCost(const TableModel& model) {
    const auto& notes = model.parts().notes;
    if (const auto found = notes.find("training_rows"); found != notes.end())
      if (const auto rows = parse_number(found->second))
        training_rows_ = std::max(*rows, 1.0);
  }
  double operator()(const kernel::Codec& codec, double value) const noexcept {
    const double excess = codec.excess(value);
    return excess > 0 ? excess + std::log(std::max((training_rows_ + 1) / (2.0 * codec.plain_codes()), 1.0))
                      : 0;
  }

private:
  double training_rows_ = 1; ///< a model that does not know how many there were
};

/// The model's columns that each of `LogLikelihood::columns` is of.
inline std::vector<std::vector<std::size_t>> columns_of_cells(const TableModel& model) {
  std::vector<std::vector<std::size_t>> result;
  for (const auto& stretches :
       std::visit([&](const auto& kind) { return kind.stretches(model.encoder()); }, model.heads())) {
    std::vector<std::size_t> columns;
    for (const auto h : stretches)
      if (const std::size_t column = model.encoder().layout()[static_cast<std::size_t>(h)].column;
          std::find(columns.begin(), columns.end(), column) == columns.end())
        columns.push_back(column);
    if (result.empty() || result.back() != columns) // a fine code counts to its column
      result.push_back(std::move(columns));
  }
  return result;
}

/// Finds the rows that no generated row can be.
class ImpossibleRows {
public:
  /// \param why  out: by row, in words; empty where a row is possible
  ImpossibleRows(const TableModel& model, const Table& table, std::vector<std::string>& why)
      : model_(&model), why_(&why) {
    check_columns("row_surprise", table.schema(), model.schema());
    why.assign(table.rows(), {});
    for (const auto& column : table.columns())
      for (std::size_t row = 0; row < column.values.size(); ++row)
        if (std::isinf(column.values[row]))
          why[row] = column.name + " is infinite";
    const auto finite = possible();
    if (model.preparation().transforms().empty()) {
      look(table.select(finite), finite);
      return;
    }
    std::vector<std::size_t> refused;
    const auto prepared = model.preparation().forward(table.select(finite), refused);
    if (!refused.empty())
      name_relations(table, finite, refused);
    look(prepared, possible());
  }

  /// The others, ascending.
  std::vector<std::size_t> possible() const {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < why_->size(); ++row)
      if ((*why_)[row].empty())
        rows.push_back(row);
    return rows;
  }

private:
  /// Cells without a code of their own. \param rows  of the user's table, those of `prepared`
  void look(const Table& prepared, const std::vector<std::size_t>& rows) {
    for (std::size_t c = 0; c < prepared.size(); ++c) {
      const auto& codec = model_->encoder().codecs()[c];
      const auto& column = prepared[c];
      const bool label = model_->conditional() && column.name == model_->schema().label();
      std::vector<bool> known;
      for (const auto& text : column.dictionary.texts())
        known.push_back(label ? std::find(model_->labels().begin(), model_->labels().end(), text) !=
                                    model_->labels().end()
                              : std::binary_search(codec.categories.begin(), codec.categories.end(), text) ||
                                    (codec.has_other && shares_other(c)));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& why = (*why_)[rows[i]];
        if (!why.empty())
          continue;
        if (column.is_missing(i)) {
          if (!codec.has_missing)
            why = column.name + " is missing, which it was in no training row";
        } else if (column.kind == ColumnKind::categorical &&
                   !known[static_cast<std::size_t>(column.codes[i])]) {
          why = column.name + " is " + in_quotes(column.dictionary.text(column.codes[i])) +
                ", which no training row had";
        }
      }
    }
  }
  /// Whether rare categories of training rows were folded into "other", so that a category that the model
  /// does not know by name may have been one of them: generated rows then have it.
  bool shares_other(std::size_t column) {
    constexpr std::size_t rows = 20'000;
    const auto& columns = model_->columns();
    if (drawn_.empty())
      drawn_ = model_->without_guide().sample_codes(rows, {.seed = 0});
    for (std::size_t h = 0; h < columns.stretches; ++h)
      if (columns.layout[h].column == column) {
        const std::int32_t other = columns.codecs[column].plain_codes();
        for (std::size_t row = 0; row < rows; ++row)
          if (drawn_[row * columns.stretches + h] == other)
            return true;
        return false;
      }
    return false;
  }
  /// Says which relation each refused row is the first to break. \param refused  among `finite`
  void name_relations(const Table& table, const std::vector<std::size_t>& finite,
                      const std::vector<std::size_t>& refused) {
    const auto& preparation = model_->preparation();
    const auto relations = preparation.relations();
    const Table empty = model_->empty_table();
    std::vector<double> numbers(preparation.slots());
    std::vector<std::int32_t> codes(preparation.slots());
    for (const std::size_t at : refused) {
      const std::size_t row = finite[at];
      std::fill(numbers.begin(), numbers.end(), std::numeric_limits<double>::quiet_NaN());
      std::fill(codes.begin(), codes.end(), missing_code);
      auto& why = (*why_)[row];
      for (std::size_t c = 0; c < table.size(); ++c) {
        if (table[c].kind == ColumnKind::numerical) {
          numbers[c] = table[c].values[row];
        } else if (!table[c].is_missing(row)) {
          const auto& text = table[c].dictionary.text(table[c].codes[row]);
          codes[c] = empty[c].dictionary.find(text);
          if (codes[c] == missing_code && why.empty())
            why = table[c].name + " is " + in_quotes(text) + ", which no training row had";
        }
      }
      for (std::size_t t = 0; t < preparation.transforms().size() && why.empty(); ++t)
        if (!std::visit(
                [&](const auto& one) {
                  return one.forward(RowCells{numbers.data(), codes.data()}, preparation.first_made(t));
                },
                preparation.transforms()[t]))
          why = "breaks what holds in the training rows: " + relations[t];
      if (why.empty())
        why = "breaks a relation that the model keeps in every row";
    }
  }

  const TableModel* model_;
  std::vector<std::string>* why_;
  std::vector<std::int32_t> drawn_; ///< codes of some rows of the model, if they were needed
};

} // namespace detail

/// How surprising the rows of `table` are to a model. A row that no generated row can be is infinitely so:
/// one that breaks a relation that the preparation keeps, or has a category, or a missing cell, that no
/// training row had. \throws SchemaError if the table does not fit the model's schema \throws OptionError for
/// a model whose heads are no distribution (`Sampler::score_rows` scores by it)
inline RowSurprise row_surprise(const TableModel& model, const Table& table,
                                const LikelihoodOptions& options = {}) {
  RowSurprise result;
  const auto possible = detail::ImpossibleRows(model, table, result.impossible).possible();
  const Table rows = table.select(possible);
  const auto told = log_likelihood(model, rows, options);
  result.columns = detail::columns_of_cells(model);
  for (const auto& column : told.columns)
    result.names.push_back(column.first);
  const std::size_t names = result.names.size();
  result.rows.assign(table.rows(), std::numeric_limits<double>::infinity());
  if (options.cells)
    result.cells.assign(table.rows() * names, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < possible.size(); ++i) {
    result.rows[possible[i]] = -told.rows[i];
    for (std::size_t k = 0; k < names && options.cells; ++k)
      result.cells[possible[i] * names + k] = -told.cells[i * names + k];
  }
  const Table learnt = model.preparation().forward(rows);
  const detail::OutsideCost outside_cost(model);
  for (std::size_t k = 0; k < names; ++k)
    for (const std::size_t c : result.columns[k]) {
      const auto codec = model.encoder().codecs()[c].view();
      const auto rarity = model.encoder().rarity(learnt, c);
      for (std::size_t i = 0; i < possible.size(); ++i) {
        const double outside =
            learnt[c].kind == ColumnKind::numerical ? outside_cost(codec, learnt[c].values[i]) : 0;
        result.rows[possible[i]] += outside;
        if (options.cells)
          result.cells[possible[i] * names + k] += outside + (rarity.empty() ? 0 : rarity[i]);
      }
    }
  return result;
}

/// What cells cost, in nats, by `RowSurprise::names`.
struct UsualSurprise {
  std::vector<double> mean;
  std::vector<double> sd;
};

/// Over the finite cells of some rows. \param told  with cells
inline UsualSurprise usual_surprise(const RowSurprise& told) {
  const std::size_t names = told.names.size();
  UsualSurprise usual;
  for (std::size_t k = 0; k < names; ++k) {
    std::vector<double> finite;
    for (std::size_t row = 0; row < told.rows.size(); ++row)
      if (const double cell = told.cells[row * names + k]; std::isfinite(cell))
        finite.push_back(cell);
    const auto spread = mean_sd(finite);
    usual.mean.push_back(spread.mean);
    usual.sd.push_back(spread.sd);
  }
  return usual;
}
/// Over 2,000 rows that the model draws, so that it depends on the model and the options alone.
inline UsualSurprise usual_surprise(const TableModel& model, LikelihoodOptions options = {}) {
  options.cells = true;
  return usual_surprise(
      row_surprise(model, model.sample(2000, {.seed = options.seed, .threads = options.threads}), options));
}

/// How far the cells of each row stand out: the root of the sum of squares of what each costs more than is
/// usual, in standard deviations of its column, of a nat at least. A likelihood adds up the luck of all
/// cells, in whose scatter one odd cell among many is lost; squares count one cell of ten deviations as a
/// hundred cells of one, and a column that varies much by itself counts less. Infinite where the row is.
/// \param told  with cells \param usual  of the same columns \throws ShapeError if there are no cells, or the
/// columns differ in number
inline std::vector<double> outstanding_surprise(const RowSurprise& told, const UsualSurprise& usual) {
  const std::size_t names = told.names.size();
  if (usual.mean.size() != names || usual.sd.size() != names || told.cells.size() != told.rows.size() * names)
    throw ShapeError(
        "outstanding_surprise: expected a surprise with cells, and a usual one for each of its " +
        std::to_string(names) + " columns");
  std::vector<double> result(told.rows);
  for (std::size_t row = 0; row < result.size(); ++row) {
    if (std::isinf(result[row]))
      continue;
    double sum = 0;
    for (std::size_t k = 0; k < names; ++k) {
      const double more = (told.cells[row * names + k] - usual.mean[k]) / std::max(usual.sd[k], 1.0);
      sum += more > 0 ? more * more : 0;
    }
    result[row] = std::sqrt(sum);
  }
  return result;
}

ROWSMITH_END
