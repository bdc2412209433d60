// SPDX-License-Identifier: MIT
/// \file
/// Joining and cutting matrices.
#pragma once

#include <algorithm>

#include <rowsmith/autodiff/ops/check.hpp>

ROWSMITH_BEGIN

/// [a | b]: rows × (columns of a + columns of b)
template <class Scalar>
Variable<Scalar> concatenate_columns(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  detail::check_shape(b.rows() == a.rows(), "concatenate_columns", "b", b, a.rows(), " rows");
  const Index left = a.columns();
  const Index width = left + b.columns();
  auto y = make_result("concatenate_columns", a.rows(), width, a, b);
  for (Index r = 0; r < a.rows(); ++r) {
    std::copy_n(a.data() + r * left, left, y.data() + r * width);
    std::copy_n(b.data() + r * (width - left), width - left, y.data() + r * width + left);
  }
  a.tape().on_backward(y, [a, b, y, left, width] {
    const Scalar* dy = y.adjoint().data();
    const Index right = width - left;
    detail::contribute(a, [=](Index i) { return dy[i / left * width + i % left]; });
    detail::contribute(b, [=](Index i) { return dy[i / right * width + left + i % right]; });
  });
  return y;
}

/// Columns [first, first + count) of x.
template <class Scalar>
Variable<Scalar> slice_columns(const Variable<Scalar>& x, Index first, Index count) {
  detail::check_shape(first >= 0 && count >= 0 && first + count <= x.columns(), "slice_columns", "x", x,
                      "columns from ", first, " up to ", first + count);
  auto y = x.tape().make(x.rows(), count, x.needs_gradient());
  const Index width = x.columns();
  for (Index r = 0; r < x.rows(); ++r)
    std::copy_n(x.data() + r * width + first, count, y.data() + r * count);
  x.tape().on_backward(y, [x, y, first, count, width] {
    const Scalar* dy = y.adjoint().data();
    Scalar* dx = x.adjoint().data();
    for (Index r = 0; r < y.rows(); ++r)
      for (Index c = 0; c < count; ++c)
        dx[r * width + first + c] += dy[r * count + c];
  });
  return y;
}

/// The same elements, in storage order, as rows × columns: two rows of n side by side make one of 2n.
template <class Scalar>
Variable<Scalar> reshape(const Variable<Scalar>& x, Index rows, Index columns) {
  detail::check_shape(rows >= 0 && columns >= 0 && rows * columns == x.size(), "reshape", "x", x, rows, " x ",
                      columns, " elements");
  auto y = x.tape().make(rows, columns, x.needs_gradient());
  std::copy_n(x.data(), x.size(), y.data());
  x.tape().on_backward(y, [x, y] {
    const Scalar* dy = y.adjoint().data();
    detail::contribute(x, [dy](Index i) { return dy[i]; });
  });
  return y;
}

/// The same values with no gradient flowing back: the discriminator's step must not move the generator.
template <class Scalar>
Variable<Scalar> detach(const Variable<Scalar>& x) {
  return x.tape().constant(x.data(), x.rows(), x.columns());
}

ROWSMITH_END
