// SPDX-License-Identifier: MIT
/// \file
/// Whether weekdays, days of the month, months of the year and hours matter in a column of dates.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/kernel/calendar.hpp>
#include <rowsmith/prepare/transform.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Rows by their place in a period that comes again: by weekday of their week, by hour of their day.
struct Rhythm {
  std::size_t places = 0;           ///< of a period, such as 7
  std::vector<std::size_t> block{}; ///< by row: which period
  std::vector<std::size_t> place{}; ///< by row: where in it
  std::vector<bool> open{}; ///< by period and place: it is there, such as a 31st, and not beyond the dates
};

/// Measures what places of a rhythm have to do with how many rows there are, or with another column, in nats
/// a row, beyond what chance shows. Chance is what is left if the places of each period are shuffled, their
/// rows kept together: neither a trend, nor a few days with very many rows, nor rows of a day that are alike
/// make a rhythm.
class RhythmTest {
public:
  /// \param tests  how many will be made in all
  RhythmTest(Rhythm rhythm, double tests)
      : rhythm_(std::move(rhythm)), level_(std::sqrt(25 + 2 * std::log(tests))) {
    const std::size_t rows = rhythm_.block.size();
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto unit = [&](std::size_t row) {
      return rhythm_.block[row] * rhythm_.places + rhythm_.place[row];
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return std::pair(unit(a), a) < std::pair(unit(b), b); });
    for (std::size_t i = 0; i < rows; ++i) {
      if (i == 0 || unit(order[i]) != unit(order[i - 1]))
        units_.push_back({rhythm_.block[order[i]], rhythm_.place[order[i]], i});
      rows_.push_back(order[i]);
    }
    used_.assign(rhythm_.places, false);
    for (const Unit& one : units_)
      used_[one.place] = true;
    const std::size_t blocks = rhythm_.open.size() / rhythm_.places;
    std::vector<double> of_block(blocks);
    for (const std::size_t block : rhythm_.block)
      ++of_block[block];
    expected_.assign(rhythm_.places, 0);
    for (std::size_t b = 0; b < blocks; ++b) {
      const auto places = open_places(b, false);
      for (const std::size_t place : places)
        expected_[place] += of_block[b] / static_cast<double>(places.size());
    }
  }

  /// Of the number of rows: 0 if that may be chance.
  double of_rows() const { return beyond_chance({}, 1, rhythm_.places - 1); }
  /// Of another column. \param groups  by row, in [0, count) \param least  less is not looked at
  double of_groups(std::span<const std::uint8_t> groups, std::size_t count, double least) const {
    const auto places = static_cast<std::size_t>(std::count(used_.begin(), used_.end(), true));
    if (places < 2 || count < 2)
      return 0;
    const std::size_t freedom = (places - 1) * (count - 1);
    std::vector<std::size_t> own;
    for (const Unit& unit : units_)
      own.push_back(unit.place);
    const double rough =
        effect(own, groups, count) - 0.5 * static_cast<double>(freedom) / static_cast<double>(rows_.size());
    return rough < least ? 0 : beyond_chance(groups, count, freedom);
  }

private:
  struct Unit {
    std::size_t block, place, first; ///< its rows are those from `first` of `rows_`
  };
  static constexpr std::size_t shuffles = 40;

  /// The places of a period that its units can be in.
  std::vector<std::size_t> open_places(std::size_t block, bool only_used) const {
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < rhythm_.places; ++place)
      if (rhythm_.open[block * rhythm_.places + place] && (!only_used || used_[place]))
        places.push_back(place);
    return places;
  }
  /// The distance of the rows' places from those expected, or what they tell of the groups.
  double effect(std::span<const std::size_t> place_of_unit, std::span<const std::uint8_t> groups,
                std::size_t count) const {
    std::vector<double> table(rhythm_.places * count);
    std::vector<double> of_place(rhythm_.places);
    std::vector<double> of_group(count);
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const std::size_t end = u + 1 < units_.size() ? units_[u + 1].first : rows_.size();
      for (std::size_t i = units_[u].first; i < end; ++i) {
        const std::size_t group = groups.empty() ? 0 : groups[rows_[i]];
        ++table[place_of_unit[u] * count + group];
        ++of_place[place_of_unit[u]];
        ++of_group[group];
      }
    }
    const auto rows = static_cast<double>(rows_.size());
    double sum = 0;
    for (std::size_t place = 0; place < rhythm_.places; ++place)
      for (std::size_t group = 0; group < count; ++group)
        if (const double found = table[place * count + group]; found > 0)
          sum += found * std::log(found / (groups.empty() ? expected_[place]
                                                          : of_place[place] * of_group[group] / rows));
    return sum / rows;
  }
  double beyond_chance(std::span<const std::uint8_t> groups, std::size_t count, std::size_t freedom) const {
    std::vector<std::size_t> places;
    for (const Unit& unit : units_)
      places.push_back(unit.place);
    const double found = effect(places, groups, count);
    RandomSequence random(RandomStream(rows_.size(), Purpose::shuffle));
    double sum = 0;
    double squares = 0;
    for (std::size_t s = 0; s < shuffles; ++s) {
      for (std::size_t first = 0, end = 0; first < units_.size(); first = end) {
        auto free = open_places(units_[first].block, !groups.empty());
        for (std::size_t next = 0; end < units_.size() && units_[end].block == units_[first].block;
             ++end, ++next) {
          std::swap(free[next], free[next + random.below(static_cast<std::uint32_t>(free.size() - next))]);
          places[end] = free[next];
        }
      }
      const double shuffled = effect(places, groups, count);
      sum += shuffled;
      squares += shuffled * shuffled;
    }
    const double mean = sum / shuffles;
    const double variance = squares / shuffles - mean * mean;
    if (!(mean > 0) || !(found > mean))
      return 0;
    // By chance it is about a chi-square's share of that mean (Wilson & Hilferty 1931), with fewer degrees of
    // freedom if few days have most of the rows.
    const double degrees =
        std::min(static_cast<double>(freedom), 2 * mean * mean / std::max(variance, 1e-300));
    const double h = 2 / (9 * degrees);
    return (std::cbrt(found / mean) - (1 - h)) / std::sqrt(h) > level_ ? found - mean : 0;
  }

  Rhythm rhythm_;
  double level_;
  std::vector<Unit> units_;       ///< what has rows, by block and place
  std::vector<std::size_t> rows_; ///< by unit
  std::vector<bool> used_;        ///< places that have rows
  std::vector<double> expected_;  ///< rows of each place if they were spread evenly over their periods
};

/// What is to be done with a column of dates.
struct CalendarChoice {
  kernel::CalendarSplit split = kernel::CalendarSplit::day;
  bool month_ends = false;
  double time_step = 1;
};

/// Finds the parts by which a column of dates is best learnt.
class CalendarSearch {
public:
  /// \param slot  of a numerical column
  /// \param user  the column as the user has it: it may be missing where another value stands in that slot
  CalendarSearch(const PreparedColumns& train, std::size_t slot, const Column& user, const DateColumn& date)
      : train_(train), slot_(slot), date_(date) {
    const auto& values = train.slots[slot]->values;
    for (std::size_t row = 0; row < values.size(); ++row)
      if (!std::isnan(values[row]) && !std::isnan(user.values[row])) {
        std::array<double, 2> parts{};
        fine_ = fine_ && by_day().parts_of(values[row], parts.data());
        rows_.push_back({row, static_cast<std::int64_t>(parts[0]), parts[1]});
      }
  }

  /// Nothing if the column is best learnt as one number.
  std::optional<CalendarChoice> run() {
    if (!fine_ || rows_.empty())
      return std::nullopt;
    const auto [first, last] = std::minmax_element(rows_.begin(), rows_.end(),
                                                   [](const Row& a, const Row& b) { return a.day < b.day; });
    first_ = first->day;
    last_ = last->day;
    survey();
    CalendarChoice choice;
    choice.time_step = time_step();
    choice.month_ends = last_of_month_ || (days_31_ > 2 * days_30_ && days_31_ > 0);
    if (const auto split = by_constants()) {
      choice.split = *split;
      return choice;
    }
    glance();
    const double tests = 4 * static_cast<double>(train_.live.size());
    const double weekday = gain(RhythmTest(weekdays(), tests), least);
    const double day = gain(RhythmTest(days_of_month(), tests), least);
    // Over a few years each month is one to the model.
    const bool seasons = last_ - first_ > 4 * 366 && gain(RhythmTest(months(), tests), 4 * least) > 0;
    if (weekday > 0 && weekday >= day)
      choice.split = seasons ? kernel::CalendarSplit::year_week : kernel::CalendarSplit::week;
    else if (day > 0 || seasons)
      choice.split = seasons ? kernel::CalendarSplit::year_month : kernel::CalendarSplit::month;
    else if (!timed() || !(time_constant_ || choice.time_step > date_.step ||
                           gain(RhythmTest(hours(), tests), least) > 0))
      return std::nullopt;
    return choice;
  }

  /// Has it so few values that a model learns them one by one? After `run`.
  bool few_values() const noexcept { return few_; }

private:
  static constexpr double least = 0.005; // nats a row: a weekday of which a third is missing
  static constexpr double needed = 30;   // nats: a chance of 1e-13

  struct Row {
    std::size_t row;
    std::int64_t day;
    double time; ///< seconds since midnight
  };

  bool timed() const noexcept { return date_.unit == DateColumn::Unit::seconds; }
  kernel::Calendar by_day() const noexcept {
    const int decimals = train_.slots[slot_]->decimals;
    return {.seconds = timed(), .rounding = decimals < 0 ? 0 : std::pow(10.0, decimals)};
  }
  /// Looks at all rows once.
  void survey() {
    std::set<double> distinct;
    std::set<std::int64_t> days;
    std::array<bool, 8> weekday{};
    std::array<bool, 32> day{};
    std::array<bool, 13> month{};
    std::set<std::int64_t> weeks, months, years;
    last_of_month_ = true;
    time_constant_ = true;
    const std::size_t most = std::min<std::size_t>(256, std::max<std::size_t>(rows_.size() / 16, 16));
    for (const Row& row : rows_) {
      if (distinct.size() <= most)
        distinct.insert(train_.slots[slot_]->values[row.row]);
      time_constant_ = time_constant_ && row.time == rows_.front().time;
      const auto civil = kernel::civil_day(row.day);
      const unsigned last = kernel::days_in_month(civil.year, civil.month);
      if (last == 31) {
        days_31_ += civil.day == 31 ? 1U : 0U;
        days_30_ += civil.day == 30 ? 1U : 0U;
      }
      if (!days.insert(row.day).second)
        continue;
      const std::int64_t week = kernel::week_of(row.day);
      weekday[static_cast<std::size_t>(row.day + 3 - 7 * week)] = true;
      day[civil.day] = true;
      month[civil.month] = true;
      weeks.insert(week);
      months.insert(12 * civil.year + civil.month);
      years.insert(civil.year);
      last_of_month_ = last_of_month_ && civil.day == last;
    }
    few_ = distinct.size() <= most;
    const auto one = [](const auto& places) { return std::count(places.begin(), places.end(), true) == 1; };
    // Each different date counts once: that is no chance.
    const auto telling = [](const auto& blocks, double places) {
      return static_cast<double>(blocks.size()) * std::log(places) > needed;
    };
    time_constant_ = time_constant_ && telling(days, 1440);
    one_weekday_ = one(weekday) && telling(weeks, 7);
    one_day_ = (one(day) || last_of_month_) && telling(months, 30);
    one_month_ = one(month) && telling(years, one(day) || last_of_month_ ? 365 : 12);
    one_day_ = one_day_ || ((one(day) || last_of_month_) && one_month_);
  }
  std::optional<kernel::CalendarSplit> by_constants() const {
    if (one_month_)
      return kernel::CalendarSplit::year_month;
    if (one_day_)
      return kernel::CalendarSplit::month;
    if (one_weekday_)
      return kernel::CalendarSplit::week;
    return std::nullopt;
  }
  /// The most seconds of which all times of day are multiples, in a whole number of steps a day.
  double time_step() const {
    std::int64_t step = 0;
    for (const Row& row : rows_) {
      if (!timed() || row.time != std::floor(row.time))
        return 1;
      step = std::gcd(step, static_cast<std::int64_t>(row.time));
    }
    return step == 0 ? 1 : static_cast<double>(std::gcd(step, std::int64_t{86400}));
  }
  /// Keeps some rows, by chance.
  void glance() {
    const std::size_t glances =
        std::clamp<std::size_t>((std::size_t{1} << 21U) / train_.live.size(), 4096, 32'768);
    if (rows_.size() <= glances)
      return;
    RandomSequence random(RandomStream(rows_.size(), Purpose::split));
    std::vector<Row> kept;
    for (std::size_t i = 0; i < glances; ++i) {
      const double at = (static_cast<double>(i) + random.uniform()) / static_cast<double>(glances);
      kept.push_back(rows_[static_cast<std::size_t>(at * static_cast<double>(rows_.size()))]);
    }
    rows_ = std::move(kept);
  }
  /// \param block, place  (row) -> a number each \param is_open  (block, place) -> is it there?
  template <class Block, class Place, class IsOpen>
  Rhythm rhythm(std::size_t places, const Block& block, const Place& place, const IsOpen& is_open) const {
    std::map<std::int64_t, std::size_t> number;
    for (const Row& row : rows_)
      number.emplace(block(row), 0);
    Rhythm result{.places = places};
    for (auto& [key, value] : number) {
      value = result.open.size() / places;
      for (std::size_t p = 0; p < places; ++p)
        result.open.push_back(is_open(key, p));
    }
    for (const Row& row : rows_) {
      result.block.push_back(number.at(block(row)));
      result.place.push_back(place(row));
    }
    return result;
  }
  bool within(std::int64_t day) const noexcept { return first_ <= day && day <= last_; }
  Rhythm weekdays() const {
    return rhythm(
        7, [](const Row& row) { return kernel::week_of(row.day); },
        [](const Row& row) { return static_cast<std::size_t>(row.day + 3 - 7 * kernel::week_of(row.day)); },
        [this](std::int64_t week, std::size_t place) {
          return within(7 * week - 3 + static_cast<std::int64_t>(place));
        });
  }
  static std::int64_t month_of(const Row& row) noexcept {
    const auto civil = kernel::civil_day(row.day);
    return 12 * civil.year + civil.month - 1;
  }
  Rhythm days_of_month() const {
    return rhythm(
        31, month_of, [](const Row& row) { return std::size_t{kernel::civil_day(row.day).day} - 1; },
        [this](std::int64_t month, std::size_t place) {
          const std::int64_t year = (month >= 0 ? month : month - 11) / 12;
          const auto of_year = static_cast<unsigned>(month - 12 * year) + 1;
          return place < kernel::days_in_month(year, of_year) &&
                 within(kernel::days_of(year, of_year, static_cast<unsigned>(place) + 1));
        });
  }
  Rhythm months() const {
    return rhythm(
        12, [](const Row& row) { return kernel::civil_day(row.day).year; },
        [](const Row& row) { return std::size_t{kernel::civil_day(row.day).month} - 1; },
        [this](std::int64_t year, std::size_t place) {
          const auto month = static_cast<unsigned>(place) + 1;
          return kernel::days_of(year, month, 1) <= last_ &&
                 first_ <= kernel::days_of(year, month, kernel::days_in_month(year, month));
        });
  }
  Rhythm hours() const {
    return rhythm(
        24, [](const Row& row) { return row.day; },
        [](const Row& row) { return static_cast<std::size_t>(row.time / 3600); },
        [](std::int64_t, std::size_t) { return true; });
  }
  /// What a rhythm tells of the number of rows and of all other columns.
  double gain(const RhythmTest& test, double enough) {
    // Dates of few different values are learnt one by one, as many of each as there are.
    double total = few_ ? 0 : test.of_rows();
    total = total < enough ? 0 : total;
    for (const std::size_t other : train_.live)
      if (other != slot_) {
        const auto& [groups, count] = groups_of(other);
        const double found = test.of_groups(groups, count, enough);
        total += found < enough ? 0 : found;
      }
    return total;
  }
  using Groups = std::pair<std::vector<std::uint8_t>, std::size_t>;
  /// Rows by what another column holds: one of a few ranges, or of the most frequent categories.
  const Groups& groups_of(std::size_t other) {
    auto& result = groups_[other];
    if (result.second > 0)
      return result;
    const Column& column = *train_.slots[other];
    constexpr std::size_t most = 12;
    std::vector<std::size_t> group_of;
    std::vector<double> cuts;
    if (column.kind == ColumnKind::categorical) {
      std::vector<std::size_t> counts(column.dictionary.size());
      for (const Row& row : rows_)
        if (const auto code = column.codes[row.row]; code != missing_code)
          ++counts[static_cast<std::size_t>(code)];
      std::vector<std::size_t> order(counts.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
      group_of.assign(counts.size(), most);
      for (std::size_t i = 0; i < std::min(most, order.size()); ++i)
        group_of[order[i]] = i;
    } else {
      std::vector<double> sorted;
      for (const Row& row : rows_)
        if (const double value = column.values[row.row]; !std::isnan(value))
          sorted.push_back(value);
      std::sort(sorted.begin(), sorted.end());
      for (std::size_t k = 1; k < 8 && !sorted.empty(); ++k)
        cuts.push_back(sorted[k * sorted.size() / 8]);
      cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    }
    for (const Row& row : rows_) {
      std::size_t group = most + 1; // of missing ones
      if (!column.is_missing(row.row))
        group = column.kind == ColumnKind::categorical
                    ? group_of[static_cast<std::size_t>(column.codes[row.row])]
                    : static_cast<std::size_t>(
                          std::upper_bound(cuts.begin(), cuts.end(), column.values[row.row]) - cuts.begin());
      result.first.push_back(static_cast<std::uint8_t>(group));
    }
    // Numbered through.
    std::array<std::size_t, most + 2> number{};
    for (const auto group : result.first)
      number[group] = 1;
    for (std::size_t& one : number)
      one = one == 0 ? 0 : result.second++;
    for (auto& group : result.first)
      group = static_cast<std::uint8_t>(number[group]);
    return result;
  }

  const PreparedColumns& train_;
  std::size_t slot_;
  const DateColumn& date_;
  bool fine_ = true; ///< all dates are whole
  std::vector<Row> rows_;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  bool few_ = false;
  bool one_weekday_ = false;
  bool one_day_ = false;
  bool one_month_ = false;
  bool last_of_month_ = false;
  bool time_constant_ = false;
  std::size_t days_31_ = 0; ///< rows on the 31st, and on the 30th of months that have one
  std::size_t days_30_ = 0;
  std::map<std::size_t, Groups> groups_;
};

} // namespace detail
ROWSMITH_END
