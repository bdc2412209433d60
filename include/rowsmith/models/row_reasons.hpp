// SPDX-License-Identifier: MIT
/// \file
/// Says in words why a row is odd to a model: which cells, and beside which others.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/models/row_surprise.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

struct ReasonOptions {
  std::size_t rows = 20'000; ///< of the model, that cells are compared with; [1000, 1000000]
  std::size_t most = 3;      ///< reasons of a row
  std::size_t samples = 16;  ///< latent codes of the likelihoods by which "usual" is known; [1, 65536]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result
  /// (column, number, its decimals) -> how a number is written; empty: plainly. Called by one thread.
  std::function<std::string(const std::string&, double, int)> write{};

  /// \throws OptionError
  void check() const {
    check_option("reasons.rows", static_cast<double>(rows), OptionRange{1000, 1e6});
    check_option("reasons.samples", static_cast<double>(samples), OptionRange{1, 65536});
  }
};

/// Why a row is odd.
struct RowReason {
  std::string column{};  ///< whose cell it is, as the model calls it; empty: of the whole row
  std::string partner{}; ///< beside which it is odd; empty: beside the row's other cells, or by itself
  double nats = 0;       ///< what the cell costs more than such cells do on average
  std::string text{};    ///< in words
};

/// Finds reasons by comparing a row with rows that the model draws: made once, used for any table of the
/// model's columns.
///
/// A cell is a reason if it costs at least a nat more than the column's cells do on average in drawn rows,
/// and a tenth of what the row's oddest cell does. Of the likelihood's factors that says which column is odd,
/// but not why, as a factor is of a cell given all before it. So what is odd about it is looked up in the
/// drawn rows, in this order: the number is outside the training rows' range; the value hardly occurs at all;
/// it hardly occurs beside another cell of the row (the partner for which the number of drawn rows that have
/// both is furthest below what independence would make it, by the likelihood ratio of Poisson counts); or it
/// is none that the row's nearest drawn rows have (1 % of them, by all other cells).
class RowReasons {
public:
  /// Draws the rows. \throws OptionError, for a model whose heads are no distribution among others
  explicit RowReasons(const TableModel& model, ReasonOptions options = {})
      : model_(model), options_(std::move(options)) {
    options_.check();
    const Table drawn = model_.sample(options_.rows, {.seed = options_.seed, .threads = options_.threads});
    std::vector<std::size_t> broken; // what the model draws keeps its relations but for rounding
    rows_ = model_.preparation().forward(drawn, broken);
    for (std::size_t c = 0; c < rows_.size(); ++c) {
      sorted_.emplace_back();
      if (rows_[c].kind == ColumnKind::numerical) {
        for (const double value : rows_[c].values)
          if (!std::isnan(value))
            sorted_[c].push_back(value);
        std::sort(sorted_[c].begin(), sorted_[c].end());
      }
      places_.emplace_back();
      for (std::size_t r = 0; r < rows_.rows(); ++r)
        places_[c].push_back(place_of(rows_[c], c, r));
    }
    usual_ = usual_surprise(model_,
                            {.samples = options_.samples, .seed = options_.seed, .threads = options_.threads})
                 .mean;
  }

  /// What cells cost on average in drawn rows, in nats, by `RowSurprise::names`.
  const std::vector<double>& usual() const noexcept { return usual_; }

  /// The reasons of some rows, each row's from the heaviest on. \param surprise  of `table`, with cells
  /// \throws ShapeError for rows that are not there, or a surprise that is not of the table and the model
  std::vector<std::vector<RowReason>> explain(const Table& table, const RowSurprise& surprise,
                                              std::span<const std::size_t> rows) const {
    if (surprise.rows.size() != table.rows() || surprise.names.size() != usual_.size() ||
        surprise.cells.size() != table.rows() * usual_.size())
      throw ShapeError("RowReasons: the surprise is not of this table and model, with its cells");
    std::vector<std::vector<RowReason>> result(rows.size());
    std::vector<std::size_t> known; // rows of the table
    std::vector<std::size_t> at;    // and their places in the result
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] >= table.rows())
        throw ShapeError("RowReasons: row " + std::to_string(rows[i]) + " of a table with " +
                         std::to_string(table.rows()) + " rows");
      if (const auto& why = surprise.impossible[rows[i]]; !why.empty()) {
        result[i].push_back({.nats = std::numeric_limits<double>::infinity(), .text = why});
      } else {
        known.push_back(rows[i]);
        at.push_back(i);
      }
    }
    const Table learnt = model_.preparation().forward(table.select(known));
    // What is found is written afterwards, by one thread.
    std::vector<std::vector<Finding>> found(known.size());
    parallel_for(known.size(), resolve_threads(options_.threads), [&](std::size_t i) {
      found[i] = find(learnt, i, surprise.columns, surprise.cells.data() + known[i] * usual_.size());
    });
    for (std::size_t i = 0; i < known.size(); ++i)
      for (const auto& one : found[i])
        result[at[i]].push_back(write(learnt, i, one));
    return result;
  }

private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  static constexpr double half_window = 0.025; ///< of ranks that count as the same number

  enum class Kind { outside, rare, beside, unlike, several };
  struct Finding {
    Kind kind = Kind::several;
    std::size_t column = 0;
    std::size_t partner = none;
    double nats = 0;
    double low = 0; ///< what is usual instead: numbers from `low` to `high`, if `low` < the cell's or …
    double high = 0;
    bool range = false;        ///< whether the cell's number lies outside it
    std::size_t with = 0;      ///< drawn rows that have both, or the cell
    double expected = 0;       ///< if they were independent
    std::size_t compared = 0;  ///< drawn rows that are compared with
    std::int32_t instead = -1; ///< the category that is most frequent there
  };

  /// Categories by their code in the drawn rows; numbers by their middle rank, from 0 to 1; −1: missing; −2:
  /// a category that no drawn row has.
  double place_of(const Column& column, std::size_t c, std::size_t row) const {
    if (column.is_missing(row))
      return -1;
    if (column.kind == ColumnKind::categorical)
      return &column == &rows_[c] ? column.codes[row] : code_of(column.dictionary.text(column.codes[row]), c);
    const auto& sorted = sorted_[c];
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), column.values[row]);
    return static_cast<double>((first - sorted.begin()) + (last - sorted.begin())) /
           (2 * static_cast<double>(std::max<std::size_t>(sorted.size(), 1)));
  }
  double code_of(const std::string& text, std::size_t c) const {
    const auto code = rows_[c].dictionary.find(text);
    return code == missing_code ? -2 : code;
  }
  bool numerical(std::size_t c) const { return rows_[c].kind == ColumnKind::numerical; }
  /// Whether drawn row `r` has about the same cell.
  bool alike(std::size_t c, std::size_t r, double place) const {
    const double other = places_[c][r];
    if (place < 0 || other < 0 || !numerical(c))
      return place == other;
    return std::abs(place - other) <= half_window;
  }

  std::vector<Finding> find(const Table& learnt, std::size_t row,
                            const std::vector<std::vector<std::size_t>>& columns, const double* cells) const {
    std::vector<std::size_t> order(usual_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto nats = [&](std::size_t k) { return cells[k] - usual_[k]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return nats(a) > nats(b); });
    std::vector<double> places;
    for (std::size_t c = 0; c < rows_.size(); ++c)
      places.push_back(place_of(learnt[c], c, row));
    std::vector<std::size_t> having; // by column: drawn rows that have about the same cell
    for (std::size_t c = 0; c < rows_.size(); ++c) {
      having.push_back(0);
      for (std::size_t r = 0; r < rows_.rows(); ++r)
        having[c] += alike(c, r, places[c]) ? 1U : 0U;
    }
    std::vector<Finding> result;
    for (const std::size_t k : order) {
      if (result.size() == options_.most || !(nats(k) >= 1 && nats(k) >= 0.1 * nats(order[0])))
        break;
      Finding best;
      double strength = -1;
      for (const std::size_t c : columns[k]) { // those that share a head: the one that is oddest
        auto [one, weight] = find_cell(learnt, row, c, places, having, cells[k]);
        if (weight > strength) {
          best = one;
          strength = weight;
        }
      }
      best.nats = nats(k);
      // A pair counts once, whichever of its cells costs more.
      if (std::none_of(result.begin(), result.end(), [&](const Finding& other) {
            return best.kind == Kind::beside && other.kind == Kind::beside && other.column == best.partner &&
                   other.partner == best.column;
          }))
        result.push_back(best);
    }
    if (result.empty() && options_.most > 0)
      result.push_back({.kind = Kind::several});
    return result;
  }

  /// \param cost  of the cell, in nats \returns what is odd about a cell, and how clearly so
  std::pair<Finding, double> find_cell(const Table& learnt, std::size_t row, std::size_t c,
                                       const std::vector<double>& places,
                                       const std::vector<std::size_t>& having, double cost) const {
    const auto all = static_cast<double>(rows_.rows());
    Finding found{.column = c, .compared = rows_.rows()};
    const double value = numerical(c) ? learnt[c].values[row] : 0;
    const auto codec = model_.encoder().codecs()[c].view();
    if (numerical(c) && codec.excess(value) > 0) {
      found.kind = Kind::outside;
      found.low = codec.minimum;
      found.high = codec.maximum;
      return {found, std::numeric_limits<double>::infinity()};
    }
    std::vector<std::uint32_t> same;
    for (std::uint32_t r = 0; r < rows_.rows(); ++r)
      if (alike(c, r, places[c]))
        same.push_back(r);
    const double share = static_cast<double>(same.size()) / all;
    if (share < 0.005 && -std::log(std::max(share, 0.5 / all)) >= 0.7 * cost) {
      found.kind = Kind::rare;
      found.with = same.size();
      return {found, 1e9};
    }
    double most = 4; // nats of evidence: independence would have such a count once in fifty or more
    for (std::size_t p = 0; p < rows_.size(); ++p) {
      if (p == c)
        continue;
      std::size_t both = 0;
      for (const auto r : same)
        both += alike(p, r, places[p]) ? 1U : 0U;
      const double expected = static_cast<double>(having[p]) * share;
      const auto seen = static_cast<double>(both);
      if (3 * seen > expected)
        continue;
      const double evidence = expected - seen + (both > 0 ? seen * std::log(seen / expected) : 0);
      if (evidence > most) {
        most = evidence;
        found.kind = Kind::beside;
        found.partner = p;
        found.with = both;
        found.expected = expected;
        found.compared = having[p];
      }
    }
    std::vector<std::uint32_t> others;
    if (found.kind == Kind::beside) {
      for (std::uint32_t r = 0; r < rows_.rows(); ++r)
        if (alike(found.partner, r, places[found.partner]))
          others.push_back(r);
    } else {
      found.kind = Kind::unlike;
      others = nearest(c, places);
      found.compared = others.size();
      found.with = static_cast<std::size_t>(
          std::count_if(others.begin(), others.end(), [&](auto r) { return alike(c, r, places[c]); }));
    }
    say_usual(found, others, c, value);
    return {found, found.kind == Kind::beside ? most : 0};
  }
  /// What most of some drawn rows have in a column.
  void say_usual(Finding& found, const std::vector<std::uint32_t>& others, std::size_t c,
                 double value) const {
    if (!numerical(c)) {
      std::vector<std::size_t> counts(rows_[c].dictionary.size());
      for (const auto r : others)
        if (const auto code = rows_[c].codes[r]; code >= 0)
          ++counts[static_cast<std::size_t>(code)];
      if (const auto top = std::max_element(counts.begin(), counts.end());
          top != counts.end() && 2 * *top > others.size())
        found.instead = static_cast<std::int32_t>(top - counts.begin());
      return;
    }
    std::vector<double> values;
    for (const auto r : others)
      if (!std::isnan(rows_[c].values[r]))
        values.push_back(rows_[c].values[r]);
    if (values.size() < 20)
      return;
    std::sort(values.begin(), values.end());
    found.low = values[values.size() / 20];
    found.high = values[values.size() - 1 - values.size() / 20];
    found.range = value < found.low || value > found.high;
  }
  /// The hundredth of the drawn rows that is nearest by all columns but one: ranks' differences and unequal
  /// categories added up (as Gower 1971).
  std::vector<std::uint32_t> nearest(std::size_t without, const std::vector<double>& places) const {
    std::vector<float> distance(rows_.rows());
    for (std::size_t p = 0; p < rows_.size(); ++p)
      if (p != without)
        for (std::size_t r = 0; r < rows_.rows(); ++r) {
          const double other = places_[p][r];
          distance[r] += places[p] < 0 || other < 0 || !numerical(p)
                             ? (places[p] == other ? 0.0F : 1.0F)
                             : static_cast<float>(std::abs(places[p] - other));
        }
    std::vector<std::uint32_t> order(rows_.rows());
    std::iota(order.begin(), order.end(), 0U);
    const std::size_t count =
        std::max<std::size_t>(std::min<std::size_t>(order.size(), 20), order.size() / 100);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                      [&](auto a, auto b) { return std::pair(distance[a], a) < std::pair(distance[b], b); });
    order.resize(count);
    return order;
  }

  std::string number(const Column& column, double value) const {
    // What is read off a bin's edges or a quantile has no more digits than the column.
    if (options_.write)
      return options_.write(column.name, value, column.decimals);
    std::string text;
    append_number(text, value, column.decimals);
    return text;
  }
  std::string value_of(const Table& learnt, std::size_t row, std::size_t c) const {
    const auto& column = learnt[c];
    if (column.is_missing(row))
      return "missing";
    return column.kind == ColumnKind::numerical ? number(rows_[c], column.values[row])
                                                : column.dictionary.text(column.codes[row]);
  }
  std::string cell(const Table& learnt, std::size_t row, std::size_t c) const {
    return "'" + rows_[c].name + " = " + value_of(learnt, row, c) + "'";
  }
  RowReason write(const Table& learnt, std::size_t row, const Finding& found) const {
    if (found.kind == Kind::several)
      return {.text = "no cell stands out: several are a little unusual"};
    const Column& column = rows_[found.column];
    RowReason reason{.column = column.name, .nats = found.nats};
    const auto range = [&] { return number(column, found.low) + " to " + number(column, found.high); };
    const std::string is = column.name + " is " + value_of(learnt, row, found.column);
    const auto of = [](std::size_t with, std::size_t all) {
      return std::to_string(with) + " of " + std::to_string(all);
    };
    switch (found.kind) {
    case Kind::outside:
      reason.text = is + ", outside of " + range() + ", which all training rows keep to";
      break;
    case Kind::rare:
      reason.text = cell(learnt, row, found.column) + " is rare: " + of(found.with, found.compared) +
                    " drawn rows have it";
      break;
    case Kind::beside: {
      reason.partner = rows_[found.partner].name;
      const auto beside = cell(learnt, row, found.partner);
      if (found.range)
        reason.text = is + ", where " + range() + " is usual beside " + beside;
      else
        reason.text = cell(learnt, row, found.column) + " is rare beside " + beside + ": " +
                      of(found.with, found.compared) + " drawn rows have it there";
      break;
    }
    default:
      if (found.range)
        reason.text = is + ", where " + range() + " is usual for such rows";
      else if (found.instead >= 0 && found.instead != places_code(learnt, row, found.column))
        reason.text = is + ", where " + column.dictionary.text(found.instead) + " is usual for such rows";
      else
        reason.text = cell(learnt, row, found.column) + " is unusual for such rows";
    }
    return reason;
  }
  std::int32_t places_code(const Table& learnt, std::size_t row, std::size_t c) const {
    return static_cast<std::int32_t>(place_of(learnt[c], c, row));
  }

  TableModel model_;
  ReasonOptions options_;
  Table rows_;                              ///< drawn, of the model's columns
  std::vector<std::vector<double>> sorted_; ///< their numbers by column
  std::vector<std::vector<double>> places_; ///< as `place_of` has them, by column
  std::vector<double> usual_;
};

ROWSMITH_END
