// SPDX-License-Identifier: MIT
/// \file
/// Days as years, months and weeks, and back.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar (Hinnant 2013).
constexpr std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<unsigned>(year - era * 400);
  const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + static_cast<std::int64_t>(of_era * 365 + of_era / 4 - of_era / 100 + of_year) -
         719468;
}
struct CivilDay {
  std::int64_t year;
  unsigned month;
  unsigned day;
};
constexpr CivilDay civil_day(std::int64_t days) noexcept {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
  const unsigned month = (5 * of_year + 2) / 153;
  return {static_cast<std::int64_t>(year) + era * 400 + (month >= 10 ? 1 : 0),
          month < 10 ? month + 3 : month - 9, of_year - (153 * month + 2) / 5 + 1};
}
constexpr unsigned days_in_month(std::int64_t year, unsigned month) noexcept {
  constexpr unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[month - 1];
}
/// The number of the week that a day lies in; weeks begin on Mondays, and week 0 holds 1970-01-01.
constexpr std::int64_t week_of(std::int64_t days) noexcept {
  return days + 3 >= 0 ? (days + 3) / 7 : (days + 3 - 6) / 7;
}
/// The first week of a year: that of its fourth of January (ISO 8601).
constexpr std::int64_t first_week(std::int64_t year) noexcept { return week_of(days_of(year, 1, 4)); }

/// What a day becomes.
enum class CalendarSplit : std::uint8_t {
  day,       ///< its number
  week,      ///< the week's number; 1 (Monday) to 7
  year_week, ///< the year that has most of the week; the week in it, 1 to 53; 1 to 7
  month,     ///< 12 · year + month − 1; the day of the month, 1 to 31
  year_month ///< the year; 1 to 12; the day of the month
};

/// How a column of dates becomes columns of their parts. A view.
struct Calendar {
  static constexpr std::size_t most_parts = 4;

  CalendarSplit split = CalendarSplit::day;
  bool seconds = false;    ///< the date counts these, not days, and the last part is the time of day
  bool month_ends = false; ///< the last day of any month counts as its 31st
  double time_step = 1;    ///< seconds that the time of day is counted in
  double rounding = 0;     ///< of times in single seconds: 10 to the number of decimals; 0: none
  std::size_t column = 0;
  std::size_t made = 0;           ///< the column of the first part that is learnt; others follow
  const int* learnt = nullptr;    ///< by part: 0 or 1
  const double* values = nullptr; ///< by part: of one not learnt, always; of others, where a date is missing

  constexpr std::size_t parts() const noexcept {
    return (split == CalendarSplit::day                                     ? 1U
            : split == CalendarSplit::week || split == CalendarSplit::month ? 2U
                                                                            : 3U) +
           (seconds ? 1U : 0U);
  }
  /// Sets the parts of a date. False if it is none that they could give back, such as half a day.
  bool parts_of(double date, double* to) const noexcept {
    const double length = seconds ? 86400 : 1;
    if (!(std::abs(date) <= most_days * length))
      return false;
    double day = std::floor(date / length);
    double time = date - day * length; // exact but for tiny dates
    if (rounding > 0 && time_step == 1)
      time = std::round(time * rounding) / rounding;
    if (time < 0 || time >= length) { // by rounding
      day += time < 0 ? -1 : 1;
      time = time < 0 ? time + length : 0;
    }
    const auto days = static_cast<std::int64_t>(day);
    if (split == CalendarSplit::day) {
      *to++ = day;
    } else if (split == CalendarSplit::week || split == CalendarSplit::year_week) {
      const std::int64_t week = week_of(days);
      if (split == CalendarSplit::year_week) {
        const std::int64_t year = civil_day(7 * week).year; // week w has its Thursday on day 7 w
        *to++ = static_cast<double>(year);
        *to++ = static_cast<double>(week - first_week(year) + 1);
      } else {
        *to++ = static_cast<double>(week);
      }
      *to++ = static_cast<double>(days + 3 - 7 * week + 1);
    } else {
      const CivilDay civil = civil_day(days);
      if (split == CalendarSplit::year_month) {
        *to++ = static_cast<double>(civil.year);
        *to++ = civil.month;
      } else {
        *to++ = static_cast<double>(12 * civil.year + civil.month - 1);
      }
      *to++ = month_ends && civil.day == days_in_month(civil.year, civil.month) ? 31 : civil.day;
    }
    if (seconds)
      *to++ = time / time_step;
    // A fraction may be off by what a computation leaves.
    const double slack = rounding > 1 ? 0x1p-50 * (86400 + std::abs(date)) : 0;
    return (time_step == 1 || to[-1] == std::floor(to[-1])) &&
           std::abs(date_of(to - parts()) - date) <= slack;
  }
  /// The date of parts. Where there is none, the nearest: of the 31st of February the last of that month, of
  /// a year's week 53 its last one.
  double date_of(const double* from) const noexcept {
    std::int64_t days = 0;
    if (split == CalendarSplit::day) {
      days = whole(*from++, -most_days, most_days);
    } else if (split == CalendarSplit::week || split == CalendarSplit::year_week) {
      std::int64_t week = 0;
      if (split == CalendarSplit::year_week) {
        const std::int64_t year = whole(*from++, -most_years, most_years);
        const std::int64_t first = first_week(year);
        week = first + whole(*from++, 1, static_cast<double>(first_week(year + 1) - first)) - 1;
      } else {
        week = whole(*from++, -most_days / 7, most_days / 7);
      }
      days = 7 * week - 3 + whole(*from++, 1, 7) - 1;
    } else {
      std::int64_t months = 0; // since January of the year 0
      if (split == CalendarSplit::year_month) {
        months = 12 * whole(*from++, -most_years, most_years);
        months += whole(*from++, 1, 12) - 1;
      } else {
        months = whole(*from++, -12 * most_years, 12 * most_years);
      }
      const std::int64_t year = (months >= 0 ? months : months - 11) / 12;
      const auto month = static_cast<unsigned>(months - 12 * year) + 1;
      const unsigned last = days_in_month(year, month);
      days = days_of(year, month, static_cast<unsigned>(whole(*from++, 1, last)));
    }
    if (!seconds)
      return static_cast<double>(days);
    const double time = *from * time_step;
    const double last = 86400 - (time_step == 1 && rounding > 1 ? 1 / rounding : time_step);
    const double date = static_cast<double>(days) * 86400 + (!(time >= 0) ? 0 : time >= 86400 ? last : time);
    // Near 1970 a time has fewer digits than the date.
    return rounding > 1 && std::abs(date) * rounding < 0x1p53 ? std::round(date * rounding) / rounding : date;
  }

  /// Sets the columns of the parts of a row. A date is missing where its first one is.
  /// \param at  (column) -> a reference to the number there \returns false if the date has no form
  template <class At>
  bool take(const At& at) const noexcept {
    const double date = at(column);
    const bool missing = std::isnan(date);
    double all[most_parts] = {};
    bool fine = missing || parts_of(date, all);
    std::size_t next = made;
    for (std::size_t i = 0; i < parts(); ++i) {
      if (learnt[i] == 0) {
        fine = fine && (missing || all[i] == values[i]);
        continue;
      }
      at(next) = missing ? values[i] : all[i];
      ++next;
    }
    if (missing)
      at(made) = std::numeric_limits<double>::quiet_NaN();
    return fine;
  }
  /// Sets the date of a row by its parts. \param at  as above
  template <class At>
  void put(const At& at) const noexcept {
    double all[most_parts] = {};
    std::size_t next = made;
    for (std::size_t i = 0; i < parts(); ++i) {
      all[i] = learnt[i] == 0 ? values[i] : at(next++);
      if (std::isnan(all[i]))
        all[i] = values[i];
    }
    at(column) = std::isnan(at(made)) ? std::numeric_limits<double>::quiet_NaN() : date_of(all);
  }

private:
  static constexpr double most_days = 1e8;
  static constexpr double most_years = 3e5;

  static std::int64_t whole(double number, double least, double most) noexcept {
    const double rounded = std::round(number);
    return static_cast<std::int64_t>(!(rounded >= least) ? least : rounded > most ? most : rounded);
  }
};

/// How a date becomes what lies between another one and it. A view.
struct DateGap {
  bool seconds = false;       ///< between both, which count these; otherwise whole days between their days
  bool other_seconds = false; ///< the other date counts these
  double rounding = 0;        ///< 10 to the number of decimals; 0: none
  std::size_t column = 0;
  std::size_t other = 0;
  std::size_t made = 0;

  /// Sets the column of the gap. False if a date is there without the other, or would not come back.
  /// \param at  (column) -> a reference to the number there
  template <class At>
  bool take(const At& at) const noexcept {
    const double date = at(column);
    const double start = from(at(other)); // one at a time: the references may be to one number
    const double gap = rounded(date - start);
    at(made) = gap;
    const double slack = rounding > 1 ? 0x1p-50 * (86400 + std::abs(date)) : 0;
    return std::isnan(date) || std::abs(rounded(start + gap) - date) <= slack;
  }
  /// Sets the date, which is missing where the other or the gap is. \param at  as above
  template <class At>
  void put(const At& at) const noexcept {
    const double start = from(at(other)); // one at a time: the references may be to one number
    const double gap = at(made);
    at(column) = rounded(start + gap);
  }

  /// Sets the other date, at the time of day that it has, so that the gap lies between both. False, and
  /// nothing set, if a number is missing or it would not come back. \param at  as above
  template <class At>
  bool put_other(const At& at) const noexcept {
    const double date = at(column);
    const double gap = at(made);
    const double other_date = at(other);
    const double start = date - gap;
    const bool keeps_time = other_seconds && !seconds;
    const double put =
        keeps_time ? 86400 * start + other_date - 86400 * std::floor(other_date / 86400) : start;
    if (std::isnan(put))
      return false;
    if (rounded(from(put) + gap) != date)
      return false;
    at(other) = put;
    return true;
  }

private:
  double from(double date) const noexcept {
    return seconds ? date : std::floor(other_seconds ? date / 86400 : date);
  }
  /// Numbers beyond 2^53 have no decimals to round.
  double rounded(double number) const noexcept {
    if (!seconds)
      return std::round(number);
    return rounding > 0 && std::abs(number) * rounding < 0x1p53 ? std::round(number * rounding) / rounding
                                                                : number;
  }
};

} // namespace kernel
ROWSMITH_END
