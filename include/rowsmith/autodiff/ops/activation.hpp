// SPDX-License-Identifier: MIT
/// \file
/// Activation functions, as a value so that a layer can fuse one to its product.
#pragma once

#include <algorithm>
#include <string>

#include <rowsmith/autodiff/ops/check.hpp>
#include <rowsmith/kernel/network.hpp>

ROWSMITH_BEGIN

namespace detail {

using kernel::activate;

/// dy -> dy · f'(x) in place, from the result y = f(x).
template <class Scalar>
void activation_backward(const Activation& activation, const Scalar* y, Scalar* dy, Index count) noexcept {
  switch (activation.kind) {
  case ActivationKind::identity:
    break;
  case ActivationKind::relu:
    for (Index i = 0; i < count; ++i)
      dy[i] = y[i] > 0 ? dy[i] : Scalar(0);
    break;
  case ActivationKind::leaky_relu: {
    const auto slope = static_cast<Scalar>(activation.slope);
    for (Index i = 0; i < count; ++i)
      dy[i] = y[i] > 0 ? dy[i] : slope * dy[i];
    break;
  }
  case ActivationKind::tanh:
    for (Index i = 0; i < count; ++i)
      dy[i] *= 1 - y[i] * y[i];
    break;
  case ActivationKind::sigmoid:
    for (Index i = 0; i < count; ++i)
      dy[i] *= y[i] * (1 - y[i]);
    break;
  }
}

/// \throws OptionError unless the slope of a leaky ReLU is positive: its gradient is told from the result
inline void check_activation(const char* operation, const Activation& activation) {
  if (activation.kind == ActivationKind::leaky_relu && !(activation.slope > 0))
    throw OptionError(std::string(operation) + ": the slope of leaky_relu is " +
                      std::to_string(activation.slope) + ", expected a positive number");
}

} // namespace detail

/// f(x), element by element. \throws OptionError for a slope that is not positive
template <class Scalar>
Variable<Scalar> activate(const Variable<Scalar>& x, const Activation& activation) {
  detail::check_activation("activate", activation);
  auto y = x.tape().make(x.rows(), x.columns(), x.needs_gradient());
  y.mutable_value() = x.value();
  detail::activate(activation, y.data(), y.size());
  x.tape().on_backward(y, [x, y, activation] {
    Scalar* dy = y.adjoint().data();
    detail::activation_backward(activation, y.data(), dy, y.size());
    detail::contribute(x, [dy](Index i) { return dy[i]; });
  });
  return y;
}

/// g · f'(y) for the activation f whose result is y, which counts as constant: the chain rule written as an
/// operation, for penalties on gradients. Exact for activations that are linear piece by piece.
/// \throws OptionError for any other
template <class Scalar>
Variable<Scalar> gate(const Variable<Scalar>& g, const Variable<Scalar>& y, const Activation& activation) {
  detail::check_same_shape("gate", g, y);
  detail::check_one_tape("gate", g, y);
  if (activation.kind == ActivationKind::tanh || activation.kind == ActivationKind::sigmoid)
    throw OptionError("gate: expected an activation that is linear piece by piece");
  auto result = g.tape().make(g.rows(), g.columns(), g.needs_gradient());
  std::copy_n(g.data(), g.size(), result.data());
  detail::activation_backward(activation, y.data(), result.data(), g.size());
  const Scalar* values = y.data();
  g.tape().on_backward(result, [=] {
    Scalar* dy = result.adjoint().data();
    detail::activation_backward(activation, values, dy, result.size());
    detail::contribute(g, [dy](Index i) { return dy[i]; });
  });
  return result;
}

ROWSMITH_END
