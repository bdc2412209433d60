// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/stochastic.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;
using Catch::Matchers::Contains;

namespace {
const rs::RandomStream draws(21, rs::Purpose::user);
}

TEST_CASE("dropout: gradients, with the same draws each time", "[autodiff]") {
  for (const double rate : {0.0, 0.3, 0.9})
    for (const Index rows : {0, 1, 5})
      for (const Index columns : {0, 1, 4, 7}) {
        CAPTURE(rate, rows, columns);
        const auto f = [=](test::DoubleTape&, const Variables& v) {
          return rs::dropout(v[0], rate, draws, 2);
        };
        test::check_op({test::random_matrix(rows, columns, 1)}, f, 1e-6);
      }
}

TEST_CASE("dropout drops its share and keeps the mean", "[autodiff]") {
  rs::Tape<double> tape;
  const auto y = rs::dropout(tape.constant(Doubles::Ones(400, 101)), 0.3, draws);
  double dropped = 0;
  bool two_values = true;
  for (Index i = 0; i < y.size(); ++i) {
    const double value = y.data()[i];
    dropped += value == 0 ? 1 : 0;
    two_values = two_values && (value == 0 || value == Approx(1 / 0.7));
  }
  CHECK(two_values);
  const auto n = static_cast<double>(y.size());
  CHECK(std::abs(dropped / n - 0.3) < 4 * std::sqrt(0.21 / n));
  const auto x = test::random_matrix(3, 5, 1);
  CHECK(rs::dropout(tape.constant(x), 0, draws).value() == x);
  for (const double rate : {-0.1, 1.0, std::nan("")})
    CHECK_THROWS_AS(rs::dropout(tape.constant(x), rate, draws), rs::OptionError);
}

TEST_CASE("dropout shows every NaN and infinity, dropped or not", "[autodiff]") {
  rs::Tape<double> tape;
  const auto y = rs::dropout(tape.constant(Doubles::Constant(20, 5, test::nan_value)), 0.5, draws);
  CHECK(y.value().array().isNaN().all());
}

TEST_CASE("shards of a batch draw what the whole batch draws", "[autodiff]") {
  rs::Tape<double> tape;
  for (const Index columns : {4, 7}) {
    const Doubles ones = Doubles::Ones(10, columns);
    const Doubles both = Doubles::Zero(10, 2 * columns);
    const auto mask = rs::dropout(tape.constant(ones), 0.5, draws);
    const auto noise = rs::normal_noise(tape, 10, columns, draws);
    const auto z = rs::reparameterise(tape.constant(both), draws);
    CHECK(z.value() == noise.value());
    for (const Index first : {0, 3, 9}) {
      const Index count = 10 - first;
      const auto start = static_cast<std::uint64_t>(first);
      CHECK(rs::dropout(tape.constant(ones.topRows(count)), 0.5, draws, start).value() ==
            mask.value().bottomRows(count));
      CHECK(rs::normal_noise(tape, count, columns, draws, start).value() == noise.value().bottomRows(count));
      CHECK(rs::reparameterise(tape.constant(both.topRows(count)), draws, start).value() ==
            z.value().bottomRows(count));
    }
    CHECK(noise.value().row(0) != noise.value().row(1));
  }
}

TEST_CASE("reparameterise: values, gradients, shapes", "[autodiff]") {
  const auto f = [](test::DoubleTape&, const Variables& v) { return rs::reparameterise(v[0], draws, 1); };
  for (const Index rows : {0, 1, 4})
    for (const Index columns : {0, 2, 6})
      test::check_op({test::random_matrix(rows, columns, 1)}, f, 1e-6);
  rs::Tape<double> tape;
  const auto p = test::random_matrix(3, 4, 1);
  const auto noise = rs::normal_noise(tape, 3, 2, draws);
  const auto z = rs::reparameterise(tape.constant(p), draws);
  for (Index r = 0; r < 3; ++r)
    for (Index j = 0; j < 2; ++j)
      CHECK(z.value()(r, j) == Approx(p(r, j) + std::exp(p(r, 2 + j) / 2) * noise.value()(r, j)));
  CHECK_THROWS_WITH(rs::reparameterise(tape.constant(Doubles::Ones(2, 3)), draws), Contains("2 x 3"));
}
