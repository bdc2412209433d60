// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/matmul.hpp>

#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

TEST_CASE("matmul: gradients in both factors", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::matmul(v[0], v[1]); };
  for (const Index rows : {0, 1, 7})
    for (const Index depth : {0, 1, 5})
      for (const Index columns : {0, 1, 4}) {
        CAPTURE(rows, depth, columns);
        test::check_op({test::random_matrix(rows, depth, 1), test::random_matrix(depth, columns, 2)}, f);
      }
  const auto squared = [](test::DoubleTape&, const Variables& v) { return rs::matmul(v[0], v[0]); };
  test::check_op({test::random_matrix(4, 4, 1)}, squared);
}

TEST_CASE("matmul: values and shapes", "[autodiff]") {
  rs::Tape<double> tape;
  const auto a = test::random_matrix(20, 300, 1);
  const auto b = test::random_matrix(300, 9, 2);
  const auto y = rs::matmul(tape.constant(a), tape.constant(b));
  const Doubles expected = a * b;
  CHECK((y.value() - expected).cwiseAbs().maxCoeff() < 1e-12);
  CHECK_THROWS_WITH(rs::matmul(tape.constant(b), tape.constant(a)),
                    Contains("20 x 300") && Contains("9 rows"));
}

TEST_CASE("matmul_transposed is the product with the transpose", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::matmul_transposed(v[0], v[1]); };
  for (const Index rows : {0, 1, 4})
    for (const Index depth : {1, 3})
      for (const Index columns : {1, 5}) {
        CAPTURE(rows, depth, columns);
        test::check_op({test::random_matrix(rows, depth, 1), test::random_matrix(columns, depth, 2)}, f);
      }
  rs::Tape<double> tape;
  const auto a = test::random_matrix(3, 4, 1);
  const auto w = test::random_matrix(2, 4, 2);
  CHECK((rs::matmul_transposed(tape.constant(a), tape.constant(w)).value() - a * w.transpose())
            .cwiseAbs()
            .maxCoeff() < 1e-12);
  CHECK_THROWS_AS(rs::matmul_transposed(tape.constant(a), tape.constant(Doubles::Ones(2, 3))),
                  rs::ShapeError);
}
