// SPDX-License-Identifier: MIT
#include <cstddef>

#include <rowsmith/kernel/simd.hpp>
#include <rowsmith/table/table.hpp>

float wide_sum(const float* numbers, std::size_t& lanes);
std::size_t wide_rows(const rowsmith::Table& table);

float wide_sum(const float* numbers, std::size_t& lanes) {
  const auto loaded = rowsmith::simd::load(numbers);
  lanes = sizeof loaded / sizeof(float);
  float sum = 0;
  for (std::size_t i = 0; i < lanes; ++i)
    sum += loaded[i];
  return sum;
}

std::size_t wide_rows(const rowsmith::Table& table) { return table.rows(); }
