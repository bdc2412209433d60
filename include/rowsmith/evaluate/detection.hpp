// SPDX-License-Identifier: MIT
/// \file
/// Can a model tell synthetic rows from real ones? (Classifier two-sample test, Lopez-Paz & Oquab 2017.)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/core/compiled.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct DetectionOptions {
  Classifier classifier = Classifier::forest;
  std::size_t seeds = 3; ///< repeats with other folds, models and samples; ≥ 1
  std::size_t folds = 4; ///< of the cross-validation; ≥ 2
  std::size_t rows = 0;  ///< from each table; 0: as many as the smaller one has
  std::uint64_t seed = 0;
  RandomForestOptions forest{}; ///< the seeds of all three are replaced by that of the repeat
  GradientBoostingOptions boosted{};
  LinearOptions linear{};
  ProgressCallback progress{}; ///< told after each fold
};

/// Area under the ROC curve of a model that tells real from synthetic rows. 0.5: they cannot be told apart;
/// 1: always.
struct DetectionResult {
  Classifier classifier = Classifier::forest;
  MeanSd auc;               ///< over the seeds
  std::vector<double> aucs; ///< one a seed: the mean over its folds
  /// Of an AUC as large as the first seed's if the rows were of one source (Mann–Whitney's normal
  /// approximation; small says that the tables differ, large that this model and this many rows do not show
  /// it).
  double p_value = 1;
  std::size_t rows = 0; ///< taken from each table
  std::size_t folds = 0;
  /// Mean importance of each column in the models: what gives the rows away. Largest first.
  std::vector<std::pair<std::string, double>> importances;
  std::vector<RocPoint> roc; ///< at 101 false-positive rates, the mean over folds and seeds
};

/// \throws SchemaError if the tables' columns differ, OptionError
ROWSMITH_INLINE DetectionResult detection(const Table& real, const Table& synthetic,
                                          const DetectionOptions& options = {});

#if ROWSMITH_DEFINES
ROWSMITH_INLINE DetectionResult detection(const Table& real, const Table& synthetic,
                                          const DetectionOptions& options) {
  detail::check_count("detection.seeds", options.seeds, 1, 10'000);
  const SharedCodes codes({&real, &synthetic});
  const std::size_t available = std::min(real.rows(), synthetic.rows());
  if (options.rows > available)
    throw OptionError("detection.rows = " + std::to_string(options.rows) + ": the smaller table has " +
                      std::to_string(available) + " rows");
  const std::size_t n = options.rows == 0 ? available : options.rows;
  const Table* const tables[] = {&real, &synthetic};
  const detail::StackedRows stacked(options.classifier, tables, codes, SharedCodes::none,
                                    {options.forest, options.boosted, options.linear});
  std::vector<std::uint16_t> labels(real.rows(), 0);
  labels.resize(real.rows() + synthetic.rows(), 1);

  DetectionResult result;
  result.classifier = options.classifier;
  result.rows = n;
  result.folds = options.folds;
  for (int k = 0; k <= 100; ++k)
    result.roc.push_back({k / 100.0, 0});
  std::vector<double> importances(stacked.names().size());
  RoundProgress progress(options.progress, "detection", options.seeds * options.folds);
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
    double variance = 0;
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
      std::vector<double> importance;
      const auto scores = detail::probability_column(
          stacked.classify(train, labels, 2, test, seed * options.folds + fold, &importance), 2, 1);
      sum += roc_auc(scores, positive);
      const auto ones = static_cast<double>(std::count(positive.begin(), positive.end(), std::uint8_t{1}));
      const double zeros = static_cast<double>(positive.size()) - ones;
      variance += (ones + zeros + 1) / (12 * ones * zeros);
      const auto curve = roc_curve(scores, positive);
      const auto share = 1 / static_cast<double>(options.folds * options.seeds);
      for (auto& point : result.roc)
        point.true_positive_rate += share * interpolate(curve, point.false_positive_rate);
      for (std::size_t f = 0; f < importances.size(); ++f)
        importances[f] += share * importance[f];
      progress.done();
    }
    const auto folds = static_cast<double>(options.folds);
    result.aucs.push_back(sum / folds);
    if (repeat == 0)
      result.p_value = std::erfc((sum / folds - 0.5) / (std::sqrt(variance) / folds) / std::sqrt(2.0)) / 2;
  }
  result.auc = mean_sd(result.aucs);
  for (std::size_t f = 0; f < importances.size(); ++f)
    result.importances.emplace_back(stacked.names()[f], importances[f]);
  std::stable_sort(result.importances.begin(), result.importances.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return result;
}
#endif // ROWSMITH_DEFINES

inline std::string to_json(const DetectionResult& result) {
  return detail::json_object<"classifier auc aucs p_value rows folds importances">(
      to_string(result.classifier), result.auc, result.aucs, result.p_value, result.rows, result.folds,
      detail::json_members(result.importances));
}

inline std::ostream& operator<<(std::ostream& out, const DetectionResult& result) {
  out << "detection AUC " << result.auc << " (0.5 is ideal; " << to_string(result.classifier) << ", "
      << result.aucs.size() << " seeds, " << result.folds << " folds, " << result.rows
      << " rows of each)\n  told by:";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, result.importances.size()); ++i)
    out << ' ' << result.importances[i].first << ' ' << result.importances[i].second;
  return out << '\n';
}

} // namespace evaluate
using evaluate::detection;
using evaluate::DetectionOptions;
using evaluate::DetectionResult;
ROWSMITH_END
