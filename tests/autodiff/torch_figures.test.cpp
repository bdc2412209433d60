// SPDX-License-Identifier: MIT
// Losses and gradients against PyTorch's: 1e-10 in double, 1e-5 in float, relative to the largest element.
#include "torch_figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/autodiff.hpp>

namespace rs = rowsmith;
namespace figures = torch_figures;
using rs::Index;

namespace {
/// A tape with figures for constants and parameters, and the gradients these should get.
template <class Scalar>
class Step {
public:
  using Variable = rs::Variable<Scalar>;

  template <std::size_t N>
  Variable constant(const double (&values)[N], Index rows, Index columns) {
    return tape.constant(copy(values, rows, columns), rows, columns);
  }
  template <std::size_t N>
  Variable parameter(const double (&values)[N], const double (&gradient)[N], Index rows, Index columns) {
    const Scalar* place = copy(values, rows, columns);
    gradients_.push_back({std::vector<Scalar>(N), std::vector<double>(gradient, gradient + N)});
    return tape.parameter(place, gradients_.back().found.data(), rows, columns);
  }
  void check(const Variable& loss, const double (&expected)[1]) {
    const double tolerance = std::is_same_v<Scalar, double> ? 1e-10 : 1e-5;
    CHECK(static_cast<double>(loss.item()) == Approx(expected[0]).epsilon(tolerance));
    tape.backward(loss);
    int number = 0;
    for (const auto& gradient : gradients_) {
      double largest = 0;
      double error = 0;
      for (std::size_t i = 0; i < gradient.found.size(); ++i) {
        const double difference = std::abs(static_cast<double>(gradient.found[i]) - gradient.expected[i]);
        error = difference <= error ? error : difference; // a NaN stays
        largest = std::max(largest, std::abs(gradient.expected[i]));
      }
      CAPTURE(number++, error, largest);
      CHECK(error <= tolerance * largest);
    }
  }
  rs::Tape<Scalar> tape;

private:
  template <std::size_t N>
  const Scalar* copy(const double (&values)[N], Index rows, Index columns) {
    REQUIRE(static_cast<Index>(N) == rows * columns);
    std::vector<Scalar> converted;
    for (const double value : values)
      converted.push_back(static_cast<Scalar>(value));
    values_.push_back(std::move(converted));
    return values_.back().data();
  }
  struct Gradient {
    std::vector<Scalar> found;
    std::vector<double> expected;
  };
  std::list<std::vector<Scalar>> values_;
  std::list<Gradient> gradients_;
};

/// Columns [3 logits | number | 4 logits] and the six rows of torch_figures.py.
template <class Scalar>
struct MixedRows {
  static constexpr Scalar missing = std::numeric_limits<Scalar>::quiet_NaN();
  const rs::Head heads[3] = {{true, 0, 3}, {false, 3, 1}, {true, 4, 4}};
  const std::int32_t codes[12] = {0, 7, 2, 7, 1, 4, 1, 5, 0, 6, 2, 4};
  const Scalar numbers[6] = {Scalar(0.5), missing, Scalar(-1.25), 2, 0, missing};
  const std::int32_t number_weights[1] = {3};
  rs::MixedRows<Scalar> rows() const { return {6, 2, 1, codes, numbers, number_weights}; }
};
} // namespace

#define CHECK_DENSE(KIND)                                                                                    \
  SECTION(#KIND) {                                                                                           \
    namespace f = figures::dense_##KIND;                                                                     \
    Step<TestType> s;                                                                                        \
    const rs::Activation activation{rs::ActivationKind::KIND};                                               \
    const auto x = s.parameter(f::x, f::d_x, 5, 4);                                                          \
    const auto w1 = s.parameter(f::w1, f::d_w1, 4, 3);                                                       \
    const auto b1 = s.parameter(f::b1, f::d_b1, 1, 3);                                                       \
    const auto w2 = s.parameter(f::w2, f::d_w2, 3, 2);                                                       \
    const auto b2 = s.parameter(f::b2, f::d_b2, 1, 2);                                                       \
    const auto y = rs::dense(rs::dense(x, w1, b1, activation), w2, b2, activation);                          \
    s.check(rs::squared_error(y, s.constant(f::target, 5, 2).data(), 0.1), f::loss);                         \
  }

TEMPLATE_TEST_CASE("dense layers and squared errors agree with PyTorch", "[autodiff]", float, double){
    CHECK_DENSE(identity) CHECK_DENSE(relu) CHECK_DENSE(leaky_relu) CHECK_DENSE(tanh) CHECK_DENSE(sigmoid)}

TEMPLATE_TEST_CASE("losses agree with PyTorch", "[autodiff]", float, double) {
  Step<TestType> s;
  SECTION("binary cross-entropy with logits") {
    namespace f = figures::bce;
    s.check(rs::bce_with_logits(s.parameter(f::logits, f::d_logits, 6, 1), 0.9, 1.0 / 6), f::loss);
  }
  SECTION("softmax cross-entropy") {
    namespace f = figures::cross_entropy;
    const std::int32_t codes[] = {3, 0, 2, 2, 1};
    s.check(rs::softmax_cross_entropy(s.parameter(f::logits, f::d_logits, 5, 4), codes, 0.2), f::loss);
  }
  SECTION("mixed heads") {
    namespace f = figures::mixed_heads;
    const MixedRows<TestType> mixed;
    const auto output = s.parameter(f::output, f::d_output, 6, 8);
    s.check(rs::heads_loss(output, mixed.heads, 3, mixed.rows(), 1.0 / 6), f::loss);
  }
  SECTION("Kullback-Leibler divergence") {
    namespace f = figures::kl;
    s.check(rs::gaussian_kl(s.parameter(f::parameters, f::d_parameters, 3, 4), 0.7), f::loss);
  }
}

TEMPLATE_TEST_CASE("layer normalisation agrees with PyTorch", "[autodiff]", float, double) {
  namespace f = figures::layer_norm;
  Step<TestType> s;
  const auto x = s.parameter(f::x, f::d_x, 4, 6);
  const auto gain = s.parameter(f::gain, f::d_gain, 1, 6);
  const auto bias = s.parameter(f::bias, f::d_bias, 1, 6);
  const auto y = rs::layer_norm(x, gain, bias);
  s.check(rs::sum(rs::multiply(y, s.constant(f::coefficients, 4, 6))), f::loss);
}

TEMPLATE_TEST_CASE("a step of an autoencoder agrees with PyTorch", "[autodiff]", float, double) {
  namespace f = figures::autoencoder;
  Step<TestType> s;
  const MixedRows<TestType> mixed;
  const auto w1 = s.parameter(f::w1, f::d_w1, 8, 6);
  const auto b1 = s.parameter(f::b1, f::d_b1, 1, 6);
  const auto gain = s.parameter(f::gain, f::d_gain, 1, 6);
  const auto bias = s.parameter(f::bias, f::d_bias, 1, 6);
  const auto w2 = s.parameter(f::w2, f::d_w2, 6, 4);
  const auto b2 = s.parameter(f::b2, f::d_b2, 1, 4);
  const auto w3 = s.parameter(f::w3, f::d_w3, 2, 6);
  const auto b3 = s.parameter(f::b3, f::d_b3, 1, 6);
  const auto w4 = s.parameter(f::w4, f::d_w4, 6, 8);
  const auto b4 = s.parameter(f::b4, f::d_b4, 1, 8);

  const auto relu = rs::gather_dense(mixed.rows(), w1, b1, {rs::ActivationKind::relu});
  const auto code = rs::dense(rs::layer_norm(relu, gain, bias), w2, b2);
  const auto spread = rs::exp(rs::affine(rs::slice_columns(code, 2, 2), TestType(0.5)));
  const auto z = rs::add(rs::slice_columns(code, 0, 2), rs::multiply(spread, s.constant(f::noise, 6, 2)));
  const auto output = rs::dense(rs::dense(z, w3, b3, {rs::ActivationKind::tanh}), w4, b4);
  s.check(
      rs::add(rs::heads_loss(output, mixed.heads, 3, mixed.rows(), 1.0 / 6), rs::gaussian_kl(code, 0.1 / 6)),
      f::loss);
}

TEMPLATE_TEST_CASE("steps of a discriminator and its generator agree with PyTorch", "[autodiff]", float,
                   double) {
  namespace f = figures::discriminator;
  const rs::Activation leaky{rs::ActivationKind::leaky_relu};
  const double zero_g[6] = {};
  const double zero_h[3] = {};
  Step<TestType> s;
  const auto discriminate = [&](const auto& x, const auto& w1, const auto& b1, const auto& w2,
                                const auto& b2) { return rs::dense(rs::dense(x, w1, b1, leaky), w2, b2); };
  SECTION("the discriminator's step leaves the generator alone") {
    const auto w1 = s.parameter(f::w1, f::d_w1, 3, 5);
    const auto b1 = s.parameter(f::b1, f::d_b1, 1, 5);
    const auto w2 = s.parameter(f::w2, f::d_w2, 5, 1);
    const auto b2 = s.parameter(f::b2, f::d_b2, 1, 1);
    const auto g = s.parameter(f::g, zero_g, 2, 3);
    const auto h = s.parameter(f::h, zero_h, 1, 3);
    const auto fake = rs::detach(rs::dense(s.constant(f::latent, 5, 2), g, h, {rs::ActivationKind::tanh}));
    const auto real = s.constant(f::real, 5, 3);
    s.check(rs::add(rs::bce_with_logits(discriminate(real, w1, b1, w2, b2), 1, 0.2),
                    rs::bce_with_logits(discriminate(fake, w1, b1, w2, b2), 0, 0.2)),
            f::loss);
  }
  SECTION("the generator's step goes through a frozen discriminator") {
    const auto g = s.parameter(f::g, f::d_g, 2, 3);
    const auto h = s.parameter(f::h, f::d_h, 1, 3);
    const auto fake = rs::dense(s.constant(f::latent, 5, 2), g, h, {rs::ActivationKind::tanh});
    const auto logits = discriminate(fake, s.constant(f::w1, 3, 5), s.constant(f::b1, 1, 5),
                                     s.constant(f::w2, 5, 1), s.constant(f::b2, 1, 1));
    s.check(rs::bce_with_logits(logits, 1, 0.2), f::generator_loss);
  }
}
