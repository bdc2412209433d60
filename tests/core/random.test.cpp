// SPDX-License-Identifier: MIT
#include <rowsmith/core/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

namespace {
/// The stream whose Philox counter is `counter` at the block that is returned with it.
rs::RandomStream::Block philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  const auto wide = [](std::uint32_t low, std::uint32_t high) { return (std::uint64_t{high} << 32U) | low; };
  const rs::RandomStream stream(wide(key[0], key[1]), static_cast<rs::Purpose>(counter[2]), counter[3]);
  return stream.block(wide(counter[0], counter[1]));
}

rs::RandomSequence sequence(std::uint64_t seed) {
  return rs::RandomSequence(rs::RandomStream(seed, rs::Purpose::user));
}

/// The Kolmogorov–Smirnov statistic times √n; above 1.95 with probability 0.001.
template <class Distribution>
double scaled_ks(std::vector<double> values, const Distribution& distribution) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = distribution(values[i]);
    worst =
        std::max({worst, expected - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - expected});
  }
  return worst * std::sqrt(n);
}
} // namespace

// Known answers: the lines "philox4x32 10" of tests/kat_vectors in the Random123 distribution.
TEST_CASE("blocks are Philox4x32-10", "[core][random]") {
  using Block = rs::RandomStream::Block;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream's key and counter are those its blocks use", "[core][random]") {
  constexpr rs::RandomStream stream(0x0123456789abcdefULL, rs::Purpose::dropout, 42);
  constexpr auto key = stream.key();
  STATIC_REQUIRE(key.key == std::array<std::uint32_t, 2>{0x89abcdef, 0x01234567});
  STATIC_REQUIRE(key.counter_high == std::array<std::uint32_t, 2>{4, 42});
  const std::uint64_t index = 0x1'0000'0002ULL;
  CHECK(stream.block(index) == philox({2, 1, key.counter_high[0], key.counter_high[1]}, key.key));
}

TEST_CASE("seed, purpose, major number and position all change the numbers", "[core][random]") {
  std::set<rs::RandomStream::Block> blocks;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32U})
    for (const auto purpose : {rs::Purpose::split, rs::Purpose::shuffle, rs::Purpose::user})
      for (const std::uint32_t major : {0U, 1U})
        for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32U})
          blocks.insert(rs::RandomStream(seed, purpose, major).block(index));
  CHECK(blocks.size() == 3 * 3 * 2 * 3);
}

TEST_CASE("uniform numbers stay inside (0, 1) at both ends", "[core][random]") {
  STATIC_REQUIRE(rs::to_uniform_float(0) == 0x1p-24F);
  STATIC_REQUIRE(rs::to_uniform_float(0xffffffff) == 1.0F - 0x1p-24F);
  STATIC_REQUIRE(rs::to_uniform_double(0, 0) == 0x1p-53);
  STATIC_REQUIRE(rs::to_uniform_double(0xffffffff, 0xffffffff) == 1.0 - 0x1p-53);
  STATIC_REQUIRE(rs::to_uniform_double(0x80000000, 0) > 0.5);
}

TEST_CASE("a sequence reads its stream in order, from any block", "[core][random]") {
  const rs::RandomStream stream(3, rs::Purpose::user, 5);
  rs::RandomSequence from_start(stream);
  rs::RandomSequence from_third(stream, 2);
  for (std::uint64_t block = 0; block < 4; ++block)
    for (const std::uint32_t expected : stream.block(block)) {
      CHECK(from_start.bits() == expected);
      if (block >= 2)
        CHECK(from_third.bits() == expected);
    }
  const auto block = stream.block(9);
  CHECK(stream.uniform(9) == rs::to_uniform_double(block[0], block[1]));
}

TEST_CASE("uniform numbers have a uniform distribution", "[core][random]") {
  constexpr std::size_t n = 100'000;
  std::vector<double> doubles(n);
  std::vector<double> floats(n);
  auto random = sequence(11);
  for (auto& value : doubles)
    value = random.uniform();
  for (auto& value : floats)
    value = random.uniform_float();
  for (const auto& values : {doubles, floats}) {
    CHECK(scaled_ks(values, [](double x) { return x; }) < 1.95);
    double sum = 0;
    double squares = 0;
    for (const double value : values) {
      sum += value;
      squares += value * value;
    }
    // Four standard errors: sqrt(1/12 / n) and sqrt(4/45 / n).
    CHECK(sum / n == Approx(0.5).margin(4 * 0.2887 / std::sqrt(n)));
    CHECK(squares / n == Approx(1.0 / 3).margin(4 * 0.2981 / std::sqrt(n)));
  }
}

TEST_CASE("normal numbers have a normal distribution", "[core][random]") {
  constexpr std::size_t n = 100'000;
  std::vector<double> values(n);
  auto random = sequence(12);
  for (auto& value : values)
    value = random.normal();
  CHECK(scaled_ks(values, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }) < 1.95);
  std::array<double, 4> moments{};
  double pairs = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double power = 1;
    for (auto& moment : moments)
      moment += (power *= values[i]) / n;
    if (i % 2 == 1)
      pairs += values[i - 1] * values[i] / (n / 2);
  }
  // Four standard errors: the variances of x, x², x³ and x⁴ are 1, 2, 15 and 96.
  CHECK(moments[0] == Approx(0).margin(4 * std::sqrt(1.0 / n)));
  CHECK(moments[1] == Approx(1).margin(4 * std::sqrt(2.0 / n)));
  CHECK(moments[2] == Approx(0).margin(4 * std::sqrt(15.0 / n)));
  CHECK(moments[3] == Approx(3).margin(4 * std::sqrt(96.0 / n)));
  // The two numbers of a Box–Muller pair do not depend on each other.
  CHECK(pairs == Approx(0).margin(4 * std::sqrt(2.0 / n)));
}

TEST_CASE("below is unbiased, also for bounds near 2^32", "[core][random]") {
  auto random = sequence(13);
  for (const std::uint32_t bound : {1U, 2U, 3U, 7U, 10U}) {
    std::vector<double> counts(bound);
    constexpr double n = 60'000;
    for (int i = 0; i < static_cast<int>(n); ++i) {
      const std::uint32_t value = random.below(bound);
      REQUIRE(value < bound);
      ++counts[value];
    }
    for (const double count : counts)
      CHECK(count == Approx(n / bound).margin(4.5 * std::sqrt(n / bound)));
  }
  // Of 3·2^30 values, a plain multiplication without rejection gives those divisible by three twice as often.
  constexpr std::uint32_t bound = 3U << 30U;
  std::array<double, 3> remainders{};
  constexpr int n = 60'000;
  for (int i = 0; i < n; ++i) {
    const std::uint32_t value = random.below(bound);
    REQUIRE(value < bound);
    ++remainders[value % 3];
  }
  for (const double count : remainders)
    CHECK(count == Approx(n / 3.0).margin(4.5 * std::sqrt(n / 3.0)));
}

TEST_CASE("shuffle makes every order equally often", "[core][random]") {
  auto random = sequence(14);
  constexpr int n = 24'000;
  std::array<double, 24> counts{};
  for (int i = 0; i < n; ++i) {
    std::array<int, 4> items{0, 1, 2, 3};
    rs::shuffle(std::span<int>(items), random);
    std::array<int, 4> order{0, 1, 2, 3};
    std::size_t rank = 0;
    while (order != items) {
      REQUIRE(std::next_permutation(order.begin(), order.end()));
      ++rank;
    }
    ++counts[rank];
  }
  for (const double count : counts)
    CHECK(count == Approx(n / 24.0).margin(4.5 * std::sqrt(n / 24.0)));
  std::vector<int> none;
  rs::shuffle(std::span<int>(none), random);
  CHECK(none.empty());
}
