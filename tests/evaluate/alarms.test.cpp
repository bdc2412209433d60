// SPDX-License-Identifier: MIT
// Thresholds by held-out rows, and how lonely rows are.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/row_distance.hpp>

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

TEST_CASE("a threshold lets through the wanted share of new rows, whatever their scores' distribution",
          "[evaluate]") {
  std::vector<double> hundred(99);
  std::iota(hundred.begin(), hundred.end(), 1.0);
  CHECK(ev::alarm_threshold(hundred, 0.01) == 99); // a new row is above all 99 once in a hundred times
  CHECK(ev::alarm_threshold(hundred, 0.1) == 90);
  CHECK(ev::alarm_threshold(hundred, 0.999) == 1);
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  double alarms = 0;
  constexpr int rounds = 4000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> usual;
    for (int i = 0; i < 30; ++i)
      usual.push_back(std::exp(3 * random.normal()));
    alarms += std::exp(3 * random.normal()) > ev::alarm_threshold(usual, 0.1) ? 1.0 / rounds : 0;
  }
  // 28th of 30: a new row is above it with probability 3 / 31.
  CHECK(alarms == Approx(3.0 / 31).margin(5 * std::sqrt(0.1 * 0.9 / rounds)));
}

TEST_CASE("thresholds refuse shares that are none and rows that are too few", "[evaluate]") {
  for (const double share : {0.0, 1.0, -0.1, std::nan("")})
    CHECK_THROWS_AS(ev::alarm_threshold({1, 2, 3}, share), rs::OptionError);
  CHECK_THROWS_WITH(ev::alarm_threshold(std::vector<double>(98), 0.01), Catch::Contains("at least 99"));
  CHECK_NOTHROW(ev::alarm_threshold(std::vector<double>(99), 0.01));
  CHECK_THROWS_AS(ev::alarm_threshold({1, std::nan(""), 3}, 0.5), rs::ShapeError);
  const double infinite = std::numeric_limits<double>::infinity();
  CHECK(ev::alarm_threshold({1, infinite, infinite}, 0.3) == infinite);
  CHECK(ev::alarm_threshold({1, infinite, infinite}, 0.8) == 1);
}

TEST_CASE("the distance to the k-th neighbour is what sorting all distances gives", "[evaluate][threads]") {
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
  const auto make = [&](std::size_t rows) {
    auto town = rs::Column::categorical("town");
    auto size = rs::Column::numerical("size");
    auto rent = rs::Column::numerical("rent");
    for (std::size_t i = 0; i < rows; ++i) {
      town.codes.push_back(town.dictionary.insert(std::string(1, static_cast<char>('a' + random.below(3)))));
      size.values.push_back(random.uniform());
      rent.values.push_back(random.below(7) == 0 ? std::nan("") : random.normal());
    }
    return rs::Table({town, size, rent});
  };
  const auto train = make(700);
  const auto rows = make(300);
  const ev::DistanceSpace space(train, {&rows});
  std::vector<std::uint32_t> all(700);
  std::iota(all.begin(), all.end(), 0U);
  const auto references = space.rows(train, all);
  all.resize(300);
  const auto queries = space.rows(rows, all);
  for (const std::size_t k : {std::size_t{1}, std::size_t{5}, std::size_t{701}}) {
    const auto found = ev::neighbour_distances(queries, references, k, 1);
    CHECK(found == ev::neighbour_distances(queries, references, k, 3));
    for (std::size_t q = 0; q < 300; q += 37) {
      std::vector<double> distances;
      for (std::size_t r = 0; r < 700; ++r) {
        double sum = rows["town"].dictionary.text(rows["town"].codes[q]) !=
                             train["town"].dictionary.text(train["town"].codes[r])
                         ? 1
                         : 0;
        for (const std::size_t c : {std::size_t{1}, std::size_t{2}}) {
          const double a = rows[c].values[q];
          const double b = train[c].values[r];
          sum += std::isnan(a) && std::isnan(b)   ? 0
                 : std::isnan(a) || std::isnan(b) ? 1
                                                  : std::min(1.0, std::abs(a - b) / space.range(c));
        }
        distances.push_back(sum);
      }
      std::sort(distances.begin(), distances.end());
      if (k > 700)
        CHECK(std::isinf(found[q]));
      else
        CHECK(found[q] == Approx(distances[k - 1]).margin(1e-5));
    }
  }
  CHECK_THROWS_AS(ev::neighbour_distances(queries, references, 0), rs::OptionError);
  CHECK_THROWS_AS(ev::neighbour_distances(queries, space.rows(train, {}), 1), rs::ShapeError);
}
