// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/decision_tree.hpp>
#include <rowsmith/forest/random_forest.hpp>
#include <rowsmith/forest/small_nodes.hpp>

namespace rs = rowsmith;

namespace {
struct Labelled {
  rs::FeatureMatrix features;
  std::vector<std::uint16_t> labels;
};

// Label 1 where the first two features have the same sign; the third is noise.
Labelled checkerboard(int rows, std::uint32_t seed) {
  Labelled p;
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
  auto binning = rs::forest::Binning::fit(features);
  CHECK(binning.apply(features).columns[0] == std::vector<std::uint16_t>{3, 1, 0, 1, 2});
  // New values fall to the side of the nearer known one.
  const rs::FeatureMatrix fresh{{"few", "many"}, {{-9, 1.4, 1.6, 99}, {0, 0, 0, missing}}};
  CHECK(binning.apply(fresh).columns[0] == std::vector<std::uint16_t>{1, 1, 2, 3});
  CHECK(binning.apply(fresh).columns[1].back() == 0);

  rs::FeatureMatrix large{{"u"}, std::vector<std::vector<double>>(1)};
  for (int i = 0; i < 10'000; ++i)
    large.columns[0].push_back(static_cast<double>(i * i));
  binning = rs::forest::Binning::fit(large, 100);
  CHECK(binning.bins(0) == 101);
  std::vector<int> counts(101);
  const auto binned = binning.apply(large);
  for (const auto bin : binned.columns[0])
    ++counts[bin];
  CHECK(counts[0] == 0);
  for (std::size_t k = 1; k < counts.size(); ++k)
    CHECK(std::abs(counts[k] - 100) <= 1);
  CHECK_THROWS_AS(rs::forest::Binning::fit(large, 1), rs::OptionError);
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

namespace {
// A tree by exhaustive search over all cuts of the values themselves, without bins: what one tree of a forest
// without bootstrap or choice of features must predict on its training rows. `impurity` of a set of rows
// times its size.
template <class Impurity, class Predict>
void exhaustive_tree(const rs::FeatureMatrix& features, const std::vector<std::size_t>& rows,
                     std::size_t depth, const Impurity& impurity, const Predict& predict) {
  double best = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> best_left;
  std::vector<std::size_t> best_right;
  for (std::size_t f = 0; depth > 0 && impurity(rows) > 1e-12 && f < features.columns.size(); ++f)
    for (const auto at : rows) {
      std::vector<std::size_t> left;
      std::vector<std::size_t> right;
      for (const auto row : rows)
        (features.columns[f][row] <= features.columns[f][at] ? left : right).push_back(row);
      if (left.empty() || right.empty() || impurity(left) + impurity(right) >= best)
        continue;
      best = impurity(left) + impurity(right);
      best_left = left;
      best_right = right;
    }
  if (best_left.empty()) {
    predict(rows);
    return;
  }
  exhaustive_tree(features, best_left, depth - 1, impurity, predict);
  exhaustive_tree(features, best_right, depth - 1, impurity, predict);
}

std::vector<std::size_t> numbers(std::size_t count) {
  std::vector<std::size_t> result(count);
  std::iota(result.begin(), result.end(), std::size_t{0});
  return result;
}
} // namespace

TEST_CASE("trees take the splits that an exhaustive search takes", "[forest]") {
  // Continuous features: no two cuts are equally good, except by chance in small nodes, so that depth is
  // limited.
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    const auto p = checkerboard(160, seed);
    const auto n = p.labels.size();
    std::vector<double> targets;
    for (std::size_t i = 0; i < n; ++i)
      targets.push_back(std::sin(2 * p.features.columns[0][i]) + p.features.columns[1][i]);

    for (const std::size_t classes : {2U, 3U}) {
      std::vector<std::uint16_t> labels;
      for (std::size_t i = 0; i < n; ++i)
        labels.push_back(
            static_cast<std::uint16_t>(std::clamp(targets[i] + 1, 0.0, static_cast<double>(classes - 1))));
      const auto counts = [&](const std::vector<std::size_t>& rows) {
        std::vector<double> count(classes);
        for (const auto row : rows)
          ++count[labels[row]];
        return count;
      };
      std::vector<double> expected(n * classes);
      exhaustive_tree(
          p.features, numbers(n), 2,
          [&](const std::vector<std::size_t>& rows) {
            double gini = 1;
            for (const double count : counts(rows))
              gini -= count * count / static_cast<double>(rows.size() * rows.size());
            return gini * static_cast<double>(rows.size());
          },
          [&](const std::vector<std::size_t>& rows) {
            for (const auto row : rows)
              for (std::size_t k = 0; k < classes; ++k)
                expected[row * classes + k] = counts(rows)[k] / static_cast<double>(rows.size());
          });
      const auto forest = rs::RandomForest::fit(
          p.features, labels, classes,
          {.trees = 1, .max_features = 3, .max_depth = 2, .bootstrap = false, .max_bins = 1000});
      const auto found = forest.predict_probability(p.features);
      for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(found[i] == Approx(expected[i]).margin(1e-6));
    }

    std::vector<double> expected(n);
    const auto mean = [&](const std::vector<std::size_t>& rows) {
      double sum = 0;
      for (const auto row : rows)
        sum += targets[row];
      return sum / static_cast<double>(rows.size());
    };
    exhaustive_tree(
        p.features, numbers(n), 4,
        [&](const std::vector<std::size_t>& rows) {
          double squares = 0;
          for (const auto row : rows)
            squares += (targets[row] - mean(rows)) * (targets[row] - mean(rows));
          return squares;
        },
        [&](const std::vector<std::size_t>& rows) {
          for (const auto row : rows)
            expected[row] = mean(rows);
        });
    for (const double scale : {1.0, 1e-80, 1e80}) {
      auto scaled = targets;
      for (auto& target : scaled)
        target *= scale;
      const auto found =
          rs::RandomForestRegressor::fit(p.features, scaled,
                                         {.trees = 1, .max_depth = 4, .bootstrap = false, .max_bins = 1000})
              .predict(p.features);
      for (std::size_t i = 0; i < n; ++i)
        CHECK(found[i] / scale == Approx(expected[i]).margin(1e-6));
    }
  }
}

TEST_CASE("a regression forest learns, alike on any number of threads", "[forest][threads]") {
  const auto make = [](std::uint32_t seed) {
    auto p = checkerboard(2000, seed);
    std::vector<double> targets;
    for (std::size_t i = 0; i < p.labels.size(); ++i)
      targets.push_back(5 + std::sin(2 * p.features.columns[0][i]) * p.features.columns[1][i]);
    return std::pair(p.features, targets);
  };
  const auto [train, targets] = make(1);
  const auto [test, truth] = make(2);
  const auto forest =
      rs::RandomForestRegressor::fit(train, targets, {.trees = 30, .threads = 1, .out_of_bag = true});
  const auto prediction = forest.predict(test, 1);
  double errors = 0;
  double squares = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    errors += (prediction[i] - truth[i]) * (prediction[i] - truth[i]);
    squares += (truth[i] - 5) * (truth[i] - 5);
  }
  CHECK(1 - errors / squares > 0.9);
  // Rows outside the bag are as new rows; each tree sees fewer trees' worth of them.
  CHECK(forest.out_of_bag_score() == Approx(1 - errors / squares).margin(0.04));
  CHECK(forest.importances()[2] < 0.1);
  const auto threaded =
      rs::RandomForestRegressor::fit(train, targets, {.trees = 30, .threads = 3, .out_of_bag = true});
  CHECK(threaded.predict(test, 8) == prediction);
  CHECK(threaded.importances() == forest.importances());
  CHECK(threaded.out_of_bag_score() == forest.out_of_bag_score());
}

TEST_CASE("out-of-bag predictions tell how well a forest does on new rows", "[forest]") {
  const auto train = checkerboard(3000, 1);
  const auto test = checkerboard(3000, 2);
  const auto forest =
      rs::RandomForest::fit(train.features, train.labels, 2, {.trees = 60, .seed = 3, .out_of_bag = true});
  const double expected = accuracy(forest.predict_probability(test.features), test.labels);
  CHECK(forest.out_of_bag_score() == Approx(expected).margin(0.02));
  CHECK(accuracy(forest.out_of_bag_probability(), train.labels) == Approx(forest.out_of_bag_score()));
  // Labels that cannot be learnt: a forest knows its training rows by heart, but not outside the bag.
  auto noise = train.labels;
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
  for (auto& label : noise)
    label = static_cast<std::uint16_t>(random.below(2));
  const auto blind = rs::RandomForest::fit(train.features, noise, 2, {.trees = 60, .out_of_bag = true});
  CHECK(accuracy(blind.predict_probability(train.features), noise) > 0.99);
  CHECK(blind.out_of_bag_score() == Approx(0.5).margin(0.05));
  // One tree has seen about 1 − 1/e of the rows.
  const auto one = rs::RandomForest::fit(train.features, train.labels, 2, {.trees = 1, .out_of_bag = true});
  const auto& probability = one.out_of_bag_probability();
  CHECK(std::count_if(probability.begin(), probability.end(), [](double p) { return std::isnan(p); }) ==
        Approx(2 * 3000 * (1 - std::exp(-1.0))).margin(200));
  CHECK(std::isnan(rs::RandomForest::fit(train.features, train.labels, 2, {.trees = 1}).out_of_bag_score()));
  CHECK_THROWS_AS(
      rs::RandomForest::fit(train.features, train.labels, 2, {.bootstrap = false, .out_of_bag = true}),
      rs::OptionError);
}

TEST_CASE("bins of two bytes give the same forest as bins of one", "[forest]") {
  const auto p = checkerboard(600, 6);
  const auto narrow = rs::forest::Binning::fit(p.features, 200).apply(p.features);
  auto wide = narrow;
  for (auto& column : wide.columns)
    for (auto& bin : column)
      bin = static_cast<std::uint16_t>(300 * bin);
  const auto rows = rs::forest::detail::all_rows(narrow);
  const rs::RandomForestOptions options{.trees = 10};
  const auto a = rs::RandomForest::fit_binned(narrow, rows, p.labels, 2, options);
  const auto b = rs::RandomForest::fit_binned(wide, rows, p.labels, 2, options);
  CHECK(a.predict_binned(narrow, rows) == b.predict_binned(wide, rows));
  CHECK(a.importances() == b.importances());
}

TEST_CASE("a categorical feature is parted in the best of all ways", "[forest]") {
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
    rs::FeatureMatrix features{{"c"}, std::vector<std::vector<double>>(1), {true}};
    std::vector<std::uint16_t> labels;
    std::vector<double> targets;
    std::vector<std::size_t> group;
    for (int i = 0; i < 80; ++i) {
      group.push_back(random.below(7));
      features.columns[0].push_back(group.back() == 0 ? missing : static_cast<double>(group.back()));
      const double chance = std::abs(std::sin(static_cast<double>((group.back() + seed) * 37)));
      labels.push_back(random.uniform() < chance ? 1 : 0);
      targets.push_back(10 * chance + random.normal());
    }
    const rs::RandomForestOptions stump{.trees = 1, .max_depth = 1, .bootstrap = false};
    // The squared error of 0 / 1 labels is half their Gini impurity, so that one sum serves both.
    const auto squares = [&](const auto& values, const std::vector<double>& prediction) {
      double sum = 0;
      for (std::size_t i = 0; i < values.size(); ++i)
        sum += (values[i] - prediction[i]) * (values[i] - prediction[i]);
      return sum;
    };
    const auto least = [&](const auto& values) {
      double best = std::numeric_limits<double>::infinity();
      for (std::size_t subset = 1; subset < 127; ++subset) {
        double sum[2] = {};
        double count[2] = {};
        for (std::size_t i = 0; i < values.size(); ++i) {
          sum[subset >> group[i] & 1U] += values[i];
          ++count[subset >> group[i] & 1U];
        }
        std::vector<double> prediction;
        for (std::size_t i = 0; i < values.size(); ++i)
          prediction.push_back(sum[subset >> group[i] & 1U] / count[subset >> group[i] & 1U]);
        if (count[0] > 0 && count[1] > 0)
          best = std::min(best, squares(values, prediction));
      }
      return best;
    };
    const auto probability = rs::RandomForest::fit(features, labels, 2, stump).predict_probability(features);
    std::vector<double> ones;
    for (std::size_t i = 1; i < probability.size(); i += 2)
      ones.push_back(probability[i]);
    CHECK(squares(labels, ones) == Approx(least(labels)).epsilon(1e-5));
    CHECK(squares(targets, rs::RandomForestRegressor::fit(features, targets, stump).predict(features)) ==
          Approx(least(targets)).epsilon(1e-5));
  }
}

TEST_CASE("categories in any order, beside numbers", "[forest][threads]") {
  // Many categories without order; for half of them class 1 is where the number is positive.
  const auto make = [](std::uint32_t seed) {
    Labelled p;
    p.features = {{"category", "x"}, std::vector<std::vector<double>>(2), {true, false}};
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
    for (int i = 0; i < 4000; ++i) {
      const auto category = random.below(100);
      p.features.columns[0].push_back(category);
      p.features.columns[1].push_back(random.normal());
      p.labels.push_back((category * 7919 % 31 < 15) == (p.features.columns[1].back() > 0) ? 1 : 0);
    }
    return p;
  };
  const auto train = make(1);
  const auto test = make(2);
  const rs::RandomForestOptions options{.trees = 20, .max_features = 2, .threads = 1, .out_of_bag = true};
  const auto forest = rs::RandomForest::fit(train.features, train.labels, 2, options);
  const auto probability = forest.predict_probability(test.features);
  CHECK(accuracy(probability, test.labels) > 0.9);
  CHECK(forest.out_of_bag_score() > 0.9);
  auto threaded = options;
  threaded.threads = 3;
  CHECK(rs::RandomForest::fit(train.features, train.labels, 2, threaded).predict_probability(test.features) ==
        probability);
  // Codes never seen, between the known ones and beyond them, are predicted without fault.
  rs::FeatureMatrix fresh{{"category", "x"}, {{0.5, 1e9, -1}, {1, 1, 1}}, {true, false}};
  for (const double p : forest.predict_probability(fresh))
    CHECK((p >= 0 && p <= 1));
  fresh.categorical = {true};
  CHECK_THROWS_AS(rs::forest::Binning::fit(fresh), rs::ShapeError);
}

TEST_CASE("sorting by radix orders numbers of all kinds", "[forest]") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> ordered{-infinity, -1e300, -2,   -1.5,  -5e-324, 0,
                                    5e-324,    1e-9,   0.25, 1e300, infinity};
  std::vector<double> mixed = ordered;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  rs::shuffle(std::span<double>(mixed), random);
  mixed.push_back(-0.0); // is 0
  const rs::FeatureMatrix features{{"x"}, {mixed}};
  const auto binning = rs::forest::Binning::fit(features);
  CHECK(binning.bins(0) == ordered.size() + 1);
  const auto binned = binning.apply(features);
  for (std::size_t i = 0; i < mixed.size(); ++i)
    CHECK(binned.columns[0][i] ==
          std::lower_bound(ordered.begin(), ordered.end(), mixed[i]) - ordered.begin() + 1);
}

TEST_CASE("sets of bits tell what a loop over the rows tells", "[forest]") {
  struct Row {
    std::uint32_t row;
    std::uint16_t weight;
    std::uint16_t label;
  };
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  rs::forest::detail::SmallNodes nodes(1);
  for (const std::size_t count : {1U, 2U, 17U, 63U, 64U})
    for (const std::uint32_t values : {2U, 256U}) {
      std::vector<std::uint8_t> column;
      for (int i = 0; i < 200; ++i)
        column.push_back(static_cast<std::uint8_t>(random.below(values)));
      std::vector<Row> rows;
      for (std::size_t i = 0; i < count; ++i)
        rows.push_back({random.below(200), static_cast<std::uint16_t>(1 + random.below(7)),
                        static_cast<std::uint16_t>(random.below(2))});
      REQUIRE(nodes.hold(std::span<const Row>(rows)));
      const std::uint8_t* codes = nodes.codes(0, column.data());
      const rs::forest::detail::Bytes64 bytes(codes);
      for (const unsigned bound : {0U, 1U, 127U, 128U, 254U, 255U, unsigned{codes[0]}}) {
        std::uint64_t at_most = 0;
        std::uint64_t equal = 0;
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const unsigned bin = column[rows[i].row];
          at_most |= std::uint64_t{bin <= bound} << i;
          equal |= std::uint64_t{bin == bound} << i;
          if (bin <= bound)
            sum += rows[i].weight * (1 + (std::uint64_t{rows[i].label} << 32U));
        }
        const auto masks = bytes.compare(static_cast<std::uint8_t>(bound));
        CHECK((masks.at_most & nodes.everything()) == at_most);
        CHECK((masks.equal & nodes.everything()) == equal);
        CHECK(nodes.sum(at_most) == sum);
      }
    }
  // Too many rows and too great weights are left to others.
  CHECK_FALSE(nodes.hold(std::span<const Row>(std::vector<Row>(65, Row{0, 1, 0}))));
  CHECK_FALSE(nodes.hold(std::span<const Row>(std::vector<Row>{{0, 8, 1}})));
}

TEST_CASE("nodes of few rows are split as large ones", "[forest]") {
  // Bins of two bytes keep all nodes from being sets of bits; features of few values have many ties.
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
    const std::size_t rows = 30 + 200 * seed;
    rs::forest::BinnedMatrix narrow{rows, std::vector<std::vector<std::uint16_t>>(6)};
    std::vector<std::uint16_t> labels;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t f = 0; f < 6; ++f)
        narrow.columns[f].push_back(static_cast<std::uint16_t>(random.below(f < 3 ? 3 : 256)));
      labels.push_back(static_cast<std::uint16_t>(random.below(2)));
    }
    // One feature of more than 256 bins is enough.
    auto wide = narrow;
    for (auto& bin : wide.columns[5])
      bin = static_cast<std::uint16_t>(2 * bin);
    const auto all = rs::forest::detail::all_rows(narrow);
    for (const std::size_t leaf : {1U, 3U}) {
      const rs::RandomForestOptions options{.trees = 10, .min_samples_leaf = leaf, .seed = seed};
      const auto a = rs::RandomForest::fit_binned(narrow, all, labels, 2, options);
      const auto b = rs::RandomForest::fit_binned(wide, all, labels, 2, options);
      CHECK(a.predict_binned(narrow, all) == b.predict_binned(wide, all));
      CHECK(a.importances() == b.importances());
    }
  }
}
