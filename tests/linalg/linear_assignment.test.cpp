// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/linalg/linear_assignment.hpp>

namespace rs = rowsmith;

namespace {

struct Solved {
  double total = 0;
  std::vector<std::int32_t> column;
};

// Solves a square problem given densely, and checks that the answer is a permutation with the total it says.
Solved solve(rs::LinearAssignment& solver, const std::vector<float>& costs, rs::Index n) {
  const rs::Index stride = rs::LinearAssignment::stride(n);
  rs::AlignedBuffer<float> padded(static_cast<std::size_t>(n * stride));
  for (rs::Index i = 0; i < n; ++i)
    std::copy_n(costs.data() + i * n, n, padded.data() + i * stride);
  Solved solved;
  solved.column.resize(static_cast<std::size_t>(n));
  solved.total = solver.solve(padded.data(), n, solved.column.data());
  auto sorted = solved.column;
  std::sort(sorted.begin(), sorted.end());
  double total = 0;
  for (rs::Index i = 0; i < n; ++i) {
    REQUIRE(sorted[static_cast<std::size_t>(i)] == i);
    total += static_cast<double>(
        costs[static_cast<std::size_t>(i * n + solved.column[static_cast<std::size_t>(i)])]);
  }
  CHECK(solved.total == Approx(total));
  return solved;
}

} // namespace

TEST_CASE("an assignment costs as little as the best of all permutations", "[linalg]") {
  rs::LinearAssignment solver;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (rs::Index n = 1; n <= 7; ++n)
    for (int repeat = 0; repeat < 30; ++repeat) {
      std::vector<float> costs(static_cast<std::size_t>(n * n));
      for (auto& cost : costs) // many ties, negative numbers, and in some repeats all alike
        cost = static_cast<float>(random.below(repeat % 3 == 0 ? 1 : 5)) - 2;
      if (repeat % 3 == 2)
        for (auto& cost : costs)
          cost += random.uniform_float();
      std::vector<std::size_t> order(static_cast<std::size_t>(n));
      std::iota(order.begin(), order.end(), std::size_t{0});
      double best = std::numeric_limits<double>::infinity();
      do {
        double total = 0;
        for (std::size_t i = 0; i < order.size(); ++i)
          total += static_cast<double>(costs[i * order.size() + order[i]]);
        best = std::min(best, total);
      } while (std::next_permutation(order.begin(), order.end()));
      CHECK(solve(solver, costs, n).total == Approx(best).margin(1e-5));
    }
}

TEST_CASE("assignments cost what SciPy's do", "[linalg]") {
  struct Known {
    rs::Index n;
    std::uint32_t seed;
    std::uint32_t below;
    double total;
  };
  // Made by scipy_assignment.py.
  const Known known[] = {{1, 1, 10, 5},     {2, 2, 10, 0},        {5, 3, 4, 3},           {16, 4, 100, 185},
                         {17, 5, 100, 160}, {100, 6, 1000, 1552}, {512, 7, 10000, 16086}, {512, 8, 12, 268}};
  rs::LinearAssignment solver;
  for (const auto& [n, seed, below, total] : known) {
    std::uint32_t state = seed;
    std::vector<float> costs(static_cast<std::size_t>(n * n));
    for (auto& cost : costs) {
      state = 1664525U * state + 1013904223U;
      cost = static_cast<float>((state >> 8U) % below);
    }
    CAPTURE(n, seed);
    CHECK(solve(solver, costs, n).total == total);
  }
}

TEST_CASE("costs that are not finite are refused, and an empty problem costs nothing", "[linalg]") {
  rs::LinearAssignment solver;
  CHECK(solver.solve(nullptr, 0, nullptr) == 0);
  CHECK_THROWS_AS(solver.solve(nullptr, -1, nullptr), rs::ShapeError);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> costs(9, 1);
    costs[5] = bad;
    CHECK_THROWS_WITH(solve(solver, costs, 3), Catch::Contains("row 1"));
  }
  // Finite, but their differences are not: refused or solved, never an endless search.
  std::vector<float> huge{3e38F, -3e38F, -3e38F, 3e38F, 3e38F, -3e38F, -3e38F, -3e38F, 3e38F};
  try {
    solve(solver, huge, 3);
  } catch (const rs::ShapeError&) {
  }
}
