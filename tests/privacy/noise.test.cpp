// SPDX-License-Identifier: MIT
// Noise, and counts with it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include <rowsmith/privacy/noisy_counts.hpp>

namespace rs = rowsmith;

TEST_CASE("ChaCha20 makes the block of RFC 8439, section 2.3.2", "[privacy]") {
  const std::array<std::uint32_t, 8> key{0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
                                         0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c};
  std::uint32_t words[16];
  rs::detail::chacha20_block(key, 1, {0x09000000, 0x4a000000, 0}, words);
  const std::vector<std::uint32_t> expected{
      0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
      0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
  CHECK(std::vector<std::uint32_t>(words, words + 16) == expected);
}

TEST_CASE("noise of the system's key is another each time, normal, and apart by purpose", "[privacy]") {
  const rs::NoiseSource one;
  const rs::NoiseSource two;
  CHECK(one.block(rs::NoisePurpose::counts, 0, 0) != two.block(rs::NoisePurpose::counts, 0, 0));
  CHECK(one.block(rs::NoisePurpose::counts, 0, 0) != one.block(rs::NoisePurpose::gradients, 0, 0));
  CHECK(one.block(rs::NoisePurpose::counts, 0, 0) != one.block(rs::NoisePurpose::counts, 1, 0));
  CHECK(one.block(rs::NoisePurpose::counts, 0, 0) == one.block(rs::NoisePurpose::counts, 0, 0));
  const rs::NoiseSource known({1, 2, 3, 4, 5, 6, 7, 8});
  std::vector<double> all(80'000);
  for (std::uint32_t block = 0; block < all.size() / 4; ++block)
    known.normals(rs::NoisePurpose::gradients, 7, block, all.data() + std::size_t{4} * block);
  std::sort(all.begin(), all.end());
  double farthest = 0; // from the normal distribution (Kolmogorov & Smirnov)
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double expected = 0.5 * std::erfc(-all[i] / std::numbers::sqrt2);
    farthest = std::max(
        farthest, std::abs(expected - (static_cast<double>(i) + 0.5) / static_cast<double>(all.size())));
  }
  CHECK(farthest < 1.63 / std::sqrt(static_cast<double>(all.size()))); // one time in a hundred by chance
  double squares = 0;
  for (const double x : all)
    squares += x * x;
  CHECK(squares / static_cast<double>(all.size()) == Approx(1).margin(0.02));
}

TEST_CASE("counts are whole, right but for noise of the size that is told, and paid for one by one",
          "[privacy]") {
  const rs::NoiseSource source({9, 9, 9, 9, 9, 9, 9, 9});
  rs::NoisyCounts counts(source, 5);
  double sum = 0;
  double squares = 0;
  for (int repeat = 0; repeat < 400; ++repeat) {
    const auto told = counts.histogram(1000, 11, [](std::size_t row) { return row % 10; });
    REQUIRE(told.size() == 11);
    for (std::size_t cell = 0; cell < told.size(); ++cell) {
      const double off = told[cell] - (cell < 10 ? 100 : 0);
      REQUIRE(off == std::round(off));
      sum += off;
      squares += off * off;
    }
  }
  CHECK(counts.told() == 400);
  CHECK(std::abs(sum / 4400) < 4 * 5 / std::sqrt(4400.0));
  CHECK(std::sqrt(squares / 4400) == Approx(5).epsilon(0.05)); // without the noise it were 0
  CHECK_THROWS_AS(counts.histogram(3, 2, [](std::size_t) { return std::size_t{7}; }), rs::Error);
}

TEST_CASE("counts are made consistent by the nearest that are", "[privacy]") {
  std::vector<double> counts{50, 30, -10, 5, -2};
  rs::detail::make_consistent(counts.data(), counts.size(), 80);
  CHECK(std::accumulate(counts.begin(), counts.end(), 0.0) == Approx(80));
  CHECK(*std::min_element(counts.begin(), counts.end()) == 0);
  CHECK(counts[0] - counts[1] == Approx(20)); // both less by the same
  std::vector<double> nothing{3, 4};
  rs::detail::make_consistent(nothing.data(), nothing.size(), 0);
  CHECK(nothing == std::vector<double>{0, 0});
  std::vector<double> few{1, 1};
  rs::detail::make_consistent(few.data(), few.size(), 10);
  CHECK(few == std::vector<double>{5, 5});
}
