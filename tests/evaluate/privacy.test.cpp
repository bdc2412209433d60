// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <math.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/privacy.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;
using small_tables::leaking;
using small_tables::people;

namespace {

std::vector<std::uint32_t> all_rows(const rs::Table& table) {
  std::vector<std::uint32_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

// The definition, row by row and column by column. `ranges` are those of the reference table.
double distance(const rs::Table& a, std::size_t i, const rs::Table& b, std::size_t j, const rs::Table& unit,
                bool euclidean) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    const bool missing_a = a[c].is_missing(i);
    const bool missing_b = b[c].is_missing(j);
    if (a[c].kind == rs::ColumnKind::categorical) {
      const bool same = missing_a || missing_b
                            ? missing_a == missing_b
                            : a[c].dictionary.text(a[c].codes[i]) == b[c].dictionary.text(b[c].codes[j]);
      sum += same ? 0 : (euclidean ? 2 : 1);
    } else if (missing_a || missing_b) {
      sum += missing_a == missing_b ? 0 : 1;
    } else {
      std::vector<double> values;
      for (const double value : unit[c].values)
        if (!std::isnan(value))
          values.push_back(value);
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      const double difference = std::abs(a[c].values[i] - b[c].values[j]) / (*high - *low);
      sum += std::min(1.0, euclidean ? difference * difference : difference);
    }
  }
  return sum;
}

// As `people`, with a column of more categories than a byte holds.
rs::Table with_towns(const rs::Table& table, std::uint64_t seed) {
  auto columns = table.columns();
  std::vector<std::string> towns;
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 5));
  for (std::size_t i = 0; i < table.rows(); ++i)
    towns.push_back("town " + std::to_string(random.below(700)));
  columns.push_back(rs::Column::categorical("town", towns));
  return rs::Table(std::move(columns), table.schema().label());
}

template <ev::RowMetric Metric>
void check_nearest(const rs::Table& queries, const rs::Table& references) {
  const ev::DistanceSpace space(references, {&queries});
  const auto nearest = ev::nearest_rows<Metric>(space.rows(queries, all_rows(queries)),
                                                space.rows(references, all_rows(references)), 2);
  REQUIRE(nearest.size() == queries.rows());
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    std::vector<double> distances;
    for (std::size_t j = 0; j < references.rows(); ++j)
      distances.push_back(
          distance(queries, i, references, j, references, Metric == ev::RowMetric::euclidean_squared));
    CHECK(distances[nearest[i].index] == Approx(static_cast<double>(nearest[i].first)).margin(1e-5));
    std::sort(distances.begin(), distances.end());
    CHECK(nearest[i].first == Approx(distances[0]).margin(1e-5));
    CHECK(nearest[i].second == Approx(distances[1]).margin(1e-5));
  }
}

} // namespace

TEST_CASE("the nearest rows are those of a loop over all pairs", "[evaluate]") {
  const auto queries = with_towns(people(150, 1, 2), 1);
  check_nearest<ev::RowMetric::gower>(queries, with_towns(people(700, 2), 2)); // not a multiple of a block
  check_nearest<ev::RowMetric::euclidean_squared>(queries, with_towns(people(300, 3), 3));
  check_nearest<ev::RowMetric::gower>(people(40, 4), people(2, 11));
}

TEST_CASE("two sets of references are as good as one", "[evaluate]") {
  const auto queries = people(60, 1);
  const auto references = people(500, 2);
  const ev::DistanceSpace space(references, {&queries});
  const auto made = space.rows(queries, all_rows(queries));
  const auto rows = all_rows(references);
  const auto whole = ev::nearest_rows(made, space.rows(references, rows));
  const auto head = ev::nearest_rows(made, space.rows(references, std::span(rows).first(123)));
  const auto tail = ev::nearest_rows(made, space.rows(references, std::span(rows).subspan(123)));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto both = ev::nearer(head[i], tail[i], 123);
    CHECK(both.first == whole[i].first);
    CHECK(both.second == whole[i].second);
    CHECK(both.index == whole[i].index);
  }
}

TEST_CASE("a single reference row has no second, none at all is an error", "[evaluate]") {
  const auto table = people(3, 1);
  const ev::DistanceSpace space(table, {});
  const std::vector<std::uint32_t> one{1};
  const auto nearest = ev::nearest_rows(space.rows(table, all_rows(table)), space.rows(table, one));
  CHECK(nearest[1].first == 0);
  CHECK(std::isinf(nearest[0].second));
  CHECK_THROWS_AS(ev::nearest_rows(space.rows(table, one), space.rows(table, {})), rs::ShapeError);
}

TEST_CASE("more than 255 categorical columns do not overflow their count", "[evaluate]") {
  std::vector<rs::Column> columns;
  for (int c = 0; c < 300; ++c)
    columns.push_back(rs::Column::categorical(std::to_string(c), {"u", "v"}));
  const rs::Table table(columns);
  const ev::DistanceSpace space(table, {});
  const std::vector<std::uint32_t> first{0};
  const std::vector<std::uint32_t> second{1};
  CHECK(ev::nearest_rows(space.rows(table, first), space.rows(table, second))[0].first == 300);
}

TEST_CASE("exact copies are counted with their base rate", "[evaluate]") {
  const auto table = [](const std::vector<double>& x, const std::vector<std::string>& g) {
    return rs::Table({rs::Column::numerical("x", x), rs::Column::categorical("g", g)});
  };
  const double none = std::nan("");
  const auto train = table({1, 2, 2, none, -0.0}, {"a", "a", "a", "b", "c"});
  const auto holdout = table({1, 9, 9, 9}, {"a", "b", "c", "d"});
  const auto synthetic = table({1, 1, 2, none, 0.0, none, 9, 2}, {"a", "a", "b", "b", "c", "c", "d", "a"});
  const auto result = ev::exact_copies(train, holdout, synthetic);
  CHECK(result.copies == 5); // 1a twice, the missing b, the zero of either sign, 2a
  CHECK(result.share.value == 0.625);
  CHECK(result.holdout_copies == 1);
  CHECK(result.base_share.value == 0.25);
  CHECK(result.only_in_holdout == 1);  // 9d
  CHECK(result.only_in_training >= 2); // of 2a, missing b, 0c: those in the sample of 4 training rows
}

TEST_CASE("the tail of a fair coin", "[evaluate]") {
  CHECK(ev::fair_coin_tail(0, 0) == 1);
  CHECK(ev::fair_coin_tail(3, 3) == Approx(0.125));
  CHECK(ev::fair_coin_tail(2, 3) == Approx(0.5));
  // Exact sums of binomial coefficients.
  CHECK(ev::fair_coin_tail(3, 4) == Approx(0.3125).epsilon(1e-12));
  CHECK(ev::fair_coin_tail(60, 100) == Approx(0.028443966820490395).epsilon(1e-12));
  CHECK(ev::fair_coin_tail(5200, 10'000) == Approx(3.296757799336221e-05).epsilon(1e-9));
  CHECK(signgam == 42);
}
