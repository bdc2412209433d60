// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/elementwise.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

namespace {
template <class Op>
void check_unary(const Op& op, double low = -1.5, double high = 1.5) {
  const auto f = [&op](test::DoubleTape&, const Variables& v) { return op(v[0]); };
  for (const Index rows : {0, 1, 5})
    test::check_op({test::random_matrix(rows, 3, 1, low, high)}, f);
  test::check_op({test::random_matrix(3, 0, 1, low, high)}, f);
}
template <class Op>
void check_binary(const Op& op) {
  const auto f = [&op](test::DoubleTape&, const Variables& v) { return op(v[0], v[1]); };
  for (const Index rows : {0, 1, 5})
    test::check_op({test::random_matrix(rows, 3, 1), test::random_matrix(rows, 3, 2)}, f);
  const auto same = [&op](test::DoubleTape&, const Variables& v) { return op(v[0], v[0]); };
  test::check_op({test::random_matrix(3, 2, 1)}, same);

  rs::Tape<double> tape;
  const auto a = tape.constant(Doubles::Ones(2, 3));
  CHECK_THROWS_AS(op(a, tape.constant(Doubles::Ones(3, 2))), rs::ShapeError);
  CHECK_THROWS_WITH(op(a, tape.constant(Doubles::Ones(3, 2))), Contains("2 x 3") && Contains("3 x 2"));
}
/// op(x) for one number, in float.
template <class Op>
float of_one(float x, const Op& op) {
  rs::Tape<float> tape;
  return op(tape.constant(&x, 1, 1)).item();
}
} // namespace

TEST_CASE("add, subtract, multiply: gradients and shapes", "[autodiff]") {
  check_binary([](const auto& a, const auto& b) { return rs::add(a, b); });
  check_binary([](const auto& a, const auto& b) { return rs::subtract(a, b); });
  check_binary([](const auto& a, const auto& b) { return rs::multiply(a, b); });
}

TEST_CASE("functions of one matrix: gradients", "[autodiff]") {
  check_unary([](const auto& x) { return rs::affine(x, -2.5, 0.75); });
  check_unary([](const auto& x) { return rs::exp(x); });
  check_unary([](const auto& x) { return rs::log(x); }, 0.5, 3);
  check_unary([](const auto& x) { return rs::square(x); });
  check_unary([](const auto& x) { return rs::softplus(x); }, -4, 4);
  check_unary([](const auto& x) { return rs::clamp(x, -5.0, 5.0); });
  check_unary([](const auto& x) { return rs::clamp(x, 2.0, 5.0); });
  check_unary([](const auto& x) { return rs::clamp(x, -5.0, -2.0); });
}

TEST_CASE("element-wise values", "[autodiff]") {
  rs::Tape<double> tape;
  Doubles x(1, 3);
  x << -2, 0.5, 3;
  const auto v = tape.constant(x);
  const auto expect = [](const rs::Variable<double>& y, double a, double b, double c) {
    CHECK(y.value()(0, 0) == Approx(a));
    CHECK(y.value()(0, 1) == Approx(b));
    CHECK(y.value()(0, 2) == Approx(c));
  };
  expect(rs::add(v, v), -4, 1, 6);
  expect(rs::subtract(v, rs::square(v)), -6, 0.25, -6);
  expect(rs::multiply(v, v), 4, 0.25, 9);
  expect(rs::affine(v, 2.0, 1.0), -3, 2, 7);
  expect(rs::clamp(v, -1.0, 1.0), -1, 0.5, 1);
  expect(rs::exp(v), std::exp(-2.0), std::exp(0.5), std::exp(3.0));
  expect(rs::log(rs::square(v)), 2 * std::log(2.0), 2 * std::log(0.5), 2 * std::log(3.0));
  expect(rs::softplus(v), std::log1p(std::exp(-2.0)), std::log1p(std::exp(0.5)), std::log1p(std::exp(3.0)));
}

TEST_CASE("softplus neither overflows nor loses its tail", "[autodiff]") {
  const auto softplus = [](const auto& x) { return rs::softplus(x); };
  CHECK(of_one(1000.0F, softplus) == 1000.0F);
  CHECK(of_one(-50.0F, softplus) == Approx(1.9287e-22F).epsilon(1e-4));
  CHECK(of_one(-1000.0F, softplus) == 0.0F);
  for (const double x : {-1000.0, -800.0, 800.0, 1000.0}) {
    const auto f = [](test::DoubleTape&, const Variables& v) { return rs::sum(rs::softplus(v[0])); };
    CHECK(rs::check_gradients({Doubles::Constant(1, 1, x)}, f).largest_error < 1e-6);
  }
}

TEST_CASE("no element-wise operation hides a NaN", "[autodiff]") {
  const float nan_value = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(of_one(nan_value, [](const auto& x) { return rs::clamp(x, -1.0F, 1.0F); })));
  CHECK(std::isnan(of_one(nan_value, [](const auto& x) { return rs::softplus(x); })));
  CHECK(std::isnan(of_one(nan_value, [](const auto& x) { return rs::affine(x, 0.0F); })));
  CHECK(std::isnan(of_one(nan_value, [](const auto& x) { return rs::exp(x); })));
  CHECK(std::isnan(of_one(-1.0F, [](const auto& x) { return rs::log(x); })));
}

TEST_CASE("clamp from a column on leaves those before it alone", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::clamp(v[0], -0.4, 0.6, 2); };
  test::check_op({test::random_matrix(5, 4, 1)}, f);
  rs::Tape<double> tape;
  Doubles x(1, 4);
  x << 9, -9, 9, -9;
  Doubles expected(1, 4);
  expected << 9, -9, 0.6, -0.4;
  CHECK(rs::clamp(tape.constant(x), -0.4, 0.6, 2).value() == expected);
  CHECK_THROWS_AS(rs::clamp(tape.constant(x), -0.4, 0.6, 5), rs::ShapeError);
}
