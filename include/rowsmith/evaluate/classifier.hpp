// SPDX-License-Identifier: MIT
/// \file
/// The three kinds of models that judge tables, behind one door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/linear_model.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>
#include <rowsmith/forest/random_forest.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// `forest`: 100 deep trees, as most papers use. `boosted`: the sharpest; forests saturate. `linear`:
/// logistic regression (ridge regression for numbers), which sees one column at a time and misses relations.
enum class Classifier { forest, boosted, linear };

inline std::string_view to_string(Classifier classifier) {
  return classifier == Classifier::forest ? "forest"
                                          : (classifier == Classifier::boosted ? "boosted" : "linear");
}

/// How each kind is fitted. Seeds are replaced by those of the repeats.
struct ClassifierOptions {
  RandomForestOptions forest{};
  GradientBoostingOptions boosted{};
  LinearOptions linear{};
};

namespace detail {

/// Rows of several tables, one below the other, laid out for one kind of model. Bins and scales are cut once
/// on all rows: they use no labels, so nothing leaks from rows that a model is tested on.
class StackedRows {
public:
  StackedRows(Classifier classifier, std::span<const Table* const> tables, const SharedCodes& codes,
              std::size_t skip, const ClassifierOptions& options)
      : classifier_(classifier), options_(options) {
    for (const Table* table : tables)
      rows_ += table->rows();
    const Table& first = *tables.front();
    for (std::size_t c = 0; c < first.size(); ++c)
      if (c != skip)
        names_.push_back(first[c].name);
    if (classifier == Classifier::linear) {
      options.linear.check();
      linear_ = linear_rows(tables, codes, skip, options.linear.max_categories);
      return;
    }
    auto features = codes.features(first, skip);
    for (const Table* table : tables.subspan(1)) {
      const auto more = codes.features(*table, skip);
      for (std::size_t f = 0; f < features.columns.size(); ++f)
        features.columns[f].insert(features.columns[f].end(), more.columns[f].begin(), more.columns[f].end());
    }
    const bool by_forest = classifier == Classifier::forest;
    const int threads = by_forest ? options.forest.threads : options.boosted.threads;
    binned_ = forest::Binning::fit(features, by_forest ? options.forest.max_bins : options.boosted.max_bins,
                                   threads)
                  .apply(features, threads);
  }

  std::size_t rows() const noexcept { return rows_; }
  const std::vector<std::string>& names() const noexcept { return names_; }

  /// Fits to some rows and predicts others: class probabilities, rows × classes.
  /// \param importances  one number a feature, adding up to 1, unless null
  std::vector<double> classify(std::span<const std::uint32_t> train, std::span<const std::uint16_t> labels,
                               std::size_t classes, std::span<const std::uint32_t> test, std::uint64_t seed,
                               std::vector<double>* importances = nullptr) const {
    if (classifier_ == Classifier::forest)
      return by_trees<RandomForest>(options_.forest, train, test, seed, importances, labels, classes);
    if (classifier_ == Classifier::boosted)
      return by_trees<GradientBoosting>(options_.boosted, train, test, seed, importances, labels, classes);
    const auto model = LogisticRegression::fit(linear_, train, labels, classes, options_.linear);
    if (importances != nullptr)
      *importances = model.importances(linear_, train);
    return model.predict_probability(linear_, test);
  }

  /// The same with numbers to predict; targets of rows that are not in `train` are not looked at.
  std::vector<double> regress(std::span<const std::uint32_t> train, std::span<const double> targets,
                              std::span<const std::uint32_t> test, std::uint64_t seed) const {
    if (classifier_ == Classifier::forest)
      return by_trees<RandomForestRegressor>(options_.forest, train, test, seed, nullptr, targets);
    if (classifier_ == Classifier::boosted)
      return by_trees<GradientBoostingRegressor>(options_.boosted, train, test, seed, nullptr, targets);
    return RidgeRegression::fit(linear_, train, targets, options_.linear).predict(linear_, test);
  }

private:
  using Rows = std::span<const std::uint32_t>;
  template <class Model, class Options, class... Targets>
  std::vector<double> by_trees(Options options, Rows train, Rows test, std::uint64_t seed,
                               std::vector<double>* importances, Targets... targets) const {
    options.seed = seed;
    const auto model = Model::fit_binned(binned_, train, targets..., options);
    if (importances != nullptr)
      *importances = model.importances();
    return model.predict_binned(binned_, test, options.threads);
  }

  Classifier classifier_;
  ClassifierOptions options_;
  std::size_t rows_ = 0;
  std::vector<std::string> names_;
  forest::BinnedMatrix binned_;
  LinearRows linear_;
};

/// The numbers from `first` on, `count` of them.
inline std::vector<std::uint32_t> row_range(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  for (std::size_t i = 0; i < count; ++i)
    rows[i] = static_cast<std::uint32_t>(first + i);
  return rows;
}

/// Every `classes`-th number from `column` on.
inline std::vector<double> probability_column(std::span<const double> probability, std::size_t classes,
                                              std::size_t column) {
  std::vector<double> result;
  result.reserve(probability.size() / classes);
  for (std::size_t i = column; i < probability.size(); i += classes)
    result.push_back(probability[i]);
  return result;
}

} // namespace detail

} // namespace evaluate
using evaluate::Classifier;
ROWSMITH_END
