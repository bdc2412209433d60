// SPDX-License-Identifier: MIT
/// \file
/// The matrix product.
#pragma once

#include <rowsmith/autodiff/ops/check.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Contributions of y = a · b, or a · bᵀ, to the operands, from dy. \param by_b  to b as well
template <bool Transposed, class Scalar>
void contribute_product(const Variable<Scalar>& a, const Variable<Scalar>& b, const Scalar* dy,
                        bool by_b = true) {
  auto& workspace = a.tape().workspace();
  const Index rows = a.rows();
  const Index depth = a.columns();
  const Index columns = Transposed ? b.rows() : b.columns();
  if (const auto db = by_b ? Target<Scalar>(b) : Target<Scalar>(); db && Transposed)
    gemm(columns, depth, rows, transposed<Scalar>(dy, columns), as_is<Scalar>(a.data(), depth), db.data,
         !db.fresh, workspace);
  else if (db)
    gemm(depth, columns, rows, transposed<Scalar>(a.data(), depth), as_is<Scalar>(dy, columns), db.data,
         !db.fresh, workspace);
  if (const Target<Scalar> da(a); da)
    gemm(rows, depth, columns, as_is<Scalar>(dy, columns),
         Transposed ? as_is<Scalar>(b.data(), depth) : transposed<Scalar>(b.data(), columns), da.data,
         !da.fresh, workspace);
}

template <bool Transposed, class Scalar>
Variable<Scalar> product(const char* operation, const Variable<Scalar>& a, const Variable<Scalar>& b) {
  const Index depth = a.columns();
  const Index columns = Transposed ? b.rows() : b.columns();
  check_shape((Transposed ? b.columns() : b.rows()) == depth, operation, "b", b, depth,
              Transposed ? " columns" : " rows");
  auto y = make_result(operation, a.rows(), columns, a, b);
  gemm(a.rows(), columns, depth, as_is<Scalar>(a.data(), depth),
       Transposed ? transposed<Scalar>(b.data(), depth) : as_is<Scalar>(b.data(), columns), y.data(), false,
       a.tape().workspace());
  a.tape().on_backward(y, [a, b, y] { contribute_product<Transposed>(a, b, y.adjoint().data()); });
  return y;
}

} // namespace detail

/// a (rows × depth) · b (depth × columns)
template <class Scalar>
Variable<Scalar> matmul(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  return detail::product<false>("matmul", a, b);
}

/// a (rows × depth) · bᵀ, with b columns × depth
template <class Scalar>
Variable<Scalar> matmul_transposed(const Variable<Scalar>& a, const Variable<Scalar>& b) {
  return detail::product<true>("matmul_transposed", a, b);
}

ROWSMITH_END
