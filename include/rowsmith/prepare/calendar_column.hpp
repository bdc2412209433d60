// SPDX-License-Identifier: MIT
/// \file
/// Dates that are learnt as parts of the calendar.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/kernel/calendar.hpp>
#include <rowsmith/prepare/calendar_search.hpp>
#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A column of dates, one number each, that the model learns as weeks and weekdays, as months and days of the
/// month, or as days, each with the time of day if the dates have one: a bin of a column of dates holds
/// Sundays and Mondays, noons and midnights alike. All parts are whole numbers but for the time of day, so
/// that neighbours stay neighbours. Parts of a date give it back to the last digit. Where a model draws parts
/// that no date has, they are taken for the nearest: the 31st of February is its last day, week 53 of a year
/// its last week.
///
/// A part with one value in all training rows is put back, not learnt; a date that has another has no form
/// for the model, and neither has one that is no whole number of days or of the steps in which the training
/// rows count times of day. A date is missing where the first part that is learnt is; the others have a value
/// of their own in place of missing ones, and a drawn one that is missing counts as that.
struct CalendarColumn {
  static constexpr std::string_view kind = "calendar";

  std::size_t column = 0;       ///< its slot
  int split = 0;                ///< as numbers of `kernel::CalendarSplit`
  bool seconds = false;         ///< the dates count these, not days: the last part is the time of day
  bool month_ends = false;      ///< the last day of any month counts as its 31st
  std::size_t time_step = 1;    ///< seconds that the time of day is counted in; divides a day
  std::vector<int> learnt{};    ///< by part: 1, or 0 for one that is put back
  std::vector<double> values{}; ///< by part: of one not learnt, always; of others, where a date is missing
  int decimals = -1;            ///< the column's, as `Column::decimals`

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("split", self.split);
    visit("seconds", self.seconds);
    visit("month_ends", self.month_ends);
    visit("time_step", self.time_step);
    visit("learnt", self.learnt);
    visit("values", self.values);
    visit("decimals", self.decimals);
  }

  /// Those of `PreparationOptions::dates` in which parts of the calendar matter, and not by chance.
  /// \throws SchemaError for a date that is no numerical column
  static std::vector<CalendarColumn> fit(const PreparedColumns& train, const PreparationOptions& options) {
    std::vector<CalendarColumn> found;
    for (const DateColumn& date : options.dates) {
      const auto named = [&](const Column* one) { return one->name == date.name; };
      const auto any = std::find_if(train.slots.begin(), train.slots.end(), named);
      if (any == train.slots.end() || (*any)->kind != ColumnKind::numerical)
        throw SchemaError("prepare: the date " + detail::in_quotes(date.name) +
                          (any == train.slots.end() ? " is no column" : " is not a numerical column"));
      if (date.step < 1 || date.step > 86400)
        throw OptionError("prepare: the date " + detail::in_quotes(date.name) + " has steps of " +
                          std::to_string(date.step) + " seconds, expected 1 to 86400");
      const auto live = std::find_if(train.live.begin(), train.live.end(),
                                     [&](std::size_t slot) { return named(train.slots[slot]); });
      if (!options.calendar || live == train.live.end() ||
          std::any_of(found.begin(), found.end(), [&](const auto& one) { return one.column == *live; }))
        continue;
      if (const auto choice = detail::CalendarSearch(train, *live, **any, date).run())
        if (auto made = make(*live, *train.slots[*live], date, *choice);
            std::count(made.learnt.begin(), made.learnt.end(), 1) > 0 && made.keeps(*train.slots[*live]))
          found.push_back(std::move(made));
    }
    return found;
  }

  std::vector<std::size_t> takes() const { return {column}; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    const auto parts = view().parts();
    const bool fine =
        schema[column].kind == ColumnKind::numerical && split >= 0 && split < split_count &&
        (seconds || split > 0) && learnt.size() == parts && values.size() == parts &&
        std::all_of(learnt.begin(), learnt.end(), [](int one) { return one == 0 || one == 1; }) &&
        std::count(learnt.begin(), learnt.end(), 1) > 0 &&
        std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }) &&
        decimals >= -1 && decimals <= 15 && time_step >= 1 && time_step <= 86400 && 86400 % time_step == 0;
    if (!fine)
      throw SchemaError("prepare: the parts of the date in column '" + schema[column].name +
                        "' are impossible");
    std::vector<ColumnSchema> made;
    for (std::size_t i = 0; i < parts; ++i)
      if (learnt[i] == 1) {
        made.push_back(detail::made_column(schema[column].name + ": " + std::string(part_name(i)), schema));
      }
    return made;
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    std::vector<std::string_view> names;
    std::string constant;
    for (std::size_t i = 0; i < learnt.size(); ++i)
      if (learnt[i] == 1)
        names.push_back(part_name(i));
      else
        constant += "; its " + std::string(part_name(i)) + " is always " + value_text(i);
    std::string list;
    for (std::size_t i = 0; i < names.size(); ++i)
      list.append(i == 0 ? "" : i + 1 < names.size() ? ", " : " and ").append(names[i]);
    return "'" + schema[column].name + "' is learnt as its " + list + constant;
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals& refuse) const {
    const Column& from = *slots[column];
    auto view = this->view();
    view.made = 0;
    std::vector<Column> made;
    for (std::size_t i = 0; i < learnt.size(); ++i)
      if (learnt[i] == 1)
        made.push_back(Column::numerical({}, std::vector<double>(from.rows()), decimals_of(i)));
    view.column = made.size();
    double date = 0;
    for (std::size_t row = 0; row < from.rows(); ++row) {
      date = from.values[row];
      const auto at = [&](std::size_t i) -> double& { return i < made.size() ? made[i].values[row] : date; };
      if (!view.take(at))
        refuse(from, row, expected());
    }
    return made;
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t made, std::size_t rows) const {
    auto result = Column::numerical({}, std::vector<double>(rows), decimals);
    auto view = this->view();
    view.made = made;
    for (std::size_t row = 0; row < rows; ++row) {
      double number = 0; // of any column, to give a reference
      view.put([&](std::size_t slot) -> double& {
        if (slot == column)
          return result.values[row];
        number = slots[slot]->values[row];
        return number;
      });
    }
    return {std::move(result)};
  }
  bool forward(RowCells cells, std::size_t made) const noexcept {
    auto view = this->view();
    view.made = made;
    return view.take([&](std::size_t slot) -> double& { return cells.numbers[slot]; });
  }
  void backward(RowCells cells, std::size_t made) const noexcept {
    auto view = this->view();
    view.made = made;
    view.put([&](std::size_t slot) -> double& { return cells.numbers[slot]; });
    cells.codes[column] = missing_code;
  }

  /// A view of this object, of which the first column that it makes is to be set.
  kernel::Calendar view() const noexcept {
    return {.split = static_cast<kernel::CalendarSplit>(split),
            .seconds = seconds,
            .month_ends = month_ends,
            .time_step = static_cast<double>(time_step),
            .rounding = decimals < 0 ? 0 : std::pow(10.0, decimals),
            .column = column,
            .made = 0,
            .learnt = learnt.data(),
            .values = values.data()};
  }

private:
  static constexpr int split_count = 5;

  std::string_view part_name(std::size_t part) const {
    static constexpr std::array<std::array<std::string_view, 3>, split_count> names{
        {{"day"},
         {"week", "weekday"},
         {"year", "week of the year", "weekday"},
         {"month", "day of the month"},
         {"year", "month of the year", "day of the month"}}};
    return seconds && part + 1 == learnt.size() ? "time of day"
                                                : names[static_cast<std::size_t>(split)][part];
  }
  std::string value_text(std::size_t part) const {
    static constexpr std::array<std::string_view, 7> days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                          "Friday", "Saturday", "Sunday"};
    const double value = values[part];
    const auto name = part_name(part);
    std::string text;
    if (name == "time of day")
      append_date(text, value * static_cast<double>(time_step),
                  value == std::floor(value) ? "hh:mm:ss" : "hh:mm:ss.fff");
    else if (name == "day")
      append_date(text, value, "YYYY-MM-DD");
    else if (name == "weekday" && value >= 1 && value <= 7)
      text = days[static_cast<std::size_t>(value) - 1];
    else if (name == "day of the month" && month_ends && value == 31)
      text = "the last";
    else
      append_number(text, value, -1);
    return text;
  }
  int decimals_of(std::size_t part) const noexcept {
    return seconds && part + 1 == learnt.size() && time_step == 1 ? decimals : 0;
  }
  std::string expected() const {
    std::string text = seconds && time_step > 1 ? "a date in steps of " + std::to_string(time_step) +
                                                      " seconds, as in every training row"
                                                : "a date in whole days";
    if (seconds && time_step == 1)
      text = "a date of so many decimals as the training rows have";
    for (std::size_t i = 0; i < learnt.size(); ++i)
      if (learnt[i] == 0)
        text += ", whose " + std::string(part_name(i)) + " is " + value_text(i);
    return text;
  }
  bool keeps(const Column& from) const {
    std::array<double, kernel::Calendar::most_parts> parts{};
    return std::all_of(from.values.begin(), from.values.end(),
                       [&](double date) { return std::isnan(date) || view().parts_of(date, parts.data()); });
  }
  static CalendarColumn make(std::size_t column, const Column& from, const DateColumn& date,
                             const detail::CalendarChoice& choice) {
    CalendarColumn result;
    result.column = column;
    result.split = static_cast<int>(choice.split);
    result.seconds = date.unit == DateColumn::Unit::seconds;
    result.month_ends = choice.month_ends;
    result.time_step = static_cast<std::size_t>(choice.time_step);
    result.decimals = from.decimals;
    const auto view = result.view();
    std::vector<std::vector<double>> all(view.parts());
    std::array<double, kernel::Calendar::most_parts> parts{};
    for (const double value : from.values)
      if (!std::isnan(value) && view.parts_of(value, parts.data()))
        for (std::size_t i = 0; i < all.size(); ++i)
          all[i].push_back(parts[i]);
    for (auto& values : all) {
      // The value in the middle, so that it is one that dates have.
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
      std::nth_element(values.begin(), middle, values.end());
      result.values.push_back(*middle);
      const bool constant =
          std::all_of(values.begin(), values.end(), [&](double value) { return value == *middle; });
      result.learnt.push_back(constant ? 0 : 1);
    }
    return result;
  }
};

ROWSMITH_END
