// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/shape.hpp>

#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

TEST_CASE("concatenate_columns: values, gradients, shapes", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::concatenate_columns(v[0], v[1]); };
  for (const Index rows : {0, 1, 4})
    for (const Index left : {0, 1, 3})
      for (const Index right : {0, 2}) {
        CAPTURE(rows, left, right);
        test::check_op({test::random_matrix(rows, left, 1), test::random_matrix(rows, right, 2)}, f);
      }
  const auto twice = [](test::DoubleTape&, const Variables& v) {
    return rs::concatenate_columns(v[0], v[0]);
  };
  test::check_op({test::random_matrix(3, 2, 1)}, twice);
  rs::Tape<double> tape;
  const auto a = test::random_matrix(2, 3, 1);
  const auto b = test::random_matrix(2, 1, 2);
  Doubles expected(2, 4);
  expected << a, b;
  CHECK(rs::concatenate_columns(tape.constant(a), tape.constant(b)).value() == expected);
  CHECK_THROWS_WITH(rs::concatenate_columns(tape.constant(a), tape.constant(Doubles::Ones(5, 1))),
                    Contains("5 x 1") && Contains("2 rows"));
}

TEST_CASE("slice_columns: values, gradients, shapes", "[autodiff]") {
  for (const Index rows : {0, 1, 4})
    for (const Index first : {0, 1, 5})
      for (const Index count : {0, 1, 2}) {
        if (first + count > 5)
          continue;
        CAPTURE(rows, first, count);
        const auto f = [=](test::DoubleTape&, const Variables& v) {
          return rs::slice_columns(v[0], first, count);
        };
        test::check_op({test::random_matrix(rows, 5, 1)}, f);
      }
  const auto overlap = [](test::DoubleTape&, const Variables& v) {
    return rs::multiply(rs::slice_columns(v[0], 0, 3), rs::slice_columns(v[0], 1, 3));
  };
  test::check_op({test::random_matrix(3, 4, 1)}, overlap);
  rs::Tape<double> tape;
  const auto x = test::random_matrix(3, 4, 1);
  const auto v = tape.constant(x);
  CHECK(rs::slice_columns(v, 1, 2).value() == x.middleCols(1, 2));
  CHECK_THROWS_WITH(rs::slice_columns(v, 3, 2), Contains("3 x 4") && Contains("up to 5"));
  CHECK_THROWS_AS(rs::slice_columns(v, -1, 2), rs::ShapeError);
  CHECK_THROWS_AS(rs::slice_columns(v, 1, -1), rs::ShapeError);
}

TEST_CASE("detach stops gradients and keeps values", "[autodiff]") {
  Doubles g = test::random_matrix(2, 2, 1);
  Doubles d = test::random_matrix(2, 2, 2);
  Doubles dg(2, 2);
  Doubles dd(2, 2);
  rs::Tape<double> tape;
  const auto generator = tape.parameter(g.data(), dg.data(), 2, 2);
  const auto discriminator = tape.parameter(d.data(), dd.data(), 2, 2);
  const auto fake = rs::square(generator);
  CHECK(rs::detach(fake).value() == fake.value());
  tape.backward(rs::sum(rs::multiply(rs::detach(fake), discriminator)));
  CHECK(dg == Doubles::Zero(2, 2));
  CHECK(dd == g.cwiseProduct(g));
  CHECK_FALSE(fake.has_adjoint());
}

TEST_CASE("reshape: values, gradients, shapes", "[autodiff]") {
  for (const Index rows : {0, 2, 6})
    for (const Index columns : {0, 3}) {
      CAPTURE(rows, columns);
      const auto f = [=](test::DoubleTape&, const Variables& v) {
        return rs::reshape(v[0], rows / 2, columns * 2);
      };
      test::check_op({test::random_matrix(rows, columns, 1)}, f);
    }
  rs::Tape<double> tape;
  Doubles x(2, 3);
  x << 1, 2, 3, 4, 5, 6;
  Doubles expected(1, 6);
  expected << 1, 2, 3, 4, 5, 6;
  CHECK(rs::reshape(tape.constant(x), 1, 6).value() == expected);
  CHECK_THROWS_WITH(rs::reshape(tape.constant(x), 4, 2), Contains("2 x 3") && Contains("4 x 2"));
}
