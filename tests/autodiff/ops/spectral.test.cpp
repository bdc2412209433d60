// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/ops/spectral.hpp>

#include <vector>

#include "../check_op.hpp"

namespace rs = rowsmith;
using rs::Index;
using test::Doubles;
using Variables = std::vector<test::DoubleVariable>;

TEST_CASE("power iteration finds the largest singular value, and dividing by it leaves 1", "[autodiff]") {
  // Built from known singular values: rotations around diag(3, 1, 0.5).
  Doubles left(4, 3);
  left << 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -0.5, 0.5, -0.5, -0.5; // orthonormal columns
  const double c = 0.6;
  const double s = 0.8;
  Doubles right(3, 3);
  right << c, -s, 0, s, c, 0, 0, 0, 1;
  Doubles middle = Doubles::Zero(3, 3);
  middle.diagonal() << 3, 1, 0.5;
  const Doubles weight = left * middle * right.transpose();
  std::vector<double> u{1, 0.3, -0.2, 0.4};
  std::vector<double> v(3);
  for (int i = 0; i < 40; ++i)
    rs::power_iteration(weight.data(), Index{4}, Index{3}, u.data(), v.data());
  CHECK(rs::detail::bilinear(weight.data(), 4, 3, u.data(), v.data()) == Approx(3).epsilon(1e-9));
  rs::Tape<double> tape;
  const auto scaled = rs::spectral_normalise(tape.constant(weight), u.data(), v.data());
  CHECK((scaled.value() - weight / 3).cwiseAbs().maxCoeff() < 1e-9);
  const auto zero = rs::spectral_normalise(tape.constant(Doubles::Zero(4, 3)), u.data(), v.data());
  CHECK(zero.value() == Doubles::Zero(4, 3));
}

TEST_CASE("spectral_normalise: gradients with the vectors held fixed", "[autodiff]") {
  const std::vector<double> u{0.4, -0.3, 0.8, 0.2};
  const std::vector<double> v{0.5, 0.7, -0.1};
  const auto f = [&](test::DoubleTape&, const Variables& x) {
    return rs::spectral_normalise(x[0], u.data(), v.data());
  };
  test::check_op({test::random_matrix(4, 3, 1)}, f, 1e-6);
}
