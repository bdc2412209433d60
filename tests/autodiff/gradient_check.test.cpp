// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/gradient_check.hpp>

#include <cmath>
#include <vector>

#include "check_op.hpp"

namespace rs = rowsmith;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;

namespace {
/// Σ x², with 2x times `error` at the element `where` for a gradient.
rs::Variable<double> wrong_square(const rs::Variable<double>& x, rs::Index where, double error) {
  auto y = x.tape().make(1, 1, x.needs_gradient());
  y.mutable_value()(0, 0) = x.value().squaredNorm();
  x.tape().on_backward(y, [=] {
    const double dy = y.adjoint()(0, 0);
    for (rs::Index i = 0; i < x.size(); ++i)
      x.adjoint().data()[i] += dy * 2 * x.data()[i] * (i == where ? error : 1);
  });
  return y;
}
} // namespace

TEST_CASE("check_gradients accepts a right gradient", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return wrong_square(v[0], -1, 1); };
  CHECK(rs::check_gradients({test::random_matrix(3, 4, 1)}, f).largest_error < 1e-9);
}

TEST_CASE("check_gradients finds one wrong element and says where", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) {
    return rs::add(wrong_square(v[0], -1, 1), wrong_square(v[1], 5, 1.001));
  };
  const auto found =
      rs::check_gradients({test::random_matrix(3, 4, 1), test::random_away_from_zero(2, 3, 2, 1.0)}, f);
  CHECK(found.largest_error > 1e-4);
  CHECK(found.input == 1);
  CHECK(found.element == 5);
}

TEST_CASE("check_gradients finds a gradient that was not written or not cleared", "[autodiff]") {
  const auto forgets = [](test::DoubleTape&, const Variables& v) {
    return rs::add(wrong_square(v[0], -1, 1), wrong_square(v[1], 0, 0));
  };
  CHECK(rs::check_gradients({Doubles::Ones(1, 1), Doubles::Ones(1, 1)}, forgets).largest_error ==
        Approx(1).margin(1e-6));
}

TEST_CASE("a NaN in a gradient is reported although later elements are right", "[autodiff]") {
  const double nan_value = std::nan("");
  const auto first = [=](test::DoubleTape&, const Variables& v) { return wrong_square(v[0], 0, nan_value); };
  const auto found = rs::check_gradients({Doubles::Ones(2, 3)}, first);
  CHECK(std::isnan(found.largest_error));
  CHECK(found.element == 0);
}

TEST_CASE("check_gradients takes empty inputs", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) {
    CHECK(v[0].columns() == 3);
    CHECK(v[1].rows() == 2);
    return rs::add(rs::sum(v[0]), rs::sum(v[1]));
  };
  CHECK(rs::check_gradients({Doubles(0, 3), Doubles(2, 0)}, f).largest_error == 0);
}
