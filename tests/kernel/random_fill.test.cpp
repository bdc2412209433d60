// SPDX-License-Identifier: MIT
#include <rowsmith/kernel/random_fill.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <vector>

#include <catch2/catch.hpp>

namespace rs = rowsmith;
using rs::Index;

namespace {
const rs::RandomStream stream(11, rs::Purpose::user, 3);

const auto uniform = [](std::uint64_t first, auto* out, Index count) {
  rs::fill_uniform(stream, first, out, count);
};
const auto normal = [](std::uint64_t first, auto* out, Index count) {
  rs::fill_normal(stream, first, out, count);
};

/// A fill in one piece and the same in pieces that begin at the multiples of four in `cuts`: equal bits?
template <class Scalar, class Fill>
bool can_be_cut(const Fill& fill, Index count, const std::vector<Index>& cuts) {
  const auto size = static_cast<std::size_t>(count);
  std::vector<Scalar> whole(size);
  fill(100, whole.data(), count);
  std::vector<Scalar> pieces(size);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Index end = i + 1 < cuts.size() ? cuts[i + 1] : count;
    fill(100 + static_cast<std::uint64_t>(cuts[i] / 4), pieces.data() + cuts[i], end - cuts[i]);
  }
  return std::memcmp(whole.data(), pieces.data(), size * sizeof(Scalar)) == 0;
}
} // namespace

TEST_CASE("fill_bits writes the words of the stream's blocks, and no others", "[linalg]") {
  for (const rs::RandomStream& source :
       {stream, rs::RandomStream(0xfedcba9876543210ULL, rs::Purpose::dropout, 0xffffffffU)})
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{5}, std::uint64_t{0xfffffffd},
          std::uint64_t{1} << 40U, ~std::uint64_t{0} - 2})
      for (Index blocks = 0; blocks <= 19; ++blocks) {
        CAPTURE(first, blocks);
        std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * blocks + 4), 0xabcdU);
        rs::fill_bits(source, first, blocks, words.data());
        for (Index b = 0; b <= blocks; ++b) {
          const auto expected = b < blocks ? source.block(first + static_cast<std::uint64_t>(b))
                                           : rs::RandomStream::Block{0xabcdU, 0xabcdU, 0xabcdU, 0xabcdU};
          REQUIRE(std::equal(expected.begin(), expected.end(), words.begin() + 4 * b));
        }
      }
}

TEMPLATE_TEST_CASE("fills can be cut at multiples of four", "[linalg]", float, double) {
  for (const Index count : {1, 3, 4, 7, 255, 256, 257, 300, 1001}) {
    std::vector<Index> fours;
    for (Index i = 0; i < count; i += 4)
      fours.push_back(i);
    std::vector<Index> uneven{0};
    for (Index i = 12; i < count; i += 4 * (1 + i % 17))
      uneven.push_back(i);
    CAPTURE(count);
    CHECK(can_be_cut<TestType>(uniform, count, fours));
    CHECK(can_be_cut<TestType>(normal, count, fours));
    CHECK(can_be_cut<TestType>(uniform, count, uneven));
    CHECK(can_be_cut<TestType>(normal, count, uneven));
  }
  TestType untouched = 5;
  rs::fill_uniform(stream, 0, &untouched, 0);
  rs::fill_normal(stream, 0, &untouched, 0);
  CHECK(untouched == 5);
}

TEST_CASE("fills hold what their definition says", "[linalg]") {
  std::vector<float> uniforms(1000);
  std::vector<float> normals(1000);
  rs::fill_uniform(stream, 9, uniforms.data(), 1000);
  rs::fill_normal(stream, 9, normals.data(), 1000);
  for (std::size_t i = 0; i < 1000; i += 2) {
    const auto block = stream.block(9 + i / 4);
    const float u = rs::to_uniform_float(block[i % 4]);
    const float v = rs::to_uniform_float(block[i % 4 + 1]);
    REQUIRE(uniforms[i] == u);
    REQUIRE(uniforms[i + 1] == v);
    const double radius = std::sqrt(-2 * std::log(static_cast<double>(u)));
    const double angle = 2 * std::numbers::pi * static_cast<double>(v);
    // log u is known to about 1e-7 near u = 1, which its square root can magnify.
    REQUIRE(static_cast<double>(normals[i]) == Approx(radius * std::cos(angle)).margin(1e-5));
    REQUIRE(static_cast<double>(normals[i + 1]) == Approx(radius * std::sin(angle)).margin(1e-5));
  }
}

TEST_CASE("normal numbers have the moments and the distribution of N(0, 1)", "[linalg]") {
  constexpr Index count = 100000;
  std::vector<double> x(count);
  rs::fill_normal(stream, 0, x.data(), count);
  double moment[5] = {};
  for (const double value : x)
    for (int k = 1; k <= 4; ++k)
      moment[k] += std::pow(value, k) / count;
  // Four standard errors: var of x, x², x³, x⁴ are 1, 2, 15, 96.
  const double unit = 4 / std::sqrt(static_cast<double>(count));
  CHECK(std::abs(moment[1]) < unit);
  CHECK(std::abs(moment[2] - 1) < unit * std::sqrt(2.0));
  CHECK(std::abs(moment[3]) < unit * std::sqrt(15.0));
  CHECK(std::abs(moment[4] - 3) < unit * std::sqrt(96.0));
  double lag = 0;
  for (std::size_t i = 1; i < x.size(); ++i)
    lag += x[i] * x[i - 1] / count;
  CHECK(std::abs(lag) < unit);

  std::sort(x.begin(), x.end());
  CHECK(std::max(-x.front(), x.back()) <= 5.8);
  double distance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = std::erfc(-x[i] / std::numbers::sqrt2) / 2;
    distance = std::max(
        {distance, expected - static_cast<double>(i) / count, static_cast<double>(i + 1) / count - expected});
  }
  CHECK(distance * std::sqrt(static_cast<double>(count)) < 1.95); // exceeded with probability 0.001
}
