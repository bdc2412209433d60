// SPDX-License-Identifier: MIT
/// \file
/// Numbers and texts as reports write them.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// All parts, one behind the other.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string text;
  (text.append(parts), ...);
  return text;
}

/// A number with so many digits after the point; "–" for NaN and infinities.
inline std::string fixed(double value, int digits) {
  if (!std::isfinite(value))
    return "–";
  std::array<char, 400> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits).ptr;
  std::string result(text.data(), end);
  if (result.find_first_not_of("-0.") == std::string::npos && result.front() == '-')
    result.erase(0, 1); // no negative zero
  return result;
}

/// 0.1234 as "12.34 %".
inline std::string per_cent(double share, int digits = 2) { return fixed(100 * share, digits).append(" %"); }

/// 32561 as "32,561".
inline std::string grouped(std::size_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t k = 0; k < digits.size(); ++k) {
    if (k > 0 && (digits.size() - k) % 3 == 0)
      text += ',';
    text += digits[k];
  }
  return text;
}

/// Four significant digits, as axes and tables want them.
inline std::string short_number(double value) {
  if (!std::isfinite(value))
    return "–";
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e15)) {
    std::array<char, 64> text{};
    return {
        text.data(),
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, 1).ptr};
  }
  const int digits = size >= 1000 || size == 0 ? 0 : 3 - static_cast<int>(std::floor(std::log10(size)));
  if (size >= 10'000)
    return concat(value < 0 ? "-" : "", grouped(static_cast<std::size_t>(std::llround(size))));
  std::string text = fixed(value, std::clamp(digits, 0, 6));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
  }
  return text;
}

/// The first characters of a text, whole UTF-8 characters only, with "…" if some were left off.
inline std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && seen++ == characters)
      return std::string(text.substr(0, i)).append("…");
  return std::string(text);
}

} // namespace evaluate::detail
ROWSMITH_END
