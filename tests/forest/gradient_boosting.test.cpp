// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>

namespace rs = rowsmith;

namespace {
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Problem {
  rs::FeatureMatrix features;
  std::vector<std::uint16_t> labels;
  std::vector<double> targets;
};

// A few distinct values a feature, `missing_share` of them missing; label and target depend on the first two.
Problem problem(std::size_t rows, std::size_t features, std::uint32_t seed, double missing_share = 0,
                std::uint32_t values = 12) {
  Problem p;
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  for (std::size_t f = 0; f < features; ++f) {
    p.features.names.push_back(std::string("f").append(std::to_string(f)));
    p.features.columns.emplace_back();
    for (std::size_t i = 0; i < rows; ++i)
      p.features.columns[f].push_back(
          random.uniform() < missing_share ? missing : static_cast<double>(random.below(values)));
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = p.features.columns[0][i];
    const double y = p.features.columns[1][i];
    const double signal = (std::isnan(x) ? 3.0 : x > 5 ? 1.0 : -1.0) * (std::isnan(y) ? 1.0 : y - 4);
    p.targets.push_back(signal + random.normal());
    p.labels.push_back(p.targets.back() > 0 ? 1 : 0);
  }
  return p;
}

std::vector<double> positive(const std::vector<double>& probability) {
  std::vector<double> result;
  for (std::size_t i = 1; i < probability.size(); i += 2)
    result.push_back(probability[i]);
  return result;
}

// An independent implementation: boosting by exhaustive search over all cuts of the values themselves and
// both sides for missing values, row by row, in plain doubles, without bins or histograms.
class Exhaustive {
public:
  Exhaustive(const rs::FeatureMatrix& features, const rs::GradientBoostingOptions& options)
      : features_(features), options_(options) {}

  // Adds one tree's values to the scores.
  void round(const std::vector<double>& g, const std::vector<double>& h, std::vector<double>& scores) {
    std::vector<std::size_t> rows(g.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    grow(rows, 0, g, h, scores);
  }

private:
  void grow(const std::vector<std::size_t>& rows, std::size_t depth, const std::vector<double>& g,
            const std::vector<double>& h, std::vector<double>& scores) {
    const auto [sum_g, sum_h] = sums(rows, g, h);
    double best = std::max(options_.gamma, 1e-6);
    std::vector<std::size_t> best_left;
    std::vector<std::size_t> best_right;
    for (std::size_t f = 0; depth < options_.max_depth && f < features_.columns.size(); ++f) {
      const auto& column = features_.columns[f];
      std::vector<double> cuts{-1e300}; // only missing values, if they go left
      for (const auto row : rows)
        if (!std::isnan(column[row]))
          cuts.push_back(column[row]);
      std::sort(cuts.begin(), cuts.end());
      for (const bool missing_left : {true, false})
        for (const double cut : cuts) {
          std::vector<std::size_t> left;
          std::vector<std::size_t> right;
          for (const auto row : rows)
            ((std::isnan(column[row]) ? missing_left : column[row] <= cut) ? left : right).push_back(row);
          const auto [left_g, left_h] = sums(left, g, h);
          const auto [right_g, right_h] = sums(right, g, h);
          if (left.empty() || right.empty() || left_h < options_.min_child_weight ||
              right_h < options_.min_child_weight)
            continue;
          const double gain = left_g * left_g / (left_h + options_.lambda) +
                              right_g * right_g / (right_h + options_.lambda) -
                              sum_g * sum_g / (sum_h + options_.lambda);
          if (gain > best + 1e-9) {
            best = gain;
            best_left = left;
            best_right = right;
          }
        }
    }
    if (best_left.empty()) {
      for (const auto row : rows)
        scores[row] -= options_.learning_rate * sum_g / (sum_h + options_.lambda);
      return;
    }
    grow(best_left, depth + 1, g, h, scores);
    grow(best_right, depth + 1, g, h, scores);
  }
  static std::pair<double, double> sums(const std::vector<std::size_t>& rows, const std::vector<double>& g,
                                        const std::vector<double>& h) {
    std::pair<double, double> sum{0, 0};
    for (const auto row : rows) {
      sum.first += g[row];
      sum.second += h[row];
    }
    return sum;
  }
  const rs::FeatureMatrix& features_;
  rs::GradientBoostingOptions options_;
};

std::vector<double> exhaustive_probability(const Problem& p, const rs::GradientBoostingOptions& options) {
  double ones = 1;
  double zeros = 1;
  for (const auto label : p.labels)
    ++(label == 1 ? ones : zeros);
  std::vector<double> scores(p.labels.size(), std::log(ones / zeros));
  Exhaustive trees(p.features, options);
  for (std::size_t round = 0; round < options.rounds; ++round) {
    std::vector<double> g;
    std::vector<double> h;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double probability = 1 / (1 + std::exp(-scores[i]));
      g.push_back(probability - p.labels[i]);
      h.push_back(probability * (1 - probability));
    }
    trees.round(g, h, scores);
  }
  for (auto& score : scores)
    score = 1 / (1 + std::exp(-score));
  return scores;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}
} // namespace

TEST_CASE("boosting finds the splits that an exhaustive search finds", "[forest]") {
  for (std::uint32_t seed = 0; seed < 6; ++seed)
    for (const auto& options :
         {rs::GradientBoostingOptions{.rounds = 3, .max_depth = 3},
          rs::GradientBoostingOptions{.rounds = 2, .max_depth = 6, .lambda = 0.5, .min_child_weight = 0.25},
          rs::GradientBoostingOptions{.rounds = 3, .max_depth = 4, .gamma = 1.5},
          rs::GradientBoostingOptions{.rounds = 3, .max_depth = 2, .lambda = 7, .min_child_weight = 4}}) {
      const auto p = problem(150, 4, seed, seed % 2 == 0 ? 0 : 0.2);
      const auto model = rs::GradientBoosting::fit(p.features, p.labels, 2, options);
      CAPTURE(seed, options.max_depth, options.gamma);
      CHECK(largest_difference(positive(model.predict_probability(p.features)),
                               exhaustive_probability(p, options)) < 1e-6);
    }
}

TEST_CASE("squared error: the same splits, whatever the scale of the targets", "[forest]") {
  const auto p = problem(150, 3, 7, 0.1);
  const rs::GradientBoostingOptions options{.rounds = 4, .max_depth = 3, .lambda = 2};
  double mean = 0;
  for (const double target : p.targets)
    mean += target / static_cast<double>(p.targets.size());
  std::vector<double> scores(p.targets.size(), mean);
  Exhaustive trees(p.features, options);
  for (std::size_t round = 0; round < options.rounds; ++round) {
    std::vector<double> g;
    for (std::size_t i = 0; i < scores.size(); ++i)
      g.push_back(scores[i] - p.targets[i]);
    trees.round(g, std::vector<double>(g.size(), 1.0), scores);
  }
  const auto model = rs::GradientBoostingRegressor::fit(p.features, p.targets, options);
  CHECK(largest_difference(model.predict(p.features), scores) < 1e-5);
  for (const double scale : {1e-60, 1e60}) {
    auto scaled = p.targets;
    for (auto& target : scaled)
      target *= scale;
    auto prediction = rs::GradientBoostingRegressor::fit(p.features, scaled, options).predict(p.features);
    for (auto& value : prediction)
      value /= scale;
    CHECK(largest_difference(prediction, scores) < 1e-5);
  }
}

TEST_CASE("one round by hand", "[forest]") {
  // Six rows, two of them of class 1: boosting starts at log(3 / 5). x <= 2.5 parts the classes.
  const rs::FeatureMatrix features{{"x"}, {{1, 2, 3, 1, 2, 3}}};
  const std::vector<std::uint16_t> labels{0, 0, 1, 0, 0, 1};
  const auto model = rs::GradientBoosting::fit(
      features, labels, 2,
      {.rounds = 1, .max_depth = 1, .learning_rate = 0.5, .lambda = 2, .min_child_weight = 0});
  const double p = 3.0 / 8;
  const double h = p * (1 - p);
  const double left = -0.5 * 4 * p / (4 * h + 2);
  const double right = -0.5 * 2 * (p - 1) / (2 * h + 2);
  const double start = std::log(3.0 / 5);
  const auto probability = model.predict_probability(features);
  CHECK(probability[1] == Approx(1 / (1 + std::exp(-start - left))).epsilon(1e-6));
  CHECK(probability[5] == Approx(1 / (1 + std::exp(-start - right))).epsilon(1e-6));
  CHECK(probability[0] + probability[1] == Approx(1));
  REQUIRE(model.trees().nodes().size() == 3);
  CHECK(model.trees().nodes()[0].threshold == 2);
  CHECK(model.importances() == std::vector<double>{1});
  // A split needs this weight on both sides, and this gain.
  const double gain = 16 * p * p / (4 * h + 2) + 4 * (p - 1) * (p - 1) / (2 * h + 2) -
                      (4 * p + 2 * (p - 1)) * (4 * p + 2 * (p - 1)) / (6 * h + 2);
  const auto nodes = [&](const rs::GradientBoostingOptions& options) {
    return rs::GradientBoosting::fit(features, labels, 2, options).trees().nodes().size();
  };
  CHECK(nodes({.rounds = 1, .max_depth = 1, .lambda = 2, .gamma = gain * 0.999, .min_child_weight = 2 * h}) ==
        3);
  CHECK(nodes({.rounds = 1, .max_depth = 1, .lambda = 2, .gamma = gain * 1.001, .min_child_weight = 2 * h}) ==
        1);
  CHECK(nodes({.rounds = 1, .max_depth = 1, .lambda = 2, .min_child_weight = 2.01 * h}) == 1);
}

TEST_CASE("missing values go where they belong", "[forest]") {
  // Missing rows behave like large values; then like small ones; then like neither.
  const rs::FeatureMatrix features{{"x"}, {{1, 2, 3, 4, missing, missing, 1, 2, 3, 4}}};
  const rs::GradientBoostingOptions options{.rounds = 20, .max_depth = 2, .min_child_weight = 0};
  for (const auto& labels : std::vector<std::vector<std::uint16_t>>{
           {0, 0, 1, 1, 1, 1, 0, 0, 1, 1}, {0, 0, 1, 1, 0, 0, 0, 0, 1, 1}, {0, 0, 0, 0, 1, 1, 0, 0, 0, 0}}) {
    const auto p =
        positive(rs::GradientBoosting::fit(features, labels, 2, options).predict_probability(features));
    for (std::size_t i = 0; i < labels.size(); ++i)
      CHECK((p[i] > 0.5) == (labels[i] == 1));
  }
  // None missing in training: the side with more weight.
  const rs::FeatureMatrix complete{{"x"}, {{1, 2, 2, 2, 2}}};
  const std::vector<std::uint16_t> labels{0, 1, 1, 1, 1};
  const auto model = rs::GradientBoosting::fit(complete, labels, 2, options);
  CHECK(positive(model.predict_probability(rs::FeatureMatrix{{"x"}, {{missing}}}))[0] > 0.5);
}

TEST_CASE("boosting has the same bits on any number of threads", "[forest][threads]") {
  const auto p = problem(30'000, 6, 3, 0.1, 300);
  for (const double subsample : {1.0, 0.5}) {
    rs::GradientBoostingOptions options{
        .rounds = 8, .max_depth = 8, .subsample = subsample, .seed = 5, .threads = 1};
    const auto reference = rs::GradientBoosting::fit(p.features, p.labels, 2, options);
    const auto probability = reference.predict_probability(p.features, 1);
    for (const int threads : {2, 3, 8}) {
      options.threads = threads;
      const auto model = rs::GradientBoosting::fit(p.features, p.labels, 2, options);
      CHECK(model.predict_probability(p.features, threads) == probability);
      CHECK(model.importances() == reference.importances());
      CHECK(model.trees().nodes().size() == reference.trees().nodes().size());
    }
    options.seed = 6;
    const bool same =
        rs::GradientBoosting::fit(p.features, p.labels, 2, options).predict_probability(p.features) ==
        probability;
    CHECK(same == (subsample == 1.0));
  }
}

TEST_CASE("more bins than a byte holds, and rows chosen by number", "[forest]") {
  const auto p = problem(4000, 3, 8, 0.05, 1000);
  const rs::GradientBoostingOptions options{.rounds = 10};
  const auto binned = rs::forest::Binning::fit(p.features, 2000).apply(p.features);
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < 4000; i += 2)
    rows.push_back(i);
  const auto model = rs::GradientBoosting::fit_binned(binned, rows, p.labels, 2, options);
  Problem half = p;
  for (std::size_t f = 0; f < 3; ++f) {
    half.features.columns[f].clear();
    for (const auto row : rows)
      half.features.columns[f].push_back(p.features.columns[f][row]);
  }
  half.labels.clear();
  for (const auto row : rows)
    half.labels.push_back(p.labels[row]);
  auto wide = options;
  wide.max_bins = 2000;
  CHECK(largest_difference(model.predict_binned(binned, rows),
                           rs::GradientBoosting::fit(half.features, half.labels, 2, wide)
                               .predict_probability(half.features)) == 0);
}

TEST_CASE("several classes", "[forest]") {
  auto p = problem(3000, 3, 9);
  for (std::size_t i = 0; i < p.labels.size(); ++i)
    p.labels[i] =
        static_cast<std::uint16_t>(std::min(p.features.columns[0][i], p.features.columns[1][i]) / 3);
  const auto model = rs::GradientBoosting::fit(p.features, p.labels, 5, {.rounds = 20});
  const auto probability = model.predict_probability(p.features);
  std::size_t right = 0;
  for (std::size_t i = 0; i < p.labels.size(); ++i) {
    const auto row = probability.begin() + static_cast<std::ptrdiff_t>(5 * i);
    right += std::max_element(row, row + 5) - row == p.labels[i] ? 1 : 0;
    CHECK(std::accumulate(row, row + 5, 0.0) == Approx(1));
    CHECK(row[4] < 0.01); // never occurs
  }
  CHECK(right == p.labels.size());
  CHECK(model.importances()[2] < 0.001);
}

TEST_CASE("boosting refuses what it cannot learn from", "[forest]") {
  const auto p = problem(50, 2, 1);
  const auto fit = [&](const rs::GradientBoostingOptions& options) {
    return rs::GradientBoosting::fit(p.features, p.labels, 2, options);
  };
  CHECK_THROWS_AS(fit({.rounds = 0}), rs::OptionError);
  CHECK_THROWS_AS(fit({.max_depth = 0}), rs::OptionError);
  CHECK_THROWS_AS(fit({.max_depth = 31}), rs::OptionError);
  CHECK_THROWS_AS(fit({.learning_rate = 0}), rs::OptionError);
  CHECK_THROWS_AS(fit({.learning_rate = missing}), rs::OptionError);
  CHECK_THROWS_AS(fit({.lambda = -1}), rs::OptionError);
  CHECK_THROWS_AS(fit({.gamma = std::numeric_limits<double>::infinity()}), rs::OptionError);
  CHECK_THROWS_AS(fit({.min_child_weight = -1}), rs::OptionError);
  CHECK_THROWS_AS(fit({.subsample = 1.5}), rs::OptionError);
  CHECK_THROWS_AS(fit({.max_bins = 1}), rs::OptionError);
  CHECK_THROWS_AS(fit({.threads = -1}), rs::OptionError);
  CHECK_THROWS_AS(rs::GradientBoosting::fit(p.features, {}, 2), rs::ShapeError);
  CHECK_THROWS_AS(rs::GradientBoosting::fit(p.features, p.labels, 1), rs::ShapeError);
  CHECK_THROWS_AS(rs::GradientBoosting::fit(rs::FeatureMatrix{}, {}, 2), rs::ShapeError);
  const auto binned = rs::forest::Binning::fit(p.features).apply(p.features);
  const std::vector<std::uint32_t> outside{0, 50};
  CHECK_THROWS_AS(rs::GradientBoosting::fit_binned(binned, outside, p.labels, 2), rs::ShapeError);
  const auto model = fit({.rounds = 1});
  CHECK_THROWS_AS(model.predict_binned(binned, outside), rs::ShapeError);
  CHECK_THROWS_AS(model.predict_probability(rs::FeatureMatrix{{"a"}, {{1}}}), rs::ShapeError);
  auto targets = p.targets;
  targets[3] = missing;
  CHECK_THROWS_AS(rs::GradientBoostingRegressor::fit(p.features, targets), rs::ShapeError);
  targets[3] = 1e101;
  CHECK_THROWS_AS(rs::GradientBoostingRegressor::fit(p.features, targets), rs::ShapeError);
}

TEST_CASE("boosting on degenerate tables", "[forest]") {
  // One row, one class, constant and wholly missing features: no splits, the starting shares.
  const rs::FeatureMatrix features{{"constant", "missing"}, {{5, 5, 5}, {missing, missing, missing}}};
  const std::vector<std::uint16_t> labels{1, 1, 1};
  const rs::GradientBoostingOptions loose{
      .rounds = 200, .learning_rate = 1, .lambda = 0, .min_child_weight = 0};
  const auto model = rs::GradientBoosting::fit(features, labels, 2, loose);
  for (const double p : positive(model.predict_probability(features))) {
    CHECK(p > 0.8);
    CHECK(p <= 1);
  }
  CHECK(model.importances() == std::vector<double>{0, 0});
  CHECK(model.trees().nodes().size() == 200);
  const std::vector<double> same{4, 4, 4};
  CHECK(rs::GradientBoostingRegressor::fit(features, same, loose).predict(features) == same);
  const rs::FeatureMatrix row{{"x"}, {{1}}};
  CHECK(rs::GradientBoostingRegressor::fit(row, std::vector<double>{7}, loose).predict(row)[0] == 7);
  // Perfectly separable, no penalty: scores saturate and stay finite.
  const rs::FeatureMatrix two{{"x"}, {{0, 1, 0, 1}}};
  for (const double p : rs::GradientBoosting::fit(two, std::vector<std::uint16_t>{0, 1, 0, 1}, 2, loose)
                            .predict_probability(two))
    CHECK((p < 1e-6 || p > 1 - 1e-6));
}
