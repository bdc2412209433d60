// SPDX-License-Identifier: MIT
/// \file
/// Spectral normalisation of a weight matrix (Miyato et al., "Spectral normalization for generative
/// adversarial networks", ICLR 2018).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <rowsmith/autodiff/ops/check.hpp>

ROWSMITH_BEGIN

namespace detail {

/// u · W · v for a weight of inputs × outputs.
template <class Scalar>
double bilinear(const Scalar* weight, Index inputs, Index outputs, const Scalar* u,
                const Scalar* v) noexcept {
  double total = 0;
  for (Index i = 0; i < inputs; ++i) {
    double row = 0;
    for (Index j = 0; j < outputs; ++j)
      row += static_cast<double>(weight[i * outputs + j]) * static_cast<double>(v[j]);
    total += row * static_cast<double>(u[i]);
  }
  return total;
}

/// Scales x to length 1; a vector of zeros stays.
template <class Scalar>
void scale_to_unit(Scalar* x, Index count) noexcept {
  double squares = 0;
  for (Index i = 0; i < count; ++i)
    squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const auto factor = static_cast<Scalar>(squares > 0 ? 1 / std::sqrt(squares) : 0);
  for (Index i = 0; i < count; ++i)
    x[i] *= factor;
}

} // namespace detail

/// One step of power iteration towards the largest singular value: v = Wᵀu / |Wᵀu|, then u = Wv / |Wv|.
/// \param weight inputs × outputs \param u inputs \param v outputs
template <class Scalar>
void power_iteration(const Scalar* weight, Index inputs, Index outputs, Scalar* u, Scalar* v) noexcept {
  std::fill_n(v, outputs, Scalar(0));
  for (Index i = 0; i < inputs; ++i)
    for (Index j = 0; j < outputs; ++j)
      v[j] += u[i] * weight[i * outputs + j];
  detail::scale_to_unit(v, outputs);
  for (Index i = 0; i < inputs; ++i) {
    Scalar sum = 0;
    for (Index j = 0; j < outputs; ++j)
      sum += weight[i * outputs + j] * v[j];
    u[i] = sum;
  }
  detail::scale_to_unit(u, inputs);
}

/// W / σ with σ = uᵀWv, for vectors of `power_iteration`, which count as constants (Miyato et al., eq. 11).
/// \param u inputs numbers \param v outputs numbers; both must outlive the step
template <class Scalar>
Variable<Scalar> spectral_normalise(const Variable<Scalar>& weight, const Scalar* u, const Scalar* v) {
  const Index inputs = weight.rows();
  const Index outputs = weight.columns();
  const double sigma = detail::bilinear(weight.data(), inputs, outputs, u, v);
  // A matrix of zeros has no direction to scale: it stays.
  const auto factor = static_cast<Scalar>(std::abs(sigma) > 1e-12 ? 1 / sigma : 1);
  auto y = weight.tape().make(inputs, outputs, weight.needs_gradient());
  for (Index i = 0; i < weight.size(); ++i)
    y.data()[i] = weight.data()[i] * factor;
  weight.tape().on_backward(y, [=] {
    const Scalar* dy = y.adjoint().data();
    // d(W/σ) = dW/σ − W/σ · (uᵀ dW v)/σ
    double along = 0;
    for (Index i = 0; i < y.size(); ++i)
      along += static_cast<double>(dy[i]) * static_cast<double>(y.data()[i]);
    const auto back = static_cast<Scalar>(std::abs(sigma) > 1e-12 ? along : 0);
    detail::contribute(weight,
                       [=](Index i) { return factor * (dy[i] - back * u[i / outputs] * v[i % outputs]); });
  });
  return y;
}

ROWSMITH_END
