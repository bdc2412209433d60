// SPDX-License-Identifier: MIT
/// \file
/// Metrics of classifiers, and the folds to measure them on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// Area under the ROC curve: the probability that a positive row scores above a negative one, ties counting
/// one half (Mann–Whitney U with midranks; Fawcett 2006). \param positive one a score: 0 or 1 \throws
/// ShapeError if the sizes differ, a class is absent or a score is NaN
inline double roc_auc(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  if (scores.size() != positive.size())
    throw ShapeError("roc_auc: " + std::to_string(scores.size()) + " scores, but " +
                     std::to_string(positive.size()) + " labels");
  if (std::any_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); }))
    throw ShapeError("roc_auc: a score is not a number");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0;
  std::size_t positives = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    std::size_t tied_positives = 0;
    while (end < order.size() && scores[order[end]] == scores[order[begin]])
      tied_positives += positive[order[end++]] != 0 ? 1 : 0;
    rank_sum += static_cast<double>(tied_positives) * (static_cast<double>(begin + end + 1) / 2);
    positives += tied_positives;
    begin = end;
  }
  const std::size_t negatives = scores.size() - positives;
  if (positives == 0 || negatives == 0)
    throw ShapeError("roc_auc: all labels are " + std::string(positives == 0 ? "0" : "1") +
                     ", expected both classes");
  const auto p = static_cast<double>(positives);
  return (rank_sum - p * (p + 1) / 2) / (p * static_cast<double>(negatives));
}

/// A point of a ROC curve.
struct RocPoint {
  double false_positive_rate = 0;
  double true_positive_rate = 0;
};

/// The ROC curve from (0, 0) to (1, 1), one point for each distinct score. \throws what `roc_auc` throws
inline std::vector<RocPoint> roc_curve(std::span<const double> scores,
                                       std::span<const std::uint8_t> positive) {
  static_cast<void>(roc_auc(scores, positive)); // checks
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const auto positives = static_cast<double>(
      std::count_if(positive.begin(), positive.end(), [](std::uint8_t label) { return label != 0; }));
  const double negatives = static_cast<double>(scores.size()) - positives;
  std::vector<RocPoint> curve{{0, 0}};
  double hits = 0;
  double alarms = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (positive[order[i]] != 0 ? hits : alarms) += 1;
    if (i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]])
      curve.push_back({alarms / negatives, hits / positives});
  }
  return curve;
}

/// The largest true-positive rate of a curve among the thresholds whose false-positive rate is at most the
/// one given (Carlini et al. 2022): what an attacker gets who must not cry wolf.
inline double true_positive_rate_at(std::span<const RocPoint> curve, double false_positive_rate) {
  double best = 0;
  for (const auto& point : curve)
    if (point.false_positive_rate <= false_positive_rate)
      best = std::max(best, point.true_positive_rate);
  return best;
}

/// The curve's true-positive rate at a false-positive rate, by straight lines between its points.
inline double interpolate(std::span<const RocPoint> curve, double false_positive_rate) {
  const auto above =
      std::upper_bound(curve.begin(), curve.end(), false_positive_rate,
                       [](double at, const RocPoint& p) { return at < p.false_positive_rate; });
  if (above == curve.end())
    return curve.back().true_positive_rate;
  const auto& a = *(above - 1);
  const double width = above->false_positive_rate - a.false_positive_rate;
  return a.true_positive_rate + (above->true_positive_rate - a.true_positive_rate) *
                                    ((false_positive_rate - a.false_positive_rate) / width);
}

/// Area under the precision-recall curve as a sum of steps: Σ (R_k − R_(k−1)) · P_k over the distinct scores,
/// from the largest on (average precision; Davis & Goadrich 2006 on why no straight lines). Scores that know
/// nothing have the share of positive rows. \param prevalence  the share of positive rows that precision is
/// meant for, (0, 1), where the rows at hand have others than there will be; NaN: theirs
/// \throws what `roc_auc` throws
inline double average_precision(std::span<const double> scores, std::span<const std::uint8_t> positive,
                                double prevalence = std::numeric_limits<double>::quiet_NaN()) {
  const auto curve = roc_curve(scores, positive);
  if (std::isnan(prevalence))
    prevalence = static_cast<double>(std::count_if(positive.begin(), positive.end(),
                                                   [](std::uint8_t label) { return label != 0; })) /
                 static_cast<double>(positive.size());
  if (!(prevalence > 0 && prevalence < 1))
    throw ShapeError("average_precision: prevalence = " + std::to_string(prevalence) +
                     ", expected more than 0 and less than 1");
  double sum = 0;
  double recall = 0;
  for (const auto& point : curve) {
    const double hits = point.true_positive_rate * prevalence;
    const double alarms = point.false_positive_rate * (1 - prevalence);
    if (hits > 0)
      sum += (point.true_positive_rate - recall) * hits / (hits + alarms);
    recall = point.true_positive_rate;
  }
  return sum;
}

/// The least of the scores of `usual` rows that a new row of their kind exceeds with a probability of at most
/// `false_alarms`, whatever the scores' distribution: the ⌈(1 − false_alarms) (n + 1)⌉-th smallest of n, as n
/// rows and a new one come in any order alike (split conformal prediction: Vovk, Gammerman & Shafer 2005). A
/// row is flagged if its score is larger. Infinite if that one is. \param false_alarms in (0, 1)
/// \throws OptionError for another share, or for so few rows that none is left out: fewer than
/// 1 / false_alarms − 1 \throws ShapeError if a score is NaN
inline double alarm_threshold(std::vector<double> usual, double false_alarms) {
  if (!(false_alarms > 0 && false_alarms < 1))
    throw OptionError("alarm_threshold: false_alarms = " + std::to_string(false_alarms) +
                      ", expected more than 0 and less than 1");
  if (std::any_of(usual.begin(), usual.end(), [](double score) { return std::isnan(score); }))
    throw ShapeError("alarm_threshold: a score is not a number");
  // Less the rounding of a product such as .99 · 100.
  const auto rank = static_cast<std::size_t>(
      std::ceil((1 - false_alarms) * static_cast<double>(usual.size() + 1) * (1 - 1e-12)));
  if (rank > usual.size())
    throw OptionError("alarm_threshold: " + std::to_string(usual.size()) +
                      " rows are too few for the share " + std::to_string(false_alarms) +
                      " of false alarms, expected at least " +
                      std::to_string(static_cast<std::size_t>(std::ceil(1 / false_alarms - 1 - 1e-9))));
  const auto place = usual.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(usual.begin(), place, usual.end());
  return *place;
}

/// Harmonic mean of precision and recall of one class, 2 TP / (2 TP + FP + FN); 0 if there is no true
/// positive. \throws ShapeError if the sizes differ
inline double f1_score(std::span<const std::uint16_t> predicted, std::span<const std::uint16_t> labels,
                       std::uint16_t positive) {
  if (predicted.size() != labels.size())
    throw ShapeError("f1_score: " + std::to_string(predicted.size()) + " predictions, but " +
                     std::to_string(labels.size()) + " labels");
  double both = 0;
  double one = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    both += predicted[i] == positive && labels[i] == positive ? 1 : 0;
    one += (predicted[i] == positive) != (labels[i] == positive) ? 1 : 0;
  }
  return both > 0 ? 2 * both / (2 * both + one) : 0;
}

/// Share of the variance of `values` that predictions explain: 1 − squared errors / squared deviations from
/// the mean. 1 is perfect, 0 as good as the mean, negative worse. \throws ShapeError if the sizes differ or
/// all values are equal
inline double r2_score(std::span<const double> predicted, std::span<const double> values) {
  if (predicted.size() != values.size())
    throw ShapeError("r2_score: " + std::to_string(predicted.size()) + " predictions, but " +
                     std::to_string(values.size()) + " values");
  double mean = 0;
  for (const double value : values)
    mean += value / static_cast<double>(values.size());
  double errors = 0;
  double deviations = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    errors += (values[i] - predicted[i]) * (values[i] - predicted[i]);
    deviations += (values[i] - mean) * (values[i] - mean);
  }
  if (!(deviations > 0))
    throw ShapeError("r2_score: all values are equal, or there are none");
  return 1 - errors / deviations;
}

/// Assigns each row to one of `folds` folds at random so that every class is spread evenly over them.
/// \returns fold of each row, in [0, folds) \throws OptionError for fewer than two folds or more than rows
inline std::vector<std::uint16_t> stratified_folds(std::span<const std::uint16_t> labels, std::size_t folds,
                                                   std::uint64_t seed) {
  if (folds < 2 || folds > labels.size() || folds > 1000)
    throw OptionError("folds = " + std::to_string(folds) + ": expected 2 to the number of rows (" +
                      std::to_string(labels.size()) + ", at most 1000)");
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  RandomSequence random(RandomStream(seed, Purpose::fold));
  shuffle(std::span<std::size_t>(order), random);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return labels[a] < labels[b]; });
  std::vector<std::uint16_t> result(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    result[order[i]] = static_cast<std::uint16_t>(i % folds);
  return result;
}

} // namespace evaluate
ROWSMITH_END
