// SPDX-License-Identifier: MIT
// How every operation is tested: gradients against differences, for all inputs together and each alone, with
// contributions that arrive before and after the operation's own, and on memory full of NaN.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/autodiff/gradient_check.hpp>
#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>
#include <rowsmith/core/random.hpp>

namespace test {

using rowsmith::Index;
using Doubles = rowsmith::Matrix<double>;
using DoubleVariable = rowsmith::Variable<double>;
using DoubleTape = rowsmith::Tape<double>;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Numbers in (low, high).
inline Doubles random_matrix(Index rows, Index columns, std::uint32_t which, double low = -1.5,
                             double high = 1.5) {
  rowsmith::RandomSequence random(rowsmith::RandomStream(3, rowsmith::Purpose::user, which));
  Doubles result(rows, columns);
  for (Index i = 0; i < result.size(); ++i)
    result.data()[i] = low + (high - low) * random.uniform();
  return result;
}

/// The same, at least `gap` away from zero: differences taken across a kink are wrong.
inline Doubles random_away_from_zero(Index rows, Index columns, std::uint32_t which, double gap = 0.05) {
  auto result = random_matrix(rows, columns, which);
  for (Index i = 0; i < result.size(); ++i)
    result.data()[i] += result.data()[i] < 0 ? -gap : gap;
  return result;
}

/// Σ cᵢ xᵢ with coefficients that differ, so that no two elements can be confused.
inline DoubleVariable weighted(const DoubleVariable& x) {
  auto coefficients = random_matrix(x.rows(), x.columns(), 99);
  return rowsmith::sum(rowsmith::multiply(x, x.tape().constant(coefficients)));
}

/// Hands out memory full of NaN from now on.
inline void poison(DoubleTape& tape) {
  constexpr Index count = 1 << 15;
  std::fill_n(tape.allocate<double>(count), count, nan_value);
  tape.rewind();
}

template <class Function>
std::vector<Doubles> gradients_of(const std::vector<Doubles>& inputs, const Function& function,
                                  bool poisoned) {
  DoubleTape tape;
  if (poisoned)
    poison(tape);
  std::vector<Doubles> gradients;
  for (const auto& input : inputs)
    gradients.push_back(Doubles::Constant(input.rows(), input.cols(), nan_value));
  std::vector<DoubleVariable> variables;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    variables.push_back(
        tape.parameter(inputs[i].data(), gradients[i].data(), inputs[i].rows(), inputs[i].cols()));
  tape.backward(function(tape, variables));
  return gradients;
}

/// `op(tape, variables) -> variable of any shape`, differentiable at `inputs`.
template <class Op>
void check_op(const std::vector<Doubles>& inputs, const Op& op, double tolerance = 1e-7) {
  using rowsmith::add;
  using Variables = std::vector<DoubleVariable>;
  const auto elsewhere = [](const Variables& v) {
    auto total = weighted(rowsmith::square(v[0]));
    for (std::size_t i = 1; i < v.size(); ++i)
      total = add(total, weighted(rowsmith::square(v[i])));
    return total;
  };
  const auto plain = [&](DoubleTape& tape, const Variables& v) { return weighted(op(tape, v)); };
  // Recorded after the operation: its contribution is there when the operation's arrives; and before.
  const auto used_after = [&](DoubleTape& tape, const Variables& v) {
    const auto y = op(tape, v);
    return add(weighted(y), elsewhere(v));
  };
  const auto used_before = [&](DoubleTape& tape, const Variables& v) {
    const auto other = elsewhere(v);
    return add(other, weighted(op(tape, v)));
  };
  // The result is used twice: two contributions to its adjoint.
  const auto result_twice = [&](DoubleTape& tape, const Variables& v) {
    const auto y = op(tape, v);
    return add(weighted(y), weighted(rowsmith::square(y)));
  };
  CHECK(rowsmith::check_gradients(inputs, plain).largest_error < tolerance);
  CHECK(rowsmith::check_gradients(inputs, used_after).largest_error < tolerance);
  CHECK(rowsmith::check_gradients(inputs, used_before).largest_error < tolerance);
  CHECK(rowsmith::check_gradients(inputs, result_twice).largest_error < 10 * tolerance);

  const auto clean = gradients_of(inputs, used_after, false);
  const auto dirty = gradients_of(inputs, used_after, true);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    CHECK(clean[i].allFinite());
    CHECK(clean[i] == dirty[i]);
  }
  if (inputs.size() == 1)
    return;
  for (std::size_t i = 0; i < inputs.size(); ++i) { // the others as constants
    const auto alone = [&](DoubleTape& tape, const Variables& only) {
      Variables v;
      for (std::size_t k = 0; k < inputs.size(); ++k)
        v.push_back(k == i ? only[0] : tape.constant(inputs[k]));
      return weighted(op(tape, v));
    };
    CAPTURE(i);
    CHECK(rowsmith::check_gradients({inputs[i]}, alone).largest_error < tolerance);
    CHECK(gradients_of({inputs[i]}, alone, true)[0].allFinite());
  }
}

} // namespace test
