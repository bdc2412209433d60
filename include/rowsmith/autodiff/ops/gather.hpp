// SPDX-License-Identifier: MIT
/// \file
/// Gathers rows of a weight matrix: the product with one-hot rows, without the zeros.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <rowsmith/autodiff/ops/dense.hpp>

ROWSMITH_BEGIN

/// Row r of the result is row `indices[r]` of `table` (n × columns).
/// \param indices  `rows` numbers in [0, n); must outlive the step. \throws ShapeError for one outside
template <class Scalar>
Variable<Scalar> gather_rows(const Variable<Scalar>& table, const std::int32_t* indices, Index rows) {
  const Index columns = table.columns();
  for (Index r = 0; r < rows; ++r)
    if (indices[r] < 0 || indices[r] >= table.rows())
      throw ShapeError("gather_rows: index " + std::to_string(indices[r]) + " of a table with " +
                       std::to_string(table.rows()) + " rows");
  auto y = table.tape().make(rows, columns, table.needs_gradient());
  for (Index r = 0; r < rows; ++r)
    std::copy_n(table.data() + indices[r] * columns, columns, y.data() + r * columns);
  table.tape().on_backward(y, [table, y, indices, rows, columns] {
    const Scalar* dy = y.adjoint().data();
    Scalar* target = table.adjoint().data();
    for (Index r = 0; r < rows; ++r)
      for (Index c = 0; c < columns; ++c)
        target[indices[r] * columns + c] += dy[r * columns + c];
  });
  return y;
}

/// Mixed rows as the encoding stores them: codes of categorical columns and numbers, both row-major.
/// Views; what they point to must outlive the step.
template <class Scalar>
struct MixedRows {
  Index rows = 0;
  Index code_columns = 0;
  Index number_columns = 0;
  const std::int32_t* codes = nullptr;          ///< rows × code_columns: rows of the weight matrix, in range
  const Scalar* numbers = nullptr;              ///< rows × number_columns
  const std::int32_t* number_weights = nullptr; ///< number_columns: the weight row of each number
};

namespace detail {
/// Calls `visit(weight_row, factor)` for each code of row r, with a factor of 1, and each number that is not
/// missing, which is the factor.
template <class Scalar, class Visit>
void each_active(const MixedRows<Scalar>& x, Index r, const Visit& visit) {
  for (Index c = 0; c < x.code_columns; ++c)
    visit(x.codes[r * x.code_columns + c], Scalar(1));
  for (Index c = 0; c < x.number_columns; ++c)
    if (const Scalar number = x.numbers[r * x.number_columns + c]; number == number)
      visit(x.number_weights[c], number);
}
} // namespace detail

/// The values of `gather_dense`, without a tape: y is rows × out.
template <class Scalar>
void gather_affine(const MixedRows<Scalar>& x, const Scalar* weight, const Scalar* bias, Index out,
                   const Activation& activation, Scalar* y) noexcept {
  for (Index r = 0; r < x.rows; ++r) {
    Scalar* to = y + r * out;
    std::copy_n(bias, out, to);
    detail::each_active(x, r, [=](Index row, Scalar factor) {
      for (Index j = 0; j < out; ++j)
        to[j] += factor * weight[row * out + j];
    });
    detail::activate(activation, to, out);
  }
}

/// y = f(X · weight + bias), where row r of X is one-hot at every code of row r and holds the numbers at
/// their places: `dense` on one-hot encoded rows, computed as a sum of weight rows. A NaN number counts as 0.
/// \throws ShapeError for a code or a number's weight row outside the weight
template <class Scalar>
Variable<Scalar> gather_dense(const MixedRows<Scalar>& x, const Variable<Scalar>& weight,
                              const Variable<Scalar>& bias, const Activation& activation = {}) {
  const Index out = weight.columns();
  detail::check_shape(bias.rows() == 1 && bias.columns() == out, "gather_dense", "the bias", bias, "1 x ",
                      out);
  detail::check_activation("gather_dense", activation);
  const auto check_row = [&weight](const char* what, std::int32_t row) {
    if (row < 0 || row >= weight.rows())
      throw ShapeError(std::string("gather_dense: ") + what + " " + std::to_string(row) +
                       " for a weight of " + std::to_string(weight.rows()) + " rows");
  };
  for (Index i = 0; i < x.rows * x.code_columns; ++i)
    check_row("code", x.codes[i]);
  for (Index c = 0; c < x.number_columns; ++c)
    check_row("a number's weight row", x.number_weights[c]);
  auto y = make_result("gather_dense", x.rows, out, weight, bias);
  gather_affine(x, weight.data(), bias.data(), out, activation, y.data());
  weight.tape().on_backward(y, [x, weight, bias, y, activation, out] {
    Scalar* dy = y.adjoint().data();
    detail::activation_backward(activation, y.data(), dy, y.size());
    if (y.tape().row_squares() != nullptr) {
      // A row's codes are rows of the weight, each one apart from the others.
      detail::tell_affine(weight, bias, dy, x.rows, [&x](Index r) {
        Scalar square = 0;
        detail::each_active(x, r, [&square](Index, Scalar factor) { square += factor * factor; });
        return square;
      });
      return;
    }
    detail::contribute_bias(bias, dy, x.rows);
    if (!weight.needs_gradient())
      return;
    Scalar* target = weight.adjoint().data();
    for (Index r = 0; r < x.rows; ++r) {
      const Scalar* from = dy + r * out;
      detail::each_active(x, r, [=](Index row, Scalar factor) {
        for (Index j = 0; j < out; ++j)
          target[row * out + j] += factor * from[j];
      });
    }
  });
  return y;
}

ROWSMITH_END
