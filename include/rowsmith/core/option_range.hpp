// SPDX-License-Identifier: MIT
/// \file
/// Ranges of numerical options. An option struct lists its options once, with `each_option`; checks and
/// descriptions are made from that list.
#pragma once

#include <cmath>
#include <string>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>

ROWSMITH_BEGIN

/// The values an option may take: from `least` to `most`, or strictly between them where an end is open.
struct OptionRange {
  double least;
  double most;
  bool least_open = false;
  bool most_open = false;

  /// False for NaN.
  bool contains(double value) const noexcept {
    return (least_open ? value > least : value >= least) && (most_open ? value < most : value <= most);
  }
  /// Such as "1 to 100" or "0 < x <= 0.5".
  std::string text() const {
    if (!least_open && !most_open)
      return json_number(least) + " to " + json_number(most);
    return json_number(least) + (least_open ? " < x " : " <= x ") + (most_open ? "< " : "<= ") +
           json_number(most);
  }
};

/// \throws OptionError naming the option, its value and the range
inline void check_option(const std::string& name, double value, const OptionRange& range) {
  if (!range.contains(value))
    throw OptionError(name + " = " + (std::isfinite(value) ? json_number(value) : std::to_string(value)) +
                      ": expected " + range.text());
}

ROWSMITH_END
