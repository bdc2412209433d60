// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/decision_tree.hpp>
#include <rowsmith/forest/random_forest.hpp>

namespace rs = rowsmith;

namespace {
struct Problem {
  rs::FeatureMatrix features;
  std::vector<std::uint16_t> labels;
};

// Label 1 where the first two features have the same sign; the third is noise.
Problem checkerboard(int rows, std::uint32_t seed) {
  Problem p;
  p.features.names = {"x", "y", "noise"};
  p.features.columns.resize(3);
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  for (int i = 0; i < rows; ++i) {
    for (auto& column : p.features.columns)
      column.push_back(random.normal());
    p.labels.push_back((p.features.columns[0].back() > 0) == (p.features.columns[1].back() > 0) ? 1 : 0);
  }
  return p;
}
double accuracy(const std::vector<double>& probability, const std::vector<std::uint16_t>& labels) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    right += (probability[2 * i + 1] > 0.5) == (labels[i] == 1) ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}
} // namespace

TEST_CASE("few values get a bin each, many are cut at quantiles", "[forest]") {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  rs::FeatureMatrix features{{"few", "many"}, {{3, 1, missing, 1, 2}, {0, 1, 2, 3, 4}}};
  auto binning = rs::Binning::fit(features);
  CHECK(binning.apply(features).columns[0] == std::vector<std::uint16_t>{3, 1, 0, 1, 2});
  // New values fall to the side of the nearer known one.
  const rs::FeatureMatrix fresh{{"few", "many"}, {{-9, 1.4, 1.6, 99}, {0, 0, 0, missing}}};
  CHECK(binning.apply(fresh).columns[0] == std::vector<std::uint16_t>{1, 1, 2, 3});
  CHECK(binning.apply(fresh).columns[1].back() == 0);

  rs::FeatureMatrix large{{"u"}, std::vector<std::vector<double>>(1)};
  for (int i = 0; i < 10'000; ++i)
    large.columns[0].push_back(static_cast<double>(i * i));
  binning = rs::Binning::fit(large, 100);
  CHECK(binning.bins(0) == 101);
  std::vector<int> counts(101);
  const auto binned = binning.apply(large);
  for (const auto bin : binned.columns[0])
    ++counts[bin];
  CHECK(counts[0] == 0);
  for (std::size_t k = 1; k < counts.size(); ++k)
    CHECK(std::abs(counts[k] - 100) <= 1);
  CHECK_THROWS_AS(rs::Binning::fit(large, 1), rs::OptionError);
  CHECK_THROWS_AS(binning.apply(features), rs::ShapeError);
}

TEST_CASE("a single tree without randomness fits its training rows exactly", "[forest]") {
  const auto p = checkerboard(500, 1);
  const auto forest = rs::RandomForest::fit(
      p.features, p.labels, 2, {.trees = 1, .max_features = 3, .bootstrap = false, .max_bins = 1000});
  CHECK(accuracy(forest.predict_probability(p.features), p.labels) == 1);
}

TEST_CASE("a tree takes the split of least impurity", "[forest]") {
  // By hand: at x <= 2 both sides are pure; no cut of the other feature is as good.
  const rs::FeatureMatrix features{{"other", "x"}, {{1, 2, 1, 2, 1, 2}, {1, 2, 2, 3, 4, 5}}};
  const std::vector<std::uint16_t> labels{0, 0, 0, 1, 1, 1};
  const auto forest =
      rs::RandomForest::fit(features, labels, 2, {.trees = 1, .max_features = 2, .bootstrap = false});
  const auto& nodes = forest.trees()[0].nodes();
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[0].feature == 1);
  CHECK(nodes[0].threshold == 2); // bins count from 1, so this is x <= 2
  CHECK(forest.importances() == std::vector<double>{0, 1});
}

TEST_CASE("a forest learns what a line cannot, and finds the features that matter", "[forest]") {
  const auto train = checkerboard(3000, 1);
  const auto test = checkerboard(2000, 2);
  const auto forest = rs::RandomForest::fit(train.features, train.labels, 2, {.trees = 50, .seed = 3});
  CHECK(accuracy(forest.predict_probability(test.features), test.labels) > 0.93);
  CHECK(forest.importances()[2] < 0.25);
  CHECK(forest.importances()[0] + forest.importances()[1] + forest.importances()[2] == Approx(1));
}

TEST_CASE("a forest has the same bits on any number of threads", "[forest][threads]") {
  const auto p = checkerboard(800, 4);
  const auto reference =
      rs::RandomForest::fit(p.features, p.labels, 2, {.trees = 16, .seed = 9, .threads = 1})
          .predict_probability(p.features, 1);
  for (const int threads : {2, 3, 8})
    CHECK(rs::RandomForest::fit(p.features, p.labels, 2, {.trees = 16, .seed = 9, .threads = threads})
              .predict_probability(p.features, threads) == reference);
  CHECK(rs::RandomForest::fit(p.features, p.labels, 2, {.trees = 16, .seed = 10})
            .predict_probability(p.features) != reference);
}

TEST_CASE("several classes, limits and bad input", "[forest]") {
  rs::FeatureMatrix features{{"x"}, std::vector<std::vector<double>>(1)};
  std::vector<std::uint16_t> labels;
  for (int i = 0; i < 300; ++i) {
    features.columns[0].push_back(i % 3);
    labels.push_back(static_cast<std::uint16_t>(i % 3));
  }
  const auto forest = rs::RandomForest::fit(features, labels, 4, {.trees = 5});
  const auto probability = forest.predict_probability(features);
  CHECK(probability[0] == 1);
  CHECK(probability[4 + 1] == 1);
  CHECK(probability[3] == 0); // the fourth class never occurs
  const auto stump =
      rs::RandomForest::fit(features, labels, 4, {.trees = 1, .max_depth = 1, .bootstrap = false});
  CHECK(stump.trees()[0].nodes().size() == 3);
  const auto leafy =
      rs::RandomForest::fit(features, labels, 4, {.trees = 1, .min_samples_leaf = 150, .bootstrap = false});
  CHECK(leafy.trees()[0].nodes().size() == 1);
  CHECK_THROWS_AS(rs::RandomForest::fit(features, {}, 2), rs::ShapeError);
  CHECK_THROWS_AS(rs::RandomForest::fit(features, labels, 2), rs::ShapeError);
  CHECK_THROWS_AS(rs::RandomForest::fit(features, labels, 4, {.trees = 0}), rs::OptionError);
  CHECK_THROWS_AS(rs::RandomForest::fit(rs::FeatureMatrix{}, {}, 2), rs::ShapeError);
}
