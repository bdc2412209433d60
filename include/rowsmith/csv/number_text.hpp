// SPDX-License-Identifier: MIT
/// \file
/// Numbers from and to text, whatever the locale.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

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

/// A number and how its text writes it.
struct WrittenNumber {
  double value = 0;
  int decimals = -1;  ///< as `decimals_in` counts them
  bool plain = false; ///< `append_number(value, decimals)` writes the same text
};

/// Decimal fractions of few digits, at a fraction of what the general way costs: up to 15 digits and the
/// power of ten that divides them are doubles without loss, and the quotient is rounded once, to the nearest
/// double (Clinger, "How to read floating point numbers accurately", 1990). Nothing for any other text.
inline std::optional<WrittenNumber> read_short_number(std::string_view text) noexcept {
  static constexpr std::array<double, 16> powers{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = !text.empty() && text.front() == '-';
  const char* at = text.data() + (negative ? 1 : 0);
  const char* const end = text.data() + text.size();
  if (end - at > 16) // 15 digits and a point
    return std::nullopt;
  const char* const begin = at;
  std::uint64_t digits = 0;
  const auto take_digits = [&] {
    const char* const first = at;
    for (unsigned digit = 0; at != end && (digit = static_cast<unsigned char>(*at) - unsigned{'0'}) <= 9;
         ++at)
      digits = 10 * digits + digit;
    return at - first;
  };
  const auto whole = take_digits();
  std::ptrdiff_t decimals = 0;
  const bool point = at != end && *at == '.';
  if (point) {
    ++at;
    decimals = take_digits();
  }
  if (at != end || whole + decimals == 0 || whole + decimals > 15)
    return std::nullopt;
  const double value = static_cast<double>(digits) / powers[static_cast<std::size_t>(decimals)];
  return WrittenNumber{negative ? -value : value, static_cast<int>(decimals),
                       whole > 0 && (whole == 1 || *begin != '0') && point == (decimals > 0)};
}

/// The number that the whole of `text` denotes, and how; nothing for a text that `parse_number` refuses.
inline std::optional<WrittenNumber> read_number(std::string_view text) noexcept {
  if (const auto number = read_short_number(text))
    return number;
  if (text.size() > 1 && text.front() == '+' && text[1] != '-' && text[1] != '+')
    text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size() ||
      !std::isfinite(value))
    return std::nullopt;
  return WrittenNumber{value, decimals_in(text), false};
}

} // namespace detail

/// The number that the whole of `text` denotes, such as "-1.5", "+2" or "3e8"; nothing for any other text,
/// "inf", "nan" and numbers beyond a double among them.
inline std::optional<double> parse_number(std::string_view text) noexcept {
  const auto number = detail::read_number(text);
  return number ? std::optional(number->value) : std::nullopt;
}

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
