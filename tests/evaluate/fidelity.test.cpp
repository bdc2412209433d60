// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/evaluate/fidelity.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;
using small_tables::people;

namespace {

// The definition: the largest gap between two cumulative shares, looked at below every value.
double ks_by_definition(const std::vector<double>& a, const std::vector<double>& b) {
  const auto share = [](const std::vector<double>& values, double at) {
    double count = 0;
    for (const double value : values)
      count += std::isnan(value) || value <= at ? 1 : 0;
    return count / static_cast<double>(values.size());
  };
  double largest = 0;
  for (const auto* values : {&a, &b})
    for (const double at : *values)
      if (!std::isnan(at))
        largest = std::max(largest, std::abs(share(a, at) - share(b, at)));
  return std::max(largest, std::abs(share(a, -1e300) - share(b, -1e300)));
}

std::string text_of(const rs::Column& column, std::size_t row) {
  return column.is_missing(row) ? "(missing)" : column.dictionary.text(column.codes[row]);
}

template <class Key>
double variation(const std::vector<Key>& a, const std::vector<Key>& b) {
  std::map<Key, std::pair<double, double>> shares;
  for (const auto& key : a)
    shares[key].first += 1.0 / static_cast<double>(a.size());
  for (const auto& key : b)
    shares[key].second += 1.0 / static_cast<double>(b.size());
  double sum = 0;
  for (const auto& [key, share] : shares)
    sum += std::abs(share.first - share.second);
  return sum / 2;
}

// numpy.digitize(value, numpy.histogram_bin_edges(real, 10)), by a loop over the edges
int bin_of(double value, const std::vector<double>& real) {
  if (std::isnan(value))
    return -1;
  double low = 1e300;
  double high = -1e300;
  for (const double x : real)
    if (!std::isnan(x)) {
      low = std::min(low, x);
      high = std::max(high, x);
    }
  int bin = 0;
  for (int k = 0; k <= 10; ++k)
    bin += value >= (k == 10 ? high : low + k * ((high - low) / 10)) ? 1 : 0;
  return bin;
}

double correlation(const rs::Table& table, std::size_t a, std::size_t b) {
  std::vector<std::pair<double, double>> rows;
  for (std::size_t i = 0; i < table.rows(); ++i)
    if (!table[a].is_missing(i) && !table[b].is_missing(i))
      rows.emplace_back(table[a].values[i], table[b].values[i]);
  const auto n = static_cast<double>(rows.size());
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (const auto& [u, v] : rows) {
    x += u;
    y += v;
    xx += u * u;
    yy += v * v;
    xy += u * v;
  }
  return (n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y));
}

double error_of(const ev::TrendResult& result, std::size_t a, std::size_t b) {
  for (const auto& pair : result.pairs)
    if (pair.first == a && pair.second == b)
      return pair.error.value;
  return -1;
}

} // namespace

TEST_CASE("the two distances, by hand", "[evaluate]") {
  const std::vector<std::uint64_t> a{1, 2, 1};
  const std::vector<std::uint64_t> b{0, 1, 1};
  CHECK(ev::ks_statistic(a, b) == 0.25);    // .25 .75 1 against 0 .5 1
  CHECK(ev::total_variation(a, b) == 0.25); // .25 .5 .25 against 0 .5 .5
  CHECK_THROWS_AS(ev::ks_statistic(a, std::vector<std::uint64_t>{1}), rs::ShapeError);
  CHECK_THROWS_AS(ev::total_variation(a, std::vector<std::uint64_t>{0, 0, 0}), rs::ShapeError);
}

TEST_CASE("column shapes and pair trends equal their definitions", "[evaluate]") {
  const auto real = people(700, 1);
  const auto other = people(500, 2, 0.4);
  const auto shapes = ev::column_shapes(real, other, {.replicates = 3});
  REQUIRE(shapes.columns.size() == 5);
  double sum = 0;
  for (std::size_t c = 0; c < 5; ++c) {
    std::vector<std::string> texts;
    std::vector<std::string> others;
    for (std::size_t i = 0; c >= 2 && i < real.rows(); ++i)
      texts.push_back(text_of(real[c], i));
    for (std::size_t i = 0; c >= 2 && i < other.rows(); ++i)
      others.push_back(text_of(other[c], i));
    const double expected =
        c < 2 ? ks_by_definition(real[c].values, other[c].values) : variation(texts, others);
    CHECK(shapes.columns[c].error.value == Approx(expected).epsilon(1e-12));
    sum += expected;
  }
  CHECK(shapes.mean.value == Approx(sum / 5).epsilon(1e-12));
  CHECK(shapes.columns[shapes.worst].name == "a"); // the shifted one
  CHECK(shapes.real_rows == 700);

  const auto trends = ev::pair_trends(real, other, {.replicates = 0});
  REQUIRE(trends.pairs.size() == 10);
  CHECK(error_of(trends, 0, 1) ==
        Approx(std::abs(correlation(real, 0, 1) - correlation(other, 0, 1)) / 2).epsilon(1e-9));
  const auto joint = [&](const rs::Table& table, std::size_t a, std::size_t b) {
    std::vector<std::pair<std::string, std::string>> keys;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      const auto key = [&](std::size_t c) {
        return table[c].kind == rs::ColumnKind::numerical
                   ? std::to_string(bin_of(table[c].values[i], real[c].values))
                   : text_of(table[c], i);
      };
      keys.emplace_back(key(a), key(b));
    }
    return keys;
  };
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = std::max<std::size_t>(a + 1, 2); b < 5; ++b)
      CHECK(error_of(trends, a, b) ==
            Approx(variation(joint(real, a, b), joint(other, a, b))).epsilon(1e-12));
  for (std::size_t p = 1; p < trends.pairs.size(); ++p)
    CHECK(trends.pairs[p - 1].error.value >= trends.pairs[p].error.value);
}

TEST_CASE("a table has no error against itself, and its bootstrap none without replicates", "[evaluate]") {
  const auto real = people(300, 3);
  const auto shapes = ev::column_shapes(real, real, {.replicates = 0});
  const auto trends = ev::pair_trends(real, real, {.replicates = 0});
  CHECK(shapes.mean.value == 0);
  CHECK(shapes.mean.sd == 0);
  CHECK(trends.mean.value == 0);
}

TEST_CASE("the bootstrap's standard deviation is that over other samples of the source", "[evaluate]") {
  std::vector<double> shape;
  std::vector<double> trend;
  double shape_sd = 0;
  double trend_sd = 0;
  constexpr int samples = 60;
  for (int k = 0; k < samples; ++k) {
    const auto real = people(400, 100 + static_cast<std::uint64_t>(k));
    const auto other = people(400, 200 + static_cast<std::uint64_t>(k), 1.5);
    const auto result = ev::column_shapes(real, other, {.replicates = 40});
    shape.push_back(result.columns[0].error.value);
    shape_sd += result.columns[0].error.sd / samples;
    const auto pairs = ev::pair_trends(real, other, {.replicates = 40});
    trend.push_back(error_of(pairs, 0, 4));
    for (const auto& pair : pairs.pairs)
      if (pair.first == 0 && pair.second == 4)
        trend_sd += pair.error.sd / samples;
  }
  CHECK(shape_sd == Approx(rs::mean_sd(shape).sd).epsilon(0.3)); // 60 values know their sd to 9 %
  CHECK(trend_sd == Approx(rs::mean_sd(trend).sd).epsilon(0.3));
}

TEST_CASE("fidelity has the same bits on any number of threads", "[evaluate][threads]") {
  const auto real = people(300, 1);
  const auto other = people(200, 2);
  const auto one = to_json(ev::column_shapes(real, other, {.seed = 4, .threads = 1})) +
                   to_json(ev::pair_trends(real, other, {.seed = 4, .threads = 1}));
  const auto three = to_json(ev::column_shapes(real, other, {.seed = 4, .threads = 3})) +
                     to_json(ev::pair_trends(real, other, {.seed = 4, .threads = 3}));
  CHECK(one == three);
  CHECK(one != to_json(ev::column_shapes(real, other, {.seed = 5})) +
                   to_json(ev::pair_trends(real, other, {.seed = 5})));
}

TEST_CASE("columns with many distinct categories share no table of all pairs", "[evaluate]") {
  std::vector<std::string> names;
  std::vector<std::string> towns;
  for (int i = 0; i < 3000; ++i) {
    names.push_back("name " + std::to_string(i));
    towns.push_back("town " + std::to_string(i * 7 % 2999));
  }
  const rs::Table real({rs::Column::categorical("name", names), rs::Column::categorical("town", towns)});
  std::reverse(towns.begin(), towns.end());
  const rs::Table other({rs::Column::categorical("name", names), rs::Column::categorical("town", towns)});
  const auto trends = ev::pair_trends(real, other, {.replicates = 1});
  std::set<std::pair<std::string, std::string>> both;
  for (std::size_t i = 0; i < names.size(); ++i)
    both.emplace(names[i], towns[names.size() - 1 - i]);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < names.size(); ++i)
    kept += both.count({names[i], towns[i]});
  CHECK(trends.mean.value == Approx(1 - static_cast<double>(kept) / 3000).epsilon(1e-12));
}

TEST_CASE("associations: correlation, correlation ratio and Cramer's V by hand", "[evaluate]") {
  const rs::Table table({rs::Column::numerical("u", {1, 2, 3, 4}), rs::Column::numerical("v", {2, 1, 4, 3}),
                         rs::Column::categorical("g", {"a", "a", "b", "b"}),
                         rs::Column::categorical("h", {"a", "b", "b", "b"}),
                         rs::Column::categorical("k", {"x", "x", "x", "x"})});
  const auto matrix = ev::associations(table);
  REQUIRE(matrix.columns == 5);
  CHECK(matrix(0, 1) == Approx(0.6));              // covariance 3 / variance 5
  CHECK(matrix(0, 2) == Approx(std::sqrt(0.8)));   // between 4 of 5
  CHECK(matrix(2, 3) == Approx(1 / std::sqrt(3))); // chi square 4/3 of 4 rows
  CHECK(matrix(3, 2) == matrix(2, 3));
  CHECK(matrix(0, 4) == 0);
  CHECK(matrix(2, 4) == 0);
  CHECK(matrix(4, 4) == 1);
}

TEST_CASE("missing and constant columns make no NaN", "[evaluate]") {
  const double none = std::nan("");
  const rs::Table a({rs::Column::numerical("u", {none, none}), rs::Column::numerical("v", {5, 5}),
                     rs::Column::categorical("w", {"x", "y"})});
  const rs::Table b({rs::Column::numerical("u", {none, 1}), rs::Column::numerical("v", {5, 6}),
                     rs::Column::categorical("w", {"x", "y"})});
  const auto shapes = ev::column_shapes(a, b);
  CHECK(shapes.columns[0].error.value == 0.5);
  CHECK(shapes.columns[1].error.value == 0.5);
  for (const auto& pair : ev::pair_trends(a, b).pairs)
    CHECK(pair.error.value >= 0);
  for (const double value : ev::associations(a).values)
    CHECK(value >= 0);
}

TEST_CASE("fidelity refuses what it cannot judge", "[evaluate]") {
  const auto real = people(20, 1);
  const rs::Table other({rs::Column::numerical("z", {1})});
  CHECK_THROWS_AS(ev::column_shapes(real, other), rs::SchemaError);
  CHECK_THROWS_WITH(ev::pair_trends(real, real.select({})), Catch::Contains("synthetic table has 0 rows"));
  const rs::Table infinite({rs::Column::numerical("z", {INFINITY, 1})});
  CHECK_THROWS_WITH(ev::column_shapes(infinite, infinite), Catch::Contains("'z'"));
  CHECK_THROWS_WITH(ev::column_shapes(real, real, {.replicates = 10'001}), Catch::Contains("replicates"));
  CHECK_THROWS_WITH(ev::pair_trends(real, real, {.bins = 0}), Catch::Contains("fidelity.bins = 0"));
}

TEST_CASE("fidelity is JSON", "[evaluate]") {
  const auto real = people(50, 1);
  const auto shapes = nlohmann::json::parse(to_json(ev::column_shapes(real, people(60, 2))));
  CHECK(shapes["columns"].size() == 5);
  CHECK(shapes["columns"][shapes["worst"].get<std::string>()]["value"] > 0);
  CHECK(shapes["synthetic_rows"] == 60);
  const auto trends = nlohmann::json::parse(to_json(ev::pair_trends(real, people(60, 2))));
  CHECK(trends["pairs"].size() == 10);
  CHECK(trends["pairs"][0]["value"] >= trends["pairs"][9]["value"]);
}
