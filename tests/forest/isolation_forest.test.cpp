// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/isolation_forest.hpp>

namespace rs = rowsmith;

namespace {

// The points that the figures of scikit-learn are of: X = np.c_[np.sin(i), np.cos(1.7 * i) + 0.1 * np.sin(31
// * i), i % 7] for i = np.arange(2000.).
rs::FeatureMatrix points() {
  rs::FeatureMatrix features{{"x", "y", "z"}, std::vector<std::vector<double>>(3)};
  for (int i = 0; i < 2000; ++i) {
    features.columns[0].push_back(std::sin(i));
    features.columns[1].push_back(std::cos(1.7 * i) + 0.1 * std::sin(31.0 * i));
    features.columns[2].push_back(i % 7);
  }
  return features;
}

} // namespace

TEST_CASE("the mean path is that of binary search trees", "[forest]") {
  CHECK(rs::forest::isolation_path(1) == 0);
  CHECK(rs::forest::isolation_path(2) == 1);
  // 2 H(n - 1) - 2 (n - 1) / n, with harmonic numbers added up: the logarithm is an approximation of them.
  for (const int n : {16, 256, 5000}) {
    double harmonic = 0;
    for (int k = 1; k < n; ++k)
      harmonic += 1.0 / k;
    CHECK(rs::forest::isolation_path(n) == Approx(2 * harmonic - 2 * (n - 1.0) / n).margin(1.1 / (n - 1)));
  }
}

TEST_CASE("isolation forests score as scikit-learn's do", "[forest]") {
  // -IsolationForest(n_estimators=1000, max_samples=..., random_state=s).fit(X).score_samples(Q) of
  // scikit-learn 1.2.1, mean over s = 0 .. 3, whose standard deviations are .001 to .005.
  const rs::FeatureMatrix queries{{"x", "y", "z"},
                                  {{0, 1, 3, 0, 2, 0.5}, {0, 1, 0, 3, 2, -0.5}, {3, 0, 3, 3, 6, 12}}};
  const std::vector<double> of_256{0.5080, 0.5914, 0.5310, 0.5612, 0.6213, 0.5493};
  const std::vector<double> of_64{0.5002, 0.5992, 0.5290, 0.5484, 0.6134, 0.5533};
  for (const std::size_t samples : {std::size_t{256}, std::size_t{64}}) {
    const auto forest = rs::IsolationForest::fit(points(), {.trees = 1000, .samples = samples, .seed = 1});
    const auto scores = forest.score(queries);
    for (std::size_t q = 0; q < scores.size(); ++q) {
      CAPTURE(samples, q);
      CHECK(scores[q] == Approx((samples == 256 ? of_256 : of_64)[q]).margin(0.015));
    }
  }
}

TEST_CASE("a rare category is odd where categories have no order", "[forest]") {
  // 1 lies between two frequent ones, so that cuts by order leave it where it is.
  rs::FeatureMatrix features{{"town", "size"}, std::vector<std::vector<double>>(2)};
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < 2000; ++i) {
    features.columns[0].push_back(i % 100 == 0 ? 1 : 2 * (i % 2));
    features.columns[1].push_back(random.normal());
  }
  const rs::FeatureMatrix queries{{"town", "size"}, {{0, 1, 2}, {0, 0, 0}}};
  const auto by_order = rs::IsolationForest::fit(features, {.trees = 400}).score(queries);
  features.categorical = {true, false};
  const auto by_category = rs::IsolationForest::fit(features, {.trees = 400}).score(queries);
  CHECK(by_category[1] > by_category[0] + 0.05);
  CHECK(by_category[1] > by_category[2] + 0.05);
  CHECK(by_category[1] > by_order[1]);
}

TEST_CASE("missing values are parted from others, infinite ones and single values are no trouble",
          "[forest]") {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  rs::FeatureMatrix features{{"only", "all", "some"}, std::vector<std::vector<double>>(3)};
  for (int i = 0; i < 1000; ++i) {
    features.columns[0].push_back(i % 200 == 0 ? missing : 3); // differs by what is missing alone
    features.columns[1].push_back(missing);
    features.columns[2].push_back(i == 0 ? infinite : i == 1 ? -infinite : i % 10);
  }
  const auto forest = rs::IsolationForest::fit(features, {.trees = 300});
  const auto scores = forest.score({{"only", "all", "some"}, {{3, missing}, {missing, missing}, {5, 5}}});
  CHECK(scores[1] > scores[0] + 0.05);
  for (const double score : forest.score(features)) {
    CHECK(score > 0);
    CHECK(score <= 1);
  }
}

TEST_CASE("isolation forests are the same on any number of threads, and refuse what they cannot learn",
          "[forest][threads]") {
  const auto features = points();
  const auto fit = [&](int threads, std::uint64_t seed) {
    return rs::IsolationForest::fit(features, {.trees = 50, .seed = seed, .threads = threads})
        .score(features, threads);
  };
  CHECK(fit(1, 7) == fit(3, 7));
  CHECK(fit(1, 7) != fit(1, 8));
  using rs::IsolationForest;
  CHECK_THROWS_AS(IsolationForest::fit(features, {.trees = 0}), rs::OptionError);
  CHECK_THROWS_AS(IsolationForest::fit(features, {.samples = 1}), rs::OptionError);
  CHECK_THROWS_AS(IsolationForest::fit({}), rs::ShapeError);
  CHECK_THROWS_AS(IsolationForest::fit({{"a"}, {{}}}), rs::ShapeError);
  CHECK_THROWS_AS(IsolationForest::fit({{"a", "b"}, {{1, 2}, {1}}}), rs::ShapeError);
  const auto forest = IsolationForest::fit({{"a"}, {{1}}}); // a single row
  CHECK(forest.score({{"a"}, {{2}}}).size() == 1);
  CHECK_THROWS_AS(forest.score(features), rs::ShapeError);
}
