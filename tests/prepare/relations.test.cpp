// SPDX-License-Identifier: MIT
// Orders, nested missing cells, coincidences, and relations that are declared or that a few rows break.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "columns.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using test::missing;
using Texts = std::vector<std::string>;

namespace {
rs::RandomSequence random_numbers(std::uint64_t seed) {
  return rs::RandomSequence(rs::RandomStream(seed, rs::Purpose::user));
}
rs::Column drawn(const std::string& name, std::size_t rows, int decimals, rs::RandomSequence& random,
                 double from, double to) {
  auto column = rs::Column::numerical(name, {}, decimals);
  const double scale = std::pow(10.0, decimals);
  for (std::size_t r = 0; r < rows; ++r)
    column.values.push_back(std::round((from + (to - from) * random.uniform()) * scale) / scale);
  return column;
}
/// Three readings of a day in order, with a maximum of other decimals, and something that is above all of
/// them by its range alone.
rs::Table readings(std::size_t rows = 500) {
  auto random = random_numbers(3);
  auto low = drawn("low", rows, 0, random, 0, 20);
  auto mean = low;
  auto high = low;
  auto peak = rs::Column::numerical("peak", {}, 1);
  mean.name = "mean";
  high.name = "high";
  for (std::size_t r = 0; r < rows; ++r) {
    mean.values[r] = low.values[r] + static_cast<double>(random.below(9));
    high.values[r] = mean.values[r] + static_cast<double>(random.below(9));
    peak.values.push_back(high.values[r] + std::round(50 * random.uniform()) / 10);
  }
  return rs::Table({low, mean, high, peak, drawn("year", rows, 0, random, 1900, 2000),
                    drawn("noise", rows, 0, random, 0, 20)});
}
void check_kept_and_back(const rs::Preparation& preparation, const rs::Table& table) {
  const auto back = preparation.backward(preparation.forward(table));
  REQUIRE(back.schema() == table.schema());
  std::size_t different = 0;
  for (std::size_t c = 0; c < table.size(); ++c)
    for (std::size_t r = 0; r < table.rows(); ++r)
      different += back[c].is_missing(r) != table[c].is_missing(r) ||
                           back[c].cell(r).text() != table[c].cell(r).text() ||
                           (back[c].cell(r).is_number() && back[c].values[r] != table[c].values[r])
                       ? 1
                       : 0;
  CHECK(different == 0);
}
} // namespace

TEST_CASE("columns that are at most others are found, and no order that ranges give", "[prepare]") {
  const auto table = readings();
  const auto preparation = rs::Preparation::fit(table);
  CHECK(preparation.relations() == Texts{"'low' <= 'mean', 'mean' <= 'high', 'high' <= 'peak'"});
  CHECK(preparation.model_schema() == table.schema());
  check_kept_and_back(preparation, table);
  CHECK(rs::Preparation::fit(table, {.orders = false}).transforms().empty());
  // A few rows: any two columns are in order in all of them by chance.
  CHECK(rs::Preparation::fit(readings(8)).transforms().empty());
}

TEST_CASE("rows in the wrong order change places, or are raised to the next number of their decimals",
          "[prepare]") {
  const auto preparation = rs::Preparation::fit(readings());
  const auto column = [](const char* name, std::vector<double> values, int decimals) {
    return rs::Column::numerical(name, std::move(values), decimals);
  };
  const auto mended = preparation.backward(
      rs::Table({column("low", {9, 5, 7, 3}, 0), column("mean", {5, 9, missing, 2}, 0),
                 column("high", {1, 7, 6, 1}, 0), column("peak", {2.5, 9.2, 6.5, missing}, 1),
                 column("year", {1, 2, 3, 4}, 0), column("noise", {1, 2, 3, 4}, 0)}));
  const auto row = [&](std::size_t r) {
    return std::vector<double>{mended[0].values[r], mended[1].values[r], mended[2].values[r],
                               mended[3].values[r]};
  };
  CHECK(row(0) == std::vector<double>{1, 5, 9, 9}); // the peak of 2.5 is raised
  CHECK(row(1) == std::vector<double>{5, 7, 9, 9.2});
  CHECK(row(2)[0] == 7); // without a mean, nothing is known of the other two
  CHECK(row(3)[0] == 1);
  CHECK(row(3)[2] == 3);
  CHECK(std::isnan(row(3)[3]));
}

TEST_CASE("a row that breaks an order is refused", "[prepare]") {
  const auto preparation = rs::Preparation::fit(readings());
  auto columns = readings().into_columns();
  columns[1].values[6] = -1;
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns)), Contains("'low', row 7") && Contains("'mean'"));
  std::vector<double> numbers(preparation.slots());
  std::vector<std::int32_t> codes(preparation.slots(), rs::missing_code);
  for (std::size_t c = 0; c < columns.size(); ++c)
    numbers[c] = columns[c].values[6];
  CHECK_FALSE(preparation.forward({numbers.data(), codes.data()}));
  numbers[1] = numbers[0];
  CHECK(preparation.forward({numbers.data(), codes.data()}));
}

TEST_CASE("cells that are missing together, or wherever others are, stay so", "[prepare]") {
  auto random = random_numbers(4);
  const std::size_t rows = 600;
  auto owner = rs::Column::categorical("owner"); // missing in every third row
  auto price = drawn("price", rows, 2, random, 0, 9);
  auto colour = rs::Column::categorical("colour");    // with the owner
  auto check = drawn("check", rows, 0, random, 0, 9); // with the owner, and in other rows
  auto other = drawn("other", rows, 0, random, 0, 9);
  for (std::size_t r = 0; r < rows; ++r) {
    const bool absent = random.below(3) == 0;
    owner.codes.push_back(absent ? rs::missing_code
                                 : owner.dictionary.insert("owner " + std::to_string(r % 5)));
    colour.codes.push_back(absent ? rs::missing_code : colour.dictionary.insert(r % 2 == 0 ? "red" : "blue"));
    price.values[r] = absent ? missing : price.values[r];
    check.values[r] = absent || random.below(4) == 0 ? missing : check.values[r];
    other.values[r] = random.below(5) == 0 ? missing : other.values[r];
  }
  const rs::Table table({owner, price, colour, check, other});
  const auto preparation = rs::Preparation::fit(table);
  CHECK(preparation.relations() == Texts{"'price' is missing where 'owner' is, and nowhere else",
                                         "'colour' is missing where 'owner' is, and nowhere else",
                                         "'check' is missing where 'owner' is"});
  check_kept_and_back(preparation, table);
  const auto learnt = preparation.forward(table);
  CHECK(learnt["price"].missing_count() == 0);
  CHECK(learnt["colour"].missing_count() == 0);
  CHECK(learnt["check"].missing_count() == check.missing_count());
  // What a model draws is missing just where the owner is.
  auto made = rs::Table(learnt).into_columns();
  made[0].codes.assign(rows, rs::missing_code);
  const auto back = preparation.backward(rs::Table(made));
  CHECK(back["price"].missing_count() == rows);
  CHECK(back["colour"].missing_count() == rows);
  CHECK(back["check"].missing_count() == rows);
  CHECK(back["other"].missing_count() == other.missing_count());
  CHECK(rs::Preparation::fit(table, {.missing = false}).transforms().empty());
  auto broken = rs::Table(table).into_columns();
  const auto present =
      std::find_if(price.values.begin(), price.values.end(), [](double x) { return x >= 0; });
  broken[1].values[static_cast<std::size_t>(present - price.values.begin())] = missing;
  CHECK_THROWS_WITH(preparation.forward(rs::Table(broken)), Contains("'price'") && Contains("is missing"));
}

TEST_CASE("a number that often equals another is one, to the last digit", "[prepare]") {
  auto random = random_numbers(5);
  const std::size_t rows = 800;
  auto bill = drawn("bill", rows, 2, random, 0, 900);
  auto paid = drawn("paid", rows, 2, random, 0, 900);
  auto twice = drawn("twice", rows, 2, random, 0, 900);
  auto close = bill;
  close.name = "close";
  for (std::size_t r = 0; r < rows; ++r) {
    paid.values[r] = random.below(3) == 0 ? bill.values[r] : paid.values[r];
    twice.values[r] = random.below(3) == 0 ? paid.values[r] : twice.values[r];
    close.values[r] += static_cast<double>(random.below(3)) - 1; // equal by being close
    close.values[r] += std::round(200 * random.uniform() - 100) / 100;
  }
  const rs::Table table({bill, paid, twice, close});
  const auto preparation = rs::Preparation::fit(table, {.orders = false});
  CHECK(preparation.relations() == Texts{"'twice' = 'paid' in some rows", "'paid' = 'bill' in some rows"});
  check_kept_and_back(preparation, table);
  const auto learnt = preparation.forward(table);
  CHECK(learnt["'paid' = 'bill'"].values[0] == (paid.values[0] == bill.values[0] ? 1 : 0));
  CHECK(learnt["paid"].values == paid.values); // beside it, so that others can follow it
  // What a model draws: another bill is paid in full, by the bill drawn.
  auto made = learnt.select(std::vector<std::size_t>{0, 1, 2}).into_columns();
  const auto set = [&](const char* name, std::vector<double> values) {
    std::find_if(made.begin(), made.end(), [&](const auto& one) { return one.name == name; })->values =
        values;
  };
  set("bill", {1.25, 2.5, 3.75});
  set("'paid' = 'bill'", {1, 0, 0});
  set("paid", {7, 8, 9});
  const auto back = preparation.backward(rs::Table(made));
  CHECK(back["paid"].values == std::vector<double>{1.25, 8, 9});
  CHECK(rs::Preparation::fit(table, {.orders = false, .coincidences = false}).transforms().empty());
}

TEST_CASE("relations that few rows break count where that is allowed", "[prepare]") {
  auto random = random_numbers(6);
  const std::size_t rows = 4000;
  auto price = drawn("price", rows, 2, random, 0, 900);
  auto tax = drawn("tax", rows, 2, random, 0, 90);
  auto total = price;
  total.name = "total";
  auto town = rs::Column::categorical("town");
  auto country = rs::Column::categorical("country");
  for (std::size_t r = 0; r < rows; ++r) {
    total.values[r] = std::round((price.values[r] + tax.values[r]) * 100) / 100;
    const auto t = random.below(30);
    town.codes.push_back(town.dictionary.insert("town " + std::to_string(t)));
    country.codes.push_back(country.dictionary.insert("country " + std::to_string(t % 7)));
  }
  total.values[900] += 1;
  country.codes[0] = country.dictionary.insert("country 6") == country.codes[0]
                         ? country.dictionary.insert("country 5")
                         : country.dictionary.insert("country 6");
  const rs::Table table({price, tax, total, town, country});
  CHECK(rs::Preparation::fit(table, {.orders = false}).transforms().empty());
  const auto preparation = rs::Preparation::fit(table, {.orders = false, .min_share = 0.999});
  CHECK(preparation.relations() == Texts{"'total' = 'price' + 'tax', but for 1 training rows",
                                         "'town' gives 'country', but for 1 training rows"});
  CHECK(preparation.exceptions() == std::vector<std::size_t>{1, 1});
  CHECK_THROWS_AS(preparation.forward(table), rs::SchemaError);
  const auto made = preparation.backward(preparation.forward_training(table));
  CHECK(made["total"].values[900] == total.values[900] - 1);
  CHECK(made["country"].cell(0).text() != table["country"].cell(0).text());
  CHECK(made["country"].cell(1).text() == table["country"].cell(1).text());
  CHECK_THROWS_AS(rs::Preparation::fit(table, {.min_share = 0.99}), rs::OptionError);
}

TEST_CASE("relations can be declared, and are held to what the rows say", "[prepare]") {
  auto random = random_numbers(7);
  // So few rows that nothing is found.
  auto price = drawn("unit price", 6, 2, random, 1, 9);
  auto amount = drawn("amount", 6, 0, random, 1, 9);
  auto total = price;
  total.name = "total";
  auto rest = amount;
  rest.name = "rest";
  auto town = rs::Column::categorical("town", {"a", "b", "a", "c", "c", "b"});
  auto land = rs::Column::categorical("land", {"x", "x", "x", "y", "y", "x"});
  for (std::size_t r = 0; r < 6; ++r) {
    total.values[r] = std::round(100 * price.values[r] * amount.values[r]) / 100;
    rest.values[r] = 10 - amount.values[r];
  }
  const rs::Table table({price, amount, total, rest, town, land});
  CHECK(rs::Preparation::fit(table).transforms().empty());
  const auto declare = [&](Texts relations) {
    return rs::Preparation::fit(table, {.relations = std::move(relations)}).relations();
  };
  CHECK(declare({"total = 'unit price' * amount", "rest = 10 - amount", "town -> land"}) ==
        Texts{"'total' = 'unit price' * 'amount'", "'rest' = -'amount' + 10", "'town' gives 'land'"});
  CHECK(declare({"'unit price' <= total"}) == Texts{"'unit price' <= 'total'"});
  CHECK(declare({"total >= 'unit price'"}) == Texts{"'unit price' <= 'total'"});
  CHECK(declare({"amount = total / 'unit price'"}) == Texts{"'amount' = 'total' / 'unit price'"});
  const auto refused = [&](const std::string& relation, const std::string& expected) {
    CHECK_THROWS_WITH(declare({relation}), Contains(expected));
  };
  refused("total = 'unit price' + amount", "broken by 6 of 6 training rows, first by row 1");
  refused("total", "expected '=', '<=', '>=' or '->' at the end");
  refused("total ~ amount", "in place of '~'");
  refused("total = 'unit price", "a single quote that ends the name");
  refused("total = price * amount", "no column is called 'price'");
  refused("total = amount * amount", "each column once");
  refused("total = 5", "the name of a column behind '='");
  refused("total = amount * rest * rest", "expected the end");
  refused("town <= land", "is not numerical");
  refused("land -> town", "is broken by");
  CHECK_THROWS_WITH(declare({"rest = 10 - amount", "rest = amount + 0"}), Contains("broken by"));
  CHECK_THROWS_WITH(declare({"rest = 10 - amount", "amount = 10 - rest"}), Contains("by itself"));
}

TEST_CASE("a number that stands for one row only is not looked up", "[prepare]") {
  auto random = random_numbers(8);
  auto id = rs::Column::categorical("id");
  auto salary = rs::Column::numerical("salary", {}, 0);
  std::vector<double> of_id;
  for (std::size_t r = 0; r < 1000; ++r) {
    const auto k = r < 300 ? r : random.below(100); // two hundred ids of one row each
    if (k == of_id.size())
      of_id.push_back(std::round(1e6 * random.uniform()));
    id.codes.push_back(id.dictionary.insert("id " + std::to_string(k)));
    salary.values.push_back(of_id[k]);
  }
  const rs::Table table({id, salary});
  CHECK(rs::Preparation::fit(table).transforms().empty());
  CHECK(rs::Preparation::fit(table, {.min_lookup_rows = 1}).transforms().size() == 1);
  CHECK_THROWS_WITH(rs::Preparation::fit(table, {.relations = {"id -> salary"}}),
                    Contains("would be copied"));
}

TEST_CASE("orders, nested missing cells and coincidences that are impossible are refused", "[prepare]") {
  const auto schema = readings().schema();
  const auto refused = [&](rs::Preparation::Transform transform) {
    CHECK_THROWS_AS(rs::Preparation(schema, {std::move(transform)}), rs::SchemaError);
  };
  const rs::OrderedColumns fine{
      .columns = {0, 1, 2}, .decimals = {0, 0, 0}, .smaller = {0, 1}, .larger = {1, 2}};
  CHECK_NOTHROW(rs::Preparation(schema, {fine}));
  const auto change = [&](auto&& how) {
    auto one = fine;
    how(one);
    refused(one);
  };
  change([](auto& one) { one.columns = {0, 1, 9}; });
  change([](auto& one) { one.columns = {0, 1, 1}; });
  change([](auto& one) { one.decimals = {0, 0}; });
  change([](auto& one) { one.larger = {2, 1}; });
  change([](auto& one) { one.larger = {1, 3}; });
  change([](auto& one) { one.smaller = {1, 1}; });
  change([](auto& one) { one.smaller = {0}; });
  change([](auto& one) { one = {}; });
  refused(rs::NestedMissing{.column = 0, .leader = 0});
  refused(rs::NestedMissing{.column = 0, .leader = 9});
  refused(rs::NestedMissing{.column = 0, .leader = 1, .categorical = true});
  refused(rs::NestedMissing{.column = 0, .leader = 1, .number = missing});
  refused(rs::CoincidentColumn{.column = 0, .other = 0});
  refused(rs::CoincidentColumn{.column = 0, .other = 17});
}
