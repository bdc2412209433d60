// SPDX-License-Identifier: MIT
#include <rowsmith/kernel/simd.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

#include <catch2/catch.hpp>

namespace rs = rowsmith;
namespace simd = rs::simd;
using rs::Index;

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

const auto vector_exp = [](const auto& v) { return simd::exp(v); };
const auto vector_log = [](const auto& v) { return simd::log(v); };
const auto vector_tanh = [](const auto& v) { return simd::tanh(v); };
const auto vector_atanh = [](const auto& v) { return simd::atanh(v); };
const auto vector_sigmoid = [](const auto& v) { return simd::sigmoid(v); };

template <class T, class Function>
T of_one(T x, const Function& f) {
  simd::transform(&x, &x, 1, f);
  return x;
}

/// Equally spaced numbers from `low` to `high`.
std::vector<float> grid(double low, double high, int count) {
  std::vector<float> result;
  for (int i = 0; i <= count; ++i)
    result.push_back(static_cast<float>(low + (high - low) * i / count));
  return result;
}

/// max |f(x) − exact(x)| / unit(exact(x)), with infinity for a NaN.
template <class Function, class Exact, class Unit>
double largest_error(const std::vector<float>& x, const Function& f, const Exact& exact, const Unit& unit) {
  std::vector<float> y(x.size());
  simd::transform(x.data(), y.data(), static_cast<Index>(x.size()), f);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(static_cast<double>(x[i]));
    const double error = std::abs(static_cast<double>(y[i]) - expected) / unit(expected);
    if (!(error <= worst))
      worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return worst;
}
const auto relative = [](double y) { return std::abs(y); };
const auto absolute = [](double) { return 1.0; };
double ulp(double y) {
  const float f = std::abs(static_cast<float>(y));
  return static_cast<double>(std::nextafter(f, infinity)) - static_cast<double>(f);
}
double exact_exp(double x) { return std::exp(x); }
double exact_log(double x) { return std::log(x); }
double exact_tanh(double x) { return std::tanh(x); }
double exact_atanh(double x) { return std::atanh(x); }
double exact_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
} // namespace

TEST_CASE("float exp keeps its error bound and its ends", "[linalg]") {
  CHECK(largest_error(grid(-87.3, 88.3, 200000), vector_exp, exact_exp, relative) < 2e-7);
  CHECK(largest_error(grid(-1, 1, 100000), vector_exp, exact_exp, relative) < 2e-7);
  CHECK(of_one(0.0F, vector_exp) == 1);
  CHECK(of_one(-0.0F, vector_exp) == 1);
  for (const float x : {-88.0F, -104.0F, -1e30F, -infinity})
    CHECK(of_one(x, vector_exp) == Approx(1.1755e-38F).epsilon(0.01));
  for (float x = 88.376F; x < 88.377F; x = std::nextafter(x, infinity))
    REQUIRE(of_one(x, vector_exp) == Approx(2.4061e38F).epsilon(0.01));
  for (const float x : {89.0F, 1e30F, std::numeric_limits<float>::max(), infinity})
    CHECK(of_one(x, vector_exp) == Approx(2.4061e38F).epsilon(0.01));
  CHECK(std::isnan(of_one(nan_value, vector_exp)));
  CHECK(std::isnan(of_one(-nan_value, vector_exp)));
}

TEST_CASE("float log keeps its error bounds; NaN and infinity pass", "[linalg]") {
  CHECK(largest_error(grid(0.7, 1.42, 200000), vector_log, exact_log, absolute) < 1e-7);
  std::vector<float> magnitudes;
  for (float x = std::numeric_limits<float>::min(); x < 3e38F; x *= 1.0137F)
    magnitudes.push_back(x);
  magnitudes.push_back(std::numeric_limits<float>::max());
  magnitudes.erase(
      std::remove_if(magnitudes.begin(), magnitudes.end(), [](float x) { return x > 0.7F && x < 1.42F; }),
      magnitudes.end());
  CHECK(largest_error(magnitudes, vector_log, exact_log, ulp) <= 2);
  CHECK(largest_error(grid(1.42, 300, 200000), vector_log, exact_log, ulp) <= 2);
  CHECK(of_one(1.0F, vector_log) == 0);
  CHECK(of_one(infinity, vector_log) == infinity);
  CHECK(std::isnan(of_one(nan_value, vector_log)));
  CHECK(std::isnan(of_one(-nan_value, vector_log)));
  // Box & Muller takes the square root of −2 log u.
  for (std::uint32_t k = 0; k < 100000; ++k) {
    const float u = (static_cast<float>((1U << 23U) - 1 - k) + 0.5F) * 0x1p-23F;
    REQUIRE(of_one(u, vector_log) < 0);
  }
}

TEST_CASE("float atanh keeps its error bounds", "[linalg]") {
  CHECK(largest_error(grid(-0.5, 0.5, 100000), vector_atanh, exact_atanh, absolute) < 2e-7);
  CHECK(largest_error(grid(0.5, 0.999, 100000), vector_atanh, exact_atanh, relative) < 1e-6);
  CHECK(largest_error(grid(-0.999, -0.5, 100000), vector_atanh, exact_atanh, relative) < 1e-6);
  CHECK(of_one(0.0F, vector_atanh) == 0);
  CHECK(std::isnan(of_one(nan_value, vector_atanh)));
}

TEST_CASE("float tanh and sigmoid keep their error bounds and saturate", "[linalg]") {
  CHECK(largest_error(grid(-10, 10, 200000), vector_tanh, exact_tanh, ulp) <= 3);
  CHECK(largest_error(grid(-0.01, 0.01, 20000), vector_tanh, exact_tanh, ulp) <= 3);
  CHECK(largest_error(grid(-0.64, -0.61, 20000), vector_tanh, exact_tanh, ulp) <= 3);
  CHECK(of_one(0.0F, vector_tanh) == 0);
  CHECK(largest_error(grid(-87, 90, 200000), vector_sigmoid, exact_sigmoid, relative) < 3e-7);
  CHECK(of_one(0.0F, vector_sigmoid) == 0.5F);
  for (const float x : {20.0F, 100.0F, 1e30F, infinity}) {
    CHECK(of_one(x, vector_tanh) == 1);
    CHECK(of_one(-x, vector_tanh) == -1);
    CHECK(of_one(x, vector_sigmoid) == 1);
    CHECK(of_one(-x, vector_sigmoid) < 1e-8F);
    CHECK(of_one(-x, vector_sigmoid) >= 0);
  }
  CHECK(std::isnan(of_one(nan_value, vector_tanh)));
  CHECK(std::isnan(of_one(nan_value, vector_sigmoid)));
}

TEST_CASE("square root, sine and cosine", "[linalg]") {
  const auto vector_sqrt = [](const auto& v) { return simd::sqrt(v); };
  const auto roots = grid(0, 40, 20000);
  for (const float x : roots)
    REQUIRE(of_one(x, vector_sqrt) == std::sqrt(x));
  CHECK(std::isnan(of_one(-1.0F, vector_sqrt)));

  const auto sine = [](const auto& v) {
    simd::Vector<float> s;
    simd::Vector<float> c;
    simd::sin_cos_turn(v, s, c);
    return s;
  };
  const auto cosine = [](const auto& v) {
    simd::Vector<float> s;
    simd::Vector<float> c;
    simd::sin_cos_turn(v, s, c);
    return c;
  };
  const auto turns = grid(0, 1, 400000);
  const double full = 2 * std::numbers::pi;
  CHECK(largest_error(
            turns, sine, [=](double u) { return std::sin(full * u); }, absolute) < 2e-7);
  CHECK(largest_error(
            turns, cosine, [=](double u) { return std::cos(full * u); }, absolute) < 2e-7);
  for (const float u : {0.0F, 0.25F, 0.5F, 0.75F, 1.0F}) {
    CHECK(of_one(u, sine) == Approx(std::sin(full * static_cast<double>(u))).margin(1e-12));
    CHECK(of_one(u, cosine) == Approx(std::cos(full * static_cast<double>(u))).margin(1e-12));
  }
}

TEST_CASE("double functions are those of the standard library", "[linalg]") {
  for (const double x : {-800.0, -30.0, -0.3, 0.0, 1e-9, 0.7, 12.0, 800.0}) {
    CHECK(of_one(x, vector_exp) == std::exp(x));
    CHECK(of_one(x, vector_tanh) == std::tanh(x));
    CHECK(of_one(x, vector_sigmoid) == Approx(exact_sigmoid(x)).epsilon(1e-14));
    if (x > 0)
      CHECK(of_one(x, vector_log) == std::log(x));
  }
  CHECK(std::isnan(of_one(std::nan(""), vector_exp)));
  CHECK(std::isnan(of_one(std::nan(""), vector_log)));
  CHECK(std::isnan(of_one(std::nan(""), vector_tanh)));
}

TEMPLATE_TEST_CASE("transform gives an element the same bits wherever it stands and writes nothing else",
                   "[linalg]", float, double) {
  constexpr Index width = simd::lanes<TestType>;
  const auto f = [](const simd::Vector<TestType>& v) {
    return simd::Vector<TestType>(simd::tanh(v) + simd::sigmoid(v) * simd::exp(v));
  };
  for (Index count = 0; count <= 3 * width + 1; ++count)
    for (Index shift = 0; shift < 3; ++shift) { // from memory that is not aligned to a register
      CAPTURE(count, shift);
      const auto size = static_cast<std::size_t>(count + shift + width);
      std::vector<TestType> in(size);
      std::vector<TestType> expected(size);
      for (std::size_t i = 0; i < size; ++i) {
        in[i] = static_cast<TestType>(std::sin(static_cast<double>(i)) * 3);
        expected[i] = of_one(in[i], f);
      }
      std::vector<TestType> out(size, TestType(77));
      simd::transform(in.data() + shift, out.data() + shift, count, f);
      for (Index i = 0; i < static_cast<Index>(size); ++i) {
        const auto k = static_cast<std::size_t>(i);
        const bool written = i >= shift && i < shift + count;
        REQUIRE(out[k] == (written ? expected[k] : TestType(77)));
      }
      simd::transform(in.data() + shift, in.data() + shift, count, f);
      const auto bytes = static_cast<std::size_t>(count) * sizeof(TestType);
      REQUIRE(std::memcmp(in.data() + shift, expected.data() + shift, bytes) == 0);
    }
}

TEST_CASE("registers are loaded and stored", "[linalg]") {
  constexpr Index width = simd::lanes<float>;
  std::vector<float> x(static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>((i * 7 + 3) % x.size());
  const auto part = simd::load_part(x.data(), width - 1);
  std::vector<float> y(x.size(), -1.0F);
  simd::store(y.data(), part);
  CHECK(y.back() == 0);
  y.assign(x.size(), -1.0F);
  simd::store_part(y.data(), part, width - 1);
  CHECK(y.back() == -1);
  CHECK(std::equal(y.begin(), y.end() - 1, x.begin()));
}
