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
  CHECK(ev::fair_coin_tail(60, 100) ==
        Approx(0.02844396682).epsilon(1e-8)); // scipy.stats.binom.sf(59, 100, .5)
  CHECK(ev::fair_coin_tail(0, 5000) == Approx(1));
  CHECK(ev::fair_coin_tail(5000, 5000) == 0);
  CHECK(ev::normal_tail(1.959963984540054) == Approx(0.025).epsilon(1e-9));
}

TEST_CASE("rows of the source itself show no leak", "[evaluate]") {
  std::vector<double> shares;
  double sd = 0;
  int alarms = 0;
  constexpr int rounds = 40;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    const auto result =
        ev::closest_records(people(400, 3 * k), people(200, 3 * k + 1), people(300, 3 * k + 2));
    CHECK(result.compared_rows == 200);
    CHECK(result.note.empty());
    shares.push_back(result.share.value);
    sd += result.share.sd / rounds;
    alarms += result.p_value < 0.01 ? 1 : 0;
  }
  const auto over = rs::mean_sd(shares);
  CHECK(over.mean == Approx(0.5).margin(4 * over.sd / std::sqrt(rounds)));
  CHECK(sd == Approx(over.sd).epsilon(0.35)); // the stated error is the one over other samples
  CHECK(alarms <= 3);
}

TEST_CASE("planted leaks are seen by distances and copies", "[evaluate]") {
  const auto train = people(2000, 1);
  const auto holdout = people(1000, 2);
  const auto fresh = people(2000, 3);
  const auto copied = leaking(train, fresh, 0.05, 0, 4);
  const auto copies = ev::exact_copies(train, holdout, copied);
  CHECK(copies.share.value == Approx(0.05).margin(0.02));
  CHECK(copies.base_share.value == 0);
  CHECK(copies.p_value < 1e-6);
  CHECK(ev::exact_copies(train, holdout, fresh).p_value > 0.01);

  const auto noisy = leaking(train, fresh, 1, 0.01, 5);
  CHECK(ev::exact_copies(train, holdout, noisy).copies < 100); // a copy is only what equals in all columns
  const auto distances = ev::closest_records(train, holdout, noisy);
  CHECK(distances.share.value > 0.7);
  CHECK(distances.p_value < 1e-6);
  CHECK(distances.synthetic.distance[3] < distances.holdout.distance[3] / 2);
  CHECK(distances.synthetic.ratio[3] < distances.holdout.ratio[3]);
}

TEST_CASE("sampling of large tables is stated and repeatable", "[evaluate][threads]") {
  const auto train = people(500, 1);
  const auto holdout = people(300, 2);
  const auto made = people(400, 3);
  const auto result = ev::closest_records(train, holdout, made, {.max_rows = 250, .threads = 1});
  CHECK(result.train_rows == 250);
  CHECK(result.synthetic_distances.size() == 250);
  CHECK_THAT(result.note, Catch::Contains("250 of 500 training") && Catch::Contains("250 of 400 synthetic"));
  CHECK(to_json(result) ==
        to_json(ev::closest_records(train, holdout, made, {.max_rows = 250, .threads = 3})));
  CHECK(to_json(result) != to_json(ev::closest_records(train, holdout, made, {.max_rows = 250, .seed = 1})));
  CHECK_THROWS_AS(ev::closest_records(train, holdout, made, {.max_rows = 1}), rs::OptionError);
  CHECK_THROWS_AS(ev::closest_records(train, holdout.select({}), made), rs::ShapeError);
  CHECK_THROWS_AS(ev::exact_copies(train.select({}), holdout, made), rs::ShapeError);
}

TEST_CASE("privacy figures are JSON", "[evaluate]") {
  const auto train = people(60, 1);
  const auto copies = nlohmann::json::parse(to_json(ev::exact_copies(train, people(30, 2), train)));
  CHECK(copies["share"]["value"] == 1.0);
  const auto distances = nlohmann::json::parse(to_json(ev::closest_records(train, people(30, 2), train)));
  CHECK(distances["synthetic"]["distance"].size() == 5);
  CHECK(distances["synthetic"]["distance"][3] == 0.0);
}

TEST_CASE("the tail of a fair coin writes to nothing that threads share", "[evaluate]") {
  signgam = 42; // where POSIX's lgamma puts the sign
  // Exact sums of binomial coefficients.
  CHECK(ev::fair_coin_tail(3, 4) == Approx(0.3125).epsilon(1e-12));
  CHECK(ev::fair_coin_tail(60, 100) == Approx(0.028443966820490395).epsilon(1e-12));
  CHECK(ev::fair_coin_tail(5200, 10'000) == Approx(3.296757799336221e-05).epsilon(1e-9));
  CHECK(signgam == 42);
}
