// SPDX-License-Identifier: MIT
/// \file
/// Cells that have a type, as the texts that a file would have.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/core/version.hpp>
#include <rowsmith/table/column_roles.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Appends the shortest text that reads back as the same number: with a point, which says that it need not be
/// whole, and without an exponent where that takes few digits. \param number  finite
template <class Number>
void append_exact_number(std::string& to, Number number) {
  std::array<char, 64> text; // NOLINT: filled by to_chars
  const auto size = std::abs(number);
  const bool fixed = size == 0 || (size >= Number(1e-9) && size < Number(1e15));
  const auto end =
      fixed ? std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed)
            : std::to_chars(text.data(), text.data() + text.size(), number);
  const std::string_view digits(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  to += digits;
  if (digits.find_first_of(".e") == std::string_view::npos)
    to += ".0";
}

/// Whether a text that is known to be one would be taken for a missing value without quotes.
inline bool needs_quotes_among_texts(std::string_view text) {
  static const RoleOptions usual;
  return std::find(usual.missing.begin(), usual.missing.end(), text) != usual.missing.end();
}

/// Whether all of a text is well-formed.
inline bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = static_cast<unsigned char>(text.front()) < 0x80 ? 1 : utf8_length(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

/// What is wrong with a text; null: nothing.
inline const char* wrong_text(std::string_view text) noexcept {
  constexpr std::size_t most = std::size_t{1} << 24U; // as of a record of a file
  if (text.size() > most)
    return "holds a text of more than 16 MiB";
  if (text.find('\0') != std::string_view::npos)
    return "holds a text with a zero byte";
  if (!is_utf8(text))
    return "holds a text that is no UTF-8";
  return nullptr;
}

} // namespace detail
ROWSMITH_END
