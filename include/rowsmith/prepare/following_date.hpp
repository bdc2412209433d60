// SPDX-License-Identifier: MIT
/// \file
/// Dates that lie a little behind others.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/kernel/calendar.hpp>
#include <rowsmith/prepare/calendar_search.hpp>
#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A date that the model learns as what lies between another date and it, such as the days until an order is
/// shipped: of two dates that a model draws one by one, each falls somewhere in a bin, and what lies between
/// them is lost. It is whole days between the days of both, or seconds where both have times and lie within a
/// day of each other. A date without the other, or one that is no whole number of days, has no form for the
/// model.
struct FollowingDate {
  static constexpr std::string_view kind = "following";

  std::size_t column = 0;     ///< its slot
  std::size_t other = 0;      ///< the slot of the date that it follows
  bool seconds = false;       ///< between both, which count these; otherwise days
  bool other_seconds = false; ///< the other date counts seconds
  int decimals = -1;          ///< the column's, as `Column::decimals`

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("other", self.other);
    visit("seconds", self.seconds);
    visit("other_seconds", self.other_seconds);
    visit("decimals", self.decimals);
  }

  /// Those of `PreparationOptions::dates` that lie much closer to an earlier column of them than to each
  /// other, unless their own place in the calendar says more, as that of a payment on the last of the month
  /// does.
  static std::vector<FollowingDate> fit(const PreparedColumns& train, const PreparationOptions& options) {
    std::vector<FollowingDate> found;
    if (!options.calendar)
      return found;
    std::vector<Date> dates;
    for (const std::size_t slot : train.live)
      for (const DateColumn& date : options.dates)
        if (const Column& one = *train.slots[slot];
            one.name == date.name && one.kind == ColumnKind::numerical &&
            std::none_of(dates.begin(), dates.end(), [&](const Date& known) { return known.slot == slot; })) {
          const auto user = std::find_if(train.slots.begin(), train.slots.end(),
                                         [&](const Column* any) { return any->name == date.name; });
          dates.push_back({slot, &one, *user, &date});
        }
    for (std::size_t i = dates.size(); i-- > 1;) { // what follows another comes before it in the list
      std::optional<Gap> best;
      std::size_t leader = 0;
      for (std::size_t j = 0; j < i; ++j)
        if (const auto gap = gap_of(dates[i], dates[j]); gap && (!best || gap->cost < best->cost)) {
          best = gap;
          leader = j;
        }
      if (!best || !(best->cost <= own_cost(train, dates[i], dates[leader])))
        continue;
      const FollowingDate one{.column = dates[i].slot,
                              .other = dates[leader].slot,
                              .seconds = best->seconds,
                              .other_seconds = dates[leader].timed(),
                              .decimals = dates[i].column->decimals};
      if (one.keeps(*dates[i].column, *dates[leader].column))
        found.push_back(one);
    }
    return found;
  }

  std::vector<std::size_t> takes() const { return {column}; }
  std::vector<std::size_t> reads() const { return {other}; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    if (other >= schema.size() || other == column || schema[column].kind != ColumnKind::numerical ||
        schema[other].kind != ColumnKind::numerical || decimals < -1 || decimals > 15 ||
        (seconds && !other_seconds))
      throw SchemaError("prepare: what the date in column '" + schema[column].name +
                        "' follows is impossible");
    return {detail::made_column(schema[column].name + ": " + (seconds ? "seconds" : "days") + " behind " +
                                    schema[other].name,
                                schema)};
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return "'" + schema[column].name + "' is learnt as the " + (seconds ? "seconds" : "days") + " behind '" +
           schema[other].name + "'";
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    const Column& from = *slots[column];
    auto made = Column::numerical({}, std::vector<double>(from.rows()), seconds ? decimals : 0);
    for (std::size_t row = 0; row < from.rows(); ++row)
      if (!taken(from.values[row], slots[other]->values[row], made.values[row]))
        refuse(from, row,
               "a date that '" + slots[other]->name + "' and " + (seconds ? "seconds" : "whole days") +
                   " give");
    return {std::move(made)};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t made, std::size_t rows) const {
    auto result = Column::numerical({}, std::vector<double>(rows), decimals);
    auto gap = view();
    gap.made = made;
    for (std::size_t row = 0; row < rows; ++row) {
      double number = 0; // of any column, to give a reference
      gap.put([&](std::size_t slot) -> double& {
        if (slot == column)
          return result.values[row];
        number = slots[slot]->values[row];
        return number;
      });
    }
    return {std::move(result)};
  }
  bool forward(RowCells cells, std::size_t made) const noexcept {
    auto gap = view();
    gap.made = made;
    return gap.take([&](std::size_t slot) -> double& { return cells.numbers[slot]; });
  }
  void backward(RowCells cells, std::size_t made) const noexcept {
    auto gap = view();
    gap.made = made;
    gap.put([&](std::size_t slot) -> double& { return cells.numbers[slot]; });
    cells.codes[column] = missing_code;
  }

  /// Where the date is fixed and the other is not: puts the other so that the gap lies between them.
  bool settle(RowCells cells, std::size_t made, std::vector<bool>& fixed,
              std::span<const int>) const noexcept {
    if (!fixed[column] || fixed[other])
      return false;
    auto gap = view();
    gap.made = made;
    if (!gap.put_other([&](std::size_t slot) -> double& { return cells.numbers[slot]; }))
      return false;
    fixed[other] = true;
    return true;
  }

  /// A view of this object, of which the column that it makes is to be set.
  kernel::DateGap view() const noexcept {
    return {.seconds = seconds,
            .other_seconds = other_seconds,
            .rounding = decimals < 0 ? 0 : std::pow(10.0, decimals),
            .column = column,
            .other = other,
            .made = 0};
  }

private:
  struct Date {
    std::size_t slot;
    const Column* column;
    const Column* user; ///< as the user has it
    const DateColumn* declared;
    /// Some rows tell what all would.
    std::size_t glances() const noexcept { return std::min<std::size_t>(column->rows(), 32'768); }
    std::size_t glance(std::size_t i) const noexcept { return i * column->rows() / glances(); }
    bool timed() const noexcept { return declared->unit == DateColumn::Unit::seconds; }
    bool present(std::size_t row) const {
      return !std::isnan(user->values[row]) && !std::isnan(column->values[row]);
    }
    std::int64_t day(std::size_t row) const {
      return static_cast<std::int64_t>(std::floor(column->values[row] / (timed() ? 86400 : 1)));
    }
  };
  struct Gap {
    bool seconds;
    double cost; ///< nats that it takes to say the days between both, given the weekday of the other
  };
  /// How many nats it takes to say a value of those, in the mean.
  class Entropy {
  public:
    void add(std::int64_t of, std::int64_t value) {
      ++counts_[{of, value}];
      ++totals_[of];
      ++rows_;
    }
    double nats() const {
      double sum = 0;
      for (const auto& [key, count] : counts_)
        sum += static_cast<double>(count) *
               std::log(static_cast<double>(totals_.at(key.first)) / static_cast<double>(count));
      return sum / static_cast<double>(rows_);
    }

  private:
    std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> counts_;
    std::map<std::int64_t, std::size_t> totals_;
    std::size_t rows_ = 0;
  };

  bool taken(double date, double others, double& gap) const noexcept {
    auto one = view();
    one.column = 0;
    one.other = 1;
    one.made = 2;
    return one.take([&](std::size_t i) -> double& { return i == 0 ? date : i == 1 ? others : gap; });
  }
  bool keeps(const Column& date, const Column& others) const {
    double gap = 0;
    for (std::size_t row = 0; row < date.rows(); ++row)
      if (!taken(date.values[row], others.values[row], gap))
        return false;
    return true;
  }
  static double most_between(std::vector<double>& values) { // from the 20th to the 19th twentieth
    std::sort(values.begin(), values.end());
    return values[values.size() * 19 / 20] - values[values.size() / 20];
  }
  /// What lies between two dates, if that is much less than there is between the dates of a column.
  static std::optional<Gap> gap_of(const Date& date, const Date& other) {
    std::vector<double> days;
    std::vector<double> gaps;
    std::size_t within = 0;
    Entropy entropy;
    for (std::size_t i = 0; i < date.glances(); ++i) {
      const std::size_t row = date.glance(i);
      if (!date.present(row))
        continue;
      const double number = date.column->values[row];
      const double others = other.column->values[row];
      if (!other.present(row) || !(std::abs(number) < 1e15) || !(std::abs(others) < 1e15))
        return std::nullopt;
      const std::int64_t gap = date.day(row) - other.day(row);
      days.push_back(static_cast<double>(date.day(row)));
      gaps.push_back(static_cast<double>(gap));
      within += date.timed() && other.timed() && std::abs(number - others) < 86400 ? 1U : 0U;
      entropy.add(other.day(row) - 7 * kernel::week_of(other.day(row)), gap);
    }
    if (days.size() < least_rows || (date.timed() && 20 * within < 19 * days.size()))
      return std::nullopt;
    if (!(8 * most_between(gaps) < most_between(days)))
      return std::nullopt;
    return Gap{date.timed(), entropy.nats()};
  }
  /// As many nats as it takes to say a date by its own place in the calendar, and by the periods that lie
  /// between both.
  static double own_cost(const PreparedColumns& train, const Date& date, const Date& other) {
    detail::CalendarSearch search(train, date.slot, *date.user, *date.declared);
    const auto choice = search.run();
    if (!choice)
      return search.few_values() ? 0 : std::numeric_limits<double>::infinity();
    if (choice->split == kernel::CalendarSplit::day)
      return std::numeric_limits<double>::infinity();
    const bool weeks =
        choice->split == kernel::CalendarSplit::week || choice->split == kernel::CalendarSplit::year_week;
    const kernel::Calendar calendar{.split =
                                        weeks ? kernel::CalendarSplit::week : kernel::CalendarSplit::month,
                                    .month_ends = choice->month_ends};
    Entropy periods;
    Entropy places;
    for (std::size_t i = 0; i < date.glances(); ++i)
      if (const std::size_t row = date.glance(i); date.present(row)) {
        double own[kernel::Calendar::most_parts] = {};
        double others[kernel::Calendar::most_parts] = {};
        calendar.parts_of(static_cast<double>(date.day(row)), own);
        calendar.parts_of(static_cast<double>(other.day(row)), others);
        periods.add(0, static_cast<std::int64_t>(own[0] - others[0]));
        places.add(0, static_cast<std::int64_t>(own[1]));
      }
    return periods.nats() + places.nats();
  }
  static constexpr std::size_t least_rows = 100;
};

ROWSMITH_END
