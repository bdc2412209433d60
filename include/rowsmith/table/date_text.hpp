// SPDX-License-Identifier: MIT
/// \file
/// Dates and times as numbers, and back.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rowsmith/core/version.hpp>
#include <rowsmith/kernel/calendar.hpp>

ROWSMITH_BEGIN

/// How a column's dates are written: letters stand for digits of Y year, M month, D day, h hour, m minute,
/// s second, f fraction of a second; anything else for itself. `DD.MM.YYYY`, `YYYY-MM-DDThh:mm:ssZ`. A single
/// `M`, `D` or `h` takes one or two digits.
using DatePattern = std::string;

/// A column of a table whose numbers are dates.
struct DateColumn {
  enum class Unit {
    days,   ///< since 1970-01-01
    seconds ///< since the midnight on which that day began
  };
  std::string name{};
  Unit unit = Unit::days;
  int step = 1; ///< of seconds: how many its texts can tell apart, such as 60 where they show none
  bool operator==(const DateColumn&) const = default;
};

namespace detail {

inline bool has(std::string_view pattern, char letter) noexcept {
  return pattern.find(letter) != std::string_view::npos;
}
/// How many letters of one kind stand for a number at a place of a pattern; 0: the character is itself.
inline std::size_t field_width(std::string_view pattern, std::size_t place) noexcept {
  const char letter = pattern[place];
  if (!has("YMDhmsf", letter))
    return 0;
  const std::size_t end = pattern.find_first_not_of(letter, place);
  return (end == std::string_view::npos ? pattern.size() : end) - place;
}

} // namespace detail

/// What the numbers of a pattern count: days where it has no time of day, else seconds (since 1970, or since
/// midnight where it has no date).
inline bool counts_days(std::string_view pattern) noexcept { return !detail::has(pattern, 'h'); }
/// Digits of a fraction of a second.
inline int fraction_digits(std::string_view pattern) noexcept {
  int digits = 0;
  for (const char c : pattern)
    digits += c == 'f' ? 1 : 0;
  return digits;
}

/// The number of a date; nothing for a text that is none by the pattern, such as the 30th of February.
inline std::optional<double> parse_date(std::string_view text, std::string_view pattern) noexcept {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  double fraction = 0; // in units of 1 / scale
  double scale = 1;
  std::size_t at = 0;
  for (std::size_t p = 0; p < pattern.size();) {
    const char letter = pattern[p];
    const std::size_t width = detail::field_width(pattern, p);
    if (width == 0) {
      if (at == text.size() || text[at] != letter)
        return std::nullopt;
      ++at;
      ++p;
      continue;
    }
    p += width;
    std::int64_t value = 0;
    std::size_t digits = 0;
    const std::size_t most = width == 1 && letter != 'f' ? 2 : width;
    while (digits < most && at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = 10 * value + (text[at++] - '0');
      ++digits;
    }
    if (digits < width)
      return std::nullopt;
    switch (letter) {
    case 'Y':
      year = width == 2 ? value + (value < 70 ? 2000 : 1900) : value;
      break;
    case 'M':
      month = static_cast<unsigned>(value);
      break;
    case 'D':
      day = static_cast<unsigned>(value);
      break;
    case 'h':
      hour = static_cast<unsigned>(value);
      break;
    case 'm':
      minute = static_cast<unsigned>(value);
      break;
    case 's':
      second = static_cast<unsigned>(value);
      break;
    default:
      fraction = static_cast<double>(value);
      scale = std::pow(10.0, static_cast<double>(width));
    }
  }
  if (at != text.size() || month < 1 || month > 12 || day < 1 || day > kernel::days_in_month(year, month) ||
      hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  const auto days = static_cast<double>(kernel::days_of(year, month, day));
  if (counts_days(pattern))
    return days;
  const double whole = days * 86400 + 3600.0 * hour + 60.0 * minute + second;
  // The nearest number: both are whole below 2^53.
  return std::abs(whole) * scale < 0x1p52 ? (whole * scale + fraction) / scale : whole + fraction / scale;
}

/// Appends the date of a number, rounded to what the pattern shows; years outside 0 to 9999 become its ends.
inline void append_date(std::string& to, double number, std::string_view pattern) {
  const int digits = fraction_digits(pattern);
  const double scale = std::pow(10.0, digits);
  const bool minutes_only = detail::has(pattern, 'h') && !detail::has(pattern, 's');
  constexpr double first = -719528.0 * 86400; // the year 0
  constexpr double last = 2932896.0 * 86400 + 86399;
  double seconds = counts_days(pattern) ? std::round(number) * 86400 : number;
  seconds = minutes_only ? std::round(seconds / 60) * 60 : std::round(seconds * scale) / scale;
  seconds = seconds < first ? first : seconds > last ? last : seconds;
  const double whole = std::floor(seconds);
  const auto fraction = static_cast<std::int64_t>(std::round((seconds - whole) * scale));
  const auto days = static_cast<std::int64_t>(std::floor(whole / 86400));
  const auto of_day = static_cast<std::int64_t>(whole) - days * 86400;
  const auto civil = kernel::civil_day(days);
  for (std::size_t p = 0; p < pattern.size();) {
    const char letter = pattern[p];
    const std::size_t width = detail::field_width(pattern, p);
    if (width == 0) {
      to += letter;
      ++p;
      continue;
    }
    p += width;
    const std::int64_t value = letter == 'Y'   ? (width == 2 ? civil.year % 100 : civil.year)
                               : letter == 'M' ? civil.month
                               : letter == 'D' ? civil.day
                               : letter == 'h' ? of_day / 3600
                               : letter == 'm' ? of_day / 60 % 60
                               : letter == 's' ? of_day % 60
                                               : fraction;
    std::string text = std::to_string(value);
    if (text.size() < width)
      text.insert(0, width - text.size(), '0');
    to += text;
  }
}

ROWSMITH_END
