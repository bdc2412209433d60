// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/gumbel.hpp>

#include <cmath>
#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;

namespace {
const rs::RandomStream stream(4, rs::Purpose::user);
const std::vector<rs::Head> heads{{true, 0, 3}, {false, 3, 1}, {true, 4, 2}};
} // namespace

TEST_CASE("gumbel_rows draws each category with its probability and passes numbers on", "[autodiff]") {
  rs::Tape<double> tape;
  constexpr Index rows = 40'000;
  Doubles logits(rows, 6);
  for (Index r = 0; r < rows; ++r)
    logits.row(r) << 0, 1, -1, 0.125 * static_cast<double>(r % 5), 2, 0;
  const auto y = rs::gumbel_rows(tape.constant(logits), heads.data(), 3, 0.7, stream).value();
  const double total = 1 + std::exp(1) + std::exp(-1);
  const double shares[] = {1 / total, std::exp(1) / total, std::exp(-1) / total};
  for (Index k = 0; k < 3; ++k)
    CHECK(y.col(k).mean() == Approx(shares[k]).margin(0.012)); // five standard deviations
  CHECK(y.col(4).mean() == Approx(1 / (1 + std::exp(-2))).margin(0.012));
  for (Index r = 0; r < rows; ++r) {
    REQUIRE(y.row(r).head(3).sum() == 1);
    REQUIRE(y.row(r).head(3).maxCoeff() == 1);
    REQUIRE(y(r, 3) == logits(r, 3));
  }
  // Row r draws from its own part of the stream, wherever a batch begins.
  const auto later =
      rs::gumbel_rows(tape.constant(Doubles(logits.middleRows(100, 50))), heads.data(), 3, 0.7, stream, 100)
          .value();
  CHECK(later == y.middleRows(100, 50));
}

TEST_CASE("gumbel_rows: the gradient is that of the relaxed draw", "[autodiff]") {
  constexpr double temperature = 0.7;
  Doubles logits = test::random_matrix(4, 6, 1);
  // The relaxed draw by plain formulas, with the same noise.
  const auto relaxed = [&](const Doubles& x) {
    Doubles y = x;
    for (Index r = 0; r < x.rows(); ++r) {
      float uniform[8];
      rs::fill_uniform(stream, static_cast<std::uint64_t>(r) * 2, uniform, 6);
      for (const auto& head : heads) {
        if (!head.categorical)
          continue;
        double total = 0;
        for (Index j = head.offset; j < head.offset + head.width; ++j) {
          y(r, j) = std::exp((x(r, j) - std::log(-std::log(static_cast<double>(uniform[j])))) / temperature);
          total += y(r, j);
        }
        for (Index j = head.offset; j < head.offset + head.width; ++j)
          y(r, j) /= total;
      }
    }
    return y;
  };
  const auto coefficients = test::random_matrix(4, 6, 9);
  Doubles gradient(4, 6);
  rs::Tape<double> tape;
  const auto x = tape.parameter(logits.data(), gradient.data(), 4, 6);
  tape.backward(rs::sum(
      rs::multiply(rs::gumbel_rows(x, heads.data(), 3, temperature, stream), tape.constant(coefficients))));
  for (Index i = 0; i < logits.size(); ++i) {
    const double keep = logits.data()[i];
    constexpr double step = 1e-5;
    logits.data()[i] = keep + step;
    const double up = relaxed(logits).cwiseProduct(coefficients).sum();
    logits.data()[i] = keep - step;
    const double down = relaxed(logits).cwiseProduct(coefficients).sum();
    logits.data()[i] = keep;
    CHECK(gradient.data()[i] == Approx((up - down) / (2 * step)).margin(1e-6));
  }
  CHECK_THROWS_AS(rs::gumbel_rows(x, heads.data(), 3, 0, stream), rs::OptionError);
}
