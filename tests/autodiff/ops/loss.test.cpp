// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/loss.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

namespace {
/// Heads of both kinds in an order that is not that of their columns, with targets for three rows.
struct Case {
  std::vector<rs::Head> heads;
  Index columns;
  std::vector<std::int32_t> codes;
  std::vector<double> numbers;
  rs::MixedRows<double> rows(Index count) const {
    Index categorical = 0;
    for (const rs::Head& head : heads)
      categorical += head.categorical ? 1 : 0;
    return {count,        categorical,    static_cast<Index>(heads.size()) - categorical,
            codes.data(), numbers.data(), nullptr};
  }
};
const std::vector<Case> cases = {
    {{{true, 0, 4}}, 4, {3, 0, 2}, {}},
    {{{false, 0, 1}}, 1, {}, {0.5, test::nan_value, -1}},
    {{{true, 0, 1}}, 1, {0, 0, 0}, {}},
    {{{false, 0, 1}, {true, 1, 3}, {false, 4, 1}, {true, 5, 2}},
     7,
     {1, 5, 3, 6, 2, 6},
     {0.1, 0.2, test::nan_value, -1, 2, test::nan_value}},
    {{{true, 6, 2}, {false, 5, 1}, {true, 1, 4}, {false, 0, 1}},
     8,
     {6, 4, 7, 1, 7, 2},
     {0.1, 0.2, test::nan_value, -1, 2, test::nan_value}},
};
double plain_heads_loss(const Case& c, Index rows, const Doubles& x) {
  double total = 0;
  std::size_t code = 0;
  std::size_t number = 0;
  for (Index r = 0; r < rows; ++r)
    for (const rs::Head& head : c.heads)
      if (head.categorical) {
        const auto logits = x.row(r).segment(head.offset, head.width).array();
        total += std::log(logits.exp().sum()) - x(r, c.codes[code++]);
      } else {
        const double target = c.numbers[number++];
        total += std::isnan(target) ? 0 : std::pow(x(r, head.offset) - target, 2);
      }
  return total;
}
rs::Variable<double> loss_of(const Case& c, Index rows, const rs::Variable<double>& x, double weight) {
  return rs::heads_loss(x, c.heads.data(), static_cast<Index>(c.heads.size()), c.rows(rows), weight);
}
} // namespace

TEST_CASE("squared_error: gradients and values, missing targets counting nothing", "[autodiff]") {
  const std::vector<double> targets{0.5, test::nan_value, -1, 2, 0.25, 1};
  for (const Index rows : {0, 1, 2}) {
    const auto f = [&](test::DoubleTape&, const Variables& v) {
      return rs::squared_error(v[0], targets.data(), 0.7);
    };
    test::check_op({test::random_matrix(rows, 3, 1)}, f, 1e-6);
  }
  rs::Tape<double> tape;
  const auto loss = rs::squared_error(tape.constant(Doubles::Ones(2, 3)), targets.data(), 2.0);
  CHECK(loss.item() == Approx(2 * (0.25 + 4 + 1 + 0.5625)));
  const auto lost = tape.constant(Doubles::Constant(2, 3, test::nan_value));
  CHECK(std::isnan(rs::squared_error(lost, targets.data(), 1).item()));
}

TEST_CASE("bce_with_logits: gradients, extremes and the range of its target", "[autodiff]") {
  for (const double target : {0.0, 0.1, 1.0})
    for (const Index rows : {0, 1, 4}) {
      const auto f = [=](test::DoubleTape&, const Variables& v) {
        return rs::bce_with_logits(v[0], target, 0.3);
      };
      test::check_op({test::random_matrix(rows, 2, 1, -3, 3)}, f);
    }
  rs::Tape<float> tape;
  const auto of_one = [&tape](float x, double target) {
    return rs::bce_with_logits(tape.constant(rs::Matrix<float>::Constant(1, 1, x)), target, 1).item();
  };
  CHECK(of_one(0, 1) == Approx(std::log(2.0)));
  CHECK(of_one(500, 1) == 0);
  CHECK(of_one(500, 0) == 500);
  CHECK(of_one(-500, 1) == 500);
  CHECK(of_one(-500, 0) == 0);
  CHECK(of_one(-20, 0) == Approx(std::log1p(std::exp(-20.0))));
  CHECK(std::isnan(of_one(std::numeric_limits<float>::quiet_NaN(), 1)));
  for (const double target : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_AS(of_one(0, target), rs::OptionError);
}

TEST_CASE("heads_loss: values and gradients for heads in any order of kinds", "[autodiff]") {
  for (const Case& c : cases)
    for (const Index rows : {0, 1, 3}) {
      CAPTURE(c.columns, rows);
      const auto f = [&](test::DoubleTape&, const Variables& v) { return loss_of(c, rows, v[0], 0.6); };
      const auto x = test::random_matrix(rows, c.columns, 1, -3, 3);
      test::check_op({x}, f, 1e-6);
      rs::Tape<double> tape;
      CHECK(loss_of(c, rows, tape.constant(x), 0.6).item() ==
            Approx(0.6 * plain_heads_loss(c, rows, x)).margin(1e-12));
    }
}

TEST_CASE("heads_loss: no overflow for large logits, in float and double", "[autodiff]") {
  const std::vector<std::int32_t> codes{1, 2};
  const auto check = [&](auto zero) {
    using Scalar = decltype(zero);
    rs::Matrix<Scalar> x(2, 3);
    x << Scalar(1e30), Scalar(1e30), Scalar(-1e30), 1000, 0, 999;
    rs::Matrix<Scalar> dx(2, 3);
    rs::Tape<Scalar> tape;
    const auto v = tape.parameter(x.data(), dx.data(), 2, 3);
    const auto loss = rs::softmax_cross_entropy(v, codes.data(), 1);
    const double tail = std::log1p(std::exp(-1.0));
    CHECK(static_cast<double>(loss.item()) == Approx(std::log(2.0) + 1 + tail).epsilon(1e-6));
    tape.backward(loss);
    CHECK(static_cast<double>(dx(0, 0)) == Approx(0.5));
    CHECK(static_cast<double>(dx(0, 1)) == Approx(-0.5));
    CHECK(static_cast<double>(dx(1, 0)) == Approx(1 / (1 + std::exp(-1.0))));
    CHECK(static_cast<double>(dx(0, 2)) == Approx(0).margin(1e-30));
  };
  check(0.0F);
  check(0.0);
}

TEST_CASE("no loss hides a NaN or an infinite output, wherever it stands", "[autodiff]") {
  const Case& c = cases[3];
  for (Index column = 0; column < c.columns; ++column)
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      CAPTURE(column, bad);
      rs::Matrix<float> x = rs::Matrix<float>::Zero(1, c.columns);
      x(0, column) = bad;
      const float numbers[] = {0.5F, 1.0F};
      const rs::MixedRows<float> targets{1, 2, 2, c.codes.data(), numbers, nullptr};
      rs::Tape<float> tape;
      const auto loss = rs::heads_loss(tape.constant(x), c.heads.data(), 4, targets, 1.0);
      CHECK_FALSE(std::isfinite(loss.item()));
    }
}

TEST_CASE("heads_loss refuses heads, targets and codes that do not fit", "[autodiff]") {
  rs::Tape<double> tape;
  const Case& good = cases[3];
  const auto x = tape.constant(Doubles::Zero(3, 7));
  CHECK_NOTHROW(loss_of(good, 3, x, 1));
  CHECK_THROWS_WITH(loss_of(good, 2, x, 1), Contains("3 x 7") && Contains("2 rows"));
  CHECK_THROWS_WITH(loss_of(good, 3, tape.constant(Doubles::Zero(3, 6)), 1), Contains("3 x 6"));
  CHECK_THROWS_WITH(loss_of(good, 3, tape.constant(Doubles::Zero(3, 8)), 1),
                    Contains("3 x 8") && Contains("7 columns"));
  const auto refused = [&](std::size_t head, const rs::Head& wrong) {
    Case c = good;
    c.heads[head] = wrong;
    CHECK_THROWS_AS(loss_of(c, 3, x, 1), rs::ShapeError);
  };
  refused(1, {true, 1, 2}); // leaves column 3 to nobody
  refused(1, {true, 2, 3}); // shares column 4
  refused(3, {true, 6, 2}); // ends behind the output
  refused(1, {true, -1, 3});
  refused(0, {false, 0, 2});
  refused(1, {true, 1, 0});
  auto targets = good.rows(3);
  targets.code_columns = 1;
  CHECK_THROWS_WITH(rs::heads_loss(x, good.heads.data(), 4, targets, 1.0), Contains("2 categorical heads"));
  for (const std::int32_t code : {-1, 0, 4, 1000}) {
    Case c = good;
    c.codes[2] = code;
    CHECK_THROWS_WITH(loss_of(c, 3, x, 1), Contains(std::to_string(code)) && Contains("1 to 3"));
  }
}

TEST_CASE("softmax_cross_entropy is one categorical head", "[autodiff]") {
  const Case& c = cases[0];
  for (const Index rows : {0, 1, 3}) {
    const auto f = [&](test::DoubleTape&, const Variables& v) {
      return rs::softmax_cross_entropy(v[0], c.codes.data(), 0.4);
    };
    const auto x = test::random_matrix(rows, 4, 1);
    test::check_op({x}, f);
    rs::Tape<double> tape;
    CHECK(rs::softmax_cross_entropy(tape.constant(x), c.codes.data(), 1).item() ==
          Approx(plain_heads_loss(c, rows, x)));
  }
}

TEST_CASE("gaussian_kl: gradients, its zero, shapes", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::gaussian_kl(v[0], 0.8); };
  for (const Index rows : {0, 1, 4})
    for (const Index columns : {0, 2, 6})
      test::check_op({test::random_matrix(rows, columns, 1)}, f, 1e-6);
  rs::Tape<double> tape;
  CHECK(rs::gaussian_kl(tape.constant(Doubles::Zero(3, 4)), 1).item() == 0);
  Doubles x(1, 2);
  x << 2, std::log(3.0);
  CHECK(rs::gaussian_kl(tape.constant(x), 1).item() == Approx(0.5 * (4 + 3 - 1 - std::log(3.0))));
  CHECK_THROWS_WITH(rs::gaussian_kl(tape.constant(Doubles::Ones(2, 3)), 1), Contains("2 x 3"));
}
