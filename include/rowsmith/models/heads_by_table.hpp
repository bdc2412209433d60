// SPDX-License-Identifier: MIT
/// \file
/// What autoregressive heads choose by the table that they are to learn.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ratio>

#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN

/// A rate of dropout chosen by the table: .2, and more for tables of less than 2,000 rows, up to .4 at 500
/// and .6 at 300 and below.
struct AutomaticDropout {};

namespace detail {

template <class Rate>
struct DropoutRateOf {
  static_assert(Rate::num >= 0 && Rate::num < Rate::den, "a dropout rate is at least 0 and below 1");
  static constexpr double value(std::size_t) noexcept {
    return static_cast<double>(Rate::num) / static_cast<double>(Rate::den);
  }
};
template <>
struct DropoutRateOf<AutomaticDropout> {
  static double value(std::size_t rows) noexcept {
    const auto count = static_cast<double>(rows);
    return count > 500 ? std::max(0.2, 0.2 + 0.2 * (2000 - count) / 1500)
                       : std::min(0.6, 0.4 + 0.2 * (500 - count) / 200);
  }
};

/// How much faster weights of the heads decay for a table's number of rows: 10 times for up to 1,000.
inline double decay_by_rows(std::size_t rows) noexcept {
  return std::clamp(10'000.0 / static_cast<double>(rows), 1.0, 10.0);
}

} // namespace detail

/// The automatic width of autoregressive heads: 128 units where most positions of the order are numbers,
/// whose dependence is finer than that of categories, in tables of up to 200 positions; otherwise 64.
inline Index automatic_width(const TableEncoder& encoder) {
  std::size_t numbers = 0;
  for (const auto& stretch : encoder.layout())
    if (encoder.codecs()[stretch.column].kind != ColumnCodec::Kind::categorical && stretch.width > 8)
      ++numbers;
  return 2 * numbers > encoder.layout().size() && encoder.layout().size() <= 200 ? 128 : 64;
}

ROWSMITH_END
