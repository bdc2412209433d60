// SPDX-License-Identifier: MIT
/// \file
/// Are synthetic rows as good as real ones to learn a number from? Train on synthetic, test on real.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/class_target.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/result_text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// How much of a real table's use for prediction of a number the synthetic one keeps: the share of its
/// variance that a model explains.
struct RegressionEfficacyResult {
  Classifier model = Classifier::boosted;
  MeanSd r2_real{};       ///< trained on real rows, tested on other real rows
  MeanSd r2_synthetic{};  ///< trained on synthetic rows, tested on the same
  MeanSd loss{};          ///< r2_real − r2_synthetic, seed by seed; 0 is ideal
  double sampling_sd = 0; ///< of the loss of one fit, over bootstrap samples of the test rows
  std::string target{};
  std::size_t train_rows = 0; ///< rows whose target is missing are left out, here and below
  std::size_t synthetic_rows = 0;
  std::size_t test_rows = 0;
  std::string note{}; ///< how many rows were left out; else empty
};

/// \param target  a numerical column; rows where it is missing are left out
/// \throws SchemaError if columns differ, or the target is unknown, not numerical, missing everywhere in a
/// table, or constant in training or test rows
inline RegressionEfficacyResult regression_efficacy(const Table& train, const Table& test,
                                                    const Table& synthetic, const std::string& target,
                                                    const EfficacyOptions& options = {}) {
  options.check();
  const SharedCodes codes({&train, &test, &synthetic});
  const std::size_t column = train.schema().index_of(target);
  if (train[column].kind != ColumnKind::numerical)
    throw SchemaError("regression_efficacy: the target '" + target +
                      "' is categorical, expected a numerical column");
  RegressionEfficacyResult result;
  result.model = options.classifier;
  result.target = target;
  const auto present = [&](const Table& table, std::size_t first, const char* name, bool may_be_constant) {
    const auto& values = table[column].values;
    std::vector<std::uint32_t> rows;
    bool constant = true;
    for (std::size_t row = 0; row < table.rows(); ++row)
      if (!std::isnan(values[row])) {
        rows.push_back(static_cast<std::uint32_t>(first + row));
        constant = constant && values[row] == values[rows.front() - first];
      }
    if (rows.empty() || (constant && !may_be_constant))
      throw SchemaError(detail::concat("regression_efficacy: the target '", target, "' is ",
                                       rows.empty() ? "missing in all rows" : "constant", " in the ", name,
                                       " table"));
    return rows;
  };
  for (const auto& [table, name] : {std::pair{&train, "training"}, std::pair{&test, "test"}})
    present(*table, 0, name, false); // before any model is fitted
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
    const auto train_rows = present(source, 0, made == 0 ? "training" : "synthetic", true);
    const auto test_rows = present(test, source.rows(), "test", true);
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
  const auto on = [&](const std::vector<std::size_t>& rows, std::size_t made) {
    std::vector<double> guesses;
    std::vector<double> values;
    for (const auto row : rows) {
      guesses.push_back(predicted[made][row]);
      values.push_back(truth[row]);
    }
    return r2_score(guesses, values);
  };
  using Rows = std::vector<std::size_t>;
  const auto sampled = [&](double own, const auto& value) {
    return detail::bootstrap_figure(own, truth.size(), options.seed, value);
  };
  const auto loss_of = sampled(result.loss.mean, [&](const Rows& rows) { return on(rows, 0) - on(rows, 1); });
  result.sampling_sd = loss_of.sd;
  if (repeats < options.seeds) {
    result.r2_real = sampled(result.r2_real.mean, [&](const Rows& rows) { return on(rows, 0); });
    result.r2_synthetic = sampled(result.r2_synthetic.mean, [&](const Rows& rows) { return on(rows, 1); });
    result.loss = loss_of;
  }
  return result;
}

inline std::string to_json(const RegressionEfficacyResult& result) {
  return detail::json_object<
      "model loss r2_real r2_synthetic sampling_sd seeds target train_rows synthetic_rows test_rows note">(
      to_string(result.model), result.loss, result.r2_real, result.r2_synthetic, result.sampling_sd,
      result.loss.n, result.target, result.train_rows, result.synthetic_rows, result.test_rows, result.note);
}

inline std::ostream& operator<<(std::ostream& out, const RegressionEfficacyResult& result) {
  out << "efficacy: R2 on '" << result.target << "' " << result.r2_synthetic.mean << " trained on synthetic, "
      << result.r2_real.mean << " trained on real rows (" << to_string(result.model) << ", " << result.loss.n
      << " seeds, " << result.test_rows << " test rows)\n";
  return detail::print_note(out, result.note);
}

} // namespace evaluate
ROWSMITH_END
