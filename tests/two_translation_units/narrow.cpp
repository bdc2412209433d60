// SPDX-License-Identifier: MIT
// Compiled without AVX, and linked with wide.cpp, which is compiled with AVX2: each has its own vectors.
#include <cstddef>
#include <cstdio>

#include <rowsmith/kernel/simd.hpp>
#include <rowsmith/table/table.hpp>

float wide_sum(const float* numbers, std::size_t& lanes);
std::size_t wide_rows(const rowsmith::Table& table);

int main() {
#if ROWSMITH_PASS_A_TABLE
  return static_cast<int>(wide_rows(rowsmith::Table({rowsmith::Column::numerical("age", {39, 50})})));
#else
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    std::puts("skipped: this processor has no AVX2");
    return 0;
  }
  const float numbers[]{1, 2, 4, 8, 16, 32, 64, 128};
  const auto loaded = rowsmith::simd::load(numbers);
  float narrow = 0;
  for (std::size_t i = 0; i < 4; ++i)
    narrow += loaded[i];
  std::size_t lanes = 0;
  const float wide = wide_sum(numbers, lanes);
  std::printf("4 lanes add up to %g, %zu lanes to %g\n", narrow, lanes, wide);
  return sizeof loaded == 16 && narrow == 15 && lanes == 8 && wide == 255 ? 0 : 1;
#endif
}
