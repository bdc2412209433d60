// SPDX-License-Identifier: MIT
#include <rowsmith/linalg/gemm.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>

#include "../support/count_allocations.hpp"

namespace rs = rowsmith;
using rs::Index;

namespace {
template <class Scalar>
std::vector<Scalar> numbers(Index count, std::uint32_t which) {
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user, which));
  std::vector<Scalar> result(static_cast<std::size_t>(count));
  for (Scalar& value : result)
    value = static_cast<Scalar>(2 * random.uniform() - 1);
  return result;
}

/// The operand that reads a matrix of `rows` rows from memory that holds it as it is or transposed.
template <class Scalar>
rs::Operand<Scalar> operand(const std::vector<Scalar>& memory, Index rows, Index columns, bool transpose) {
  return transpose ? rs::transposed<Scalar>(memory.data(), rows) : rs::as_is<Scalar>(memory.data(), columns);
}
template <class Scalar>
Scalar at(const rs::Operand<Scalar>& x, Index row, Index column) {
  return x.data[row * x.row_stride + column * x.column_stride];
}

/// The largest error of a product in units of the bound depth · epsilon · Σ |a b| (+ |c|); below 1 if right.
template <class Scalar>
double product_error(Index rows, Index columns, Index depth, bool transpose_a, bool transpose_b,
                     bool accumulate, rs::GemmWorkspace<Scalar>& workspace) {
  const auto a_memory = numbers<Scalar>(rows * depth, 1);
  const auto b_memory = numbers<Scalar>(depth * columns, 2);
  const auto before = numbers<Scalar>(rows * columns, 3);
  const auto a = operand(a_memory, rows, depth, transpose_a);
  const auto b = operand(b_memory, depth, columns, transpose_b);
  auto c = before;
  if (!accumulate)
    for (Scalar& value : c)
      value = std::numeric_limits<Scalar>::quiet_NaN(); // must be overwritten, not added to
  rs::gemm(rows, columns, depth, a, b, c.data(), accumulate, workspace);
  double worst = 0;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      const auto element = static_cast<std::size_t>(i * columns + j);
      long double sum = accumulate ? static_cast<long double>(before[element]) : 0;
      long double size = std::abs(sum);
      for (Index k = 0; k < depth; ++k) {
        const long double term =
            static_cast<long double>(at(a, i, k)) * static_cast<long double>(at(b, k, j));
        sum += term;
        size += std::abs(term);
      }
      const long double bound = static_cast<long double>(depth + 1) *
                                static_cast<long double>(std::numeric_limits<Scalar>::epsilon()) * size;
      const long double error = std::abs(static_cast<long double>(c[element]) - sum);
      if (!(error <= bound))
        return std::numeric_limits<double>::infinity();
      worst = std::max(worst, bound > 0 ? static_cast<double>(error / bound) : 0);
    }
  return worst;
}
} // namespace

TEMPLATE_TEST_CASE("gemm agrees with the triple loop for all sizes around its tiles", "[linalg]", float,
                   double) {
  rs::GemmWorkspace<TestType> workspace;
  unsigned turn = 0;
  for (const Index rows : {0, 1, 5, 6, 7, 12, 13, 25})
    for (const Index columns : {0, 1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32, 33, 65})
      for (const Index depth : {0, 1, 2, 7, 255, 256, 257}) {
        ++turn; // consecutive sizes take different combinations of the options
        CAPTURE(rows, columns, depth, turn);
        REQUIRE(product_error<TestType>(rows, columns, depth, (turn & 1U) != 0, (turn & 2U) != 0,
                                        (turn & 4U) != 0, workspace) <= 1);
      }
}

TEMPLATE_TEST_CASE("gemm agrees with the triple loop for several blocks of rows and depth", "[linalg]", float,
                   double) {
  rs::GemmWorkspace<TestType> workspace;
  for (unsigned options = 0; options < 8; ++options)
    for (const Index rows : {119, 120, 121, 241}) {
      CAPTURE(options, rows);
      REQUIRE(product_error<TestType>(rows, 19, 513, (options & 1U) != 0, (options & 2U) != 0,
                                      (options & 4U) != 0, workspace) <= 1);
    }
}

TEST_CASE("a product of depth 0 is zero, or leaves what it is added to, and reads no operand", "[linalg]") {
  rs::GemmWorkspace<float> workspace;
  const rs::Operand<float> none{nullptr, 1, 1};
  std::vector<float> c(40, 3.0F);
  int seen = 0;
  const auto count = [&seen](float*, Index, Index, Index n) { seen += static_cast<int>(n); };
  rs::gemm(2, 20, 0, none, none, c.data(), true, workspace, count);
  CHECK(c == std::vector<float>(40, 3.0F));
  rs::gemm(2, 20, 0, none, none, c.data(), false, workspace, count);
  CHECK(c == std::vector<float>(40, 0.0F));
  CHECK(seen == 80);
  rs::gemm(0, 20, 3, none, none, static_cast<float*>(nullptr), false, workspace, count);
  rs::gemm(2, 0, 3, none, none, static_cast<float*>(nullptr), false, workspace, count);
  CHECK(seen == 80);
}

TEMPLATE_TEST_CASE("a row of a product has the same bits alone and in any batch", "[linalg]", float, double) {
  rs::GemmWorkspace<TestType> workspace;
  constexpr Index depth = 300;
  const bool transpose_b = GENERATE(false, true);
  for (const Index columns : {1, 5, 16, 33, 64}) {
    const auto a = numbers<TestType>(250 * depth, 1);
    const auto b = numbers<TestType>(depth * columns, 2);
    const auto right = operand(b, depth, columns, transpose_b);
    std::vector<TestType> alone(static_cast<std::size_t>(250 * columns));
    for (Index row = 0; row < 250; ++row)
      rs::gemm(1, columns, depth, rs::as_is<TestType>(a.data() + row * depth, depth), right,
               alone.data() + row * columns, false, workspace);
    for (const Index rows : {2, 3, 6, 7, 12, 13, 29, 121, 250}) {
      CAPTURE(columns, rows);
      const auto size = static_cast<std::size_t>(rows * columns);
      std::vector<TestType> together(size);
      rs::gemm(rows, columns, depth, rs::as_is<TestType>(a.data(), depth), right, together.data(), false,
               workspace);
      REQUIRE(std::memcmp(together.data(), alone.data(), size * sizeof(TestType)) == 0);

      std::vector<TestType> left(static_cast<std::size_t>(rows * depth));
      for (Index i = 0; i < rows; ++i)
        for (Index k = 0; k < depth; ++k)
          left[static_cast<std::size_t>(k * rows + i)] = a[static_cast<std::size_t>(i * depth + k)];
      rs::gemm(rows, columns, depth, rs::transposed<TestType>(left.data(), rows), right, together.data(),
               false, workspace);
      REQUIRE(std::memcmp(together.data(), alone.data(), size * sizeof(TestType)) == 0);
    }
  }
}

TEST_CASE("the epilogue sees every element once, when it is final", "[linalg]") {
  rs::GemmWorkspace<float> workspace;
  for (const bool accumulate : {false, true})
    for (const Index depth : {0, 9, 256, 300, 600})
      for (const Index columns : {1, 16, 37}) {
        CAPTURE(accumulate, depth, columns);
        constexpr Index rows = 131;
        const auto size = static_cast<std::size_t>(rows * columns);
        const auto a = numbers<float>(rows * depth, 1);
        const auto b = numbers<float>(depth * columns, 2);
        const auto before = numbers<float>(rows * columns, 3);
        auto plain = before;
        rs::gemm(rows, columns, depth, rs::as_is<float>(a.data(), depth), rs::as_is<float>(b.data(), columns),
                 plain.data(), accumulate, workspace);
        auto fused = before;
        std::vector<int> calls(size);
        bool in_place = true;
        rs::gemm(rows, columns, depth, rs::as_is<float>(a.data(), depth), rs::as_is<float>(b.data(), columns),
                 fused.data(), accumulate, workspace, [&](float* y, Index row, Index column, Index count) {
                   in_place = in_place && y == fused.data() + row * columns + column;
                   for (Index j = 0; j < count; ++j) {
                     ++calls[static_cast<std::size_t>(row * columns + column + j)];
                     y[j] = 2 * y[j] + static_cast<float>(row);
                   }
                 });
        CHECK(in_place);
        CHECK(calls == std::vector<int>(size, 1));
        bool equal = true;
        for (std::size_t i = 0; i < size; ++i)
          equal = equal && fused[i] == 2 * plain[i] + static_cast<float>(static_cast<Index>(i) / columns);
        CHECK(equal);
      }
}

TEST_CASE("what is not finite stays in its row and column", "[linalg]") {
  rs::GemmWorkspace<float> workspace;
  constexpr Index n = 14;
  std::vector<float> a(n * n, 1.0F);
  std::vector<float> b(n * n, 1.0F);
  a[3 * n + 2] = std::numeric_limits<float>::quiet_NaN();
  b[5 * n + 13] = std::numeric_limits<float>::infinity();
  std::vector<float> c(n * n);
  rs::gemm(n, n, n, rs::as_is<float>(a.data(), n), rs::as_is<float>(b.data(), n), c.data(), false, workspace);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) {
      const float value = c[static_cast<std::size_t>(i * n + j)];
      CAPTURE(i, j, value);
      if (i == 3)
        CHECK(std::isnan(value));
      else if (j == 13)
        CHECK(std::isinf(value));
      else
        CHECK(value == static_cast<float>(n));
    }
}

TEST_CASE("a second product of the same size allocates nothing", "[linalg]") {
  rs::GemmWorkspace<double> workspace;
  const auto a = numbers<double>(300 * 600, 1);
  const auto b = numbers<double>(600 * 200, 2);
  std::vector<double> c(300 * 200);
  const auto product = [&](Index rows) {
    const long before = allocation::count;
    rs::gemm(rows, 200, 600, rs::as_is<double>(a.data(), 600), rs::as_is<double>(b.data(), 200), c.data(),
             false, workspace);
    return allocation::count - before;
  };
  CHECK(product(300) > 0); // the counter counts
  CHECK(product(300) == 0);
  CHECK(product(1) == 0);
}
