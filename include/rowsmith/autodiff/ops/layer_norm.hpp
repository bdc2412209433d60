// SPDX-License-Identifier: MIT
/// \file
/// Layer normalisation.
#pragma once

#include <rowsmith/autodiff/ops/check.hpp>
#include <rowsmith/kernel/network.hpp>

ROWSMITH_BEGIN

namespace detail {
using kernel::normalise_row;
} // namespace detail

/// y = gain · (x − mean) / sqrt(variance + 1e-5) + bias, with mean and variance over the columns of each row
/// (Ba, Kiros & Hinton 2016). x rows × n; gain and bias 1 × n.
template <class Scalar>
Variable<Scalar> layer_norm(const Variable<Scalar>& x, const Variable<Scalar>& gain,
                            const Variable<Scalar>& bias) {
  const Index n = x.columns();
  detail::check_shape(gain.rows() == 1 && gain.columns() == n, "layer_norm", "the gain", gain, "1 x ", n);
  detail::check_shape(bias.rows() == 1 && bias.columns() == n, "layer_norm", "the bias", bias, "1 x ", n);
  auto& tape = x.tape();
  auto y = make_result("layer_norm", x.rows(), n, x, gain, bias);
  Scalar* normal = tape.template allocate<Scalar>(x.size());
  Scalar* inverse_sd = tape.template allocate<Scalar>(x.rows());
  for (Index r = 0; r < x.rows(); ++r)
    inverse_sd[r] = detail::normalise_row(x.data() + r * n, gain.data(), bias.data(), y.data() + r * n, n,
                                          normal + r * n);
  tape.on_backward(y, [=] {
    const Scalar* dy = y.adjoint().data();
    if (gain.needs_gradient()) {
      Scalar* dgain = gain.adjoint().data();
      for (Index i = 0; i < y.size(); ++i)
        dgain[i % n] += dy[i] * normal[i];
    }
    if (bias.needs_gradient()) {
      Scalar* dbias = bias.adjoint().data();
      for (Index i = 0; i < y.size(); ++i)
        dbias[i % n] += dy[i];
    }
    if (!x.needs_gradient())
      return;
    Scalar* dx = x.adjoint().data();
    for (Index r = 0; r < y.rows(); ++r) {
      Scalar mean_g = 0;
      Scalar mean_gn = 0;
      for (Index j = 0; j < n; ++j) {
        const Scalar g = dy[r * n + j] * gain.data()[j];
        mean_g += g;
        mean_gn += g * normal[r * n + j];
      }
      mean_g /= static_cast<Scalar>(n);
      mean_gn /= static_cast<Scalar>(n);
      for (Index j = 0; j < n; ++j)
        dx[r * n + j] +=
            inverse_sd[r] * (dy[r * n + j] * gain.data()[j] - mean_g - normal[r * n + j] * mean_gn);
    }
  });
  return y;
}

ROWSMITH_END
