// SPDX-License-Identifier: MIT
/// \file
/// Texts and numbers as JSON writes them.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// `text` in quotation marks, with what JSON does not allow escaped: bytes that are no UTF-8 as
/// `readable_utf8` writes them.
inline std::string json_escape(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : readable_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20) {
      result += "\\u00";
      result += digits[byte >> 4U];
      result += digits[byte & 15U];
    } else {
      result += c;
    }
  }
  return result + '"';
}

/// The shortest text that reads back as the same number; "null" for NaN and infinities, which JSON lacks.
inline std::string json_number(double value) {
  if (!std::isfinite(value))
    return "null";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

ROWSMITH_END
