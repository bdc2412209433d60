// SPDX-License-Identifier: MIT
// The library's forests and boosted trees on columns of numpy arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <rowsmith/forest.hpp>

#include "tables.hpp"

namespace native {

// Columns of a matrix; a copy, since features are binned anyway.
inline rs::FeatureMatrix features_of(const py::array_t<double, py::array::f_style>& matrix,
                                     std::vector<bool> categorical) {
  rs::FeatureMatrix result;
  const auto rows = static_cast<std::size_t>(matrix.shape(0));
  for (std::size_t f = 0; f < static_cast<std::size_t>(matrix.shape(1)); ++f) {
    const double* begin = matrix.data() + f * rows;
    result.columns.emplace_back(begin, begin + rows);
    result.names.push_back(std::to_string(f));
  }
  result.categorical = std::move(categorical);
  return result;
}

using Matrix = py::array_t<double, py::array::f_style>;
using Labels = py::array_t<std::uint16_t, py::array::c_style>;

// A classifier or a regressor. \tparam Classes  whether it predicts classes
template <class Model, class Options, bool Classes>
class NativeTrees {
public:
  static NativeTrees fit(const Matrix& matrix, const std::vector<bool>& categorical, const Numbers& targets,
                         const Labels& labels, std::size_t classes, const Options& options) {
    const auto features = features_of(matrix, categorical);
    const std::span<const double> numbers(targets.data(), static_cast<std::size_t>(targets.size()));
    const std::span<const std::uint16_t> known(labels.data(), static_cast<std::size_t>(labels.size()));
    const py::gil_scoped_release others;
    NativeTrees result;
    result.categorical_ = categorical;
    if constexpr (Classes)
      result.model_ = Model::fit(features, known, classes, options);
    else
      result.model_ = Model::fit(features, numbers, options);
    return result;
  }
  // Class probabilities, rows × classes, or numbers.
  py::array_t<double> predict(const Matrix& matrix, int threads) const {
    const auto features = features_of(matrix, categorical_);
    std::vector<double> result;
    {
      const py::gil_scoped_release others;
      if constexpr (Classes)
        result = model_.predict_probability(features, threads);
      else
        result = model_.predict(features, threads);
    }
    return as_array(std::move(result));
  }
  std::vector<double> importances() const { return model_.importances(); }
  std::optional<double> out_of_bag_score() const {
    if constexpr (requires { model_.out_of_bag_score(); })
      return model_.out_of_bag_score();
    else
      return std::nullopt;
  }

private:
  Model model_;
  std::vector<bool> categorical_;
};

class NativeIsolation {
public:
  static NativeIsolation fit(const Matrix& matrix, const std::vector<bool>& categorical,
                             const rs::forest::IsolationForestOptions& options) {
    const auto features = features_of(matrix, categorical);
    const py::gil_scoped_release others;
    NativeIsolation result;
    result.categorical_ = categorical;
    result.model_ = rs::IsolationForest::fit(features, options);
    return result;
  }
  py::array_t<double> score(const Matrix& matrix, int threads) const {
    const auto features = features_of(matrix, categorical_);
    std::vector<double> result;
    {
      const py::gil_scoped_release others;
      result = model_.score(features, threads);
    }
    return as_array(std::move(result));
  }

private:
  rs::IsolationForest model_;
  std::vector<bool> categorical_;
};

template <class Trees, class Options>
void add_trees(py::module_& module, const char* name) {
  py::class_<Trees>(module, name)
      .def_static("fit", &Trees::fit, py::arg("matrix"), py::arg("categorical"), py::arg("targets"),
                  py::arg("labels"), py::arg("classes"), py::arg("options"))
      .def("predict", &Trees::predict, py::arg("matrix"), py::arg("threads") = 0)
      .def("importances", &Trees::importances)
      .def("out_of_bag_score", &Trees::out_of_bag_score);
}

inline void add_forests(py::module_& module) {
  using rs::forest::GradientBoostingOptions;
  using rs::forest::IsolationForestOptions;
  using rs::forest::RandomForestOptions;
  py::class_<RandomForestOptions>(module, "ForestOptions")
      .def(py::init<>())
      .def_readwrite("trees", &RandomForestOptions::trees)
      .def_readwrite("max_features", &RandomForestOptions::max_features)
      .def_readwrite("min_samples_leaf", &RandomForestOptions::min_samples_leaf)
      .def_readwrite("max_depth", &RandomForestOptions::max_depth)
      .def_readwrite("bootstrap", &RandomForestOptions::bootstrap)
      .def_readwrite("max_bins", &RandomForestOptions::max_bins)
      .def_readwrite("seed", &RandomForestOptions::seed)
      .def_readwrite("threads", &RandomForestOptions::threads)
      .def_readwrite("out_of_bag", &RandomForestOptions::out_of_bag);
  py::class_<GradientBoostingOptions>(module, "BoostingOptions")
      .def(py::init<>())
      .def_readwrite("rounds", &GradientBoostingOptions::rounds)
      .def_readwrite("max_depth", &GradientBoostingOptions::max_depth)
      .def_readwrite("learning_rate", &GradientBoostingOptions::learning_rate)
      .def_readwrite("penalty", &GradientBoostingOptions::lambda)
      .def_readwrite("gamma", &GradientBoostingOptions::gamma)
      .def_readwrite("min_child_weight", &GradientBoostingOptions::min_child_weight)
      .def_readwrite("subsample", &GradientBoostingOptions::subsample)
      .def_readwrite("max_bins", &GradientBoostingOptions::max_bins)
      .def_readwrite("seed", &GradientBoostingOptions::seed)
      .def_readwrite("threads", &GradientBoostingOptions::threads);
  py::class_<IsolationForestOptions>(module, "IsolationOptions")
      .def(py::init<>())
      .def_readwrite("trees", &IsolationForestOptions::trees)
      .def_readwrite("samples", &IsolationForestOptions::samples)
      .def_readwrite("seed", &IsolationForestOptions::seed)
      .def_readwrite("threads", &IsolationForestOptions::threads);
  add_trees<NativeTrees<rs::RandomForest, RandomForestOptions, true>, RandomForestOptions>(
      module, "ForestClassifier");
  add_trees<NativeTrees<rs::forest::RandomForestRegressor, RandomForestOptions, false>, RandomForestOptions>(
      module, "ForestRegressor");
  add_trees<NativeTrees<rs::GradientBoosting, GradientBoostingOptions, true>, GradientBoostingOptions>(
      module, "BoostingClassifier");
  add_trees<NativeTrees<rs::forest::GradientBoostingRegressor, GradientBoostingOptions, false>,
            GradientBoostingOptions>(module, "BoostingRegressor");
  py::class_<NativeIsolation>(module, "IsolationForest")
      .def_static("fit", &NativeIsolation::fit, py::arg("matrix"), py::arg("categorical"), py::arg("options"))
      .def("score", &NativeIsolation::score, py::arg("matrix"), py::arg("threads") = 0);
}

} // namespace native
