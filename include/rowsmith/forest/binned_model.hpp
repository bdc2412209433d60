// SPDX-License-Identifier: MIT
/// \file
/// What all models on binned features have in common: how they are fitted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rowsmith/forest/binned_matrix.hpp>

ROWSMITH_BEGIN
namespace forest::detail {

/// \tparam Model  has `train(binned, rows, targets…, options)` and `predict_binned(binned, rows, threads)`
/// \tparam Targets  labels in [0, classes) and the number of classes, or numbers, finite and at most 1e100 in
/// size
template <class Model, class Options, class... Targets>
class BinnedModel {
public:
  /// \param targets  one a row \throws ShapeError, OptionError
  static Model fit(const FeatureMatrix& features, Targets... targets, const Options& options = {}) {
    Model model;
    BinnedModel& base = model;
    base.binning_ = Binning::fit(features, options.max_bins, options.threads);
    const auto binned = base.binning_.apply(features, options.threads);
    model.train(binned, all_rows(binned), targets..., options);
    return model;
  }
  /// The same on chosen rows of a matrix that is binned already: folds of a cross-validation share one.
  /// \param targets  one a row of the matrix
  static Model fit_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, Targets... targets,
                          const Options& options = {}) {
    Model model;
    model.train(binned, rows, targets..., options);
    return model;
  }

protected:
  std::vector<double> predict_features(const FeatureMatrix& features, int threads) const {
    const auto binned = binning_.apply(features, threads);
    return static_cast<const Model&>(*this).predict_binned(binned, all_rows(binned), threads);
  }

private:
  Binning binning_;
};

template <class Model, class Options>
using BinnedClassifier = BinnedModel<Model, Options, std::span<const std::uint16_t>, std::size_t>;
template <class Model, class Options>
using BinnedRegressor = BinnedModel<Model, Options, std::span<const double>>;

} // namespace forest::detail
ROWSMITH_END
