// SPDX-License-Identifier: MIT
/// \file
/// Are synthetic rows as good as real ones to learn from? Train on synthetic, test on real.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/json_object.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN

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
};

/// How much of a real table's use for prediction the synthetic one keeps.
struct EfficacyResult {
  Classifier classifier = Classifier::forest;
  MeanSd ratio;         ///< auc_synthetic / auc_real, seed by seed; 1 is ideal
  MeanSd auc_real;      ///< trained on real rows, tested on other real rows
  MeanSd auc_synthetic; ///< trained on synthetic rows, tested on the same
  MeanSd f1_real;       ///< of the positive class; with more than two classes, the mean over all
  MeanSd f1_synthetic;
  std::string target;
  std::size_t train_rows = 0;
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
  std::string note; ///< what the reader must know, such as a class that is absent; else empty
};

/// The same for a numerical target: share of its variance that a model explains.
struct RegressionEfficacyResult {
  Classifier model = Classifier::boosted;
  MeanSd r2_real;      ///< trained on real rows, tested on other real rows
  MeanSd r2_synthetic; ///< trained on synthetic rows, tested on the same
  MeanSd loss;         ///< r2_real − r2_synthetic, seed by seed; 0 is ideal
  std::string target;
  std::size_t train_rows = 0; ///< rows whose target is missing are left out, here and below
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
  std::string note; ///< how many rows were left out; else empty
};

/// Does a model learn more from real and synthetic rows together than from real ones alone?
struct AugmentationResult {
  Classifier classifier = Classifier::boosted;
  MeanSd gain;     ///< auc_both − auc_real, seed by seed; at least 0 is ideal
  MeanSd auc_real; ///< trained on `real_rows` real rows
  MeanSd auc_both; ///< trained on these and all synthetic rows
  std::string target;
  std::size_t real_rows = 0;
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
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

/// A categorical target of several tables, and what to count as positive.
struct ClassTarget {
  std::size_t column = 0;
  std::size_t classes = 2;
  std::size_t positive = 1;
  std::vector<std::vector<std::uint16_t>> labels; ///< one vector a table
};

/// \param names  of the tables, in messages \param positive  empty: the rarer class in the first table
inline ClassTarget class_target(const char* what, std::span<const Table* const> tables,
                                std::span<const char* const> names, const SharedCodes& codes,
                                const std::string& target, const std::string& positive) {
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

inline void check_seeds(const char* what, std::size_t seeds) {
  if (seeds < 1 || seeds > 10'000)
    throw OptionError(std::string(what) + ".seeds = " + std::to_string(seeds) + ": expected 1 to 10000");
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

inline bool one_class_only(const std::vector<std::uint16_t>& labels) {
  return std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) == labels.end();
}

} // namespace detail

/// \param train, test  real rows \param synthetic rows made from a model of `train`
/// \param target  a categorical column, without missing values
/// \throws SchemaError if columns differ, or the target is unknown, not categorical or missing in a row
inline EfficacyResult efficacy(const Table& train, const Table& test, const Table& synthetic,
                               const std::string& target, const EfficacyOptions& options = {}) {
  detail::check_seeds("efficacy", options.seeds);
  const Table* const tables[] = {&train, &test, &synthetic};
  const char* const names[] = {"training", "test", "synthetic"};
  const SharedCodes codes(tables);
  const auto wanted = detail::class_target("efficacy", tables, names, codes, target, options.positive);
  const auto& test_labels = wanted.labels[1];

  EfficacyResult result;
  result.classifier = options.classifier;
  result.target = target;
  result.train_rows = train.rows();
  result.test_rows = test.rows();
  result.synthetic_rows = synthetic.rows();
  // A model that has seen one class only ranks nothing: its AUC is one half.
  const bool one_class = detail::one_class_only(wanted.labels[2]);
  if (one_class)
    result.note =
        "the synthetic table holds one class of '" + target + "' only; its AUC is 0.5 by definition";
  std::vector<double> auc[2];
  std::vector<double> f1[2];
  std::vector<double> probabilities[2]; // of the last repeat
  const std::size_t repeats = detail::repeats_of(options);
  const std::size_t fits = (one_class ? 1 : 2) * repeats;
  RoundProgress progress(options.progress, "efficacy", fits);
  for (const auto made : {std::size_t{0}, std::size_t{1}}) {
    const Table& source = made == 0 ? train : synthetic;
    const auto& source_labels = wanted.labels[2 * made];
    if (made == 1 && one_class) {
      // All rows get the one class there is.
      std::vector<double> certain(test_labels.size() * wanted.classes);
      for (std::size_t i = 0; i < test_labels.size() && !source_labels.empty(); ++i)
        certain[i * wanted.classes + source_labels.front()] = 1;
      auc[1].assign(repeats, 0.5);
      f1[1].assign(repeats, detail::target_f1(certain, test_labels, wanted.classes, wanted.positive));
      continue;
    }
    const Table* const pair[] = {&source, &test};
    const detail::StackedRows stacked(options.classifier, pair, codes, wanted.column,
                                      {options.forest, options.boosted, options.linear});
    auto labels = source_labels;
    labels.insert(labels.end(), test_labels.begin(), test_labels.end());
    const auto train_rows = detail::row_range(0, source.rows());
    const auto test_rows = detail::row_range(source.rows(), test.rows());
    for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
      const auto& probability = probabilities[made] =
          stacked.classify(train_rows, labels, wanted.classes, test_rows, options.seed + repeat);
      auc[made].push_back(detail::target_auc(probability, test_labels, wanted.classes, wanted.positive));
      f1[made].push_back(detail::target_f1(probability, test_labels, wanted.classes, wanted.positive));
      progress.done();
    }
  }
  std::vector<double> ratio;
  for (std::size_t repeat = 0; repeat < repeats; ++repeat)
    ratio.push_back(auc[1][repeat] / auc[0][repeat]);
  result.auc_real = mean_sd(auc[0]);
  result.auc_synthetic = mean_sd(auc[1]);
  result.f1_real = mean_sd(f1[0]);
  result.f1_synthetic = mean_sd(f1[1]);
  result.ratio = mean_sd(ratio);
  if (repeats < options.seeds && !one_class) {
    // Both models' figures on the test rows given: {AUC, F1} each.
    const auto on = [&](const std::vector<std::size_t>& rows, std::size_t made) {
      std::vector<double> probability;
      std::vector<std::uint16_t> labels;
      for (const auto row : rows) {
        labels.push_back(test_labels[row]);
        for (std::size_t k = 0; k < wanted.classes; ++k)
          probability.push_back(probabilities[made][row * wanted.classes + k]);
      }
      return std::pair{detail::target_auc(probability, labels, wanted.classes, wanted.positive),
                       detail::target_f1(probability, labels, wanted.classes, wanted.positive)};
    };
    const auto figure = [&](MeanSd& of, const auto& value) {
      of = detail::bootstrap_figure(of.mean, test.rows(), options.seed, value);
    };
    using Rows = std::vector<std::size_t>;
    figure(result.auc_real, [&](const Rows& rows) { return on(rows, 0).first; });
    figure(result.auc_synthetic, [&](const Rows& rows) { return on(rows, 1).first; });
    figure(result.f1_real, [&](const Rows& rows) { return on(rows, 0).second; });
    figure(result.f1_synthetic, [&](const Rows& rows) { return on(rows, 1).second; });
    figure(result.ratio, [&](const Rows& rows) { return on(rows, 1).first / on(rows, 0).first; });
  }
  return result;
}

/// \param target  a numerical column; rows where it is missing are left out
/// \throws SchemaError if columns differ, or the target is unknown, not numerical or missing everywhere
inline RegressionEfficacyResult regression_efficacy(const Table& train, const Table& test,
                                                    const Table& synthetic, const std::string& target,
                                                    const EfficacyOptions& options = {}) {
  detail::check_seeds("efficacy", options.seeds);
  const SharedCodes codes({&train, &test, &synthetic});
  const std::size_t column = train.schema().index_of(target);
  if (train[column].kind != ColumnKind::numerical)
    throw SchemaError("regression_efficacy: the target '" + target +
                      "' is categorical, expected a numerical column");
  RegressionEfficacyResult result;
  result.model = options.classifier;
  result.target = target;
  const auto present = [&](const Table& table, std::size_t first) {
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row < table.rows(); ++row)
      if (!std::isnan(table[column].values[row]))
        rows.push_back(static_cast<std::uint32_t>(first + row));
    if (rows.empty())
      throw SchemaError("regression_efficacy: the target '" + target + "' is missing in all rows of a table");
    return rows;
  };
  std::vector<double> r2[2];
  std::vector<double> predicted[2]; // of the last repeat
  std::vector<double> truth;
  const std::size_t repeats = detail::repeats_of(options);
  RoundProgress progress(options.progress, "efficacy", 2 * repeats);
  for (const auto made : {std::size_t{0}, std::size_t{1}}) {
    const Table& source = made == 0 ? train : synthetic;
    const Table* const pair[] = {&source, &test};
    const detail::StackedRows stacked(options.classifier, pair, codes, column,
                                      {options.forest, options.boosted, options.linear});
    auto values = source[column].values;
    values.insert(values.end(), test[column].values.begin(), test[column].values.end());
    const auto train_rows = present(source, 0);
    const auto test_rows = present(test, source.rows());
    // Rows that are left out are never looked at, but no model wants to see a NaN.
    std::replace_if(
        values.begin(), values.end(), [](double value) { return std::isnan(value); }, 0.0);
    truth.clear();
    for (const auto row : test_rows)
      truth.push_back(values[row]);
    (made == 0 ? result.train_rows : result.synthetic_rows) = train_rows.size();
    result.test_rows = test_rows.size();
    for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
      predicted[made] = stacked.regress(train_rows, values, test_rows, options.seed + repeat);
      r2[made].push_back(r2_score(predicted[made], truth));
      progress.done();
    }
  }
  const std::size_t left_out = train.rows() + test.rows() + synthetic.rows() - result.train_rows -
                               result.test_rows - result.synthetic_rows;
  if (left_out > 0)
    result.note = std::to_string(left_out).append(" rows without a target were left out");
  std::vector<double> loss;
  for (std::size_t repeat = 0; repeat < repeats; ++repeat)
    loss.push_back(r2[0][repeat] - r2[1][repeat]);
  result.r2_real = mean_sd(r2[0]);
  result.r2_synthetic = mean_sd(r2[1]);
  result.loss = mean_sd(loss);
  if (repeats < options.seeds) {
    const auto on = [&](const std::vector<std::size_t>& rows, std::size_t made) {
      std::vector<double> guesses;
      std::vector<double> values;
      for (const auto row : rows) {
        guesses.push_back(predicted[made][row]);
        values.push_back(truth[row]);
      }
      return r2_score(guesses, values);
    };
    const auto figure = [&](MeanSd& of, const auto& value) {
      of = detail::bootstrap_figure(of.mean, truth.size(), options.seed, value);
    };
    using Rows = std::vector<std::size_t>;
    figure(result.r2_real, [&](const Rows& rows) { return on(rows, 0); });
    figure(result.r2_synthetic, [&](const Rows& rows) { return on(rows, 1); });
    figure(result.loss, [&](const Rows& rows) { return on(rows, 0) - on(rows, 1); });
  }
  return result;
}

/// \param real_rows  of `train` to learn from, drawn anew for each seed; 0: all. Few show best whether
/// synthetic rows help. \throws what `efficacy` throws
inline AugmentationResult augmentation(const Table& train, const Table& test, const Table& synthetic,
                                       const std::string& target, std::size_t real_rows = 0,
                                       const EfficacyOptions& options = {}) {
  detail::check_seeds("augmentation", options.seeds);
  if (real_rows > train.rows())
    throw OptionError("augmentation.real_rows = " + std::to_string(real_rows) + ": the training table has " +
                      std::to_string(train.rows()) + " rows");
  const Table* const tables[] = {&train, &test, &synthetic};
  const char* const names[] = {"training", "test", "synthetic"};
  const SharedCodes codes(tables);
  const auto wanted = detail::class_target("augmentation", tables, names, codes, target, options.positive);
  const detail::StackedRows stacked(options.classifier, tables, codes, wanted.column,
                                    {options.forest, options.boosted, options.linear});
  std::vector<std::uint16_t> labels;
  for (const auto& part : wanted.labels)
    labels.insert(labels.end(), part.begin(), part.end());
  const auto test_rows = detail::row_range(train.rows(), test.rows());
  const auto made_rows = detail::row_range(train.rows() + test.rows(), synthetic.rows());
  AugmentationResult result;
  result.classifier = options.classifier;
  result.target = target;
  result.real_rows = real_rows == 0 ? train.rows() : real_rows;
  result.synthetic_rows = synthetic.rows();
  result.test_rows = test.rows();
  std::vector<double> real;
  std::vector<double> both;
  std::vector<double> gain;
  RoundProgress progress(options.progress, "augmentation", options.seeds);
  for (std::size_t repeat = 0; repeat < options.seeds; ++repeat) {
    const std::uint64_t seed = options.seed + repeat;
    auto rows = detail::sample_rows(train.rows(), result.real_rows, seed, detail::augmentation_rows);
    const auto auc = [&] {
      return detail::target_auc(stacked.classify(rows, labels, wanted.classes, test_rows, seed),
                                wanted.labels[1], wanted.classes, wanted.positive);
    };
    real.push_back(auc());
    rows.insert(rows.end(), made_rows.begin(), made_rows.end());
    both.push_back(auc());
    gain.push_back(both.back() - real.back());
    progress.done();
  }
  result.auc_real = mean_sd(real);
  result.auc_both = mean_sd(both);
  result.gain = mean_sd(gain);
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
  return detail::JsonObject()
      .add_text("classifier", to_string(result.classifier))
      .add("ratio", result.ratio)
      .add("auc_real", result.auc_real)
      .add("auc_synthetic", result.auc_synthetic)
      .add("f1_real", result.f1_real)
      .add("f1_synthetic", result.f1_synthetic)
      .add("seeds", result.ratio.n)
      .add_text("target", result.target)
      .add("train_rows", result.train_rows)
      .add("synthetic_rows", result.synthetic_rows)
      .add("test_rows", result.test_rows)
      .add_text("note", result.note)
      .text();
}

inline std::string to_json(const RegressionEfficacyResult& result) {
  return detail::JsonObject()
      .add_text("model", to_string(result.model))
      .add("loss", result.loss)
      .add("r2_real", result.r2_real)
      .add("r2_synthetic", result.r2_synthetic)
      .add("seeds", result.loss.n)
      .add_text("target", result.target)
      .add("train_rows", result.train_rows)
      .add("synthetic_rows", result.synthetic_rows)
      .add("test_rows", result.test_rows)
      .add_text("note", result.note)
      .text();
}

inline std::string to_json(const AugmentationResult& result) {
  return detail::JsonObject()
      .add_text("classifier", to_string(result.classifier))
      .add("gain", result.gain)
      .add("auc_real", result.auc_real)
      .add("auc_both", result.auc_both)
      .add("seeds", result.gain.n)
      .add_text("target", result.target)
      .add("real_rows", result.real_rows)
      .add("synthetic_rows", result.synthetic_rows)
      .add("test_rows", result.test_rows)
      .text();
}

inline std::ostream& operator<<(std::ostream& out, const EfficacyResult& result) {
  out << "efficacy " << result.ratio.mean << " +- " << result.ratio.sd << " (1 is ideal): AUC on '"
      << result.target << "' " << result.auc_synthetic.mean << " trained on synthetic, "
      << result.auc_real.mean << " trained on real rows (" << to_string(result.classifier) << ", "
      << result.ratio.n << " seeds, " << result.test_rows << " test rows)\n";
  return result.note.empty() ? out : out << "  note: " << result.note << '\n';
}

inline std::ostream& operator<<(std::ostream& out, const RegressionEfficacyResult& result) {
  out << "efficacy: R2 on '" << result.target << "' " << result.r2_synthetic.mean << " trained on synthetic, "
      << result.r2_real.mean << " trained on real rows (" << to_string(result.model) << ", " << result.loss.n
      << " seeds, " << result.test_rows << " test rows)\n";
  return result.note.empty() ? out : out << "  note: " << result.note << '\n';
}

inline std::ostream& operator<<(std::ostream& out, const AugmentationResult& result) {
  return out << "augmentation gain " << result.gain.mean << " +- " << result.gain.sd << ": AUC on '"
             << result.target << "' " << result.auc_both.mean << " trained on " << result.real_rows
             << " real and " << result.synthetic_rows << " synthetic rows, " << result.auc_real.mean
             << " on the real ones alone (" << to_string(result.classifier) << ", " << result.gain.n
             << " seeds)\n";
}

ROWSMITH_END
