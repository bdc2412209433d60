// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/metrics.hpp>

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

namespace {
double auc(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels) {
  return ev::roc_auc(scores, labels);
}
// The definition: over all pairs of a positive and a negative.
double auc_by_pairs(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels) {
  double won = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j)
      if (labels[i] == 1 && labels[j] == 0) {
        won += scores[i] > scores[j] ? 1 : (scores[i] == scores[j] ? 0.5 : 0);
        pairs += 1;
      }
  return won / pairs;
}
} // namespace

TEST_CASE("the area under the ROC curve, by hand", "[evaluate]") {
  CHECK(auc({0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1}) == 0.75);
  CHECK(auc({1, 2, 3, 4}, {0, 0, 1, 1}) == 1);
  CHECK(auc({1, 2, 3, 4}, {1, 1, 0, 0}) == 0);
  CHECK(auc({5, 5, 5, 5}, {0, 1, 0, 1}) == 0.5);
}

TEST_CASE("it equals its definition by pairs, ties and all", "[evaluate]") {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int round = 0; round < 50; ++round) {
    std::vector<double> scores;
    std::vector<std::uint8_t> labels{0, 1};
    for (int i = 0; i < 40; ++i)
      scores.push_back(random.below(8));
    while (labels.size() < scores.size())
      labels.push_back(static_cast<std::uint8_t>(random.below(2)));
    CHECK(auc(scores, labels) == Approx(auc_by_pairs(scores, labels)).epsilon(1e-12));
  }
}

TEST_CASE("what has no area is an error", "[evaluate]") {
  CHECK_THROWS_AS(auc({1, 2}, {1, 1}), rs::ShapeError);
  CHECK_THROWS_AS(auc({1, 2}, {0, 0}), rs::ShapeError);
  CHECK_THROWS_AS(auc({}, {}), rs::ShapeError);
  CHECK_THROWS_AS(auc({1}, {1, 0}), rs::ShapeError);
  CHECK_THROWS_AS(auc({1, std::nan("")}, {1, 0}), rs::ShapeError);
}

TEST_CASE("ROC curves, rates at few false alarms, F1 and R2 by hand", "[evaluate]") {
  const std::vector<double> scores{0.9, 0.8, 0.8, 0.3};
  const std::vector<std::uint8_t> labels{1, 1, 0, 0};
  const auto curve = ev::roc_curve(scores, labels);
  REQUIRE(curve.size() == 4); // the two equal scores are one point
  CHECK(curve[1].true_positive_rate == 0.5);
  CHECK(curve[1].false_positive_rate == 0);
  CHECK(curve[2].true_positive_rate == 1);
  CHECK(curve[2].false_positive_rate == 0.5);
  CHECK(ev::true_positive_rate_at(curve, 0.4) == 0.5);
  CHECK(ev::true_positive_rate_at(curve, 0.5) == 1);
  CHECK(ev::interpolate(curve, 0.25) == 0.75);
  CHECK(ev::interpolate(curve, 1) == 1);
  const std::vector<std::uint16_t> truth{1, 1, 0, 0, 1};
  const std::vector<std::uint16_t> said{1, 0, 1, 0, 1};
  CHECK(ev::f1_score(said, truth, 1) == Approx(2.0 / 3));
  CHECK(ev::f1_score(said, truth, 0) == Approx(0.5));
  CHECK(ev::f1_score(said, truth, 2) == 0);
  CHECK(ev::r2_score(std::vector<double>{1, 2, 4}, std::vector<double>{1, 2, 3}) == Approx(0.5));
  CHECK_THROWS_AS(ev::r2_score(std::vector<double>{1, 2}, std::vector<double>{3, 3}), rs::ShapeError);
  CHECK_THROWS_AS(ev::f1_score(said, std::vector<std::uint16_t>{1}, 1), rs::ShapeError);
}

TEST_CASE("folds are even in size and in every class", "[evaluate]") {
  std::vector<std::uint16_t> labels(403, 0);
  std::fill(labels.begin(), labels.begin() + 41, std::uint16_t{1});
  const auto folds = ev::stratified_folds(labels, 4, 7);
  for (std::uint16_t fold = 0; fold < 4; ++fold) {
    int size = 0;
    int ones = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (folds[i] == fold) {
        ++size;
        ones += labels[i];
      }
    CHECK(std::abs(size - 101) <= 1);
    CHECK(std::abs(ones - 10) <= 1);
  }
  CHECK(ev::stratified_folds(labels, 4, 7) == folds);
  CHECK(ev::stratified_folds(labels, 4, 8) != folds);
  CHECK_THROWS_AS(ev::stratified_folds(labels, 1, 7), rs::OptionError);
  CHECK_THROWS_AS(ev::stratified_folds(labels, 404, 7), rs::OptionError);
}

TEST_CASE("average precision sums precision over steps of recall, ties together", "[evaluate]") {
  // By hand: hits at places 1, 3 and 4 of five.
  const std::vector<double> scores{0.9, 0.8, 0.7, 0.6, 0.5};
  const std::vector<std::uint8_t> positive{1, 0, 1, 1, 0};
  CHECK(rs::evaluate::average_precision(scores, positive) == Approx((1.0 + 2.0 / 3 + 3.0 / 4) / 3));
  // Of equal scores, all are found at once: the share of positive rows.
  const std::vector<double> equal(5, 0.5);
  CHECK(rs::evaluate::average_precision(equal, positive) == Approx(0.6));
  const std::vector<double> perfect{3, 1, 3, 3, 1};
  CHECK(rs::evaluate::average_precision(perfect, positive) == Approx(1));
  // Ties in part: two of three at the top, one of them positive.
  const std::vector<double> tied{1, 1, 0, 1, 0};
  CHECK(rs::evaluate::average_precision(tied, positive) == Approx(2.0 / 3 * (2.0 / 3) + 1.0 / 3 * (3.0 / 5)));
  // Of other shares: as if each of the two others came 45 times.
  std::vector<double> many{0.9, 0.7, 0.6};
  std::vector<std::uint8_t> their_labels{1, 1, 1};
  for (int i = 0; i < 90; ++i) {
    many.push_back(i % 2 == 0 ? 0.8 : 0.5);
    their_labels.push_back(0);
  }
  CHECK(rs::evaluate::average_precision(scores, positive, 3.0 / 93) ==
        Approx(rs::evaluate::average_precision(many, their_labels)));
  const std::vector<std::uint8_t> none(5, 0);
  CHECK_THROWS_AS(rs::evaluate::average_precision(scores, none), rs::ShapeError);
}
