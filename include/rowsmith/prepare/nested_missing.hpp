// SPDX-License-Identifier: MIT
/// \file
/// Cells that are missing wherever another is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A column that is missing in every training row in which another, its leader, is; and nowhere else, if
/// `together`. In the latter case the model learns the column with a value of its own in place of the missing
/// ones, and which rows miss it from the leader alone; otherwise rows that have the column without the leader
/// are mended. Rows that do not keep this have no form for the model.
struct NestedMissing {
  static constexpr std::string_view kind = "nested missing";

  std::size_t column = 0; ///< its slot
  std::size_t leader = 0;
  bool together = false;
  bool categorical = false;        ///< the column
  bool leader_categorical = false; ///< the leader
  double number = 0; ///< what stands for a missing number; of a text, the first one in the alphabet

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("leader", self.leader);
    visit("together", self.together);
    visit("categorical", self.categorical);
    visit("leader_categorical", self.leader_categorical);
    visit("number", self.number);
  }

  /// All that is no chance. Columns that miss the same rows have the label or the first of them as leader.
  static std::vector<NestedMissing> fit(const PreparedColumns& train, const PreparationOptions& options) {
    if (!options.missing)
      return {};
    const std::size_t rows = train.rows();
    std::vector<Pattern> patterns; // of rows, each once
    for (const std::size_t slot : train.live) {
      const Column& from = *train.slots[slot];
      std::vector<bool> absent(rows);
      for (std::size_t row = 0; row < rows; ++row)
        absent[row] = from.is_missing(row);
      const auto count = static_cast<std::size_t>(std::count(absent.begin(), absent.end(), true));
      if (count == 0 || count == rows)
        continue;
      const auto same = std::find_if(patterns.begin(), patterns.end(), [&](const Pattern& pattern) {
        return pattern.count == count && pattern.absent == absent;
      });
      if (same == patterns.end())
        patterns.push_back({std::move(absent), count, {slot}});
      else
        same->slots.insert(slot == train.label ? same->slots.begin() : same->slots.end(), slot);
    }
    std::vector<NestedMissing> found;
    const double tried = 2 * std::log(static_cast<double>(train.live.size()) + 1);
    // By chance each missing cell of one falls on one of the other.
    const auto telling = [&](const Pattern& inner, const Pattern& outer) {
      return static_cast<double>(inner.count) *
                 std::log(static_cast<double>(rows) / static_cast<double>(outer.count)) >
             needed + tried;
    };
    for (const auto& pattern : patterns)
      for (std::size_t i = 1; i < pattern.slots.size() && telling(pattern, pattern); ++i)
        found.push_back(make(train, pattern.slots[i], pattern.slots[0], true));
    // Put right last what rests on others: of "a, then b" and "b, then c" the second.
    std::sort(patterns.begin(), patterns.end(), [](const Pattern& a, const Pattern& b) {
      return a.count != b.count ? a.count > b.count : a.slots[0] < b.slots[0];
    });
    for (const auto& inner : patterns) {
      std::vector<const Pattern*> around;
      for (const auto& outer : patterns)
        if (outer.count > inner.count && telling(inner, outer) && within(inner, outer))
          around.push_back(&outer);
      for (const auto* outer : around) {
        const bool follows = std::any_of(around.begin(), around.end(), [&](const Pattern* between) {
          return between->count < outer->count && telling(*between, *outer) && within(*between, *outer);
        });
        if (!follows && outer->slots[0] != train.label)
          found.push_back(make(train, outer->slots[0], inner.slots[0], false));
      }
    }
    return found;
  }

  std::vector<std::size_t> takes() const {
    return together ? std::vector<std::size_t>{column} : std::vector<std::size_t>();
  }
  std::vector<std::size_t> reads() const { return {leader}; }
  std::vector<std::size_t> mends() const {
    return together ? std::vector<std::size_t>() : std::vector<std::size_t>{column};
  }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    if (leader >= schema.size() || column >= schema.size() || leader == column || !std::isfinite(number) ||
        (schema[column].kind == ColumnKind::categorical) != categorical ||
        (schema[leader].kind == ColumnKind::categorical) != leader_categorical)
      throw SchemaError("prepare: what column " + std::to_string(column + 1) + " misses is impossible");
    return together ? std::vector<ColumnSchema>{schema[column]} : std::vector<ColumnSchema>();
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return "'" + schema[column].name + "' is missing where '" + schema[leader].name + "' is" +
           (together ? ", and nowhere else" : "");
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    const Column& from = *slots[column];
    const Column& leads = *slots[leader];
    for (std::size_t row = 0; row < from.rows(); ++row)
      if (from.is_missing(row) != leads.is_missing(row) && (together || leads.is_missing(row)))
        refuse(from, row,
               leads.is_missing(row) ? "a missing value, as that of '" + leads.name + "' is"
                                     : "a value, as '" + leads.name + "' has one");
    if (!together)
      return {};
    auto made = from;
    std::int32_t code = missing_code;
    if (categorical) { // the first in the alphabet of those that rows hold: code 0 of any codec
      std::vector<bool> used(from.dictionary.size());
      for (std::size_t row = 0; row < from.rows(); ++row)
        if (!from.is_missing(row))
          used[static_cast<std::size_t>(from.codes[row])] = true;
      for (std::size_t k = 0; k < used.size(); ++k)
        if (used[k] && (code == missing_code ||
                        from.dictionary.text(static_cast<std::int32_t>(k)) < from.dictionary.text(code)))
          code = static_cast<std::int32_t>(k);
    }
    for (std::size_t row = 0; row < made.rows(); ++row)
      if (made.is_missing(row)) {
        if (categorical)
          made.codes[row] = code;
        else
          made.values[row] = number;
      }
    return {std::move(made)};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t made, std::size_t rows) const {
    Column result = *slots[together ? made : column];
    for (std::size_t row = 0; row < rows; ++row)
      if (slots[leader]->is_missing(row)) {
        if (categorical)
          result.codes[row] = missing_code;
        else
          result.values[row] = std::numeric_limits<double>::quiet_NaN();
      }
    return {std::move(result)};
  }
  bool forward(RowCells cells, std::size_t made) const noexcept {
    const bool absent = is_missing(cells, column, categorical);
    const bool leads = is_missing(cells, leader, leader_categorical);
    if (together) {
      cells.codes[made] = absent && categorical ? 0 : cells.codes[column];
      cells.numbers[made] = absent && !categorical ? number : cells.numbers[column];
      return absent == leads;
    }
    return absent || !leads;
  }
  void backward(RowCells cells, std::size_t made) const noexcept {
    const std::size_t from = together ? made : column;
    const bool leads = is_missing(cells, leader, leader_categorical);
    cells.codes[column] = leads ? missing_code : cells.codes[from];
    cells.numbers[column] = leads ? std::numeric_limits<double>::quiet_NaN() : cells.numbers[from];
  }

  /// What a cell that is there says although its leader is not known. \param known  by slot; that of the
  /// column it makes is set
  void forward_part(RowCells cells, std::size_t made, std::vector<bool>& known) const noexcept {
    if (!together || !known[column] || is_missing(cells, column, categorical))
      return;
    cells.codes[made] = cells.codes[column];
    cells.numbers[made] = cells.numbers[column];
    known[made] = true;
  }

private:
  static constexpr double needed = 30; // nats: a chance of 1e-13

  /// Which rows some columns miss.
  struct Pattern {
    std::vector<bool> absent;
    std::size_t count = 0;
    std::vector<std::size_t> slots;
  };
  static bool within(const Pattern& inner, const Pattern& outer) {
    for (std::size_t row = 0; row < inner.absent.size(); ++row)
      if (inner.absent[row] && !outer.absent[row])
        return false;
    return true;
  }
  static bool is_missing(RowCells cells, std::size_t slot, bool text) noexcept {
    return text ? cells.codes[slot] == missing_code : std::isnan(cells.numbers[slot]);
  }
  static NestedMissing make(const PreparedColumns& train, std::size_t column, std::size_t leader,
                            bool together) {
    const Column& from = *train.slots[column];
    NestedMissing nested{.column = column,
                         .leader = leader,
                         .together = together,
                         .categorical = from.kind == ColumnKind::categorical,
                         .leader_categorical = train.slots[leader]->kind == ColumnKind::categorical};
    if (!nested.categorical && together) {
      // The value in the middle, so that it is one that the column has.
      std::vector<double> present;
      for (const double value : from.values)
        if (!std::isnan(value))
          present.push_back(value);
      const auto middle = present.begin() + static_cast<std::ptrdiff_t>(present.size() / 2);
      std::nth_element(present.begin(), middle, present.end());
      nested.number = *middle;
    }
    return nested;
  }
};

ROWSMITH_END
