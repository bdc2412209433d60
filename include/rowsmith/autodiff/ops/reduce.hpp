// SPDX-License-Identifier: MIT
/// \file
/// Sums and means.
#pragma once

#include <rowsmith/autodiff/ops/check.hpp>

ROWSMITH_BEGIN

/// factor · Σ of all elements: 1 × 1. Summed in double, in storage order.
template <class Scalar>
Variable<Scalar> weighted_sum(const Variable<Scalar>& x, Scalar factor) {
  auto y = x.tape().make(1, 1, x.needs_gradient());
  double total = 0;
  for (Index i = 0; i < x.size(); ++i)
    total += static_cast<double>(x.data()[i]);
  y.data()[0] = static_cast<Scalar>(total * static_cast<double>(factor));
  x.tape().on_backward(y, [x, y, factor] {
    const Scalar dy = y.adjoint()(0, 0) * factor;
    detail::contribute(x, [dy](Index) { return dy; });
  });
  return y;
}

/// Σ of all elements: 1 × 1.
template <class Scalar>
Variable<Scalar> sum(const Variable<Scalar>& x) {
  return weighted_sum(x, Scalar(1));
}

/// Mean of all elements: 1 × 1. \throws ShapeError for an empty matrix
template <class Scalar>
Variable<Scalar> mean(const Variable<Scalar>& x) {
  detail::check_shape(x.size() > 0, "mean", "x", x, "at least one element");
  return weighted_sum(x, Scalar(1) / static_cast<Scalar>(x.size()));
}

/// Σ over the columns of each row: rows × 1.
template <class Scalar>
Variable<Scalar> row_sum(const Variable<Scalar>& x) {
  auto y = x.tape().make(x.rows(), 1, x.needs_gradient());
  const Index columns = x.columns();
  for (Index r = 0; r < x.rows(); ++r) {
    Scalar total = 0;
    for (Index c = 0; c < columns; ++c)
      total += x.data()[r * columns + c];
    y.data()[r] = total;
  }
  x.tape().on_backward(y, [x, y, columns] {
    const Scalar* dy = y.adjoint().data();
    detail::contribute(x, [=](Index i) { return dy[i / columns]; });
  });
  return y;
}

ROWSMITH_END
