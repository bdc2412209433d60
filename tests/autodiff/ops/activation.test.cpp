// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/activation.hpp>

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
const std::vector<rs::Activation> all = {
    {rs::ActivationKind::identity},        {rs::ActivationKind::relu},
    {rs::ActivationKind::leaky_relu},      {rs::ActivationKind::leaky_relu, 0.01},
    {rs::ActivationKind::leaky_relu, 1.5}, {rs::ActivationKind::tanh},
    {rs::ActivationKind::sigmoid}};
double exact(const rs::Activation& activation, double x) {
  switch (activation.kind) {
  case rs::ActivationKind::identity:
    return x;
  case rs::ActivationKind::relu:
    return x > 0 ? x : 0;
  case rs::ActivationKind::leaky_relu:
    return x > 0 ? x : activation.slope * x;
  case rs::ActivationKind::tanh:
    return std::tanh(x);
  case rs::ActivationKind::sigmoid:
    return 1 / (1 + std::exp(-x));
  }
  return x;
}
} // namespace

TEST_CASE("activations: values in float and gradients in double", "[autodiff]") {
  for (const auto& activation : all) {
    CAPTURE(static_cast<int>(activation.kind), activation.slope);
    const auto f = [&](test::DoubleTape&, const Variables& v) { return rs::activate(v[0], activation); };
    for (const Index rows : {0, 1, 6})
      test::check_op({test::random_away_from_zero(rows, 7, 1)}, f);
    rs::Tape<float> tape;
    for (const float x : {-30.0F, -2.0F, -0.1F, 0.0F, 0.1F, 2.0F, 30.0F}) {
      const auto y = rs::activate(tape.constant(&x, 1, 1), activation);
      CHECK(static_cast<double>(y.item()) == Approx(exact(activation, static_cast<double>(x))).epsilon(1e-6));
    }
  }
}

TEST_CASE("activations leave their input alone and let NaN and infinity through", "[autodiff]") {
  const float nan_value = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const auto& activation : all) {
    CAPTURE(static_cast<int>(activation.kind), activation.slope);
    rs::Tape<float> tape;
    const float in[] = {nan_value, infinity, -2.0F};
    const auto y = rs::activate(tape.constant(in, 1, 3), activation);
    CHECK(in[2] == -2.0F);
    CHECK(std::isnan(y.value()(0, 0)));
    const bool bounded =
        activation.kind == rs::ActivationKind::tanh || activation.kind == rs::ActivationKind::sigmoid;
    CHECK(y.value()(0, 1) == (bounded ? 1.0F : infinity));
  }
}

TEST_CASE("relu has gradient 0 at 0, as the field has it", "[autodiff]") {
  Doubles x = Doubles::Zero(1, 1);
  Doubles dx(1, 1);
  rs::Tape<double> tape;
  tape.backward(rs::activate(tape.parameter(x.data(), dx.data(), 1, 1), {rs::ActivationKind::relu}));
  CHECK(dx(0, 0) == 0);
}

TEST_CASE("a slope that is not positive is refused", "[autodiff]") {
  rs::Tape<double> tape;
  const auto x = tape.constant(Doubles::Ones(1, 1));
  for (const double slope : {0.0, -0.2, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(rs::activate(x, {rs::ActivationKind::leaky_relu, slope}), rs::OptionError);
  CHECK_NOTHROW(rs::activate(x, {rs::ActivationKind::relu, -1}));
}

TEST_CASE("gate multiplies by the derivative of an activation", "[autodiff]") {
  rs::Tape<double> tape;
  test::Doubles y(1, 3);
  y << 2, -0.6, 1;
  test::Doubles g(1, 3);
  g << 5, 7, -3;
  const rs::Activation leaky{rs::ActivationKind::leaky_relu, 0.25};
  test::Doubles expected(1, 3);
  expected << 5, 1.75, -3;
  CHECK(rs::gate(tape.constant(g), tape.constant(y), leaky).value() == expected);
  const auto f = [&](test::DoubleTape& t, const Variables& v) {
    return rs::gate(v[0], t.constant(y), leaky);
  };
  test::check_op({g}, f);
  CHECK_THROWS_AS(rs::gate(tape.constant(g), tape.constant(y), {rs::ActivationKind::tanh}), rs::OptionError);
}
