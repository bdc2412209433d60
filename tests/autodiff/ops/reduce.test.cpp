// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/reduce.hpp>

#include <cmath>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

TEST_CASE("sums and means: gradients", "[autodiff]") {
  for (const Index rows : {0, 1, 4})
    for (const Index columns : {0, 1, 3}) {
      CAPTURE(rows, columns);
      const std::vector<Doubles> x{test::random_matrix(rows, columns, 1)};
      test::check_op(x, [](test::DoubleTape&, const Variables& v) { return rs::sum(v[0]); });
      test::check_op(x, [](test::DoubleTape&, const Variables& v) { return rs::weighted_sum(v[0], -0.3); });
      test::check_op(x, [](test::DoubleTape&, const Variables& v) { return rs::row_sum(v[0]); });
      if (rows * columns > 0)
        test::check_op(x, [](test::DoubleTape&, const Variables& v) { return rs::mean(v[0]); });
    }
}

TEST_CASE("sums and means: values", "[autodiff]") {
  rs::Tape<double> tape;
  Doubles x(2, 3);
  x << 1, 2, 3, 4, 5, 9;
  const auto v = tape.constant(x);
  CHECK(rs::sum(v).item() == 24);
  CHECK(rs::mean(v).item() == 4);
  CHECK(rs::weighted_sum(v, 0.5).item() == 12);
  CHECK(rs::row_sum(v).value()(0, 0) == 6);
  CHECK(rs::row_sum(v).value()(1, 0) == 18);
  CHECK(rs::sum(tape.constant(Doubles(0, 3))).item() == 0);
  CHECK_THROWS_WITH(rs::mean(tape.constant(Doubles(0, 3))), Contains("0 x 3"));
}

TEST_CASE("a mean is finite where its sum is not a float", "[autodiff]") {
  rs::Tape<float> tape;
  const rs::Matrix<float> x = rs::Matrix<float>::Constant(100, 10, 1e36F);
  CHECK(rs::mean(tape.constant(x)).item() == Approx(1e36F));
  const rs::Matrix<float> small = rs::Matrix<float>::Constant(1000, 1000, 0.1F);
  CHECK(static_cast<double>(rs::mean(tape.constant(small)).item()) == Approx(0.1).epsilon(3e-7));
}
