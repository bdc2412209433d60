// SPDX-License-Identifier: MIT
/// \file
/// Operations that work element by element. Operands of binary ones have the same shape.
#pragma once

#include <cmath>

#include <rowsmith/autodiff/ops/check.hpp>

ROWSMITH_BEGIN

/// The general form, also the short way to an operation of your own: `y = f(x)`, with
/// `derivative(x, y) = dy/dx`, both on scalars. The functions are copied to the tape.
template <class Scalar, class Function, class Derivative>
Variable<Scalar> map_elements(const Variable<Scalar>& x, const Function& f, const Derivative& derivative) {
  auto y = x.tape().make(x.rows(), x.columns(), x.needs_gradient());
  const Scalar* in = x.data();
  Scalar* out = y.data();
  for (Index i = 0; i < x.size(); ++i)
    out[i] = f(in[i]);
  x.tape().on_backward(y, [x, y, derivative] {
    const Scalar* values = x.data();
    const Scalar* results = y.data();
    const Scalar* dy = y.adjoint().data();
    detail::contribute(x, [=](Index i) { return dy[i] * derivative(values[i], results[i]); });
  });
  return y;
}

/// a + b
template <class Scalar>
Variable<Scalar> add(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  detail::check_same_shape("add", a, b);
  auto y = make_result("add", a.rows(), a.columns(), a, b);
  y.mutable_value() = a.value() + b.value();
  if (a.by_row() && b.by_row())
    a.tape().mark_by_row(y);
  a.tape().on_backward(y, [a, b, y] {
    const Scalar* dy = y.adjoint().data();
    detail::contribute(a, [dy](Index i) { return dy[i]; });
    detail::contribute(b, [dy](Index i) { return dy[i]; });
  });
  return y;
}

/// a − b
template <class Scalar>
Variable<Scalar> subtract(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  detail::check_same_shape("subtract", a, b);
  auto y = make_result("subtract", a.rows(), a.columns(), a, b);
  y.mutable_value() = a.value() - b.value();
  a.tape().on_backward(y, [a, b, y] {
    const Scalar* dy = y.adjoint().data();
    detail::contribute(a, [dy](Index i) { return dy[i]; });
    detail::contribute(b, [dy](Index i) { return -dy[i]; });
  });
  return y;
}

/// a · b, element by element
template <class Scalar>
Variable<Scalar> multiply(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  detail::check_same_shape("multiply", a, b);
  auto y = make_result("multiply", a.rows(), a.columns(), a, b);
  y.mutable_value() = a.value().cwiseProduct(b.value());
  a.tape().on_backward(y, [a, b, y] {
    const Scalar* dy = y.adjoint().data();
    const Scalar* left = a.data();
    const Scalar* right = b.data();
    detail::contribute(a, [=](Index i) { return dy[i] * right[i]; });
    detail::contribute(b, [=](Index i) { return dy[i] * left[i]; });
  });
  return y;
}

/// factor · x + offset
template <class Scalar>
Variable<Scalar> affine(const Variable<Scalar>& x, Scalar factor, Scalar offset = 0) {
  return map_elements(
      x, [=](Scalar v) { return factor * v + offset; }, [factor](Scalar, Scalar) { return factor; });
}

/// e^x
template <class Scalar>
Variable<Scalar> exp(const Variable<Scalar>& x) {
  return map_elements(
      x, [](Scalar v) { return std::exp(v); }, [](Scalar, Scalar y) { return y; });
}

/// Natural logarithm; x must be positive.
template <class Scalar>
Variable<Scalar> log(const Variable<Scalar>& x) {
  return map_elements(
      x, [](Scalar v) { return std::log(v); }, [](Scalar v, Scalar) { return 1 / v; });
}

/// x²
template <class Scalar>
Variable<Scalar> square(const Variable<Scalar>& x) {
  return map_elements(
      x, [](Scalar v) { return v * v; }, [](Scalar v, Scalar) { return 2 * v; });
}

/// log(1 + e^x), without overflow
template <class Scalar>
Variable<Scalar> softplus(const Variable<Scalar>& x) {
  return map_elements(
      x, [](Scalar v) { return (v > 0 ? v : 0) + std::log1p(std::exp(-std::abs(v))); },
      [](Scalar v, Scalar) { return 1 / (1 + std::exp(-v)); });
}

/// x with the columns from `first` on limited to [low, high]; the gradient is 0 outside.
template <class Scalar>
Variable<Scalar> clamp(const Variable<Scalar>& x, Scalar low, Scalar high, Index first = 0) {
  detail::check_shape(first >= 0 && first <= x.columns(), "clamp", "x", x, "columns from ", first, " on");
  auto y = x.tape().make(x.rows(), x.columns(), x.needs_gradient());
  const Index columns = x.columns();
  for (Index i = 0; i < x.size(); ++i) {
    const Scalar v = x.data()[i];
    y.data()[i] = i % columns < first ? v : (v < low ? low : (v > high ? high : v));
  }
  x.tape().on_backward(y, [=] {
    const Scalar* values = x.data();
    const Scalar* dy = y.adjoint().data();
    detail::contribute(x, [=](Index i) {
      return i % columns >= first && (values[i] < low || values[i] > high) ? Scalar(0) : dy[i];
    });
  });
  return y;
}

ROWSMITH_END
