// SPDX-License-Identifier: MIT
/// \file
/// A chart of lines, such as the losses of a training.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// Lines over common places, both axes linear; of a single place, dots. \param places  ascending
/// \param lines  a value for each place
inline std::string line_chart(std::string_view description, std::string_view axis,
                              const std::vector<double>& places,
                              const std::vector<std::vector<double>>& lines) {
  constexpr double width = 460;
  constexpr double height = 230;
  constexpr double left = 56;
  constexpr double top = 8;
  constexpr double across = width - left - 8;
  constexpr double down = height - top - 36;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto& one : lines)
    for (const double value : one) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (!(low <= high) || places.empty())
    return {};
  // Halves, since the range of two doubles may be no double.
  const double range = std::max(high / 2 - low / 2, 1e-300);
  const double first = places.front();
  const double last = places.back();
  std::string text = concat(svg(width, height, description), axes(left, top, across, down));
  const auto x = [&](std::size_t k) {
    return left + across * (last > first ? (places[k] - first) / (last - first) : 0.5);
  };
  for (std::size_t l = 0; l < lines.size(); ++l) {
    const auto y = [&](std::size_t k) {
      return top + down * (1 - std::min((lines[l][k] / 2 - low / 2) / range, 1.0));
    };
    if (places.size() == 1) // a line of one point would not be seen
      text += concat("<circle class=\"", line_class(l), "\" cx=\"", fixed(x(0), 1), "\" cy=\"",
                     fixed(y(0), 1), "\" r=\"1.5\" style=\"stroke-width:3\"/>");
    else
      text += polyline(line_class(l), places.size(), x, y);
  }
  text += label(left - 6, top + 10, short_number(high), "text-anchor=\"end\"");
  text += label(left - 6, top + down, short_number(low), "text-anchor=\"end\"");
  text += label(left, height - 20, short_number(first));
  text += label(left + across, height - 20, short_number(last), "text-anchor=\"end\"");
  text += label(left + across / 2, height - 6, axis, "text-anchor=\"middle\"");
  return text.append("</svg>");
}

} // namespace evaluate::detail
ROWSMITH_END
