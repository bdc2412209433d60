// SPDX-License-Identifier: MIT
/// \file
/// What an attack proves of a training's privacy: a lower bound on ε, by models with and without a planted
/// row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace detail {

/// P(Binomial(n, p) ≤ k).
inline double binomial_below(std::size_t n, std::size_t k, double p) {
  if (p <= 0 || k >= n)
    return 1;
  if (p >= 1)
    return 0;
  const double count = static_cast<double>(n);
  double sum = 0;
  for (std::size_t i = 0; i <= k; ++i) {
    const double hits = static_cast<double>(i);
    sum += std::exp(std::lgamma(count + 1) - std::lgamma(hits + 1) - std::lgamma(count - hits + 1) +
                    hits * std::log(p) + (count - hits) * std::log1p(-p));
  }
  return std::min(1.0, sum);
}

} // namespace detail

/// The largest rate for which `hits` of `trials` or fewer are not less likely than `doubt` (Clopper & Pearson
/// 1934).
inline double highest_rate(std::size_t hits, std::size_t trials, double doubt) {
  double low = static_cast<double>(hits) / static_cast<double>(trials);
  double high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (detail::binomial_below(trials, hits, middle) > doubt ? low : high) = middle;
  }
  return high;
}

/// An ε that a training with `delta` cannot be below, with probability `confidence`: by the best of all
/// thresholds at which an attacker could take a score for that of a model that saw the row, each bound
/// holding at a confidence that makes up for how many were tried (Jagielski, Ullman & Oprea, "Auditing
/// differentially private machine learning", NeurIPS 2020). \param seen, unseen  scores of models with and
/// without the row, the higher the more it looks seen \returns 0 if nothing is proven; at most about
/// log(models / 10) \throws OptionError for no scores, or a delta or confidence outside (0, 1)
inline double proven_epsilon(std::span<const double> seen, std::span<const double> unseen, double delta,
                             double confidence = 0.95) {
  if (seen.empty() || unseen.empty() || !(delta >= 0 && delta < 1) || !(confidence > 0 && confidence < 1))
    throw OptionError(
        "proven_epsilon: expected scores of both kinds, a delta in [0, 1) and a confidence in (0, 1)");
  // Thresholds are quantiles of every third score, and tried on the others, which know nothing of them; both
  // directions of the attack.
  constexpr std::size_t thresholds = 16;
  std::vector<double> all;
  std::vector<double> parts[2];
  for (const bool with : {true, false}) {
    const auto scores = with ? seen : unseen;
    for (std::size_t i = 0; i < scores.size(); ++i)
      (i % 3 == 0 && scores.size() > 3 ? all : parts[with ? 0 : 1]).push_back(scores[i]);
  }
  if (all.empty())
    return 0;
  const std::span<const double> hit_scores = parts[0];
  const std::span<const double> alarm_scores = parts[1];
  std::sort(all.begin(), all.end());
  const double doubt = (1 - confidence) / (4.0 * thresholds);
  double best = 0;
  for (std::size_t k = 1; k <= thresholds; ++k) {
    const double threshold = all[k * all.size() / (thresholds + 1)];
    const auto above = [threshold](std::span<const double> scores) {
      return static_cast<std::size_t>(std::count_if(scores.begin(), scores.end(),
                                                    [threshold](double score) { return score > threshold; }));
    };
    const std::size_t hits = above(hit_scores);
    const std::size_t alarms = above(alarm_scores);
    // P(hit) ≤ e^ε P(alarm) + δ, and the same of what is not above.
    const auto bound = [&](std::size_t yes, std::size_t of, std::size_t no, std::size_t of_no) {
      const double least_hit = 1 - highest_rate(of - yes, of, doubt);
      const double most_alarm = highest_rate(no, of_no, doubt);
      return least_hit > delta ? std::log((least_hit - delta) / most_alarm) : 0.0;
    };
    best = std::max({best, bound(hits, hit_scores.size(), alarms, alarm_scores.size()),
                     bound(alarm_scores.size() - alarms, alarm_scores.size(), hit_scores.size() - hits,
                           hit_scores.size())});
  }
  return best;
}

ROWSMITH_END
