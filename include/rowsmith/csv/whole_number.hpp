// SPDX-License-Identifier: MIT
/// \file
/// Whole numbers with more digits than a double holds.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// A whole number between −(2^64 − 1) and 2^64 − 1: all that 64 bits hold, with or without a sign.
struct WholeNumber {
  std::uint64_t magnitude = 0;
  bool negative = false; ///< never of zero

  bool operator==(const WholeNumber&) const = default;
};

inline bool operator<(const WholeNumber& a, const WholeNumber& b) noexcept {
  if (a.negative != b.negative)
    return a.negative;
  return a.negative ? b.magnitude < a.magnitude : a.magnitude < b.magnitude;
}

/// What the whole of `text`, digits with a sign or none, denotes; nothing for any other text and for what is
/// beyond 64 bits.
inline std::optional<WholeNumber> parse_whole(std::string_view text) noexcept {
  WholeNumber number;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number.magnitude);
  if (text.empty() || text.front() == '-' || result.ec != std::errc{} ||
      result.ptr != text.data() + text.size())
    return std::nullopt;
  number.negative = number.negative && number.magnitude != 0;
  return number;
}

/// The least distance between two whole numbers that a double may have to round.
inline constexpr std::uint64_t inexact_distance = std::uint64_t{1} << 53U;

/// `number` − `origin`; nothing if a double could have to round it.
inline std::optional<double> distance(const WholeNumber& number, const WholeNumber& origin) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const bool less = number < origin;
  const WholeNumber& low = less ? number : origin;
  const WholeNumber& high = less ? origin : number;
  std::uint64_t apart = 0;
  if (low.negative == high.negative)
    apart = low.negative ? low.magnitude - high.magnitude : high.magnitude - low.magnitude;
  else
    apart = high.magnitude > most - low.magnitude ? most : high.magnitude + low.magnitude;
  if (apart >= inexact_distance)
    return std::nullopt;
  return less ? -static_cast<double>(apart) : static_cast<double>(apart);
}

/// `origin` + `distance`, to the last digit; the nearest there is if that is beyond 64 bits.
/// \param distance  a whole number between −2^53 and 2^53
inline WholeNumber at_distance(const WholeNumber& origin, double distance) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const bool down = distance < 0;
  const auto step = static_cast<std::uint64_t>(down ? -distance : distance);
  WholeNumber result = origin;
  if (down == origin.negative || origin.magnitude == 0) {
    result.negative = down && step != 0;
    result.magnitude = step > most - origin.magnitude ? most : origin.magnitude + step;
  } else if (step < origin.magnitude) {
    result.magnitude -= step;
  } else {
    result.magnitude = step - origin.magnitude;
    result.negative = down && result.magnitude != 0;
  }
  return result;
}

inline WholeNumber whole_number(std::int64_t number) noexcept {
  const auto bits = static_cast<std::uint64_t>(number);
  return {number < 0 ? 0 - bits : bits, number < 0};
}
/// The number with a sign of its own; nothing if it has no room in 64 bits with a sign.
inline std::optional<std::int64_t> signed_number(const WholeNumber& number) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (number.magnitude > most + (number.negative ? 1 : 0))
    return std::nullopt;
  return static_cast<std::int64_t>(number.negative ? 0 - number.magnitude : number.magnitude);
}

inline std::string to_string(const WholeNumber& number) {
  return (number.negative ? "-" : "") + std::to_string(number.magnitude);
}

ROWSMITH_END
