// SPDX-License-Identifier: MIT
/// \file
/// A string that can be a template argument: `Numerical<"age">`.
#pragma once

#include <cstddef>
#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// A string literal as a structural type. `Size` counts the terminating zero.
template <std::size_t Size>
struct FixedString {
  char text[Size]{};

  // Implicit on purpose: a literal must convert where a template parameter is deduced.
  constexpr FixedString(const char (&literal)[Size]) {
    for (std::size_t i = 0; i < Size; ++i)
      text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, Size - 1}; }

  template <std::size_t OtherSize>
  constexpr bool operator==(const FixedString<OtherSize>& other) const {
    return view() == other.view();
  }
};

ROWSMITH_END
