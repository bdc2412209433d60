// SPDX-License-Identifier: MIT
/// \file
/// The column that models learn to predict, when they judge what a table is worth to learn from.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/resample.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct EfficacyOptions {
  Classifier classifier = Classifier::forest;
  /// Repeats with other models; ≥ 1. A model without chance (the linear one, and boosted trees that see all
  /// rows) is fitted once; its figures' deviations are then over bootstrap samples of the test rows.
  std::size_t seeds = 3;
  std::string positive{}; ///< of a target with two classes; empty: the rarer one in `train`
  std::uint64_t seed = 0;
  RandomForestOptions forest{}; ///< the seeds of all three are replaced by that of the repeat
  GradientBoostingOptions boosted{};
  LinearOptions linear{};
  ProgressCallback progress{}; ///< told after each model

  /// \throws OptionError
  void check() const { detail::check_count("efficacy.seeds", seeds, 1, 10'000); }
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
/// \throws SchemaError if the labels are all of one class
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
    throw SchemaError("efficacy: all test rows are of one class, expected two or more");
  return sum / static_cast<double>(counted);
}

/// The standard deviation that `target_auc` has for scores that know nothing of the labels (Mann–Whitney).
inline double chance_auc_sd(const std::vector<std::uint16_t>& labels, std::size_t classes,
                            std::size_t positive) {
  double variance = 0;
  double counted = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    const auto members = static_cast<double>(std::count(labels.begin(), labels.end(), k));
    const double others = static_cast<double>(labels.size()) - members;
    if ((classes == 2 && k != positive) || members == 0 || others == 0)
      continue;
    variance += (members + others + 1) / (12 * members * others);
    ++counted;
  }
  return std::sqrt(variance) / counted;
}

inline bool one_class_only(const std::vector<std::uint16_t>& labels) {
  return std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) == labels.end();
}

/// A categorical target of several tables, and what to count as positive.
struct ClassTarget {
  std::size_t column = 0;
  std::size_t classes = 2;
  std::size_t positive = 1;
  std::vector<std::vector<std::uint16_t>> labels; ///< one vector a table
};

/// \param tables  training, test and synthetic \param positive  empty: the rarer class in the first table
/// \throws SchemaError if training or test rows are all of one class
inline ClassTarget class_target(const char* what, std::span<const Table* const> tables,
                                const SharedCodes& codes, const std::string& target,
                                const std::string& positive) {
  constexpr const char* names[] = {"training", "test", "synthetic"};
  ClassTarget result;
  const Table& first = *tables.front();
  result.column = first.schema().index_of(target);
  if (first[result.column].kind != ColumnKind::categorical)
    throw SchemaError(std::string(what) + ": the target '" + target +
                      "' is numerical, expected a categorical column");
  const auto& texts = codes.texts(result.column);
  result.classes = std::max<std::size_t>(2, texts.size());
  for (std::size_t t = 0; t < tables.size(); ++t)
    result.labels.push_back(target_labels(*tables[t], codes, result.column, names[t]));
  for (const std::size_t t : {std::size_t{0}, std::size_t{1}})
    if (one_class_only(result.labels[t]))
      throw SchemaError(concat(what, ": the ", names[t], " table holds one class of the target '", target,
                               "' only, expected two or more"));
  std::vector<std::size_t> counts(result.classes);
  for (const auto label : result.labels[0])
    ++counts[label];
  result.positive = static_cast<std::size_t>(std::min_element(counts.begin(), counts.end()) - counts.begin());
  if (!positive.empty()) {
    if (std::find(texts.begin(), texts.end(), positive) == texts.end())
      throw SchemaError(std::string(what) + ": the target '" + target + "' has no class '" + positive + "'");
    result.positive = static_cast<std::size_t>(codes.code(result.column, positive));
  }
  return result;
}

/// The class of the largest probability, the first of equal ones.
inline std::vector<std::uint16_t> likeliest(std::span<const double> probability, std::size_t classes) {
  std::vector<std::uint16_t> result;
  for (std::size_t i = 0; i < probability.size(); i += classes) {
    const auto row = probability.subspan(i, classes);
    result.push_back(static_cast<std::uint16_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return result;
}

/// F1 of `positive` if there are two classes, else the mean over the classes that the labels have.
inline double target_f1(std::span<const double> probability, std::span<const std::uint16_t> labels,
                        std::size_t classes, std::size_t positive) {
  const auto predicted = likeliest(probability, classes);
  if (classes == 2)
    return f1_score(predicted, labels, static_cast<std::uint16_t>(positive));
  double sum = 0;
  std::size_t counted = 0;
  for (std::size_t k = 0; k < classes; ++k)
    if (const auto label = static_cast<std::uint16_t>(k);
        std::find(labels.begin(), labels.end(), label) != labels.end()) {
      sum += f1_score(predicted, labels, label);
      ++counted;
    }
  return counted > 0 ? sum / static_cast<double>(counted) : 0;
}

/// How often models have to be fitted: once if nothing in them is left to chance.
inline std::size_t repeats_of(const EfficacyOptions& options) {
  const bool chance = options.classifier == Classifier::forest ||
                      (options.classifier == Classifier::boosted && options.boosted.subsample < 1);
  return chance ? options.seeds : 1;
}

/// The figure of one fit, its deviation over bootstrap samples of the test rows. `figure(rows)` measures it
/// on the test rows given, which may repeat; samples that it throws ShapeError or SchemaError for are left
/// out.
template <class Value>
MeanSd bootstrap_figure(double own, std::size_t test_rows, std::uint64_t seed, const Value& figure) {
  std::vector<double> values;
  for (std::size_t replicate = 1; replicate <= 20; ++replicate) {
    const auto weights = bootstrap_weights(test_rows, replicate, seed, bootstrap_test);
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < test_rows; ++i)
      rows.insert(rows.end(), weights[i], i);
    try {
      values.push_back(figure(rows));
    } catch (const Error&) { // such as a sample without the rare class
      continue;
    }
  }
  return {own, mean_sd(values).sd, 1};
}

} // namespace detail

} // namespace evaluate
using evaluate::EfficacyOptions;
ROWSMITH_END
