// SPDX-License-Identifier: MIT
/// \file
/// Metrics of classifiers, and the folds to measure them on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>

ROWSMITH_BEGIN

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

ROWSMITH_END
