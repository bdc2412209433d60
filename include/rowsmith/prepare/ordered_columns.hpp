// SPDX-License-Identifier: MIT
/// \file
/// Numerical columns that are at most others, as a minimum and a maximum are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/kernel/orders.hpp>
#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// Pairs of columns of which one is at most the other in every training row that has both. The model learns
/// all of them; generated rows in which two are in the wrong order are mended. Rows that do not keep the
/// order have no form for the model.
struct OrderedColumns {
  static constexpr std::string_view kind = "ordered";

  std::vector<std::size_t> columns{}; ///< their slots, each behind all that are at most it
  std::vector<int> decimals{};        ///< of each, as `Column::decimals`
  std::vector<std::size_t> smaller{}; ///< of each pair: places in `columns`
  std::vector<std::size_t> larger{};  ///< ascending

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("columns", self.columns);
    visit("decimals", self.decimals);
    visit("smaller", self.smaller);
    visit("larger", self.larger);
  }

  static std::vector<OrderedColumns> fit(const PreparedColumns& train, const PreparationOptions& options);

  std::vector<std::size_t> takes() const { return {}; }
  std::vector<std::size_t> mends() const { return columns; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    const auto fine_slot = [&](std::size_t slot) {
      return slot < schema.size() && schema[slot].kind == ColumnKind::numerical &&
             std::count(columns.begin(), columns.end(), slot) == 1;
    };
    bool fine = columns.size() >= 2 && decimals.size() == columns.size() && smaller.size() == larger.size() &&
                !larger.empty() && std::is_sorted(larger.begin(), larger.end()) &&
                larger.back() < columns.size() && std::all_of(columns.begin(), columns.end(), fine_slot) &&
                std::all_of(decimals.begin(), decimals.end(), [](int digits) { return digits >= -1; });
    for (std::size_t p = 0; fine && p < larger.size(); ++p)
      fine = smaller[p] < larger[p];
    if (!fine)
      throw SchemaError("prepare: the columns in an order are impossible");
    return {};
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    std::string result;
    for (std::size_t p = 0; p < larger.size(); ++p)
      result += (p == 0 ? "'" : ", '") + schema[columns[smaller[p]]].name + "' <= '" +
                schema[columns[larger[p]]].name + "'";
    return result;
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    for (std::size_t row = 0; row < slots[columns.front()]->rows(); ++row)
      for (std::size_t p = 0; p < larger.size(); ++p) {
        const Column& low = *slots[columns[smaller[p]]];
        const Column& high = *slots[columns[larger[p]]];
        if (low.values[row] > high.values[row])
          refuse(low, row, "at most what '" + high.name + "' holds");
      }
    return {};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t, std::size_t rows) const {
    std::vector<Column> mended;
    for (const std::size_t slot : columns)
      mended.push_back(*slots[slot]);
    std::vector<double*> values(slots.size());
    for (std::size_t i = 0; i < columns.size(); ++i)
      values[columns[i]] = mended[i].values.data();
    for (std::size_t row = 0; row < rows; ++row)
      view().mend([&](std::size_t slot) -> double& { return values[slot][row]; });
    return mended;
  }
  bool forward(RowCells cells, std::size_t) const noexcept {
    return view().hold([&](std::size_t slot) { return cells.numbers[slot]; });
  }
  void backward(RowCells cells, std::size_t) const noexcept {
    view().mend([&](std::size_t slot) -> double& { return cells.numbers[slot]; });
  }

  /// A view of this object.
  kernel::Orders view() const noexcept {
    return {.columns = columns.data(),
            .decimals = decimals.data(),
            .count = columns.size(),
            .smaller = smaller.data(),
            .larger = larger.data(),
            .pairs = larger.size()};
  }
};

namespace detail {

/// Looks for numerical columns that are at most others in every row.
///
/// An order counts if it says something: the ranges of the two overlap, and if the columns knew nothing of
/// each other, so many rows would break it that none doing so is no chance. Of orders that follow from others
/// only these are kept.
class OrderSearch {
public:
  OrderSearch(const PreparedColumns& train, const PreparationOptions& options)
      : train_(train), options_(options), most_broken_(train.most_broken(options)) {
    const std::size_t rows = train.rows();
    for (const auto slot : train.live)
      if (train.slots[slot]->kind == ColumnKind::numerical) {
        place_of_[slot] = live_.size();
        live_.push_back(slot);
      }
    const std::size_t count = std::min<std::size_t>(rows, 4096);
    for (const auto slot : live_) {
      Sorted sorted;
      const auto& values = train.slots[slot]->values;
      sorted.whole = train.slots[slot]->missing_count() == 0;
      for (const double value : values)
        if (!std::isnan(value)) {
          sorted.least = std::min(sorted.least, value);
          sorted.most = std::max(sorted.most, value);
        }
      for (std::size_t i = 0; i < count; ++i)
        if (const double value = values[i * rows / count]; !std::isnan(value))
          sorted.sample.push_back(value);
      std::sort(sorted.sample.begin(), sorted.sample.end());
      sorted_.push_back(std::move(sorted));
    }
  }

  std::vector<OrderedColumns> run() {
    above_.assign(live_.size(), std::vector<bool>(live_.size()));
    if (options_.orders)
      for (std::size_t a = 0; a < live_.size(); ++a)
        for (std::size_t b = 0; b < live_.size(); ++b)
          if (a != b && telling(a, b))
            above_[a][b] = true;
    declare();
    reduce();
    return arranged();
  }

private:
  struct Sorted {
    std::vector<double> sample; ///< of its numbers, ascending
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
    bool whole = true; ///< never missing
  };
  static constexpr double needed = 30;       // nats: a chance of 1e-13
  static constexpr std::size_t glances = 32; // rows by which nearly all pairs are ruled out

  /// The number of rows with both numbers in which a is above b, counted up to more than `most`, and the
  /// first of them.
  struct Broken {
    std::size_t rows = 0;
    std::size_t first = 0;
    std::size_t present = 0;
  };
  Broken broken(std::size_t a, std::size_t b, std::size_t most) const {
    const auto& low = train_.slots[live_[a]]->values;
    const auto& high = train_.slots[live_[b]]->values;
    Broken found;
    for (std::size_t row = 0; row < low.size() && found.rows <= most; ++row) {
      if (low[row] > high[row]) {
        found.first = found.rows == 0 ? row : found.first;
        ++found.rows;
      }
      found.present += std::isnan(low[row]) || std::isnan(high[row]) ? 0U : 1U;
    }
    return found;
  }
  /// Is a at most b, and is that no chance?
  bool telling(std::size_t a, std::size_t b) const {
    const Sorted& low = sorted_[a];
    const Sorted& high = sorted_[b];
    if (!(low.most > high.least) || !(low.least < low.most) || !(high.least < high.most) ||
        std::isinf(low.least) || std::isinf(low.most) || std::isinf(high.least) || std::isinf(high.most))
      return false;
    const auto& first = train_.slots[live_[a]]->values;
    const auto& second = train_.slots[live_[b]]->values;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < std::min(glances, first.size()); ++i) {
      const std::size_t row = i * first.size() / std::min(glances, first.size());
      wrong += first[row] > second[row] ? 1U : 0U;
    }
    if (wrong > most_broken_)
      return false;
    // How often a number of one column is above a number of the other.
    double above = 0;
    std::size_t below = 0;
    for (const double value : low.sample) {
      while (below < high.sample.size() && high.sample[below] < value)
        ++below;
      above += static_cast<double>(below);
    }
    const double share =
        above / (static_cast<double>(low.sample.size()) * static_cast<double>(high.sample.size()));
    const auto worth = [&](std::size_t rows) { return -std::log1p(-share) * static_cast<double>(rows); };
    const double least = needed + 2 * std::log(static_cast<double>(live_.size()));
    if (!(share < 1) || worth(first.size()) <= least)
      return false;
    const Broken found = broken(a, b, most_broken_);
    return found.rows <= most_broken_ && worth(found.present) > least;
  }
  void declare() {
    train_.each_declared([](auto kind) { return kind == DeclaredRelation::Kind::order; },
                         [this](const DeclaredRelation& relation) {
                           const std::size_t a = place_of_.at(relation.operands[0]);
                           const std::size_t b = place_of_.at(relation.column);
                           const Broken found = broken(a, b, train_.rows());
                           train_.require_kept(relation, found.rows, found.first, options_);
                           above_[a][b] = true;
                         });
    // Where a few rows may break an order, two columns could be at most each other: that is no order.
    for (std::size_t a = 0; a < live_.size(); ++a)
      for (std::size_t b = 0; b < a; ++b)
        if (above_[a][b] && above_[b][a])
          above_[a][b] = above_[b][a] = false;
  }
  /// Drops a <= c where a <= b and b <= c say so in every row, as b is never missing.
  void reduce() {
    auto kept = above_;
    for (std::size_t a = 0; a < live_.size(); ++a)
      for (std::size_t b = 0; b < live_.size(); ++b)
        if (above_[a][b] && sorted_[b].whole)
          for (std::size_t c = 0; c < live_.size(); ++c)
            if (above_[b][c])
              kept[a][c] = false;
    above_ = std::move(kept);
  }
  /// Columns one after the other, each behind all that are at most it. A circle, which only orders that some
  /// rows break can form, is cut.
  std::vector<OrderedColumns> arranged() {
    std::vector<std::size_t> below(live_.size());
    std::size_t left = 0;
    for (std::size_t b = 0; b < live_.size(); ++b)
      for (std::size_t a = 0; a < live_.size(); ++a)
        below[b] += above_[a][b] ? 1U : 0U;
    const auto in_order = [&](std::size_t i) {
      return below[i] > 0 || std::find(above_[i].begin(), above_[i].end(), true) != above_[i].end();
    };
    std::vector<bool> open(live_.size());
    for (std::size_t i = 0; i < live_.size(); ++i) {
      open[i] = in_order(i);
      left += open[i] ? 1U : 0U;
    }
    if (left == 0)
      return {};
    OrderedColumns orders;
    std::vector<std::size_t> place(live_.size());
    std::vector<std::size_t> sequence;
    while (left > 0) {
      std::size_t next = live_.size();
      for (std::size_t i = 0; i < live_.size(); ++i)
        if (open[i] && (next == live_.size() || below[i] < below[next]))
          next = i;
      open[next] = false;
      --left;
      place[next] = sequence.size();
      sequence.push_back(next);
      orders.columns.push_back(live_[next]);
      orders.decimals.push_back(train_.slots[live_[next]]->decimals);
      for (std::size_t a = 0; a < live_.size(); ++a)
        if (above_[a][next]) {
          if (open[a]) { // of a circle
            above_[a][next] = false;
          } else {
            orders.smaller.push_back(place[a]);
            orders.larger.push_back(place[next]);
          }
        }
      for (std::size_t b = 0; b < live_.size(); ++b)
        if (above_[next][b] && open[b])
          --below[b];
    }
    return {std::move(orders)};
  }

  const PreparedColumns& train_;
  const PreparationOptions& options_;
  std::size_t most_broken_;
  std::vector<std::size_t> live_;
  std::map<std::size_t, std::size_t> place_of_;
  std::vector<Sorted> sorted_;
  std::vector<std::vector<bool>> above_; ///< [a][b]: a is at most b
};

} // namespace detail

inline std::vector<OrderedColumns> OrderedColumns::fit(const PreparedColumns& train,
                                                       const PreparationOptions& options) {
  return detail::OrderSearch(train, options).run();
}

ROWSMITH_END
