// SPDX-License-Identifier: MIT
/// \file
/// Numbers from and to text, whatever the locale.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// The number that the whole of `text` denotes, such as "-1.5", "+2" or "3e8"; nothing for any other text,
/// "inf", "nan" and numbers beyond a double among them.
inline std::optional<double> parse_number(std::string_view text) noexcept {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-' && text[1] != '+')
    text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size() ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

namespace detail {
/// Digits after the point of a number's text; −1 if it has an exponent.
inline int decimals_in(std::string_view text) noexcept {
  if (text.find_first_of("eE") != std::string_view::npos)
    return -1;
  const auto point = text.find('.');
  if (point == std::string_view::npos)
    return 0;
  const std::size_t digits = text.size() - point - 1;
  return digits > 100 ? -1 : static_cast<int>(digits); // as many as numbers are written with
}
} // namespace detail

/// Appends a finite number. \param decimals digits after the point; −1: the shortest text that reads back as
/// the same number
inline void append_number(std::string& to, double value, int decimals) {
  std::array<char, 512> text; // enough for any double in fixed notation with up to 100 decimals
  const auto result =
      decimals < 0 || decimals > 100
          ? std::to_chars(text.data(), text.data() + text.size(), value)
          : std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
  to.append(text.data(), result.ptr);
}

ROWSMITH_END
