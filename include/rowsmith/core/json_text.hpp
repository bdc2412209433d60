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

/// Appends `text` in quotation marks, with what JSON does not allow escaped. The result is valid UTF-8: a
/// byte that is no part of a UTF-8 character becomes `\u0080` to `\u00ff`, as if it were Latin-1.
inline void append_json_text(std::string& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  to += '"';
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    std::size_t length = utf8_length(text);
    if (byte < 0x20 || length == 0) {
      to += "\\u00";
      to += digits[byte >> 4U];
      to += digits[byte & 15U];
      length = 1;
    } else {
      if (byte == '"' || byte == '\\')
        to += '\\';
      to += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  to += '"';
}

/// The same as a string of its own.
inline std::string json_escape(std::string_view text) {
  std::string result;
  append_json_text(result, text);
  return result;
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
