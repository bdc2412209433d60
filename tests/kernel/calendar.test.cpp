// SPDX-License-Identifier: MIT
#include <rowsmith/kernel/calendar.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/date_text.hpp>

namespace rs = rowsmith;
using rs::kernel::Calendar;
using rs::kernel::CalendarSplit;
using Parts = std::vector<double>;

namespace {
constexpr std::array splits{CalendarSplit::day, CalendarSplit::week, CalendarSplit::year_week,
                            CalendarSplit::month, CalendarSplit::year_month};

Parts parts_of(const Calendar& calendar, double date) {
  Parts parts(calendar.parts());
  CHECK(calendar.parts_of(date, parts.data()));
  return parts;
}
double day(const char* text) { return *rs::parse_date(text, "YYYY-MM-DD"); }
std::string date_of(const Calendar& calendar, const Parts& parts) {
  std::string text;
  rs::append_date(text, calendar.date_of(parts.data()),
                  calendar.seconds ? "YYYY-MM-DD hh:mm:ss" : "YYYY-MM-DD");
  return text;
}
} // namespace

TEST_CASE("every day comes back from its parts", "[kernel]") {
  std::size_t wrong = 0;
  for (const auto split : splits)
    for (const bool month_ends : {false, true}) {
      const Calendar calendar{.split = split, .month_ends = month_ends};
      std::array<double, Calendar::most_parts> parts{};
      // From 1580 to 2420, each day; far beyond, some.
      for (std::int64_t days = -142'000; days < 164'500; ++days)
        wrong += calendar.parts_of(static_cast<double>(days), parts.data()) ? 0 : 1;
      for (std::int64_t days = -90'000'000; days < 90'000'000; days += 77'777)
        wrong += calendar.parts_of(static_cast<double>(days), parts.data()) ? 0 : 1;
    }
  CHECK(wrong == 0);
}

TEST_CASE("parts are those of the calendar", "[kernel]") {
  CHECK(parts_of({.split = CalendarSplit::week}, 0) == Parts{0, 4}); // a Thursday
  CHECK(parts_of({.split = CalendarSplit::week}, -4) == Parts{-1, 7});
  CHECK(parts_of({.split = CalendarSplit::week}, day("2024-02-29")) == Parts{2826, 4});
  CHECK(parts_of({.split = CalendarSplit::month}, day("1969-12-31")) == Parts{12 * 1969 + 11, 31});
  CHECK(parts_of({.split = CalendarSplit::year_month}, day("2000-02-29")) == Parts{2000, 2, 29});
  const Calendar ends{.split = CalendarSplit::year_month, .month_ends = true};
  CHECK(parts_of(ends, day("2023-02-28")) == Parts{2023, 2, 31});
  CHECK(parts_of(ends, day("2024-02-28")) == Parts{2024, 2, 28});
  CHECK(parts_of(ends, day("2024-04-30")) == Parts{2024, 4, 31});
  // Weeks as Python's date.isocalendar() numbers them.
  const auto iso = [](const char* text) { return parts_of({.split = CalendarSplit::year_week}, day(text)); };
  CHECK(iso("2020-12-31") == Parts{2020, 53, 4});
  CHECK(iso("2021-01-03") == Parts{2020, 53, 7});
  CHECK(iso("2021-01-04") == Parts{2021, 1, 1});
  CHECK(iso("2019-12-30") == Parts{2020, 1, 1});
  CHECK(iso("1961-01-01") == Parts{1960, 52, 7});
}

TEST_CASE("times come back to the last digit", "[kernel]") {
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  std::size_t wrong = 0;
  for (const int decimals : {0, 1, 3, 6, 9}) {
    const double scale = std::pow(10.0, decimals);
    for (const auto split : splits) {
      const Calendar calendar{.split = split, .seconds = true, .rounding = scale};
      std::array<double, Calendar::most_parts> parts{};
      for (int i = 0; i < 20'000; ++i) {
        // As a reader makes it: the nearest number.
        const double whole = std::floor((random.uniform() - 0.4) * (i % 2 == 0 ? 4e9 : 2e5));
        const double fraction = std::floor(random.uniform() * scale);
        const double date =
            std::abs(whole) * scale < 0x1p52 ? (whole * scale + fraction) / scale : whole + fraction / scale;
        wrong += calendar.parts_of(date, parts.data()) && calendar.date_of(parts.data()) == date ? 0 : 1;
      }
    }
  }
  CHECK(wrong == 0);
  const Calendar minutes{.split = CalendarSplit::week, .seconds = true, .time_step = 60, .rounding = 1};
  CHECK(parts_of(minutes, 86400.0 * 4 + 60 * 61) == Parts{1, 1, 61});
  std::array<double, Calendar::most_parts> parts{};
  CHECK_FALSE(minutes.parts_of(61, parts.data()));
  const Calendar days{.split = CalendarSplit::month};
  for (const double none : {0.5, 1e300, -1e300, std::numeric_limits<double>::infinity()})
    CHECK_FALSE(days.parts_of(none, parts.data()));
}

TEST_CASE("dates are read as the nearest numbers", "[kernel]") {
  CHECK(rs::parse_date("1969-12-31 23:59:58.700", "YYYY-MM-DD hh:mm:ss.fff") == -1.3);
  CHECK(rs::parse_date("2024-02-29 12:30:00.123", "YYYY-MM-DD hh:mm:ss.fff") == 1709209800.123);
  CHECK(rs::parse_date("2024-02-29 12:30:00.123456789", "YYYY-MM-DD hh:mm:ss.fffffffff") ==
        1709209800.123456789);
}

TEST_CASE("parts that no date has are taken for the nearest date", "[kernel]") {
  const Calendar month{.split = CalendarSplit::month};
  CHECK(date_of(month, {12 * 2023 + 1, 31}) == "2023-02-28");
  CHECK(date_of(month, {12 * 2024 + 1, 30}) == "2024-02-29");
  CHECK(date_of(month, {12 * 2024 + 1, -3}) == "2024-02-01");
  const Calendar year{.split = CalendarSplit::year_month};
  CHECK(date_of(year, {2021, 13, 31}) == "2021-12-31");
  CHECK(date_of(year, {2021, 4, 31}) == "2021-04-30");
  const Calendar week{.split = CalendarSplit::year_week};
  CHECK(date_of(week, {2021, 53, 7}) == "2022-01-02"); // of week 52
  CHECK(date_of(week, {2020, 53, 7}) == "2021-01-03");
  const Calendar time{.split = CalendarSplit::week, .seconds = true, .rounding = 1};
  CHECK(date_of(time, {0, 4, 86400}) == "1970-01-01 23:59:59");
  CHECK(date_of(time, {0, 9, -5}) == "1970-01-04 00:00:00");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto split : splits)
    for (const double odd : {nan, 1e300, -1e300, std::numeric_limits<double>::infinity()}) {
      const Calendar calendar{.split = split, .seconds = true};
      const Parts parts(Calendar::most_parts, odd);
      CHECK(std::isfinite(calendar.date_of(parts.data())));
    }
}
