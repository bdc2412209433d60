// SPDX-License-Identifier: MIT
/// \file
/// The fully connected layer as one operation: product, bias and activation.
#pragma once

#include <algorithm>

#include <rowsmith/autodiff/ops/activation.hpp>
#include <rowsmith/autodiff/ops/matmul.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Fused last step of a product: adds the bias and applies the activation to a finished stretch of a row.
template <class Scalar>
struct BiasActivation {
  const Scalar* bias;
  Activation activation;
  void operator()(Scalar* y, Index, Index column, Index count) const noexcept {
    for (Index j = 0; j < count; ++j)
      y[j] += bias[column + j];
    activate(activation, y, count);
  }
};

/// Adds (or assigns) the column sums of `from` (rows × columns) to `to`.
template <class Scalar>
void add_column_sums(const Scalar* from, Index rows, Index columns, Scalar* to, bool overwrite) noexcept {
  if (overwrite)
    std::fill_n(to, columns, Scalar(0));
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < columns; ++c)
      to[c] += from[r * columns + c];
}
template <class Scalar>
void contribute_bias(const Variable<Scalar>& bias, const Scalar* dy, Index rows) {
  if (const Target<Scalar> target(bias); target)
    add_column_sums(dy, rows, bias.columns(), target.data, target.fresh);
}

/// What rows' gradients by the weight of y = x · weight + bias and by the bias add to the rows' squares: a
/// row's gradient is the product of its x and its dy. \param square_of  (row) -> Σ x² of that row
template <class Scalar, class SquareOf>
void tell_affine(const Variable<Scalar>& weight, const Variable<Scalar>& bias, const Scalar* dy, Index rows,
                 const SquareOf& square_of) {
  auto& tape = weight.tape();
  const Index columns = weight.columns();
  for (Index r = 0; r < rows; ++r) {
    const Scalar uses = (weight.needs_gradient() ? square_of(r) : Scalar(0)) +
                        (bias.needs_gradient() ? Scalar(1) : Scalar(0));
    tape.row_squares()[r] += uses * squared_length(dy + r * columns, columns);
  }
  for (const auto* parameter : {&weight, &bias})
    if (parameter->needs_gradient())
      tape.tell_rows(*parameter, rows);
}

} // namespace detail

/// y = f(x · weight + bias): x rows × in, weight in × out, bias 1 × out, y rows × out.
template <class Scalar>
Variable<Scalar> dense(const Variable<Scalar>& x, const Variable<Scalar>& weight,
                       const Variable<Scalar>& bias, const Activation& activation = {}) {
  detail::check_shape(weight.rows() == x.columns(), "dense", "the weight", weight, x.columns(),
                      " rows, as many as the input has columns");
  detail::check_shape(bias.rows() == 1 && bias.columns() == weight.columns(), "dense", "the bias", bias,
                      "1 x ", weight.columns());
  detail::check_activation("dense", activation);
  auto y = make_result("dense", x.rows(), weight.columns(), x, weight, bias);
  gemm(x.rows(), weight.columns(), x.columns(), as_is<Scalar>(x.data(), x.columns()),
       as_is<Scalar>(weight.data(), weight.columns()), y.data(), false, x.tape().workspace(),
       detail::BiasActivation<Scalar>{bias.data(), activation});
  x.tape().on_backward(y, [x, weight, bias, y, activation] {
    Scalar* dy = y.adjoint().data();
    detail::activation_backward(activation, y.data(), dy, y.size());
    const bool audited = y.tape().row_squares() != nullptr;
    if (audited)
      detail::tell_affine(weight, bias, dy, x.rows(), [&x](Index r) {
        return detail::squared_length(x.data() + r * x.columns(), x.columns());
      });
    else
      detail::contribute_bias(bias, dy, y.rows());
    detail::contribute_product<false>(x, weight, dy, !audited);
  });
  return y;
}

ROWSMITH_END
