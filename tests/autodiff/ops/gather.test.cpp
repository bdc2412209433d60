// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/gather.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

namespace {
/// Three rows of two codes and two numbers, one of them missing, for a weight of 7 rows.
struct Mixed {
  std::vector<std::int32_t> codes{0, 3, 2, 4, 2, 3};
  std::vector<double> numbers{0.5, -1.25, test::nan_value, 2, 0.75, test::nan_value};
  std::vector<std::int32_t> number_weights{6, 5};
  rs::MixedRows<double> rows(Index count = 3) const {
    return {count, 2, 2, codes.data(), numbers.data(), number_weights.data()};
  }
  Doubles one_hot() const {
    Doubles x = Doubles::Zero(3, 7);
    for (Index r = 0; r < 3; ++r)
      for (Index c = 0; c < 2; ++c) {
        const auto i = static_cast<std::size_t>(2 * r + c);
        x(r, codes[i]) = 1;
        x(r, number_weights[static_cast<std::size_t>(c)]) = numbers[i] == numbers[i] ? numbers[i] : 0;
      }
    return x;
  }
};
} // namespace

TEST_CASE("gather_rows: values, gradients, indices", "[autodiff]") {
  const std::vector<std::int32_t> indices{4, 0, 4, 2};
  for (const Index rows : {0, 1, 4}) {
    const auto f = [&](test::DoubleTape&, const Variables& v) {
      return rs::gather_rows(v[0], indices.data(), rows);
    };
    test::check_op({test::random_matrix(5, 3, 1)}, f);
  }
  rs::Tape<double> tape;
  const auto table = test::random_matrix(5, 3, 1);
  const auto y = rs::gather_rows(tape.constant(table), indices.data(), 4);
  for (Index r = 0; r < 4; ++r)
    CHECK(y.value().row(r) == table.row(indices[static_cast<std::size_t>(r)]));
  for (const std::int32_t wrong : {-1, 5})
    CHECK_THROWS_WITH(rs::gather_rows(tape.constant(table), &wrong, 1),
                      Contains(std::to_string(wrong)) && Contains("5 rows"));
}

TEST_CASE("gather_dense: gradients in weight and bias, for every activation", "[autodiff]") {
  const Mixed mixed;
  for (const auto kind :
       {rs::ActivationKind::identity, rs::ActivationKind::relu, rs::ActivationKind::leaky_relu,
        rs::ActivationKind::tanh, rs::ActivationKind::sigmoid})
    for (const Index rows : {0, 1, 3}) {
      CAPTURE(static_cast<int>(kind), rows);
      const auto f = [&](test::DoubleTape&, const Variables& v) {
        return rs::gather_dense(mixed.rows(rows), v[0], v[1], {kind});
      };
      test::check_op({test::random_matrix(7, 4, 1), test::random_away_from_zero(1, 4, 2)}, f);
    }
}

TEST_CASE("gather_dense is dense on one-hot rows, missing numbers being 0", "[autodiff]") {
  const Mixed mixed;
  const auto w = test::random_matrix(7, 4, 1);
  const auto b = test::random_matrix(1, 4, 2);
  const auto through = [&](const auto& layer) {
    return test::gradients_of(
        {w, b}, [&](test::DoubleTape& tape, const Variables& v) { return test::weighted(layer(tape, v)); },
        true);
  };
  const rs::Activation tanh{rs::ActivationKind::tanh};
  const auto gathered = through([&](test::DoubleTape&, const Variables& v) {
    return rs::gather_dense(mixed.rows(), v[0], v[1], tanh);
  });
  const auto multiplied = through([&](test::DoubleTape& tape, const Variables& v) {
    return rs::dense(tape.constant(mixed.one_hot()), v[0], v[1], tanh);
  });
  for (std::size_t i = 0; i < 2; ++i)
    CHECK((gathered[i] - multiplied[i]).cwiseAbs().maxCoeff() < 1e-14);
  rs::Tape<double> tape;
  const auto y = rs::gather_dense(mixed.rows(), tape.constant(w), tape.constant(b), tanh);
  const auto expected = rs::dense(tape.constant(mixed.one_hot()), tape.constant(w), tape.constant(b), tanh);
  CHECK((y.value() - expected.value()).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("gather_dense refuses rows outside the weight and a bias of another width", "[autodiff]") {
  rs::Tape<double> tape;
  const auto weight = tape.constant(Doubles::Ones(7, 4));
  const auto bias = tape.constant(Doubles::Ones(1, 4));
  CHECK_THROWS_WITH(rs::gather_dense(Mixed{}.rows(), weight, tape.constant(Doubles::Ones(1, 3))),
                    Contains("1 x 3") && Contains("1 x 4"));
  for (const std::int32_t wrong : {-1, 7}) {
    Mixed mixed;
    mixed.codes[3] = wrong;
    CHECK_THROWS_WITH(rs::gather_dense(mixed.rows(), weight, bias),
                      Contains(std::to_string(wrong)) && Contains("7 rows"));
    mixed = {};
    mixed.number_weights[1] = wrong;
    CHECK_THROWS_WITH(rs::gather_dense(mixed.rows(), weight, bias),
                      Contains(std::to_string(wrong)) && Contains("7 rows"));
  }
}
