// SPDX-License-Identifier: MIT
/// \file
/// Are synthetic rows as good as real ones to learn from? Train on synthetic, test on real.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/compiled.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/class_target.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// How much of a real table's use for prediction the synthetic one keeps.
struct EfficacyResult {
  Classifier classifier = Classifier::forest;
  MeanSd ratio{};         ///< auc_synthetic / auc_real, seed by seed; 1 is ideal
  MeanSd auc_real{};      ///< trained on real rows, tested on other real rows
  MeanSd auc_synthetic{}; ///< trained on synthetic rows, tested on the same
  double sampling_sd = 0; ///< of the ratio of one fit, over bootstrap samples of the test rows
  double chance_sd = 0;   ///< of an AUC of guesses on these test rows
  MeanSd f1_real{};       ///< of the positive class; with more than two classes, the mean over all
  MeanSd f1_synthetic{};
  std::string target{};
  std::size_t train_rows = 0;
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
  std::string note{}; ///< what the reader must know, such as a class that is absent; else empty
};

/// Does a model learn more from real and synthetic rows together than from real ones alone?
struct AugmentationResult {
  Classifier classifier = Classifier::boosted;
  MeanSd gain{};        ///< auc_both − auc_real, seed by seed; at least 0 is ideal
  MeanSd auc_real{};    ///< trained on `real_rows` real rows
  MeanSd auc_both{};    ///< trained on these and all synthetic rows
  double chance_sd = 0; ///< of an AUC of guesses on the test rows
  std::string target{};
  std::size_t real_rows = 0;
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
  std::string note{}; ///< what the reader must know; else empty
};

/// \param train, test  real rows \param synthetic rows made from a model of `train`
/// \param target  a categorical column, without missing values
/// \throws SchemaError if columns differ, or the target is unknown, not categorical, missing in a row, or of
/// one class in training or test rows
ROWSMITH_INLINE EfficacyResult efficacy(const Table& train, const Table& test, const Table& synthetic,
                                        const std::string& target, const EfficacyOptions& options = {});

#if ROWSMITH_DEFINES
ROWSMITH_INLINE EfficacyResult efficacy(const Table& train, const Table& test, const Table& synthetic,
                                        const std::string& target, const EfficacyOptions& options) {
  options.check();
  const Table* const tables[] = {&train, &test, &synthetic};
  const SharedCodes codes(tables);
  const auto wanted = detail::class_target("efficacy", tables, codes, target, options.positive);
  const auto& test_labels = wanted.labels[1];

  EfficacyResult result;
  result.classifier = options.classifier;
  result.target = target;
  result.train_rows = train.rows();
  result.test_rows = test.rows();
  result.synthetic_rows = synthetic.rows();
  result.chance_sd = detail::chance_auc_sd(test_labels, wanted.classes, wanted.positive);
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
  if (one_class)
    return result;
  // Both models' figures on the test rows given: {AUC, F1} each.
  using Rows = std::vector<std::size_t>;
  const auto on = [&](const Rows& rows, std::size_t made) {
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
  const auto sampled = [&](const MeanSd& figure, const auto& value) {
    return detail::bootstrap_figure(figure.mean, test.rows(), options.seed, value);
  };
  const auto ratio_of =
      sampled(result.ratio, [&](const Rows& rows) { return on(rows, 1).first / on(rows, 0).first; });
  result.sampling_sd = ratio_of.sd;
  if (repeats < options.seeds) {
    result.ratio = ratio_of;
    result.auc_real = sampled(result.auc_real, [&](const Rows& rows) { return on(rows, 0).first; });
    result.auc_synthetic = sampled(result.auc_synthetic, [&](const Rows& rows) { return on(rows, 1).first; });
    result.f1_real = sampled(result.f1_real, [&](const Rows& rows) { return on(rows, 0).second; });
    result.f1_synthetic = sampled(result.f1_synthetic, [&](const Rows& rows) { return on(rows, 1).second; });
  }
  return result;
}
#endif // ROWSMITH_DEFINES

/// \param real_rows  of `train` to learn from, drawn anew for each seed; 0: all. Few show best whether
/// synthetic rows help. \throws what `efficacy` throws
inline AugmentationResult augmentation(const Table& train, const Table& test, const Table& synthetic,
                                       const std::string& target, std::size_t real_rows = 0,
                                       const EfficacyOptions& options = {}) {
  options.check();
  if (real_rows > train.rows())
    throw OptionError("augmentation.real_rows = " + std::to_string(real_rows) + ": the training table has " +
                      std::to_string(train.rows()) + " rows");
  const Table* const tables[] = {&train, &test, &synthetic};
  const SharedCodes codes(tables);
  const auto wanted = detail::class_target("augmentation", tables, codes, target, options.positive);
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
  result.chance_sd = detail::chance_auc_sd(wanted.labels[1], wanted.classes, wanted.positive);
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
  const auto predicted = detail::likeliest(probability, classes);
  std::size_t agreed = 0;
  for (std::size_t i = 0; i < synthetic_labels.size(); ++i)
    agreed += predicted[i] == synthetic_labels[i] ? 1 : 0;
  return static_cast<double>(agreed) / static_cast<double>(synthetic_labels.size());
}

inline std::string to_json(const EfficacyResult& result) {
  return detail::json_object<"classifier ratio auc_real auc_synthetic sampling_sd chance_sd f1_real "
                             "f1_synthetic seeds target train_rows synthetic_rows test_rows note">(
      to_string(result.classifier), result.ratio, result.auc_real, result.auc_synthetic, result.sampling_sd,
      result.chance_sd, result.f1_real, result.f1_synthetic, result.ratio.n, result.target, result.train_rows,
      result.synthetic_rows, result.test_rows, result.note);
}

inline std::string to_json(const AugmentationResult& result) {
  return detail::json_object<
      "classifier gain auc_real auc_both chance_sd seeds target real_rows synthetic_rows test_rows">(
      to_string(result.classifier), result.gain, result.auc_real, result.auc_both, result.chance_sd,
      result.gain.n, result.target, result.real_rows, result.synthetic_rows, result.test_rows);
}

inline std::ostream& operator<<(std::ostream& out, const EfficacyResult& result) {
  out << "efficacy " << result.ratio << " (1 is ideal): AUC on '" << result.target << "' "
      << result.auc_synthetic.mean << " trained on synthetic, " << result.auc_real.mean
      << " trained on real rows (" << to_string(result.classifier) << ", " << result.ratio.n << " seeds, "
      << result.test_rows << " test rows)\n";
  return detail::print_note(out, result.note);
}

inline std::ostream& operator<<(std::ostream& out, const AugmentationResult& result) {
  return out << "augmentation gain " << result.gain << ": AUC on '" << result.target << "' "
             << result.auc_both.mean << " trained on " << result.real_rows << " real and "
             << result.synthetic_rows << " synthetic rows, " << result.auc_real.mean
             << " on the real ones alone (" << to_string(result.classifier) << ", " << result.gain.n
             << " seeds)\n";
}

} // namespace evaluate
using evaluate::efficacy;
using evaluate::EfficacyResult;
using evaluate::label_agreement;
ROWSMITH_END
