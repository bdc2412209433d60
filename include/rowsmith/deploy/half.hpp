// SPDX-License-Identifier: MIT
/// \file
/// Numbers in half precision.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace detail {

/// The nearest half, ties to even. \throws Error beginning with `what` for a number beyond ±65504 or NaN
inline std::uint16_t to_half(float value, const char* what) {
  const float magnitude = std::abs(value);
  if (!(magnitude <= 65504))
    throw Error(std::string(what) + ": a weight beyond ±65504 cannot be stored in half precision");
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  if (magnitude <
      0x1p-14F) // subnormal: a whole number of 2^−24; rounding up may give the smallest normal one
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 0x1p24F)));
  const std::uint32_t rest = bits & 0x7FFFFFFFU;
  const std::uint32_t rounded = rest + 0xFFFU + ((rest >> 13U) & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded >> 13U) - (112U << 10U)));
}

} // namespace detail
ROWSMITH_END
