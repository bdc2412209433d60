// SPDX-License-Identifier: MIT
/// \file
/// The matrix product.
#pragma once

#include <rowsmith/autodiff/ops/check.hpp>

ROWSMITH_BEGIN

namespace detail {
/// Contributions of y = a · b to both operands, from dy.
template <class Scalar>
void contribute_product(const Variable<Scalar>& a, const Variable<Scalar>& b, const Scalar* dy) {
  auto& workspace = a.tape().workspace();
  const Index rows = a.rows();
  const Index depth = a.columns();
  const Index columns = b.columns();
  bool overwrite = false;
  if (b.needs_gradient()) {
    Scalar* db = b.adjoint_target(overwrite);
    gemm(depth, columns, rows, transposed<Scalar>(a.data(), depth), as_is<Scalar>(dy, columns), db,
         !overwrite, workspace);
  }
  if (a.needs_gradient()) {
    Scalar* da = a.adjoint_target(overwrite);
    gemm(rows, depth, columns, as_is<Scalar>(dy, columns), transposed<Scalar>(b.data(), columns), da,
         !overwrite, workspace);
  }
}
} // namespace detail

/// a (rows × depth) · b (depth × columns)
template <class Scalar>
Variable<Scalar> matmul(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  detail::check_shape(b.rows() == a.columns(), "matmul", "b", b, a.columns(), " rows");
  auto y = a.tape().make(a.rows(), b.columns(), a.needs_gradient() || b.needs_gradient());
  gemm(a.rows(), b.columns(), a.columns(), as_is<Scalar>(a.data(), a.columns()),
       as_is<Scalar>(b.data(), b.columns()), y.data(), false, a.tape().workspace());
  a.tape().on_backward(y, [a, b, y] { detail::contribute_product<Scalar>(a, b, y.adjoint().data()); });
  return y;
}

/// a (rows × depth) · wᵀ, with w columns × depth
template <class Scalar>
Variable<Scalar> matmul_transposed(const Variable<Scalar>& a, const Variable<Scalar>& w) {
  detail::check_shape(w.columns() == a.columns(), "matmul_transposed", "w", w, a.columns(), " columns");
  auto y = a.tape().make(a.rows(), w.rows(), a.needs_gradient() || w.needs_gradient());
  gemm(a.rows(), w.rows(), a.columns(), as_is<Scalar>(a.data(), a.columns()),
       transposed<Scalar>(w.data(), w.columns()), y.data(), false, a.tape().workspace());
  a.tape().on_backward(y, [a, w, y] {
    auto& workspace = a.tape().workspace();
    const Scalar* dy = y.adjoint().data();
    const Index rows = a.rows();
    const Index depth = a.columns();
    const Index columns = w.rows();
    bool overwrite = false;
    if (a.needs_gradient()) {
      Scalar* da = a.adjoint_target(overwrite);
      gemm(rows, depth, columns, as_is<Scalar>(dy, columns), as_is<Scalar>(w.data(), depth), da, !overwrite,
           workspace);
    }
    if (w.needs_gradient()) {
      Scalar* dw = w.adjoint_target(overwrite);
      gemm(columns, depth, rows, transposed<Scalar>(dy, columns), as_is<Scalar>(a.data(), depth), dw,
           !overwrite, workspace);
    }
  });
  return y;
}

ROWSMITH_END
