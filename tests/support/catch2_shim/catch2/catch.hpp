// SPDX-License-Identifier: MIT
// Lets tests that are written for Catch2 2.13 build with Catch2 3.
#pragma once

#include <string>

#include <catch2/catch_all.hpp>

using Catch::Approx;

namespace Catch {
using Matchers::EndsWith;
using Matchers::Equals;
using Matchers::Message;
using Matchers::Predicate;
using Matchers::StartsWith;
using Matchers::WithinAbs;
using Matchers::WithinRel;
using Matchers::WithinULP;

// Version 3 gave the name to ranges and calls this one ContainsSubstring.
inline auto Contains(const std::string& text, CaseSensitive sensitive = CaseSensitive::Yes) {
  return Matchers::ContainsSubstring(text, sensitive);
}
} // namespace Catch
