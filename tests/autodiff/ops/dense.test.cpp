// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/dense.hpp>

#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

namespace {
const rs::Activation activations[] = {{rs::ActivationKind::identity},
                                      {rs::ActivationKind::relu},
                                      {rs::ActivationKind::leaky_relu},
                                      {rs::ActivationKind::tanh},
                                      {rs::ActivationKind::sigmoid}};
}

TEST_CASE("dense: gradients in the input, the weight and the bias, for every activation", "[autodiff]") {
  for (const auto& activation : activations) {
    const auto f = [&](test::DoubleTape&, const Variables& v) {
      return rs::dense(v[0], v[1], v[2], activation);
    };
    for (const Index rows : {0, 1, 6})
      for (const Index in : {0, 1, 4}) {
        CAPTURE(static_cast<int>(activation.kind), rows, in);
        test::check_op({test::random_matrix(rows, in, 1), test::random_matrix(in, 5, 2),
                        test::random_away_from_zero(1, 5, 3, 0.1)},
                       f);
      }
  }
}

TEST_CASE("dense is product, bias and activation, to the bit in each row", "[autodiff]") {
  using Floats = rs::Matrix<float>;
  const Floats x = test::random_matrix(70, 33, 1).cast<float>();
  const Floats w = test::random_matrix(33, 21, 2).cast<float>();
  const Floats b = test::random_matrix(1, 21, 3).cast<float>();
  for (const auto& activation : activations) {
    rs::Tape<float> tape;
    const auto weight = tape.constant(w);
    const auto bias = tape.constant(b);
    const auto fused = rs::dense(tape.constant(x), weight, bias, activation);
    const Floats sums = rs::matmul(tape.constant(x), weight).value().rowwise() + b.row(0);
    const auto parts = rs::activate(tape.constant(sums), activation);
    CHECK((fused.value() - parts.value()).cwiseAbs().maxCoeff() < 1e-6F);
    for (const Index row : {0, 11, 69}) {
      const Floats one = x.row(row);
      CHECK(rs::dense(tape.constant(one), weight, bias, activation).value() == fused.value().row(row));
    }
  }
}

TEST_CASE("dense names the operand that does not fit", "[autodiff]") {
  rs::Tape<double> tape;
  const auto x = tape.constant(Doubles::Ones(2, 4));
  const auto weight = tape.constant(Doubles::Ones(4, 3));
  const auto bias = tape.constant(Doubles::Ones(1, 3));
  CHECK_THROWS_WITH(rs::dense(x, tape.constant(Doubles::Ones(5, 3)), bias),
                    Contains("weight") && Contains("5 x 3") && Contains("4 rows"));
  CHECK_THROWS_WITH(rs::dense(x, weight, tape.constant(Doubles::Ones(3, 1))),
                    Contains("bias") && Contains("3 x 1") && Contains("1 x 3"));
  CHECK_THROWS_AS(rs::dense(x, weight, bias, {rs::ActivationKind::leaky_relu, -1}), rs::OptionError);
}
