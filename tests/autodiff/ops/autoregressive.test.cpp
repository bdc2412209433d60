// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/autoregressive.hpp>

#include <array>
#include <cmath>
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
/// Columns of 2, 4 and 3 codes, numbered from 0, 2 and 6 by the encoder, in the order 2, 0, 1.
struct Small {
  std::array<Index, 4> prefix{0, 3, 5, 9};
  std::array<Index, 4> table_rows{0, 0, 3, 8};
  std::array<std::int32_t, 3> order{2, 0, 1};
  std::array<std::int32_t, 3> shift{-6, 3, 3};
  std::array<double, 3> weights{1, 0.5, 2};
  std::array<std::int32_t, 12> codes{0, 3, 8, 1, 2, 6, 1, 5, 7, 0, 5, 8};
  Index width = 5;
  Index latent = 2;

  rs::AutoregressiveShape shape() const {
    return {3, width, latent, prefix.data(), table_rows.data(), order.data(), shift.data(), weights.data()};
  }
  rs::MixedRows<double> rows() const { return {.rows = 4, .code_columns = 3, .codes = codes.data()}; }
  std::vector<Doubles> inputs() const {
    return {test::random_matrix(4, latent, 1),        test::random_matrix(3 * latent, width, 2),
            test::random_matrix(3, width, 3),         test::random_matrix(8, width, 4),
            test::random_matrix(3 * width, width, 5), test::random_matrix(3, width, 6),
            test::random_matrix(prefix[3], width, 7), test::random_matrix(1, prefix[3], 8)};
  }
};
rs::AutoregressiveWeights<test::DoubleVariable> parts(const Variables& v) {
  return {v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
}

/// The definition, one row and one column at a time.
double by_hand(const Small& small, const std::vector<Doubles>& x, double weight) {
  double total = 0;
  for (Index r = 0; r < 4; ++r)
    for (Index q = 0; q < 3; ++q) {
      const auto local = [&](Index p) {
        const auto i = static_cast<std::size_t>(p);
        return small.codes[static_cast<std::size_t>(3 * r + small.order[i])] + small.shift[i];
      };
      Eigen::VectorXd h = x[2].row(q);
      for (Index p = 0; p < q; ++p)
        h += x[3].row(small.table_rows[static_cast<std::size_t>(q)] + local(p)).transpose();
      h += x[1].middleRows(q * small.latent, small.latent).transpose() * x[0].row(r).transpose();
      h = h.cwiseMax(0);
      const Eigen::VectorXd g =
          (x[4].middleRows(q * small.width, small.width).transpose() * h + x[5].row(q).transpose())
              .cwiseMax(0);
      const Index first = small.prefix[static_cast<std::size_t>(q)];
      const Index count = small.prefix[static_cast<std::size_t>(q + 1)] - first;
      const Eigen::VectorXd logits =
          x[6].middleRows(first, count) * (h + g) + x[7].middleCols(first, count).transpose();
      total += small.weights[static_cast<std::size_t>(q)] *
               (std::log(logits.array().exp().sum()) - logits(local(q) - first));
    }
  return weight * total;
}
} // namespace

TEST_CASE("autoregressive_loss: the definition, and gradients in the latent code and all weights",
          "[autodiff]") {
  const Small small;
  const auto shape = small.shape();
  const auto inputs = small.inputs();
  rs::Tape<double> tape;
  Variables constants;
  for (const auto& input : inputs)
    constants.push_back(tape.constant(input));
  CHECK(rs::autoregressive_loss(constants[0], parts(constants), shape, small.rows(), 0.25).item() ==
        Approx(by_hand(small, inputs, 0.25)).epsilon(1e-9));
  test::check_op(inputs, [&](test::DoubleTape&, const Variables& v) {
    return rs::autoregressive_loss(v[0], parts(v), shape, small.rows(), 0.25);
  });
}

TEST_CASE("autoregressive_loss: a column does not see itself or later ones", "[autodiff]") {
  Small small;
  const auto shape = small.shape();
  const auto inputs = small.inputs();
  const auto parts_of_loss = [&] {
    rs::Tape<double> tape;
    Variables v;
    for (const auto& input : inputs)
      v.push_back(tape.constant(input));
    std::array<double, 3> each{};
    rs::autoregressive_loss(v[0], parts(v), shape, small.rows(), 1, {}, each.data());
    return each;
  };
  const auto before = parts_of_loss();
  small.codes[1] = 2; // column 1 stands last in the order
  const auto after = parts_of_loss();
  CHECK(after[0] == before[0]);
  CHECK(after[1] == before[1]);
  CHECK(after[2] != before[2]);
  small.codes[2] = 7; // column 2 stands first
  CHECK(parts_of_loss()[1] != after[1]);
}

TEST_CASE("autoregressive_loss refuses what does not fit", "[autodiff]") {
  Small small;
  const auto shape = small.shape();
  rs::Tape<double> tape;
  Variables v;
  for (const auto& input : small.inputs())
    v.push_back(tape.constant(input));
  auto wrong = v;
  wrong[3] = v[2];
  CHECK_THROWS_WITH(rs::autoregressive_loss(v[0], parts(wrong), shape, small.rows(), 1),
                    Contains("tables") && Contains("8 x 5"));
  small.codes[4] = 6;
  CHECK_THROWS_WITH(rs::autoregressive_loss(v[0], parts(v), shape, small.rows(), 1),
                    Contains("row 1, position 2") && Contains("code 4 of 4"));
  auto numbers = small.rows();
  numbers.number_columns = 1;
  CHECK_THROWS_WITH(rs::autoregressive_loss(v[0], parts(v), shape, numbers, 1), Contains("1 numbers"));
}
