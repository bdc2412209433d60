// SPDX-License-Identifier: MIT
/// \file
/// Are synthetic rows as good as real ones to learn from? Train on synthetic, test on real.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN

struct EfficacyOptions {
  std::size_t seeds = 3;  ///< repeats with other forests; ≥ 1
  std::string positive{}; ///< of a target with two classes; empty: the rarer one in `train`
  std::uint64_t seed = 0;
  RandomForestOptions forest{}; ///< its seed is replaced by that of the repeat
  ProgressCallback progress{};  ///< told after each forest
};

/// How much of a real table's use for prediction the synthetic one keeps.
struct EfficacyResult {
  MeanSd ratio;         ///< auc_synthetic / auc_real, seed by seed; 1 is ideal
  MeanSd auc_real;      ///< trained on real rows, tested on other real rows
  MeanSd auc_synthetic; ///< trained on synthetic rows, tested on the same
  std::string target;
  std::size_t train_rows = 0;
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
  std::string note; ///< what the reader must know, such as a class that is absent; else empty
};

namespace detail {

/// Codes of a categorical target, one a row. \throws SchemaError for a missing one
inline std::vector<std::uint16_t> target_labels(const Table& table, const SharedCodes& codes,
                                                std::size_t column, const char* name) {
  if (codes.texts(column).size() > 65535)
    throw SchemaError("the target '" + table[column].name + "' has more than 65535 classes");
  std::vector<std::uint16_t> labels;
  for (const auto code : codes.codes(table[column], column)) {
    if (code == missing_code)
      throw SchemaError("the target '" + table[column].name + "' is missing in row " +
                        std::to_string(labels.size() + 1) + " of the " + name + " table");
    labels.push_back(static_cast<std::uint16_t>(code));
  }
  return labels;
}

/// Macro average over the classes of one-against-rest AUCs; with two classes, that of `positive`.
inline double target_auc(const std::vector<double>& probability, const std::vector<std::uint16_t>& labels,
                         std::size_t classes, std::size_t positive) {
  double sum = 0;
  std::size_t counted = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    if (classes == 2 && k != positive)
      continue;
    std::vector<double> scores;
    std::vector<std::uint8_t> is_k;
    std::size_t members = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      scores.push_back(probability[i * classes + k]);
      is_k.push_back(labels[i] == k ? 1 : 0);
      members += is_k.back();
    }
    if (members == 0 || members == labels.size())
      continue; // the test rows cannot judge this class
    sum += roc_auc(scores, is_k);
    ++counted;
  }
  if (counted == 0)
    throw SchemaError("efficacy: the test table holds one class of the target only, expected two or more");
  return sum / static_cast<double>(counted);
}

} // namespace detail

/// \param train, test  real rows \param synthetic rows made from a model of `train`
/// \param target  a categorical column, without missing values
/// \throws SchemaError if columns differ, or the target is unknown, not categorical or missing in a row
inline EfficacyResult efficacy(const Table& train, const Table& test, const Table& synthetic,
                               const std::string& target, const EfficacyOptions& options = {}) {
  if (options.seeds < 1 || options.seeds > 10'000)
    throw OptionError("efficacy.seeds = " + std::to_string(options.seeds) + ": expected 1 to 10000");
  const SharedCodes codes({&train, &test, &synthetic});
  const std::size_t column = train.schema().index_of(target);
  if (train[column].kind != ColumnKind::categorical)
    throw SchemaError("efficacy: the target '" + target + "' is numerical, expected a categorical column");
  const std::size_t classes = std::max<std::size_t>(2, codes.texts(column).size());
  const auto train_labels = detail::target_labels(train, codes, column, "training");
  const auto test_labels = detail::target_labels(test, codes, column, "test");
  const auto synthetic_labels = detail::target_labels(synthetic, codes, column, "synthetic");
  std::vector<std::size_t> counts(classes);
  for (const auto label : train_labels)
    ++counts[label];
  std::size_t positive =
      static_cast<std::size_t>(std::min_element(counts.begin(), counts.end()) - counts.begin());
  if (!options.positive.empty()) {
    const auto& texts = codes.texts(column);
    if (std::find(texts.begin(), texts.end(), options.positive) == texts.end())
      throw SchemaError("efficacy: the target '" + target + "' has no class '" + options.positive + "'");
    positive = static_cast<std::size_t>(codes.code(column, options.positive));
  }

  EfficacyResult result;
  result.target = target;
  result.train_rows = train.rows();
  result.test_rows = test.rows();
  result.synthetic_rows = synthetic.rows();
  const auto train_features = codes.features(train, column);
  const auto test_features = codes.features(test, column);
  const auto synthetic_features = codes.features(synthetic, column);
  // A forest that has seen one class only ranks nothing: its AUC is one half.
  const bool one_class = std::adjacent_find(synthetic_labels.begin(), synthetic_labels.end(),
                                            std::not_equal_to<>()) == synthetic_labels.end();
  if (one_class)
    result.note =
        "the synthetic table holds one class of '" + target + "' only; its AUC is 0.5 by definition";
  std::vector<double> real;
  std::vector<double> made;
  std::vector<double> ratio;
  std::size_t done = 0;
  const auto auc_of = [&](const FeatureMatrix& features, const std::vector<std::uint16_t>& labels,
                          std::uint64_t seed) {
    auto forest_options = options.forest;
    forest_options.seed = seed;
    const auto forest = RandomForest::fit(features, labels, classes, forest_options);
    const double auc = detail::target_auc(forest.predict_probability(test_features, options.forest.threads),
                                          test_labels, classes, positive);
    report(options.progress, {.stage = "efficacy",
                              .epoch = ++done,
                              .epochs = 2 * options.seeds,
                              .values = {},
                              .stage_done = done == 2 * options.seeds});
    return auc;
  };
  for (std::size_t repeat = 0; repeat < options.seeds; ++repeat) {
    real.push_back(auc_of(train_features, train_labels, options.seed + repeat));
    if (one_class)
      ++done;
    made.push_back(one_class ? 0.5 : auc_of(synthetic_features, synthetic_labels, options.seed + repeat));
    ratio.push_back(made.back() / real.back());
  }
  result.auc_real = mean_sd(real);
  result.auc_synthetic = mean_sd(made);
  result.ratio = mean_sd(ratio);
  return result;
}

/// Share of the rows of `synthetic` whose target is what a forest trained on `train` predicts from their
/// other columns. \throws what `efficacy` throws
inline double label_agreement(const Table& train, const Table& synthetic, const std::string& target,
                              const RandomForestOptions& options = {}) {
  const SharedCodes codes({&train, &synthetic});
  const std::size_t column = train.schema().index_of(target);
  if (train[column].kind != ColumnKind::categorical)
    throw SchemaError("label_agreement: the target '" + target +
                      "' is numerical, expected a categorical column");
  const std::size_t classes = std::max<std::size_t>(2, codes.texts(column).size());
  const auto train_labels = detail::target_labels(train, codes, column, "training");
  const auto synthetic_labels = detail::target_labels(synthetic, codes, column, "synthetic");
  if (synthetic_labels.empty())
    throw SchemaError("label_agreement: the synthetic table has no rows");
  const auto forest = RandomForest::fit(codes.features(train, column), train_labels, classes, options);
  const auto probability = forest.predict_probability(codes.features(synthetic, column), options.threads);
  std::size_t agreed = 0;
  for (std::size_t i = 0; i < synthetic_labels.size(); ++i) {
    const auto row = probability.begin() + static_cast<std::ptrdiff_t>(i * classes);
    agreed += std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row == synthetic_labels[i]
                  ? 1
                  : 0;
  }
  return static_cast<double>(agreed) / static_cast<double>(synthetic_labels.size());
}

inline std::string to_json(const EfficacyResult& result) {
  std::string text = "{";
  const auto add = [&text](const char* name, const std::string& value) {
    text.append(text.size() == 1 ? "" : ",").append(json_escape(name)).append(":").append(value);
  };
  const auto add_figure = [&add](const char* name, const MeanSd& value) {
    std::string figure = "{\"mean\":";
    add(name,
        figure.append(json_number(value.mean)).append(",\"sd\":").append(json_number(value.sd)).append("}"));
  };
  add_figure("ratio", result.ratio);
  add_figure("auc_real", result.auc_real);
  add_figure("auc_synthetic", result.auc_synthetic);
  add("seeds", std::to_string(result.ratio.n));
  add("target", json_escape(result.target));
  add("train_rows", std::to_string(result.train_rows));
  add("synthetic_rows", std::to_string(result.synthetic_rows));
  add("test_rows", std::to_string(result.test_rows));
  add("note", json_escape(result.note));
  return text.append("}");
}

inline std::ostream& operator<<(std::ostream& out, const EfficacyResult& result) {
  out << "efficacy " << result.ratio.mean << " +- " << result.ratio.sd << " (1 is ideal): AUC on '"
      << result.target << "' " << result.auc_synthetic.mean << " trained on synthetic, "
      << result.auc_real.mean << " trained on real rows (" << result.ratio.n << " seeds, " << result.test_rows
      << " test rows)\n";
  return result.note.empty() ? out : out << "  note: " << result.note << '\n';
}

ROWSMITH_END
