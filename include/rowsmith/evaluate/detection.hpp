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

#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/json_object.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN

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

/// How well real and synthetic rows can be told apart by one column or two alone.
struct TellingPair {
  std::size_t first = 0; ///< numbers of the columns; the same twice: one column alone
  std::size_t second = 0;
  std::string first_name;
  std::string second_name;
  Estimate auc; ///< 0.5 is ideal
};

struct TellingColumns {
  std::vector<TellingPair> columns; ///< each column alone, largest AUC first
  std::vector<TellingPair> pairs;   ///< each two columns, largest AUC first
};

struct TellingOptions {
  std::size_t bins = 20; ///< of equal frequency, for numbers with more distinct values; [2, 1000]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result
};

/// Which columns and pairs of columns tell the most: for each, rows are scored by the ratio of synthetic to
/// real rows in their cell of the joint histogram, counted on the other half of the rows. The AUC of that
/// score shows what a judge knows who sees these columns only. \throws SchemaError if the tables' columns
/// differ or a table has fewer than 4 rows, OptionError
inline TellingColumns telling_columns(const Table& real, const Table& synthetic,
                                      const TellingOptions& options = {}) {
  if (options.bins < 2 || options.bins > 1000)
    throw OptionError("telling.bins = " + std::to_string(options.bins) + ": expected 2 to 1000");
  if (real.rows() < 4 || synthetic.rows() < 4)
    throw SchemaError("telling_columns: a table has fewer than 4 rows");
  const SharedCodes codes({&real, &synthetic});
  auto features = codes.features(real);
  const auto more = codes.features(synthetic);
  std::vector<std::vector<std::uint32_t>> levels(real.size());
  std::vector<std::size_t> counts(real.size());
  parallel_for(real.size(), resolve_threads(options.threads), [&](std::size_t c) {
    FeatureMatrix one;
    one.names.push_back(features.names[c]);
    one.columns.push_back(std::move(features.columns[c]));
    one.columns[0].insert(one.columns[0].end(), more.columns[c].begin(), more.columns[c].end());
    const auto binning =
        Binning::fit(one, real[c].kind == ColumnKind::numerical ? options.bins : std::size_t{65534});
    const auto binned = binning.apply(one);
    levels[c].assign(binned.columns[0].begin(), binned.columns[0].end());
    counts[c] = binning.bins(0);
  });
  // Which half a row belongs to: a stratified draw, the same for all pairs.
  std::vector<std::uint16_t> labels(real.rows(), 0);
  labels.resize(real.rows() + synthetic.rows(), 1);
  const auto half = stratified_folds(labels, 2, options.seed);
  const double prior = static_cast<double>(synthetic.rows()) / static_cast<double>(labels.size());

  const auto judge = [&](std::size_t a, std::size_t b) {
    constexpr std::uint64_t dense = 1U << 20U;
    const std::uint64_t cells = std::uint64_t{counts[a]} * (a == b ? 1 : counts[b]);
    std::vector<std::uint64_t> keys(labels.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
      keys[i] = a == b ? levels[a][i] : std::uint64_t{levels[a][i]} * counts[b] + levels[b][i];
    std::size_t distinct = static_cast<std::size_t>(cells);
    if (cells > dense) {
      auto sorted = keys;
      std::sort(sorted.begin(), sorted.end());
      sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
      for (auto& key : keys)
        key =
            static_cast<std::uint64_t>(std::lower_bound(sorted.begin(), sorted.end(), key) - sorted.begin());
      distinct = sorted.size();
    }
    double aucs[2] = {};
    for (std::uint16_t fold = 0; fold < 2; ++fold) {
      struct Cell {
        double score = 0;
        double learned[2] = {}; // real and synthetic rows of the half that scores are learned from
        double tested[2] = {};  // and of the other one
      };
      std::vector<Cell> table(distinct);
      for (std::size_t i = 0; i < keys.size(); ++i)
        ++(half[i] == fold ? table[keys[i]].tested : table[keys[i]].learned)[labels[i]];
      // Two rows at the average share keep a rare cell's own share from being believed.
      for (auto& cell : table)
        cell.score = (cell.learned[1] + 2 * prior) / (cell.learned[0] + cell.learned[1] + 2);
      std::sort(table.begin(), table.end(), [](const Cell& x, const Cell& y) { return x.score < y.score; });
      double below = 0; // real rows of lower scores
      double won = 0;
      double total = 0;
      for (std::size_t begin = 0; begin < table.size();) {
        double tied[2] = {};
        std::size_t end = begin;
        for (; end < table.size() && table[end].score == table[begin].score; ++end)
          for (int k : {0, 1})
            tied[k] += table[end].tested[k];
        won += tied[1] * (below + tied[0] / 2);
        below += tied[0];
        total += tied[1];
        begin = end;
      }
      aucs[fold] = won / (below * total);
    }
    const double n = static_cast<double>(real.rows());
    const double m = static_cast<double>(synthetic.rows());
    return Estimate{(aucs[0] + aucs[1]) / 2, std::sqrt((n + m + 1) / (12 * n * m))};
  };

  TellingColumns result;
  std::vector<TellingPair> all;
  for (std::size_t a = 0; a < real.size(); ++a)
    for (std::size_t b = a; b < real.size(); ++b)
      all.push_back({a, b, real[a].name, real[b].name, {}});
  parallel_for(all.size(), resolve_threads(options.threads),
               [&](std::size_t p) { all[p].auc = judge(all[p].first, all[p].second); });
  for (auto& pair : all)
    (pair.first == pair.second ? result.columns : result.pairs).push_back(std::move(pair));
  for (auto* list : {&result.columns, &result.pairs})
    std::stable_sort(list->begin(), list->end(),
                     [](const TellingPair& a, const TellingPair& b) { return a.auc.value > b.auc.value; });
  return result;
}

inline std::string to_json(const DetectionResult& result) {
  detail::JsonObject importances;
  for (const auto& [name, importance] : result.importances)
    importances.add(name, importance);
  return detail::JsonObject()
      .add_text("classifier", to_string(result.classifier))
      .add("auc", result.auc)
      .add("aucs", detail::json_list(result.aucs))
      .add("p_value", result.p_value)
      .add("rows", result.rows)
      .add("folds", result.folds)
      .add("importances", importances.text())
      .text();
}

inline std::string to_json(const TellingColumns& result) {
  const auto columns_json = [](const TellingPair& pair) {
    detail::JsonObject object;
    object.add_text("first", pair.first_name);
    if (pair.first != pair.second)
      object.add_text("second", pair.second_name);
    return object.add("auc", pair.auc.value).add("sd", pair.auc.sd).text();
  };
  return detail::JsonObject()
      .add("columns", detail::json_list(result.columns, columns_json))
      .add("pairs", detail::json_list(result.pairs, columns_json))
      .text();
}

inline std::ostream& operator<<(std::ostream& out, const DetectionResult& result) {
  out << "detection AUC " << result.auc.mean << " +- " << result.auc.sd << " (0.5 is ideal; "
      << to_string(result.classifier) << ", " << result.aucs.size() << " seeds, " << result.folds
      << " folds, " << result.rows << " rows of each)\n  told by:";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, result.importances.size()); ++i)
    out << ' ' << result.importances[i].first << ' ' << result.importances[i].second;
  return out << '\n';
}

inline std::ostream& operator<<(std::ostream& out, const TellingColumns& result) {
  out << "told by two columns alone (AUC):";
  for (std::size_t i = 0; i < std::min<std::size_t>(5, result.pairs.size()); ++i)
    out << (i == 0 ? " " : ", ") << result.pairs[i].first_name << " x " << result.pairs[i].second_name << ' '
        << result.pairs[i].auc.value;
  return out << '\n';
}

ROWSMITH_END
