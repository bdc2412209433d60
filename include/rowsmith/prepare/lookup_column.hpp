// SPDX-License-Identifier: MIT
/// \file
/// Columns that another column gives, value by value, such as a code and its text.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A column that is looked up by the value of another, its key, as in the training rows. Keys are texts, or
/// numbers of few values; a number that is none of them is taken for the nearest one.
struct LookupColumn {
  static constexpr std::string_view kind = "lookup";

  std::size_t column = 0; ///< its slot
  std::size_t key = 0;    ///< the slot of the key
  bool categorical = false;
  bool key_categorical = false;
  std::vector<std::string> key_texts{}; ///< ascending; or
  std::vector<double> key_numbers{};    ///< ascending
  std::vector<std::string> texts{};     ///< of the column, ascending; or
  std::vector<double> numbers{};        ///< ascending
  /// Which of those each key gives, and behind the last what a missing key gives; −1: missing.
  std::vector<std::int32_t> places{};
  int decimals = -1; ///< of a numerical column, as `Column::decimals`

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("key", self.key);
    visit("categorical", self.categorical);
    visit("key_categorical", self.key_categorical);
    visit("key_texts", self.key_texts);
    visit("key_numbers", self.key_numbers);
    visit("texts", self.texts);
    visit("numbers", self.numbers);
    visit("places", self.places);
    visit("decimals", self.decimals);
  }

  /// Each column that a column before or behind gives, in all rows and not by chance. The label stays, as
  /// conditions need it.
  static std::vector<LookupColumn> fit(const PreparedColumns& train, const PreparationOptions& options) {
    std::vector<LookupColumn> found;
    std::vector<std::size_t> live(train.live.begin(), train.live.end());
    std::vector<Values> values;
    const std::size_t most = most_given(train);
    for (const std::size_t slot : live)
      values.push_back(values_of(*train.slots[slot], most));
    const std::size_t most_broken = train.most_broken(options);
    const auto take = [&](std::size_t by, std::size_t i) {
      found.push_back(
          make(live[by], *train.slots[live[by]], values[by], live[i], *train.slots[live[i]], values[i]));
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
      values.erase(values.begin() + static_cast<std::ptrdiff_t>(i));
    };
    train.each_declared([](auto kind) { return kind == DeclaredRelation::Kind::lookup; },
                        [&](const DeclaredRelation& relation) {
                          const auto place = [&](std::size_t slot) {
                            const auto at = std::find(live.begin(), live.end(), slot);
                            if (at == live.end())
                              throw SchemaError("prepare: relation \"" + relation.text + "\": '" +
                                                train.slots[slot]->name + "' is given by another");
                            return static_cast<std::size_t>(at - live.begin());
                          };
                          const std::size_t by = place(relation.operands[0]);
                          const std::size_t given = place(relation.column);
                          if (live[given] == train.label || !values[by].fine || !values[given].fine)
                            throw SchemaError("prepare: relation \"" + relation.text +
                                              "\": the label and infinite numbers cannot be looked up");
                          if (!values[given].has_rows(options.min_lookup_rows))
                            throw SchemaError("prepare: relation \"" + relation.text +
                                              "\": some numbers of '" + train.slots[live[given]]->name +
                                              "' have fewer than " + std::to_string(options.min_lookup_rows) +
                                              " training rows, and would be copied");
                          const auto broken = broken_by(values[by], values[given], train.rows());
                          train.require_kept(relation, broken.rows, broken.first, options);
                          take(by, given);
                        });
    if (!options.lookups)
      return found;
    const double candidates = static_cast<double>(live.size() * live.size());
    for (std::size_t i = live.size(); i-- > 0;) { // the later one of two that give each other
      if (live[i] == train.label)
        continue;
      std::size_t best = live.size();
      for (std::size_t j = 0; j < live.size(); ++j)
        if (j != i && gives(values[j], values[i], candidates, most_broken, options.min_lookup_rows) &&
            (best == live.size() || values[j].count() < values[best].count()))
          best = j;
      if (best < live.size())
        take(best, i);
    }
    return found;
  }

  std::vector<std::size_t> takes() const { return {column}; }
  std::vector<std::size_t> reads() const { return {key}; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    const auto rising = [](const auto& list) {
      return std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end();
    };
    const auto finite = [](const std::vector<double>& list) {
      return std::all_of(list.begin(), list.end(), [](double x) { return std::isfinite(x); });
    };
    const std::size_t keys = key_categorical ? key_texts.size() : key_numbers.size();
    const std::size_t count = categorical ? texts.size() : numbers.size();
    if (key >= schema.size() || key == column ||
        (schema[column].kind == ColumnKind::categorical) != categorical ||
        (schema[key].kind == ColumnKind::categorical) != key_categorical || decimals < -1 || keys == 0 ||
        places.size() != keys + 1 || !finite(key_numbers) || !finite(numbers) || !rising(key_texts) ||
        !rising(key_numbers) || !rising(texts) || !rising(numbers) ||
        !std::all_of(places.begin(), places.end(), [count](std::int32_t place) {
          return place >= -1 && place < static_cast<std::int64_t>(count);
        }))
      throw SchemaError("prepare: the lookup of column '" + schema[column].name + "' is impossible");
    return {};
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return "'" + schema[key].name + "' gives '" + schema[column].name + "'";
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    const Column& from = *slots[column];
    const auto keys = keys_of(*slots[key]);
    for (std::size_t row = 0; row < from.rows(); ++row) {
      const std::int32_t place = keys.unknown(row) ? -2 : places[keys.place(row)];
      if (place == -2)
        refuse(*slots[key], row,
               "a value that training rows had, by which column '" + from.name + "' is looked up");
      else if (!holds(from, row, place))
        refuse(from, row, "what '" + slots[key]->name + "' says: " + describe(place));
    }
    return {};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t, std::size_t rows) const {
    const auto keys = keys_of(*slots[key]);
    if (categorical) {
      auto made = Column::categorical({});
      for (const auto& text : texts)
        made.dictionary.insert(text);
      for (std::size_t row = 0; row < rows; ++row)
        made.codes.push_back(keys.unknown(row) ? missing_code : places[keys.place(row)]);
      return {made};
    }
    std::vector<double> made(rows);
    for (std::size_t row = 0; row < rows; ++row)
      made[row] = number_at(keys.unknown(row) ? -1 : places[keys.place(row)]);
    return {Column::numerical({}, std::move(made), decimals)};
  }
  bool forward(RowCells cells, std::size_t) const noexcept {
    const std::int32_t place = place_of(cells);
    if (categorical)
      return cells.codes[column] == place;
    return place < 0 ? std::isnan(cells.numbers[column])
                     : cells.numbers[column] == numbers[static_cast<std::size_t>(place)];
  }
  void backward(RowCells cells, std::size_t) const noexcept {
    const std::int32_t place = place_of(cells);
    cells.codes[column] = categorical ? place : missing_code;
    cells.numbers[column] = categorical ? std::numeric_limits<double>::quiet_NaN() : number_at(place);
  }

private:
  /// A column as numbers of its distinct values; −1 where it is missing.
  struct Values {
    std::vector<std::int32_t> rows;
    std::vector<std::string> texts;
    std::vector<double> numbers;
    bool as_key = false; ///< its values are few enough
    bool fine = true;    ///< no infinite number
    bool many = false;   ///< more numbers than any key could give, and nothing else is known
    std::size_t count() const noexcept { return std::max(texts.size(), numbers.size()); }
    /// Whether a model may hold its values: texts are categories, but a number has to stand for several rows.
    bool has_rows(std::size_t least) const {
      std::vector<std::size_t> counts(numbers.size());
      for (const auto place : rows)
        if (place >= 0 && !numbers.empty())
          ++counts[static_cast<std::size_t>(place)];
      return std::all_of(counts.begin(), counts.end(), [least](std::size_t n) { return n >= least; });
    }
  };
  /// Numbers that a column can have at most to be given by another; those of more need not be looked at.
  static std::size_t most_given(const PreparedColumns& train) {
    std::size_t most = most_number_keys;
    for (const std::size_t slot : train.live)
      most = std::max(most, train.slots[slot]->dictionary.size());
    train.each_declared([](auto kind) { return kind == DeclaredRelation::Kind::lookup; },
                        [&most](const auto&) { most = std::numeric_limits<std::size_t>::max(); });
    return most;
  }
  /// Whether evenly spread rows have more different numbers than `most` already.
  static bool has_more_numbers(const Column& column, std::size_t most) {
    constexpr std::size_t glances = 8192;
    std::vector<double> seen;
    if (most >= glances)
      return false;
    for (std::size_t i = 0; i < std::min(glances, column.rows()); ++i)
      if (const std::size_t row = i * column.rows() / std::min(glances, column.rows());
          !column.is_missing(row))
        seen.push_back(column.values[row]);
    std::sort(seen.begin(), seen.end());
    return static_cast<std::size_t>(std::unique(seen.begin(), seen.end()) - seen.begin()) > most;
  }
  static Values values_of(const Column& column, std::size_t most) {
    Values values;
    const std::size_t rows = column.rows();
    if (column.kind == ColumnKind::numerical && has_more_numbers(column, most)) {
      values.many = true;
      return values;
    }
    values.rows.assign(rows, -1);
    if (column.kind == ColumnKind::categorical) {
      std::vector<bool> used(column.dictionary.size());
      for (std::size_t row = 0; row < rows; ++row)
        if (!column.is_missing(row))
          used[static_cast<std::size_t>(column.codes[row])] = true;
      for (std::size_t code = 0; code < used.size(); ++code)
        if (used[code])
          values.texts.push_back(column.dictionary.text(static_cast<std::int32_t>(code)));
      std::sort(values.texts.begin(), values.texts.end());
      std::vector<std::int32_t> place(used.size(), -1);
      for (std::size_t i = 0; i < values.texts.size(); ++i)
        place[static_cast<std::size_t>(column.dictionary.find(values.texts[i]))] =
            static_cast<std::int32_t>(i);
      for (std::size_t row = 0; row < rows; ++row)
        if (!column.is_missing(row))
          values.rows[row] = place[static_cast<std::size_t>(column.codes[row])];
      values.as_key = 2 * values.texts.size() <= rows;
      return values;
    }
    std::vector<double> distinct;
    for (std::size_t row = 0; row < rows; ++row)
      if (!column.is_missing(row))
        distinct.push_back(column.values[row]);
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    values.many = distinct.size() > most;
    if (values.many)
      return values;
    values.fine = distinct.empty() || (std::isfinite(distinct.front()) && std::isfinite(distinct.back()));
    for (std::size_t row = 0; row < rows; ++row)
      if (!column.is_missing(row))
        values.rows[row] = static_cast<std::int32_t>(
            std::lower_bound(distinct.begin(), distinct.end(), column.values[row]) - distinct.begin());
    // A number that has a code for each value in any encoding there is by default.
    values.as_key =
        values.fine && distinct.size() <= std::min(most_number_keys, std::max<std::size_t>(rows / 16, 16));
    values.numbers = std::move(distinct);
    return values;
  }
  static constexpr std::int32_t no_value = -2;
  static constexpr std::size_t most_number_keys = 256;

  /// What most rows of each key hold, and behind the last those of a missing key; `no_value` where there are
  /// no rows.
  static std::vector<std::int32_t> usual_values(const Values& key, const Values& column) {
    // The vote of Boyer & Moore: if more than half of a key's rows agree, that is the one left standing.
    std::vector<std::int32_t> usual(key.count() + 1, no_value);
    std::vector<std::size_t> votes(key.count() + 1);
    for (std::size_t row = 0; row < key.rows.size(); ++row) {
      const auto k = static_cast<std::size_t>(key.rows[row] < 0 ? static_cast<std::ptrdiff_t>(key.count())
                                                                : key.rows[row]);
      if (votes[k] == 0)
        usual[k] = column.rows[row];
      votes[k] = usual[k] == column.rows[row] ? votes[k] + 1 : votes[k] - 1;
    }
    return usual;
  }
  struct Broken {
    std::size_t rows = 0;
    std::size_t first = 0;
  };
  /// In how many rows a key does not go with its usual value, counted up to more than `most`.
  static Broken broken_by(const Values& key, const Values& column, std::size_t most) {
    const auto usual = usual_values(key, column);
    Broken broken;
    for (std::size_t row = 0; row < key.rows.size() && broken.rows <= most; ++row)
      if (usual[key.rows[row] < 0 ? key.count() : static_cast<std::size_t>(key.rows[row])] !=
          column.rows[row]) {
        broken.first = broken.rows == 0 ? row : broken.first;
        ++broken.rows;
      }
    return broken;
  }
  /// Whether each key goes with one value, and this says more nats about the rows than chance could in so
  /// many pairs of columns: the surprise of all values that are not the first of their key.
  static bool gives(const Values& key, const Values& column, double candidates, std::size_t most_broken,
                    std::size_t least_rows) {
    if (!key.as_key || column.many || !column.fine || key.count() < 2 || column.count() < 2 ||
        column.count() > key.count() || !column.has_rows(least_rows))
      return false;
    std::vector<std::int32_t> value(key.count() + 1, no_value);
    std::vector<double> shares(column.count() + 1);
    const std::size_t rows = key.rows.size();
    for (const auto place : column.rows)
      ++shares[static_cast<std::size_t>(place + 1)];
    double nats = 0;
    std::size_t conflicts = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      auto& first = value[static_cast<std::size_t>(key.rows[row] + 1)];
      if (first == no_value)
        first = column.rows[row];
      else if (first == column.rows[row])
        nats -= std::log(shares[static_cast<std::size_t>(first + 1)] / static_cast<double>(rows));
      else if (++conflicts > most_broken && most_broken == 0)
        return false;
    }
    constexpr double sure = 30; // 1e-13
    return nats > sure + std::log(candidates) &&
           (conflicts == 0 || broken_by(key, column, most_broken).rows <= most_broken);
  }
  static LookupColumn make(std::size_t key_slot, const Column& key_column, const Values& keys,
                           std::size_t slot, const Column& column, const Values& values) {
    LookupColumn lookup;
    lookup.column = slot;
    lookup.key = key_slot;
    lookup.categorical = column.kind == ColumnKind::categorical;
    lookup.key_categorical = key_column.kind == ColumnKind::categorical;
    lookup.key_texts = keys.texts;
    lookup.key_numbers = keys.numbers;
    lookup.texts = values.texts;
    lookup.numbers = values.numbers;
    lookup.decimals = column.decimals;
    for (const auto place : usual_values(keys, values))
      lookup.places.push_back(std::max(place, missing_code));
    return lookup;
  }

  double number_at(std::int32_t place) const noexcept {
    return place < 0 ? std::numeric_limits<double>::quiet_NaN() : numbers[static_cast<std::size_t>(place)];
  }
  std::size_t nearest(double number) const noexcept {
    return kernel::nearest(key_numbers.data(), key_numbers.size(), number);
  }
  /// Of one row, in which the key's code counts the key's texts.
  std::int32_t place_of(RowCells cells) const noexcept {
    if (!key_categorical)
      return places[std::isnan(cells.numbers[key]) ? key_numbers.size() : nearest(cells.numbers[key])];
    const std::int32_t code = cells.codes[key];
    return code < 0                                            ? places.back()
           : static_cast<std::size_t>(code) < key_texts.size() ? places[static_cast<std::size_t>(code)]
                                                               : -1;
  }
  /// The keys of a table's rows.
  struct Keys {
    const LookupColumn& lookup;
    const Column& column;
    std::vector<std::int32_t> places; ///< of each text of the column's dictionary; −1: no key

    std::size_t place(std::size_t row) const noexcept {
      if (column.is_missing(row))
        return lookup.places.size() - 1;
      return lookup.key_categorical
                 ? static_cast<std::size_t>(places[static_cast<std::size_t>(column.codes[row])])
                 : lookup.nearest(column.values[row]);
    }
    bool unknown(std::size_t row) const noexcept {
      return lookup.key_categorical && !column.is_missing(row) &&
             places[static_cast<std::size_t>(column.codes[row])] < 0;
    }
  };
  Keys keys_of(const Column& column_of_keys) const {
    Keys keys{*this, column_of_keys, {}};
    for (const auto& text : column_of_keys.dictionary.texts()) {
      const auto found = std::lower_bound(key_texts.begin(), key_texts.end(), text);
      keys.places.push_back(found != key_texts.end() && *found == text
                                ? static_cast<std::int32_t>(found - key_texts.begin())
                                : -1);
    }
    return keys;
  }
  bool holds(const Column& from, std::size_t row, std::int32_t place) const {
    if (from.is_missing(row) || place < 0)
      return from.is_missing(row) && place < 0;
    const auto at = static_cast<std::size_t>(place);
    return categorical ? from.dictionary.text(from.codes[row]) == texts[at] : from.values[row] == numbers[at];
  }
  std::string describe(std::int32_t place) const {
    if (place < 0)
      return "a missing value";
    const auto at = static_cast<std::size_t>(place);
    if (categorical)
      return detail::in_quotes(texts[at]);
    std::string text;
    append_number(text, numbers[at], -1);
    return text;
  }
};

ROWSMITH_END
