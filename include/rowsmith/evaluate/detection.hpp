// SPDX-License-Identifier: MIT
/// \file
/// Can a forest tell synthetic rows from real ones? (Classifier two-sample test, Lopez-Paz & Oquab 2017.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN

struct DetectionOptions {
  std::size_t seeds = 3; ///< repeats with other folds, forests and samples; ≥ 1
  std::size_t folds = 4; ///< of the cross-validation; ≥ 2
  std::size_t rows = 0;  ///< from each table; 0: as many as the smaller one has
  std::uint64_t seed = 0;
  RandomForestOptions forest{}; ///< its seed is replaced by that of the repeat
  ProgressCallback progress{};  ///< told after each fold
};

/// Area under the ROC curve of a random forest that tells real from synthetic rows. 0.5: they cannot be told
/// apart; 1: always.
struct DetectionResult {
  MeanSd auc;               ///< over the seeds
  std::vector<double> aucs; ///< one a seed: the mean over its folds
  std::size_t rows = 0;     ///< taken from each table
  std::size_t folds = 0;
  /// Mean importance of each column in the forests: what gives the rows away. Largest first.
  std::vector<std::pair<std::string, double>> importances;
};

/// \throws SchemaError if the tables' columns differ, OptionError
inline DetectionResult detection(const Table& real, const Table& synthetic,
                                 const DetectionOptions& options = {}) {
  if (options.seeds < 1 || options.seeds > 10'000)
    throw OptionError("detection.seeds = " + std::to_string(options.seeds) + ": expected 1 to 10000");
  const SharedCodes codes({&real, &synthetic});
  const std::size_t available = std::min(real.rows(), synthetic.rows());
  if (options.rows > available)
    throw OptionError("detection.rows = " + std::to_string(options.rows) + ": the smaller table has " +
                      std::to_string(available) + " rows");
  const std::size_t n = options.rows == 0 ? available : options.rows;
  auto features = codes.features(real);
  const auto more = codes.features(synthetic);
  for (std::size_t f = 0; f < features.columns.size(); ++f)
    features.columns[f].insert(features.columns[f].end(), more.columns[f].begin(), more.columns[f].end());
  // Bins are cut once on all rows: they use no labels, so nothing leaks from the test folds.
  const auto binned = Binning::fit(features, options.forest.max_bins).apply(features);
  std::vector<std::uint16_t> labels(real.rows(), 0);
  labels.resize(real.rows() + synthetic.rows(), 1);

  DetectionResult result;
  result.rows = n;
  result.folds = options.folds;
  std::vector<double> importances(features.columns.size());
  for (std::size_t repeat = 0; repeat < options.seeds; ++repeat) {
    const std::uint64_t seed = options.seed + repeat;
    std::vector<std::uint32_t> mix;
    for (const auto& [first, count, major] :
         {std::tuple{std::size_t{0}, real.rows(), 0U}, std::tuple{real.rows(), synthetic.rows(), 1U}}) {
      std::vector<std::uint32_t> rows(count);
      std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
      RandomSequence random(RandomStream(seed, Purpose::evaluate, major));
      shuffle(std::span<std::uint32_t>(rows), random);
      mix.insert(mix.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n));
    }
    std::vector<std::uint16_t> mix_labels;
    for (const auto row : mix)
      mix_labels.push_back(labels[row]);
    const auto fold_of = stratified_folds(mix_labels, options.folds, seed);
    double sum = 0;
    for (std::size_t fold = 0; fold < options.folds; ++fold) {
      std::vector<std::uint32_t> train;
      std::vector<std::uint32_t> test;
      std::vector<std::uint8_t> positive;
      for (std::size_t i = 0; i < mix.size(); ++i)
        if (fold_of[i] == fold) {
          test.push_back(mix[i]);
          positive.push_back(static_cast<std::uint8_t>(mix_labels[i]));
        } else {
          train.push_back(mix[i]);
        }
      auto forest_options = options.forest;
      forest_options.seed = seed * options.folds + fold;
      const auto forest = RandomForest::fit_binned(binned, train, labels, 2, forest_options);
      const auto probability = forest.predict_binned(binned, test, options.forest.threads);
      std::vector<double> scores;
      for (std::size_t i = 0; i < test.size(); ++i)
        scores.push_back(probability[2 * i + 1]);
      sum += roc_auc(scores, positive);
      for (std::size_t f = 0; f < importances.size(); ++f)
        importances[f] += forest.importances()[f] / static_cast<double>(options.folds * options.seeds);
      report(options.progress, {.stage = "detection",
                                .epoch = repeat * options.folds + fold + 1,
                                .epochs = options.seeds * options.folds,
                                .values = {},
                                .stage_done = repeat + 1 == options.seeds && fold + 1 == options.folds});
    }
    result.aucs.push_back(sum / static_cast<double>(options.folds));
  }
  result.auc = mean_sd(result.aucs);
  for (std::size_t f = 0; f < importances.size(); ++f)
    result.importances.emplace_back(features.names[f], importances[f]);
  std::stable_sort(result.importances.begin(), result.importances.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return result;
}

inline std::string to_json(const DetectionResult& result) {
  std::string text = "{\"auc\":{\"mean\":";
  text.append(json_number(result.auc.mean))
      .append(",\"sd\":")
      .append(json_number(result.auc.sd))
      .append("},\"aucs\":[");
  for (std::size_t i = 0; i < result.aucs.size(); ++i)
    text.append(i == 0 ? "" : ",").append(json_number(result.aucs[i]));
  text.append("],\"rows\":").append(std::to_string(result.rows));
  text.append(",\"folds\":").append(std::to_string(result.folds)).append(",\"importances\":{");
  for (std::size_t i = 0; i < result.importances.size(); ++i) {
    const auto& [name, importance] = result.importances[i];
    text.append(i == 0 ? "" : ",").append(json_escape(name)).append(":").append(json_number(importance));
  }
  return text.append("}}");
}

inline std::ostream& operator<<(std::ostream& out, const DetectionResult& result) {
  out << "detection AUC " << result.auc.mean << " +- " << result.auc.sd << " (0.5 is ideal; "
      << result.aucs.size() << " seeds, " << result.folds << " folds, " << result.rows
      << " rows of each)\n  told by:";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, result.importances.size()); ++i)
    out << ' ' << result.importances[i].first << ' ' << result.importances[i].second;
  return out << '\n';
}

ROWSMITH_END
