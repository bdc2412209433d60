// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/layer_norm.hpp>

#include <cmath>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

TEST_CASE("layer_norm: gradients in the input, the gain and the bias", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::layer_norm(v[0], v[1], v[2]); };
  for (const Index rows : {0, 1, 4})
    for (const Index columns : {0, 2, 3, 8}) {
      CAPTURE(rows, columns);
      test::check_op({test::random_matrix(rows, columns, 1, -3, 3), test::random_matrix(1, columns, 2),
                      test::random_matrix(1, columns, 3)},
                     f, 1e-6);
    }
}

TEST_CASE("a normalised row has mean bias and standard deviation gain", "[autodiff]") {
  rs::Tape<double> tape;
  const auto x = tape.constant(test::random_matrix(5, 40, 1, 100, 160));
  const auto y = rs::layer_norm(x, tape.constant(Doubles::Constant(1, 40, 3.0)),
                                tape.constant(Doubles::Constant(1, 40, -2.0)));
  for (Index r = 0; r < 5; ++r) {
    const double mean = y.value().row(r).mean();
    CHECK(mean == Approx(-2));
    CHECK((y.value().row(r).array() - mean).square().mean() == Approx(9).epsilon(1e-6));
  }
  // One column or equal ones: no spread to divide by, so the bias is left.
  const auto flat = rs::layer_norm(tape.constant(Doubles::Constant(2, 4, 7.0)),
                                   tape.constant(Doubles::Ones(1, 4)), tape.constant(Doubles::Ones(1, 4)));
  CHECK(flat.value() == Doubles::Ones(2, 4));
}

TEST_CASE("layer_norm names the operand that does not fit", "[autodiff]") {
  rs::Tape<double> tape;
  const auto x = tape.constant(Doubles::Ones(2, 4));
  const auto four = tape.constant(Doubles::Ones(1, 4));
  const auto three = tape.constant(Doubles::Ones(1, 3));
  CHECK_THROWS_WITH(rs::layer_norm(x, three, four),
                    Contains("gain") && Contains("1 x 3") && Contains("1 x 4"));
  CHECK_THROWS_WITH(rs::layer_norm(x, four, three),
                    Contains("bias") && Contains("1 x 3") && Contains("1 x 4"));
}
