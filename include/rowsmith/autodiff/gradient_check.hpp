// SPDX-License-Identifier: MIT
/// \file
/// Checks gradients against central finite differences.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <rowsmith/autodiff/tape.hpp>

ROWSMITH_BEGIN

/// The largest disagreement found by `check_gradients`.
struct GradientCheck {
  double largest_error = 0; ///< max |analytic − numeric| / max(1, |analytic|, |numeric|); NaN if one is
  std::size_t input = 0;    ///< in which input
  Index element = 0;        ///< and which element of it
};

/// Compares the gradient of `function` with (f(x + h) − f(x − h)) / 2h for every element of every input.
/// \param inputs    matrices of double, registered as parameters
/// \param function  (Tape<double>&, const std::vector<Variable<double>>&) -> 1 × 1 variable; deterministic
/// \param step      h; the error of the difference is about h² f''' / 6 + 1e-16 |f| / h
template <class Function>
GradientCheck check_gradients(std::vector<Matrix<double>> inputs, const Function& function,
                              double step = 1e-5) {
  Tape<double> tape;
  std::vector<Matrix<double>> gradients;
  for (const auto& input : inputs)
    gradients.push_back(Matrix<double>::Constant(input.rows(), input.cols(), std::nan("")));
  const auto evaluate = [&](bool differentiate) {
    tape.rewind();
    std::vector<Variable<double>> variables;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      variables.push_back(
          tape.parameter(inputs[i].data(), gradients[i].data(), inputs[i].rows(), inputs[i].cols()));
    const auto loss = function(tape, variables);
    if (differentiate)
      tape.backward(loss);
    return loss.item();
  };
  evaluate(true);
  GradientCheck result;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (Index k = 0; k < inputs[i].size(); ++k) {
      double& x = inputs[i].data()[k];
      const double kept = x;
      x = kept + step;
      const double above = evaluate(false);
      x = kept - step;
      const double below = evaluate(false);
      x = kept;
      const double numeric = (above - below) / (2 * step);
      const double analytic = gradients[i].data()[k];
      const double error =
          std::abs(analytic - numeric) / std::max({1.0, std::abs(analytic), std::abs(numeric)});
      if (std::isnan(error))
        return {error, i, k}; // no later disagreement may take the place of a NaN
      if (error > result.largest_error)
        result = {error, i, k};
    }
  return result;
}

ROWSMITH_END
