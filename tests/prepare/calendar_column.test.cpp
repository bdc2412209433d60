// SPDX-License-Identifier: MIT
// Dates that are learnt as weeks and weekdays, months and days, and times of day, where these matter.
#include <rowsmith/prepare/calendar_column.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/prepare/following_date.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "columns.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using test::missing;
using Texts = std::vector<std::string>;
using Unit = rs::DateColumn::Unit;

namespace {
constexpr double first_day = 19000; // 2022-01-08

double weekday(double day) { // 0: Monday
  return day + 3 - 7 * std::floor((day + 3) / 7);
}
rs::kernel::CivilDay civil(double day) { return rs::kernel::civil_day(static_cast<std::int64_t>(day)); }
bool month_end(double day) {
  const auto date = civil(day);
  return date.day == rs::kernel::days_in_month(date.year, date.month);
}

/// Dates of a range of days, of which `keep` says which there are, beside a number and a text that know
/// nothing of them.
rs::Table dates(std::size_t rows, double range, const std::function<bool(double, rs::RandomSequence&)>& keep,
                std::uint64_t seed = 1, double first = first_day) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  auto date = rs::Column::numerical("date", {}, 0);
  auto amount = rs::Column::numerical("amount", {}, 2);
  auto shop = rs::Column::categorical("shop");
  while (date.values.size() < rows) {
    const double day = first + std::floor(range * random.uniform());
    if (!keep(day, random))
      continue;
    date.values.push_back(day);
    amount.values.push_back(std::round(1e4 * random.uniform()) / 100);
    shop.codes.push_back(shop.dictionary.insert("shop " + std::to_string(random.below(4))));
  }
  return rs::Table({date, amount, shop});
}
bool any(double, rs::RandomSequence&) { return true; }
bool no_sunday(double day, rs::RandomSequence&) { return weekday(day) < 6; }

rs::PreparationOptions days() { return {.dates = {{.name = "date"}}}; }
rs::PreparationOptions times() { return {.dates = {{.name = "date", .unit = Unit::seconds}}}; }
Texts found(const rs::Table& table, const rs::PreparationOptions& options = days()) {
  return rs::Preparation::fit(table, options).relations();
}
/// With times of day. \param time  draws one
rs::Table with_times(const rs::Table& table, const std::function<double(rs::RandomSequence&)>& time,
                     int decimals = 0) {
  rs::RandomSequence random(rs::RandomStream(77, rs::Purpose::user));
  auto columns = rs::Table(table).into_columns();
  columns[0].decimals = decimals;
  for (double& date : columns[0].values)
    date = 86400 * date + time(random);
  return rs::Table(columns);
}
double any_time(rs::RandomSequence& random) { return std::floor(86400 * random.uniform()); }
double office_hours(rs::RandomSequence& random) { return std::floor(9 * 3600 + 8 * 3600 * random.uniform()); }

/// \param slack  of numbers that were computed here, not read
void check_back(const rs::Preparation& preparation, const rs::Table& table, double slack = 0) {
  const auto learnt = preparation.forward(table);
  const auto back = preparation.backward(learnt);
  REQUIRE(back.schema() == table.schema());
  std::size_t different = 0;
  std::vector<double> numbers(preparation.slots());
  std::vector<std::int32_t> codes(preparation.slots(), rs::missing_code);
  const auto same = [slack](double a, double b) {
    return std::abs(a - b) <= slack || (std::isnan(a) && std::isnan(b));
  };
  for (std::size_t r = 0; r < table.rows(); ++r) {
    for (std::size_t c = 0; c < table.size(); ++c) {
      if (table[c].kind == rs::ColumnKind::categorical) {
        codes[c] = table[c].codes[r];
        different += back[c].codes[r] != table[c].codes[r] ? 1 : 0;
        continue;
      }
      numbers[c] = table[c].values[r];
      different += same(back[c].values[r], table[c].values[r]) ? 0 : 1;
    }
    // A single row.
    different += preparation.forward({numbers.data(), codes.data()}) ? 0 : 1;
    for (std::size_t i = 0; i < learnt.size(); ++i)
      if (learnt[i].kind == rs::ColumnKind::numerical)
        different += same(numbers[preparation.model_slots()[i]], learnt[i].values[r]) ? 0 : 1;
    const double date = numbers[0];
    numbers[0] = -1;
    preparation.backward({numbers.data(), codes.data()});
    different += same(numbers[0], date) ? 0 : 1;
  }
  CHECK(different == 0);
}
} // namespace

TEST_CASE("dates that are spread evenly stay one number", "[prepare]") {
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    CAPTURE(seed);
    CHECK(found(dates(6000, 900, any, seed)).empty());
    CHECK(found(dates(2000, 5000, any, seed)).empty());
    CHECK(found(dates(300, 40, any, seed)).empty());
    CHECK(found(with_times(dates(3000, 700, any, seed), any_time), times()).empty());
  }
  // Some days with very many rows, all of one shop each; a trend.
  auto columns = dates(6000, 900, [](double day, auto& random) {
                   const double share = std::fmod(day, 41) == 0 ? 1 : 0.02 + 0.02 * (day - first_day) / 900;
                   return random.uniform() < share;
                 }).into_columns();
  for (std::size_t r = 0; r < 6000; ++r) {
    columns[2].codes[r] = static_cast<std::int32_t>(std::fmod(columns[0].values[r] * 37, 4));
    columns[1].values[r] += columns[0].values[r];
  }
  auto options = days();
  options.orders = false;
  CHECK(found(rs::Table(columns), options) == Texts{});
}

TEST_CASE("days without rows, paydays and busy months are learnt as such", "[prepare]") {
  const auto no_sundays = dates(4000, 900, no_sunday);
  CHECK(found(no_sundays) == Texts{"'date' is learnt as its week and weekday"});
  auto options = days();
  options.calendar = false;
  CHECK(found(no_sundays, options).empty());
  CHECK(found(no_sundays, {}).empty()); // nobody said that it is a date
  const auto preparation = rs::Preparation::fit(no_sundays, days());
  check_back(preparation, no_sundays);
  const auto learnt = preparation.forward(no_sundays);
  CHECK(learnt["date: weekday"].values[0] == weekday(no_sundays[0].values[0]) + 1);
  CHECK(*std::max_element(learnt["date: weekday"].values.begin(), learnt["date: weekday"].values.end()) == 6);
  CHECK(learnt["date: weekday"].decimals == 0);

  const auto paydays =
      dates(4000, 1200, [](double day, auto& random) { return month_end(day) || random.below(20) == 0; });
  const auto monthly = rs::Preparation::fit(paydays, days());
  CHECK(monthly.relations() == Texts{"'date' is learnt as its month and day of the month"});
  check_back(monthly, paydays);
  // The last of a month is one day to a model, whatever the month.
  auto drawn = monthly.forward(paydays).select(std::vector<std::size_t>{0, 1, 2}).into_columns();
  drawn[0].values = {12 * 2023 + 1, 12 * 2024 + 1, 12 * 2023 + 3};
  drawn[1].values = {31, 31, 30};
  const auto made = monthly.backward(rs::Table(drawn));
  CHECK(made["date"].values ==
        std::vector<double>{19416, 19782, 19477}); // 28 February, 29 February, 30 April

  const auto christmas = dates(
      6000, 3650, [](double day, auto& random) { return civil(day).month == 12 || random.below(4) == 0; });
  CHECK(found(christmas) == Texts{"'date' is learnt as its year, month of the year and day of the month"});
  check_back(rs::Preparation::fit(christmas, days()), christmas);
  const auto both = dates(6000, 3650, [](double day, auto& random) {
    return weekday(day) < 6 && (civil(day).month == 12 || random.below(4) == 0);
  });
  CHECK(found(both) == Texts{"'date' is learnt as its year, week of the year and weekday"});
  check_back(rs::Preparation::fit(both, days()), both);
  // Of so few days that each is learnt on its own.
  CHECK(found(dates(4000, 100, no_sunday)).empty());
}

TEST_CASE("office hours and coarse times are learnt", "[prepare]") {
  const auto office = with_times(dates(3000, 700, any), office_hours);
  CHECK(found(office, times()) == Texts{"'date' is learnt as its day and time of day"});
  check_back(rs::Preparation::fit(office, times()), office);
  const auto both = with_times(dates(3000, 700, no_sunday), office_hours);
  CHECK(found(both, times()) == Texts{"'date' is learnt as its week, weekday and time of day"});
  // On the minute: no news where the texts show nothing else.
  const auto minutes =
      with_times(dates(3000, 700, any), [](auto& random) { return 60.0 * random.below(1440); });
  auto options = times();
  CHECK(found(minutes, options) == Texts{"'date' is learnt as its day and time of day"});
  check_back(rs::Preparation::fit(minutes, options), minutes);
  options.dates[0].step = 60;
  CHECK(found(minutes, options).empty());
  const auto fractions = with_times(
      dates(3000, 700, no_sunday, 1, -400),
      [](auto& random) { return std::floor(864e5 * random.uniform()) / 1e3; }, 3);
  const auto preparation = rs::Preparation::fit(fractions, times());
  CHECK(preparation.relations() == Texts{"'date' is learnt as its week, weekday and time of day"});
  CHECK(preparation.forward(fractions)["date: time of day"].decimals == 3);
  check_back(preparation, fractions, 1e-8);
}

TEST_CASE("a calendar part that another column follows is learnt", "[prepare]") {
  const auto with_amounts = [](rs::Table table, const auto& amount) {
    auto columns = std::move(table).into_columns();
    for (std::size_t r = 0; r < columns[0].rows(); ++r)
      columns[1].values[r] = std::round(100 * amount(columns[0].values[r], columns[1].values[r])) / 100;
    return rs::Table(columns);
  };
  const auto weekends = with_amounts(dates(4000, 900, any), [](double day, double amount) {
    return weekday(day) < 5 ? amount : 2 * amount;
  });
  CHECK(found(weekends) == Texts{"'date' is learnt as its week and weekday"});
  const auto evenings =
      with_amounts(with_times(dates(4000, 900, any), any_time), [](double date, double amount) {
        return std::fmod(date, 86400) < 18 * 3600 ? amount : 2 * amount;
      });
  CHECK(found(evenings, times()) == Texts{"'date' is learnt as its day and time of day"});
  const auto rents = with_amounts(
      dates(4000, 900, any), [](double day, double amount) { return civil(day).day == 1 ? 500 : amount; });
  CHECK(found(rents) == Texts{"'date' is learnt as its month and day of the month"});
}

TEST_CASE("what all dates have in common is put back", "[prepare]") {
  const auto firsts = dates(
      3000, 15'000, [](double day, auto&) { return civil(day).day == 1; }, 1, 0);
  const auto preparation = rs::Preparation::fit(firsts, days());
  CHECK(preparation.relations() == Texts{"'date' is learnt as its month; its day of the month is always 1"});
  check_back(preparation, firsts);
  auto columns = rs::Table(firsts).into_columns();
  columns[0].values[7] += 1;
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns)),
                    Contains("'date', row 8") &&
                        Contains("a date in whole days, whose day of the month is 1"));
  std::vector<double> numbers(preparation.slots());
  std::vector<std::int32_t> codes(preparation.slots());
  numbers[0] = columns[0].values[7];
  CHECK_FALSE(preparation.forward({numbers.data(), codes.data()}));
  CHECK(found(dates(3000, 15'000, [](double day, auto&) { return month_end(day); })) ==
        Texts{"'date' is learnt as its month; its day of the month is always the last"});
  CHECK(found(dates(500, 15'000,
                    [](double day, auto&) { return civil(day).day == 1 && civil(day).month == 7; })) ==
        Texts{"'date' is learnt as its year; its month of the year is always 7; its day of the month is "
              "always 1"});
  CHECK(found(dates(500, 1500, [](double day, auto&) { return weekday(day) == 4; })) ==
        Texts{"'date' is learnt as its week; its weekday is always Friday"});
  const auto midnights = with_times(dates(3000, 700, any), [](auto&) { return 0.0; });
  CHECK(found(midnights, times()) ==
        Texts{"'date' is learnt as its day; its time of day is always 00:00:00"});
  check_back(rs::Preparation::fit(midnights, times()), midnights);
}

TEST_CASE("one date and no date are no parts to learn", "[prepare]") {
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  auto date = rs::Column::numerical("date", {}, 0);
  auto amount = rs::Column::numerical("amount", {}, 2);
  for (std::size_t i = 0; i < 200; ++i) {
    date.values.push_back(i % 9 == 0 ? missing : 19'000 * 86'400.0 + 52'205); // 14:30:05
    amount.values.push_back(std::round(1e4 * random.uniform()) / 100);
  }
  const rs::Table table({date, amount});
  const auto preparation = rs::Preparation::fit(table, times());
  CHECK(preparation.relations().empty());
  auto options = times();
  options.constants = false;
  date.values.assign(200, 19'000 * 86'400.0 + 52'205);
  CHECK(rs::Preparation::fit(rs::Table({date, amount}), options).relations().empty());
}

TEST_CASE("a missing date is missing as a whole", "[prepare]") {
  auto columns = dates(4000, 900, no_sunday).into_columns();
  for (std::size_t r = 0; r < 4000; r += 3)
    columns[0].values[r] = missing;
  const rs::Table table(columns);
  const auto preparation = rs::Preparation::fit(table, days());
  const auto learnt = preparation.forward(table);
  CHECK(learnt["date: week"].missing_count() == 1334);
  CHECK(learnt["date: weekday"].missing_count() == 0);
  check_back(preparation, table);
  auto drawn = learnt.select(std::vector<std::size_t>{1, 2}).into_columns();
  drawn[0].values = {missing, 2800};
  drawn[1].values = {3, missing};
  const auto made = preparation.backward(rs::Table(drawn));
  CHECK(std::isnan(made["date"].values[0]));
  CHECK(std::isfinite(made["date"].values[1]));
}

TEST_CASE("dates keep their other relations", "[prepare]") {
  rs::RandomSequence random(rs::RandomStream(9, rs::Purpose::user));
  auto columns = dates(4000, 900, no_sunday).into_columns();
  auto end = columns[0];
  auto due = columns[0];
  auto note = columns[0];
  end.name = "end";
  due.name = "due";
  note.name = "note";
  for (std::size_t r = 0; r < 4000; ++r) {
    do
      end.values[r] = columns[0].values[r] + static_cast<double>(random.below(60));
    while (weekday(end.values[r]) > 4);
    due.values[r] += 30;
    note.values[r] = random.below(2) == 0 ? end.values[r] : missing;
    end.values[r] = std::isnan(note.values[r]) ? missing : end.values[r];
  }
  for (std::size_t r = 0; r < 4000; ++r)
    if (!std::isnan(note.values[r]) && random.below(3) == 0)
      note.values[r] += 7;
  columns.insert(columns.end(), {end, due, note});
  const rs::Table table(columns);
  const auto preparation = rs::Preparation::fit(
      table, {.dates = {{.name = "date"}, {.name = "end"}, {.name = "due"}, {.name = "note"}}});
  CHECK(preparation.relations() ==
        Texts{"'due' = 'date' + 30", "'date' <= 'end', 'date' <= 'note', 'end' <= 'note'",
              "'note' is missing where 'end' is, and nowhere else", "'note' = 'end' in some rows",
              "'end' is learnt as the days behind 'date'", "'date' is learnt as its week and weekday",
              "'note' is learnt as its week and weekday"});
  check_back(preparation, table);
  // What a model draws is put right as whole dates.
  auto drawn = preparation.forward(table).select(std::vector<std::size_t>{0, 1}).into_columns();
  const auto set = [&](const char* name, std::vector<double> values) {
    const auto at =
        std::find_if(drawn.begin(), drawn.end(), [&](const auto& one) { return one.name == name; });
    REQUIRE(at != drawn.end());
    at->values = std::move(values);
  };
  set("date: week", {2800, 2800});
  set("date: weekday", {5, 5});
  set("end: days behind date", {-3, 3});
  set("note: week", {2810, 2810});
  set("note: weekday", {1, 1});
  set("'note' = 'end'", {0, 1});
  const auto made = preparation.backward(rs::Table(drawn));
  const double tuesday = 7 * 2800 - 3 + 1;
  CHECK(made["date"].values == std::vector<double>{tuesday, tuesday + 3});
  CHECK(made["end"].values == std::vector<double>{tuesday + 3, tuesday + 6});
  CHECK(made["note"].values == std::vector<double>{7 * 2810 - 3, tuesday + 6});
  CHECK(made["due"].values[0] == tuesday + 30);
}

TEST_CASE("a date that lies a little behind another is learnt as what lies between", "[prepare]") {
  rs::RandomSequence random(rs::RandomStream(10, rs::Purpose::user));
  auto columns = with_times(dates(4000, 900, any), any_time).into_columns();
  auto shipped = columns[0]; // some days later, never on a Sunday
  auto arrived = columns[0]; // some days after that; sometimes it did not
  auto paid = columns[0];    // on the last of a month
  auto left = columns[0];    // minutes later
  auto born = columns[0];    // anything
  shipped.name = "shipped";
  arrived.name = "arrived";
  paid.name = "paid";
  left.name = "left";
  born.name = "born";
  shipped.decimals = arrived.decimals = paid.decimals = born.decimals = 0;
  left.decimals = 1;
  for (std::size_t r = 0; r < 4000; ++r) {
    const double day = std::floor(columns[0].values[r] / 86400);
    shipped.values[r] = day + 1 + random.below(3);
    shipped.values[r] += weekday(shipped.values[r]) == 6 ? 1 : 0;
    arrived.values[r] = random.below(5) == 0 ? missing : shipped.values[r] + 1 + random.below(4);
    paid.values[r] = day;
    while (!month_end(paid.values[r]))
      ++paid.values[r];
    left.values[r] += std::round(3e4 * random.uniform()) / 10;
    born.values[r] = std::floor(15'000 * random.uniform());
  }
  columns.insert(columns.end(), {shipped, arrived, paid, left, born});
  const rs::Table table(columns);
  rs::PreparationOptions options = times();
  for (const char* name : {"shipped", "arrived", "paid", "born"})
    options.dates.push_back({.name = name});
  options.dates.push_back({.name = "left", .unit = Unit::seconds});
  const auto preparation = rs::Preparation::fit(table, options);
  CHECK(preparation.relations() ==
        Texts{"'shipped' <= 'arrived', 'date' <= 'left'", "'left' is learnt as the seconds behind 'date'",
              "'arrived' is learnt as the days behind 'shipped'",
              "'shipped' is learnt as the days behind 'date'",
              "'date' is learnt as its week, weekday and time of day", // as shipping depends on the weekday
              "'paid' is learnt as its month; its day of the month is always the last"});
  check_back(preparation, table);
  auto drawn = preparation.forward(table).select(std::vector<std::size_t>{0, 1}).into_columns();
  drawn[0].values = {2700, missing}; // the week
  const auto made = preparation.backward(rs::Table(drawn));
  CHECK(weekday(made["shipped"].values[0]) == weekday(shipped.values[0]));
  CHECK(rs::kernel::week_of(static_cast<std::int64_t>(made["shipped"].values[0])) - 2700 ==
        rs::kernel::week_of(static_cast<std::int64_t>(shipped.values[0])) -
            rs::kernel::week_of(static_cast<std::int64_t>(columns[0].values[0] / 86400)));
  CHECK(std::isnan(made["shipped"].values[1]));
  CHECK(std::isnan(made["arrived"].values[1]));
  options.calendar = false;
  CHECK(found(table, options) == Texts{"'shipped' <= 'arrived', 'date' <= 'left'"});
  auto broken = rs::Table(table).into_columns();
  broken[3].values[2] += 0.5;
  CHECK_THROWS_WITH(preparation.forward(rs::Table(broken)),
                    Contains("'shipped', row 3") && Contains("whole days"));
}

TEST_CASE("dates that are none are refused, or left as they are", "[prepare]") {
  const auto table = dates(500, 900, no_sunday);
  CHECK_THROWS_WITH(found(table, {.dates = {{.name = "data"}}}), Contains("the date 'data' is no column"));
  CHECK_THROWS_WITH(found(table, {.dates = {{.name = "shop"}}}), Contains("is not a numerical column"));
  CHECK_THROWS_AS(found(table, {.dates = {{.name = "date", .step = 0}}}), rs::OptionError);
  auto columns = dates(4000, 900, no_sunday).into_columns();
  columns[0].values[5] += 0.5;
  columns[0].decimals = 1;
  CHECK(found(rs::Table(columns)).empty());
  columns[0].values[5] = std::numeric_limits<double>::infinity();
  CHECK(found(rs::Table(columns)).empty());
}

TEST_CASE("calendar parts that are impossible are refused", "[prepare]") {
  const auto schema = dates(1, 900, any).schema();
  const rs::CalendarColumn fine{
      .column = 0, .split = 1, .learnt = {1, 1}, .values = {2800, 3}, .decimals = 0};
  CHECK_NOTHROW(rs::Preparation(schema, {fine}));
  const auto refused = [&](auto&& change) {
    auto one = fine;
    change(one);
    CHECK_THROWS_AS(rs::Preparation(schema, {one}), rs::SchemaError);
  };
  refused([](auto& one) { one.column = 2; });
  refused([](auto& one) { one.column = 9; });
  refused([](auto& one) { one.split = 5; });
  refused([](auto& one) { one.split = -1; });
  refused([](auto& one) { one.split = 256; });
  refused([](auto& one) { one.split = 2; });
  refused([](auto& one) { one = {.split = 0, .learnt = {1}, .values = {1}}; });
  refused([](auto& one) { one.seconds = true; });
  refused([](auto& one) { one.learnt = {0, 0}; });
  refused([](auto& one) { one.learnt = {1, 2}; });
  refused([](auto& one) { one.values = {1}; });
  refused([](auto& one) { one.values = {1, missing}; });
  refused([](auto& one) { one.time_step = 0; });
  refused([](auto& one) { one.time_step = 7; });
  refused([](auto& one) { one.decimals = -2; });
  refused([](auto& one) { one.decimals = 400; });
  refused([](auto& one) { one = {}; });
  const auto refused_gap = [&](rs::FollowingDate one) {
    CHECK_THROWS_AS(rs::Preparation(schema, {one}), rs::SchemaError);
  };
  CHECK_NOTHROW(rs::Preparation(schema, {rs::FollowingDate{.column = 0, .other = 1}}));
  refused_gap({.column = 0, .other = 0});
  refused_gap({.column = 0, .other = 2});
  refused_gap({.column = 2, .other = 0});
  refused_gap({.column = 0, .other = 9});
  refused_gap({.column = 9, .other = 0});
  refused_gap({.column = 0, .other = 1, .seconds = true});
  refused_gap({.column = 0, .other = 1, .decimals = 99});
  // A date cannot follow one that is taken apart already.
  CHECK_THROWS_AS(rs::Preparation(schema, {fine, rs::FollowingDate{.column = 1, .other = 0}}),
                  rs::SchemaError);
}
